/* layer.h - activations, targets and residuals of one layer.  Numbers only: no communication, no input.
 *
 * Matrices are row-major and neuron-major: n x B holds B samples of neuron 0, then of neuron 1, ...
 * None of these functions fails; none is collective. */
#ifndef RELUOPT_LAYER_H
#define RELUOPT_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "reluopt/config.h"

/* h = ReLU(z), n values (3-1).  NaN stays NaN. */
void reluopt_relu(float *h, const float *z, size_t n);

/* h = f(z), n values: ReLU, the logistic function or tanh (thesis 2.1.1). */
void reluopt_activate(Activation activation, float *h, const float *z, size_t n);

/* delta *= f'(z), n values, from the outputs h = f(z): (h > 0), h (1 - h) (2-2), or 1 - h^2.  Returns how many
 * of the slopes are not 0. */
size_t reluopt_slope(Activation activation, float *delta, const float *h, size_t n);

/* Is none of the n values infinite or NaN? */
bool reluopt_is_finite(const float *x, size_t n);

/* x[0..B-1] = 1: the row of H that multiplies the bias column of the weights. */
void reluopt_ones(float *x, size_t columns);

/* What a batch costs. */
typedef struct Score {
    double loss;  /* sum over samples of the cross-entropy, nats, or of the squared error */
    size_t right; /* samples whose largest output is the label's */
    size_t count; /* samples */
} Score;

/* The class that outputs h (classes x B) give sample k: the largest's, the first of several. */
size_t reluopt_largest(const float *h, size_t classes, size_t columns, size_t k);

/* Softmax cross-entropy of the linear outputs h (classes x B) for labels (B): adds to `score` (4.3).
 * delta: NULL, or classes x B: softmax(h) - Y, the derivative with respect to h of each sample's loss. */
void reluopt_cross_entropy(const float *h, const int *label, size_t classes, size_t columns, Score *score,
                           float *delta);

/* The same of the squared error (2-4): sum over classes of (h - Y)^2 for each sample; delta: 2 (h - Y). */
void reluopt_squared_error(const float *h, const int *label, size_t classes, size_t columns, Score *score,
                           float *delta);

/* One of the two. */
void reluopt_loss(Loss loss, const float *h, const int *label, size_t classes, size_t columns, Score *score,
                  float *delta);

/* p (B x classes, sample by sample) from the linear outputs h (classes x B): softmax(h), or for the squared
 * error h itself, whose expectation the probabilities are but which may leave 0..1. */
void reluopt_probabilities(Loss loss, float *p, const float *h, size_t classes, size_t columns);

/* t = h - alpha delta, n values: the output target. */
void reluopt_output_target(float *t, const float *h, const float *delta, float alpha, size_t n);

/* t = h + a - b, n values (3-7), with a = g(T[i]), b = g(H[i]). */
void reluopt_difference_target(float *t, const float *h, const float *a, const float *b, size_t n);

/* t = h + a * (h > 0), n values: the gated form, with a = V (T[i] - H[i]). */
void reluopt_gated_target(float *t, const float *h, const float *a, size_t n);

/* r = (f(z) - t) on the Pos set, 0 elsewhere (3-10, 3-11); the Pos set is z > 0, or everything where `linear`.
 * Returns the size of the Pos set. */
size_t reluopt_residual(float *r, const float *z, const float *t, bool linear, size_t n);

/* sum[j] = sum of row j of h (n x B). */
void reluopt_row_sums(float *sum, const float *h, size_t n, size_t columns);

/* Standard deviation of all n values of h; from their sum and sum of squares, which those of parts add up to.
 */
float reluopt_deviation(const float *h, size_t n);
void reluopt_moments(const float *h, size_t n, double moments[2]);
float reluopt_deviation_of(const double moments[2], size_t n);

#endif
