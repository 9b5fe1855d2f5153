/* test_options.c - the option table: defaults, keys and values of the command line, choices, explanations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "configurations.h"

/* "--key value" is refused, changes nothing, and the message names it and contains `hint`. */
static void assert_not_set(const char *key, const char *value, const char *hint)
{
    Config config = defaults(), before = defaults();
    Error error = {0};
    char option[128];
    snprintf(option, sizeof option, "--%s %s", key, *value != '\0' ? value : "''");
    if (reluopt_config_set(&config, key, value, &error) != RELUOPT_USAGE)
        fail_msg("%s is accepted", option);
    assert_contains(error.message, option);
    assert_contains(error.message, hint);
    assert_contains(error.message, "(default ");
    assert_memory_equal(&config, &before, sizeof config);
}

static void test_defaults(void **state)
{
    (void)state;
    Config c = defaults();
    assert_string_equal(c.method, "adaptive");
    assert_int_equal(c.variant, VARIANT_AUTO);
    assert_int_equal(c.activation, ACTIVATION_RELU);
    assert_int_equal(c.update, UPDATE_AUTO);
    assert_true(c.learning_rate == RELUOPT_AUTO && c.momentum == RELUOPT_AUTO);
    assert_true(c.decay == RELUOPT_AUTO && c.epsilon == RELUOPT_AUTO);
    assert_int_equal(c.hidden, 2);
    assert_int_equal(c.network[0], 100);
    assert_int_equal(c.network[1], 100);
    assert_int_equal(c.batch, RELUOPT_AUTO);
    assert_int_equal(c.epochs, 20);
    assert_int_equal(c.seed, 1);
    assert_true(c.alpha == RELUOPT_AUTO && c.inverse.noise == 0.1 && c.rate.start == 1);
    assert_int_equal(c.direction, DIRECTION_WHITENED);
    assert_true(c.whitening.lambda == RELUOPT_AUTO);
    assert_true(c.gate);
    assert_int_equal(c.inverse.kind, INVERSE_AUTO);
    assert_int_equal(c.inverse.steps, 1);
    assert_int_equal(c.rate.rule, RATE_OPT);
    assert_int_equal(c.rate.scope, SCOPE_NEURON);
    assert_int_equal(c.init.forward, INIT_ORTHOGONAL);
    assert_int_equal(c.init.inverse, INIT_AUTO);
    assert_true(c.average == RELUOPT_AUTO && c.augment.noise == 0);
    assert_true(c.augment.shift == RELUOPT_AUTO && c.augment.flip == FLIP_AUTO);
    assert_int_equal(c.preprocess, PREPROCESS_AUTO);
    assert_int_equal(c.coordinator, COORDINATOR_SHARED);
    assert_string_equal(c.data.name, "rings-xor");
    assert_string_equal(c.data.label, "last");
    assert_string_equal(c.data.dir, "");
    assert_int_equal(c.data.header, 2);
    assert_int_equal(c.data.holdout, RELUOPT_AUTO);
    assert_int_equal(c.data.train_samples, 0);
    assert_int_equal(c.eval.train, TRAIN_AUTO);
    assert_int_equal(c.checkpoint.every, 1);
    assert_int_equal(c.checkpoint.steps, 0);
    assert_int_equal(c.checkpoint.keep, 2);
}

static void test_set_good(void **state)
{
    (void)state;
    Config c = defaults();
    assert_set(&c, "batch", "0");
    assert_int_equal(c.batch, 0);
    assert_set(&c, "batch", "auto");
    assert_int_equal(c.batch, RELUOPT_AUTO);
    assert_set(&c, "seed", "9223372036854775807");
    assert_true(c.seed == INT64_MAX);
    assert_set(&c, "alpha", "2.5e-1");
    assert_true(c.alpha == 0.25);
    assert_set(&c, "inverse.noise", "0");
    assert_true(c.inverse.noise == 0);
    assert_set(&c, "gate", "false");
    assert_false(c.gate);
    assert_set(&c, "gate", "yes");
    assert_true(c.gate);
    assert_set(&c, "variant", "line-search");
    assert_int_equal(c.variant, VARIANT_LINE_SEARCH);
    assert_set(&c, "network", "7");
    assert_int_equal(c.hidden, 1);
    assert_set(&c, "network", "16777216, 1,3");
    assert_int_equal(c.hidden, 3);
    assert_int_equal(c.network[0], 1 << 24);
    assert_int_equal(c.network[2], 3);
    assert_set(&c, "network", "7");
    assert_int_equal(c.network[1], 0); /* what was beyond is cleared */
    assert_set(&c, "data.train", "a, b: #c");
    assert_string_equal(c.data.train, "a, b: #c");
    assert_set(&c, "data.header", "no");
    assert_int_equal(c.data.header, 0);
}

