/* test_layer.c - activations, loss, targets and residuals against their formulas, in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "../uniform.h"
#include "reluopt/layer.h"

enum { CLASSES = 5, COLUMNS = 7, VALUES = CLASSES * COLUMNS };

static void fill(float *x, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(scale * uniform());
}

static double relu(double z)
{
    return z > 0 ? z : 0;
}

static void assert_close(double x, double expected, double tolerance)
{
    if (!(fabs(x - expected) <= tolerance))
        print_error("%.9g, expected %.9g within %.1e\n", x, expected, tolerance);
    assert_true(fabs(x - expected) <= tolerance);
}

static void relu_of_all_kinds_of_values(void **state)
{
    (void)state;
    static const float z[] = {1.5f, -1.5f, 0, -0.0f, 1e-40f, -1e-40f, INFINITY, -INFINITY, 3e38f, -3e38f};
    static const float expected[] = {1.5f, 0, 0, 0, 1e-40f, 0, INFINITY, 0, 3e38f, 0};
    enum { N = sizeof z / sizeof z[0] };
    float h[N + 1] = {0};
    h[N] = 12345;
    reluopt_relu(h, z, N);
    for (int i = 0; i < N; i++)
        assert_true(h[i] == expected[i]);
    assert_true(h[N] == 12345);
}

static void relu_keeps_nan(void **state)
{
    (void)state;
    float z[37], h[37];
    for (int at = 0; at < 37; at++) {
        for (int i = 0; i < 37; i++)
            z[i] = i == at ? NAN : (float)(i - 18);
        reluopt_relu(h, z, 37);
        for (int i = 0; i < 37; i++)
            assert_true(i == at ? isnan(h[i]) : h[i] == relu(z[i]));
        reluopt_relu(z, z, 37); /* in place */
        assert_true(isnan(z[at]));
    }
}

static void ones_are_ones(void **state)
{
    (void)state;
    float x[5] = {7, 7, 7, 7, 7};
    reluopt_ones(x, 4);
    for (int i = 0; i < 4; i++)
        assert_true(x[i] == 1);
    assert_true(x[4] == 7);
}

/* -log softmax(h)_y of column k, written down directly. */
static double direct_loss(const double *h, int y, size_t k)
{
    double sum = 0;
    for (size_t c = 0; c < CLASSES; c++)
        sum += exp(h[c * COLUMNS + k]);
    return log(sum) - h[(size_t)y * COLUMNS + k];
}

static void outputs_and_labels(float h[VALUES], double wide[VALUES], int label[COLUMNS])
{
    fill(h, VALUES, 3);
    for (size_t i = 0; i < VALUES; i++)
        wide[i] = h[i];
    for (int k = 0; k < COLUMNS; k++)
        label[k] = k % CLASSES;
}

static void cross_entropy_equals_its_formula(void **state)
{
    (void)state;
    float h[VALUES];
    double wide[VALUES], expected = 0;
    int label[COLUMNS];
    size_t right = 0;
    outputs_and_labels(h, wide, label);
    for (size_t k = 0; k < COLUMNS; k++) {
        expected += direct_loss(wide, label[k], k);
        bool best = true;
        for (size_t c = 0; c < CLASSES; c++)
            best = best && wide[c * COLUMNS + k] <= wide[(size_t)label[k] * COLUMNS + k];
        right += best;
    }
    Score score = {.loss = 10, .right = 100, .count = 1000}; /* it adds */
    reluopt_cross_entropy(h, label, CLASSES, COLUMNS, &score, NULL);
    assert_close(score.loss, 10 + expected, 1e-6);
    assert_int_equal(score.right, 100 + right);
    assert_int_equal(score.count, 1000 + COLUMNS);
}

