/* resume.c - take up a run where its newest good checkpoint has it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "reluopt/version.h"

/* Name of the k-th newest checkpoint of the folder; false where there is none.  Agreed; collective. */
static bool candidate(Comm *comm, const char *folder, int k, char path[RELUOPT_RUN_PATH], Error *error)
{
    char newest[RELUOPT_RUN_PATH];
    bool there = false;
    snprintf(newest, sizeof newest, "%s/checkpoint.h5", folder);
    char *name = reluopt_checkpoint_older(newest, k, error);
    if (name) {
        snprintf(path, RELUOPT_RUN_PATH, "%s", name);
        there = access(path, F_OK) == 0;
    }
    free(name);
    reluopt_comm_share(comm, &there, sizeof there);
    return reluopt_comm_agree(comm, error) == RELUOPT_OK && there;
}

/* Rank 0: damaged files get out of the way of the good ones that follow, but are not thrown away. */
static void set_aside(Comm *comm, const char *folder, int newer, Error *error)
{
    char path[RELUOPT_RUN_PATH], aside[RELUOPT_RUN_PATH + 8];
    for (int k = 0; k < newer; k++) {
        Error none = {0};
        if (!candidate(comm, folder, k, path, &none) || comm->rank != 0)
            continue;
        snprintf(aside, sizeof aside, "%s.damaged", path);
        if (rename(path, aside) != 0)
            reluopt_fail(error, RELUOPT_STORAGE, "%s: cannot rename: %s", path, strerror(errno));
        else
            fprintf(stderr, "%s becomes %s\n", path, aside);
    }
    reluopt_comm_agree(comm, error);
}

int reluopt_resume_find(Comm *comm, const char *folder, char path[RELUOPT_RUN_PATH], Error *error)
{
    Error last = {0};
    for (int k = 0; k < RELUOPT_MAX_KEPT && !error->code; k++) {
        Error why = {0};
        size_t bytes;
        if (!candidate(comm, folder, k, path, error))
            continue;
        if (reluopt_checkpoint_verify(comm, path, &bytes, &why) == RELUOPT_OK) {
            set_aside(comm, folder, last.code ? k : 0, error);
            return error->code;
        }
        if (why.code != RELUOPT_STORAGE)
            *error = why;
        else if (comm->rank == 0)
            fprintf(stderr, "skipped a checkpoint that is not good: %s\n", why.message);
        last = why;
    }
    path[0] = '\0';
    if (!error->code && last.code)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: no good checkpoint is left: %s", folder, last.message);
    return error->code;
}

static void take_position(Run *run, const Position *at)
{
    run->epoch = at->epoch;
    run->steps = run->kept = at->steps;
    run->batches = at->batches;
    run->running = (Score){at->loss, (size_t)at->right, (size_t)at->samples};
    run->seconds = at->seconds;
    run->best_train = at->best_train;
    run->best_test = at->best_test;
    run->full_train = at->full_train;
}

/* Rank 0: the points up to the checkpoint.  Curves that cannot be read do not keep a run from going on. */
static void take_curves(Run *run)
{
    char path[RELUOPT_RUN_PATH], aside[RELUOPT_RUN_PATH + 8];
    size_t count = 0;
    Error why = {0};
    run_path(run, "curves.h5", path);
    if (run->epoch == 0)
        return;
    reluopt_curves_read(&run->curves, path, &why);
    if (!why.code && run->curves.layers != (size_t)run->config.hidden + 1) {
        reluopt_fail(&why, RELUOPT_STORAGE, "%s: of a network with %zu layers", path, run->curves.layers);
        reluopt_curves_free(&run->curves);
    }
    if (!why.code) {
        while (count < run->curves.count && reluopt_curves_point(&run->curves, count).epoch <= run->epoch)
            count++;
        reluopt_curves_cut(&run->curves, count);
        return;
    }
    snprintf(aside, sizeof aside, "%s.damaged", path);
    bool kept = rename(path, aside) == 0;
    fprintf(stderr, "the curves begin anew, with epoch %lld: %s%s%s\n", (long long)run->epoch + 1, why.message,
            kept ? "; the file becomes " : "", kept ? aside : "");
}

/* Rank 0: what can make the rest of the run differ from what it would have been. */
static void warn_of_change(const CheckpointMeta *from, const CheckpointMeta *now)
{
    if (strcmp(from->program, now->program) != 0 || strcmp(from->libraries, now->libraries) != 0)
        fprintf(stderr,
                "the checkpoint is by %s (%s), this is %s (%s): the last bits of the results may differ\n",
                from->program, from->libraries, now->program, now->libraries);
}

int reluopt_run_resume(Run *run, const char *path, CheckpointMeta *meta, Error *error)
{
    Array arrays[RELUOPT_MAX_ARRAYS];
    CheckpointMeta now = {0};
    if (run->comm->rank == 0 && run->checksum != meta->at.data)
        reluopt_fail(error, RELUOPT_DATA,
                     "%s: the data are not those that the run began with: give it these, or start a new run",
                     path);
    if (reluopt_comm_agree(run->comm, error) ||
        reluopt_checkpoint_read_arrays(run->comm, path, meta, arrays, run_arrays(run, arrays), error))
        return error->code;
    reluopt_method_check(run->method, run->state, path, error);
    if (reluopt_comm_agree(run->comm, error))
        return error->code;
    take_position(run, &meta->at);
    if (run->comm->rank == 0) {
        run->pre = meta->pre;
        meta->pre = (Preprocess){0};
        run->augment.pre = &run->pre;
        run_sign(run, &now);
        warn_of_change(meta, &now);
        take_curves(run);
    }
    return RELUOPT_OK;
}
