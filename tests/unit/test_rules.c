/* test_rules.c - update rules against steps computed by hand, and against their documented formulas in double.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "../uniform.h"
#include "reluopt/rules.h"

enum { WEIGHTS = 37, STEPS = 200 };

static Config settings(Update update)
{
    Config config;
    reluopt_config_default(&config);
    strcpy(config.method, "fa");
    config.update = (int)update;
    reluopt_config_resolve(&config);
    return config;
}

static void assert_close(double x, double expected, double tolerance)
{
    if (!(fabs(x - expected) <= tolerance))
        print_error("%.9g, expected %.9g within %.1e\n", x, expected, tolerance);
    assert_true(fabs(x - expected) <= tolerance);
}

/* ---- Steps of one weight that starts at 1, along gradients 2 and -1, by hand ---- */

static void by_hand(void **state)
{
    (void)state;
    static const struct {
        Update update;
        double learning_rate, momentum, decay, epsilon, after_one, after_two;
    } cases[] = {
        {UPDATE_SGD, 0.1, 0, 0, 0, 0.8, 0.9},
        /* v = 0.2, then 0.5 * 0.2 - 0.1 = 0 */
        {UPDATE_MOMENTUM, 0.1, 0.5, 0, 0, 0.8, 0.8},
        /* s = 4, then 5 */
        {UPDATE_ADAGRAD, 0.1, 0, 0, 1, 1 - 0.2 / 3, 1 - 0.2 / 3 + 0.1 / 3.2360679775},
        /* s = 0.75 * 4 = 3, then 0.25 * 3 + 0.75 = 1.5 */
        {UPDATE_RMSPROP, 0.1, 0, 0.25, 1, 1 - 0.2 / 2.7320508076, 1 - 0.2 / 2.7320508076 + 0.1 / 2.2247448714},
        /* s = 2, d = 2 sqrt(1 / 3), v = 2/3;  s = 1.5, d = -sqrt((5/3) / 2.5) */
        {UPDATE_ADADELTA, 0.1, 0, 0.5, 1, 1 - 0.1154700538, 1 - 0.1154700538 + 0.0816496581},
        /* v = 1, s = 1: 2 and 4 corrected;  v = 0, s = 0.75 + 0.25 = 1 */
        {UPDATE_ADAM, 0.1, 0.5, 0.75, 1, 1 - 0.2 / 3, 1 - 0.2 / 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config config = {.learning_rate = cases[i].learning_rate,
                         .momentum = cases[i].momentum,
                         .decay = cases[i].decay,
                         .epsilon = cases[i].epsilon};
        RuleState rule;
        Error error = {0};
        float w = 1, first = 2, second = -1;
        assert_int_equal(reluopt_rule_create(&rule, cases[i].update, 1, &error), 0);
        reluopt_rule_step(&rule, &config, &w, &first, 1);
        assert_close(w, cases[i].after_one, 1e-6);
        reluopt_rule_step(&rule, &config, &w, &second, 2);
        assert_close(w, cases[i].after_two, 1e-6);
        reluopt_rule_free(&rule);
    }
}

/* ---- Long runs against the formulas that PyTorch documents (torch.optim), in double ---- */

typedef struct Reference {
    double w, v, s;
} Reference;

static void reference_step(Reference *x, const Config *c, double g, int t)
{
    double lr = c->learning_rate, eps = c->epsilon;
    switch ((Update)c->update) {
    case UPDATE_SGD: /* theta = theta - lr g */
        x->w -= lr * g;
        break;
    case UPDATE_MOMENTUM: /* b = mu b + g; theta = theta - lr b.  Thesis: v = lr b */
        x->v = c->momentum * x->v + g;
        x->w -= lr * x->v;
        break;
    case UPDATE_ADAGRAD: /* state_sum += g^2; theta -= lr g / (sqrt(state_sum) + eps) */
        x->s += g * g;
        x->w -= lr * g / (sqrt(x->s) + eps);
        break;
    case UPDATE_RMSPROP: /* v = alpha v + (1 - alpha) g^2; theta -= lr g / (sqrt(v) + eps) */
        x->s = c->decay * x->s + (1 - c->decay) * g * g;
        x->w -= lr * g / (sqrt(x->s) + eps);
        break;
    case UPDATE_ADADELTA: { /* v, u: running squares of g and of dx */
        x->s = c->decay * x->s + (1 - c->decay) * g * g;
        double dx = sqrt(x->v + eps) / sqrt(x->s + eps) * g;
        x->v = c->decay * x->v + (1 - c->decay) * dx * dx;
        x->w -= lr * dx;
        break;
    }
    default: { /* Adam: m, v, then mhat = m / (1 - beta1^t), vhat = v / (1 - beta2^t) */
        x->v = c->momentum * x->v + (1 - c->momentum) * g;
        x->s = c->decay * x->s + (1 - c->decay) * g * g;
        double mhat = x->v / (1 - pow(c->momentum, t)), vhat = x->s / (1 - pow(c->decay, t));
        x->w -= lr * mhat / (sqrt(vhat) + eps);
    }
    }
}

/* Gradients of very different sizes, with zeros among them. */
static void follow(const Config *config)
{
    Reference reference[WEIGHTS] = {{0}};
    float w[WEIGHTS], g[WEIGHTS];
    RuleState rule;
    Error error = {0};
    assert_int_equal(reluopt_rule_create(&rule, (Update)config->update, WEIGHTS, &error), 0);
    for (int i = 0; i < WEIGHTS; i++)
        reference[i].w = w[i] = (float)uniform();
    double path = 0;
    for (int t = 1; t <= STEPS; t++) {
        double before = reference[1].w;
        for (int i = 0; i < WEIGHTS; i++) {
            g[i] = i % 5 == 4 && t < 9 ? 0 : (float)(pow(10, i % 7 - 4) * (uniform() + 0.3));
            reference_step(&reference[i], config, g[i], t);
        }
        reluopt_rule_step(&rule, config, w, g, (uint64_t)t);
        path += fabs(reference[1].w - before);
        for (int i = 0; i < WEIGHTS; i++)
            assert_close(w[i], reference[i].w, 1e-5 * (1 + fabs(reference[i].w)));
    }
    assert_true(path > 1e-3); /* the weights did move */
    reluopt_rule_free(&rule);
}

static void long_runs_follow_the_formulas(void **state)
{
    (void)state;
    for (int update = UPDATE_SGD; update < UPDATE_AUTO; update++) {
        Config config = settings((Update)update);
        follow(&config);
        if (config.momentum != RELUOPT_AUTO)
            config.momentum = 0.5;
        if (config.decay != RELUOPT_AUTO)
            config.decay = 0.7;
        if (config.epsilon != RELUOPT_AUTO)
            config.epsilon = 0.01;
        config.learning_rate *= 3;
        follow(&config);
    }
}

/* A step is a function of the weight's own gradient alone: a shard steps as the whole does, bit for bit. */
static void parts_step_as_the_whole(void **state)
{
    (void)state;
    for (int update = UPDATE_SGD; update < UPDATE_AUTO; update++) {
        Config config = settings((Update)update);
        float whole[WEIGHTS], parts[WEIGHTS], g[WEIGHTS];
        RuleState one, left, right;
        Error error = {0};
        enum { LEFT = 13 };
        reluopt_rule_create(&one, (Update)update, WEIGHTS, &error);
        reluopt_rule_create(&left, (Update)update, LEFT, &error);
        reluopt_rule_create(&right, (Update)update, WEIGHTS - LEFT, &error);
        assert_int_equal(error.code, 0);
        for (int i = 0; i < WEIGHTS; i++)
            whole[i] = parts[i] = (float)uniform();
        for (uint64_t t = 1; t <= 20; t++) {
            for (int i = 0; i < WEIGHTS; i++)
                g[i] = (float)uniform();
            reluopt_rule_step(&one, &config, whole, g, t);
            reluopt_rule_step(&left, &config, parts, g, t);
            reluopt_rule_step(&right, &config, parts + LEFT, g + LEFT, t);
            assert_memory_equal(whole, parts, sizeof whole);
        }
        reluopt_rule_free(&one);
        reluopt_rule_free(&left);
        reluopt_rule_free(&right);
    }
}

static void arrays_hold_what_is_remembered(void **state)
{
    (void)state;
    static const int counts[] = {[UPDATE_SGD] = 0,     [UPDATE_MOMENTUM] = 1, [UPDATE_ADAGRAD] = 1,
                                 [UPDATE_RMSPROP] = 1, [UPDATE_ADADELTA] = 2, [UPDATE_ADAM] = 2};
    for (int update = UPDATE_SGD; update < UPDATE_AUTO; update++) {
        RuleState rule;
        Error error = {0};
        Array weights = {.name = "W3", .rows = 9, .cols = 5, .first = 4, .count = 3}, list[2];
        assert_int_equal(reluopt_rule_create(&rule, (Update)update, 15, &error), 0);
        assert_int_equal(reluopt_rule_arrays(&rule, &weights, NULL), counts[update]);
        assert_int_equal(reluopt_rule_arrays(&rule, &weights, list), counts[update]);
        for (int i = 0; i < counts[update]; i++) {
            bool first = list[i].data == rule.first;
            assert_true(first || list[i].data == rule.second);
            assert_string_equal(list[i].name, first ? "W3.first" : "W3.second");
            assert_true(list[i].rows == 9 && list[i].cols == 5 && list[i].first == 4 && list[i].count == 3);
        }
        reluopt_rule_free(&rule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(long_runs_follow_the_formulas),
        cmocka_unit_test(parts_step_as_the_whole),
        cmocka_unit_test(arrays_hold_what_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
