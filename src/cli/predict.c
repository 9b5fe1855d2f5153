/* predict.c - reluopt-mpi predict: classes and probabilities of samples. */
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/run.h"

/* How the input is read; all else is as it was in training. */
static bool takes(const char *key)
{
    return strcmp(key, "data.label") == 0 || strcmp(key, "data.header") == 0 || strcmp(key, "coordinator") == 0;
}

/* Rank 0. */
static int configure(Config *config, const CheckpointMeta *meta, const Arguments *arguments, int size,
                     Error *error)
{
    if (reluopt_cli_spares_input(arguments, error) ||
        reluopt_cli_stored(config, meta, arguments->positional[0], error) ||
        reluopt_cli_overrides(arguments, config, error))
        return error->code;
    reluopt_config_resolve(config);
    return reluopt_config_check(config, size, error);
}

/* One after the other.  Collective. */
static int predict_inputs(Run *run, const Arguments *arguments, const CheckpointMeta *meta,
                          const Schema *schema, Predictions *predictions, Error *error)
{
    for (int i = 1; i < arguments->count && !error->code; i++) {
        Source source = {0};
        if (run->comm->rank == 0)
            reluopt_source_open(&source, arguments->positional[i], &run->config, schema, error);
        if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK)
            reluopt_run_predict(run, &source, &meta->pre, predictions, error);
        reluopt_source_close(&source);
    }
    return error->code;
}

/* With the network in place.  Collective. */
static int predict(Run *run, const Arguments *arguments, const CheckpointMeta *meta, const Schema *schema,
                   Error *error)
{
    Predictions predictions = {.hdf5 = -1};
    Array arrays[RELUOPT_MAX_ARRAYS];
    size_t count = run->method->arrays(run->state, arrays);
    const char *path = arguments->positional[0];
    if (reluopt_checkpoint_read_arrays(run->comm, path, meta, arrays, count, error))
        return error->code;
    if (reluopt_method_check(run->method, run->state, path, error) == RELUOPT_OK && run->comm->rank == 0)
        reluopt_predictions_create(&predictions, reluopt_cli_option(arguments, "out"), schema, error);
    if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK)
        predict_inputs(run, arguments, meta, schema, &predictions, error);
    if (run->comm->rank == 0)
        reluopt_predictions_close(&predictions, error);
    return reluopt_comm_agree(run->comm, error);
}

static int run_predict(Comm *comm, const Arguments *arguments, Error *error)
{
    static Run run;
    CheckpointMeta meta;
    Schema schema = {0};
    if (reluopt_checkpoint_read_meta(comm, arguments->positional[0], &meta, error))
        return error->code;
    if (comm->rank == 0 && !reluopt_schema_from_text(meta.schema, &schema, error))
        configure(&run.config, &meta, arguments, comm->size, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK) {
        reluopt_comm_share(comm, &run.config, sizeof run.config);
        if (reluopt_run_open_network(&run, comm, &schema, error) == RELUOPT_OK)
            predict(&run, arguments, &meta, &schema, error);
        reluopt_run_close(&run);
    }
    reluopt_schema_free(&schema);
    reluopt_checkpoint_meta_free(&meta);
    return error->code;
}

const Command reluopt_command_predict = {
    .name = "predict",
    .about = "classes and probabilities of new samples",
    .synopsis = "CHECKPOINT INPUT...",
    .text = "The class of each sample of the INPUTs, and the probability of every class, by the network in "
            "CHECKPOINT, with the preprocessing of its training.  Inputs are CSV files where it was trained on "
            "one, else files of any format of data.train, with or without labels (which are ignored); IDX: the "
            "images alone.  They are read a block at a time, so they may exceed memory.",
    .examples = "reluopt-mpi predict runs/mine/checkpoint.h5 new.csv\n"
                "mpirun -np 4 reluopt-mpi predict runs/mine/checkpoint.h5 new.npy --out p.h5\n",
    .least = 2,
    .most = RELUOPT_CLI_MANY,
    .option = {{"out", "FILE", "CSV, or HDF5 where it ends in .h5; default: CSV on standard output"}},
    .takes = takes,
    .run = run_predict,
};
