/* test_dense.c - products against triple loops in double; orthonormal factors and eigenvectors by their
 * definition. */
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

#include "../uniform.h"
#include "reluopt/dense.h"

static const float canary = 12345;

static float *random_matrix(size_t n)
{
    float *a = malloc((n + 1) * sizeof *a);
    assert_non_null(a);
    for (size_t i = 0; i < n; i++)
        a[i] = (float)uniform();
    return a;
}

typedef struct Sizes {
    size_t m, n, k, gap;
} Sizes;

static const Sizes sizes[] = {
    {1, 1, 1, 0},   {2, 3, 4, 0},    {2, 3, 4, 3},    {7, 5, 1, 2},     {1, 40, 17, 1},   {13, 40, 12, 5},
    {40, 1, 33, 0}, {64, 64, 64, 0}, {65, 63, 66, 1}, {3, 500, 129, 1}, {128, 2, 300, 7}, {0, 4, 5, 1},
    {4, 0, 5, 1},   {4, 5, 0, 1},    {4, 5, 0, 0},    {0, 0, 0, 0},
};

/* Row i, column j of a stored matrix; `down` and `across` are its strides. */
typedef struct View {
    const float *x;
    size_t down, across;
} View;

static float at(View a, size_t i, size_t j)
{
    return a.x[i * a.down + j * a.across];
}

/* Rounding of a sum of k products in any order: k eps sum |a b|. */
static void assert_product(View c, View a, View b, Sizes s)
{
    for (size_t i = 0; i < s.m; i++)
        for (size_t j = 0; j < s.n; j++) {
            double sum = 0, size = 0;
            for (size_t l = 0; l < s.k; l++) {
                double term = (double)at(a, i, l) * at(b, l, j);
                sum += term;
                size += fabs(term);
            }
            assert_true(fabs(at(c, i, j) - sum) <= (double)(s.k + 1) * FLT_EPSILON * size);
        }
}

/* An m x n result with rows ldc apart, filled with what must not survive: NaN inside, a canary around. */
static float *blank(size_t m, size_t n, size_t ldc)
{
    float *c = malloc((m * ldc + n + 1) * sizeof *c);
    assert_non_null(c);
    for (size_t i = 0; i < m * ldc + n + 1; i++)
        c[i] = i < m * ldc && i % ldc < n ? NAN : canary;
    return c;
}

static void assert_canaries(const float *c, size_t m, size_t n, size_t ldc)
{
    for (size_t i = 0; i < m * ldc + n + 1; i++)
        if (i >= m * ldc || i % ldc >= n)
            assert_true(c[i] == canary);
}

static void check_product(Sizes s)
{
    size_t lda = s.k + s.gap;
    float *a = random_matrix(s.m * lda), *b = random_matrix(s.k * s.n), *c = blank(s.m, s.n, s.n);
    reluopt_product(c, a, lda, b, s.m, s.n, s.k);
    assert_product((View){c, s.n, 1}, (View){a, lda, 1}, (View){b, s.n, 1}, s);
    assert_canaries(c, s.m, s.n, s.n);
    free(a);
    free(b);
    free(c);
}

static void check_product_nt(Sizes s)
{
    size_t ldc = s.n + s.gap;
    float *a = random_matrix(s.m * s.k), *b = random_matrix(s.n * s.k), *c = blank(s.m, s.n, ldc);
    reluopt_product_nt(c, ldc, a, b, s.m, s.n, s.k);
    assert_product((View){c, ldc, 1}, (View){a, s.k, 1}, (View){b, 1, s.k}, s);
    assert_canaries(c, s.m, s.n, ldc);
    free(a);
    free(b);
    free(c);
}

static void check_product_tn(Sizes s)
{
    size_t lda = s.m + s.gap;
    float *a = random_matrix(s.k * lda), *b = random_matrix(s.k * s.n), *c = blank(s.m, s.n, s.n);
    reluopt_product_tn(c, a, lda, b, s.m, s.n, s.k);
    assert_product((View){c, s.n, 1}, (View){a, 1, lda}, (View){b, s.n, 1}, s);
    assert_canaries(c, s.m, s.n, s.n);
    free(a);
    free(b);
    free(c);
}

static void for_all_sizes(void (*check)(Sizes))
{
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check(sizes[i]);
}

static void product_equals_loops(void **state)
{
    (void)state;
    for_all_sizes(check_product);
}

static void product_nt_equals_loops(void **state)
{
    (void)state;
    for_all_sizes(check_product_nt);
}

static void product_tn_equals_loops(void **state)
{
    (void)state;
    for_all_sizes(check_product_tn);
}

