/* rules.c - update rules: from a gradient to a step of the weights. */
#include "reluopt/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

static const struct {
    bool first, second; /* what the rule remembers */
} keeps[] = {
    [UPDATE_SGD] = {false, false},    [UPDATE_MOMENTUM] = {true, false}, [UPDATE_ADAGRAD] = {false, true},
    [UPDATE_RMSPROP] = {false, true}, [UPDATE_ADADELTA] = {true, true},  [UPDATE_ADAM] = {true, true},
};

int reluopt_rule_create(RuleState *state, Update rule, size_t count, Error *error)
{
    *state = (RuleState){.rule = rule, .count = count};
    if (keeps[rule].first)
        state->first = reluopt_alloc(count, sizeof(float), error);
    if (keeps[rule].second)
        state->second = reluopt_alloc(count, sizeof(float), error);
    return error->code;
}

void reluopt_rule_free(RuleState *state)
{
    free(state->first);
    free(state->second);
    *state = (RuleState){0};
}

static void momentum(RuleState *state, float *w, const float *g, float eta, float beta)
{
    float *v = state->first;
    for (size_t i = 0; i < state->count; i++) {
        v[i] = beta * v[i] + eta * g[i];
        w[i] -= v[i];
    }
}

/* s = gamma s + share g^2: adagrad with gamma = share = 1, rmsprop with share = 1 - gamma. */
static void scaled(RuleState *state, float *w, const float *g, float eta, float gamma, float share, float eps)
{
    float *s = state->second;
    for (size_t i = 0; i < state->count; i++) {
        s[i] = gamma * s[i] + share * g[i] * g[i];
        w[i] -= eta * g[i] / (sqrtf(s[i]) + eps);
    }
}

static void adadelta(RuleState *state, const Config *config, float *w, const float *g)
{
    float eta = (float)config->learning_rate, eps = (float)config->epsilon;
    float gamma = (float)config->decay, share = (float)(1 - config->decay);
    float *v = state->first, *s = state->second;
    for (size_t i = 0; i < state->count; i++) {
        s[i] = gamma * s[i] + share * g[i] * g[i];
        float d = g[i] * sqrtf(v[i] + eps) / sqrtf(s[i] + eps);
        v[i] = gamma * v[i] + share * d * d;
        w[i] -= eta * d;
    }
}

static void adam(RuleState *state, const Config *config, float *w, const float *g, uint64_t t)
{
    float beta = (float)config->momentum, gamma = (float)config->decay, eps = (float)config->epsilon;
    float first = (float)(1 - config->momentum), second = (float)(1 - config->decay);
    float rate = (float)(config->learning_rate / (1 - pow(config->momentum, (double)t)));
    float root = (float)(1 / sqrt(1 - pow(config->decay, (double)t)));
    float *v = state->first, *s = state->second;
    for (size_t i = 0; i < state->count; i++) {
        v[i] = beta * v[i] + first * g[i];
        s[i] = gamma * s[i] + second * g[i] * g[i];
        w[i] -= rate * v[i] / (root * sqrtf(s[i]) + eps);
    }
}

bool reluopt_rule_step(RuleState *state, const Config *config, float *w, const float *g, uint64_t t)
{
    Phase before = reluopt_phase_enter(PHASE_UPDATE);
    float eta = (float)config->learning_rate, eps = (float)config->epsilon;
    switch (state->rule) {
    case UPDATE_MOMENTUM:
        momentum(state, w, g, eta, (float)config->momentum);
        break;
    case UPDATE_ADAGRAD:
        scaled(state, w, g, eta, 1, 1, eps);
        break;
    case UPDATE_RMSPROP:
        scaled(state, w, g, eta, (float)config->decay, (float)(1 - config->decay), eps);
        break;
    case UPDATE_ADADELTA:
        adadelta(state, config, w, g);
        break;
    case UPDATE_ADAM:
        adam(state, config, w, g, t);
        break;
    case UPDATE_SGD:
    case UPDATE_AUTO:
        for (size_t i = 0; i < state->count; i++)
            w[i] -= eta * g[i];
        break;
    }
    bool finite = reluopt_is_finite(w, state->count);
    reluopt_phase_leave(before);
    return finite;
}

size_t reluopt_rule_arrays(const RuleState *state, const Array *weights, Array *list)
{
    const struct {
        const char *name;
        float *data;
    } kept[] = {{"first", state->first}, {"second", state->second}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (!kept[i].data)
            continue;
        if (list) {
            list[count] = *weights;
            list[count].data = kept[i].data;
            snprintf(list[count].name, sizeof list[count].name, "%.12s.%s", weights->name, kept[i].name);
        }
        count++;
    }
    return count;
}
