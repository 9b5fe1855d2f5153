/* info.c - reluopt-mpi info: what a checkpoint or a curve file holds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/checkpoint.h"
#include "reluopt/cli.h"
#include "reluopt/curves.h"
#include "reluopt/kind.h"

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
        if (!isnan(p.alpha))
            printf("  alpha %.3g", p.alpha);
        print_values("rate", p.rate, curves->layers, " %.2e");
        print_values("online", p.online_bound, curves->layers, " %.2f");
        print_values("active", p.active, curves->layers, " %.2f");
        printf("\n");
    }
}

static int print_checkpoint(const char *path, const CheckpointMeta *meta, Error *error)
{
    Array *arrays = NULL;
    size_t count = 0;
    if (reluopt_checkpoint_list(path, &arrays, &count, error))
        return error->code;
    printf("checkpoint after epoch %lld, step %lld; written %s by %s on %d ranks\n", (long long)meta->at.epoch,
           (long long)meta->at.steps, meta->date, meta->program, meta->ranks);
    printf("libraries: %s\n", meta->libraries);
    printf("preprocessing: %s of %zu features\n", reluopt_config_choice("preprocess", (int)meta->pre.kind),
           meta->pre.features);
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

static int run_info(Comm *comm, const Arguments *arguments, Error *error)
{
    bool verify = reluopt_cli_option(arguments, "verify") != NULL;
    FileKind kind = FILE_CHECKPOINT;
    const char *path = arguments->positional[0];
    if (comm->rank == 0)
        reluopt_file_kind(path, &kind, error);
    if (reluopt_comm_agree(comm, error))
        return error->code;
    reluopt_comm_share(comm, &kind, sizeof kind);
    if (kind == FILE_CHECKPOINT && verify)
        verify_checkpoint(comm, path, error);
    else if (kind == FILE_CHECKPOINT)
        show_checkpoint(comm, path, error);
    else if (comm->rank == 0)
        show_curves(path, verify, error);
    return reluopt_comm_agree(comm, error);
}

const Command reluopt_command_info = {
    .name = "info",
    .about = "what a checkpoint or a curve file holds",
    .synopsis = "FILE",
    .text = "What FILE holds: a run's checkpoint.h5 (where it came from, its arrays and configuration) or "
            "curves.h5 (a table, one line an epoch).",
    .examples = "reluopt-mpi info runs/soybean/checkpoint.h5\n"
                "reluopt-mpi info runs/soybean/curves.h5\n",
    .least = 1,
    .most = 1,
    .option = {{"verify", NULL, "only compare all checksums of the file; exit code 4 if it is damaged"}},
    .run = run_info,
};