/* Largest deviation of q from orthonormal rows (m <= n) or columns. */
static double skewness(const float *q, size_t m, size_t n)
{
    bool wide = m <= n;
    size_t vectors = wide ? m : n, length = wide ? n : m;
    View v = {q, wide ? n : 1, wide ? 1 : n};
    double worst = 0;
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t l = 0; l < length; l++)
                dot += (double)at(v, i, l) * at(v, j, l);
            worst = fmax(worst, fabs(dot - (i == j)));
        }
    return worst;
}

/* The factor that takes Q to A, entry (i, j): <q_j, a_i>.  Zero for j > i, positive for j = i; and Q factor =
 * A. */
static void assert_factor(const float *a, const float *q, size_t m, size_t n)
{
    bool wide = m <= n;
    size_t vectors = wide ? m : n, length = wide ? n : m;
    View va = {a, wide ? n : 1, wide ? 1 : n}, vq = {q, va.down, va.across};
    for (size_t i = 0; i < vectors; i++) {
        double left[512];
        for (size_t l = 0; l < length; l++)
            left[l] = at(va, i, l);
        for (size_t j = 0; j < vectors; j++) {
            double dot = 0;
            for (size_t l = 0; l < length; l++)
                dot += (double)at(vq, j, l) * at(va, i, l);
            assert_true(j <= i || fabs(dot) < 1e-5 * (double)length);
            assert_true(j != i || dot > 0);
            for (size_t l = 0; l < length; l++)
                left[l] -= dot * at(vq, j, l);
        }
        for (size_t l = 0; l < length; l++)
            assert_true(fabs(left[l]) < 1e-5 * (double)length);
    }
}

static void orthonormalise_gives_q(void **state)
{
    (void)state;
    static const size_t shape[][2] = {{1, 1}, {1, 7},     {7, 1},    {5, 5},   {4, 9},
                                      {9, 4}, {100, 100}, {33, 200}, {200, 33}};
    for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
        size_t m = shape[i][0], n = shape[i][1];
        Error error = {0};
        float *a = random_matrix(m * n), *q = malloc(m * n * sizeof *q);
        assert_non_null(q);
        memcpy(q, a, m * n * sizeof *q);
        assert_int_equal(reluopt_orthonormalise(q, m, n, &error), RELUOPT_OK);
        assert_true(skewness(q, m, n) < 1e-5);
        assert_factor(a, q, m, n);
        free(a);
        free(q);
    }
}

/* Entry (i, j) of sum_l values[l] v_l v_l'. */
static double rebuilt(const float *v, const float *values, size_t n, size_t i, size_t j)
{
    double sum = 0;
    for (size_t l = 0; l < n; l++)
        sum += (double)values[l] * v[l * n + i] * v[l * n + j];
    return sum;
}

static void assert_eigen(const float *a, size_t n)
{
    Error error = {0};
    float *v = malloc(n * n * sizeof *v), *values = malloc(n * sizeof *values);
    assert_true(v && values);
    memcpy(v, a, n * n * sizeof *v);
    assert_int_equal(reluopt_eigen(v, values, n, &error), RELUOPT_OK);
    for (size_t i = 1; i < n; i++)
        assert_true(values[i] >= values[i - 1]);
    assert_true(skewness(v, n, n) < 1e-5);
    double size = fmax(fabsf(values[0]), fabsf(values[n - 1]));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            assert_true(fabs(rebuilt(v, values, n, i, j) - a[i * n + j]) <= 1e-5 * size);
    free(v);
    free(values);
}

static void eigen_of_symmetric_matrices(void **state)
{
    (void)state;
    static const size_t orders[] = {1, 2, 3, 10, 65};
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        size_t n = orders[o];
        float *a = random_matrix(n * n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                a[j * n + i] = a[i * n + j];
        assert_eigen(a, n);
        free(a);
    }
}

static void eigen_of_special_matrices(void **state)
{
    (void)state;
    const float identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, zero[9] = {0},
                rank_one[9] = {1, 2, 3, 2, 4, 6, 3, 6, 9};
    assert_eigen(identity, 3);
    assert_eigen(zero, 3);
    assert_eigen(rank_one, 3);
    float known[4] = {2, 1, 1, 2}, values[2];
    Error error = {0};
    assert_int_equal(reluopt_eigen(known, values, 2, &error), RELUOPT_OK);
    assert_true(fabsf(values[0] - 1) < 1e-6f && fabsf(values[1] - 3) < 1e-6f);
    assert_true(fabsf(known[0] + known[1]) < 1e-6f && fabsf(known[2] - known[3]) < 1e-6f);
}

/* I + u u' has the eigenvalues 1 and 1 + u'u, the latter for u.  This order is the first whose work space
 * LAPACK reports too small. */
