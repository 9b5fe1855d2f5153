/* bins.h - features sorted into a few bins each, so that the best split of a tree is found in histograms.
 * Numbers only: no communication. */
#ifndef RELUOPT_BINS_H
#define RELUOPT_BINS_H

#include <stddef.h>
#include <stdint.h>

#include "reluopt/error.h"

enum { RELUOPT_MAX_BINS = 256 };

/* The features x B values of a batch, as bins.  Bin b of a feature holds the values in (edge[b-1], edge[b]];
 * the first has no lower and the last no upper edge. */
typedef struct Bins {
    size_t features, columns; /* of the matrix at hand */
    size_t limit;             /* most bins of a feature */
    size_t *count;            /* features  bins in use; 1: the feature is constant */
    float *edge;              /* features x limit */
    uint8_t *bin;             /* features x B */
    float *sorted;            /* B  scratch */
} Bins;

/* Room for up to `features` features of up to `columns` samples in up to `limit` bins (2 to RELUOPT_MAX_BINS).
 * RELUOPT_MEMORY; release also then.  Not collective. */
int reluopt_bins_create(Bins *bins, size_t features, size_t columns, size_t limit, Error *error);
void reluopt_bins_free(Bins *bins);

/* Sort x (features x B, finite) into bins: each distinct value of a feature its own, or where there are more
 * than `limit` of them about equally many samples in each.  Edges lie midway between values.  Not collective.
 */
void reluopt_bins_fill(Bins *bins, const float *x, size_t features, size_t columns);

#endif
