/* test_grid.c - the grid that is chosen, what it is chosen by, and the setting that names one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "reluopt/grid.h"

static Config configured(const char *method, const char *key, const char *value)
{
    Config config;
    Error error = {0};
    reluopt_config_default(&config);
    config.reproducible = false;
    config.direction = DIRECTION_CENTRED;
    reluopt_config_set(&config, "method", method, &error);
    if (key)
        reluopt_config_set(&config, key, value, &error);
    reluopt_config_resolve(&config);
    assert_int_equal(error.code, RELUOPT_OK);
    return config;
}

/* By hand, for 3-5-4-2: W have 20, 24, 10 values; V[2], V[3] 25 and 12. */
static void costs_are_those_of_the_table(void **state)
{
    (void)state;
    const Shape shape = {.layers = 3, .width = {3, 5, 4, 2}};
    const struct {
        const char *method, *key, *value;
        double neurons, weights;
    } cases[] = {
        {"adaptive", "inverse.kind", "trained", 11 + 4 + 6, 54 + 37},
        {"adaptive", "inverse.steps", "3", 11 + 4 + 3 * 6, 54 + 3 * 37},
        {"adaptive", "direction", "whitened", 11 + 4 + 6, 54 + 37 + (25 + 16) / 4.0},
        {"adaptive", "inverse.kind", "mirror", 11 + 4 + 6, 54 + 37},
        {"adaptive", "inverse.kind", "fixed", 11 + 4, 54},
        {"adaptive", "inverse.kind", "transpose", 11 + 9, 54},
        {"dtp", NULL, NULL, 11 + 8 + 4, 54 + 25},
        {"tp", "target.layer", "output", 11 + 4 + 6, 54 + 37},
        {"adam", NULL, NULL, 11 + 9, 54},
        {"fa", NULL, NULL, 11 + 4, 54},
        {"dfa", NULL, NULL, 11, 54},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config config = configured(cases[i].method, cases[i].key, cases[i].value);
        GridCost cost = reluopt_grid_cost(&config, &shape);
        assert_true(cost.neurons == cases[i].neurons && cost.weights == cases[i].weights);
    }
}

static void bytes_of_a_rank(void **state)
{
    (void)state;
    GridCost cost = {.neurons = 100, .weights = 1000};
    assert_true(reluopt_grid_bytes(cost, 64, 1, 1) == 0);
    assert_true(reluopt_grid_bytes(cost, 64, 1, 4) == 4 * 100 * 64 * 0.75);
    assert_true(reluopt_grid_bytes(cost, 64, 4, 1) == 4 * 2 * 1000 * 0.75);
    assert_true(reluopt_grid_bytes(cost, 64, 2, 2) == 4 * (100 * 32 * 0.5 + 2 * 1000 * 0.5 * 0.5));
    assert_true(reluopt_grid_bytes(cost, 65, 2, 2) == 4 * (100 * 33 * 0.5 + 2 * 1000 * 0.5 * 0.5));
}

static void the_cheapest_grid_is_chosen(void **state)
{
    (void)state;
    Config config = configured("adaptive", NULL, NULL);
    static const size_t batches[] = {1, 3, 100, 8192}, widths[] = {10, 500, 65536};
    for (size_t b = 0; b < 4; b++)
        for (size_t w = 0; w < 3; w++)
            for (int size = 1; size <= 96; size++) {
                const Shape shape = {.layers = 3, .width = {784, widths[w], widths[w], 10}};
                GridCost cost = reluopt_grid_cost(&config, &shape);
                int chosen = reluopt_grid_choose(&config, &shape, batches[b], size);
                double least = reluopt_grid_bytes(cost, batches[b], chosen, size / chosen);
                assert_true(size % chosen == 0 && (size_t)chosen <= batches[b]);
                for (int data = 1; data <= size && (size_t)data <= batches[b]; data++)
                    if (size % data == 0)
                        assert_true(least <= reluopt_grid_bytes(cost, batches[b], data, size / data));
            }
}

