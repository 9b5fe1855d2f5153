/* test_tree.c - trees against a search over all splits in double; limits, leaf values, prediction; boosting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/forest.h"

enum { FEATURES = 5, B = 300, NODES = 127 };

static uint64_t noise = 88172645463325252u;

static float uniform(void)
{
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return (float)(noise >> 40) * 0x1p-24f;
}

/* Samples with a target that is no sum of functions of single features. */
typedef struct Problem {
    float x[FEATURES * B], target[B];
} Problem;

static void draw(Problem *p)
{
    for (size_t k = 0; k < FEATURES * B; k++)
        p->x[k] = uniform() - 0.5f;
    for (size_t k = 0; k < B; k++)
        p->target[k] =
            sinf(7 * p->x[k]) + (p->x[B + k] * p->x[2 * B + k] > 0 ? 1.0f : -1.0f) + 0.3f * uniform();
}

/* Grow one tree on x (features x columns), one bin for each value if they are few enough. */
static void grow(TreeNode *tree, const TreeConfig *config, const float *x, size_t features, size_t columns,
                 const float *target, float *prediction)
{
    Bins bins;
    Grower grower;
    Error error = {0};
    reluopt_bins_create(&bins, features, columns, (size_t)config->bins, &error);
    reluopt_grower_create(&grower, config, columns, &error);
    assert_int_equal(error.code, RELUOPT_OK);
    assert_true(reluopt_tree_nodes(config) <= NODES);
    reluopt_bins_fill(&bins, x, features, columns);
    memset(tree, 0, NODES * sizeof *tree);
    reluopt_tree_grow(&grower, tree, &bins, target, prediction);
    reluopt_grower_free(&grower);
    reluopt_bins_free(&bins);
}

/* ---- the reference: all splits of all leaves, from their definition ---- */

typedef struct Choice {
    double gain;
    int leaf;
    size_t feature;
    float at; /* the largest value that goes left */
} Choice;

static double squared_error(const float *target, const bool *in)
{
    double sum = 0, squares = 0, count = 0;
    for (size_t k = 0; k < B; k++)
        if (in[k]) {
            sum += target[k];
            count++;
        }
    for (size_t k = 0; k < B; k++)
        if (in[k])
            squares += (target[k] - sum / count) * (target[k] - sum / count);
    return squares;
}

/* By how much the error falls when leaf `number` is split at value `at`; -1 when a side is too small. */
static double gain_of(const Problem *p, const int *leaf, int number, size_t feature, float at, int min_samples)
{
    bool whole[B], left[B], right[B];
    int lefts = 0, rights = 0;
    for (size_t k = 0; k < B; k++) {
        whole[k] = leaf[k] == number;
        left[k] = whole[k] && p->x[feature * B + k] <= at;
        right[k] = whole[k] && !left[k];
        lefts += left[k];
        rights += right[k];
    }
    if (lefts < min_samples || rights < min_samples)
        return -1;
    return squared_error(p->target, whole) - squared_error(p->target, left) - squared_error(p->target, right);
}

static Choice best_choice(const Problem *p, const int *leaf, int leaves, const int *depth,
                          const TreeConfig *config)
{
    Choice best = {0};
    for (int number = 0; number < leaves; number++)
        for (size_t i = 0; i < FEATURES && depth[number] < config->depth; i++)
            for (size_t k = 0; k < B; k++) {
                float at = p->x[i * B + k];
                double g = leaf[k] == number ? gain_of(p, leaf, number, i, at, config->min_samples) : -1;
                if (g > best.gain)
                    best = (Choice){g, number, i, at};
            }
    return best;
}

/* leaf[k]: the leaf of sample k.  Returns how many leaves there are. */
static int reference_leaves(const Problem *p, const TreeConfig *config, int leaf[B])
{
    int leaves = 1, depth[NODES] = {0};
    memset(leaf, 0, B * sizeof *leaf);
    for (; leaves < config->leaves; leaves++) {
        Choice best = best_choice(p, leaf, leaves, depth, config);
        if (best.gain <= 0)
            break;
        for (size_t k = 0; k < B; k++)
            if (leaf[k] == best.leaf && p->x[best.feature * B + k] > best.at)
                leaf[k] = leaves;
        depth[leaves] = ++depth[best.leaf];
    }
    return leaves;
}

