/* test_config.c - the option table, its YAML reader, its texts and its checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reluopt/config.h"

static Config defaults(void)
{
    Config config;
    reluopt_config_default(&config);
    return config;
}

static int parse(Config *config, const char *yaml, Error *error)
{
    *error = (Error){0};
    reluopt_config_default(config);
    return reluopt_config_parse(config, yaml, strlen(yaml), "run.yaml", error);
}

static Config parse_good(const char *yaml)
{
    Config config;
    Error error;
    if (parse(&config, yaml, &error) != RELUOPT_OK)
        fail_msg("%s\n%s", yaml, error.message);
    return config;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

/* `yaml` is refused at `place` ("line:column") with a message that contains `hint`. */
static void assert_refused(const char *yaml, const char *place, const char *hint)
{
    Config config;
    Error error;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "run.yaml:%s: ", place);
    assert_int_equal(parse(&config, yaml, &error), RELUOPT_USAGE);
    if (strncmp(error.message, prefix, strlen(prefix)) != 0)
        fail_msg("expected %s%s, got: %s", prefix, hint, error.message);
    assert_contains(error.message, hint);
}

static void assert_set(Config *config, const char *key, const char *value)
{
    Error error = {0};
    if (reluopt_config_set(config, key, value, &error) != RELUOPT_OK)
        fail_msg("%s", error.message);
}

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

static void assert_round_trip(const Config *config)
{
    for (int comments = 0; comments < 2; comments++) {
        Config back = defaults();
        Error error = {0};
        char *text = reluopt_config_text(config, comments, &error);
        assert_non_null(text);
        if (reluopt_config_parse(&back, text, strlen(text), "echo", &error) != RELUOPT_OK)
            fail_msg("%s\n%s", error.message, text);
        assert_memory_equal(&back, config, sizeof back);
        free(text);
    }
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

static void test_yaml_nothing(void **state)
{
    (void)state;
    static const char *const nothing[] = {"",           "\n\n", "# a comment\n", "---\n",
                                          "---\n...\n", "{}",   "\xEF\xBB\xBF"};
    Config expected = defaults();
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        Config c = parse_good(nothing[i]);
        assert_memory_equal(&c, &expected, sizeof c);
    }
}

static void test_yaml_spellings(void **state)
{
    (void)state;
    static const char *const same[] = {
        "network: [500, 400]\nbatch: 50\ninverse:\n  kind: fixed\n  noise: 0.5\ndata:\n  name: mnist\n",
        "network: 500,400\nbatch: '50'\ninverse.kind: fixed\ninverse.noise: 0.5\ndata.name: \"mnist\"\n",
        "network:\n  - 500\n  - 400\nbatch: \"50\"\ninverse.kind: fixed\ninverse: {noise: .5}\ndata: {name: "
        "mnist}",
        "network: 500, 400\r\nbatch: 50\r\ninverse:\r\n  kind: fixed\r\n  noise: 5e-1\r\ndata.name: mnist\r\n",
        "{network: [500,400], batch: 50, inverse: {kind: fixed}, inverse: {noise: 0.5}, ? data.name : mnist}",
        "\xEF\xBB\xBFnetwork: \"500,400\"\nbatch: 50 # of them\ninverse.kind: fixed\ninverse.noise: 0.5\n"
        "data.name: >-\n  mnist\n",
    };
    Config expected = defaults();
    assert_set(&expected, "network", "500,400");
    assert_set(&expected, "batch", "50");
    assert_set(&expected, "inverse.kind", "fixed");
    assert_set(&expected, "inverse.noise", "0.5");
    assert_set(&expected, "data.name", "mnist");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        Config c = parse_good(same[i]);
        assert_memory_equal(&c, &expected, sizeof c);
    }
}