/* delta = dloss/dh of each sample, by central differences of the direct formula. */
static void delta_is_the_derivative(void **state)
{
    (void)state;
    float h[VALUES], delta[VALUES + 1];
    double wide[VALUES];
    int label[COLUMNS];
    Score score = {0};
    outputs_and_labels(h, wide, label);
    delta[VALUES] = 12345;
    reluopt_cross_entropy(h, label, CLASSES, COLUMNS, &score, delta);
    assert_true(delta[VALUES] == 12345);
    for (size_t i = 0; i < VALUES; i++) {
        const double step = 1e-5, here = wide[i];
        size_t k = i % COLUMNS;
        wide[i] = here + step;
        double above = direct_loss(wide, label[k], k);
        wide[i] = here - step;
        double below = direct_loss(wide, label[k], k);
        wide[i] = here;
        assert_close(delta[i], (above - below) / (2 * step), 1e-6);
    }
}

static void squared_error_equals_its_formula(void **state)
{
    (void)state;
    float h[VALUES], delta[VALUES];
    double wide[VALUES], expected = 0;
    int label[COLUMNS];
    outputs_and_labels(h, wide, label);
    Score score = {.loss = 10, .right = 100, .count = 1000}, other = {0};
    reluopt_squared_error(h, label, CLASSES, COLUMNS, &score, delta);
    for (size_t i = 0; i < VALUES; i++) {
        double e = wide[i] - ((int)(i / COLUMNS) == label[i % COLUMNS] ? 1 : 0);
        expected += e * e;
        assert_close(delta[i], 2 * e, 1e-5);
    }
    assert_close(score.loss, 10 + expected, 1e-5);
    assert_int_equal(score.count, 1000 + COLUMNS);
    reluopt_cross_entropy(h, label, CLASSES, COLUMNS, &other, NULL);
    assert_int_equal(score.right, 100 + other.right);
}

static void loss_is_the_one_asked_for(void **state)
{
    (void)state;
    float h[VALUES], delta[2][VALUES];
    double wide[VALUES];
    int label[COLUMNS];
    Score score[4] = {{0}};
    outputs_and_labels(h, wide, label);
    reluopt_loss(LOSS_CROSS_ENTROPY, h, label, CLASSES, COLUMNS, &score[0], NULL);
    reluopt_cross_entropy(h, label, CLASSES, COLUMNS, &score[1], NULL);
    reluopt_loss(LOSS_MSE, h, label, CLASSES, COLUMNS, &score[2], delta[0]);
    reluopt_squared_error(h, label, CLASSES, COLUMNS, &score[3], delta[1]);
    assert_true(score[0].loss == score[1].loss && score[2].loss == score[3].loss);
    assert_true(score[0].loss != score[2].loss);
    assert_memory_equal(delta[0], delta[1], sizeof delta[0]);
}

static double activation(Activation kind, double z)
{
    return kind == ACTIVATION_RELU ? relu(z) : kind == ACTIVATION_SIGMOID ? 1 / (1 + exp(-z)) : tanh(z);
}

static void activations_and_their_slopes(void **state)
{
    (void)state;
    enum { N = 101 };
    for (int kind = ACTIVATION_RELU; kind <= ACTIVATION_TANH; kind++) {
        const double step = 1e-6;
        float z[N], h[N], delta[N];
        size_t active = 0;
        fill(z, N, 4);
        for (int i = 0; i < N; i++) {
            delta[i] = (float)(i + 1);
            active += kind != ACTIVATION_RELU || z[i] > 0;
        }
        reluopt_activate((Activation)kind, h, z, N);
        assert_int_equal(reluopt_slope((Activation)kind, delta, h, N), active);
        for (int i = 0; i < N; i++) {
            double above = activation((Activation)kind, z[i] + step);
            double below = activation((Activation)kind, z[i] - step);
            assert_close(h[i], activation((Activation)kind, z[i]), 1e-6);
            assert_close(delta[i] / (float)(i + 1), (above - below) / (2 * step), 1e-5);
        }
    }
}

