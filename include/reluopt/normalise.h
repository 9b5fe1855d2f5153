/* normalise.h - batch normalisation of a layer's pre-activations, neuron by neuron.  Thesis 2.2.3,
 * (2-30)..(2-33): y = gamma (z - mu) / sqrt(sigma^2 + eps) + beta, with mu and sigma^2 of the batch in training
 * and running means of both otherwise.  Numbers only: nothing is communicated. */
#ifndef RELUOPT_NORMALISE_H
#define RELUOPT_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>

#include "reluopt/error.h"

#define RELUOPT_NORMALISE_EPSILON 1e-5 /* eps */

typedef struct Normalisation {
    size_t rows;    /* m  neurons */
    float *scale;   /* m x 2  gamma, beta */
    float *running; /* m x 2  mean and variance: (0.9 old + 0.1 new) after each batch of more than one sample */
    float *g;       /* m x 2  gradient of `scale` */
    float *spread;  /* m      1 / sqrt(sigma^2 + eps) of the batch */
} Normalisation;

/* gamma 1, beta 0, running mean 0 and variance 1.  RELUOPT_MEMORY; free it then too.  Not collective. */
int reluopt_normalisation_create(Normalisation *norm, size_t rows, Error *error);
void reluopt_normalisation_free(Normalisation *norm);

/* y from z (m x B); y may be z where not training.  training: by the statistics of the batch; z becomes the
 * normalised (z - mu) / sqrt(sigma^2 + eps), which the way back needs.  Cannot fail; not collective. */
void reluopt_normalise(Normalisation *norm, float *y, float *z, size_t columns, bool training);

/* delta (m x B): from the derivative with respect to y to the one with respect to z, given the normalised z of
 * the last training batch; sets norm->g.  Cannot fail; not collective. */
void reluopt_normalise_back(Normalisation *norm, float *delta, const float *z, size_t columns);

#endif
