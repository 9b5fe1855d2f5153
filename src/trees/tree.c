/* tree.c - regression trees: grown best leaf first on binned features, applied to features as they are. */
#include "reluopt/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"

enum { STRIP = 256 }; /* samples that go down a tree together */

/* A split must lower the squared error by more than this share of it: less is rounding. */
static const double least_gain = 1e-9;

typedef struct Split {
    double gain; /* by which it lowers the squared error; 0: there is none */
    size_t feature, bin;
} Split;

typedef struct GrowingLeaf {
    size_t first, count; /* its samples in Grower.index */
    size_t node;
    int depth;
    double sum; /* of its samples' residuals */
    Split best;
} GrowingLeaf;

typedef struct Histogram {
    double sum[RELUOPT_MAX_BINS];
    size_t count[RELUOPT_MAX_BINS];
} Histogram;

size_t reluopt_tree_nodes(const TreeConfig *config)
{
    return 2 * (size_t)config->leaves - 1;
}

int reluopt_grower_create(Grower *grower, const TreeConfig *config, size_t columns, Error *error)
{
    *grower = (Grower){.config = config};
    grower->index = reluopt_alloc(columns, sizeof *grower->index, error);
    grower->aside = reluopt_alloc(columns, sizeof *grower->aside, error);
    grower->residual = reluopt_alloc(columns, sizeof *grower->residual, error);
    grower->packed = reluopt_alloc(columns, sizeof *grower->packed, error);
    grower->leaf = reluopt_alloc((size_t)config->leaves, sizeof *grower->leaf, error);
    return error->code;
}

void reluopt_grower_free(Grower *grower)
{
    free(grower->index);
    free(grower->aside);
    free(grower->residual);
    free(grower->packed);
    free(grower->leaf);
    *grower = (Grower){0};
}

/* Residuals of a leaf's samples by the bins of one feature. */
static void fill_histogram(Histogram *histogram, const uint8_t *bin, size_t bins, const uint32_t *index,
                           const float *residual, size_t count)
{
    memset(histogram->sum, 0, bins * sizeof *histogram->sum);
    memset(histogram->count, 0, bins * sizeof *histogram->count);
    for (size_t k = 0; k < count; k++) {
        uint8_t b = bin[index[k]];
        histogram->sum[b] += residual[k];
        histogram->count[b]++;
    }
}

/* Squared error falls by S_l^2 / n_l + S_r^2 / n_r - S^2 / n. */
static double gain(double left_sum, size_t left, double sum, size_t count)
{
    double right_sum = sum - left_sum;
    return left_sum * left_sum / (double)left + right_sum * right_sum / (double)(count - left) -
           sum * sum / (double)count;
}

/* Replace `best` by the best split of a leaf at an edge of one feature, if that is better. */
static void search_feature(const Histogram *histogram, size_t feature, size_t bins, const GrowingLeaf *leaf,
                           size_t min_samples, Split *best)
{
    double left_sum = 0;
    size_t left = 0;
    for (size_t b = 0; b + 1 < bins; b++) {
        left_sum += histogram->sum[b];
        left += histogram->count[b];
        if (histogram->count[b] == 0 || left < min_samples || leaf->count - left < min_samples)
            continue;
        double g = gain(left_sum, left, leaf->sum, leaf->count);
        if (g > best->gain)
            *best = (Split){g, feature, b};
    }
}

/* Pack the leaf's residuals, sum them, find its best split. */
static void search(Grower *grower, const Bins *bins, GrowingLeaf *leaf)
{
    const uint32_t *index = grower->index + leaf->first;
    size_t min_samples = (size_t)grower->config->min_samples;
    double squares = 0;
    Histogram histogram;
    leaf->sum = 0;
    for (size_t k = 0; k < leaf->count; k++) {
        float r = grower->packed[k] = grower->residual[index[k]];
        leaf->sum += r;
        squares += (double)r * r;
    }
    Split none = {.gain = least_gain * squares}, best = none;
    if (leaf->depth < grower->config->depth && leaf->count >= 2 * min_samples)
        for (size_t i = 0; i < bins->features; i++)
            if (bins->count[i] > 1) {
                fill_histogram(&histogram, bins->bin + i * bins->columns, bins->count[i], index, grower->packed,
                               leaf->count);
                search_feature(&histogram, i, bins->count[i], leaf, min_samples, &best);
            }
    leaf->best = best.gain > none.gain ? best : (Split){0};
}

