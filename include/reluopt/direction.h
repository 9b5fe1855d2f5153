/* direction.h - the direction in which a layer's weights move, from its gradient. */
#ifndef RELUOPT_DIRECTION_H
#define RELUOPT_DIRECTION_H

#include <stddef.h>

/* The same step in centred coordinates z = w (h - mu) + b': turns the plain gradient [R H', R 1] (rows x (n+1),
 * last column the bias) into [Gc, g_b - Gc mu] with Gc = R (H - mu 1')' = R H' - g_b mu'.  Then D = G [H; 1]
 * and W <- W - rho G hold unchanged.  Cannot fail; not collective. */
void reluopt_centre(float *g, const float *mean, size_t rows, size_t n);

/* The same with each weight row multiplied by P: [Gc P, g_b - Gc P mu].  inverse: P, n x n (c = n) and
 * symmetric, or its diagonal (c = 1).  scratch: rows x n.  Cannot fail; not collective. */
void reluopt_whiten(float *g, const float *mean, const float *inverse, size_t c, size_t rows, size_t n,
                    float *scratch);

#endif
