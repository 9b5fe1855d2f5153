/* rates.h - Pos sets and the step sizes of a layer's neurons.  Thesis 3.2, 3.4; eq. (3-13)..(3-20).
 *
 * A step moves the pre-activations along a ray: z(rho) = z - rho d.  Rates here belong to the direction R H'
 * without the factor 2/B of (3-11), which cancels in rho G.  No function fails; none is collective. */
#ifndef RELUOPT_RATES_H
#define RELUOPT_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reluopt/config.h"

/* What the samples say about the step of `rows` neurons.
 *   z, d     in   rows x B  pre-activations, and their change along the direction
 *   r        in   rows x B  residual on the Pos set (0 elsewhere)
 *   sums     out  rows x 2  sum R D, sum D^2 over the Pos set
 *   fastest  out  rows      max D / Z over the Pos set, at least 0 (if `linear`: 0)
 * Those of all samples are the sums and the maximum of those of parts of them. */
void reluopt_rate_sums(const float *z, const float *d, const float *r, bool linear, size_t rows, size_t columns,
                       float *sums, float *fastest);

/* Step-size bounds from these.
 *   opt     out  rows  rho_opt (3-15), +inf where no sample is active or nothing moves
 *   online  out  rows  rho_online (3-18), +inf where no sample leaves the Pos set (always so if linear)
 */
void reluopt_rate_bounds(const float *sums, const float *fastest, size_t rows, float *opt, float *online);

/* The step that a rule takes from the two bounds (3-20); 0 where there is none (+inf both).
 * RATE_ONLINE falls back on rho_opt where no sample leaves.  RATE_EXACT: rho_opt, where its search begins. */
float reluopt_rate(RateRule rule, float opt, float online);

/* sum_k (f(z - rho d) - t)^2 of one neuron over all B samples (3-9, without 1/B), in double. */
double reluopt_loss_at(const float *z, const float *d, const float *t, bool linear, size_t columns, float rho);

/* Layer losses of one neuron at trial steps, sum_k (f(z - rho d) - t)^2 over all B samples (3-9), for
 * rho = 0, start, start/2, ..., start/2^(trials-1): adds 1 + trials values to `loss`. */
void reluopt_trial_losses(const float *z, const float *d, const float *t, bool linear, size_t columns,
                          float start, int trials, double *loss);

/* ---- Exact search (docs/algorithm.md) through the kinks, where a sample leaves or enters the Pos set ---- */

typedef struct Kink {
    double place, a, b; /* rho; sums over the samples that leave there or later */
    float at;           /* rho, to sort by */
    uint32_t sample;
} Kink;

/* The rho >= 0 at which reluopt_loss_at of one neuron is least, up to the rounding to float: the smallest where
 * several are.  Its loss is never above that at 0, nor above that at `opt`.
 *   z, d, t  in  B        pre-activations, their change along the direction, targets of the activations
 *   linear   in           no kinks: returns opt
 *   opt      in           finite, >= 0: a good step, such as rho_opt, to bound the search with
 *   kinks    out 2 B + 1  scratch
 * B < 2^32; O(B) operations.
 */
float reluopt_rate_exact(const float *z, const float *d, const float *t, bool linear, size_t columns, float opt,
                         Kink *kinks);

enum { RELUOPT_BINS = 256 };

/* Steps between floats of consecutive bits: bin i is low + [i, i + 1) 2^shift.  Start from {0, 23}: all steps,
 * a factor 2 each. */
typedef struct KinkBracket {
    uint32_t low; /* bits of the float at which bin 0 begins */
    int shift;
} KinkBracket;

/* Sums over samples of d^2, d (y - t) and y (y - 2 t), where y = z - d low: with those of the samples active at
 * low + x, the loss there is sum[0] x^2 - 2 sum[1] x + sum[2] and a constant.  Doubles only. */
typedef struct KinkBins {
    double active[3]; /* active in the whole bracket; [2], a constant, is left 0 */
    double leave[RELUOPT_BINS][3], enter[RELUOPT_BINS][3]; /* those that leave or enter the Pos set in a bin */
} KinkBins;

/* Of the three sums, see anchor.h: with them, bins have the same bits in whatever order neurons are added. */
typedef struct KinkAnchors {
    double of[3];
} KinkAnchors;

/* From the largest |z|, |d| and |t| of a layer of `count` pairs of neuron and sample. */
KinkAnchors reluopt_kink_anchors(const double largest[3], KinkBracket bracket, size_t count);

/* Add one neuron's samples to the bins.  Arguments as in reluopt_rate_exact. */
void reluopt_bin_kinks(KinkBins *bins, const float *z, const float *d, const float *t, bool linear,
                       size_t columns, KinkBracket bracket, KinkAnchors anchors, Kink *kinks);

/* From the bins summed over the neurons of a layer, narrow the bracket to one bin: beside the edge with the
 * least loss, on the side to which the loss falls.  True while bins are wider than from float to float, three
 * times; else *rate is the local minimiser in that bin, whose loss is not above that at any edge there was. */
bool reluopt_narrow(const KinkBins *bins, KinkBracket *bracket, float *rate);

/* w[j] -= rate[j] g[j], row by row (3-14).  Is all of w finite afterwards? */
bool reluopt_step_rows(float *w, const float *g, const float *rate, size_t rows, size_t columns);

#endif