static void assert_like_reference(const Problem *p, const TreeConfig *config)
{
    int leaf[B];
    TreeNode tree[NODES];
    float prediction[B] = {0};
    int leaves = reference_leaves(p, config, leaf);
    grow(tree, config, p->x, FEATURES, B, p->target, prediction);
    for (int number = 0; number < leaves; number++) {
        double sum = 0, count = 0;
        for (size_t k = 0; k < B; k++)
            if (leaf[k] == number) {
                sum += p->target[k];
                count++;
            }
        for (size_t k = 0; k < B; k++)
            if (leaf[k] == number && fabs(prediction[k] - config->shrinkage * sum / count) > 1e-6)
                fail_msg("sample %zu in leaf %d: %g, expected %g", k, number, prediction[k],
                         config->shrinkage * sum / count);
    }
}

static void test_first_split_is_the_best_of_all(void **state)
{
    (void)state;
    Problem p;
    for (int trial = 0; trial < 10; trial++) {
        draw(&p);
        for (size_t k = 0; k < FEATURES * B; k++)
            p.x[k] = floorf(p.x[k] * 200) / 200; /* fewer values than bins */
        const TreeConfig config = {
            .depth = 1, .leaves = 2, .min_samples = 1 + 40 * trial % 150, .bins = 256, .shrinkage = 1};
        assert_like_reference(&p, &config);
    }
}

static void test_tree_is_grown_best_leaf_first(void **state)
{
    (void)state;
    const TreeConfig configs[] = {
        {.depth = 3, .leaves = 8, .min_samples = 1, .bins = 256, .shrinkage = 1},
        {.depth = 20, .leaves = 6, .min_samples = 1, .bins = 256, .shrinkage = 0.1},
        {.depth = 4, .leaves = 16, .min_samples = 20, .bins = 256, .shrinkage = 0.5},
    };
    Problem p;
    for (size_t c = 0; c < sizeof configs / sizeof *configs; c++) {
        draw(&p);
        for (size_t k = 0; k < FEATURES * B; k++)
            p.x[k] = floorf(p.x[k] * 30) / 30;
        assert_like_reference(&p, &configs[c]);
    }
}

/* With few bins, the split is the best of those at edges. */
static void test_split_at_an_edge(void **state)
{
    (void)state;
    Problem p;
    draw(&p);
    int leaf[B] = {0};
    Bins bins;
    Error error = {0};
    TreeNode tree[NODES];
    float prediction[B] = {0};
    const TreeConfig config = {.depth = 1, .leaves = 2, .min_samples = 1, .bins = 7, .shrinkage = 1};
    reluopt_bins_create(&bins, FEATURES, B, 7, &error);
    reluopt_bins_fill(&bins, p.x, FEATURES, B);
    grow(tree, &config, p.x, FEATURES, B, p.target, prediction);
    double best = 0, found = gain_of(&p, leaf, 0, (size_t)tree[0].feature, tree[0].value, 1);
    for (size_t i = 0; i < FEATURES; i++)
        for (size_t b = 0; b < 6; b++)
            best = fmax(best, gain_of(&p, leaf, 0, i, bins.edge[i * 7 + b], 1));
    assert_true(best > 0 && fabs(found - best) < 1e-9 * best);
    reluopt_bins_free(&bins);
}

/* ---- limits ---- */

typedef struct Census {
    int leaves, depth;
} Census;

static Census census(const TreeNode *tree, size_t node)
{
    if (tree[node].left == 0)
        return (Census){1, 0};
    Census l = census(tree, (size_t)tree[node].left), r = census(tree, (size_t)tree[node].left + 1);
    return (Census){l.leaves + r.leaves, 1 + (l.depth > r.depth ? l.depth : r.depth)};
}

static void test_limits(void **state)
{
    (void)state;
    Problem p;
    draw(&p);
    for (int depth = 1; depth <= 7; depth += 2)
        for (int leaves = 2; leaves <= 64; leaves *= 2)
            for (int least = 1; least <= 161; least += 40) {
                const TreeConfig config = {
                    .depth = depth, .leaves = leaves, .min_samples = least, .bins = 64, .shrinkage = 1};
                TreeNode tree[NODES];
                float prediction[B] = {0};
                grow(tree, &config, p.x, FEATURES, B, p.target, prediction);
                Census got = census(tree, 0);
                assert_true(got.depth <= depth && got.leaves <= leaves);
                if (least == 1 && depth == 7)
                    assert_int_equal(got.leaves, leaves);
                for (size_t k = 0; k < B; k++) { /* leaves have different means */
                    int same = 0;
                    for (size_t l = 0; l < B; l++)
                        same += prediction[l] == prediction[k];
                    assert_true(same >= least);
                }
                if (least > B / 2)
                    assert_int_equal(got.leaves, 1);
            }
}

