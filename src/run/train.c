/* train.c - the training loop: epochs of steps, curves, summary. */
#include <math.h>

#include "loop.h"
#include "reluopt/memory.h"
#include "reluopt/progress.h"
#include "reluopt/random.h"
#include "reluopt/stop.h"
#include "reluopt/summary.h"

enum { FULL_TRAIN_FIGURES = 10000 }; /* training sets up to this size are evaluated whole after each epoch */

/* The order of an epoch's samples is a function of (seed, epoch); a batch of all samples stays as it is.  Rank
 * 0.
 */
static void draw_order(Run *run)
{
    RandomKey key = {(uint64_t)run->config.seed, RANDOM_ORDER, 0, run->feed.fixed ? 0 : (uint64_t)run->epoch,
                     0};
    Stream stream = reluopt_stream(key);
    for (size_t i = 0; i < run->train_count; i++)
        run->order[i] = (uint32_t)i;
    reluopt_shuffle(&stream, run->order, run->train_count);
}

/* What the ranks agree on after a step, in one small reduction. */
typedef struct Votes {
    int spoilt; /* weights are not finite */
    int stop;   /* a StopReason */
    int save;   /* a checkpoint is due by the clock */
} Votes;

/* The same on every rank.  Collective. */
static Votes vote(Run *run)
{
    double now = reluopt_clock(), every = 60 * run->config.checkpoint.minutes;
    run->longest_step = fmax(run->longest_step, now - run->stepped);
    run->stepped = now;
    Votes votes = {.spoilt = run->method->spoilt(run->state),
                   .stop = (int)reluopt_stop_asked(run),
                   .save = run->comm->rank == 0 && every > 0 && now - run->saved >= every};
    reluopt_comm_max(run->comm, &votes.spoilt, sizeof votes / sizeof votes.spoilt);
    return votes;
}

/* Numbers, checkpoint, stop.  Agreed; collective. */
static int end_step(Run *run, Error *error)
{
    Votes votes = vote(run);
    int every = run->config.checkpoint.steps;
    if (run_check_numbers(run, run->running.loss, votes.spoilt, error))
        return error->code;
    bool due = votes.save || votes.stop || (every > 0 && run->steps % every == 0);
    if (due && run_save(run, error))
        return error->code;
    return votes.stop ? run_stopped(run, votes.stop, error) : RELUOPT_OK;
}

/* The steps of an epoch, or those that are left of it. */
static int train_epoch(Run *run, Error *error)
{
    size_t batch_size = run->feed.room;
    int64_t steps = (int64_t)((run->train_count + batch_size - 1) / batch_size);
    Batch batch;
    if (run->comm->rank == 0)
        draw_order(run);
    if (run->batches < steps) {
        run->feed.step = (uint64_t)(run->steps - run->batches);
        run->feed.skip = (size_t)run->batches;
        reluopt_feed_begin(&run->feed, &run->data.train, run->order, run->train_count, batch_size);
    }
    while (run->batches < steps && reluopt_feed_next(&run->feed, &batch)) {
        batch.epoch = run->epoch;
        run->method->step(run->state, &batch, (uint64_t)run->steps, &run->running);
        run->steps++;
        run->batches++;
        if (run->comm->rank == 0)
            reluopt_progress_step(run, run->batches, steps, &run->running);
        if (end_step(run, error))
            return error->code;
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
static int measure_epoch(Run *run, Measures *measures, CurvePoint *point, Error *error)
{
    Score test = reluopt_run_evaluate(run, &run->data.test, run->test_count);
    Score train = run->running, probe = {0};
    if (full_train_figures(run))
        train = reluopt_run_evaluate(run, &run->data.train, run->train_count);
    else if (run->test_count == 0)
        probe = reluopt_run_evaluate(run, &run->data.train, run->feed.room);
    if (run_check_numbers(run, train.loss + test.loss + probe.loss, false, error))
        return error->code;
    run->method->measures(run->state, measures);
    run->seconds = run_seconds(run);
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
    run->best_train = fmax(run->best_train, point->train_accuracy);
    run->best_test = fmax(run->best_test, point->test_accuracy);
    if (run->full_train == 0 && train.right == train.count)
        run->full_train = run->epoch;
    run->batches = 0;
    run->running = (Score){0};
    return RELUOPT_OK;
}

/* Figures of the finished run, the training set evaluated whole.  Collective; writes on rank 0. */
static int write_summary(Run *run, Error *error)
{
    Score train = reluopt_run_evaluate(run, &run->data.train, run->train_count);
    CurvePoint last = {.test_loss = NAN, .test_accuracy = NAN};
    char path[RELUOPT_RUN_PATH];
    if (run->curves.count > 0)
        last = reluopt_curves_point(&run->curves, run->curves.count - 1);
    if (run->full_train == 0 && train.right == train.count)
        run->full_train = run->epoch;
    Summary summary = {.epochs = run->epoch,
                       .steps = run->steps,
                       .np = run->comm->size,
                       .seconds = run->seconds,
                       .samples_per_second = (double)run->epoch * (double)run->train_count / run->seconds,
                       .train_loss = reluopt_score_loss(&train),
                       .train_accuracy = reluopt_score_accuracy(&train),
                       .test_loss = last.test_loss,
                       .test_accuracy = last.test_accuracy,
                       .best_test_accuracy = run->best_test,
                       .epoch_of_full_train_accuracy = run->full_train,
                       .times = reluopt_times(run->comm, &run->begun)};
    run_path(run, "summary.json", path);
    if (run->comm->rank == 0 && reluopt_summary_write(&summary, path, error) == RELUOPT_OK)
        reluopt_progress_end(run, &summary);
    return reluopt_comm_agree(run->comm, error);
}

/* Is the last epoch done, or the accuracy reached that was asked for?  The same on every rank. */
static bool is_done(const Run *run)
{
    double goal = run->config.stop.accuracy, best = run->test_count > 0 ? run->best_test : run->best_train;
    return run->epoch >= run->config.epochs || (goal > 0 && best >= goal);
}

/* All epochs.  Collective. */
static int train_epochs(Run *run, Error *error)
{
    Measures measures;
    CurvePoint point;
    while (!is_done(run)) {
        if (train_epoch(run, error) || measure_epoch(run, &measures, &point, error))
            return error->code;
        run->curves.times = reluopt_times(run->comm, &run->begun);
        if (run->comm->rank == 0 && reluopt_curves_append(&run->curves, &point, error) == RELUOPT_OK)
            reluopt_progress_epoch(run, &point);
        int every = run->config.checkpoint.every;
        bool due = is_done(run) || (every > 0 && run->epoch % every == 0);
        if (reluopt_comm_agree(run->comm, error) || (due && run_save(run, error)))
            return error->code;
    }
    return RELUOPT_OK;
}

int reluopt_run_train(Run *run, Error *error)
{
    char path[RELUOPT_RUN_PATH];
    run_path(run, "curves.h5", path);
    run->started = reluopt_clock() - run->seconds;
    run->stepped = run->saved = reluopt_clock();
    run->begun = reluopt_times_start(run->comm);
    if (run->comm->rank == 0) {
        run->order = reluopt_alloc(run->train_count, sizeof *run->order, error);
        if (!run->curves.path)
            reluopt_curves_create(&run->curves, path, (size_t)run->config.hidden + 1, error);
        reluopt_progress_begin(run);
    }
    if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK && train_epochs(run, error) == RELUOPT_OK) {
        write_summary(run, error);
        run_heed_stop(run);
    }
    if (error->code && run->comm->rank == 0)
        reluopt_progress_clear(run);
    return error->code;
}
