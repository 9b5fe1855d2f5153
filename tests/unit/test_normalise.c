/* test_normalise.c - batch normalisation against (2-30)..(2-33) in double, and its way back against finite
 * differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "../uniform.h"
#include "reluopt/normalise.h"

enum { ROWS = 5, COLUMNS = 23, VALUES = ROWS * COLUMNS };

static void assert_close(double x, double expected, double tolerance)
{
    if (!(fabs(x - expected) <= tolerance))
        print_error("%.9g, expected %.9g within %.1e\n", x, expected, tolerance);
    assert_true(fabs(x - expected) <= tolerance);
}

static void create(Normalisation *norm)
{
    Error error = {0};
    assert_int_equal(reluopt_normalisation_create(norm, ROWS, &error), 0);
    for (int j = 0; j < ROWS; j++) {
        assert_true(norm->scale[2 * j] == 1 && norm->scale[2 * j + 1] == 0);
        assert_true(norm->running[2 * j] == 0 && norm->running[2 * j + 1] == 1);
        norm->scale[2 * j] = (float)(1 + 0.5 * uniform());
        norm->scale[2 * j + 1] = (float)uniform();
    }
}

/* Neurons of different means and spreads. */
static void draw(float *z)
{
    for (int i = 0; i < VALUES; i++)
        z[i] = (float)((3 - i / COLUMNS) * (1 + uniform()) + 0.1 * uniform());
}

static void moments(const double *z, double *mean, double *variance)
{
    *mean = *variance = 0;
    for (int k = 0; k < COLUMNS; k++)
        *mean += z[k] / COLUMNS;
    for (int k = 0; k < COLUMNS; k++)
        *variance += (z[k] - *mean) * (z[k] - *mean) / COLUMNS;
}

/* (2-30) .. (2-33) of one neuron. */
static void reference(const double *z, double gamma, double beta, double *y)
{
    double mean, variance;
    moments(z, &mean, &variance);
    for (int k = 0; k < COLUMNS; k++)
        y[k] = gamma * (z[k] - mean) / sqrt(variance + 1e-5) + beta;
}

static void widen(const float *z, int row, double *out)
{
    for (int k = 0; k < COLUMNS; k++)
        out[k] = z[row * COLUMNS + k];
}

/* As one rank does it. */
static void normalise_batch(Normalisation *norm, float *y, float *z, size_t columns)
{
    reluopt_normalise_sums(norm, z, columns);
    reluopt_normalise_squares(norm, z, columns, columns);
    reluopt_normalise_batch(norm, y, z, columns, columns);
}

static void normalise_back(Normalisation *norm, float *delta, const float *z, size_t columns)
{
    reluopt_normalise_slopes(norm, delta, z, columns);
    reluopt_normalise_back(norm, delta, z, columns, columns);
}

static void training_uses_the_batch(void **state)
{
    (void)state;
    Normalisation norm;
    float z[VALUES], kept[VALUES], y[VALUES];
    create(&norm);
    double running[ROWS][2];
    for (int j = 0; j < ROWS; j++) {
        running[j][0] = 0;
        running[j][1] = 1;
    }
    for (int round = 0; round < 3; round++) {
        draw(z);
        memcpy(kept, z, sizeof z);
        normalise_batch(&norm, y, z, COLUMNS);
        for (int j = 0; j < ROWS; j++) {
            double row[COLUMNS], expected[COLUMNS], mean, variance;
            double gamma = norm.scale[2 * j], beta = norm.scale[2 * j + 1];
            widen(kept, j, row);
            reference(row, gamma, beta, expected);
            moments(row, &mean, &variance);
            running[j][0] = 0.9 * running[j][0] + 0.1 * mean;
            running[j][1] = 0.9 * running[j][1] + 0.1 * variance;
            for (int k = 0; k < COLUMNS; k++) {
                assert_close(y[j * COLUMNS + k], expected[k], 1e-5);
                assert_close(z[j * COLUMNS + k], (expected[k] - beta) / gamma, 1e-5);
            }
            assert_close(norm.running[2 * j], running[j][0], 1e-5);
            assert_close(norm.running[2 * j + 1], running[j][1], 1e-5);
        }
    }
    reluopt_normalisation_free(&norm);
}

