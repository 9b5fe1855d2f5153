/* normalise.h - batch normalisation of a layer's pre-activations, neuron by neuron.  Thesis 2.2.3,
 * (2-30)..(2-33): y = gamma (z - mu) / sqrt(sigma^2 + eps) + beta, with mu and sigma^2 of the batch in training
 * and running means of both otherwise.  Numbers only: where a batch is spread over ranks, `sums` are to be
 * added up over them after the calls that leave something there.  No call fails but create; none is collective.
 */
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
    double *mean;   /* m      of the batch */
    double *sums;   /* m x 2  over samples: for each neuron one, on the way back two */
} Normalisation;

/* gamma 1, beta 0, running mean 0 and variance 1.  RELUOPT_MEMORY; free it then too. */
int reluopt_normalisation_create(Normalisation *norm, size_t rows, Error *error);
void reluopt_normalisation_free(Normalisation *norm);

/* y from z (m x B), by the running means; y may be z. */
void reluopt_normalise(const Normalisation *norm, float *y, const float *z, size_t columns);

/* The same in training, by the statistics of all `batch` samples, of which B are here, in three calls: sums =
 * sum z; with their totals sums = sum (z - mu)^2; with these y, and z becomes the normalised (z - mu) /
 * sqrt(sigma^2 + eps), which the way back needs. */
void reluopt_normalise_sums(Normalisation *norm, const float *z, size_t columns);
void reluopt_normalise_squares(Normalisation *norm, const float *z, size_t columns, size_t batch);
void reluopt_normalise_batch(Normalisation *norm, float *y, float *z, size_t columns, size_t batch);

/* delta (m x B): from the derivative with respect to y to the one with respect to z, given the normalised z of
 * the last training batch, in two calls: sums; with their totals delta and norm->g. */
void reluopt_normalise_slopes(Normalisation *norm, const float *delta, const float *z, size_t columns);
void reluopt_normalise_back(Normalisation *norm, float *delta, const float *z, size_t columns, size_t batch);

#endif
