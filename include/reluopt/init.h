/* init.h - initial weights. */
#ifndef RELUOPT_INIT_H
#define RELUOPT_INIT_H

#include <stddef.h>

#include "reluopt/config.h"
#include "reluopt/random.h"

/* The whole initial matrix of a layer, outputs x inputs without bias, the same on every rank:
 *   he          N(0, 2/inputs)
 *   glorot      N(0, 2/(inputs + outputs))
 *   orthogonal  sqrt(2) times orthonormal rows or columns
 * malloc'ed; NULL after RELUOPT_MEMORY or RELUOPT_NUMERIC.  Not collective. */
float *reluopt_initial_matrix(Init init, size_t outputs, size_t inputs, RandomKey key, Error *error);

#endif
