/* test_plot.c - line plots and confusion matrices as SVG. */
#include "scratch.h"

#include <math.h>
#include <stdbool.h>

#include "reluopt/matrix.h"
#include "reluopt/plot.h"

enum { MOST = 300, LINES = 12 };

static double values[LINES][MOST];

static double x_of(const Series *series, size_t k)
{
    (void)series;
    return (double)k + 1;
}

static double y_of(const Series *series, size_t k)
{
    return ((const double *)series->data)[k];
}

/* Line i through the first `count` of values[i]. */
static Series make_series(size_t i, size_t count, const char *name)
{
    return (Series){.label = name,
                    .name = name,
                    .family = 's',
                    .colour = i,
                    .mark = i,
                    .count = count,
                    .x = x_of,
                    .y = y_of,
                    .data = values[i]};
}

/* The SVG of a plot of these lines; free it. */
static char *draw(Series *series, size_t count, ScaleKind kind, bool alone)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    Plot plot = {.title = "<Loss>",
                 .unit = "a & b",
                 .kind = kind,
                 .y = reluopt_range_empty(),
                 .series = series,
                 .count = count,
                 .width = 420,
                 .height = 260,
                 .hover = true};
    assert_non_null(out);
    reluopt_plot_range(&plot.y, kind, series, count);
    reluopt_plot_put(out, &plot, alone);
    fclose(out);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

/* Commands of the path with that class: how many are `command`. */
static size_t commands(const char *text, const char *class, char command)
{
    size_t count = 0;
    const char *path = strstr(text, class);
    assert_non_null(path);
    for (const char *c = strstr(path, " d=\"") + 4; *c != '"'; c++)
        count += *c == command;
    return count;
}

static void gaps_stay_open(void **state)
{
    (void)state;
    const double given[] = {1, 2, NAN, 3, NAN, 4, 5};
    memcpy(values[0], given, sizeof given);
    Series series = make_series(0, 7, "run");
    char *text = draw(&series, 1, SCALE_LINEAR, false);
    assert_int_equal(commands(text, "class=\"line s0\"", 'M'), 3); /* 1-2, 3 alone, 4-5 */
    assert_int_equal(commands(text, "class=\"line s0\"", 'L'), 2);
    assert_int_equal(commands(text, "class=\"mark s0\"", 'M'), 5);
    assert_int_equal(count_of(text, "<title>"), 7);
    assert_non_null(strstr(text, "<title>epoch 3</title>"));
    assert_non_null(strstr(text, "<title>epoch 4\nrun  3</title>"));
    free(text);
}

static void logarithmic_axes_leave_zero_out(void **state)
{
    (void)state;
    const double given[] = {1, 0, 0.01};
    memcpy(values[0], given, sizeof given);
    Series series = make_series(0, 3, "run");
    char *text = draw(&series, 1, SCALE_LOG, false);
    assert_int_equal(commands(text, "class=\"line s0\"", 'M'), 2);
    free(text);
}

static void one_point_is_seen(void **state)
{
    (void)state;
    values[0][0] = 97;
    Series series = make_series(0, 1, "run");
    char *text = draw(&series, 1, SCALE_LINEAR, false);
    assert_int_equal(commands(text, "class=\"mark s0\"", 'M'), 1);
    free(text);
}

static void nothing_at_all_is_a_plot_too(void **state)
{
    (void)state;
    values[0][0] = NAN;
    Series series = make_series(0, 1, "run");
    char *text = draw(&series, 1, SCALE_LOG, false);
    assert_int_equal(count_of(text, ">run</text>"), 0);
    free(text);
    text = draw(&series, 0, SCALE_LINEAR, false);
    assert_non_null(strstr(text, "</svg>"));
    free(text);
}

static void text_is_escaped(void **state)
{
    (void)state;
    values[0][0] = 1;
    Series series = make_series(0, 1, "<b>\"&");
    char *text = draw(&series, 1, SCALE_LINEAR, false);
    assert_null(strstr(text, "<b>"));
    assert_non_null(strstr(text, ">&lt;b&gt;&quot;&amp;</text>"));
    assert_non_null(strstr(text, "aria-label=\"&lt;Loss&gt;\""));
    assert_non_null(strstr(text, "a &amp; b"));
    free(text);
}

