/* train.c - the training loop: epochs of steps, curves, checkpoints, summary. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reluopt/memory.h"
#include "reluopt/progress.h"
#include "reluopt/random.h"
#include "reluopt/run.h"
#include "reluopt/summary.h"
#include "reluopt/version.h"

enum { FULL_TRAIN_FIGURES = 10000 }; /* training sets up to this size are evaluated whole after each epoch */

static void path_in_run(const Run *run, const char *name, char path[2 * RELUOPT_TEXT])
{
    snprintf(path, 2 * RELUOPT_TEXT, "%s/%s", run->folder, name);
}

/* The order of an epoch's samples is a function of (seed, epoch).  Rank 0. */
static void draw_order(const Run *run, uint32_t *order)
{
    RandomKey key = {(uint64_t)run->config.seed, RANDOM_ORDER, 0, (uint64_t)run->epoch};
    Stream stream = reluopt_stream(key);
    for (size_t i = 0; i < run->train_count; i++)
        order[i] = (uint32_t)i;
    reluopt_shuffle(&stream, order, run->train_count);
}

/* A loss that is not finite is seen on every rank alike: all have all outputs. */
static int check_loss(const Run *run, double loss, Error *error)
{
    const Config *config = &run->config;
    char kept[64] = "", cause[64] = "the self-chosen alpha";
    if (isfinite(loss))
        return RELUOPT_OK;
    if (run->kept > 0)
        snprintf(kept, sizeof kept, "; the checkpoint of epoch %lld is kept", (long long)run->kept);
    if (config->learning_rate != RELUOPT_AUTO)
        snprintf(cause, sizeof cause, "learning_rate = %g", config->learning_rate);
    else if (config->alpha != RELUOPT_AUTO)
        snprintf(cause, sizeof cause, "alpha = %g", config->alpha);
    return reluopt_fail(error, RELUOPT_NUMERIC,
                        "the loss is not finite after step %lld: %s is too large for this network, or the data "
                        "need preprocessing%s",
                        (long long)run->steps, cause, kept);
}

/* One epoch of steps. */
static int train_epoch(Run *run, uint32_t *order, Score *score, Error *error)
{
    size_t batch_size = run->feed.room;
    int64_t first = run->steps, steps = (int64_t)((run->train_count + batch_size - 1) / batch_size);
    Batch batch;
    if (run->comm->rank == 0)
        draw_order(run, order);
    run->feed.step = (uint64_t)run->steps;
    reluopt_feed_begin(&run->feed, &run->data.train, order, run->train_count, batch_size);
    while (reluopt_feed_next(&run->feed, &batch)) {
        batch.epoch = run->epoch;
        run->method->step(run->state, &batch, (uint64_t)run->steps, score);
        if (check_loss(run, score->loss, error))
            return error->code;
        run->steps++;
        if (run->comm->rank == 0)
            reluopt_progress_step(run, run->steps - first, steps, score);
    }
    run->epoch++;
    return RELUOPT_OK;
}

static bool full_train_figures(const Run *run)
{
    return run->config.eval.train == TRAIN_FULL ||
           (run->config.eval.train == TRAIN_AUTO && run->train_count <= FULL_TRAIN_FIGURES);
}

/* Evaluate and measure the finished epoch.  RELUOPT_NUMERIC when its last step spoilt the network.  Collective.
 */
static int measure_epoch(Run *run, const Score *running, double started, Measures *measures, CurvePoint *point,
                         Error *error)
{
    Score test = reluopt_run_evaluate(run, &run->data.test, run->test_count);
    Score train = *running, probe = {0};
    if (full_train_figures(run))
        train = reluopt_run_evaluate(run, &run->data.train, run->train_count);
    else if (run->test_count == 0)
        probe = reluopt_run_evaluate(run, &run->data.train, run->feed.room);
    if (check_loss(run, train.loss + test.loss + probe.loss, error))
        return error->code;
    run->method->measures(run->state, measures);
    run->seconds = reluopt_clock() - started;
    *point = (CurvePoint){.epoch = run->epoch,
                          .steps = run->steps,
                          .seconds = run->seconds,
                          .train_loss = reluopt_score_loss(&train),
                          .train_accuracy = reluopt_score_accuracy(&train),
                          .test_loss = reluopt_score_loss(&test),
                          .test_accuracy = reluopt_score_accuracy(&test),
                          .alpha = measures->alpha,
                          .rate = measures->rate,
                          .online_bound = measures->online_bound,
                          .active = measures->active,
                          .inverse_rate = measures->inverse_rate};
    run->best_test = fmax(run->best_test, point->test_accuracy);
    if (run->full_train == 0 && train.right == train.count)
        run->full_train = run->epoch;
    return RELUOPT_OK;
}

