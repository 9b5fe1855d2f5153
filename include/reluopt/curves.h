/* curves.h - the learning curves of a run, one record per epoch, in an HDF5 file. */
#ifndef RELUOPT_CURVES_H
#define RELUOPT_CURVES_H

#include <stddef.h>
#include <stdint.h>

#include "reluopt/error.h"
#include "reluopt/times.h"

/* One epoch.  Per layer values: forward layers 1..L at [0..L-1]; NULL where a method has none, kept as NaN. */
typedef struct CurvePoint {
    int64_t epoch;  /* 1, 2, ... */
    int64_t steps;  /* batch steps since the start of the run */
    double seconds; /* wall clock of training since the start of the run, evaluation included */
    double train_loss, train_accuracy; /* the configured loss, per sample; fraction */
    double test_loss, test_accuracy;   /* NaN without a test part */
    double alpha;                      /* target step at the end of the epoch; NaN where a method has none */
    const double *rate; /* L      mean step size rho of the epoch (for G = (2/B) R H'), or the learning rate */
    const double *online_bound; /* L      share of steps (scope layer) or neuron steps in which rho_online was
                                   the smaller bound */
    const double *active;       /* L      share of (neuron, sample) pairs in the Pos set */
    const double *inverse_rate; /* L - 1  mean step size of V[2..L]; NaN when not trained */
} CurvePoint;

/* All points so far, in memory on rank 0.  The fields are private to curves.c but for layers, count and times.
 */
typedef struct Curves {
    char *path;
    size_t layers;
    size_t count, room;
    CurvePoint *points; /* room, the per layer pointers unset */
    Times times;        /* of the run so far, or since it was resumed; ranks 0: not known */
    double *values;     /* room x (4 L - 1): rate, online_bound, active, inverse_rate of each point */
} Curves;

/* Start curves of a network of `layers` weight layers (at least 1), to be kept at `path`; no file yet.
 * RELUOPT_MEMORY.  Rank 0; not collective. */
int reluopt_curves_create(Curves *curves, const char *path, size_t layers, Error *error);

/* Read an existing file.  RELUOPT_STORAGE, RELUOPT_MEMORY, with nothing to free then.  Rank 0; not collective.
 */
int reluopt_curves_read(Curves *curves, const char *path, Error *error);

/* Add one point and bring the file up to date: written aside and renamed over the old one, so that a reader,
 * also after a crash, always finds a whole file.  RELUOPT_MEMORY; RELUOPT_STORAGE, with the point kept in
 * memory and the old file as it was.  Rank 0; not collective. */
int reluopt_curves_append(Curves *curves, const CurvePoint *point, Error *error);

/* Keep the first `count` points alone; the file follows with the next append.  Rank 0; not collective. */
void reluopt_curves_cut(Curves *curves, size_t count);

/* Point k, 0 <= k < count; its per layer pointers stay valid until the next append. */
CurvePoint reluopt_curves_point(const Curves *curves, size_t k);

void reluopt_curves_free(Curves *curves);

#endif
