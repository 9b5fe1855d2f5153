/* save.c - checkpoints of a run under way. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "loop.h"
#include "reluopt/dense.h"
#include "reluopt/progress.h"
#include "reluopt/version.h"

double run_seconds(const Run *run)
{
    return reluopt_clock() - run->started;
}

static Position position(const Run *run)
{
    return (Position){.epoch = run->epoch,
                      .steps = run->steps,
                      .batches = run->batches,
                      .loss = run->running.loss,
                      .right = (int64_t)run->running.right,
                      .samples = (int64_t)run->running.count,
                      .seconds = run_seconds(run),
                      .best_train = run->best_train,
                      .best_test = run->best_test,
                      .full_train = run->full_train,
                      .data = run->checksum};
}

void run_sign(const Run *run, CheckpointMeta *meta)
{
    char mpi[64], hdf5[64];
    time_t now = time(NULL);
    struct tm utc;
    meta->ranks = run->comm->size;
    snprintf(meta->program, sizeof meta->program, "%s", RELUOPT_PROGRAM);
    snprintf(meta->libraries, sizeof meta->libraries, "%s, %s, BLAS kernel %s",
             reluopt_comm_library(mpi, sizeof mpi), reluopt_checkpoint_library(hdf5, sizeof hdf5),
             reluopt_dense_kernel());
    strftime(meta->date, sizeof meta->date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

size_t run_arrays(const Run *run, Array *list)
{
    size_t count = run->method->arrays(run->state, list);
    return count + run->method->memory(run->state, list + count);
}

int run_save(Run *run, Error *error)
{
    Array arrays[RELUOPT_MAX_ARRAYS];
    char path[RELUOPT_RUN_PATH];
    double start = reluopt_clock();
    Phase before = reluopt_phase_enter(PHASE_CHECKPOINT);
    CheckpointMeta meta = {.at = position(run), .pre = run->pre};
    run_sign(run, &meta);
    if (run->comm->rank == 0) {
        meta.config = reluopt_config_text(&run->config, false, error);
        meta.schema = reluopt_schema_to_text(&run->data.schema, error);
    }
    run_path(run, "checkpoint.h5", path);
    if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK)
        reluopt_checkpoint_write(run->comm, path, run->config.checkpoint.keep, &meta, arrays,
                                 run_arrays(run, arrays), error);
    free(meta.config);
    free(meta.schema);
    reluopt_phase_leave(before);
    if (error->code)
        return error->code;
    run->saved = reluopt_clock();
    run->save_seconds = run->saved - start;
    run->kept = run->steps;
    if (run->comm->rank == 0)
        reluopt_progress_checkpoint(run, path);
    return RELUOPT_OK;
}