static void test_yaml_bad_values(void **state)
{
    (void)state;
    assert_refused("epochs: 5\nbatch: 12x\n", "2:8", "batch: 12x: must be an integer from 0 to 1000000000");
    assert_refused("inverse:\n  noise: -1\n", "2:10", "inverse.noise: -1: must be a number >= 0");
    assert_refused("batch:\n", "1:7", "batch: '': must be");
    assert_refused("batch: ' 1'", "1:8", "must be an integer");
    assert_refused("alpha: .nan", "1:8", "must be a number");
    assert_refused("gate: on", "1:7", "must be yes or no");
    assert_refused("variant: line_search\r\n", "1:10", "line-search");
    assert_refused("network: [500, 0]", "1:10", "network: 500,0: must be at most 64 widths");
    assert_refused("network: [500, [1]]", "1:16", "list of numbers");
    assert_refused("network: [500, {a: 1}]", "1:16", "list of numbers");
    assert_refused("batch: [1]", "1:8", "batch: is not a list");
    assert_refused("batch: {size: 1}", "1:8", "batch: is not a group of keys");
    assert_refused("network: {a: 1}", "1:10", "network: is not a group of keys");
    assert_refused("data.dir: \"a\\0b\"", "1:11", "NUL");
    assert_refused("\"batch\\0\": 1", "1:1", "NUL");
}

static void test_yaml_bad_keys(void **state)
{
    (void)state;
    assert_refused("# x\nbtach: 5\n", "2:1", "btach: unknown key; did you mean batch?");
    assert_refused("inverse:\n  knd: fixed\n", "2:3", "inverse.knd: unknown key; did you mean inverse.kind?");
    assert_refused("weather: {}\n", "1:1", "weather: unknown key");
    assert_refused("inverse: fixed\n", "1:1", "inverse: is a group of keys: inverse.kind, ");
    assert_refused("inverse: [1]\n", "1:1", "inverse: is a group of keys");
    assert_refused("inverse: {'': 1}\n", "1:11", "inverse.: unknown key");
    assert_refused("<<: {batch: 1}\n", "1:1", "unknown key");
    assert_refused("[a, b]: 1\n", "1:1", "a key must be a word");
    assert_refused("? {a: b}\n: 1\n", "1:3", "a key must be a word");
    assert_refused("batch: 1\nepochs: 2\nbatch: 1\n", "3:1", "batch: given twice, first on line 1");
    assert_refused("inverse.kind: fixed\ninverse:\n  kind: fixed\n", "3:3",
                   "inverse.kind: given twice, first on line 1");
}

static void test_yaml_not_a_configuration(void **state)
{
    (void)state;
    assert_refused("hello", "1:1", "lines of \"key: value\"");
    assert_refused("- a\n- b\n", "1:1", "lines of \"key: value\"");
    assert_refused("batch: 1\n---\nbatch: 2\n", "2:1", "second document");
    assert_refused("batch: &a 1\n", "1:8", "anchors, aliases and tags");
    assert_refused("batch: *a\n", "1:8", "anchors, aliases and tags");
    assert_refused("*a : 1\n", "1:1", "anchors, aliases and tags");
    assert_refused("network: &a [1]\n", "1:10", "anchors, aliases and tags");
    assert_refused("&a\nbatch: 1\n", "1:1", "anchors, aliases and tags");
    assert_refused("batch: !!int 1\n", "1:8", "anchors, aliases and tags");
    assert_refused("network: !!seq [1]\n", "1:10", "anchors, aliases and tags");
    assert_refused("inverse: !x {kind: fixed}\n", "1:10", "anchors, aliases and tags");
}

static void test_yaml_bad_syntax(void **state)
{
    (void)state;
    assert_refused("batch: 1\ndata.dir: a: b\n", "2:12", "mapping values are not allowed in this context");
    assert_refused("a: \"b\n", "2:1", "unexpected end of stream");
    assert_refused("network: [1, 2\n", "2:1", "did not find expected ',' or ']'");
    assert_refused("batch: 1\n\tepochs: 2\n", "2:1", "found a tab character that violates indentation");
    assert_refused("# \xC3\xA9\ndata.dir: caf\xC3\xA9 \xFF\n", "2:16", "invalid leading UTF-8 octet");
    assert_refused("batch: 1\r\ndata.dir: a\x01", "2:12", "control characters are not allowed");
    Config c = defaults();
    Error error = {0};
    assert_int_equal(reluopt_config_parse(&c, "batch: 1\n\0", 10, "run.yaml", &error), RELUOPT_USAGE);
    assert_contains(error.message, "run.yaml:2:1: control characters are not allowed");
    error = (Error){0};
    assert_int_equal(reluopt_config_parse(&c,
                                          "\xFF\xFE"
                                          "b\0:\0",
                                          6, "run.yaml", &error),
                     RELUOPT_USAGE);
    assert_contains(error.message, "run.yaml:1:1: invalid leading UTF-8 octet"); /* UTF-16 */
}