static void test_nothing_to_split(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    float x[2 * COUNT], target[COUNT], prediction[COUNT] = {0};
    TreeNode tree[NODES];
    const TreeConfig config = {.depth = 5, .leaves = 16, .min_samples = 1, .bins = 16, .shrinkage = 0.25};
    for (size_t k = 0; k < COUNT; k++) {
        x[k] = 3; /* constant features */
        x[COUNT + k] = -1;
        target[k] = (float)k;
    }
    grow(tree, &config, x, 2, COUNT, target, prediction);
    assert_int_equal(census(tree, 0).leaves, 1);
    for (size_t k = 0; k < COUNT; k++)
        assert_true(prediction[k] == 0.25f * (COUNT - 1) / 2);
    for (size_t k = 0; k < COUNT; k++) { /* one feature varies, the residual does not */
        x[k] = (float)k;
        target[k] = prediction[k] + 1 / 3.0f;
    }
    grow(tree, &config, x, 2, COUNT, target, prediction);
    assert_int_equal(census(tree, 0).leaves, 1);
    memcpy(target, prediction, sizeof target); /* nothing left to fit */
    grow(tree, &config, x, 2, COUNT, target, prediction);
    assert_int_equal(census(tree, 0).leaves, 1);
    assert_true(tree[0].value == 0);
    assert_memory_equal(target, prediction, sizeof target);
}

/* A constant feature beside one that varies is never split. */
static void test_constant_feature(void **state)
{
    (void)state;
    Problem p;
    TreeNode tree[NODES];
    float prediction[B] = {0};
    const TreeConfig config = {.depth = 5, .leaves = 16, .min_samples = 1, .bins = 64, .shrinkage = 1};
    draw(&p);
    for (size_t k = 0; k < B; k++)
        p.x[k] = 0.7f;
    grow(tree, &config, p.x, FEATURES, B, p.target, prediction);
    assert_int_equal(census(tree, 0).leaves, 16);
    for (size_t j = 0; j < NODES; j++)
        assert_true(tree[j].left == 0 || tree[j].feature > 0);
}

static void test_extreme_values_stay_finite(void **state)
{
    (void)state;
    Problem p;
    TreeNode tree[NODES];
    float prediction[B] = {0};
    const TreeConfig config = {.depth = 5, .leaves = 16, .min_samples = 1, .bins = 64, .shrinkage = 1};
    draw(&p);
    for (size_t k = 0; k < B; k++) {
        p.x[k] = k % 3 ? FLT_MAX * p.x[k] : -FLT_MAX;
        p.x[B + k] *= FLT_TRUE_MIN;
        p.target[k] = k % 2 ? FLT_MAX / 4 : -FLT_MAX / 4;
    }
    grow(tree, &config, p.x, FEATURES, B, p.target, prediction);
    for (size_t j = 0; j < NODES; j++)
        assert_true(isfinite(tree[j].value));
    for (size_t k = 0; k < B; k++)
        assert_true(isfinite(prediction[k]));
}

/* ---- prediction ---- */

/* The plain way down. */
static float value_of(const TreeNode *tree, const float *x, size_t columns, size_t k)
{
    const TreeNode *node = tree;
    while (node->left > 0)
        node = tree + (size_t)node->left + (x[(size_t)node->feature * columns + k] > node->value);
    return node->value;
}

static void test_prediction(void **state)
{
    (void)state;
    enum { MORE = 700 }; /* more than go down together */
    static float x[FEATURES * MORE], other[FEATURES * MORE], target[MORE];
    TreeNode tree[NODES];
    const TreeConfig config = {.depth = 9, .leaves = 40, .min_samples = 2, .bins = 50, .shrinkage = 0.3};
    for (size_t k = 0; k < FEATURES * MORE; k++) {
        x[k] = uniform();
        other[k] = 1.4f * uniform() - 0.2f;
    }
    for (size_t k = 0; k < MORE; k++)
        target[k] = x[k] * x[MORE + k] + uniform();
    float training[MORE] = {0}, again[MORE] = {0}, unseen[MORE] = {0};
    grow(tree, &config, x, FEATURES, MORE, target, training);
    reluopt_tree_add(tree, NODES, x, MORE, again);
    assert_memory_equal(training, again, sizeof training);
    reluopt_tree_add(tree, NODES, other, MORE, unseen);
    for (size_t k = 0; k < MORE; k++)
        assert_true(unseen[k] == value_of(tree, other, MORE, k));
}

