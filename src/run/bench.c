/* bench.c - measures what a training step costs. */
#include "reluopt/bench.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "reluopt/memory.h"
#include "reluopt/peak.h"

enum { PEAK_TRIALS = 6 };

/* Multiply-adds of all ranks at once, operations per second: the best of some trials, as far as the slowest
 * rank has got.  Collective. */
static double measure_peak(const Comm *comm)
{
    double best = 0;
    for (int i = 0; i < PEAK_TRIALS; i++) {
        reluopt_comm_barrier(comm);
        double start = reluopt_clock(), flops = (double)reluopt_peak_work();
        best = fmax(best, flops * comm->size / reluopt_spread(comm, reluopt_clock() - start).most);
    }
    return best;
}

/* Hand out the full batches, in their order.  Collective. */
static void begin_batches(Run *run)
{
    size_t room = run->feed.room;
    run->feed.step = (uint64_t)run->steps;
    reluopt_feed_begin(&run->feed, &run->data.train, NULL, run->train_count / room * room, room);
}

/* A step, of the first batch again after the last; its number is also that of its epoch after inverse.warmup,
 * so that inverses and weights take turns where they are to.  Collective. */
static void take_step(Run *run, Score *score)
{
    Batch batch;
    if (!reluopt_feed_next(&run->feed, &batch)) {
        begin_batches(run);
        reluopt_feed_next(&run->feed, &batch);
    }
    batch.epoch = run->config.inverse.warmup + run->steps;
    run->method->step(run->state, &batch, (uint64_t)run->steps, score);
    run->steps++;
}

/* What was counted since `start`, per step, of all ranks.  Collective. */
static void add_up_counts(Bench *bench, const Comm *comm, const Tally *counted)
{
    enum { FLOPS = PHASES, ALL = PHASES + TRAFFICS };
    double sum[ALL];
    for (int i = 0; i < PHASES; i++)
        sum[i] = (double)counted->flops[i];
    for (int i = 0; i < TRAFFICS; i++)
        sum[FLOPS + i] = (double)counted->bytes[i];
    reluopt_comm_sum(comm, sum, ALL);
    for (int i = 0; i < PHASES; i++)
        bench->flops[i] = sum[i] / bench->steps;
    for (int i = 0; i < TRAFFICS; i++) {
        bench->bytes[i] = sum[FLOPS + i] / bench->steps;
        bench->calls[i] = (double)counted->calls[i] / bench->steps;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* seconds: room for the steps.  Collective. */
static void measure_steps(Run *run, Bench *bench, double *seconds, Score *score)
{
    begin_batches(run);
    for (int i = 0; i < RELUOPT_BENCH_WARM; i++)
        take_step(run, score);
    Tally start = reluopt_times_start(run->comm);
    double before = reluopt_clock();
    for (int i = 0; i < bench->steps; i++) {
        take_step(run, score);
        double now = reluopt_clock();
        seconds[i] = now - before;
        before = now;
    }
    Tally counted = reluopt_tally_since(&start);
    bench->times = reluopt_times(run->comm, &start);
    add_up_counts(bench, run->comm, &counted);
    qsort(seconds, (size_t)bench->steps, sizeof *seconds, by_value);
    bench->least = seconds[0];
    bench->median = seconds[bench->steps / 2];
}

static void measure_evaluation(Run *run, Bench *bench, Score *score)
{
    reluopt_comm_barrier(run->comm);
    double start = reluopt_clock();
    Score evaluated = reluopt_run_evaluate(run, &run->data.train, run->train_count);
    bench->evaluated = (double)run->train_count / reluopt_spread(run->comm, reluopt_clock() - start).most;
    score->loss += evaluated.loss;
}

int reluopt_bench(Run *run, int steps, Bench *bench, Error *error)
{
    Score score = {0};
    struct rusage usage;
    *bench = (Bench){.steps = steps, .peak = measure_peak(run->comm)};
    double *seconds = reluopt_alloc((size_t)steps, sizeof *seconds, error);
    if (reluopt_comm_agree(run->comm, error) == RELUOPT_OK) {
        measure_steps(run, bench, seconds, &score);
        measure_evaluation(run, bench, &score);
        bench->peak = fmax(bench->peak, measure_peak(run->comm));
        getrusage(RUSAGE_SELF, &usage);
        bench->allocated = reluopt_spread(run->comm, (double)run->allocated);
        bench->resident = reluopt_spread(run->comm, 1024 * (double)usage.ru_maxrss);
        if (!isfinite(score.loss))
            reluopt_fail(error, RELUOPT_NUMERIC,
                         "the loss is not finite: the data need preprocessing, or a smaller "
                         "learning_rate or alpha");
    }
    free(seconds);
    return error->code;
}