/* `count` times `part`, then `end`: nothing that deep overflows the stack. */
static void assert_deep_refused(const char *start, const char *part, size_t count, const char *place)
{
    size_t length = strlen(part), head = strlen(start);
    char *yaml = malloc(head + length * count + 1);
    assert_non_null(yaml);
    memcpy(yaml, start, head);
    for (size_t i = 0; i < count; i++)
        memcpy(yaml + head + i * length, part, length);
    yaml[head + length * count] = '\0';
    assert_refused(yaml, place, "");
    free(yaml);
}

static void test_yaml_deep(void **state)
{
    (void)state;
    assert_deep_refused("", "[", 500000, "1:1");
    assert_deep_refused("network: ", "[", 500000, "1:11");
    assert_deep_refused("", "{inverse: ", 50000, "1:12");
    assert_deep_refused("inverse: ", "{a: ", 100000, "1:11");
    assert_deep_refused("network: [", "1, ", 300000, "1:1547");
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void assert_unreadable(const char *path, const char *hint)
{
    Config c = defaults();
    Error error = {0};
    assert_int_equal(reluopt_config_read(&c, path, &error), RELUOPT_USAGE);
    assert_contains(error.message, path);
    assert_contains(error.message, hint);
}

static void test_files(void **state)
{
    (void)state;
    char path[] = "/tmp/test_config_XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    assert_unreadable("/nowhere/run.yaml", "No such file or directory");
    assert_unreadable("/", "Is a directory");

    static char large[(1 << 20) + 1];
    memset(large, '\n', sizeof large);
    write_file(path, large, sizeof large);
    assert_unreadable(path, "larger than 1 MiB");
    write_file(path, large, sizeof large - 1);
    Config c = defaults();
    Error error = {0};
    assert_int_equal(reluopt_config_read(&c, path, &error), RELUOPT_OK);
    write_file(path, "seed: 7\r\nbatch: 33\r\n", 20);
    assert_int_equal(reluopt_config_read(&c, path, &error), RELUOPT_OK);
    assert_int_equal(c.seed, 7);
    assert_int_equal(c.batch, 33);
    write_file(path, "seed: 7\nbatch: -33\n", 19);
    assert_unreadable(path, ":2:8: batch: -33: must be");
    unlink(path);
}

/* A later source goes over an earlier one, and leaves the rest. */
static void test_layers_of_sources(void **state)
{
    (void)state;
    Config c = parse_good("batch: 5\nepochs: 6\n");
    Error error = {0};
    assert_set(&c, "batch", "7");
    assert_int_equal(reluopt_config_parse(&c, "seed: 8", 7, "more", &error), RELUOPT_OK);
    assert_int_equal(c.batch, 7);
    assert_int_equal(c.epochs, 6);
    assert_int_equal(c.seed, 8);
}

static void test_special_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {" leading and trailing ",
                                        "a\nb\r\n\tc",
                                        "\x01\x1f\x7f",
                                        "quote \" and \\ and 'x'",
                                        "# no: comment",
                                        "\xC3\xA9t\xC3\xA9 \xE6\x95\xB0\xE6\x8D\xAE \xF0\x9F\x8E\xB2",
                                        "\xC2\x80\xC2\x85\xC2\x9F\xC2\xA0",
                                        "\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF\xEF\xBF\xBE\xEF\xBF\xBF",
                                        "- [x], {y}",
                                        "*a &b !c %d @e `f",
                                        "null",
                                        "~",
                                        "yes",
                                        "12",
                                        "...",
                                        "---",
                                        "\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Config c = defaults();
        assert_set(&c, "data.dir", texts[i]);
        assert_set(&c, "data.label", texts[i]);
        assert_string_equal(c.data.dir, texts[i]);
        assert_round_trip(&c);
    }
}