/* Collective. */
static int write_checkpoint(Run *run, Error *error)
{
    Array arrays[RELUOPT_MAX_ARRAYS];
    char path[2 * RELUOPT_TEXT];
    CheckpointMeta meta = {.epoch = run->epoch, .step = run->steps, .ranks = run->comm->size, .pre = run->pre};
    time_t now = time(NULL);
    struct tm utc;
    Phase before = reluopt_phase_enter(PHASE_CHECKPOINT);
    snprintf(meta.program, sizeof meta.program, "%s", RELUOPT_PROGRAM);
    strftime(meta.date, sizeof meta.date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    if (run->comm->rank == 0) {
        meta.config = reluopt_config_text(&run->config, false, error);
        meta.schema = reluopt_schema_to_text(&run->data.schema, error);
    }
    path_in_run(run, "checkpoint.h5", path);
    if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK)
        reluopt_checkpoint_write(run->comm, path, &meta, arrays, run->method->arrays(run->state, arrays),
                                 error);
    free(meta.config);
    free(meta.schema);
    reluopt_phase_leave(before);
    if (error->code)
        return error->code;
    run->kept = run->epoch;
    if (run->comm->rank == 0)
        reluopt_progress_checkpoint(run, path);
    return error->code;
}

/* Figures of the finished run, the training set evaluated whole.  Collective; writes on rank 0. */
static int write_summary(Run *run, const CurvePoint *last, Error *error)
{
    Score train = reluopt_run_evaluate(run, &run->data.train, run->train_count);
    if (run->full_train == 0 && train.right == train.count)
        run->full_train = run->epoch;
    Summary summary = {.epochs = run->epoch,
                       .steps = run->steps,
                       .np = run->comm->size,
                       .seconds = run->seconds,
                       .samples_per_second = (double)run->epoch * (double)run->train_count / run->seconds,
                       .train_loss = reluopt_score_loss(&train),
                       .train_accuracy = reluopt_score_accuracy(&train),
                       .test_loss = last->test_loss,
                       .test_accuracy = last->test_accuracy,
                       .best_test_accuracy = run->best_test,
                       .epoch_of_full_train_accuracy = run->full_train,
                       .times = reluopt_times(run->comm, &run->begun)};
    char path[2 * RELUOPT_TEXT];
    path_in_run(run, "summary.json", path);
    if (run->comm->rank == 0 && reluopt_summary_write(&summary, path, error) == RELUOPT_OK)
        reluopt_progress_end(run, &summary);
    return reluopt_comm_agree(run->comm, error);
}

static bool checkpoint_is_due(const Run *run)
{
    int every = run->config.checkpoint_every;
    return run->epoch == run->config.epochs || (every > 0 && run->epoch % every == 0);
}

/* All epochs.  Collective. */
static int train_epochs(Run *run, uint32_t *order, CurvePoint *point, Measures *measures, Error *error)
{
    double started = reluopt_clock() - run->seconds;
    while (run->epoch < run->config.epochs) {
        Score running = {0};
        if (train_epoch(run, order, &running, error) ||
            measure_epoch(run, &running, started, measures, point, error))
            return error->code;
        run->curves.times = reluopt_times(run->comm, &run->begun);
        if (run->comm->rank == 0 && reluopt_curves_append(&run->curves, point, error) == RELUOPT_OK)
            reluopt_progress_epoch(run, point);
        if (reluopt_comm_agree(run->comm, error) || (checkpoint_is_due(run) && write_checkpoint(run, error)))
            return error->code;
    }
    return RELUOPT_OK;
}

int reluopt_run_train(Run *run, Error *error)
{
    char path[2 * RELUOPT_TEXT];
    uint32_t *order = NULL;
    Measures measures;
    CurvePoint point;
    run->best_test = NAN;
    run->begun = reluopt_times_start(run->comm);
    path_in_run(run, "curves.h5", path);
    if (run->comm->rank == 0) {
        order = reluopt_alloc(run->train_count, sizeof *order, error);
        reluopt_curves_create(&run->curves, path, (size_t)run->config.hidden + 1, error);
        reluopt_progress_begin(run);
    }
    if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK &&
        train_epochs(run, order, &point, &measures, error) == RELUOPT_OK)
        write_summary(run, &point, error);
    if (error->code && run->comm->rank == 0)
        reluopt_progress_clear(run);
    free(order);
    return error->code;
}
