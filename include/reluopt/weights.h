/* weights.h - one weight matrix, sharded by rows, and what its steps need. */
#ifndef RELUOPT_WEIGHTS_H
#define RELUOPT_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "reluopt/array.h"
#include "reluopt/comm.h"
#include "reluopt/config.h"
#include "reluopt/rates.h"
#include "reluopt/whitening.h"

/* Columns of `sums`.  All but the rates are counts, exact in any order: a rank may add those of all its neurons
 * to one of them. */
enum { SUM_RATE, SUM_ONLINE, SUM_STEPS, SUM_ACTIVE, SUM_PAIRS, RELUOPT_SUMS };

/* Line search: steps tried with one reduction; losses at 0 and at those, and sum D^2. */
enum { RELUOPT_TRIALS = 8, RELUOPT_TRIAL_SUMS = RELUOPT_TRIALS + 2 };

/* W[i] or V[i].  m = own.count rows here; the last of the inputs + 1 columns is the bias. */
typedef struct Weights {
    size_t outputs, inputs;
    Rows own;
    bool linear;    /* no ReLU: the output layer */
    bool spoilt;    /* a step left own weights that are not finite */
    float *w;       /* m x (inputs + 1) */
    float *g;       /* (m + 1) x (inputs + 1)  direction of the step; below it, what is added up with it */
    float *z;       /* m x B  pre-activations */
    float *average; /* m x (inputs + 1)  running mean of w, NULL: none kept */

    /* For the adaptive step alone. */
    float *r;            /* m x B  residual on the Pos set */
    float *d;            /* m x B  change of z along g */
    float *mean;         /* inputs  batch means of the inputs */
    float *sums_along;   /* m x 2  what the bounds come from, see reluopt_rate_sums; not owned */
    float *fastest;      /* m  the same */
    float *opt;          /* m  rho_opt */
    float *online;       /* m  rho_online */
    float *rate;         /* m  step taken */
    float *last;         /* m  step last accepted by the line search */
    float last_layer;    /* the same for scope layer, equal on all ranks */
    double *trials;      /* m x RELUOPT_TRIAL_SUMS  scratch of the line search */
    Kink *kinks;         /* 2 B + 1  scratch of the exact search; NULL: no such search */
    const float *target; /* m x B  what the step is toward */

    double *sums; /* n x RELUOPT_SUMS  of each neuron since the means were last read; own rows count */
    const Whitening *whitening; /* of the inputs, for the whitened direction */
    float *whitened;            /* see reluopt_whiten  scratch of the same */
} Weights;

/* Allocate for batches of up to `columns` samples; weights are 0.  RELUOPT_MEMORY.  Not collective. */
int reluopt_weights_create(Weights *weights, size_t outputs, size_t inputs, bool linear, size_t columns,
                           const Comm *comm, Error *error);
/* Allocate what the adaptive step needs, for as many columns.  RELUOPT_MEMORY.  Not collective. */
int reluopt_weights_create_step(Weights *weights, size_t columns, Error *error);
/* Have the steps found by the exact search, from now on.  RELUOPT_MEMORY.  Not collective. */
int reluopt_weights_search(Weights *weights, size_t columns, Error *error);
void reluopt_weights_free(Weights *weights);

/* Make ready for the whitened direction, with the whitening of the inputs.  RELUOPT_MEMORY.  Not collective. */
int reluopt_weights_whiten(Weights *weights, const Whitening *whitening, Error *error);

/* Own rows of the checkpoint's array of that name. */
Array reluopt_weights_array(const Weights *weights, const char *letter, size_t layer);

/* What is remembered of its steps, see Method.memory: returns how many arrays, fills `list` unless NULL. */
size_t reluopt_weights_memory(Weights *weights, const char *letter, size_t layer, const Config *config,
                              Array *list);

/* Take note: of a step of own neuron j = 0 .. m-1 by `rate`; that rho_online was its smaller bound; of how many
 * of so many (neuron, sample) pairs are in the Pos set. */
void reluopt_weights_note_step(Weights *weights, size_t j, double rate);
void reluopt_weights_note_bound(Weights *weights, size_t j, bool online);
void reluopt_weights_note_active(Weights *weights, size_t active, size_t pairs);

/* Means since the last call; starts anew.  Rates are added up in the order of the neurons, so the means have
 * the same bits on any number of ranks. */
typedef struct WeightsMeans {
    double rate;   /* step sizes of the neurons */
    double online; /* share of them that rho_online decided; NaN without bounds */
    double active; /* share of (neuron, sample) pairs in the Pos set */
} WeightsMeans;

/* The same on all ranks; NaN (0/0) where nothing was counted.  Collective. */
WeightsMeans reluopt_weights_means(Weights *weights, const Comm *comm);

/* z = w h, own rows (m x B), for h (inputs + 1) x B.  Not collective. */
void reluopt_weights_apply(const Weights *weights, const float *h, float *z, size_t columns);

/* Room for what the bounds come from, in a piece for all matrices that step together, so that ranks add up all
 * of it at once; list: in the order of reluopt_weights_step, which may get a part of them.  Returns it, to be
 * freed by the caller; NULL after RELUOPT_MEMORY.  Not collective. */
float *reluopt_weights_join(Weights *const *list, size_t count, Error *error);

/* g = r h' of own columns (r: m x B, h: (inputs + 1) x B) becomes that of the whole batch.  active: own pairs
 * of neuron and sample in the Pos set; returns those of the whole batch, to the 24 bits of a float where there
 * are several indices of the data.  Collective. */
size_t reluopt_weights_sum_gradient(Weights *weights, size_t active, const Comm *comm);

/* Residual of weights->z toward target (own rows, m x B), direction g (3-11), d = g h, and what own columns say
 * of the bounds (3-15), (3-18), for a batch of so many columns in all.  `target` must stay until the step is
 * taken. Collective. */
void reluopt_weights_aim(Weights *weights, const float *h, const float *target, size_t batch,
                         Direction direction, const Comm *comm);

/* Choose and take the steps of `count` matrices that were aimed, for the same batch: by their bounds, or by
 * line search, with scope layer or neuron; at most one reduction for all of them (line search: two for 8
 * halvings; exact search with scope layer: one, and four of 12 KiB for each matrix), besides those along the
 * data. The same bits on any number of ranks where there is one index of these.  Collective. */
void reluopt_weights_step(Weights *const *list, size_t count, size_t batch, const Config *config,
                          const Comm *comm);

#endif
