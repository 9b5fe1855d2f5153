/* test_init.c - initial weights: variances, orthogonality, reproducible by their key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/init.h"

static const RandomKey base_key = {.seed = 42, .use = RANDOM_INIT_FORWARD, .layer = 2};

static const size_t shapes[][2] = {{300, 200}, {200, 300}, {250, 250}, {10, 500}, {500, 10}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static float *initial(Init init, size_t outputs, size_t inputs, RandomKey key)
{
    Error error = {0};
    float *w = reluopt_initial_matrix(init, outputs, inputs, key, &error);
    assert_int_equal(error.code, RELUOPT_OK);
    assert_non_null(w);
    return w;
}

/* Five standard errors for mean, variance and the fourth moment of a normal distribution. */
static void assert_normal(const float *w, size_t n, double variance)
{
    double mean = 0, squares = 0, fourth = 0;
    for (size_t i = 0; i < n; i++) {
        double x = w[i] / sqrt(variance);
        mean += x / (double)n;
        squares += x * x / (double)n;
        fourth += x * x * x * x / (double)n;
    }
    assert_true(fabs(mean) < 5 / sqrt((double)n));
    assert_true(fabs(squares - 1) < 5 * sqrt(2 / (double)n));
    assert_true(fabs(fourth - 3) < 5 * sqrt(96 / (double)n));
}

static void variances(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        size_t outputs = shapes[i][0], inputs = shapes[i][1];
        float *he = initial(INIT_HE, outputs, inputs, base_key);
        float *glorot = initial(INIT_GLOROT, outputs, inputs, base_key);
        assert_normal(he, outputs * inputs, 2.0 / (double)inputs);
        assert_normal(glorot, outputs * inputs, 2.0 / (double)(inputs + outputs));
        free(he);
        free(glorot);
    }
}

/* W W' = 2 I for wide and square matrices, W' W = 2 I for tall ones. */
static void assert_orthogonal(const float *w, size_t m, size_t n)
{
    size_t vectors = m <= n ? m : n, length = m <= n ? n : m;
    size_t down = m <= n ? n : 1, across = m <= n ? 1 : n;
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t l = 0; l < length; l++)
                dot += (double)w[i * down + l * across] * w[j * down + l * across];
            assert_true(fabs(dot - (i == j ? 2 : 0)) < 2e-5);
        }
}

static void orthogonal_times_root_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        float *w = initial(INIT_ORTHOGONAL, shapes[i][0], shapes[i][1], base_key);
        assert_orthogonal(w, shapes[i][0], shapes[i][1]);
        free(w);
    }
    float *one = initial(INIT_ORTHOGONAL, 1, 1, base_key);
    assert_true(fabsf(fabsf(*one) - (float)M_SQRT2) < 1e-6f);
    free(one);
}

/* Both signs come up: with the signs left as LAPACK gives them, the diagonal would be negative throughout. */
static void orthogonal_matrices_are_not_one_sided(void **state)
{
    (void)state;
    enum { ORDER = 200 };
    float *w = initial(INIT_ORTHOGONAL, ORDER, ORDER, base_key);
    int positive = 0;
    double mean = 0;
    for (int i = 0; i < ORDER; i++)
        positive += w[i * ORDER + i] > 0;
    for (int i = 0; i < ORDER * ORDER; i++)
        mean += w[i];
    assert_true(abs(positive - ORDER / 2) < 5 * sqrt(ORDER) / 2);
    assert_true(fabs(mean) < 5 * sqrt(2.0 * ORDER)); /* ORDER^2 values of variance 2 / ORDER */
    free(w);
}

static void the_same_key_gives_the_same_matrix(void **state)
{
    (void)state;
    for (int init = INIT_HE; init <= INIT_ORTHOGONAL; init++) {
        float *w = initial((Init)init, 20, 30, base_key), *again = initial((Init)init, 20, 30, base_key);
        assert_memory_equal(w, again, 20 * 30 * sizeof *w);
        free(w);
        free(again);
    }
}

static void another_key_gives_another_matrix(void **state)
{
    (void)state;
    RandomKey seed = base_key, use = base_key, layer = base_key;
    seed.seed++;
    use.use = RANDOM_INIT_INVERSE;
    layer.layer++;
    const RandomKey other[] = {seed, use, layer};
    for (int init = INIT_HE; init <= INIT_ORTHOGONAL; init++)
        for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
            float *w = initial((Init)init, 20, 30, base_key), *v = initial((Init)init, 20, 30, other[i]);
            int same = 0;
            for (int k = 0; k < 20 * 30; k++)
                same += w[k] == v[k];
            assert_true(same < 5);
            free(w);
            free(v);
        }
}

static void a_matrix_that_is_too_large_is_reported(void **state)
{
    (void)state;
    Error error = {0};
    assert_null(reluopt_initial_matrix(INIT_HE, (size_t)1 << 31, (size_t)1 << 31, base_key, &error));
    assert_int_equal(error.code, RELUOPT_MEMORY);
    assert_true(strlen(error.message) > 0);
}

static int start(void **state)
{
    (void)state;
    reluopt_dense_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variances),
        cmocka_unit_test(orthogonal_times_root_two),
        cmocka_unit_test(orthogonal_matrices_are_not_one_sided),
        cmocka_unit_test(the_same_key_gives_the_same_matrix),
        cmocka_unit_test(another_key_gives_another_matrix),
        cmocka_unit_test(a_matrix_that_is_too_large_is_reported),
    };
    return cmocka_run_group_tests_name("init", tests, start, NULL);
}