/* Large batches are divided, large networks are not; in between both are. */
static void plain_cases(void **state)
{
    (void)state;
    Config config = configured("adaptive", NULL, NULL);
    const Shape narrow = {.layers = 3, .width = {20, 32, 32, 4}};
    const Shape wide = {.layers = 3, .width = {784, 65536, 65536, 10}};
    const Shape usual = {.layers = 4, .width = {784, 500, 500, 500, 10}};
    assert_int_equal(reluopt_grid_choose(&config, &narrow, 8192, 16), 16);
    assert_int_equal(reluopt_grid_choose(&config, &wide, 100, 16), 1);
    int data = reluopt_grid_choose(&config, &usual, 1000, 64);
    assert_true(data > 1 && data < 64);
}

static void nothing_is_divided_where_it_cannot_be(void **state)
{
    (void)state;
    static const char *const settings[][3] = {
        {"adaptive", "reproducible", "yes"},
        {"mgbdt", NULL, NULL},
        {"adaptive", "coordinator", "dedicated"},
        {"adaptive", "rate.rule", "exact"},
    };
    const Shape shape = {.layers = 3, .width = {20, 32, 32, 4}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        Config config = configured(settings[i][0], settings[i][1], settings[i][2]);
        assert_non_null(reluopt_config_undivided(&config));
        assert_int_equal(reluopt_grid_choose(&config, &shape, 8192, 16), 1);
    }
}

static void settings_name_a_grid(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int size, data; /* -1: refused */
    } cases[] = {
        {"auto", 7, 0},
        {"1x7", 7, 1},
        {"7x1", 7, 7},
        {"2x4", 8, 2},
        {"64x16", 1024, 64},
        {"2x4", 6, -1},
        {"2", 2, -1},
        {"x2", 2, -1},
        {"2x", 2, -1},
        {"0x2", 2, -1},
        {"-1x2", 2, -1},
        {"2x1x1", 2, -1},
        {" 2x1", 2, -1},
        {"2 x 1", 2, -1},
        {"2X1", 2, -1},
        {"2x1 ", 2, -1},
        {"", 1, -1},
        {"two", 1, -1},
        {"99999999999x1", 1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int data = 12345;
        Error error = {0};
        Config config = configured("adaptive", "grid", cases[i].text);
        int code = reluopt_config_grid(&config, cases[i].size, &data, &error);
        assert_int_equal(code, cases[i].data < 0 ? RELUOPT_USAGE : RELUOPT_OK);
        if (cases[i].data >= 0)
            assert_int_equal(data, cases[i].data);
        else
            assert_non_null(strstr(error.message, "grid: "));
    }
}

/* Evaluation takes fewer samples at a time where a layer is very wide. */
static void columns_fit_into_counts_of_messages(void **state)
{
    (void)state;
    const Shape usual = {.layers = 2, .width = {784, 500, 10}};
    const Shape wide = {.layers = 2, .width = {2, 1 << 24, 2}};
    Shape fitting = wide;
    Error error = {0};
    assert_int_equal(reluopt_shape_columns(&usual, 256), 256);
    fitting.columns = reluopt_shape_columns(&wide, 256);
    assert_int_equal(fitting.columns, 127);
    assert_int_equal(reluopt_shape_check(&fitting, &error), RELUOPT_OK);
    fitting.columns++;
    assert_int_equal(reluopt_shape_check(&fitting, &error), RELUOPT_USAGE);
    assert_non_null(strstr(error.message, "at most 127"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(costs_are_those_of_the_table),          cmocka_unit_test(bytes_of_a_rank),
    cmocka_unit_test(the_cheapest_grid_is_chosen),           cmocka_unit_test(plain_cases),
    cmocka_unit_test(nothing_is_divided_where_it_cannot_be), cmocka_unit_test(settings_name_a_grid),
    cmocka_unit_test(columns_fit_into_counts_of_messages),
};

int main(void)
{
    return cmocka_run_group_tests_name("grid", tests, NULL, NULL);
}
