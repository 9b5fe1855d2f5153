/* grid.h - how many parts of the batch and of the neurons cost least in messages: docs/performance.md,
 * "Communication". */
#ifndef RELUOPT_GRID_H
#define RELUOPT_GRID_H

#include "reluopt/method.h"

/* What a step of a method takes along the two sides of a grid. */
typedef struct GridCost {
    double neurons; /* values gathered or summed for each column of a batch, whole */
    double weights; /* values of matrices that are summed over the data, whole */
} GridCost;

/* Of a step of the configured method.  Not collective. */
GridCost reluopt_grid_cost(const Config *config, const Shape *shape);

/* Bytes that a rank receives in a step on a grid of data x neurons, for a batch of so many columns.  Not
 * collective. */
double reluopt_grid_bytes(GridCost cost, size_t batch, int data, int neurons);

/* The number of indices of the data that makes those least, a divisor of `size` of at most `batch`; the
 * smallest where several do; 1 where the settings do not allow another one.  Not collective. */
int reluopt_grid_choose(const Config *config, const Shape *shape, size_t batch, int size);

#endif
