/* adaptive.c - the thesis's method: difference target propagation with analytic steps.
 *
 * Thesis chapter 3; equation numbers in parentheses.  Every rank owns the rows own.first ..
 * own.first + own.count - 1 of each W[i] and V[i]; activations H[i] and targets T[i] are whole on every rank
 * after a gather. */
#include <math.h>
#include <stdlib.h>

#include "reluopt/dense.h"
#include "reluopt/init.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/network.h"

typedef struct Adaptive {
    const Config *config;
    Network net;                    /* W[1..L], H[0..L] */
    Weights inverse[RELUOPT_NODES]; /* V[2..L] */
    float *t[RELUOPT_NODES];        /* (n[i] + 1) x B  targets of layers 1..L, last row ones */
    float *noisy[RELUOPT_NODES];    /* (n[i-1] + 1) x B  H[i-1] + noise, for V[i] */
    float *image;                   /* (n[i] + 1) x B  f_i(noisy) */
    float *difference;              /* n[i] x B  T[i] - H[i] */
    float *whole, *a, *b;           /* n[i] x B  scratch */

    Whitening whitening[RELUOPT_NODES]; /* of H[0..L-1], for the whitened direction */
    float *centred;                     /* n[i] x B  scratch of the same, n[0] too */
} Adaptive;

static float *own(const Adaptive *s, float *x, size_t i)
{
    return reluopt_network_own(&s->net, x, i);
}

/* T[L] = H[L] - alpha (softmax(H[L]) - Y) (3.1.3, 4.3); whole on every rank without a message. */
static void output_target(Adaptive *s, const Batch *batch, Score *score)
{
    size_t last = s->net.shape.layers, classes = s->net.shape.width[last], columns = s->net.columns;
    reluopt_cross_entropy(s->net.h[last], batch->label, classes, columns, score, s->difference);
    reluopt_output_target(s->t[last], s->net.h[last], s->difference, (float)s->config->alpha,
                          classes * columns);
    reluopt_ones(s->t[last] + classes * columns, columns);
}

/* out = own rows of V[i] x, or of W[i]' x where the inverse is the transpose; x: (n[i] + 1) x B.  Collective
 * for the transpose: the sum over the neurons of layer i runs over ranks. */
static void inverse_product(Adaptive *s, size_t i, float *x, float *out, bool bias)
{
    size_t m = s->net.weights[i - 1].own.count, n = s->net.shape.width[i];
    if (s->config->inverse.kind == INVERSE_TRANSPOSE)
        reluopt_network_transpose(&s->net, i, x, s->whole, out);
    else
        reluopt_product(out, s->inverse[i].w, n + 1, x, m, s->net.columns, bias ? n + 1 : n);
}

/* T[i-1] = H[i-1] + g_i(T[i]) - g_i(H[i]) (3-7), or its gated form.  Collective. */
static void targets(Adaptive *s)
{
    for (size_t i = s->net.shape.layers; i >= 2; i--) {
        size_t n = s->net.shape.width[i] * s->net.columns, m = s->net.weights[i - 1].own.count * s->net.columns;
        float *t = own(s, s->t[i - 1], i - 1), *h = own(s, s->net.h[i - 1], i - 1);
        if (s->config->gate) {
            for (size_t k = 0; k < n; k++)
                s->difference[k] = s->t[i][k] - s->net.h[i][k];
            inverse_product(s, i, s->difference, s->a, false);
            reluopt_gated_target(t, h, s->a, m);
        } else {
            inverse_product(s, i, s->t[i], s->a, true);
            inverse_product(s, i, s->net.h[i], s->b, true);
            reluopt_difference_target(t, h, s->a, s->b, m);
        }
        if (i > 2 && s->config->inverse.kind != INVERSE_TRANSPOSE)
            reluopt_network_gather(&s->net, s->t[i - 1], i - 1);
    }
}

/* Aim V[2..L]: fit g_i(f_i(Hn)) to Hn = H[i-1] + noise (3-8).  Centred at most: whitening them too made no run
 * better.  Collective. */