static void test_echo(void **state)
{
    (void)state;
    Config c = parse_good("data.dir: caf\xC3\xA9\ninverse.noise: 0.1\nalpha: 0.30000000000000004\nseed: 12");
    Error error = {0};
    char *text = reluopt_config_text(&c, false, &error);
    assert_non_null(text);
    assert_ptr_equal(strstr(text, "method: \"adaptive\"\nvariant: auto\nnetwork: [100, 100]\nactivation: "
                                  "relu\nbatch_norm: no\nresidual: no\nloss: cross-entropy\nbatch: auto\n"),
                     text);
    assert_contains(text, "\ndata.dir: \"caf\xC3\xA9\"\n");
    assert_contains(text, "\ninverse.noise: 0.1\n");
    assert_contains(text, "\nalpha: 0.30000000000000004\n");
    assert_contains(text, "\ngate: yes\n");
    assert_null(strchr(text, '#'));
    free(text);
    reluopt_config_resolve(&c);
    text = reluopt_config_text(&c, true, &error);
    assert_contains(text, "\n# an integer from 0 to 1000000000, or auto (default auto)\nbatch: 100\n");
    free(text);
}

/* A small generator of its own, so that a failure comes again. */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 16) % below;
}

static double draw_real(uint64_t *state)
{
    double fraction = (double)(1 + draw(state, UINT64_C(1) << 47)) / 0x1p47;
    int scale = draw(state, 2) ? 0 : -(int)draw(state, 1080); /* down to subnormal */
    double number = fraction * 1e6;
    for (; scale < 0 && number / 2 > 0; scale++)
        number /= 2;
    return number;
}

static void draw_text(uint64_t *state, char *text, size_t size)
{
    static const char *const parts[] = {"a",
                                        "Z",
                                        "0",
                                        " ",
                                        "\n",
                                        "\r",
                                        "\t",
                                        "\"",
                                        "\\",
                                        "'",
                                        "#",
                                        ": ",
                                        "\x1b",
                                        "\x7f",
                                        "\xC2\x85",
                                        "\xE2\x80\xA8",
                                        "\xC3\xA9",
                                        "\xF0\x9F\x8E\xB2",
                                        "\xEF\xBB\xBF",
                                        "-",
                                        ",",
                                        "\\u0041",
                                        "%",
                                        "\xEF\xBF\xBF"};
    memset(text, 0, size);
    for (size_t length = 0, wanted = draw(state, size); length < wanted; length = strlen(text)) {
        const char *part = parts[draw(state, sizeof parts / sizeof *parts)];
        if (length + strlen(part) >= size)
            break;
        strcpy(text + length, part);
    }
}

static Config draw_config(uint64_t *s)
{
    Config c = defaults();
    c.variant = (int)draw(s, 4);
    c.activation = (int)draw(s, 3);
    c.loss = (int)draw(s, 2);
    c.batch_norm = draw(s, 2) == 1;
    c.residual = draw(s, 2) == 1;
    c.update = (int)draw(s, 7);
    c.learning_rate = draw(s, 2) ? RELUOPT_AUTO : draw_real(s);
    c.momentum = draw(s, 2) ? RELUOPT_AUTO : 1 / (1 + draw_real(s));
    c.hidden = (int)draw(s, RELUOPT_MAX_LAYERS + 1);
    memset(c.network, 0, sizeof c.network);
    for (int i = 0; i < c.hidden; i++)
        c.network[i] = 1 + (int)draw(s, 1 << 24);
    c.batch = (int)draw(s, 1000000002) + RELUOPT_AUTO;
    c.epochs = 1 + (int)draw(s, 1000000000);
    c.seed = (int64_t)(draw(s, UINT64_C(1) << 47) << 16 | draw(s, 1 << 16));
    c.alpha = draw_real(s);
    c.direction = (int)draw(s, 3);
    c.whitening.lambda = draw_real(s);
    c.gate = draw(s, 2) == 1;
    c.inverse.kind = (int)draw(s, 5);
    c.inverse.steps = (int)draw(s, 1001);
    c.inverse.noise = draw_real(s);
    c.rate.rule = (int)draw(s, 3);
    c.rate.scope = (int)draw(s, 2);
    c.rate.start = draw_real(s);
    c.average = draw_real(s);
    c.augment.noise = draw_real(s);
    c.augment.shift = (int)draw(s, 1001);
    c.augment.flip = (int)draw(s, 4);
    c.init.forward = (int)draw(s, 3);
    c.init.inverse = (int)draw(s, 5);
    c.preprocess = (int)draw(s, 6);
    c.coordinator = (int)draw(s, 2);
    c.data.header = (int)draw(s, 3);
    c.data.train_samples = (int)draw(s, 1000000001);
    c.data.holdout = (int)draw(s, 1000000002) + RELUOPT_AUTO;
    c.eval.train = (int)draw(s, 3);
    c.checkpoint.every = (int)draw(s, 1000000001);
    c.checkpoint.steps = (int)draw(s, 1000000001);
    c.checkpoint.minutes = draw_real(s);
    c.checkpoint.keep = 1 + (int)draw(s, RELUOPT_MAX_KEPT);
    c.max_time = draw_real(s);
    c.stop.accuracy = (double)draw(s, 1001) / 1000;
    draw_text(s, c.method, sizeof c.method);
    draw_text(s, c.data.dir, sizeof c.data.dir);
    draw_text(s, c.data.name, sizeof c.data.name);
    draw_text(s, c.data.train, sizeof c.data.train);
    draw_text(s, c.data.test, sizeof c.data.test);
    draw_text(s, c.data.label, sizeof c.data.label);
    return c;
}

