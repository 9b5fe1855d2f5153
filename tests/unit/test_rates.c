/* test_rates.c - gradient and step sizes against finite differences and scans along the ray, in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "../uniform.h"
#include "reluopt/dense.h"
#include "reluopt/layer.h"
#include "reluopt/rates.h"

enum { N = 6, B = 29, NEURONS = 200 };

/* One neuron on a batch: inputs h (N + 1) x B with the row of ones, and all that its step is made of. */
typedef struct Neuron {
    bool linear;
    float h[(N + 1) * B], w[N + 1], t[B];
    float z[B], r[B], g[N + 1], d[B];
    float opt, online;
} Neuron;

static void assert_close(double x, double expected, double tolerance)
{
    if (!(fabs(x - expected) <= tolerance))
        print_error("%.9g, expected %.9g within %.1e\n", x, expected, tolerance);
    assert_true(fabs(x - expected) <= tolerance);
}

static void bounds(const float *z, const float *d, const float *r, bool linear, size_t rows, size_t columns,
                   float *opt, float *online)
{
    float sums[2 * N * B], fastest[N * B];
    reluopt_rate_sums(z, d, r, linear, rows, columns, sums, fastest);
    reluopt_rate_bounds(sums, fastest, rows, opt, online);
}

/* z, r, g, d and the bounds from h, w, t. */
static void aim(Neuron *n)
{
    reluopt_product(n->z, n->w, N + 1, n->h, 1, B, N + 1);
    reluopt_residual(n->r, n->z, n->t, n->linear, B);
    reluopt_product_nt(n->g, N + 1, n->r, n->h, 1, N + 1, B);
    reluopt_product(n->d, n->g, N + 1, n->h, 1, B, N + 1);
    bounds(n->z, n->d, n->r, n->linear, 1, B, &n->opt, &n->online);
}

static void random_neuron(Neuron *n, bool linear)
{
    n->linear = linear;
    for (int i = 0; i < N * B; i++)
        n->h[i] = (float)(uniform() + 0.3);
    reluopt_ones(n->h + N * B, B);
    for (int i = 0; i <= N; i++)
        n->w[i] = (float)uniform();
    for (int k = 0; k < B; k++)
        n->t[k] = (float)(1.5 * uniform());
    aim(n);
}

static bool in_pos(const Neuron *n, int k)
{
    return n->linear || n->z[k] > 0;
}

static double square(double x)
{
    return x * x;
}

/* sum (z - rho d - t)^2 over the Pos set of rho = 0. */
static double loss_on_pos(const Neuron *n, double rho)
{
    double loss = 0;
    for (int k = 0; k < B; k++)
        if (in_pos(n, k))
            loss += square(n->z[k] - rho * n->d[k] - n->t[k]);
    return loss;
}

/* Layer loss (3-9) without 1/B, at weights given in double. */
static double loss_of_weights(const Neuron *n, const double *w)
{
    double loss = 0;
    for (int k = 0; k < B; k++) {
        double z = 0;
        for (int i = 0; i <= N; i++)
            z += w[i] * n->h[i * B + k];
        loss += square((n->linear || z > 0 ? z : 0) - n->t[k]);
    }
    return loss;
}

/* Far enough from every kink for finite differences. */
static bool is_smooth(const Neuron *n)
{
    for (int k = 0; k < B; k++)
        if (fabsf(n->z[k]) < 1e-4f)
            return false;
    return true;
}

static void gradient_equals_finite_differences(void **state)
{
    (void)state;
    int checked = 0;
    for (int c = 0; c < NEURONS; c++) {
        Neuron n;
        random_neuron(&n, c % 4 == 0);
        for (int i = 0; is_smooth(&n) && i <= N; i++) {
            const double step = 1e-6;
            double w[N + 1];
            for (int l = 0; l <= N; l++)
                w[l] = n.w[l];
            w[i] = n.w[i] + step;
            double above = loss_of_weights(&n, w);
            w[i] = n.w[i] - step;
            double below = loss_of_weights(&n, w);
            assert_close(2 * n.g[i], (above - below) / (2 * step), 1e-4);
            checked++;
        }
    }
    assert_true(checked > NEURONS * N / 2);
}