static void aim_inverses(Adaptive *s, uint64_t draw)
{
    Direction direction = s->config->direction == DIRECTION_PLAIN ? DIRECTION_PLAIN : DIRECTION_CENTRED;
    for (size_t i = s->net.shape.layers; i >= 2; i--) {
        size_t n = s->net.shape.width[i - 1], values = n * s->net.columns;
        float sigma = (float)s->config->inverse.noise * reluopt_deviation(s->net.h[i - 1], values);
        RandomKey key = {(uint64_t)s->config->seed, RANDOM_NOISE, (uint32_t)i, draw};
        reluopt_add_normal(s->noisy[i], s->net.h[i - 1], n, s->net.columns, 0, sigma, key);
        reluopt_ones(s->noisy[i] + n * s->net.columns, s->net.columns);
        reluopt_network_layer(&s->net, i, s->noisy[i], s->a, s->image);
        reluopt_weights_apply(&s->inverse[i], s->image, s->inverse[i].z, s->net.columns);
        reluopt_weights_aim(&s->inverse[i], s->image, own(s, s->noisy[i], i - 1), s->net.columns, direction);
    }
}

/* Bring the whitenings of H[0..L-1] up to date.  Collective. */
static void whiten(Adaptive *s, uint64_t number)
{
    const Network *net = &s->net;
    for (size_t i = 0; i < net->shape.layers; i++)
        reluopt_whitening_follow(&s->whitening[i], net->h[i], net->columns, number, s->centred, net->comm);
    reluopt_whitening_refresh(s->whitening, net->shape.layers, s->config->whitening.lambda, net->comm);
}

/* Aim W[1..L] at the targets (3-9 .. 3-18).  Not collective. */
static void aim_forward(Adaptive *s)
{
    for (size_t i = 1; i <= s->net.shape.layers; i++)
        reluopt_weights_aim(&s->net.weights[i], s->net.h[i - 1], own(s, s->t[i], i), s->net.columns,
                            (Direction)s->config->direction);
}

/* Choose and take the steps of what was aimed (3-19), (3-20): V[2..L] and, with the last round of the inverse
 * training, W[1..L], in one reduction.  Collective. */
static void take_steps(Adaptive *s, bool inverses, bool forwards)
{
    Weights *list[2 * RELUOPT_NODES];
    size_t count = 0, last = s->net.shape.layers;
    for (size_t i = 2; inverses && i <= last; i++)
        list[count++] = &s->inverse[i];
    for (size_t i = 1; forwards && i <= last; i++)
        list[count++] = &s->net.weights[i];
    reluopt_weights_step(list, count, s->net.columns, s->config, s->net.comm);
}

static void step(void *state, const Batch *batch, uint64_t number, Score *score)
{
    Adaptive *s = state;
    int rounds = s->config->inverse.kind == INVERSE_TRAINED ? s->config->inverse.steps : 0;
    reluopt_network_forward(&s->net, batch); /* (3-1) */
    output_target(s, batch, score);          /* 3.1.3 */
    targets(s);                              /* (3-7) */
    if (s->config->direction == DIRECTION_WHITENED)
        whiten(s, number);
    aim_forward(s); /* (3-9) .. (3-18) */
    for (int k = 0; k < rounds; k++) {
        aim_inverses(s, number * (uint64_t)rounds + (uint64_t)k); /* (3-8) */
        take_steps(s, true, k == rounds - 1);                     /* (3-19), (3-20) */
    }
    if (rounds == 0)
        take_steps(s, false, true);
}

static const float *predict(void *state, const Batch *batch)
{
    Adaptive *s = state;
    reluopt_network_forward(&s->net, batch);
    return s->net.h[s->net.shape.layers];
}

/* Initial V[i], from its own draw or as the transpose of the initial W[i]; every rank makes the whole and keeps
 * its rows. */
static int initial_inverse(Adaptive *s, size_t i, Error *error)
{
    const Config *config = s->config;
    Weights *v = &s->inverse[i];
    size_t n = v->inputs, below = v->outputs;
    bool transpose = config->init.inverse == INIT_TRANSPOSE;
    RandomKey key = {(uint64_t)config->seed, transpose ? RANDOM_INIT_FORWARD : RANDOM_INIT_INVERSE, (uint32_t)i,
                     0};
    float *whole = transpose ? reluopt_initial_matrix((Init)config->init.forward, n, below, key, error)
                             : reluopt_initial_matrix((Init)config->init.inverse, below, n, key, error);
    size_t across = transpose ? below : 1, down = transpose ? 1 : n; /* strides of V[j][k] in `whole` */
    for (size_t j = 0; whole && j < v->own.count; j++)
        for (size_t k = 0; k < n; k++)
            v->w[j * (n + 1) + k] = whole[(v->own.first + j) * down + k * across];
    free(whole);
    return error->code;
}

