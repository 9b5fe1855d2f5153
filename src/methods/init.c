/* init.c - initial weights. */
#include "reluopt/init.h"

#include <math.h>
#include <stdlib.h>

#include "reluopt/dense.h"
#include "reluopt/memory.h"

float *reluopt_initial_matrix(Init init, size_t outputs, size_t inputs, RandomKey key, Error *error)
{
    float *w = reluopt_alloc(outputs * inputs, sizeof *w, error);
    if (!w)
        return NULL;
    double variance = 1;
    if (init == INIT_HE)
        variance = 2.0 / (double)inputs;
    if (init == INIT_GLOROT)
        variance = 2.0 / (double)(inputs + outputs);
    reluopt_add_normal(w, w, outputs, inputs, 0, (float)sqrt(variance), key);
    if (init != INIT_ORTHOGONAL)
        return w;
    if (reluopt_orthonormalise(w, outputs, inputs, error)) {
        free(w);
        return NULL;
    }
    for (size_t i = 0; i < outputs * inputs; i++)
        w[i] *= (float)M_SQRT2;
    return w;
}
