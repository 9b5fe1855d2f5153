/* test_exact.c - the exact search against every piece of the ray taken by itself, and against dense scans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../uniform.h"
#include "reluopt/rates.h"

enum { MOST = 8192, SMALL = 40 };

/* A layer of `rows` neurons (or one) with any z, d and t: they need not belong to weights. */
typedef struct Rays {
    size_t rows, columns;
    bool linear;
    float z[MOST], d[MOST], t[MOST];
} Rays;

static const double exactly = 1 + 1e-13; /* but for the order of a sum */

static Rays rays;
static Kink kinks[2 * MOST + 1];

/* Kinds of numbers: smooth, on a coarse grid (many ties and zeros), over many orders of magnitude. */
typedef enum Kind { SMOOTH, GRID, WILD, KINDS } Kind;

static float draw(Kind kind)
{
    double x = uniform();
    if (kind == GRID)
        return (float)(round(3 * x) / 2);
    return (float)(kind == WILD ? x * pow(10, 12 * uniform()) : x);
}

/* `pull`: how far d follows the residual, as it does in a layer, rather than chance; `scale` for z and t. */
static void draw_rays(size_t rows, size_t columns, Kind kind, double pull, float scale)
{
    rays.rows = rows;
    rays.columns = columns;
    for (size_t k = 0; k < rows * columns; k++) {
        rays.z[k] = draw(kind) * scale;
        rays.t[k] = draw(kind) * scale;
        float r = rays.linear || rays.z[k] > 0 ? rays.z[k] - rays.t[k] : 0;
        rays.d[k] = (float)(pull * r + (1 - pull) * draw(kind));
    }
}

