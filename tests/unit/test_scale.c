/* test_scale.c - axes: ends, ticks, positions, texts. */
#include "scratch.h"

#include <math.h>

#include "reluopt/scale.h"

/* The texts of all ticks, with blanks between them; valid until the next call. */
static const char *ticks_of(const Scale *scale)
{
    static char all[512];
    char text[RELUOPT_TICK_TEXT];
    all[0] = '\0';
    for (size_t k = 0; k < scale->ticks; k++) {
        reluopt_scale_text(scale, k, text);
        strcat(strcat(all, k ? " " : ""), text);
    }
    return all;
}

static void check(ScaleKind kind, double low, double high, int wanted, const char *ticks)
{
    Scale scale = reluopt_scale(kind, (Range){low, high}, wanted, 0, 100);
    assert_string_equal(ticks_of(&scale), ticks);
}

static void ticks_are_round(void **state)
{
    (void)state;
    check(SCALE_LINEAR, 82.6, 91.2, 5, "82 84 86 88 90 92");
    check(SCALE_LINEAR, 0, 100, 4, "0 25 50 75 100");
    check(SCALE_LINEAR, 97.31, 98.4, 5, "97.25 97.50 97.75 98.00 98.25 98.50");
    check(SCALE_LINEAR, -0.3, 0.3, 5, "-0.4 -0.2 0.0 0.2 0.4");
    check(SCALE_LINEAR, 99.9999, 100, 4, "99.999900 99.999925 99.999950 99.999975 100.000000");
}

static void epochs_are_whole_numbers_within_the_range(void **state)
{
    (void)state;
    check(SCALE_WHOLE, 1, 5, 8, "1 2 3 4 5");
    check(SCALE_WHOLE, 1, 300, 6, "50 100 150 200 250 300");
    check(SCALE_WHOLE, 1, 1, 8, "1");
    check(SCALE_WHOLE, 7, 7, 8, "7");
    check(SCALE_WHOLE, 1, 2, 8, "1 2");
    Scale scale = reluopt_scale(SCALE_WHOLE, (Range){1, 300}, 6, 0, 100);
    assert_true(scale.low == 1 && scale.high == 300);
}

static void logarithmic_ticks_fit_the_span(void **state)
{
    (void)state;
    check(SCALE_LOG, 0.26, 0.49, 5, "0.25 0.3 0.35 0.4 0.45 0.5");
    check(SCALE_LOG, 0.03, 0.5, 5, "0.02 0.05 0.1 0.2 0.5");
    check(SCALE_LOG, 0.0013, 2.5, 5, "0.001 0.01 0.1 1 10");
    check(SCALE_LOG, 3e-8, 2, 4, "10⁻⁸ 10⁻⁵ 0.01 10");
    check(SCALE_LOG, 0.001, 0.001, 5, "0.0005 0.001 0.002");
    check(SCALE_LOG, 1e-12, 1e14, 3, "10⁻¹² 0.001 10⁶");
}

static void every_value_is_between_the_ends_at_its_place(void **state)
{
    (void)state;
    for (int kind = SCALE_LINEAR; kind <= SCALE_LOG; kind++)
        for (double low = 1e-7; low < 1e7; low *= 3.7)
            for (double ratio = 1; ratio < 1e9; ratio = 1.01 * ratio * ratio + 0.01) {
                Scale scale = reluopt_scale((ScaleKind)kind, (Range){low, low * ratio}, 5, 10, 110);
                assert_true(scale.low <= low * (1 + 1e-9) && scale.high >= low * ratio * (1 - 1e-9));
                assert_true(reluopt_scale_at(&scale, low) >= 10 - 1e-4);
                assert_true(reluopt_scale_at(&scale, low * ratio) <= 110 + 1e-4);
                assert_true(kind == SCALE_WHOLE || scale.ticks >= 2);
                for (size_t k = 1; k < scale.ticks; k++)
                    assert_true(scale.tick[k] > scale.tick[k - 1]);
            }
}

static void what_cannot_be_shown_has_no_place(void **state)
{
    (void)state;
    Scale linear = reluopt_scale(SCALE_LINEAR, (Range){0, 2}, 2, 100, 0);
    Scale log = reluopt_scale(SCALE_LOG, (Range){0.1, 10}, 5, 100, 0);
    assert_true(reluopt_scale_at(&linear, 0.5) == 75);
    assert_true(fabs(reluopt_scale_at(&log, 1) - 50) < 1e-9);
    assert_true(isnan(reluopt_scale_at(&linear, NAN)) && isnan(reluopt_scale_at(&linear, INFINITY)));
    assert_true(isnan(reluopt_scale_at(&log, 0)) && isnan(reluopt_scale_at(&log, -1)));
    Range range = reluopt_range_empty();
    reluopt_range_add(&range, SCALE_LOG, 0);
    reluopt_range_add(&range, SCALE_LOG, NAN);
    assert_true(range.low > range.high);
    Scale empty = reluopt_scale(SCALE_LOG, range, 5, 0, 100);
    assert_true(empty.low == 1 && empty.high == 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_round),
        cmocka_unit_test(epochs_are_whole_numbers_within_the_range),
        cmocka_unit_test(logarithmic_ticks_fit_the_span),
        cmocka_unit_test(every_value_is_between_the_ends_at_its_place),
        cmocka_unit_test(what_cannot_be_shown_has_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