/* The minimum of loss_on_pos by stepping along the ray until it rises, then narrowing. */
static double scanned_minimum(const Neuron *n)
{
    double high = 1e-6;
    while (loss_on_pos(n, 2 * high) < loss_on_pos(n, high))
        high *= 2;
    double low = 0;
    high *= 2;
    for (int i = 0; i < 200; i++) {
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (loss_on_pos(n, a) < loss_on_pos(n, b))
            high = b;
        else
            low = a;
    }
    return (low + high) / 2;
}

static bool is_active(const Neuron *n)
{
    for (int k = 0; k < B; k++)
        if (in_pos(n, k))
            return true;
    return false;
}

static void opt_minimises_along_the_ray(void **state)
{
    (void)state;
    int active = 0;
    for (int c = 0; c < NEURONS; c++) {
        Neuron n;
        random_neuron(&n, c % 4 == 0);
        if (!is_active(&n)) {
            assert_true(isinf(n.opt) && n.opt > 0);
            continue;
        }
        double best = scanned_minimum(&n);
        assert_true(n.opt > 0);
        assert_close(n.opt / best, 1, 1e-4); /* a scan finds a minimum to the root of double's rounding */
        assert_true(loss_on_pos(&n, n.opt) <= loss_on_pos(&n, 0));
        active++;
    }
    assert_true(active > NEURONS / 2);
}

/* Has any sample of the Pos set left it at step rho? */
static bool has_left(const Neuron *n, double rho)
{
    for (int k = 0; k < B; k++)
        if (n->z[k] > 0 && n->z[k] - rho * n->d[k] <= 0)
            return true;
    return false;
}

