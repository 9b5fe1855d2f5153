/* bench.h - what a training step costs: time, work, messages, memory. */
#ifndef RELUOPT_BENCH_H
#define RELUOPT_BENCH_H

#include "reluopt/run.h"
#include "reluopt/times.h"

enum { RELUOPT_BENCH_WARM = 3 }; /* steps before those that are measured */

/* Of all ranks together, unless said otherwise.  Seconds, bytes, operations. */
typedef struct Bench {
    int steps;
    double median, least;                    /* of a step, with its input, on rank 0 */
    Times times;                             /* of all steps */
    double flops[PHASES];                    /* per step */
    double calls[TRAFFICS], bytes[TRAFFICS]; /* per step; calls: of each rank */
    double peak;                             /* multiply-adds of all ranks at once, operations per second */
    Spread allocated;                        /* by a rank for network, method and batches */
    Spread resident;                         /* of a rank, data and libraries included, at most so far */
    double evaluated;                        /* samples per second of an evaluation */
} Bench;

/* Take `steps` full batches of the open run's training samples, in their order, and evaluate them once.
 * RELUOPT_MEMORY, RELUOPT_NUMERIC (loss not finite); agreed.  Collective. */
int reluopt_bench(Run *run, int steps, Bench *bench, Error *error);

/* The report as text, and as one JSON object on a line.  Rank 0. */
void reluopt_bench_print(FILE *out, const Run *run, const Bench *bench);
void reluopt_bench_put(FILE *out, const Run *run, const Bench *bench);

#endif