static void test_set_bad_numbers(void **state)
{
    (void)state;
    static const char *const integers[] = {
        "",   "1e3", "3.7",   " 1",  "1 ",  "0x10", "abc", "-",
        "+1", "1-2", "1,000", "inf", "0x1", "--1",  "-1",  "99999999999999999999"};
    static const char *const reals[] = {"",   "nan",   "inf", "-inf", "0x1p3", " 1",    "1 ", "1,5",
                                        "1e", "1.2.3", ".",   "e5",   "-1",    "1e999", "1f", "infinity"};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        assert_not_set("batch", integers[i], "must be an integer from 0 to 1000000000, or auto (default auto)");
        assert_not_set("seed", integers[i], "must be an integer from 0 to 9223372036854775807 (default 1)");
    }
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        assert_not_set("alpha", reals[i], "must be a number > 0 and <= 1000000, or auto (default auto)");
        assert_not_set("inverse.noise", reals[i], "must be a number >= 0 and <= 1000000 (default 0.1)");
    }
    assert_not_set("epochs", "0", "an integer from 1 to");
    assert_not_set("epochs", "auto", "an integer from 1 to");
    assert_not_set("epochs", "1000000001", "an integer from 1 to");
    assert_not_set("alpha", "0", "> 0");
    assert_not_set("alpha", "1e-400", "> 0");
}

static void test_set_bad_others(void **state)
{
    (void)state;
    static const char *const widths[] = {"0",        "500,", ",500", "500,,5", "a",  "1.5",
                                         "16777217", "5 ,5", "-1",   "5;5",    " 5", "00000000000000000005"};
    static const char *const bools[] = {"", "on", "1", "Yes", "y", "TRUE", "yes "};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        assert_not_set("network", widths[i], "at most 64 widths from 1 to 16777216");
    for (size_t i = 0; i < sizeof bools / sizeof *bools; i++)
        assert_not_set("gate", bools[i], "must be yes or no (default yes)");
    assert_not_set("variant", "batches", "one of online, batch, line-search, auto (default auto)");
    assert_not_set("variant", "", "one of online");
    assert_not_set("init.forward", "transpose", "one of he, glorot, orthogonal");
    assert_not_set("data.name", "a name that is so long that it does not fit into its sixty-three byt",
                   "63 bytes");
    assert_not_set("data.dir", "\xff", "UTF-8");
    assert_not_set("data.dir", "caf\xc3", "UTF-8");
    assert_not_set("data.dir", "\xc0\xaf", "UTF-8");     /* "/" in too many bytes */
    assert_not_set("data.dir", "\xed\xa0\x80", "UTF-8"); /* half a surrogate pair */
    assert_not_set("data.dir", "\xf4\x90\x80\x80", "UTF-8");
    assert_not_set("data.dir", "\xf8\x88\x80\x80\x80", "UTF-8");
}

static void test_most_layers(void **state)
{
    (void)state;
    char list[RELUOPT_MAX_LAYERS * 9 + 16] = "16777216";
    for (int i = 1; i < RELUOPT_MAX_LAYERS; i++)
        strcat(list, ",16777216");
    Config c = defaults();
    assert_set(&c, "network", list);
    assert_int_equal(c.hidden, RELUOPT_MAX_LAYERS);
    assert_round_trip(&c);
    Error error = {0};
    assert_int_equal(reluopt_config_set(&c, "network", strcat(list, ",1"), &error), RELUOPT_USAGE);
}

static void test_text_limits(void **state)
{
    (void)state;
    char text[RELUOPT_TEXT + 1];
    Config c = defaults();
    Error error = {0};
    memset(text, 'x', sizeof text);
    text[RELUOPT_TEXT - 1] = '\0';
    assert_set(&c, "data.dir", text);
    assert_string_equal(c.data.dir, text);
    assert_round_trip(&c);
    assert_set(&c, "data.dir", "");
    Config fresh = defaults();
    assert_memory_equal(&c, &fresh, sizeof c);
    text[RELUOPT_TEXT - 1] = 'x';
    text[RELUOPT_TEXT] = '\0';
    assert_int_equal(reluopt_config_set(&c, "data.dir", text, &error), RELUOPT_USAGE);
    assert_contains(error.message, "at most 1023 bytes (default empty)");
}