/* The loss of all neurons, straight from its definition. */
static double loss_at(double rho)
{
    double loss = 0;
    for (size_t k = 0; k < rays.rows * rays.columns; k++) {
        double z = rays.z[k] - rho * rays.d[k];
        double e = (rays.linear || z > 0 ? z : 0) - rays.t[k];
        loss += e * e;
    }
    return loss;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The minimum of the piece between two kinks, from the samples active in its middle. */
static double piece_minimum(double left, double right)
{
    double a = 0, b = 0, middle = left + (right - left) / 2;
    for (size_t k = 0; k < rays.rows * rays.columns; k++) {
        double z = rays.z[k], d = rays.d[k];
        if (rays.linear || z - middle * d > 0) {
            a += d * d;
            b += d * (z - rays.t[k]);
        }
    }
    return a > 0 ? fmin(fmax(b / a, left), right) : left;
}

/* The step of least loss: all kinks and the minima of all pieces between them. */
static double best_of_pieces(void)
{
    static double at[MOST + 2];
    size_t count = 1;
    double best = 0, least = loss_at(0);
    at[0] = 0;
    for (size_t k = 0; !rays.linear && k < rays.rows * rays.columns; k++) {
        double kink = (double)rays.z[k] / rays.d[k];
        if (kink > 0 && kink < FLT_MAX)
            at[count++] = kink;
    }
    at[count] = FLT_MAX;
    qsort(at, count, sizeof *at, ascending);
    for (size_t i = 0; i < count; i++) {
        double rho = piece_minimum(at[i], at[i + 1]), loss = loss_at(rho);
        if (loss < least) {
            least = loss;
            best = rho;
        }
        if (loss_at(at[i]) < least) {
            least = loss_at(at[i]);
            best = at[i];
        }
    }
    return best;
}

/* What rounding the step to a float may make of the loss at best, and of differences to the loss at 0. */
static double loss_near(double rho)
{
    double around = fmax(loss_at(rho * (1 - 0x1p-23)), loss_at(rho * (1 + 0x1p-23)));
    return fmax(around, loss_at(rho)) + 1e-13 * loss_at(0);
}

/* rho_opt, or 0. */
static float rate_opt(void)
{
    static float r[MOST];
    float sums[2], fastest, opt, online;
    for (size_t k = 0; k < rays.columns; k++)
        r[k] = rays.linear || rays.z[k] > 0 ? rays.z[k] - rays.t[k] : 0;
    reluopt_rate_sums(rays.z, rays.d, r, rays.linear, 1, rays.columns, sums, &fastest);
    reluopt_rate_bounds(sums, &fastest, 1, &opt, &online);
    return reluopt_rate(RATE_EXACT, opt, online);
}

static float rate_exact(void)
{
    return reluopt_rate_exact(rays.z, rays.d, rays.t, rays.linear, rays.columns, rate_opt(), kinks);
}

static bool is_step(float rho)
{
    return rho >= 0 && isfinite(rho);
}

static void loss_is_the_definition(void **state)
{
    (void)state;
    for (int c = 0; c < 1000; c++) {
        double rho = exp(5 * uniform());
        rays.linear = c % 2;
        draw_rays(1, 1 + (size_t)c % SMALL, c % KINDS, 0.5, 1);
        double loss = reluopt_loss_at(rays.z, rays.d, rays.t, rays.linear, rays.columns, (float)rho);
        assert_true(fabs(loss - loss_at((float)rho)) <= 1e-12 * loss);
    }
}

/* No piece has a lesser minimum; the loss never rises, nor is rho_opt better. */
static void equals_the_best_piece(void **state)
{
    (void)state;
    int moved = 0, beyond = 0;
    rays.linear = false;
    for (int c = 0; c < 30000; c++) {
        draw_rays(1, 1 + (size_t)c / KINDS % SMALL, c % KINDS, c % 4 / 3.0, 1);
        float rho = rate_exact();
        double loss = loss_at(rho);
        assert_true(is_step(rho));
        assert_true(loss <= exactly * loss_at(0) && loss <= exactly * loss_at(rate_opt()));
        double best = best_of_pieces();
        assert_true(loss <= loss_near(best));
        moved += rho > 0;
        beyond += loss < 0.99 * loss_at(rate_opt());
    }
    assert_true(moved > 10000 && beyond > 3000); /* and the search was needed */
}

/* Wide batches and numbers of any size against a scan: even steps, and even on a logarithmic scale. */
static void no_step_of_a_scan_is_better(void **state)
{
    (void)state;
    enum { STEPS = 2000 };
    static const size_t columns[] = {64, 65, 500, 1000, 4096, 8192};
    static const float scales[] = {1, 1e-15f, 1e15f};
    rays.linear = false;
    for (int c = 0; c < 54; c++) {
        double scale = scales[c / 6 % 3];
        draw_rays(1, columns[c % 6], c % 4 == 3 ? GRID : SMOOTH, c % 5 / 5.0, (float)scale);
        float rho = rate_exact();
        double loss = loss_at(rho), far = rho > 0 ? rho : scale;
        assert_true(is_step(rho) && loss <= loss_at(0));
        for (int i = 1; i <= STEPS; i++) {
            assert_true(loss <= loss_at(3 * far * i / STEPS) * (1 + 1e-7));
            assert_true(loss <= loss_at(far * exp(30 * uniform())) * (1 + 1e-7));
        }
    }
}

static void linear_neurons_take_rho_opt(void **state)
{
    (void)state;
    rays.linear = true;
    for (int c = 0; c < 1000; c++) {
        draw_rays(1, 1 + (size_t)c % SMALL, SMOOTH, 1, 1);
        float opt = rate_opt();
        assert_true(rate_exact() == opt);
        assert_true(loss_at(opt) <= loss_near(best_of_pieces()));
    }
}

/* By hand: f(z - rho d) moves from f(z) at 0. */
static void steps_of_special_neurons(void **state)
{
    (void)state;
    const struct {
        float z[3], d[3], t[3], opt, rate;
    } cases[] = {
        {{-1, -2, 0}, {1, 2, 3}, {1, 1, 1}, 0, 0},       /* inactive, moving away */
        {{-1, -2, -3}, {0, 0, 0}, {1, 1, 1}, 0, 0},      /* inactive, at rest */
        {{1, 2, 3}, {0, 0, 0}, {0, 0, 0}, 0, 0},         /* nothing moves */
        {{0, 0, 0}, {0, 0, 0}, {1, 1, 1}, 0, 0},         /* nothing at all */
        {{1, 2, 3}, {1, 1, 1}, {1, 2, 3}, 0, 0},         /* at its target */
        {{-1, -1, -1}, {-1, -1, -1}, {1, 1, 1}, 0, 2},   /* enters, and goes on to its target */
        {{0, 0, 0}, {-1, -1, -1}, {2, 2, 2}, 0, 2},      /* enters at once */
        {{0, 0, 0}, {-1, -1, -1}, {-2, -2, -2}, 0, 0},   /* best where it is */
        {{1, 1, 1}, {1, 1, 1}, {-1, -1, -1}, 2, 1},      /* rho_opt lies past the kink; silent from there on */
        {{4, 1, 1}, {1, -1, 0}, {3, 2, 1}, 1, 1},        /* no kink before the minimum */
        {{1, -4, 0}, {1, -2, 0}, {0.5f, 2, 0}, 0.5f, 3}, /* a second minimum behind a kink, and deeper */
        {{1, -4, 0}, {1, -2, 0}, {0, 0, 0}, 1, 1},       /* the target 0 is met just before */
        {{1, 1, 1}, {-1, -1, 2}, {2, 2, 0}, 2.0f / 3, 1},
    };
    rays = (Rays){.rows = 1, .columns = 3};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(rays.z, cases[i].z, sizeof cases[i].z);
        memcpy(rays.d, cases[i].d, sizeof cases[i].d);
        memcpy(rays.t, cases[i].t, sizeof cases[i].t);
        float rate = reluopt_rate_exact(rays.z, rays.d, rays.t, false, 3, cases[i].opt, kinks);
        if (!(fabsf(rate - cases[i].rate) <= 1e-6f))
            print_error("case %zu: %.9g, expected %.9g\n", i, rate, cases[i].rate);
        assert_true(fabsf(rate - cases[i].rate) <= 1e-6f);
    }
}