/* Far out the logistic function and tanh are flat, not NaN. */
static void activations_far_out(void **state)
{
    (void)state;
    static const float z[] = {-3e38f, -200, 200, 3e38f};
    static const float sigmoid[] = {0, 0, 1, 1}, hyperbolic[] = {-1, -1, 1, 1};
    float h[4];
    reluopt_activate(ACTIVATION_SIGMOID, h, z, 4);
    for (int i = 0; i < 4; i++)
        assert_close(h[i], sigmoid[i], 1e-30);
    reluopt_activate(ACTIVATION_TANH, h, z, 4);
    for (int i = 0; i < 4; i++)
        assert_close(h[i], hyperbolic[i], 0);
}

static void cross_entropy_of_large_outputs_is_finite(void **state)
{
    (void)state;
    const float h[6] = {1e4f, -1e4f, 0, 3e38f, -1e4f, -3e38f}; /* 3 classes x 2 */
    static const int right[2] = {0, 0}, wrong[2] = {1, 1};
    float delta[6];
    const float columns[6] = {h[0], h[3], h[1], h[4], h[2], h[5]};
    Score good = {0}, bad = {0};
    reluopt_cross_entropy(columns, right, 3, 2, &good, delta);
    assert_close(good.loss, 0, 1e-12);
    assert_int_equal(good.right, 2);
    for (int i = 0; i < 6; i++)
        assert_close(delta[i], 0, 1e-12);
    reluopt_cross_entropy(columns, wrong, 3, 2, &bad, delta);
    assert_true(isfinite(bad.loss));
    assert_close(bad.loss / ((double)h[3] + 1e4 + 2e4), 1, 1e-6);
    assert_close(delta[0], 1, 1e-12);
    assert_close(delta[2], -1, 1e-12);
    assert_int_equal(bad.right, 0);
}

static void cross_entropy_of_nan_is_nan(void **state)
{
    (void)state;
    static const int label[1] = {1};
    for (int at = 0; at < 3; at++) {
        float h[3] = {1, 2, 3};
        Score score = {0};
        h[at] = NAN;
        reluopt_cross_entropy(h, label, 3, 1, &score, NULL);
        assert_true(isnan(score.loss));
    }
}

static void probabilities_of_either_loss(void **state)
{
    (void)state;
    enum { KINDS = 3, SAMPLES = 4 };
    const float h[KINDS * SAMPLES] = {0, 1000, -1, 0.25f, 1, 998, -2, 0.5f, 2, -1000, -3, 0.25f};
    float p[KINDS * SAMPLES];
    reluopt_probabilities(LOSS_CROSS_ENTROPY, p, h, KINDS, SAMPLES);
    for (int k = 0; k < SAMPLES; k++) {
        double top = fmax(h[k], fmax(h[SAMPLES + k], h[2 * SAMPLES + k])), sum = 0;
        for (int c = 0; c < KINDS; c++)
            sum += exp(h[c * SAMPLES + k] - top);
        for (int c = 0; c < KINDS; c++)
            assert_close(p[k * KINDS + c], exp(h[c * SAMPLES + k] - top) / sum, 1e-6);
    }
    reluopt_probabilities(LOSS_MSE, p, h, KINDS, SAMPLES);
    for (int k = 0; k < SAMPLES; k++)
        for (int c = 0; c < KINDS; c++)
            assert_true(p[k * KINDS + c] == h[c * SAMPLES + k]);
}

static void output_target_is_a_gradient_step(void **state)
{
    (void)state;
    float t[VALUES], h[VALUES], delta[VALUES];
    fill(h, VALUES, 3);
    fill(delta, VALUES, 1);
    reluopt_output_target(t, h, delta, 0.7f, VALUES);
    for (int i = 0; i < VALUES; i++)
        assert_close(t[i], h[i] - 0.7 * delta[i], 1e-6);
}

