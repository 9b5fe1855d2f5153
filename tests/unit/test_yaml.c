/* test_yaml.c - configurations as text: reading YAML, refusing what is none, writing what is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "configurations.h"

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
    char path[] = "/tmp/test_yaml_XXXXXX";
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