static void test_unknown_option(void **state)
{
    (void)state;
    static const char *const near[][2] = {
        {"btach", "batch"},           {"inverse.knd", "inverse.kind"},          {"steps", "inverse.steps"},
        {"noize", "inverse.noise"},   {"train-samples", "data.train_samples"},  {"Batch", "batch"},
        {"networks", "network"},      {"checkpoint_every", "checkpoint.every"}, {"scope", "rate.scope"},
        {"pre-process", "preprocess"}};
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        Config c = defaults();
        Error error = {0};
        char expected[128];
        snprintf(expected, sizeof expected, "--%s: unknown key; did you mean %s?", near[i][0], near[i][1]);
        assert_false(reluopt_config_is_key(near[i][0]));
        assert_int_equal(reluopt_config_set(&c, near[i][0], "1", &error), RELUOPT_USAGE);
        assert_string_equal(error.message, expected);
    }
    static const char *const far[] = {"", "x", "weather", "garbage_collector", "a.b.c.d.e"};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        Config c = defaults();
        Error error = {0};
        assert_int_equal(reluopt_config_set(&c, far[i], "1", &error), RELUOPT_USAGE);
        assert_contains(error.message, "unknown key");
        assert_null(strstr(error.message, "did you mean"));
    }
    Config c = defaults();
    Error error = {0};
    assert_int_equal(reluopt_config_set(&c, "inverse", "fixed", &error), RELUOPT_USAGE);
    assert_string_equal(error.message,
                        "--inverse: is a group of keys: inverse.kind, inverse.activation, inverse.steps, "
                        "inverse.noise, inverse.rate, inverse.warmup, inverse.alternate");
    assert_true(reluopt_config_is_key("inverse.kind"));
    assert_false(reluopt_config_is_key("inverse"));
}

static void test_choice_names(void **state)
{
    (void)state;
    assert_string_equal(reluopt_config_choice("direction", DIRECTION_PLAIN), "plain");
    assert_string_equal(reluopt_config_choice("variant", VARIANT_LINE_SEARCH), "line-search");
    assert_string_equal(reluopt_config_choice("rate.rule", RATE_ONLINE), "online");
    assert_string_equal(reluopt_config_choice("rate.scope", SCOPE_LAYER), "layer");
    assert_string_equal(reluopt_config_choice("inverse.kind", INVERSE_FIXED), "fixed");
    assert_string_equal(reluopt_config_choice("init.inverse", INIT_TRANSPOSE), "transpose");
    assert_string_equal(reluopt_config_choice("preprocess", PREPROCESS_ZCA), "zca");
    assert_string_equal(reluopt_config_choice("coordinator", COORDINATOR_DEDICATED), "dedicated");
    assert_string_equal(reluopt_config_choice("eval.train", TRAIN_FULL), "full");
    assert_string_equal(reluopt_config_choice("data.header", 2), "auto");
    assert_string_equal(reluopt_config_choice("direction", 3), "?");
    assert_string_equal(reluopt_config_choice("direction", -1), "?");
    assert_string_equal(reluopt_config_choice("batch", 0), "?");
    assert_string_equal(reluopt_config_choice("nothing", 0), "?");
}

/* What a key or a group is explained as; malloc'ed. */
static char *explained(const char *key, Error *error)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    reluopt_config_explain(out, key, error);
    fclose(out);
    return text;
}

static void test_explain(void **state)
{
    (void)state;
    KeyInfo info;
    Error error = {0};
    for (size_t i = 0; reluopt_config_key(i, &info); i++) {
        char *text = explained(info.key, &error), *next;
        assert_int_equal(error.code, RELUOPT_OK);
        assert_int_equal(strncmp(text, info.key, strlen(info.key)), 0);
        for (char *line = text; *line != '\0'; line = next) {
            next = strchr(line, '\n') + 1;
            if (next - line > 80 + 40) /* a list of choices may need more */
                fail_msg("too wide: %.*s", (int)(next - line), line);
        }
        free(text);
    }
    char *group = explained("inverse", &error), *unknown = explained("invers", &error);
    assert_contains(group, "inverse.kind\n");
    assert_contains(group, "one of trained, fixed, transpose, mirror, auto (default auto)\n");
    assert_contains(group, "inverse.alternate\n");
    assert_int_equal(error.code, RELUOPT_USAGE);
    assert_string_equal(unknown, "");
    free(group);
    free(unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),        cmocka_unit_test(test_set_good),
        cmocka_unit_test(test_set_bad_numbers), cmocka_unit_test(test_set_bad_others),
        cmocka_unit_test(test_most_layers),     cmocka_unit_test(test_text_limits),
        cmocka_unit_test(test_unknown_option),  cmocka_unit_test(test_choice_names),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
