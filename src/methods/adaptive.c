/* adaptive.c - the thesis's method: difference target propagation with analytic steps.
 *
 * Thesis chapter 3; equation numbers in parentheses.  Every rank owns the rows own.first ..
 * own.first + own.count - 1 of each W[i] and V[i]; activations H[i] and targets T[i] are whole on every rank
 * after a gather. */
#include <math.h>
#include <stdlib.h>

#include "reluopt/alpha.h"
#include "reluopt/inverse.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

typedef struct Adaptive {
    const Config *config;
    Network net;       /* W[1..L], H[0..L] */
    Inverses inverses; /* V[2..L], T[1..L] */
    Alpha alpha;       /* for alpha: auto */

    Whitening whitening[RELUOPT_NODES]; /* of H[0..L-1], for the whitened direction */
    float *centred;                     /* n[i] x B  scratch of the same, n[0] too */
    float *joined;                      /* see reluopt_weights_join */
} Adaptive;

static bool chooses_alpha(const Adaptive *s)
{
    return s->config->alpha == RELUOPT_AUTO;
}

/* T[L] = H[L] - alpha (softmax(H[L]) - Y) (3.1.3, 4.3), as whole as H[L] without a message. */
static void output_target(Adaptive *s, const Batch *batch, uint64_t number, Score *score)
{
    size_t last = s->net.shape.layers, classes = s->net.shape.width[last], columns = s->net.columns;
    float *t = s->inverses.t[last], *delta = s->inverses.a, alpha = (float)s->config->alpha;
    Score so_far = *score;
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    reluopt_cross_entropy(s->net.h[last], batch->label, classes, columns, score, delta);
    reluopt_score_sum(s->net.comm, &so_far, score);
    if (chooses_alpha(s)) {
        reluopt_alpha_choose(&s->alpha, &s->net, score->loss - so_far.loss, number);
        alpha = s->alpha.state.alpha;
    }
    reluopt_output_target(t, s->net.h[last], delta, alpha, classes * columns);
    reluopt_ones(t + classes * columns, columns);
    reluopt_phase_leave(before);
}

/* Aim V[2..L]: fit g_i(f_i(Hn)) to Hn = H[i-1] + noise (3-8).  Centred at most: whitening them too made no run
 * better.  Collective. */
static void aim_inverses(Adaptive *s, uint64_t draw)
{
    Direction direction = s->config->direction == DIRECTION_PLAIN ? DIRECTION_PLAIN : DIRECTION_CENTRED;
    Phase before = reluopt_phase_enter(PHASE_INVERSES);
    for (size_t i = s->net.shape.layers; i >= 2; i--) {
        reluopt_inverse_reconstruct(&s->inverses, i, draw);
        reluopt_weights_aim(&s->inverses.v[i], s->inverses.image,
                            reluopt_network_own(&s->net, s->inverses.noisy[i], i - 1), s->net.batch, direction,
                            s->net.comm);
    }
    reluopt_phase_leave(before);
}

/* Bring V[2..L] closer to the transposed weights, as they are now.  Collective. */
static void mirror(Adaptive *s, uint64_t number)
{
    int rounds = s->config->inverse.steps;
    Phase before = reluopt_phase_enter(PHASE_INVERSES);
    for (int k = 0; k < rounds; k++)
        for (size_t i = s->net.shape.layers; i >= 2; i--)
            reluopt_inverse_mirror(&s->inverses, i, number * (uint64_t)rounds + (uint64_t)k);
    reluopt_phase_leave(before);
}

/* Bring the whitenings of H[0..L-1] up to date.  The fewer samples there are for each input, the more of what
 * they seem to vary along is theirs alone: the ridge grows.  Collective. */