/* In other units of z and t, and of d, the step is the same: powers of two change no digit. */
static void steps_have_the_unit_of_z_over_d(void **state)
{
    (void)state;
    rays.linear = false;
    for (int c = 0; c < 1000; c++) {
        draw_rays(1, SMALL, SMOOTH, 0.5, 1);
        float before = rate_exact();
        int up = (int)(40 * uniform()), fast = (int)(40 * uniform());
        for (size_t k = 0; k < SMALL; k++) {
            rays.z[k] = ldexpf(rays.z[k], up);
            rays.t[k] = ldexpf(rays.t[k], up);
            rays.d[k] = ldexpf(rays.d[k], fast);
        }
        assert_true(rate_exact() == ldexpf(before, up - fast));
    }
}

static float largest_of(const float *x)
{
    float most = 0;
    for (size_t k = 0; k < rays.rows * rays.columns; k++)
        most = fmaxf(most, fabsf(x[k]));
    return most;
}

/* Rows [first, end) into the bins. */
static void bin_rows(KinkBins *bins, KinkBracket bracket, size_t first, size_t end)
{
    double largest[] = {largest_of(rays.z), largest_of(rays.d), largest_of(rays.t)};
    KinkAnchors anchors = reluopt_kink_anchors(largest, bracket, rays.rows * rays.columns);
    for (size_t j = first; j < end; j++) {
        size_t at = j * rays.columns;
        reluopt_bin_kinks(bins, rays.z + at, rays.d + at, rays.t + at, rays.linear, rays.columns, bracket,
                          anchors, kinks);
    }
}

