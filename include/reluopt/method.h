/* method.h - the interface between a training method and the program around it, and the table of methods. */
#ifndef RELUOPT_METHOD_H
#define RELUOPT_METHOD_H

#include <stdint.h>

#include "reluopt/array.h"
#include "reluopt/comm.h"
#include "reluopt/config.h"
#include "reluopt/layer.h"

/* Widths of a network: width[0] inputs, width[1..layers-1] hidden, width[layers] classes. */
typedef struct Shape {
    size_t layers; /* L */
    size_t width[RELUOPT_MAX_LAYERS + 2];
    size_t columns; /* the most columns of a batch that will be asked for on a rank */
} Shape;

/* The shape that a configuration gives for data of so many features and classes. */
Shape reluopt_shape(const Config *config, size_t features, size_t classes, size_t columns);

/* The most columns, of at most `wanted`, that a layer's outputs with their row of ones may have, since counts
 * of messages are ints. */
size_t reluopt_shape_columns(const Shape *shape, size_t wanted);

/* shape->columns are no more than that.  RELUOPT_USAGE. */
int reluopt_shape_check(const Shape *shape, Error *error);

enum { RELUOPT_MAX_ARRAYS = 16 * (RELUOPT_MAX_LAYERS + 2) }; /* more than any method has */

/* One batch: on each rank its columns of it, reluopt_comm_own_columns; below, B is their number. */
typedef struct Batch {
    size_t count;     /* of all columns */
    const float *x;   /* (width[0] + 1) x B, last row ones */
    const int *label; /* B */
    int64_t epoch;    /* of training: epochs finished before */
    size_t total;     /* samples of the whole pass */
} Batch;

/* What an epoch looked like, per layer i = 1..L at [i-1]; see CurvePoint. */
typedef struct Measures {
    double rate[RELUOPT_MAX_LAYERS + 1];
    double online_bound[RELUOPT_MAX_LAYERS + 1];
    double active[RELUOPT_MAX_LAYERS + 1];
    double inverse_rate[RELUOPT_MAX_LAYERS + 1]; /* V[i+2] at [i] */
    double alpha;                                /* at the end */
} Measures;

typedef struct Method {
    const char *name;
    const char *about; /* one line for --help */

    /* Build the method's state: initial weights, buffers.  Errors: RELUOPT_MEMORY, RELUOPT_NUMERIC; not agreed.
     * Not collective; config and comm must outlive the state. */
    int (*create)(void **state, const Config *config, const Shape *shape, const Comm *comm, Error *error);
    void (*destroy)(void *state);

    /* One training step, number `step` since the start of the run; adds the whole batch's loss and accuracy
     * before the step to `score`.  Collective. */
    void (*step)(void *state, const Batch *batch, uint64_t step, Score *score);

    /* Did a step leave weights of this rank's that are not finite?  Not collective. */
    bool (*spoilt)(const void *state);

    /* Outputs (logits) for a batch, width[L] x B; valid until the next call.  Collective. */
    const float *(*predict)(void *state, const Batch *batch);

    /* The arrays that make up the network and what its training keeps, for the checkpoint: returns how many,
     * fills `list` unless NULL.  Not collective. */
    size_t (*arrays)(void *state, Array *list);

    /* Can the state be used as it was read from a file?  NULL: always.  Not collective. */
    bool (*sound)(const void *state);

    /* What else decides the future of a run: step sizes to start from, counters, sums of the measures.  With
     * it, the arrays, the configuration and the number of the next step a state just created goes on like this
     * one. As above. */
    size_t (*memory)(void *state, Array *list);

    /* Means since the last call, the same on every rank; starts anew.  Collective. */
    void (*measures)(void *state, Measures *measures);
} Method;

/* `score` has grown since `before` by own columns: let it grow by those of all ranks, with the same bits on
 * each of them.  Collective. */
void reluopt_score_sum(const Comm *comm, const Score *before, Score *score);

extern const Method reluopt_method_adaptive;
extern const Method reluopt_method_gd, reluopt_method_sgd, reluopt_method_momentum, reluopt_method_adagrad,
    reluopt_method_rmsprop, reluopt_method_adadelta, reluopt_method_adam, reluopt_method_fa, reluopt_method_dfa;
extern const Method reluopt_method_tp, reluopt_method_dtp;
extern const Method reluopt_method_mgbdt;

/* Row `index` of the table of methods; NULL after the last.  Not collective. */
const Method *reluopt_method(size_t index);

/* The method of that name; NULL after noting RELUOPT_USAGE (with the names there are).  Not collective. */
const Method *reluopt_method_find(const char *name, Error *error);

/* The state is sound, after arrays were read from the checkpoint at `path`.  RELUOPT_STORAGE.  Not collective.
 */
int reluopt_method_check(const Method *method, const void *state, const char *path, Error *error);

#endif
