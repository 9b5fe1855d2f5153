/* info.c - reluopt-mpi info: what a checkpoint or a curve file holds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/checkpoint.h"
#include "reluopt/cli.h"
#include "reluopt/curves.h"
#include "reluopt/kind.h"

static void usage(void)
{
    printf(
        "usage: reluopt-mpi info [--verify] FILE\n"
        "\n"
        "What FILE holds: a run's checkpoint.h5 (where it came from, its arrays and configuration) or\n"
        "curves.h5 (a table, one line an epoch).  --verify: read all of it instead, so that every checksum is\n"
        "compared; exit code 4 when it is damaged.\n");
}

static bool takes(const char *key)
{
    return strcmp(key, "verify") == 0;
}

static void print_values(const char *name, const double *value, size_t count, const char *format)
{
    printf("  %s", name);
    for (size_t i = 0; i < count; i++)
        printf(format, value[i]);
}

static void print_curves(const Curves *curves)
{
    for (size_t k = 0; k < curves->count; k++) {
        CurvePoint p = reluopt_curves_point(curves, k);
        printf("epoch %4lld  steps %7lld  %8.1f s  train %.4f %6.2f%%", (long long)p.epoch, (long long)p.steps,
               p.seconds, p.train_loss, 100 * p.train_accuracy);
        if (!isnan(p.test_loss))
            printf("  test %.4f %6.2f%%", p.test_loss, 100 * p.test_accuracy);
        print_values("rate", p.rate, curves->layers, " %.2e");
        print_values("online", p.online_bound, curves->layers, " %.2f");
        print_values("active", p.active, curves->layers, " %.2f");
        printf("\n");
    }
}

static int print_checkpoint(const char *path, const CheckpointMeta *meta, Error *error)
{
    static const char *const kind[] = {"none", "scale", "centre", "standardise", "zca"};
    Array *arrays = NULL;
    size_t count = 0;
    if (reluopt_checkpoint_list(path, &arrays, &count, error))
        return error->code;
    printf("checkpoint after epoch %lld, step %lld; written %s by %s on %d ranks\n", (long long)meta->at.epoch,
           (long long)meta->at.steps, meta->date, meta->program, meta->ranks);
    printf("libraries: %s\n", meta->libraries);
    printf("preprocessing: %s of %zu features\n", kind[meta->pre.kind], meta->pre.features);
    for (size_t i = 0; i < count; i++)
        printf("%-8s %zu x %zu\n", arrays[i].name, arrays[i].rows, arrays[i].cols);
    printf("configuration:\n%s", meta->config);
    free(arrays);
    return RELUOPT_OK;
}

/* Rank 0.  Reading takes all of the file. */
static int show_curves(const char *path, bool verify, Error *error)
{
    Curves curves;
    if (reluopt_curves_read(&curves, path, error))
        return error->code;
    if (verify)
        printf("%s: good: curves of %zu epochs\n", path, curves.count);
    else
        print_curves(&curves);
    reluopt_curves_free(&curves);
    return RELUOPT_OK;
}

/* Collective. */
static int show_checkpoint(Comm *comm, const char *path, Error *error)
{
    CheckpointMeta meta;
    if (reluopt_checkpoint_read_meta(comm, path, &meta, error))
        return error->code;
    if (comm->rank == 0)
        print_checkpoint(path, &meta, error);
    reluopt_checkpoint_meta_free(&meta);
    return error->code;
}

/* Collective. */
static int verify_checkpoint(Comm *comm, const char *path, Error *error)
{
    size_t bytes;
    if (reluopt_checkpoint_verify(comm, path, &bytes, error) == RELUOPT_OK && comm->rank == 0)
        printf("%s: good: a checkpoint with %zu bytes of numbers\n", path, bytes);
    return error->code;
}

int reluopt_cli_info(Comm *comm, Arguments arguments, Error *error)
{
    Options options = {0};
    FileKind kind = FILE_CHECKPOINT;
    reluopt_cli_parse(arguments, 1, takes, &options, error);
    if (options.help) {
        if (comm->rank == 0)
            usage();
        return RELUOPT_OK;
    }
    if (!error->code && !options.positional[0])
        reluopt_fail(error, RELUOPT_USAGE, "info: which file?  usage: reluopt-mpi info FILE");
    if (comm->rank == 0 && !error->code)
        reluopt_file_kind(options.positional[0], &kind, error);
    if (reluopt_comm_agree(comm, error))
        return error->code;
    reluopt_comm_share(comm, &kind, sizeof kind);
    if (kind == FILE_CHECKPOINT && options.verify)
        verify_checkpoint(comm, options.positional[0], error);
    else if (kind == FILE_CHECKPOINT)
        show_checkpoint(comm, options.positional[0], error);
    else if (comm->rank == 0)
        show_curves(options.positional[0], options.verify, error);
    return reluopt_comm_agree(comm, error);
}