/* The first step at which a sample leaves, by bisection; +inf where none does up to 1e12. */
static double scanned_exit(const Neuron *n)
{
    double low = 0, high = 1e12;
    if (!has_left(n, high))
        return INFINITY;
    for (int i = 0; i < 300; i++) {
        double middle = i < 100 ? sqrt(fmax(low, 1e-15) * high) : (low + high) / 2;
        if (has_left(n, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

static void online_is_the_first_exit(void **state)
{
    (void)state;
    int finite = 0, infinite = 0;
    for (int c = 0; c < NEURONS; c++) {
        Neuron n;
        random_neuron(&n, false);
        if (c % 2) /* far above the activations: everything is pushed up */
            for (int k = 0; k < B; k++)
                n.t[k] += 5;
        aim(&n);
        double leaves = scanned_exit(&n);
        assert_true(n.online > 0);
        assert_true(isinf(leaves) == isinf(n.online));
        if (isfinite(leaves))
            assert_close(n.online / leaves, 1, 1e-6);
        finite += isfinite(leaves);
        infinite += !isfinite(leaves);
    }
    assert_true(finite > NEURONS / 10 && infinite > NEURONS / 10);
}

typedef struct Case {
    float z[4], d[4], r[4];
    bool linear;
    float opt, online;
} Case;

/* By hand; a sample off the Pos set (z <= 0) counts nowhere, however it moves. */
static void bounds_of_special_neurons(void **state)
{
    (void)state;
    const float inf = INFINITY;
    const Case cases[] = {
        {{-1, -2, 0, -3}, {1, 2, 3, 4}, {0, 0, 0, 0}, false, inf, inf},       /* inactive */
        {{1, 2, 3, 4}, {0, 0, 0, 0}, {0, 0, 0, 0}, false, inf, inf},          /* at its target */
        {{1, 2, 3, 4}, {0, 0, 0, 0}, {1, 1, -1, -1}, false, inf, inf},        /* D = 0 */
        {{1, 2, 3, 4}, {0, 0, 0, 0}, {1, 1, -1, -1}, true, inf, inf},         /* D = 0, linear */
        {{1, -2, 3, -4}, {2, 9, -1, 9}, {1, 0, -2, 0}, false, 0.8f, 0.5f},    /* (2 + 2) / (4 + 1), 1 / 2 */
        {{1, -2, 3, -4}, {2, 1, -1, -1}, {1, 1, -2, 3}, true, 2.0f / 7, inf}, /* all samples, no kinks */
        {{1, 2, 3, 4}, {-1, -1, -1, -1}, {-1, -1, -1, -3}, false, 1.5f, inf}, /* moves up */
        {{4, 0, 0, 0}, {1, 5, 5, 5}, {2, 0, 0, 0}, false, 2, 4},              /* z = 0 is off the set */
        {{1, 2, 3, 4}, {1, 0, 0, 0}, {-1, 0, 0, 0}, false, inf, 1},           /* no descent */
        {{1e-3f, 2, 3, 4}, {1, 1, 1, 1}, {1, 1, 1, 1}, false, 1, 1e-3f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const Case *c = &cases[i];
        float opt = -1, online = -1;
        bounds(c->z, c->d, c->r, c->linear, 1, 4, &opt, &online);
        assert_true(opt == c->opt || fabsf(opt - c->opt) < 1e-6f);
        assert_true(online == c->online || fabsf(online - c->online) < 1e-6f);
    }
}

/* Rows are neurons: each gets what it gets alone. */
static void neurons_are_independent(void **state)
{
    (void)state;
    enum { ROWS = 9 };
    static float z[ROWS * B], d[ROWS * B], r[ROWS * B], alone[2][ROWS], opt[ROWS + 1], online[ROWS + 1];
    for (int j = 0; j < ROWS; j++) {
        Neuron n;
        random_neuron(&n, false);
        for (int k = 0; k < B; k++) {
            z[j * B + k] = n.z[k];
            d[j * B + k] = n.d[k];
            r[j * B + k] = n.r[k];
        }
        alone[0][j] = n.opt;
        alone[1][j] = n.online;
    }
    opt[ROWS] = online[ROWS] = 12345;
    bounds(z, d, r, false, ROWS, B, opt, online);
    for (int j = 0; j < ROWS; j++)
        assert_true(opt[j] == alone[0][j] && online[j] == alone[1][j]);
    assert_true(opt[ROWS] == 12345 && online[ROWS] == 12345);
    bounds(z, d, r, false, 0, B, opt, online);
}

static void rules_and_fallbacks(void **state)
{
    (void)state;
    const float inf = INFINITY;
    const struct {
        RateRule rule;
        float opt, online, rate;
    } cases[] = {
        {RATE_MIN, 2, 1, 1},    {RATE_MIN, 1, 2, 1},     {RATE_MIN, 1, inf, 1},    {RATE_MIN, inf, inf, 0},
        {RATE_OPT, 2, 1, 2},    {RATE_OPT, 1, 2, 1},     {RATE_OPT, 1, inf, 1},    {RATE_OPT, inf, inf, 0},
        {RATE_ONLINE, 2, 1, 1}, {RATE_ONLINE, 1, 2, 2},  {RATE_ONLINE, 1, inf, 1}, {RATE_ONLINE, inf, inf, 0},
        {RATE_EXACT, 2, 1, 2},  {RATE_EXACT, 1, inf, 1}, {RATE_EXACT, inf, 1, 0},  {RATE_EXACT, inf, inf, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(reluopt_rate(cases[i].rule, cases[i].opt, cases[i].online) == cases[i].rate);
}

/* Whatever the numbers are, also r and d that do not belong together: bounds positive, rates finite and >= 0.
 */
static void rates_are_never_negative(void **state)
{
    (void)state;
    for (int c = 0; c < 20000; c++) {
        float z[B], d[B], r[B], opt, online;
        double scale = pow(10, 12 * uniform());
        for (int k = 0; k < B; k++) {
            z[k] = (float)(scale * uniform());
            d[k] = (float)(uniform() / scale);
            r[k] = z[k] > 0 ? (float)uniform() : 0;
        }
        bounds(z, d, r, c % 3 == 0, 1, 1 + (size_t)c % B, &opt, &online);
        assert_true(opt > 0 && online >= 0);
        for (int rule = RATE_MIN; rule <= RATE_ONLINE; rule++) {
            float rate = reluopt_rate((RateRule)rule, opt, online);
            assert_true(rate >= 0 && isfinite(rate));
        }
    }
}

/* sum_k (f(z - rho d) - t)^2 over all samples, also those off the Pos set. */
static double direct_loss(const Neuron *n, double rho)
{
    double loss = 0;
    for (int k = 0; k < B; k++) {
        double z = n->z[k] - rho * n->d[k];
        loss += square((n->linear || z > 0 ? z : 0) - n->t[k]);
    }
    return loss;
}

static void trial_losses_equal_the_loss(void **state)
{
    (void)state;
    enum { TRIALS = 8 };
    for (int c = 0; c < NEURONS; c++) {
        Neuron n;
        random_neuron(&n, c % 2);
        int trials = c % (TRIALS + 1);
        double loss[TRIALS + 2], start = exp(3 * uniform());
        for (int i = 0; i < TRIALS + 2; i++)
            loss[i] = 100 + i; /* it adds */
        reluopt_trial_losses(n.z, n.d, n.t, n.linear, B, (float)start, trials, loss);
        for (int i = 0; i <= trials; i++) {
            double rho = i == 0 ? 0 : (float)start * pow(2, 1 - i), expected = direct_loss(&n, rho);
            assert_close(loss[i], 100 + i + expected, 1e-5 * (1 + expected));
        }
        assert_true(loss[trials + 1] == 101 + trials);
    }
}

static void step_moves_each_row_by_its_rate(void **state)
{
    (void)state;
    float w[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const float g[6] = {1, -1, 2, 3, 4, 5}, rate[3] = {0.5f, 0, 2},
                expected[8] = {0.5f, 2.5f, 3, 4, -3, -4, 7, 8};
    reluopt_step_rows(w, g, rate, 3, 2);
    for (int i = 0; i < 8; i++)
        assert_true(w[i] == expected[i]);
}

/* A step of rho moves z by -rho d: what all of the above rests on. */
static void steps_move_along_the_ray(void **state)
{
    (void)state;
    for (int c = 0; c < NEURONS; c++) {
        Neuron n;
        float after[B];
        random_neuron(&n, c % 2);
        float rate = reluopt_rate(RATE_MIN, n.opt, n.online);
        reluopt_step_rows(n.w, n.g, &rate, 1, N + 1);
        reluopt_product(after, n.w, N + 1, n.h, 1, B, N + 1);
        for (int k = 0; k < B; k++) {
            assert_close(after[k], n.z[k] - (double)rate * n.d[k], 1e-5);
            assert_true(n.linear || n.z[k] <= 0 || after[k] > -1e-5f); /* the Pos set is kept */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_equals_finite_differences),
        cmocka_unit_test(opt_minimises_along_the_ray),
        cmocka_unit_test(online_is_the_first_exit),
        cmocka_unit_test(bounds_of_special_neurons),
        cmocka_unit_test(neurons_are_independent),
        cmocka_unit_test(rules_and_fallbacks),
        cmocka_unit_test(rates_are_never_negative),
        cmocka_unit_test(trial_losses_equal_the_loss),
        cmocka_unit_test(step_moves_each_row_by_its_rate),
        cmocka_unit_test(steps_move_along_the_ray),
    };
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