/* As two ranks do it: each bins its rows, sums are added, both narrow. */
static float rate_of_layer(size_t split)
{
    enum { DOUBLES = sizeof(KinkBins) / sizeof(double) };
    static KinkBins bins[2];
    KinkBracket bracket = {0, 23};
    float rate = -1;
    int rounds = 0;
    do {
        memset(bins, 0, sizeof bins);
        bin_rows(&bins[0], bracket, 0, split);
        bin_rows(&bins[1], bracket, split, rays.rows);
        for (int i = 0; i < DOUBLES; i++)
            ((double *)&bins[0])[i] += ((double *)&bins[1])[i];
        rounds++;
    } while (reluopt_narrow(&bins[0], &bracket, &rate));
    assert_true(rounds == 4);
    return rate;
}

/* The loss at a step that is a local minimum but for rounding, like a kink between two floats. */
static double least_near(float rho)
{
    double below = nextafterf(rho, 0), above = nextafterf(rho, INFINITY);
    return fmin(loss_at(rho), fmin(loss_at(below), loss_at(above))) - 1e-13 * loss_at(0);
}

/* What reluopt_narrow promises: nothing less at any power of 2, nor close by (on a grid, kinks lie on edges of
 * bins, and the loss may fall away on the other side). */
static void layers_end_in_a_good_local_minimum(void **state)
{
    (void)state;
    int global = 0, cases = 3000;
    for (int c = 0; c < cases; c++) {
        rays.linear = c % 10 == 0;
        bool smooth = c % 2;
        draw_rays(1 + (size_t)c % 20, 1 + (size_t)c % SMALL, smooth ? SMOOTH : GRID, c % 4 / 3.0, 1);
        float rho = rate_of_layer((size_t)c % rays.rows);
        double loss = least_near(rho);
        assert_true(is_step(rho) && loss <= loss_at(0));
        for (int i = -60; i <= 60; i++)
            assert_true(loss <= loss_at(ldexp(1, i)));
        for (int i = -10; smooth && i <= 10; i++)
            assert_true(loss <= loss_at(rho * (1 + 1e-5 * i)));
        global += loss <= loss_near(best_of_pieces());
    }
    assert_true(global > cases * 99 / 100);
}

/* Neurons in two parts or in one: the same bits, of the step and of the sums that lead to it. */
static void layers_may_be_split_anywhere(void **state)
{
    (void)state;
    rays.linear = false;
    for (int c = 0; c < 300; c++) {
        draw_rays(20, 100, SMOOTH, 0.8, 1);
        float whole = rate_of_layer(20);
        for (size_t split = 0; split < 20; split += 3)
            assert_true(rate_of_layer(split) == whole);
    }
}

/* A layer of one neuron, where the neuron's own search finds the minimum between two powers of 2. */
static void layers_of_one_neuron_equal_the_neuron(void **state)
{
    (void)state;
    int equal = 0;
    rays.linear = false;
    for (int c = 0; c < 1000; c++) {
        draw_rays(1, 200, SMOOTH, 0.9, 1);
        double layer = loss_at(rate_of_layer(1)), neuron = loss_at(rate_exact());
        assert_true(neuron <= layer * (1 + 1e-9));
        equal += layer <= neuron * (1 + 1e-9);
    }
    assert_true(equal > 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_is_the_definition),
        cmocka_unit_test(equals_the_best_piece),
        cmocka_unit_test(no_step_of_a_scan_is_better),
        cmocka_unit_test(linear_neurons_take_rho_opt),
        cmocka_unit_test(steps_of_special_neurons),
        cmocka_unit_test(steps_have_the_unit_of_z_over_d),
        cmocka_unit_test(layers_end_in_a_good_local_minimum),
        cmocka_unit_test(layers_may_be_split_anywhere),
        cmocka_unit_test(layers_of_one_neuron_equal_the_neuron),
    };
    return cmocka_run_group_tests_name("exact", tests, NULL, NULL);
}
