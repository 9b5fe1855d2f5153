/* target.c - target propagation (thesis 2.3.1) with the update rules of rules.h: tp passes targets down through
 * the inverses as they are, dtp by differences (Lee et al. 2015; variants: Bartunov et al. 2018).
 *
 * Every layer but the last follows the gradient of its own loss, the mean over the batch of
 * ||f_i(W[i] H[i-1]) - T[i]||^2 (2-37); the last one that of the mean loss.  Every inverse follows the
 * gradient of the mean of ||g_i(f_i(Hn)) - Hn||^2, Hn = H[i-1] + noise (2-36). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/dense.h"
#include "reluopt/inverse.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/rules.h"
#include "reluopt/tally.h"

/* What is learnt by an update rule. */
typedef struct Learner {
    Weights *weights;
    RuleState rule;
    int64_t steps; /* taken */
} Learner;

typedef struct Target {
    const Config *config;
    Config inverse_config; /* with the learning rate of the inverses */
    Network net;           /* W[1..L], H[0..L] */
    Inverses inverses;     /* V[2..last], T[1..L-1] (target.layer output: and T[L]) */
    Learner forward[RELUOPT_NODES], inverse[RELUOPT_NODES];
    float *delta;    /* n[L] x B  derivative of each sample's loss with respect to H[L] */
    float *residual; /* m x B  derivative of a layer's loss with respect to its pre-activations */
} Target;

static float *own(const Target *s, float *x, size_t i)
{
    return reluopt_network_own(&s->net, x, i);
}

/* The target of the last layer that has one, a step alpha down the gradient of each sample's loss: of the
 * outputs, T[L] = H[L] - alpha Delta, or of the penultimate layer, T[L-1] = H[L-1] - alpha W[L]' Delta.
 * Collective. */
static void first_target(Target *s)
{
    size_t last = s->inverses.last, columns = s->net.columns;
    float alpha = (float)s->config->alpha, *t = s->inverses.t[last], *h = s->net.h[last];
    if (s->config->target_layer == TARGET_OUTPUT) {
        reluopt_output_target(t, h, s->delta, alpha, s->net.shape.width[last] * columns);
        reluopt_ones(t + s->net.shape.width[last] * columns, columns);
        return;
    }
    reluopt_network_transpose(&s->net, last + 1, s->delta, s->inverses.a, s->residual);
    reluopt_output_target(own(s, t, last), own(s, h, last), s->residual, alpha,
                          s->net.weights[last].own.count * columns);
    reluopt_network_gather(&s->net, t, last);
}

/* One step along G = r x', r: m x B, x: (inputs + 1) x B.  active: see reluopt_weights_sum_gradient.
 * Collective. */
static size_t follow(Target *s, Learner *learner, const Config *config, const float *r, const float *x,
                     size_t active)
{
    Weights *w = learner->weights;
    size_t m = w->own.count, k = w->inputs + 1;
    reluopt_product_nt(w->g, k, r, x, m, k, s->net.columns);
    active = reluopt_weights_sum_gradient(w, active, s->net.comm);
    w->spoilt |= !reluopt_rule_step(&learner->rule, config, w->w, w->g, (uint64_t)++learner->steps);
    for (size_t j = 0; j < m; j++)
        reluopt_weights_note_step(w, j, config->learning_rate);
    return active;
}

/* r = 2/B (h - t), n values: the derivative of the mean squared error over the whole batch with respect to h.
 */
static void derivative(const Target *s, float *r, const float *h, const float *t, size_t n)
{
    float scale = 2 / (float)s->net.batch;
    for (size_t k = 0; k < n; k++)
        r[k] = scale * (h[k] - t[k]);
}

/* A step of V[last..2] (2-36).  Collective. */
static void train_inverses(Target *s)
{
    Phase before = reluopt_phase_enter(PHASE_INVERSES);
    for (size_t i = s->inverses.last; i >= 2; i--) {
        Learner *learner = &s->inverse[i];
        Weights *v = learner->weights;
        size_t n = v->own.count * s->net.columns;
        reluopt_inverse_reconstruct(&s->inverses, i, (uint64_t)learner->steps);
        reluopt_inverse_activate(&s->inverses, v->z, v->z, n);
        derivative(s, s->residual, v->z, own(s, s->inverses.noisy[i], i - 1), n);
        reluopt_inverse_slope(&s->inverses, s->residual, v->z, n);
        follow(s, learner, &s->inverse_config, s->residual, s->inverses.image, 0);
    }
    reluopt_phase_leave(before);
}