/* Between neighbouring floats the edge is the lower one itself, which goes left. */
static void test_prediction_at_an_edge(void **state)
{
    (void)state;
    const TreeConfig config = {.depth = 1, .leaves = 2, .min_samples = 1, .bins = 2, .shrinkage = 1};
    const float x[] = {1, nextafterf(1, 2), 1, nextafterf(1, 2)}, target[] = {-1, 2, -1, 2};
    float training[4] = {0}, again[4] = {0};
    TreeNode tree[NODES];
    grow(tree, &config, x, 1, 4, target, training);
    reluopt_tree_add(tree, NODES, x, 4, again);
    assert_memory_equal(training, target, sizeof target);
    assert_memory_equal(again, target, sizeof target);
}

static void test_sound(void **state)
{
    (void)state;
    static const TreeNode good[] = {{1, 2, 0.5f}, {3, 0, 1}, {0, 0, 2}, {0, 0, -1}, {0, 9, 4}, {0, 0, 0}};
    enum { COUNT = sizeof good / sizeof *good };
    static const struct {
        size_t node;
        TreeNode wrong;
    } cases[] = {{0, {0.5f, 2, 0}}, {0, {NAN, 2, 0}}, {0, {-1, 2, 0}},      {0, {5, 2, 0}},  {0, {1e8f, 2, 0}},
                 {1, {1, 0, 0}},    {0, {1, 3, 0}},   {0, {1, 1e8f, 0}},    {0, {1, -1, 0}}, {0, {1, 0.5f, 0}},
                 {0, {1, NAN, 0}},  {2, {0, 0, NAN}}, {3, {0, 0, INFINITY}}};
    assert_true(reluopt_tree_sound(good, COUNT, 3));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TreeNode tree[COUNT];
        memcpy(tree, good, sizeof good);
        tree[cases[i].node] = cases[i].wrong;
        assert_false(reluopt_tree_sound(tree, COUNT, 3));
    }
}

/* ---- forests ---- */

static void test_boosting(void **state)
{
    (void)state;
    enum { ROWS = 3, TREES = 40 };
    const TreeConfig config = {.depth = 3, .leaves = 8, .min_samples = 2, .bins = 64, .shrinkage = 0.3};
    Problem p;
    Forest forest, alone;
    Grower grower;
    Bins bins;
    Error error = {0};
    float target[ROWS * B], prediction[ROWS * B] = {0}, single[B] = {0}, applied[ROWS * B];
    draw(&p);
    for (size_t k = 0; k < B; k++) {
        target[k] = p.target[k];
        target[B + k] = p.x[3 * B + k] * p.target[k];
        target[2 * B + k] = 0;
    }
    reluopt_forest_create(&forest, &config, ROWS, TREES, &error);
    reluopt_forest_create(&alone, &config, 1, TREES, &error);
    reluopt_grower_create(&grower, &config, B, &error);
    reluopt_bins_create(&bins, FEATURES, B, 64, &error);
    assert_int_equal(error.code, RELUOPT_OK);
    assert_int_equal(reluopt_forest_row(&forest), TREES * 15 * 3);
    reluopt_bins_fill(&bins, p.x, FEATURES, B);
    double before[2] = {INFINITY, INFINITY}, first[2] = {0};
    for (size_t tree = 0; tree < TREES; tree++) {
        reluopt_forest_boost(&forest, tree, &grower, &bins, target, prediction);
        reluopt_forest_boost(&alone, tree, &grower, &bins, target + B, single);
        for (size_t j = 0; j < 2; j++) {
            double squares = 0;
            for (size_t k = 0; k < B; k++)
                squares += pow(target[j * B + k] - prediction[j * B + k], 2);
            assert_true(squares < before[j]); /* every round fits better */
            before[j] = squares;
            if (tree == 0)
                first[j] = squares;
        }
    }
    assert_true(before[0] < 0.3 * first[0] && before[1] < 0.3 * first[1]);
    reluopt_forest_apply(&forest, p.x, B, applied);
    assert_memory_equal(applied, prediction, sizeof applied);   /* the running prediction, bit for bit */
    assert_memory_equal(single, prediction + B, sizeof single); /* an output does not depend on the others */
    for (size_t k = 0; k < B; k++)
        assert_true(applied[2 * B + k] == 0);
    reluopt_forest_free(&forest);
    reluopt_forest_free(&alone);
    reluopt_grower_free(&grower);
    reluopt_bins_free(&bins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_split_is_the_best_of_all),
        cmocka_unit_test(test_tree_is_grown_best_leaf_first),
        cmocka_unit_test(test_split_at_an_edge),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_nothing_to_split),
        cmocka_unit_test(test_constant_feature),
        cmocka_unit_test(test_extreme_values_stay_finite),
        cmocka_unit_test(test_prediction),
        cmocka_unit_test(test_prediction_at_an_edge),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_boosting),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
