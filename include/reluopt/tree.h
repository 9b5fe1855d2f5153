/* tree.h - regression trees: grown on binned features by least squares, applied to features as they are.
 * Numbers only: no communication.  Friedman, "Greedy function approximation: a gradient boosting machine",
 * Annals of Statistics 29 (2001), algorithm 2. */
#ifndef RELUOPT_TREE_H
#define RELUOPT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reluopt/bins.h"
#include "reluopt/config.h"
#include "reluopt/error.h"

/* A node; the root is node 0 of its tree.  All zero: a leaf that adds nothing.  Integers are kept as floats,
 * exact below RELUOPT_MAX_TREE_FEATURES, so that trees are matrices of floats for the checkpoint. */
typedef struct TreeNode {
    float left;    /* the left child; the right one follows it; 0: this is a leaf */
    float feature; /* samples with x[feature] <= value go left */
    float value;   /* of a leaf: what it adds */
} TreeNode;

enum { RELUOPT_MAX_TREE_FEATURES = 1 << 24 };

/* Room that a tree needs: nodes. */
size_t reluopt_tree_nodes(const TreeConfig *config);

/* What growing needs, for one tree after the other.  The fields are private to tree.c. */
typedef struct Grower {
    const TreeConfig *config;
    uint32_t *index, *aside;  /* B  samples, those of a leaf together */
    float *residual, *packed; /* B  of all samples; of one leaf's, in their order */
    struct GrowingLeaf *leaf; /* config->leaves */
} Grower;

/* For up to `columns` samples; config must outlive it.  RELUOPT_MEMORY; release also then.  Not collective. */
int reluopt_grower_create(Grower *grower, const TreeConfig *config, size_t columns, Error *error);
void reluopt_grower_free(Grower *grower);

/* Grow `tree` (nodes all zero) on target - prediction, the negative gradient of half the squared distance: the
 * leaf whose best split lowers the squared error most is split first, until config->leaves are there or no
 * split lowers it, none deeper than config->depth, none with fewer samples than config->min_samples.  A leaf's
 * value is config->shrinkage times its mean. target      in      B prediction  in/out  B  the tree's values are
 * added Sums are double, in the order of the samples.  Not collective. */
void reluopt_tree_grow(Grower *grower, TreeNode *tree, const Bins *bins, const float *target,
                       float *prediction);

/* Is a tree that was read from a file one: children after their parents, in its room; features below
 * `features`; finite values?  Not collective. */
bool reluopt_tree_sound(const TreeNode *tree, size_t nodes, size_t features);

/* prediction[k] += the tree's value for sample k of x (features x B, finite); `nodes`: the tree's room.
 * Samples that the tree was grown on get the same bits as there.  Not collective. */
void reluopt_tree_add(const TreeNode *tree, size_t nodes, const float *x, size_t columns, float *prediction);

#endif
