/* preprocess.h - feature preprocessing, fitted on the training part only and kept in the checkpoint. */
#ifndef RELUOPT_PREPROCESS_H
#define RELUOPT_PREPROCESS_H

#include "reluopt/samples.h"

typedef enum PreprocessKind {
    PREPROCESS_NONE,        /* x */
    PREPROCESS_SCALE,       /* (x - min) / (max - min), one min and max for all features: into 0..1 */
    PREPROCESS_CENTRE,      /* SCALE, then each feature minus its training mean */
    PREPROCESS_STANDARDISE, /* each feature minus its mean, over its standard deviation (1 where constant) */
    PREPROCESS_ZCA,         /* STANDARDISE, then U diag((s + eps)^-1/2) U' of its covariance U diag(s) U',
                               eps = 0.1 mean(s) */
    PREPROCESS_AUTO         /* in a configuration only: see reluopt_config_resolve_data */
} PreprocessKind;

/* x' = matrix ((x - shift) * scale), elementwise inside; matrix absent (NULL) except for ZCA.  NONE: shift 0,
 * scale 1. */
typedef struct Preprocess {
    PreprocessKind kind;
    size_t features;
    float *shift;  /* features */
    float *scale;  /* features */
    float *matrix; /* features x features, symmetric, or NULL */
} Preprocess;

/* Fit to `train`.  Errors: RELUOPT_MEMORY; RELUOPT_DATA when there is no sample; RELUOPT_USAGE when ZCA gets
 * more features than RELUOPT_EIGEN_MOST; RELUOPT_NUMERIC when the eigenvalue solver fails.  Sums are double.
 * Rank 0; not collective. */
int reluopt_preprocess_fit(Preprocess *pre, PreprocessKind kind, const Samples *train, Error *error);

/* Transform in place.  Errors: RELUOPT_MEMORY; RELUOPT_DATA when the number of features differs. */
int reluopt_preprocess_apply(const Preprocess *pre, Samples *samples, Error *error);

void reluopt_preprocess_free(Preprocess *pre);

#endif