/* Bring the leaf's samples that go left to its front, each side in the order it had; returns how many. */
static size_t partition(Grower *grower, const Bins *bins, const GrowingLeaf *leaf)
{
    const uint8_t *bin = bins->bin + leaf->best.feature * bins->columns;
    uint32_t *index = grower->index + leaf->first;
    size_t left = 0, right = 0;
    for (size_t k = 0; k < leaf->count; k++)
        if (bin[index[k]] <= leaf->best.bin)
            index[left++] = index[k];
        else
            grower->aside[right++] = index[k];
    memcpy(index + left, grower->aside, right * sizeof *index);
    return left;
}

/* Split `leaf` at its best edge: it becomes the left child, *other the right one, at nodes `node`, node + 1. */
static void split(Grower *grower, TreeNode *tree, const Bins *bins, size_t node, GrowingLeaf *leaf,
                  GrowingLeaf *other)
{
    const Split *best = &leaf->best;
    size_t left = partition(grower, bins, leaf);
    tree[leaf->node] = (TreeNode){.left = (float)node,
                                  .feature = (float)best->feature,
                                  .value = bins->edge[best->feature * bins->limit + best->bin]};
    *other = (GrowingLeaf){
        .first = leaf->first + left, .count = leaf->count - left, .node = node + 1, .depth = leaf->depth + 1};
    *leaf = (GrowingLeaf){.first = leaf->first, .count = left, .node = node, .depth = leaf->depth + 1};
    search(grower, bins, leaf);
    search(grower, bins, other);
}

static GrowingLeaf *best_of(GrowingLeaf *leaf, size_t count)
{
    GrowingLeaf *best = leaf;
    for (size_t i = 1; i < count; i++)
        if (leaf[i].best.gain > best->best.gain)
            best = &leaf[i];
    return best;
}

void reluopt_tree_grow(Grower *grower, TreeNode *tree, const Bins *bins, const float *target, float *prediction)
{
    size_t leaves = 1;
    for (size_t k = 0; k < bins->columns; k++) {
        grower->index[k] = (uint32_t)k;
        grower->residual[k] = target[k] - prediction[k];
    }
    grower->leaf[0] = (GrowingLeaf){.count = bins->columns};
    search(grower, bins, &grower->leaf[0]);
    while (leaves < (size_t)grower->config->leaves) {
        GrowingLeaf *best = best_of(grower->leaf, leaves);
        if (best->best.gain == 0)
            break;
        split(grower, tree, bins, 2 * leaves - 1, best, &grower->leaf[leaves]);
        leaves++;
    }
    for (const GrowingLeaf *leaf = grower->leaf; leaf < grower->leaf + leaves; leaf++) {
        float value = (float)(grower->config->shrinkage * leaf->sum / (double)leaf->count);
        tree[leaf->node].value = value;
        for (size_t k = leaf->first; k < leaf->first + leaf->count; k++)
            prediction[grower->index[k]] += value;
    }
}

/* Is it a whole number from `least` to below `end`? */
static bool is_index(float value, size_t least, size_t end)
{
    return value >= (float)least && value < (float)end && value == truncf(value);
}

bool reluopt_tree_sound(const TreeNode *tree, size_t nodes, size_t features)
{
    for (size_t j = 0; j < nodes; j++) {
        bool leaf = tree[j].left == 0;
        if (!isfinite(tree[j].value) ||
            (!leaf && !(is_index(tree[j].left, j + 1, nodes - 1) && is_index(tree[j].feature, 0, features))))
            return false;
    }
    return true;
}

/* Nodes come in an order in which children follow their parents: one pass over them brings every sample to its
 * leaf, and each node reads one feature's row. */
static void descend(const TreeNode *tree, size_t nodes, const float *x, size_t columns, size_t count,
                    int32_t *at)
{
    for (size_t j = 0; j < nodes; j++) {
        int32_t here = (int32_t)j, left = (int32_t)tree[j].left;
        const float *row = x + (size_t)tree[j].feature * columns;
        float edge = tree[j].value;
        if (left == 0)
            continue;
        for (size_t k = 0; k < count; k++) {
            int32_t child = left + (row[k] > edge);
            at[k] = at[k] == here ? child : at[k];
        }
    }
}

void reluopt_tree_add(const TreeNode *tree, size_t nodes, const float *x, size_t columns, float *prediction)
{
    int32_t at[STRIP];
    if (tree->left == 0 && tree->value == 0)
        return;
    for (size_t first = 0; first < columns; first += STRIP) {
        size_t count = columns - first < STRIP ? columns - first : STRIP;
        memset(at, 0, sizeof at);
        descend(tree, nodes, x + first, columns, count, at);
        for (size_t k = 0; k < count; k++)
            prediction[first + k] += tree[at[k]].value;
    }
}
