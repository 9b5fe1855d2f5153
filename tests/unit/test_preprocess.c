/* test_preprocess.c - each kind of preprocessing against its equation. */
#include "scratch.h"

#include <math.h>

#include "reluopt/dense.h"
#include "reluopt/preprocess.h"
#include "reluopt/random.h"

static Error error;
static Preprocess pre;

static Samples make(size_t count, size_t features, const float *x)
{
    Samples samples;
    assert_int_equal(reluopt_samples_alloc(&samples, count, features, &error), RELUOPT_OK);
    if (x)
        memcpy(samples.x, x, count * features * sizeof *x);
    return samples;
}

static void check(const Samples *samples, const float *x, double tolerance)
{
    for (size_t i = 0; i < samples->count * samples->features; i++)
        assert_float_equal(samples->x[i], x[i], (float)tolerance);
}

/* Fit to x, apply to x, compare. */
static void fit_and_check(PreprocessKind kind, size_t count, size_t features, const float *x,
                          const float *expected)
{
    Samples samples = make(count, features, x);
    assert_int_equal(reluopt_preprocess_fit(&pre, kind, &samples, &error), RELUOPT_OK);
    check(&samples, x, 0); /* fitting leaves the samples alone */
    assert_int_equal(pre.kind, kind);
    assert_int_equal(pre.features, features);
    assert_int_equal(reluopt_preprocess_apply(&pre, &samples, &error), RELUOPT_OK);
    check(&samples, expected, 1e-6);
    reluopt_preprocess_free(&pre);
    assert_null(pre.shift);
    reluopt_samples_free(&samples);
}

static const float example[] = {-2, 0, 5, 2, 1, 5, 6, 8, 5, 2, 3, 5}; /* 4 x 3, the last feature constant */

static void test_none(void **state)
{
    (void)state;
    fit_and_check(PREPROCESS_NONE, 4, 3, example, example);
}

static void test_scale(void **state)
{
    (void)state;
    const float expected[] = {0, .2f, .7f, .4f, .3f, .7f, .8f, 1, .7f, .4f, .5f, .7f};
    fit_and_check(PREPROCESS_SCALE, 4, 3, example, expected);
    fit_and_check(PREPROCESS_SCALE, 2, 2, (float[]){3, 3, 3, 3}, (float[]){0, 0, 0, 0});
}

static void test_centre(void **state)
{
    (void)state;
    const float expected[] = {-.4f, -.3f, 0, 0, -.2f, 0, .4f, .5f, 0, 0, 0, 0};
    fit_and_check(PREPROCESS_CENTRE, 4, 3, example, expected);
}

static void test_standardise(void **state)
{
    (void)state;
    const float a = (float)sqrt(8), b = (float)sqrt(9.5); /* deviations of the first two features */
    const float expected[] = {-4 / a, -3 / b, 0, 0, -2 / b, 0, 4 / a, 5 / b, 0, 0, 0, 0};
    fit_and_check(PREPROCESS_STANDARDISE, 4, 3, example, expected);
}

/* What was fitted to the training part is applied to any other. */
static void test_other_part(void **state)
{
    (void)state;
    Samples train = make(2, 2, (float[]){0, 10, 4, 20}), test = make(1, 2, (float[]){40, -20});
    assert_int_equal(reluopt_preprocess_fit(&pre, PREPROCESS_SCALE, &train, &error), RELUOPT_OK);
    assert_int_equal(reluopt_preprocess_apply(&pre, &test, &error), RELUOPT_OK);
    check(&test, (float[]){2, -1}, 1e-6);
    reluopt_samples_free(&train);
    reluopt_samples_free(&test);
    reluopt_preprocess_free(&pre);
}

/* A sum in single precision would stop growing long before the end. */
static void test_double_sums(void **state)
{
    (void)state;
    enum { COUNT = 400000 };
    Samples samples = make(COUNT, 1, NULL);
    for (size_t i = 0; i < COUNT; i++)
        samples.x[i] = i % 2 ? 1000.75f : 1000.25f;
    assert_int_equal(reluopt_preprocess_fit(&pre, PREPROCESS_STANDARDISE, &samples, &error), RELUOPT_OK);
    assert_float_equal(pre.shift[0], 1000.5f, 0);
    assert_float_equal(pre.scale[0], 4, 1e-6f);
    reluopt_preprocess_free(&pre);
    reluopt_samples_free(&samples);
}

enum { N = 6, MANY = 2500 }; /* more than two blocks */

/* Correlated samples; feature 4 is constant. */
static Samples correlated(void)
{
    Samples samples = make(MANY, N, NULL);
    RandomKey key = {.seed = 7, .use = RANDOM_GENERATED};
    reluopt_add_normal(samples.x, samples.x, MANY, N, 0, 3, key);
    for (size_t j = 0; j < MANY; j++) {
        float *x = samples.x + j * N;
        x[1] += 2 * x[0] + 5;
        x[3] = .5f * x[2] - x[1];
        x[4] = 11;
        x[5] *= .01f;
    }
    return samples;
}