static void test_round_trip(void **state)
{
    (void)state;
    static const double reals[] = {DBL_TRUE_MIN,       DBL_MIN, 1e-5, 0.1, 1.0 / 3, 123456.7,
                                   999999.99999999988, 1e6};
    Config c = defaults();
    assert_round_trip(&c);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        c.alpha = c.inverse.noise = c.rate.start = reals[i];
        assert_round_trip(&c);
    }
    c.inverse.noise = -0.0;
    assert_round_trip(&c);
    uint64_t seed = 1;
    for (int i = 0; i < 1000; i++) {
        c = draw_config(&seed);
        assert_round_trip(&c);
    }
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

static void test_resolve(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int batch;
    } cases[] = {{"", 100},           {"variant: online", 0},           {"variant: line-search", 0},
                 {"batch: 7", 7},     {"variant: online\nbatch: 7", 7}, {"batch: 0", 0},
                 {"batch: auto", 100}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config c = parse_good(cases[i].yaml);
        reluopt_config_resolve(&c);
        assert_int_equal(c.batch, cases[i].batch);
    }
}

/* At auto: the method's variant and rule, the rule's numbers; what is given stays. */
static void test_resolve_methods(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int variant, update;
        double learning_rate, momentum, decay, epsilon;
    } cases[] = {
        {"", VARIANT_BATCH, UPDATE_AUTO, RELUOPT_AUTO, RELUOPT_AUTO, RELUOPT_AUTO, RELUOPT_AUTO},
        {"method: gd", VARIANT_ONLINE, UPDATE_SGD, 0.1, RELUOPT_AUTO, RELUOPT_AUTO, RELUOPT_AUTO},
        {"method: sgd", VARIANT_BATCH, UPDATE_SGD, 0.1, RELUOPT_AUTO, RELUOPT_AUTO, RELUOPT_AUTO},
        {"method: momentum", VARIANT_BATCH, UPDATE_MOMENTUM, 0.02, 0.9, RELUOPT_AUTO, RELUOPT_AUTO},
        {"method: adagrad", VARIANT_BATCH, UPDATE_ADAGRAD, 0.01, RELUOPT_AUTO, RELUOPT_AUTO, 1e-10},
        {"method: rmsprop", VARIANT_BATCH, UPDATE_RMSPROP, 0.001, RELUOPT_AUTO, 0.99, 1e-8},
        {"method: adadelta", VARIANT_BATCH, UPDATE_ADADELTA, 1, RELUOPT_AUTO, 0.9, 1e-6},
        {"method: adam", VARIANT_BATCH, UPDATE_ADAM, 0.001, 0.9, 0.999, 1e-8},
        {"method: fa", VARIANT_BATCH, UPDATE_SGD, 0.03, RELUOPT_AUTO, RELUOPT_AUTO, RELUOPT_AUTO},
        {"method: dfa\nupdate: adam", VARIANT_BATCH, UPDATE_ADAM, 0.001, 0.9, 0.999, 1e-8},
        {"method: tp", VARIANT_BATCH, UPDATE_ADAM, 0.001, 0.9, 0.999, 1e-8},
        {"method: dtp\nupdate: sgd", VARIANT_BATCH, UPDATE_SGD, 0.1, RELUOPT_AUTO, RELUOPT_AUTO, RELUOPT_AUTO},
        {"method: adam\nvariant: online\nlearning_rate: 3\nmomentum: 0.5\ndecay: 0\nepsilon: 0.1",
         VARIANT_ONLINE, UPDATE_ADAM, 3, 0.5, 0, 0.1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config c = parse_good(cases[i].yaml);
        reluopt_config_resolve(&c);
        assert_int_equal(c.variant, cases[i].variant);
        assert_int_equal(c.update, cases[i].update);
        assert_true(c.learning_rate == cases[i].learning_rate && c.momentum == cases[i].momentum);
        assert_true(c.decay == cases[i].decay && c.epsilon == cases[i].epsilon);
        Error error = {0};
        assert_int_equal(reluopt_config_check(&c, 1, &error), RELUOPT_OK);
        assert_round_trip(&c);
    }
}