static void targets_equal_their_formulas(void **state)
{
    (void)state;
    float t[VALUES], h[VALUES], a[VALUES], b[VALUES];
    fill(h, VALUES, 3);
    fill(a, VALUES, 3);
    fill(b, VALUES, 3);
    h[0] = a[1] = b[2] = 0;
    reluopt_difference_target(t, h, a, b, VALUES);
    for (int i = 0; i < VALUES; i++)
        assert_close(t[i], (double)h[i] + a[i] - b[i], 1e-6);
    reluopt_gated_target(t, h, a, VALUES);
    for (int i = 0; i < VALUES; i++)
        assert_close(t[i], h[i] > 0 ? (double)h[i] + a[i] : h[i], 1e-6);
    assert_true(t[0] == 0); /* H = 0 is not active */
    reluopt_difference_target(t, h, b, b, VALUES);
    for (int i = 0; i < VALUES; i++) /* T[i] = H[i] above: nothing to do below */
        assert_close(t[i], h[i], 1e-6);
}

static void residual_lives_on_the_pos_set(void **state)
{
    (void)state;
    float r[VALUES], z[VALUES], t[VALUES];
    size_t active = 0;
    fill(z, VALUES, 3);
    fill(t, VALUES, 3);
    z[3] = 0;
    z[4] = -0.0f;
    z[5] = 1e-40f;
    for (int i = 0; i < VALUES; i++)
        active += z[i] > 0;
    assert_int_equal(reluopt_residual(r, z, t, false, VALUES), active);
    for (int i = 0; i < VALUES; i++)
        assert_close(r[i], z[i] > 0 ? relu(z[i]) - t[i] : 0, 1e-6);
    assert_true(r[3] == 0 && r[4] == 0 && r[5] == 1e-40f - t[5]);
    assert_int_equal(reluopt_residual(r, z, t, true, VALUES), VALUES);
    for (int i = 0; i < VALUES; i++)
        assert_close(r[i], (double)z[i] - t[i], 1e-6);
}

static void sums_of_rows(void **state)
{
    (void)state;
    enum { ROWS = 3, MANY = 1001 };
    static float h[ROWS * MANY], sums[ROWS + 1];
    static const size_t columns[] = {1, 2, 17, MANY};
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        size_t n = columns[c];
        fill(h, ROWS * n, 1);
        sums[ROWS] = 12345;
        reluopt_row_sums(sums, h, ROWS, n);
        for (size_t j = 0; j < ROWS; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += h[j * n + k];
            assert_close(sums[j] / (float)n, sum / (double)n, 1e-6);
        }
        assert_true(sums[ROWS] == 12345);
    }
}

static void deviation_of_all_values(void **state)
{
    (void)state;
    enum { MANY = 10007 };
    static float h[MANY];
    for (double offset = 0; offset <= 10; offset += 5) {
        double sum = 0, squares = 0;
        fill(h, MANY, 2);
        for (int i = 0; i < MANY; i++)
            sum += h[i] += (float)offset;
        for (int i = 0; i < MANY; i++)
            squares += pow(h[i] - sum / MANY, 2);
        assert_close(reluopt_deviation(h, MANY), sqrt(squares / MANY), 1e-6);
    }
    for (int i = 0; i < MANY; i++)
        h[i] = 0.1f;
    assert_close(reluopt_deviation(h, MANY), 0, 1e-6);
    assert_true(reluopt_deviation(h, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_of_all_kinds_of_values),
        cmocka_unit_test(relu_keeps_nan),
        cmocka_unit_test(ones_are_ones),
        cmocka_unit_test(cross_entropy_equals_its_formula),
        cmocka_unit_test(delta_is_the_derivative),
        cmocka_unit_test(squared_error_equals_its_formula),
        cmocka_unit_test(loss_is_the_one_asked_for),
        cmocka_unit_test(activations_and_their_slopes),
        cmocka_unit_test(activations_far_out),
        cmocka_unit_test(cross_entropy_of_large_outputs_is_finite),
        cmocka_unit_test(cross_entropy_of_nan_is_nan),
        cmocka_unit_test(probabilities_of_either_loss),
        cmocka_unit_test(output_target_is_a_gradient_step),
        cmocka_unit_test(targets_equal_their_formulas),
        cmocka_unit_test(residual_lives_on_the_pos_set),
        cmocka_unit_test(sums_of_rows),
        cmocka_unit_test(deviation_of_all_values),
    };
    return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}