static void whiten(Adaptive *s, const Batch *batch, uint64_t number)
{
    const Network *net = &s->net;
    size_t given = (size_t)s->config->batch, usual = given > 0 && given < batch->total ? given : net->batch;
    Phase before = reluopt_phase_enter(PHASE_GRADIENT);
    for (size_t i = 0; i < net->shape.layers; i++) {
        if (s->config->whitening.lambda == RELUOPT_AUTO)
            s->whitening[i].lambda = 1 + 10 * (double)net->shape.width[i] / (double)batch->total;
        reluopt_whitening_follow(&s->whitening[i], net->h[i], net->batch, usual, number, s->centred, net->comm);
    }
    reluopt_whitening_refresh(s->whitening, net->shape.layers, net->comm);
    reluopt_phase_leave(before);
}

/* Aim W[1..L] at the targets (3-9 .. 3-18).  Collective. */
static void aim_forward(Adaptive *s)
{
    for (size_t i = 1; i <= s->net.shape.layers; i++)
        reluopt_weights_aim(&s->net.weights[i], s->net.h[i - 1],
                            reluopt_network_own(&s->net, s->inverses.t[i], i), s->net.batch,
                            (Direction)s->config->direction, s->net.comm);
}

/* V[2..L] and W[1..L], or some of them, in the order in which they step; returns how many. */
static size_t stepping(Adaptive *s, bool inverses, bool forwards, Weights **list)
{
    size_t count = 0, last = s->net.shape.layers;
    for (size_t i = 2; inverses && i <= last; i++)
        list[count++] = &s->inverses.v[i];
    for (size_t i = 1; forwards && i <= last; i++)
        list[count++] = &s->net.weights[i];
    return count;
}

/* Choose and take the steps of what was aimed (3-19), (3-20): V[2..L] and, with the last round of the inverse
 * training, W[1..L], in one reduction.  Collective. */
static void take_steps(Adaptive *s, bool inverses, bool forwards)
{
    Weights *list[2 * RELUOPT_NODES];
    size_t count = stepping(s, inverses, forwards, list);
    reluopt_weights_step(list, count, s->net.batch, s->config, s->net.comm);
}

static void step(void *state, const Batch *batch, uint64_t number, Score *score)
{
    Adaptive *s = state;
    int rounds = s->config->inverse.kind == INVERSE_TRAINED ? s->config->inverse.steps : 0;
    if (chooses_alpha(s))
        reluopt_alpha_measure(&s->alpha, &s->net, batch, number);
    reluopt_network_forward(&s->net, batch); /* (3-1) */
    output_target(s, batch, number, score);  /* 3.1.3 */
    if (s->config->inverse.kind == INVERSE_MIRROR)
        mirror(s, number);
    reluopt_inverse_targets(&s->inverses); /* (3-7) */
    if (s->config->direction == DIRECTION_WHITENED)
        whiten(s, batch, number);
    aim_forward(s); /* (3-9) .. (3-18) */
    if (rounds > 0)
        reluopt_inverse_measure(&s->inverses);
    for (int k = 0; k < rounds; k++) {
        aim_inverses(s, number * (uint64_t)rounds + (uint64_t)k); /* (3-8) */
        take_steps(s, true, k == rounds - 1);                     /* (3-19), (3-20) */
    }
    if (rounds == 0)
        take_steps(s, false, true);
    reluopt_network_average(&s->net, batch, number);
}

static bool spoilt(const void *state)
{
    const Adaptive *s = state;
    return reluopt_network_spoilt(&s->net) || reluopt_inverse_spoilt(&s->inverses);
}

static const float *predict(void *state, const Batch *batch)
{
    Adaptive *s = state;
    return reluopt_network_predict(&s->net, batch);
}