/* Inverses and averaging of the method; preprocessing and augmentation of the data. */
static void test_resolve_data(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        bool images;
        int inverse, start;
        double average;
        int preprocess, shift, flip;
    } cases[] = {
        {"", true, INVERSE_MIRROR, INIT_ORTHOGONAL, 1, PREPROCESS_CENTRE, 1, FLIP_ALIKE},
        {"", false, INVERSE_MIRROR, INIT_ORTHOGONAL, 1, PREPROCESS_STANDARDISE, 0, FLIP_NO},
        {"preprocess: zca", true, INVERSE_MIRROR, INIT_ORTHOGONAL, 1, PREPROCESS_ZCA, 0, FLIP_NO},
        {"inverse.kind: trained\naverage: 0\npreprocess: scale\naugment: {shift: 2, flip: no}", true,
         INVERSE_TRAINED, INIT_TRANSPOSE, 0, PREPROCESS_SCALE, 2, FLIP_NO},
        {"method: dtp", true, INVERSE_TRAINED, INIT_TRANSPOSE, 0, PREPROCESS_CENTRE, 0, FLIP_NO},
        {"method: adam\naugment.flip: alike", true, INVERSE_AUTO, INIT_AUTO, 0, PREPROCESS_CENTRE, 0,
         FLIP_ALIKE},
        {"method: mgbdt", true, INVERSE_AUTO, INIT_AUTO, RELUOPT_AUTO, PREPROCESS_CENTRE, RELUOPT_AUTO,
         FLIP_AUTO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config c = parse_good(cases[i].yaml);
        reluopt_config_resolve(&c);
        reluopt_config_resolve_data(&c, cases[i].images);
        assert_true(c.inverse.kind == cases[i].inverse && c.init.inverse == cases[i].start);
        assert_true(c.average == cases[i].average && c.preprocess == cases[i].preprocess);
        assert_true(c.augment.shift == cases[i].shift && c.augment.flip == cases[i].flip);
        Error error = {0};
        assert_int_equal(reluopt_config_check(&c, 1, &error), RELUOPT_OK);
        assert_round_trip(&c);
    }
}

static void test_resolve_alpha(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        double alpha;
    } cases[] = {{"", RELUOPT_AUTO},
                 {"method: dtp", 0.1},
                 {"method: tp\nalpha: 3", 3},
                 {"method: mgbdt", 1},
                 {"method: adam", RELUOPT_AUTO}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config c = parse_good(cases[i].yaml);
        reluopt_config_resolve(&c);
        assert_true(c.alpha == cases[i].alpha);
    }
}

/* In the folder: what data.train becomes. */
static void assert_absolute(const char *folder, const char *train, const char *expected)
{
    Config c = defaults(), wanted = defaults();
    strcpy(c.data.train, train);
    strcpy(wanted.data.train, expected);
    assert_int_equal(chdir(folder), 0);
    reluopt_config_absolute(&c);
    if (memcmp(&c, &wanted, sizeof c) != 0)
        fail_msg("in %s: %s became %s, not %s", folder, train, c.data.train, expected);
}

