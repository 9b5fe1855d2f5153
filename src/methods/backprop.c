/* backprop.c - back-propagation (thesis 2.2) with the update rules of rules.h, and feedback alignment, which
 * replaces the transposed weights by fixed random matrices (1.2.2; Lillicrap et al. 2016, Nokland 2016).
 *
 * Delta[i] is the derivative of the batch's mean loss with respect to the pre-activations of layer i.  Every
 * rank has the rows of Delta[i] that belong to its rows of W[i]; Delta[L] is whole on every rank. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/memory.h"
#include "reluopt/network.h"
#include "reluopt/random.h"
#include "reluopt/rules.h"
#include "reluopt/tally.h"

/* Where Delta[i-1] comes from. */
typedef enum Feedback {
    FEEDBACK_TRANSPOSE, /* W[i]' Delta[i]: back-propagation */
    FEEDBACK_RANDOM,    /* B[i] Delta[i] */
    FEEDBACK_DIRECT     /* B[i] Delta[L] */
} Feedback;

typedef struct Backprop {
    const Config *config;
    Feedback feedback;
    Network net;                   /* W[1..L], H[0..L] */
    RuleState rule[RELUOPT_NODES]; /* of W[1..L] */
    RuleState norm[RELUOPT_NODES]; /* of the scales of layers 1..L-1, with batch_norm */
    float *random[RELUOPT_NODES];  /* m[i-1] x n[i], or m[i-1] x n[L]  B[2..L], own rows */
    float *delta[RELUOPT_NODES];   /* (n[i] + 1) x B  Delta[1..L] */
    size_t active[RELUOPT_NODES];  /* slopes in layers 1..L-1 that are not 0 */
    float *carried;                /* m[i] x B  what a skip takes down from layer i */
    float *part;                   /* n[i] x B  this rank's part of W[i]' Delta[i] */
} Backprop;

static float *own(const Backprop *s, float *x, size_t i)
{
    return reluopt_network_own(&s->net, x, i);
}

/* Delta[L] of the mean loss; as whole as H[L] without a message. */
static void output_error(Backprop *s, const Batch *batch, Score *score)
{
    size_t last = s->net.shape.layers, classes = s->net.shape.width[last], columns = s->net.columns;
    float *delta = s->delta[last];
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    Score so_far = *score;
    reluopt_loss((Loss)s->config->loss, s->net.h[last], batch->label, classes, columns, score, delta);
    reluopt_score_sum(s->net.comm, &so_far, score);
    for (size_t k = 0; k < classes * columns; k++)
        delta[k] /= (float)batch->count;
    reluopt_phase_leave(before);
}

/* G[i] = Delta[i] H[i-1]' (2-12), own rows.  Collective.  Normalisation takes biases away: they stay, whatever
 * rounding says of their gradient. */
static void gradient(Backprop *s, size_t i)
{
    Weights *w = &s->net.weights[i];
    size_t k = w->inputs + 1;
    Phase before = reluopt_phase_enter(PHASE_GRADIENT);
    reluopt_product_nt(w->g, k, own(s, s->delta[i], i), s->net.h[i - 1], w->own.count, k, s->net.columns);
    size_t active = reluopt_weights_sum_gradient(w, s->active[i], s->net.comm);
    if (!w->linear)
        reluopt_weights_note_active(w, active, w->own.count * s->net.batch);
    for (size_t j = 0; s->config->batch_norm && !w->linear && j < w->own.count; j++)
        w->g[j * k + w->inputs] = 0;
    reluopt_phase_leave(before);
}

/* out = own rows of W[i]' Delta[i], or of what stands for it.  Collective. */
static void feed_back(Backprop *s, size_t i, float *out)
{
    size_t last = s->net.shape.layers, from = s->feedback == FEEDBACK_DIRECT ? last : i;
    size_t n = s->net.shape.width[from], m = s->net.weights[i - 1].own.count;
    if (s->feedback == FEEDBACK_TRANSPOSE) {
        reluopt_network_transpose(&s->net, i, s->delta[i], s->part, out);
        return;
    }
    if (from < last)
        reluopt_network_gather(&s->net, s->delta[from], from);
    reluopt_product(out, s->random[i], n, s->delta[from], m, s->net.columns, n);
}