static void eigen_of_a_large_matrix(void **state)
{
    (void)state;
    enum { N = 2895 };
    Error error = {0};
    float *a = malloc(N * N * sizeof *a), *u = random_matrix(N), values[N];
    double square = 0, along = 0, length = 0;
    assert_non_null(a);
    for (size_t i = 0; i < N; i++) {
        square += (double)u[i] * u[i];
        for (size_t j = 0; j < N; j++)
            a[i * N + j] = (i == j ? 1.0f : 0.0f) + u[i] * u[j];
    }
    assert_int_equal(reluopt_eigen(a, values, N, &error), RELUOPT_OK);
    for (size_t i = 0; i < N - 1; i++)
        assert_true(fabsf(values[i] - 1) < 1e-5 * square);
    assert_true(fabs(values[N - 1] - 1 - square) < 1e-5 * square);
    for (size_t i = 0; i < N; i++) {
        double top = a[(N - 1) * N + i];
        along += top * u[i];
        length += top * top;
    }
    assert_true(fabs(length - 1) < 1e-5);
    assert_true(fabs(along * along / square - 1) < 1e-5);
    free(a);
    free(u);
}

static void eigen_refuses_too_large_a_matrix(void **state)
{
    (void)state;
    Error error = {0};
    assert_int_equal(reluopt_eigen(NULL, NULL, RELUOPT_EIGEN_MOST + 1, &error), RELUOPT_NUMERIC);
    assert_non_null(strstr(error.message, "32767 x 32767"));
}

/* ---- Shards: rows have the same bits whichever rows are computed with them ---- */

/* c = a b of a (m x k) or a' (k x m), b (k x n) or b' (n x k), `shard` rows at a time. */
static void by_shards(int form, float *c, const float *a, const float *b, Sizes s, size_t shard)
{
    for (size_t j = 0; j < s.m; j += shard) {
        size_t rows = shard < s.m - j ? shard : s.m - j;
        if (form == 0)
            reluopt_product(c + j * s.n, a + j * s.k, s.k, b, rows, s.n, s.k);
        if (form == 1)
            reluopt_product_nt(c + j * s.n, s.n, a + j * s.k, b, rows, s.n, s.k);
        if (form == 2)
            reluopt_product_tn(c + j * s.n, a + j, s.m, b, rows, s.n, s.k);
    }
}

static void check_shards(Sizes s)
{
    float *a = random_matrix(s.m * s.k), *b = random_matrix(s.k * s.n);
    float *whole = random_matrix(s.m * s.n), *parts = random_matrix(s.m * s.n);
    for (int form = 0; form < 3; form++) {
        by_shards(form, whole, a, b, s, s.m);
        for (size_t blocks = 1; blocks <= 4; blocks++) {
            by_shards(form, parts, a, b, s, blocks * reluopt_dense_block());
            assert_memory_equal(whole, parts, s.m * s.n * sizeof *whole);
        }
    }
    free(a);
    free(b);
    free(whole);
    free(parts);
}

static void shards_have_the_bits_of_the_whole(void **state)
{
    (void)state;
    static const Sizes shards[] = {{10, 500, 501, 0}, {10, 500, 500, 0}, {10, 500, 300, 0}, {10, 300, 501, 0},
                                   {10, 100, 501, 0}, {15, 250, 251, 0}, {13, 501, 200, 0}, {10, 20, 30, 0},
                                   {96, 500, 500, 0}, {96, 300, 200, 0}, {96, 250, 251, 0}, {100, 40, 50, 0},
                                   {20, 201, 500, 0}, {20, 500, 201, 0}, {22, 1, 70000, 0}, {22, 70000, 1, 0}};
    for (size_t i = 0; i < sizeof shards / sizeof shards[0]; i++)
        check_shards(shards[i]);
}

/* a: symmetric positive definite; its inverse is symmetric to the bit, and a times it the identity. */
static void assert_inverse(const float *a, size_t n, double tolerance)
{
    float *inverse = malloc(n * n * sizeof *inverse);
    memcpy(inverse, a, n * n * sizeof *a);
    assert_true(reluopt_invert(inverse, n));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += (double)a[i * n + k] * inverse[k * n + j];
            assert_true(fabs(sum - (i == j)) <= tolerance && inverse[i * n + j] == inverse[j * n + i]);
        }
    free(inverse);
}

static void inverse_of_positive_definite_matrices(void **state)
{
    (void)state;
    static const size_t orders[] = {1, 2, 3, 10, 65, 200};
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        size_t n = orders[o];
        float *x = random_matrix(n * n), *a = malloc(n * n * sizeof *a);
        reluopt_product_nt(a, n, x, x, n, n, n);
        for (size_t i = 0; i < n; i++)
            a[i * n + i] += 1;
        assert_inverse(a, n, 1e-4);
        free(a);
        free(x);
    }
}