/* c = z' z / count in double, z the standardised samples. */
static void covariance(const Samples *samples, double c[N][N])
{
    double mean[N] = {0}, sd[N] = {0};
    memset(c, 0, sizeof(double[N][N]));
    for (size_t j = 0; j < MANY; j++)
        for (size_t k = 0; k < N; k++)
            mean[k] += samples->x[j * N + k] / MANY;
    for (size_t j = 0; j < MANY; j++)
        for (size_t k = 0; k < N; k++)
            sd[k] += pow(samples->x[j * N + k] - mean[k], 2) / MANY;
    for (size_t j = 0; j < MANY; j++)
        for (size_t k = 0; k < N; k++)
            for (size_t l = 0; l < N; l++)
                c[k][l] += k == 4 || l == 4
                               ? 0
                               : (samples->x[j * N + k] - mean[k]) * (samples->x[j * N + l] - mean[l]) /
                                     sqrt(sd[k] * sd[l]) / MANY;
}

/* M = (C + eps)^-1/2: it is symmetric, and M (C + eps) M is the identity. */
static void test_zca_matrix(void **state)
{
    (void)state;
    double c[N][N], eps = 0;
    Samples samples = correlated();
    covariance(&samples, c);
    for (size_t k = 0; k < N; k++)
        eps += .1 * c[k][k] / N;
    for (size_t k = 0; k < N; k++)
        c[k][k] += eps;
    assert_int_equal(reluopt_preprocess_fit(&pre, PREPROCESS_ZCA, &samples, &error), RELUOPT_OK);
    for (size_t k = 0; k < N; k++)
        for (size_t l = 0; l < N; l++) {
            double sum = 0;
            for (size_t p = 0; p < N; p++)
                for (size_t q = 0; q < N; q++)
                    sum += (double)pre.matrix[k * N + p] * c[p][q] * pre.matrix[q * N + l];
            assert_float_equal(sum, k == l, 2e-5f);
            assert_float_equal(pre.matrix[k * N + l], pre.matrix[l * N + k], 1e-6f);
        }
    for (size_t k = 0; k < N; k++)
        assert_true(pre.matrix[k * N + k] > 0);
    assert_float_equal(pre.scale[4], 1, 0);
    reluopt_preprocess_free(&pre);
    reluopt_samples_free(&samples);
}

static void test_zca_apply(void **state)
{
    (void)state;
    Samples samples = correlated(), before = make(MANY, N, samples.x);
    assert_int_equal(reluopt_preprocess_fit(&pre, PREPROCESS_ZCA, &samples, &error), RELUOPT_OK);
    assert_int_equal(reluopt_preprocess_apply(&pre, &samples, &error), RELUOPT_OK);
    for (size_t j = 0; j < MANY; j++)
        for (size_t k = 0; k < N; k++) {
            double sum = 0;
            for (size_t l = 0; l < N; l++)
                sum += (double)pre.matrix[k * N + l] * (before.x[j * N + l] - pre.shift[l]) * pre.scale[l];
            assert_float_equal(samples.x[j * N + k], sum, 1e-4f);
        }
    reluopt_preprocess_free(&pre);
    reluopt_samples_free(&samples);
    reluopt_samples_free(&before);
}

static void test_zca_constant(void **state)
{
    (void)state;
    fit_and_check(PREPROCESS_ZCA, 2, 2, (float[]){3, 4, 3, 4}, (float[]){0, 0, 0, 0});
}

/* A checkpoint need not hold shift and scale for this kind. */
static void test_none_without_shift(void **state)
{
    (void)state;
    Samples samples = make(4, 3, example);
    assert_int_equal(
        reluopt_preprocess_apply(&(Preprocess){.kind = PREPROCESS_NONE, .features = 3}, &samples, &error),
        RELUOPT_OK);
    check(&samples, example, 0);
    reluopt_samples_free(&samples);
}

static void test_zca_of_too_many_features(void **state)
{
    (void)state;
    Samples wide = make(2, RELUOPT_EIGEN_MOST + 1, NULL);
    assert_failure(&error, reluopt_preprocess_fit(&pre, PREPROCESS_ZCA, &wide, &error), RELUOPT_USAGE,
                   "preprocess: zca", "at most 32766", "have 32767", "standardise", NULL);
    assert_null(pre.shift);
    reluopt_samples_free(&wide);
}

static void test_errors(void **state)
{
    (void)state;
    Samples none = {.features = 3}, two = make(1, 2, NULL), three = make(2, 3, NULL);
    const PreprocessKind kinds[] = {PREPROCESS_NONE, PREPROCESS_SCALE, PREPROCESS_CENTRE,
                                    PREPROCESS_STANDARDISE, PREPROCESS_ZCA};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_failure(&error, reluopt_preprocess_fit(&pre, kinds[i], &none, &error), RELUOPT_DATA,
                       "needs training samples", NULL);
        assert_null(pre.shift);
        assert_int_equal(reluopt_preprocess_fit(&pre, kinds[i], &three, &error), RELUOPT_OK);
        assert_failure(&error, reluopt_preprocess_apply(&pre, &two, &error), RELUOPT_DATA, "2 features",
                       "fitted to 3", NULL);
        reluopt_preprocess_free(&pre);
    }
    reluopt_samples_free(&two);
    reluopt_samples_free(&three);
}

int main(void)
{
    reluopt_dense_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_centre),
        cmocka_unit_test(test_standardise),
        cmocka_unit_test(test_other_part),
        cmocka_unit_test(test_double_sums),
        cmocka_unit_test(test_zca_matrix),
        cmocka_unit_test(test_zca_apply),
        cmocka_unit_test(test_zca_constant),
        cmocka_unit_test(test_none_without_shift),
        cmocka_unit_test(test_zca_of_too_many_features),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
