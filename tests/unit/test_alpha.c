/* test_alpha.c - the self-chosen target step against a scan of the sum of parabolas; its guards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "../uniform.h"
#include "reluopt/alpha.h"

enum { STEPS = 40, SCAN = 200000 };

static const double relaxation = 1.25;

/* Losses with none, half and all of a step that was taken with alpha. */
typedef struct Measured {
    double alpha, weight, loss[3];
} Measured;

/* The parabola through the three losses, at alpha = s (Lagrange). */
static double parabola(const Measured *m, double s)
{
    double x = s / m->alpha;
    return m->loss[0] * (2 * x - 1) * (x - 1) + m->loss[1] * 4 * x * (1 - x) + m->loss[2] * x * (2 * x - 1);
}

static double least_of_sum(const Measured *list, int count, double most)
{
    double best = 0, least = INFINITY;
    for (int i = 0; i <= SCAN; i++) {
        double s = most * i / SCAN, sum = 0;
        for (int k = 0; k < count; k++)
            sum += list[k].weight * parabola(&list[k], s);
        if (sum < least) {
            least = sum;
            best = s;
        }
    }
    return best;
}

/* Losses that fall up to a random step near 1 and rise after it, each batch on its own level. */
static Measured measure(double alpha)
{
    double level = 1.5 + 1.5 * uniform(), best = 0.7 + 0.5 * uniform(), curve = 0.6 + 0.5 * uniform();
    Measured m = {.alpha = alpha, .weight = 8.5 + 7.5 * uniform()};
    for (int i = 0; i < 3; i++)
        m.loss[i] = level + curve * pow(alpha * i / 2 - best, 2);
    return m;
}

static void alpha_is_where_the_sum_of_losses_is_least(void **state)
{
    (void)state;
    Measured list[STEPS];
    AlphaState s = {.alpha = 1};
    for (int k = 0; k < STEPS; k++) {
        double before = s.alpha;
        list[k] = measure(before);
        reluopt_alpha_follow(&s, list[k].loss, list[k].weight, relaxation);
        double best = relaxation * least_of_sum(list, k + 1, 4);
        best = fmin(fmax(best, before / 2), 2 * before);
        assert_true(fabs(s.alpha - best) < 1e-4);
    }
}

static void follow(AlphaState *s, double none, double half, double all)
{
    reluopt_alpha_follow(s, (double[]){none, half, all}, 1, relaxation);
}

static float from_three(double none, double half, double all)
{
    AlphaState s = {.alpha = 3};
    follow(&s, none, half, all);
    return s.alpha;
}

static void alpha_moves_by_a_factor_of_two_at_most(void **state)
{
    (void)state;
    assert_true(from_three(1, 0.9, 0.8) == 6);    /* straight down */
    assert_true(from_three(1, 0.999, 0.9) == 6);  /* ever steeper */
    assert_true(from_three(1, 0.9, 0.81) == 6);   /* the least is far */
    assert_true(from_three(1, 1.1, 1.3) == 1.5f); /* uphill */
    assert_true(from_three(1, 1.2, 1.3) == 1.5f);
    assert_true(from_three(1, 1, 1) == 1.5f); /* nothing gained */
    assert_true(from_three(1, 1e9, 1e12) == 1.5f);
}

static void losses_that_are_not_finite_change_nothing(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, 1.7e308};
    for (int i = 0; i < 3; i++) {
        AlphaState s = {.alpha = 2, .slope = 1, .curvature = 1};
        follow(&s, 1, 1, bad[i] * 4);
        follow(&s, bad[i], -bad[i], bad[i]);
        assert_true(s.alpha == 2 && s.slope == 1 && s.curvature == 1);
    }
}

static void alpha_stays_a_number_however_long_nothing_is_gained(void **state)
{
    (void)state;
    AlphaState s = {.alpha = 1};
    for (int i = 0; i < 1000; i++)
        follow(&s, 1, 1, 1);
    assert_true(s.alpha > 0 && isfinite(s.slope) && isfinite(s.curvature));
    s = (AlphaState){.alpha = 1};
    for (int i = 0; i < 1000; i++)
        follow(&s, 1, 0.5, 0);
    assert_true(isfinite(s.alpha) && isfinite(s.slope) && isfinite(s.curvature));
}

/* Steps that gain nothing, measured in single precision: neither sum is lost in what rounding adds. */
static void rounded_losses_do_not_decide(void **state)
{
    (void)state;
    AlphaState s = {.alpha = 1};
    double curvature = 0, level = 0.5, curve = 0.3;
    for (int k = 0; k < 2000; k++) {
        float loss[3];
        level = 0.4 + 0.4 * uniform();
        for (int i = 0; i < 3; i++)
            loss[i] = (float)(level + curve * pow((double)s.alpha * i / 2, 2));
        follow(&s, loss[0], loss[1], loss[2]);
        curvature += curve;
    }
    assert_true(s.alpha > 0 && s.alpha < 0.01);
    assert_true(fabs(s.curvature / curvature - 1) < 0.1);
    assert_true(fabs(s.slope) < 0.1 * curvature * s.alpha);
    for (int k = 0; k < 4000; k++) { /* from here on they gain */
        float loss[3];
        for (int i = 0; i < 3; i++)
            loss[i] = (float)(level + curve * pow((double)s.alpha * i / 2 - 1, 2));
        follow(&s, loss[0], loss[1], loss[2]);
    }
    assert_true(s.alpha > 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alpha_is_where_the_sum_of_losses_is_least),
        cmocka_unit_test(alpha_moves_by_a_factor_of_two_at_most),
        cmocka_unit_test(losses_that_are_not_finite_change_nothing),
        cmocka_unit_test(alpha_stays_a_number_however_long_nothing_is_gained),
        cmocka_unit_test(rounded_losses_do_not_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
