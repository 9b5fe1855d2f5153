/* test_descent.c - what one step of a layer promises, on a matrix of its own and any number of ranks: the loss
 * does not rise, the Pos sets stay. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../uniform.h"
#include "alone.h"
#include "reluopt/weights.h"

enum { OUTPUTS = 15, INPUTS = 11, BATCH = 40 };

typedef struct Fit {
    Weights weights;
    float *joined;
    float h[(INPUTS + 1) * BATCH], t[OUTPUTS * BATCH];
    double loss[OUTPUTS]; /* own neurons */
    Config config;
} Fit;

static void fit_create(Fit *fit, Config config, bool linear, uint64_t number)
{
    Error error = {0};
    uint64_t seed = 521288629 + 7919 * number;
    fit->config = config;
    assert_all(reluopt_weights_create(&fit->weights, OUTPUTS, INPUTS, linear, BATCH, &world, &error) == 0);
    assert_all(reluopt_weights_create_step(&fit->weights, BATCH, &error) == 0);
    fit->joined = reluopt_weights_join(&(Weights *){&fit->weights}, 1, &error);
    if (config.rate.rule == RATE_EXACT)
        assert_all(reluopt_weights_search(&fit->weights, BATCH, &error) == 0);
    for (size_t j = 0; j < OUTPUTS; j++)
        for (size_t i = 0; i <= INPUTS; i++) {
            float w = (float)uniform_next(&seed);
            if (j - fit->weights.own.first < fit->weights.own.count)
                fit->weights.w[(j - fit->weights.own.first) * (INPUTS + 1) + i] = w;
        }
    for (size_t i = 0; i < (INPUTS + 1) * BATCH; i++)
        fit->h[i] = i < INPUTS * BATCH ? (float)(uniform_next(&seed) + 0.3) : 1;
    for (size_t i = 0; i < OUTPUTS * BATCH; i++)
        fit->t[i] = (float)(2 * uniform_next(&seed));
}

/* Loss of every own neuron for weights->z; returns the layer's, over all ranks. */
static double fit_losses(Fit *fit)
{
    double layer = 0;
    const float *t = fit->t + fit->weights.own.first * BATCH;
    reluopt_weights_apply(&fit->weights, fit->h, fit->weights.z, BATCH);
    for (size_t j = 0; j < fit->weights.own.count; j++) {
        fit->loss[j] = 0;
        for (size_t k = j * BATCH; k < (j + 1) * BATCH; k++) {
            double z = fit->weights.z[k];
            fit->loss[j] += pow((fit->weights.linear ? z : fmax(z, 0)) - t[k], 2);
        }
        layer += fit->loss[j];
    }
    reluopt_comm_sum(&world, &layer, 1);
    return layer;
}

static void fit_step(Fit *fit)
{
    Weights *list[] = {&fit->weights};
    reluopt_weights_aim(&fit->weights, fit->h, fit->t + fit->weights.own.first * BATCH, BATCH,
                        (Direction)fit->config.direction, &world);
    reluopt_weights_step(list, 1, BATCH, &fit->config, &world);
}

static void check_descent(Config config, bool linear, uint64_t number)
{
    static Fit fit;
    fit_create(&fit, config, linear, number);
    double first = fit_losses(&fit), layer = first;
    for (int k = 0; k < 10; k++) {
        double before[OUTPUTS];
        memcpy(before, fit.loss, sizeof before);
        fit_step(&fit);
        double after = fit_losses(&fit);
        bool good = after <= layer * (1 + 1e-5);
        for (size_t j = 0; config.rate.scope == SCOPE_NEURON && j < fit.weights.own.count; j++)
            good = good && fit.loss[j] <= before[j] * (1 + 1e-5) + 1e-8;
        assert_all(good);
        layer = after;
    }
    assert_all(layer < 0.95 * first);
    reluopt_weights_free(&fit.weights);
    free(fit.joined);
}

/* From a first trial far too large and from one far too small: the loss of the layer (scope neuron: of each
 * neuron) does not rise, and falls in the end. */
static void line_search_does_not_raise_the_loss(void **state)
{
    (void)state;
    static const double starts[] = {1e6, 1, 0.02};
    for (int c = 0; c < 24; c++) {
        Config config = {.variant = VARIANT_LINE_SEARCH, .direction = c & 1};
        config.rate.scope = c >> 1 & 1;
        config.rate.start = starts[c / 8];
        check_descent(config, c >> 2 & 1, (uint64_t)c);
    }
}

/* After the step no sample of the Pos set has left it, beyond rounding. */
static bool keeps_pos(Fit *fit)
{
    static float before[OUTPUTS * BATCH];
    size_t pairs = fit->weights.own.count * BATCH;
    bool good = true;
    reluopt_weights_apply(&fit->weights, fit->h, fit->weights.z, BATCH);
    memcpy(before, fit->weights.z, pairs * sizeof *before);
    fit_step(fit);
    reluopt_weights_apply(&fit->weights, fit->h, fit->weights.z, BATCH);
    for (size_t k = 0; k < pairs; k++)
        good = good && (before[k] <= 0 || fit->weights.z[k] > -1e-5f);
    return good;
}

static void bounded_steps_keep_the_pos_sets(void **state)
{
    (void)state;
    static Fit fit;
    for (int c = 0; c < 40; c++) {
        Config config = {.variant = VARIANT_BATCH, .direction = c & 1};
        config.rate.scope = c >> 1 & 1;
        config.rate.rule = RATE_MIN;
        fit_create(&fit, config, false, 100 + (uint64_t)c);
        for (int k = 0; k < 5; k++)
            assert_all(keeps_pos(&fit));
        reluopt_weights_free(&fit.weights);
        free(fit.joined);
    }
}

/* rho_opt of a linear layer, one neuron at a time, is the exact minimum: the loss falls at every step. */
static void exact_steps_of_a_linear_layer_descend(void **state)
{
    (void)state;
    for (int c = 0; c < 4; c++) {
        Config config = {.variant = VARIANT_BATCH, .direction = c & 1};
        config.rate.scope = c >> 1;
        config.rate.rule = RATE_OPT;
        check_descent(config, true, 200 + (uint64_t)c);
    }
}

/* The exact search, of ReLU layers: the loss never rises, with scope neuron that of no neuron. */
static void exact_searches_descend(void **state)
{
    (void)state;
    for (int c = 0; c < 24; c++) {
        Config config = {.variant = VARIANT_BATCH, .direction = c & 1};
        config.rate.scope = c >> 1 & 1;
        config.rate.rule = RATE_EXACT;
        check_descent(config, c >> 2 & 1, 300 + (uint64_t)c);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(line_search_does_not_raise_the_loss),
    cmocka_unit_test(bounded_steps_keep_the_pos_sets),
    cmocka_unit_test(exact_steps_of_a_linear_layer_descend),
    cmocka_unit_test(exact_searches_descend),
};

mpi_cmocka_main("descent", tests)