/* delta: from the derivative after the normalisation of layer i to the one before it.  Collective. */
static void normalise_back(Backprop *s, size_t i, float *delta)
{
    Normalisation *norm = &s->net.norm[i];
    const float *z = s->net.weights[i].z;
    reluopt_normalise_slopes(norm, delta, z, s->net.columns);
    reluopt_comm_data_sum_doubles(s->net.comm, norm->sums, 2 * norm->rows);
    reluopt_normalise_back(norm, delta, z, s->net.columns, s->net.batch);
}

/* Delta[i-1] = W[i]' Delta[i] * f'(Z[i-1]) (2-11), and back through what else is in layer i-1.  Direct feedback
 * takes nothing from layer i, so nothing from its skip either.  Collective. */
static void error_below(Backprop *s, size_t i)
{
    Weights *below = &s->net.weights[i - 1];
    size_t values = below->own.count * s->net.columns;
    float *delta = own(s, s->delta[i - 1], i - 1), *h = own(s, s->net.h[i - 1], i - 1);
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    feed_back(s, i, delta);
    for (size_t k = 0; s->feedback != FEEDBACK_DIRECT && reluopt_network_skips(&s->net, i) && k < values; k++)
        delta[k] += s->carried[k];
    s->active[i - 1] = reluopt_slope((Activation)s->config->activation, delta, h, values);
    if (reluopt_network_skips(&s->net, i - 1))
        memcpy(s->carried, delta, values * sizeof *delta);
    if (s->config->batch_norm)
        normalise_back(s, i - 1, delta);
    reluopt_phase_leave(before);
}

/* Step number t of W[1..L] along G[1..L] (2-13) .. (2-29), and of the layers' normalisation. */
static void update(Backprop *s, uint64_t t)
{
    Phase before = reluopt_phase_enter(PHASE_UPDATE);
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        Weights *w = &s->net.weights[i];
        w->spoilt |= !reluopt_rule_step(&s->rule[i], s->config, w->w, w->g, t) |
                     !reluopt_rule_step(&s->norm[i], s->config, s->net.norm[i].scale, s->net.norm[i].g, t);
        for (size_t j = 0; j < w->own.count; j++)
            reluopt_weights_note_step(w, j, s->config->learning_rate);
    }
    reluopt_phase_leave(before);
}

static void step(void *state, const Batch *batch, uint64_t number, Score *score)
{
    Backprop *s = state;
    reluopt_network_forward(&s->net, batch);            /* (2-6) .. (2-9) */
    output_error(s, batch, score);                      /* (2-4), (2-5) */
    for (size_t i = s->net.shape.layers; i >= 1; i--) { /* (2-10) .. (2-12) */
        gradient(s, i);
        if (i >= 2)
            error_below(s, i);
    }
    update(s, number + 1);
    reluopt_network_average(&s->net, batch, number);
}

static bool spoilt(const void *state)
{
    const Backprop *s = state;
    return reluopt_network_spoilt(&s->net);
}

static const float *predict(void *state, const Batch *batch)
{
    Backprop *s = state;
    return reluopt_network_predict(&s->net, batch);
}

/* B[i], own rows, as large as orthogonal weights of its shape; a function of the seed, so that checkpoints need
 * not hold it. */
static int create_random(Backprop *s, size_t i, Error *error)
{
    size_t n = s->net.shape.width[s->feedback == FEEDBACK_DIRECT ? s->net.shape.layers : i];
    size_t below = s->net.shape.width[i - 1], larger = n > below ? n : below;
    Rows rows = s->net.weights[i - 1].own;
    RandomKey key = {(uint64_t)s->config->seed, RANDOM_FEEDBACK, (uint32_t)i, 0, 0};
    float *b = s->random[i] = reluopt_alloc(rows.count * n, sizeof *b, error);
    if (b)
        reluopt_add_normal(b, b, rows.count, n, rows.first, (float)sqrt(2.0 / (double)larger), key);
    return error->code;
}

static int create_layers(Backprop *s, Error *error)
{
    const Shape *shape = &s->net.shape;
    for (size_t i = 1; i <= shape->layers; i++) {
        const Weights *w = &s->net.weights[i];
        s->delta[i] = reluopt_alloc((shape->width[i] + 1) * shape->columns, sizeof(float), error);
        if (reluopt_rule_create(&s->rule[i], (Update)s->config->update, w->own.count * (w->inputs + 1),
                                error) ||
            reluopt_rule_create(&s->norm[i], (Update)s->config->update, 2 * s->net.norm[i].rows, error) ||
            (i >= 2 && s->feedback != FEEDBACK_TRANSPOSE && create_random(s, i, error)))
            return error->code;
    }
    if (s->feedback == FEEDBACK_TRANSPOSE)
        s->part = reluopt_alloc(reluopt_network_room(&s->net), sizeof(float), error);
    if (s->config->residual)
        s->carried = reluopt_alloc(reluopt_network_room(&s->net), sizeof(float), error);
    return error->code;
}