static void evaluation_uses_the_running_statistics(void **state)
{
    (void)state;
    Normalisation norm;
    float z[VALUES], y[VALUES], before[2 * ROWS];
    create(&norm);
    draw(z);
    normalise_batch(&norm, y, z, COLUMNS);
    memcpy(before, norm.running, sizeof before);
    draw(z);
    reluopt_normalise(&norm, y, z, COLUMNS);
    assert_memory_equal(before, norm.running, sizeof before);
    for (int i = 0; i < VALUES; i++) {
        int j = i / COLUMNS;
        double unit = (z[i] - (double)before[2 * j]) / sqrt((double)before[2 * j + 1] + 1e-5);
        assert_close(y[i], norm.scale[2 * j] * unit + norm.scale[2 * j + 1], 1e-5);
    }
    reluopt_normalise(&norm, z, z, COLUMNS); /* in place */
    assert_memory_equal(y, z, sizeof y);
    reluopt_normalisation_free(&norm);
}

/* Of one sample, and of equal samples, there is nothing to normalise: finite, and no statistics from the one.
 */
static void no_variance(void **state)
{
    (void)state;
    Normalisation norm;
    float z[VALUES], y[VALUES], delta[ROWS] = {1, 2, 3, 4, 5};
    create(&norm);
    draw(z);
    normalise_batch(&norm, y, z, 1);
    for (int j = 0; j < ROWS; j++) {
        assert_true(y[j] == norm.scale[2 * j + 1]);
        assert_true(norm.running[2 * j] == 0 && norm.running[2 * j + 1] == 1);
    }
    normalise_back(&norm, delta, z, 1);
    for (int j = 0; j < ROWS; j++)
        assert_true(delta[j] == 0);
    for (int i = 0; i < VALUES; i++)
        z[i] = 7;
    normalise_batch(&norm, y, z, COLUMNS);
    for (int i = 0; i < VALUES; i++)
        assert_true(isfinite(y[i]));
    reluopt_normalisation_free(&norm);
}

/* A loss of the outputs: sum_k c_k y_k + y_k^3 / 3, whose derivative is c_k + y_k^2. */
static double loss(const double *z, double gamma, double beta, const double *c)
{
    double y[COLUMNS], sum = 0;
    reference(z, gamma, beta, y);
    for (int k = 0; k < COLUMNS; k++)
        sum += c[k] * y[k] + y[k] * y[k] * y[k] / 3;
    return sum;
}

static void way_back_equals_finite_differences(void **state)
{
    (void)state;
    const double h = 1e-5;
    Normalisation norm;
    float z[VALUES], kept[VALUES], y[VALUES], delta[VALUES];
    double c[COLUMNS];
    create(&norm);
    draw(z);
    memcpy(kept, z, sizeof z);
    for (int k = 0; k < COLUMNS; k++)
        c[k] = uniform();
    normalise_batch(&norm, y, z, COLUMNS);
    for (int i = 0; i < VALUES; i++)
        delta[i] = (float)(c[i % COLUMNS] + (double)y[i] * y[i]);
    normalise_back(&norm, delta, z, COLUMNS);
    for (int j = 0; j < ROWS; j++) {
        double row[COLUMNS], gamma = norm.scale[2 * j], beta = norm.scale[2 * j + 1];
        widen(kept, j, row);
        for (int k = 0; k < COLUMNS; k++) {
            double at = row[k];
            row[k] = at + h;
            double up = loss(row, gamma, beta, c);
            row[k] = at - h;
            double slope = (up - loss(row, gamma, beta, c)) / (2 * h);
            row[k] = at;
            assert_close(delta[j * COLUMNS + k], slope, 2e-4 * (1 + fabs(slope)));
        }
        double by_gamma = (loss(row, gamma + h, beta, c) - loss(row, gamma - h, beta, c)) / (2 * h);
        double by_beta = (loss(row, gamma, beta + h, c) - loss(row, gamma, beta - h, c)) / (2 * h);
        assert_close(norm.g[2 * j], by_gamma, 1e-4 * (1 + fabs(by_gamma)));
        assert_close(norm.g[2 * j + 1], by_beta, 1e-4 * (1 + fabs(by_beta)));
    }
    reluopt_normalisation_free(&norm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_uses_the_batch),
        cmocka_unit_test(evaluation_uses_the_running_statistics),
        cmocka_unit_test(no_variance),
        cmocka_unit_test(way_back_equals_finite_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