static int create_inverse(Adaptive *s, size_t i, Error *error)
{
    const Shape *shape = &s->net.shape;
    size_t below = shape->width[i - 1];
    if (reluopt_weights_create(&s->inverse[i], below, shape->width[i], false, shape->columns, s->net.comm,
                               error) ||
        reluopt_weights_create_step(&s->inverse[i], shape->columns, error))
        return error->code;
    if (s->config->inverse.kind == INVERSE_TRAINED)
        s->noisy[i] = reluopt_alloc((below + 1) * shape->columns, sizeof(float), error);
    return initial_inverse(s, i, error);
}

static int create_whitening(Adaptive *s, Error *error)
{
    const Shape *shape = &s->net.shape;
    size_t room = reluopt_network_room(&s->net), inputs = shape->width[0] * shape->columns;
    s->centred = reluopt_alloc(room > inputs ? room : inputs, sizeof(float), error);
    for (size_t i = 0; i < shape->layers && !error->code; i++)
        if (reluopt_whitening_create(&s->whitening[i], shape->width[i], i == 0, s->net.comm, error) ==
            RELUOPT_OK)
            reluopt_weights_whiten(&s->net.weights[i + 1], &s->whitening[i], error);
    return error->code;
}

static int create_layers(Adaptive *s, Error *error)
{
    const Shape *shape = &s->net.shape;
    for (size_t i = 1; i <= shape->layers; i++) {
        if (reluopt_weights_create_step(&s->net.weights[i], shape->columns, error) ||
            (i >= 2 && s->config->inverse.kind != INVERSE_TRANSPOSE && create_inverse(s, i, error)))
            return error->code;
        s->t[i] = reluopt_alloc((shape->width[i] + 1) * shape->columns, sizeof(float), error);
    }
    return error->code;
}

static void destroy(void *state)
{
    Adaptive *s = state;
    reluopt_network_free(&s->net);
    for (size_t i = 1; i < RELUOPT_NODES; i++) {
        reluopt_weights_free(&s->inverse[i]);
        free(s->t[i]);
        free(s->noisy[i]);
        reluopt_whitening_free(&s->whitening[i - 1]);
    }
    free(s->image);
    free(s->difference);
    free(s->whole);
    free(s->a);
    free(s->b);
    free(s->centred);
    free(s);
}

static int create(void **state, const Config *config, const Shape *shape, const Comm *comm, Error *error)
{
    Adaptive *s = reluopt_alloc(1, sizeof *s, error);
    if (!s)
        return error->code;
    s->config = config;
    reluopt_network_create(&s->net, config, shape, comm, error);
    float **scratch[] = {&s->image, &s->difference, &s->whole, &s->a, &s->b};
    for (size_t i = 0; i < sizeof scratch / sizeof scratch[0]; i++)
        *scratch[i] = reluopt_alloc(reluopt_network_room(&s->net), sizeof(float), error);
    if (error->code || create_layers(s, error) ||
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
    for (size_t i = 2; s->config->inverse.kind != INVERSE_TRANSPOSE && i <= s->net.shape.layers; i++, count++)
        if (list)
            list[count] = reluopt_weights_array(&s->inverse[i], "V", i);
    for (size_t i = 0; s->config->direction == DIRECTION_WHITENED && i < s->net.shape.layers; i++, count += 2)
        if (list)
            reluopt_whitening_arrays(&s->whitening[i], i, list + count);
    return count;
}

static void measures(void *state, Measures *out)
{
    Adaptive *s = state;
    reluopt_network_measures(&s->net, out);
    for (size_t i = 1; i <= s->net.shape.layers; i++) {
        if (s->config->variant == VARIANT_LINE_SEARCH)
            out->online_bound[i - 1] = NAN;
        if (i >= 2)
            out->inverse_rate[i - 2] = reluopt_weights_means(&s->inverse[i], s->net.comm).rate;
    }
}

const Method reluopt_method_adaptive = {
    .name = "adaptive",
    .about = "target propagation with analytic steps (thesis chapter 3)",
    .create = create,
    .destroy = destroy,
    .step = step,
    .predict = predict,
    .arrays = arrays,
    .measures = measures,
};