static void test_absolute(void **state)
{
    (void)state;
    char comma[] = "/tmp/a,XXXXXX", latin[] = "/tmp/\xE9XXXXXX", name[RELUOPT_TEXT] = "";
    int before = open(".", O_RDONLY);
    assert_true(before >= 0 && mkdtemp(comma) && mkdtemp(latin));
    assert_absolute("/usr", "", "");
    assert_absolute("/usr", "a.csv", "/usr/a.csv");
    assert_absolute("/usr", "/a.csv", "/a.csv");
    assert_absolute("/usr", "a,/b/c,../d", "/usr/a,/b/c,/usr/../d");
    assert_absolute("/usr", ",a,,", ",/usr/a,,");
    assert_absolute(comma, "a,/b", "a,/b");
    assert_absolute(latin, "a,/b", "a,/b");
    memset(name, 'x', RELUOPT_TEXT - 6);
    char expected[RELUOPT_TEXT] = "/usr/";
    assert_absolute("/usr", name, strcat(expected, name));
    name[RELUOPT_TEXT - 6] = 'x';
    assert_absolute("/usr", name, name);

    Config c = defaults();
    strcpy(c.data.dir, "d,e");
    strcpy(c.data.test, "t,u");
    assert_int_equal(chdir("/usr"), 0);
    reluopt_config_absolute(&c);
    assert_string_equal(c.data.dir, "/usr/d,e");
    assert_string_equal(c.data.test, "/usr/t,/usr/u");

    assert_int_equal(fchdir(before), 0);
    close(before);
    rmdir(comma);
    rmdir(latin);
}

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *hint; /* hint NULL: fine */
    } cases[] = {
        {"", NULL},
        {"variant: online", NULL},
        {"variant: online\nbatch: 0", NULL},
        {"variant: online\nbatch: 100", "set batch: 0 or variant: batch"},
        {"batch: 0", "variant: online"},
        {"variant: line-search\nbatch: 0", NULL},
        {"variant: line-search\nbatch: 9", NULL},
        {"network: []", "network: at least one hidden layer"},
        {"network:", "network: at least one hidden layer"},
        {"coordinator: dedicated", "at least 2 ranks"},
        {"inverse.steps: 0", "inverse.steps of at least 1"},
        {"inverse: {steps: 0, kind: fixed}", NULL},
        {"inverse: {steps: 0, kind: mirror}", "inverse.steps of at least 1"},
        {"inverse: {steps: 0, kind: transpose}", NULL},
        {"data.name: file", "needs data.train"},
        {"data: {name: file, train: a.csv}", NULL},
        {"data: {name: file, train: a.csv, test: b.csv}", NULL},
        {"data: {train: a.csv}", "only with data.name: file"},
        {"data: {name: mnist, test: a.csv}", "only with data.name: file"},
        {"rate.start: 5", NULL},
        {"method: gd\nbatch: 5", "set batch: 0 or variant: batch"},
        {"method: gd\nvariant: batch", "or method: sgd for batches"},
        {"method: sgd\nvariant: online", NULL},
        {"method: sgd\nvariant: line-search", "line-search is for method: adaptive"},
        {"method: sgd\nupdate: adam", "the method has a rule of its own"},
        {"method: adam\nupdate: adam", NULL},
        {"method: sgd\nmomentum: 0.9", "momentum: not used by the update rule sgd"},
        {"method: momentum\ndecay: 0.9", "decay: not used by the update rule momentum"},
        {"method: momentum\nmomentum: 1", "momentum and decay must be less than 1"},
        {"method: adam\ndecay: 1", "momentum and decay must be less than 1"},
        {"method: adam\nalpha: 2", "alpha: not used by method: adam"},
        {"method: adam\nalpha: auto", NULL},
        {"method: adam\ninverse.kind: fixed", "inverse.kind: not used by method: adam"},
        {"learning_rate: 0.1", "learning_rate: not used by method: adaptive"},
        {"activation: tanh", "activation: not used by method: adaptive"},
        {"update: sgd", "update: not used by method: adaptive"},
        {"inverse.warmup: 1", "inverse.warmup: not used by method: adaptive"},
        {"target.layer: output", "target.layer: not used by method: adaptive"},
        {"method: tp\nalpha: 2\ninverse: {activation: linear, rate: 0.1}\ndecay: 0.9", NULL},
        {"method: dtp\nactivation: tanh\nvariant: online", NULL},
        {"method: dtp\nvariant: line-search", "line-search is for method: adaptive"},
        {"method: dtp\ngate: no", "gate: not used by method: dtp"},
        {"method: dtp\nrate.rule: min", "rate.rule: not used by method: dtp"},
        {"method: dtp\nupdate: sgd\nmomentum: 0.9", "momentum: not used by the update rule sgd"},
        {"inverse.kind: mirror", NULL},
        {"method: dtp\ninverse.kind: mirror", "mirror is for method: adaptive"},
        {"method: dtp\ninverse: {kind: fixed, warmup: 1}", "need inverse.kind: trained"},
        {"method: dtp\ninverse: {kind: transpose, alternate: yes}", "need inverse.kind: trained"},
        {"method: dtp\ninverse: {kind: transpose, rate: 1}", "need inverse.kind: trained"},
        {"method: dtp\ninverse.warmup: 2\nepochs: 2", "inverse.warmup leaves no epoch"},
        {"method: dtp\ninverse.alternate: yes\nepochs: 1", "inverse.warmup leaves no epoch"},
        {"method: dtp\ninverse: {warmup: 1, alternate: yes}\nepochs: 3", NULL},
        {"batch_norm: yes", "batch_norm: not used by method: adaptive"},
        {"residual: yes", "residual: not used by method: adaptive"},
        {"method: sgd\nbatch_norm: yes\nresidual: yes", NULL},
        {"method: sgd\nbatch_norm: yes\nbatch: 1", "batch_norm: one sample"},
        {"loss: mse", "loss: not used by method: adaptive"},
        {"method: fa\nupdate: adam\nactivation: tanh\nloss: mse", NULL},
        {"method: adam\naverage: 1\naugment: {noise: 0.5, shift: 2, flip: yes}", NULL},
        {"method: sgd\nbatch_norm: yes\naverage: 1", "average: the statistics of batch_norm"},
        {"method: mgbdt\naverage: 1", "average: not used by method: mgbdt"},
        {"preprocess: zca\naugment.noise: 1", NULL},
        {"preprocess: zca\naugment.shift: 1", "preprocess: zca mixes them"},
        {"preprocess: zca\naugment.flip: alike", "preprocess: zca mixes them"},
        {"method: dfa\ninverse.noise: 0.5", "inverse.noise: not used by method: dfa"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config c = parse_good(cases[i].yaml);
        Error error = {0};
        reluopt_config_resolve(&c);
        int code = reluopt_config_check(&c, 1, &error);
        if (code != (cases[i].hint ? RELUOPT_USAGE : RELUOPT_OK))
            fail_msg("%s: %d %s", cases[i].yaml, code, error.message);
        assert_contains(error.message, cases[i].hint ? cases[i].hint : "");
    }
    Config c = parse_good("coordinator: dedicated");
    Error error = {0};
    assert_int_equal(reluopt_config_check(&c, 2, &error), RELUOPT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_set_good),
        cmocka_unit_test(test_set_bad_numbers),
        cmocka_unit_test(test_set_bad_others),
        cmocka_unit_test(test_most_layers),
        cmocka_unit_test(test_text_limits),
        cmocka_unit_test(test_unknown_option),
        cmocka_unit_test(test_choice_names),
        cmocka_unit_test(test_yaml_nothing),
        cmocka_unit_test(test_yaml_spellings),
        cmocka_unit_test(test_yaml_bad_values),
        cmocka_unit_test(test_yaml_bad_keys),
        cmocka_unit_test(test_yaml_not_a_configuration),
        cmocka_unit_test(test_yaml_bad_syntax),
        cmocka_unit_test(test_yaml_deep),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_layers_of_sources),
        cmocka_unit_test(test_special_texts),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_methods),
        cmocka_unit_test(test_resolve_data),
        cmocka_unit_test(test_resolve_alpha),
        cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
