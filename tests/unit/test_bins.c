/* test_bins.c - features sorted into bins: edges, shares, ties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "../uniform.h"
#include "reluopt/bins.h"

enum { FEATURES = 3, B = 1000, LIMIT = 64 };

static Bins make(size_t features, size_t columns, size_t limit)
{
    Bins bins;
    Error error = {0};
    assert_int_equal(reluopt_bins_create(&bins, features, columns, limit, &error), RELUOPT_OK);
    return bins;
}

/* A value is in a bin up to b exactly when it is not above edge b; every bin holds some value. */
static void assert_bins_follow_edges(const Bins *bins, const float *x)
{
    for (size_t i = 0; i < bins->features; i++) {
        size_t held[RELUOPT_MAX_BINS] = {0};
        assert_in_range(bins->count[i], 1, bins->limit);
        for (size_t k = 0; k < bins->columns; k++) {
            size_t bin = bins->bin[i * bins->columns + k];
            assert_in_range(bin, 0, bins->count[i] - 1);
            held[bin]++;
            for (size_t b = 0; b + 1 < bins->count[i]; b++)
                assert_int_equal(bin <= b, x[i * bins->columns + k] <= bins->edge[i * bins->limit + b]);
        }
        for (size_t b = 0; b < bins->count[i]; b++)
            assert_true(held[b] > 0);
    }
}

static void test_many_values_in_equal_shares(void **state)
{
    (void)state;
    static float x[FEATURES * B];
    for (size_t k = 0; k < FEATURES * B; k++)
        x[k] = (float)(0.5 * uniform());
    Bins bins = make(FEATURES, B, LIMIT);
    reluopt_bins_fill(&bins, x, FEATURES, B);
    assert_bins_follow_edges(&bins, x);
    for (size_t i = 0; i < FEATURES; i++) {
        size_t held[LIMIT] = {0};
        assert_int_equal(bins.count[i], LIMIT);
        for (size_t k = 0; k < B; k++)
            held[bins.bin[i * B + k]]++;
        for (size_t b = 0; b < LIMIT; b++)
            assert_in_range(held[b], B / LIMIT, B / LIMIT + 1);
    }
    reluopt_bins_free(&bins);
}

static void test_few_values_each_their_own(void **state)
{
    (void)state;
    enum { VALUES = 10 };
    static float x[B];
    for (size_t k = 0; k < B; k++)
        x[k] = (float)((k * k + k / 7) % VALUES) * 0.1f - 0.3f;
    for (size_t limit = VALUES; limit <= RELUOPT_MAX_BINS; limit += RELUOPT_MAX_BINS - VALUES) {
        Bins bins = make(1, B, limit);
        reluopt_bins_fill(&bins, x, 1, B);
        assert_bins_follow_edges(&bins, x);
        assert_int_equal(bins.count[0], VALUES);
        for (size_t b = 0; b + 1 < VALUES; b++)
            assert_true(fabsf(bins.edge[b] - ((float)b * 0.1f - 0.25f)) < 1e-6f); /* midway */
        reluopt_bins_free(&bins);
    }
}

/* Four fifths of the samples share a value: it takes one bin, the others have the rest of the bins. */
static void test_frequent_value(void **state)
{
    (void)state;
    static float x[B];
    for (size_t k = 0; k < B; k++)
        x[k] = k % 5 ? 0 : (float)(0.51 + 0.5 * uniform());
    Bins bins = make(1, B, 11);
    reluopt_bins_fill(&bins, x, 1, B);
    assert_bins_follow_edges(&bins, x);
    assert_int_equal(bins.count[0], 11);
    size_t held[11] = {0};
    for (size_t k = 0; k < B; k++)
        held[bins.bin[k]]++;
    assert_int_equal(held[0], B / 5 * 4);
    for (size_t b = 1; b < 11; b++)
        assert_int_equal(held[b], B / 5 / 10);
    reluopt_bins_free(&bins);
}

/* Neighbours among floats, the largest ones, a constant, and a smaller matrix in the same room. */
static void test_hard_values(void **state)
{
    (void)state;
    float one = 1, next = nextafterf(1, 2);
    float x[FEATURES * 6] = {one,          next,     one,     next,     nextafterf(next, 2),
                             one,          -FLT_MAX, FLT_MAX, -FLT_MAX, FLT_MAX,
                             FLT_TRUE_MIN, 0,        2.5f,    2.5f,     2.5f,
                             2.5f,         2.5f,     2.5f};
    Bins bins = make(FEATURES, B, 4);
    reluopt_bins_fill(&bins, x, FEATURES, 6);
    assert_bins_follow_edges(&bins, x);
    assert_int_equal(bins.count[0], 3);
    assert_int_equal(bins.count[1], 4);
    assert_int_equal(bins.count[2], 1);
    reluopt_bins_fill(&bins, x + 12, 1, 3);
    assert_int_equal(bins.features, 1);
    assert_int_equal(bins.count[0], 1);
    assert_bins_follow_edges(&bins, x + 12);
    reluopt_bins_free(&bins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_values_in_equal_shares),
        cmocka_unit_test(test_few_values_each_their_own),
        cmocka_unit_test(test_frequent_value),
        cmocka_unit_test(test_hard_values),
    };
    return cmocka_run_group_tests_name("bins", tests, NULL, NULL);
}
