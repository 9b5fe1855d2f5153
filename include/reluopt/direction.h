/* direction.h - the direction in which a layer's weights move, from its gradient. */
#ifndef RELUOPT_DIRECTION_H
#define RELUOPT_DIRECTION_H

#include <stddef.h>

/* The same step in centred coordinates z = w (h - mu) + b': turns the plain gradient [R H', R 1] (rows x (n+1),
 * last column the bias) into [Gc, g_b - Gc mu] with Gc = R (H - mu 1')' = R H' - g_b mu'.  Then D = G [H; 1]
 * and W <- W - rho G hold unchanged.  Cannot fail; not collective. */
void reluopt_centre(float *g, const float *mean, size_t rows, size_t n);

/* A symmetric n x n matrix P, by its n x c `part`: itself (c = n), its diagonal (c = 1), or P = scale (I - part
 * part'). */
typedef enum SymmetricForm { SYMMETRIC_WHOLE, SYMMETRIC_DIAGONAL, SYMMETRIC_LOW_RANK } SymmetricForm;
typedef struct Symmetric {
    SymmetricForm form;
    size_t n, c;
    float *part;
    float scale;
} Symmetric;

/* The same with each weight row multiplied by P: [Gc P, g_b - Gc P mu].  scratch: rows x n, for low rank rows x
 * (n + c).  Cannot fail; not collective. */
void reluopt_whiten(float *g, const float *mean, const Symmetric *p, size_t rows, float *scratch);

#endif
