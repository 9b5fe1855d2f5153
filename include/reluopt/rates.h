/* rates.h - Pos sets and the step sizes of a layer's neurons.  Thesis 3.2, 3.4; eq. (3-13)..(3-20).
 *
 * A step moves the pre-activations along a ray: z(rho) = z - rho d.  Rates here belong to the direction R H'
 * without the factor 2/B of (3-11), which cancels in rho G.  No function fails; none is collective. */
#ifndef RELUOPT_RATES_H
#define RELUOPT_RATES_H

#include <stdbool.h>
#include <stddef.h>

#include "reluopt/config.h"

/* Step-size bounds of `rows` neurons.
 *   z, d    in   rows x B  pre-activations, and their change along the direction
 *   r       in   rows x B  residual on the Pos set (0 elsewhere)
 *   opt     out  rows      rho_opt (3-15), +inf where no sample is active or nothing moves
 *   online  out  rows      rho_online (3-18), +inf where no sample leaves the Pos set (always so if `linear`)
 */
void reluopt_rates_local(const float *z, const float *d, const float *r, bool linear, size_t rows,
                         size_t columns, float *opt, float *online);

/* The step that a rule takes from the two bounds (3-20); 0 where there is none (+inf both).
 * RATE_ONLINE falls back on rho_opt where no sample leaves. */
float reluopt_rate(RateRule rule, float opt, float online);

/* Layer losses of one neuron at trial steps, sum_k (f(z - rho d) - t)^2 over all B samples (3-9), for
 * rho = 0, start, start/2, ..., start/2^(trials-1): adds 1 + trials values to `loss`. */
void reluopt_trial_losses(const float *z, const float *d, const float *t, bool linear, size_t columns,
                          float start, int trials, double *loss);

/* w[j] -= rate[j] g[j], row by row (3-14). */
void reluopt_step_rows(float *w, const float *g, const float *rate, size_t rows, size_t columns);

#endif