/* A step of W[1..L]: (2-37), the last one on the loss itself.  Collective. */
static void train_forward(Target *s)
{
    size_t last = s->net.shape.layers, columns = s->net.columns;
    Phase before = reluopt_phase_enter(PHASE_GRADIENT);
    for (size_t i = 1; i <= last; i++) {
        Weights *w = s->forward[i].weights;
        size_t n = w->own.count * columns, active = n;
        if (i == last) {
            const float *delta = own(s, s->delta, i);
            for (size_t k = 0; k < n; k++)
                s->residual[k] = delta[k] / (float)s->net.batch;
        } else {
            const float *h = own(s, s->net.h[i], i);
            derivative(s, s->residual, h, own(s, s->inverses.t[i], i), n);
            active = reluopt_slope((Activation)s->config->activation, s->residual, h, n);
        }
        active = follow(s, &s->forward[i], s->config, s->residual, s->net.h[i - 1], active);
        reluopt_weights_note_active(w, active, w->own.count * s->net.batch);
    }
    reluopt_phase_leave(before);
}

static void step(void *state, const Batch *batch, uint64_t number, Score *score)
{
    Target *s = state;
    size_t last = s->net.shape.layers;
    int64_t since = batch->epoch - s->config->inverse.warmup; /* epochs */
    bool trained = s->config->inverse.kind == INVERSE_TRAINED, alternate = s->config->inverse.alternate;
    bool forward = since >= 0 && (!alternate || since % 2 == 1);
    bool inverse = trained && (since < 0 || !alternate || since % 2 == 0);
    Score so_far = *score;
    reluopt_network_forward(&s->net, batch);
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    reluopt_loss((Loss)s->config->loss, s->net.h[last], batch->label, s->net.shape.width[last], s->net.columns,
                 score, s->delta);
    reluopt_score_sum(s->net.comm, &so_far, score);
    if (forward) {
        first_target(s);
        reluopt_inverse_targets(&s->inverses);
    }
    reluopt_phase_leave(before);
    if (inverse)
        reluopt_inverse_measure(&s->inverses);
    for (int k = 0; inverse && k < s->config->inverse.steps; k++)
        train_inverses(s);
    if (forward)
        train_forward(s);
    reluopt_network_average(&s->net, batch, number);
}

static bool spoilt(const void *state)
{
    const Target *s = state;
    return reluopt_network_spoilt(&s->net) || reluopt_inverse_spoilt(&s->inverses);
}

static const float *predict(void *state, const Batch *batch)
{
    Target *s = state;
    return reluopt_network_predict(&s->net, batch);
}

static int create_learner(Learner *learner, Weights *weights, const Config *config, Error *error)
{
    learner->weights = weights;
    return reluopt_rule_create(&learner->rule, (Update)config->update,
                               weights->own.count * (weights->inputs + 1), error);
}

static int create_learners(Target *s, Error *error)
{
    size_t layers = s->net.shape.layers, last = s->inverses.last;
    for (size_t i = 1; i <= layers; i++)
        if (create_learner(&s->forward[i], &s->net.weights[i], s->config, error) ||
            (i >= 2 && i <= last && s->config->inverse.kind == INVERSE_TRAINED &&
             create_learner(&s->inverse[i], &s->inverses.v[i], s->config, error)))
            return error->code;
    s->delta = reluopt_alloc(s->net.shape.width[layers] * s->net.shape.columns, sizeof(float), error);
    s->residual = reluopt_alloc(reluopt_network_room(&s->net), sizeof(float), error);
    return error->code;
}

