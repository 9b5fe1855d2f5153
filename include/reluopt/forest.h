/* forest.h - a mapping R^inputs -> R^outputs made of boosted regression trees, this rank's outputs of it.
 * Numbers only: no communication. */
#ifndef RELUOPT_FOREST_H
#define RELUOPT_FOREST_H

#include <stdbool.h>
#include <stddef.h>

#include "reluopt/tree.h"

/* F_i or G_i of multi-layered boosted trees: output j is the sum of its trees. */
typedef struct Forest {
    const TreeConfig *config;
    size_t rows;    /* outputs here */
    size_t trees;   /* room: trees of an output */
    size_t nodes;   /* room: nodes of a tree */
    TreeNode *node; /* rows x trees x nodes; trees not grown yet are zero and add nothing */
} Forest;

/* All trees zero; config must outlive it.  RELUOPT_MEMORY.  Not collective. */
int reluopt_forest_create(Forest *forest, const TreeConfig *config, size_t rows, size_t trees, Error *error);
void reluopt_forest_free(Forest *forest);

/* Floats of one output: columns of its row in a checkpoint. */
size_t reluopt_forest_row(const Forest *forest);

/* Are all its trees sound, for `inputs` features?  Not collective. */
bool reluopt_forest_sound(const Forest *forest, size_t inputs);

/* out = the mapping's value at x.  x: inputs x B, finite; out: rows x B.  Not collective. */
void reluopt_forest_apply(const Forest *forest, const float *x, size_t columns, float *out);

/* One boosting round: grow tree number `tree` of each output toward its target.
 *   target      in      rows x B
 *   prediction  in/out  rows x B  the mapping's value at the binned inputs, before and after
 * Not collective. */
void reluopt_forest_boost(Forest *forest, size_t tree, Grower *grower, const Bins *bins, const float *target,
                          float *prediction);

#endif
