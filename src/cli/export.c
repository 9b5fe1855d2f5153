/* export.c - reluopt-mpi export: a trained network as an ONNX model. */
#include <stdlib.h>
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/memory.h"
#include "reluopt/method.h"
#include "reluopt/onnx.h"

/* Rank 0: which arrays are needed, with room for them. */
static int plan(const char *path, const CheckpointMeta *meta, Config *config, Schema *schema, Array *arrays,
                size_t *count, Error *error)
{
    if (reluopt_cli_stored(config, meta, path, error) || reluopt_schema_from_text(meta->schema, schema, error))
        return error->code;
    if (strcmp(config->method, "mgbdt") == 0)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "export: %s holds trees of method mgbdt, and only networks can be exported", path);
    *count = reluopt_onnx_arrays(config, schema, arrays);
    for (size_t i = 0; i < *count && !error->code; i++)
        arrays[i].data = reluopt_alloc(arrays[i].rows, arrays[i].cols * sizeof(float), error);
    return error->code;
}

static int run_export(Comm *comm, const Arguments *arguments, Error *error)
{
    static Array arrays[RELUOPT_MAX_ARRAYS];
    const char *path = arguments->positional[0], *out = reluopt_cli_option(arguments, "out");
    CheckpointMeta meta;
    Config config;
    Schema schema = {0};
    size_t count = 0;
    if (!out)
        return reluopt_fail(error, RELUOPT_USAGE, "export: where to?  give --out MODEL.onnx");
    if (reluopt_checkpoint_read_meta(comm, path, &meta, error))
        return error->code;
    if (comm->rank == 0 && reluopt_cli_spares_input(arguments, error) == RELUOPT_OK)
        plan(path, &meta, &config, &schema, arrays, &count, error);
    /* Rank 0 reads all rows; the others take part without any. */
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK &&
        reluopt_checkpoint_read_arrays(comm, path, &meta, arrays, count, error) == RELUOPT_OK &&
        comm->rank == 0)
        reluopt_onnx_write(out, &config, &schema, &meta, arrays, error);
    for (size_t i = 0; i < count; i++)
        free(arrays[i].data);
    reluopt_schema_free(&schema);
    reluopt_checkpoint_meta_free(&meta);
    return reluopt_comm_agree(comm, error);
}

const Command reluopt_command_export = {
    .name = "export",
    .about = "write a trained network as an ONNX model",
    .synopsis = "CHECKPOINT --out MODEL",
    .text = "The network in CHECKPOINT for other programs: input x (samples x features, as in the data, "
            "categories as 0/1 features), outputs probability (samples x classes) and class (its number).  The "
            "preprocessing is part of the model; class names and columns are in its metadata.",
    .examples = "reluopt-mpi export runs/mine/checkpoint.h5 --out mine.onnx\n",
    .least = 1,
    .most = 1,
    .option = {{"out", "MODEL", "the file to write, such as model.onnx"}},
    .run = run_export,
};