static int create_layers(Adaptive *s, const Config *config, const Shape *shape, const Comm *comm, Error *error)
{
    TargetForm form = config->gate ? FORM_GATED : FORM_DIFFERENCE;
    Weights *list[2 * RELUOPT_NODES];
    bool exact = config->rate.rule == RATE_EXACT && config->variant != VARIANT_LINE_SEARCH;
    if (reluopt_network_create(&s->net, config, shape, comm, error) ||
        reluopt_inverse_create(&s->inverses, &s->net, form, shape->layers, error))
        return error->code;
    for (size_t i = 1; i <= shape->layers; i++)
        if (reluopt_weights_create_step(&s->net.weights[i], shape->columns, error) ||
            (i >= 2 && config->inverse.kind == INVERSE_TRAINED &&
             reluopt_weights_create_step(&s->inverses.v[i], shape->columns, error)) ||
            (exact && reluopt_weights_search(&s->net.weights[i], shape->columns, error)))
            return error->code;
    s->joined =
        reluopt_weights_join(list, stepping(s, config->inverse.kind == INVERSE_TRAINED, true, list), error);
    return error->code;
}

static int create_whitening(Adaptive *s, Error *error)
{
    const Shape *shape = &s->net.shape;
    double lambda = s->config->whitening.lambda;
    size_t room = reluopt_network_room(&s->net), inputs = shape->width[0] * shape->columns;
    s->centred = reluopt_alloc(room > inputs ? room : inputs, sizeof(float), error);
    for (size_t i = 0; i < shape->layers && !error->code; i++)
        if (reluopt_whitening_create(&s->whitening[i], shape->width[i], i == 0,
                                     lambda == RELUOPT_AUTO ? 1 : lambda, s->net.comm, error) == RELUOPT_OK)
            reluopt_weights_whiten(&s->net.weights[i + 1], &s->whitening[i], error);
    return error->code;
}

static void destroy(void *state)
{
    Adaptive *s = state;
    reluopt_alpha_free(&s->alpha, &s->net);
    reluopt_network_free(&s->net);
    reluopt_inverse_free(&s->inverses);
    for (size_t i = 0; i < RELUOPT_NODES; i++)
        reluopt_whitening_free(&s->whitening[i]);
    free(s->centred);
    free(s->joined);
    free(s);
}

static int create(void **state, const Config *config, const Shape *shape, const Comm *comm, Error *error)
{
    Adaptive *s = reluopt_alloc(1, sizeof *s, error);
    if (!s)
        return error->code;
    s->config = config;
    if (create_layers(s, config, shape, comm, error) ||
        (chooses_alpha(s) && reluopt_alpha_create(&s->alpha, &s->net, error)) ||
        (config->direction == DIRECTION_WHITENED && create_whitening(s, error))) {
        destroy(s);
        return error->code;
    }
    *state = s;
    return RELUOPT_OK;
}

static size_t arrays(void *state, Array *list)
{
    Adaptive *s = state;
    size_t count = reluopt_network_arrays(&s->net, list);
    count += reluopt_inverse_arrays(&s->inverses, list ? list + count : NULL);
    for (size_t i = 0; s->config->direction == DIRECTION_WHITENED && i < s->net.shape.layers; i++, count += 2)
        if (list)
            reluopt_whitening_arrays(&s->whitening[i], i, list + count);
    return count;
}

static size_t memory(void *state, Array *list)
{
    Adaptive *s = state;
    size_t count = reluopt_network_memory(&s->net, list);
    count += reluopt_inverse_memory(&s->inverses, list ? list + count : NULL);
    if (chooses_alpha(s))
        count += reluopt_alpha_memory(&s->alpha, &s->net, list ? list + count : NULL);
    return count;
}

static void measures(void *state, Measures *out)
{
    Adaptive *s = state;
    reluopt_network_measures(&s->net, out);
    if (chooses_alpha(s))
        out->alpha = s->alpha.state.alpha;
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        if (s->config->variant == VARIANT_LINE_SEARCH)
            out->online_bound[i - 1] = NAN;
        if (i >= 2)
            out->inverse_rate[i - 2] = reluopt_weights_means(&s->inverses.v[i], s->net.comm).rate;
    }
}

const Method reluopt_method_adaptive = {
    .name = "adaptive",
    .about = "target propagation with analytic steps (thesis chapter 3)",
    .create = create,
    .destroy = destroy,
    .step = step,
    .spoilt = spoilt,
    .predict = predict,
    .arrays = arrays,
    .memory = memory,
    .measures = measures,
};