static void destroy(void *state)
{
    Target *s = state;
    for (size_t i = 1; i < RELUOPT_NODES; i++) {
        reluopt_rule_free(&s->forward[i].rule);
        reluopt_rule_free(&s->inverse[i].rule);
    }
    reluopt_network_free(&s->net);
    reluopt_inverse_free(&s->inverses);
    free(s->delta);
    free(s->residual);
    free(s);
}

static int create(void **state, const Config *config, const Shape *shape, const Comm *comm, TargetForm form,
                  Error *error)
{
    Target *s = reluopt_alloc(1, sizeof *s, error);
    if (!s)
        return error->code;
    s->config = config;
    s->inverse_config = *config;
    if (config->inverse.rate != RELUOPT_AUTO)
        s->inverse_config.learning_rate = config->inverse.rate;
    size_t last = config->target_layer == TARGET_OUTPUT ? shape->layers : shape->layers - 1;
    if (reluopt_network_create(&s->net, config, shape, comm, error) ||
        reluopt_inverse_create(&s->inverses, &s->net, form, last, error) || create_learners(s, error)) {
        destroy(s);
        return error->code;
    }
    *state = s;
    return RELUOPT_OK;
}

static int create_plain(void **state, const Config *config, const Shape *shape, const Comm *comm, Error *error)
{
    return create(state, config, shape, comm, FORM_PLAIN, error);
}

static int create_difference(void **state, const Config *config, const Shape *shape, const Comm *comm,
                             Error *error)
{
    return create(state, config, shape, comm, FORM_DIFFERENCE, error);
}

static size_t learner_arrays(const Learner *learner, const char *letter, size_t i, Array *list)
{
    Array weights = reluopt_weights_array(learner->weights, letter, i);
    return reluopt_rule_arrays(&learner->rule, &weights, list);
}

/* How many steps it took: the same on every rank. */
static size_t learner_memory(Learner *learner, const char *letter, size_t i, Array *list)
{
    if (list) {
        *list = (Array){.type = ARRAY_INTEGER,
                        .shared = true,
                        .rows = 1,
                        .cols = 1,
                        .count = 1,
                        .integers = &learner->steps};
        snprintf(list->name, sizeof list->name, "%s%zu.steps", letter, i);
    }
    return 1;
}

static size_t arrays(void *state, Array *list)
{
    Target *s = state;
    size_t count = reluopt_network_arrays(&s->net, list);
    count += reluopt_inverse_arrays(&s->inverses, list ? list + count : NULL);
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        count += learner_arrays(&s->forward[i], "W", i, list ? list + count : NULL);
        if (s->inverse[i].weights)
            count += learner_arrays(&s->inverse[i], "V", i, list ? list + count : NULL);
    }
    return count;
}

static size_t memory(void *state, Array *list)
{
    Target *s = state;
    size_t count = reluopt_network_memory(&s->net, list);
    count += reluopt_inverse_memory(&s->inverses, list ? list + count : NULL);
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        count += learner_memory(&s->forward[i], "W", i, list ? list + count : NULL);
        if (s->inverse[i].weights)
            count += learner_memory(&s->inverse[i], "V", i, list ? list + count : NULL);
    }
    return count;
}

static void measures(void *state, Measures *out)
{
    Target *s = state;
    reluopt_network_measures(&s->net, out);
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        out->online_bound[i - 1] = NAN;
        if (i >= 2)
            out->inverse_rate[i - 2] = reluopt_weights_means(&s->inverses.v[i], s->net.comm).rate;
    }
}

const Method reluopt_method_tp = {
    .name = "tp",
    .about = "target propagation with an update rule (thesis 2.3.1)",
    .create = create_plain,
    .destroy = destroy,
    .step = step,
    .spoilt = spoilt,
    .predict = predict,
    .arrays = arrays,
    .memory = memory,
    .measures = measures,
};

const Method reluopt_method_dtp = {
    .name = "dtp",
    .about = "difference target propagation with an update rule (thesis 2.3.1; Lee et al. 2015)",
    .create = create_difference,
    .destroy = destroy,
    .step = step,
    .spoilt = spoilt,
    .predict = predict,
    .arrays = arrays,
    .memory = memory,
    .measures = measures,
};