/* c = x x' of rank 7: ridge (c + ridge I)^-1 = I - basis basis', to rounding. */
static void inverse_by_a_basis_of_low_rank(void **state)
{
    (void)state;
    enum { N = 60, RANK = 7, K = 10 };
    Error error = {0};
    float *x = random_matrix(N * RANK), *basis = random_matrix(N * K), c[N * N], kept[N * N], both[N * N];
    const float ridge = 0.5f;
    reluopt_product_nt(c, N, x, x, N, N, RANK);
    assert_int_equal(reluopt_invert_low_rank(c, N, ridge, basis, K, &error), 0);
    reluopt_product_nt(kept, N, basis, basis, N, N, K);
    for (size_t i = 0; i < N; i++) {
        c[i * N + i] += ridge;
        for (size_t j = 0; j < N; j++)
            kept[i * N + j] = ((i == j) - kept[i * N + j]) / ridge;
    }
    reluopt_product(both, c, N, kept, N, N, N);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            assert_true(fabs(both[i * N + j] - (i == j)) < 1e-3);
    free(x);
    free(basis);
}

/* Neither has one: a matrix of zeros, or one with what is not a number. */
static void basis_of_special_matrices(void **state)
{
    (void)state;
    Error error = {0};
    float c[16] = {0}, basis[8] = {1, 2, 3, 4, 5, 6, 7, 9};
    assert_int_equal(reluopt_invert_low_rank(c, 4, 1, basis, 2, &error), RELUOPT_NUMERIC);
    c[5] = NAN;
    error = (Error){0};
    assert_int_equal(reluopt_invert_low_rank(c, 4, 1, basis, 2, &error), RELUOPT_NUMERIC);
}

static void what_has_no_inverse_is_refused(void **state)
{
    (void)state;
    float zero[4] = {0}, indefinite[4] = {1, 2, 2, 1}, nan[4] = {1, NAN, NAN, 1};
    assert_false(reluopt_invert(zero, 2));
    assert_false(reluopt_invert(indefinite, 2));
    assert_false(reluopt_invert(nan, 2));
}

static void values_that_are_not_finite_are_reported(void **state)
{
    (void)state;
    float a[4] = {1, NAN, NAN, 1}, values[2];
    Error error = {0}, other = {0};
    assert_int_equal(reluopt_eigen(a, values, 2, &error), RELUOPT_NUMERIC);
    assert_true(strlen(error.message) > 0);
    float b[4] = {1, NAN, 0, 1};
    assert_int_equal(reluopt_orthonormalise(b, 2, 2, &other), RELUOPT_NUMERIC);
    assert_true(strlen(other.message) > 0);
}

static void the_kernel_is_the_best_there_is(void **state)
{
    (void)state;
    assert_null(reluopt_dense_better_kernel());
}

static int start(void **state)
{
    (void)state;
    unsetenv("OPENBLAS_CORETYPE");
    reluopt_dense_start();
    return strlen(reluopt_dense_kernel()) == 0;
}

static void numbers_below_full_precision_are_zero(void **state)
{
    (void)state;
#ifdef __SSE__
    volatile float small = 1e-30f, smaller = 1e-9f, least = 0x1p-149f;
    assert_true(small * smaller == 0);
    assert_true(least * 0x1p30f == 0);
    assert_true(small * 1e-7f > 0);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_is_the_best_there_is),
        cmocka_unit_test(product_equals_loops),
        cmocka_unit_test(product_nt_equals_loops),
        cmocka_unit_test(product_tn_equals_loops),
        cmocka_unit_test(orthonormalise_gives_q),
        cmocka_unit_test(eigen_of_symmetric_matrices),
        cmocka_unit_test(eigen_of_special_matrices),
        cmocka_unit_test(eigen_of_a_large_matrix),
        cmocka_unit_test(eigen_refuses_too_large_a_matrix),
        cmocka_unit_test(shards_have_the_bits_of_the_whole),
        cmocka_unit_test(inverse_of_positive_definite_matrices),
        cmocka_unit_test(inverse_by_a_basis_of_low_rank),
        cmocka_unit_test(basis_of_special_matrices),
        cmocka_unit_test(what_has_no_inverse_is_refused),
        cmocka_unit_test(values_that_are_not_finite_are_reported),
        cmocka_unit_test(numbers_below_full_precision_are_zero),
    };
    return cmocka_run_group_tests_name("dense", tests, start, NULL);
}
