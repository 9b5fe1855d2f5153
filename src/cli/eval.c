/* eval.c - reluopt-mpi eval: loss and accuracy of a checkpoint. */
#include <stdio.h>
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/run.h"

/* All else is as it was in training. */
static bool takes(const char *key)
{
    return strncmp(key, "data.", 5) == 0 || strcmp(key, "coordinator") == 0;
}

/* All samples of one file, as the training part. */
static int point_at_file(Config *config, const char *path, Error *error)
{
    memset(config->data.test, 0, sizeof config->data.test);
    config->data.train_samples = config->data.holdout = 0;
    reluopt_config_set(config, "data.name", "file", error);
    return reluopt_config_set(config, "data.train", path, error);
}

/* Rank 0: the checkpoint's configuration, pointed at the given file. */
static int configure(Config *config, const CheckpointMeta *meta, const Arguments *arguments, int size,
                     Error *error)
{
    if (reluopt_cli_stored(config, meta, arguments->positional[0], error) ||
        (arguments->count > 1 && point_at_file(config, arguments->positional[1], error)) ||
        reluopt_cli_overrides(arguments, config, error))
        return error->code;
    reluopt_config_resolve(config);
    return reluopt_config_check(config, size, error);
}

static void print_score(const char *part, const Score *score)
{
    printf("%-5s  loss %.6f  accuracy %.2f%%  (%zu of %zu samples right)\n", part, reluopt_score_loss(score),
           100 * reluopt_score_accuracy(score), score->right, score->count);
}

/* `changed`: other data are meant.  Collective. */
static int evaluate(Run *run, const char *path, const CheckpointMeta *meta, const char *file, bool changed,
                    Error *error)
{
    Array arrays[RELUOPT_MAX_ARRAYS];
    size_t count = run->method->arrays(run->state, arrays);
    if (reluopt_checkpoint_read_arrays(run->comm, path, meta, arrays, count, error))
        return error->code;
    reluopt_method_check(run->method, run->state, path, error);
    if (reluopt_comm_agree(run->comm, error))
        return error->code;
    Score train = reluopt_run_evaluate(run, &run->data.train, run->train_count);
    Score test = reluopt_run_evaluate(run, &run->data.test, run->test_count);
    if (run->comm->rank == 0) {
        if (!changed && run->checksum != meta->at.data)
            fprintf(stderr, "warning: the data are not those of the training any more\n");
        print_score(file ? "file" : "train", &train);
        if (run->test_count > 0)
            print_score("test", &test);
    }
    return RELUOPT_OK;
}

static int run_eval(Comm *comm, const Arguments *arguments, Error *error)
{
    static Run run;
    CheckpointMeta meta;
    const char *path = arguments->positional[0], *file = arguments->count > 1 ? arguments->positional[1] : NULL;
    if (reluopt_checkpoint_read_meta(comm, path, &meta, error))
        return error->code;
    if (comm->rank == 0)
        configure(&run.config, &meta, arguments, comm->size, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK) {
        reluopt_comm_share(comm, &run.config, sizeof run.config);
        if (reluopt_run_open(&run, comm, &meta, error) == RELUOPT_OK)
            evaluate(&run, path, &meta, file, file || arguments->keys > 0, error);
        reluopt_run_close(&run);
    }
    reluopt_checkpoint_meta_free(&meta);
    return error->code;
}

const Command reluopt_command_eval = {
    .name = "eval",
    .about = "loss and accuracy of a checkpoint",
    .synopsis = "CHECKPOINT [DATA]",
    .text = "Loss and accuracy of the network in CHECKPOINT, on the training and test part of its own data, or "
            "on the file DATA (formats as for data.train), with the preprocessing of the training.",
    .examples = "reluopt-mpi eval runs/soybean/checkpoint.h5\n"
                "mpirun -np 4 reluopt-mpi eval runs/mine/checkpoint.h5 new-samples.csv\n",
    .least = 1,
    .most = 2,
    .takes = takes,
    .run = run_eval,
};
