/* forest.c - boosted regression trees, one sequence for each output. */
#include "reluopt/forest.h"

#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"

int reluopt_forest_create(Forest *forest, const TreeConfig *config, size_t rows, size_t trees, Error *error)
{
    *forest = (Forest){.config = config, .rows = rows, .trees = trees, .nodes = reluopt_tree_nodes(config)};
    forest->node = reluopt_alloc(rows * trees, forest->nodes * sizeof *forest->node, error);
    return error->code;
}

void reluopt_forest_free(Forest *forest)
{
    free(forest->node);
    *forest = (Forest){0};
}

size_t reluopt_forest_row(const Forest *forest)
{
    return forest->trees * forest->nodes * (sizeof(TreeNode) / sizeof(float));
}

static TreeNode *tree_of(const Forest *forest, size_t row, size_t tree)
{
    return forest->node + (row * forest->trees + tree) * forest->nodes;
}

bool reluopt_forest_sound(const Forest *forest, size_t inputs)
{
    for (size_t k = 0; k < forest->rows * forest->trees; k++)
        if (!reluopt_tree_sound(forest->node + k * forest->nodes, forest->nodes, inputs))
            return false;
    return true;
}

void reluopt_forest_apply(const Forest *forest, const float *x, size_t columns, float *out)
{
    memset(out, 0, forest->rows * columns * sizeof *out);
    for (size_t j = 0; j < forest->rows; j++)
        for (size_t i = 0; i < forest->trees; i++)
            reluopt_tree_add(tree_of(forest, j, i), forest->nodes, x, columns, out + j * columns);
}

void reluopt_forest_boost(Forest *forest, size_t tree, Grower *grower, const Bins *bins, const float *target,
                          float *prediction)
{
    size_t columns = bins->columns;
    for (size_t j = 0; j < forest->rows; j++)
        reluopt_tree_grow(grower, tree_of(forest, j, tree), bins, target + j * columns,
                          prediction + j * columns);
}