static void destroy(void *state)
{
    Backprop *s = state;
    reluopt_network_free(&s->net);
    for (size_t i = 1; i < RELUOPT_NODES; i++) {
        reluopt_rule_free(&s->rule[i]);
        reluopt_rule_free(&s->norm[i]);
        free(s->random[i]);
        free(s->delta[i]);
    }
    free(s->carried);
    free(s->part);
    free(s);
}

static int create(void **state, const Config *config, const Shape *shape, const Comm *comm, Feedback feedback,
                  Error *error)
{
    Backprop *s = reluopt_alloc(1, sizeof *s, error);
    if (!s)
        return error->code;
    s->config = config;
    s->feedback = feedback;
    if (reluopt_network_create(&s->net, config, shape, comm, error) || create_layers(s, error)) {
        destroy(s);
        return error->code;
    }
    *state = s;
    return RELUOPT_OK;
}

static int create_transpose(void **state, const Config *config, const Shape *shape, const Comm *comm,
                            Error *error)
{
    return create(state, config, shape, comm, FEEDBACK_TRANSPOSE, error);
}

static int create_random_feedback(void **state, const Config *config, const Shape *shape, const Comm *comm,
                                  Error *error)
{
    return create(state, config, shape, comm, FEEDBACK_RANDOM, error);
}

static int create_direct_feedback(void **state, const Config *config, const Shape *shape, const Comm *comm,
                                  Error *error)
{
    return create(state, config, shape, comm, FEEDBACK_DIRECT, error);
}

static size_t arrays(void *state, Array *list)
{
    Backprop *s = state;
    size_t count = reluopt_network_arrays(&s->net, list);
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        Array weights = reluopt_weights_array(&s->net.weights[i], "W", i);
        count += reluopt_rule_arrays(&s->rule[i], &weights, list ? list + count : NULL);
    }
    for (size_t i = 1; s->config->batch_norm && i < s->net.shape.layers; i++) {
        Array scale = reluopt_network_norm_array(&s->net, "norm", i, s->net.norm[i].scale);
        count += reluopt_rule_arrays(&s->norm[i], &scale, list ? list + count : NULL);
    }
    return count;
}

static size_t memory(void *state, Array *list)
{
    Backprop *s = state;
    return reluopt_network_memory(&s->net, list);
}

static void measures(void *state, Measures *out)
{
    Backprop *s = state;
    reluopt_network_measures(&s->net, out);
    for (size_t i = 0; i < s->net.shape.layers; i++)
        out->online_bound[i] = NAN;
}

#define METHOD(NAME, CREATE, ABOUT)                                                                            \
    const Method reluopt_method_##NAME = {                                                                     \
        .name = #NAME,                                                                                         \
        .about = (ABOUT),                                                                                      \
        .create = (CREATE),                                                                                    \
        .destroy = destroy,                                                                                    \
        .step = step,                                                                                          \
        .spoilt = spoilt,                                                                                      \
        .predict = predict,                                                                                    \
        .arrays = arrays,                                                                                      \
        .memory = memory,                                                                                      \
        .measures = measures,                                                                                  \
    }

METHOD(gd, create_transpose, "back-propagation, the whole training set each step (2-13)");
METHOD(sgd, create_transpose, "back-propagation in batches (2-14), (2-15)");
METHOD(momentum, create_transpose, "back-propagation with momentum (2-16), (2-17)");
METHOD(adagrad, create_transpose, "back-propagation with AdaGrad (2-18) .. (2-20)");
METHOD(rmsprop, create_transpose, "back-propagation with RMSProp (2-21) .. (2-23)");
METHOD(adadelta, create_transpose, "back-propagation with Adadelta (Zeiler 2012)");
METHOD(adam, create_transpose, "back-propagation with Adam (2-24) .. (2-29)");
METHOD(fa, create_random_feedback, "feedback alignment: errors through fixed random matrices (1.2.2)");
METHOD(dfa, create_direct_feedback, "direct feedback alignment: output errors through random matrices");