/* Names of lines that end in one point stand one below the other, inside the drawing. */
static void names_do_not_overlap(void **state)
{
    (void)state;
    Series series[LINES];
    for (size_t i = 0; i < LINES; i++) {
        values[i][0] = values[i][1] = i < 9 ? 1 : 0;
        series[i] = make_series(i, 2, "run");
    }
    char *text = draw(series, LINES, SCALE_LINEAR, false);
    assert_int_equal(count_of(text, "class=\"label\""), LINES);
    for (size_t i = 0; i < LINES; i++) {
        assert_true(series[i].label_y >= 20 && series[i].label_y <= 240);
        for (size_t j = 0; j < i; j++)
            assert_true(fabs(series[i].label_y - series[j].label_y) >= 13.9);
    }
    free(text);
}

static void long_runs_have_few_marks_and_columns(void **state)
{
    (void)state;
    for (size_t k = 0; k < MOST; k++)
        values[0][k] = sin((double)k);
    Series series = make_series(0, MOST, "run");
    char *text = draw(&series, 1, SCALE_LINEAR, false);
    assert_true(commands(text, "class=\"mark s0\"", 'M') <= 10);
    assert_true(count_of(text, "<title>") <= 100 && count_of(text, "<title>") >= 50);
    assert_int_equal(commands(text, "class=\"line s0\"", 'L'), MOST - 1);
    free(text);
}

static void a_file_of_its_own_has_a_style(void **state)
{
    (void)state;
    Series series = make_series(0, 2, "run");
    char *text = draw(&series, 1, SCALE_LINEAR, true);
    assert_non_null(strstr(text, "<style>"));
    assert_non_null(strstr(text, "width=\"420\" height=\"260\""));
    assert_int_equal(count_of(text, "<title>"), 0);
    free(text);
}

/* Three classes: 8 + 5 + 0 right, 1 and 3 confused; none of the third. */
static const uint64_t counts[] = {8, 1, 1, 3, 5, 0, 0, 0, 0};
static char *names[] = {"<a>", "b", "c"};

static void confusions_come_most_frequent_first(void **state)
{
    (void)state;
    Matrix matrix = {3, counts, names};
    Confused list[2];
    assert_int_equal(reluopt_matrix_total(&matrix), 18);
    assert_int_equal(reluopt_matrix_right(&matrix), 13);
    assert_int_equal(reluopt_matrix_row(&matrix, 1), 8);
    assert_int_equal(reluopt_matrix_confused(&matrix, list, 2), 2);
    assert_true(list[0].from == 1 && list[0].to == 0 && list[0].count == 3);
    assert_true(list[1].from == 0 && list[1].to == 1 && list[1].count == 1);
}

static void a_matrix_says_what_its_cells_mean(void **state)
{
    (void)state;
    Matrix matrix = {3, counts, names};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    reluopt_matrix_put(out, &matrix, "Test & part", 420, false);
    fclose(out);
    assert_non_null(strstr(text, "13 of 18 right"));
    assert_non_null(strstr(text, "<title>b taken for &lt;a&gt;: 3 of 8 (37.5 %)</title>"));
    assert_non_null(strstr(text, "<title>&lt;a&gt; recognised: 8 of 10 (80.0 %)</title>"));
    assert_int_equal(count_of(text, "class=\"wrong\""), 3);
    assert_int_equal(count_of(text, "class=\"right\""), 2);
    assert_null(strstr(text, "nan"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_stay_open),
        cmocka_unit_test(logarithmic_axes_leave_zero_out),
        cmocka_unit_test(one_point_is_seen),
        cmocka_unit_test(nothing_at_all_is_a_plot_too),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(names_do_not_overlap),
        cmocka_unit_test(long_runs_have_few_marks_and_columns),
        cmocka_unit_test(a_file_of_its_own_has_a_style),
        cmocka_unit_test(confusions_come_most_frequent_first),
        cmocka_unit_test(a_matrix_says_what_its_cells_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
