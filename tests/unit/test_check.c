/* test_check.c - settings chosen for a method and its data, paths made absolute, settings that do not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "configurations.h"

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
        {"batch: 1", "direction: one sample"},
        {"batch: 1\ndirection: centred", "direction: one sample"},
        {"batch: 1\ndirection: plain", NULL},
        {"method: sgd\nbatch: 1", NULL},
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
        cmocka_unit_test(test_resolve),      cmocka_unit_test(test_resolve_methods),
        cmocka_unit_test(test_resolve_data), cmocka_unit_test(test_resolve_alpha),
        cmocka_unit_test(test_absolute),     cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
