/* inverse.c - approximate inverses of the layers of a network, and the targets that they pass down. */
#include "reluopt/inverse.h"

#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/init.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

static float *own(const Inverses *s, float *x, size_t i)
{
    return reluopt_network_own(s->net, x, i);
}

void reluopt_inverse_activate(const Inverses *s, float *h, const float *z, size_t n)
{
    const Config *config = s->net->config;
    if (config->inverse.activation == INVERSE_SAME)
        reluopt_activate((Activation)config->activation, h, z, n);
    else if (h != z)
        memcpy(h, z, n * sizeof *h);
}

void reluopt_inverse_slope(const Inverses *s, float *delta, const float *h, size_t n)
{
    const Config *config = s->net->config;
    if (config->inverse.activation == INVERSE_SAME)
        reluopt_slope((Activation)config->activation, delta, h, n);
}

/* out = own rows of V[i] x, or of W[i]' x where the inverse is the transpose; x: (n[i] + 1) x B.  Collective
 * for the transpose: the sum over the neurons of layer i runs over ranks. */
static void product(Inverses *s, size_t i, float *x, float *out, bool bias)
{
    size_t m = s->net->weights[i - 1].own.count, n = s->net->shape.width[i];
    if (s->net->config->inverse.kind == INVERSE_TRANSPOSE)
        reluopt_network_transpose(s->net, i, x, s->image, out);
    else
        reluopt_product(out, s->v[i].w, n + 1, x, m, s->net->columns, bias ? n + 1 : n);
}

/* out = own rows of g_i(x). */
static void inverse(Inverses *s, size_t i, float *x, float *out)
{
    product(s, i, x, out, true);
    reluopt_inverse_activate(s, out, out, s->net->weights[i - 1].own.count * s->net->columns);
}

/* Own rows of T[i-1]. */
static void target_below(Inverses *s, size_t i)
{
    Network *net = s->net;
    size_t n = net->shape.width[i] * net->columns, m = net->weights[i - 1].own.count * net->columns;
    float *t = own(s, s->t[i - 1], i - 1), *h = own(s, net->h[i - 1], i - 1);
    switch (s->form) {
    case FORM_PLAIN:
        inverse(s, i, s->t[i], t);
        break;
    case FORM_DIFFERENCE:
        inverse(s, i, s->t[i], s->a);
        inverse(s, i, net->h[i], s->b);
        reluopt_difference_target(t, h, s->a, s->b, m);
        break;
    case FORM_GATED:
        for (size_t k = 0; k < n; k++)
            s->b[k] = s->t[i][k] - net->h[i][k];
        product(s, i, s->b, s->a, false);
        reluopt_gated_target(t, h, s->a, m);
        break;
    }
}

void reluopt_inverse_targets(Inverses *s)
{
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    for (size_t i = s->last; i >= 2; i--) {
        target_below(s, i);
        if (i > 2 && s->net->config->inverse.kind != INVERSE_TRANSPOSE)
            reluopt_network_gather(s->net, s->t[i - 1], i - 1);
    }
    reluopt_phase_leave(before);
}

void reluopt_inverse_measure(Inverses *s)
{
    const Network *net = s->net;
    double moments[2 * RELUOPT_NODES];
    Phase before = reluopt_phase_enter(PHASE_INVERSES);
    for (size_t i = 2; i <= s->last; i++)
        reluopt_moments(net->h[i - 1], net->shape.width[i - 1] * net->columns, moments + 2 * i);
    reluopt_comm_data_sum_doubles(net->comm, moments + 4, 2 * (s->last - 1));
    for (size_t i = 2; i <= s->last; i++)
        s->deviation[i] = reluopt_deviation_of(moments + 2 * i, net->shape.width[i - 1] * net->batch);
    reluopt_phase_leave(before);
}

void reluopt_inverse_reconstruct(Inverses *s, size_t i, uint64_t draw)
{
    Network *net = s->net;
    size_t n = net->shape.width[i - 1], values = n * net->columns;
    float sigma = (float)net->config->inverse.noise * s->deviation[i];
    RandomKey key = {(uint64_t)net->config->seed, RANDOM_NOISE, (uint32_t)i, draw, net->first};
    reluopt_add_normal(s->noisy[i], net->h[i - 1], n, net->columns, 0, sigma, key);
    reluopt_ones(s->noisy[i] + values, net->columns);
    reluopt_network_layer(net, i, s->noisy[i], s->a, s->image);
    reluopt_weights_apply(&s->v[i], s->image, s->v[i].z, net->columns);
}

/* Initial V[i], from its own draw or as the transpose of the initial W[i]; every rank makes the whole and keeps
 * its rows. */
static int initial_inverse(Inverses *s, size_t i, Error *error)
{
    const Config *config = s->net->config;
    Weights *v = &s->v[i];
    size_t n = v->inputs, below = v->outputs;
    bool transpose = config->init.inverse == INIT_TRANSPOSE;
    RandomKey key = {(uint64_t)config->seed, transpose ? RANDOM_INIT_FORWARD : RANDOM_INIT_INVERSE, (uint32_t)i,
                     0, 0};
    float *whole = transpose ? reluopt_initial_matrix((Init)config->init.forward, n, below, key, error)
                             : reluopt_initial_matrix((Init)config->init.inverse, below, n, key, error);
    size_t across = transpose ? below : 1, down = transpose ? 1 : n; /* strides of V[j][k] in `whole` */
    for (size_t j = 0; whole && j < v->own.count; j++)
        for (size_t k = 0; k < n; k++)
            v->w[j * (n + 1) + k] = whole[(v->own.first + j) * down + k * across];
    reluopt_free(whole, below * n, sizeof *whole);
    return error->code;
}

static int create_inverse(Inverses *s, size_t i, Error *error)
{
    const Shape *shape = &s->net->shape;
    size_t below = shape->width[i - 1];
    if (reluopt_weights_create(&s->v[i], below, shape->width[i], false, shape->columns, s->net->comm, error))
        return error->code;
    if (s->net->config->inverse.kind == INVERSE_TRAINED)
        s->noisy[i] = reluopt_alloc((below + 1) * shape->columns, sizeof(float), error);
    return initial_inverse(s, i, error);
}

int reluopt_inverse_create(Inverses *s, Network *net, TargetForm form, size_t last, Error *error)
{
    *s = (Inverses){.net = net, .form = form, .last = last};
    float **scratch[] = {&s->image, &s->a, &s->b};
    size_t room = reluopt_network_room(net);
    for (size_t i = 0; i < sizeof scratch / sizeof scratch[0]; i++)
        *scratch[i] = reluopt_alloc(room, sizeof(float), error);
    if (net->config->inverse.kind == INVERSE_MIRROR)
        s->sums = reluopt_alloc(2 * room / net->shape.columns, sizeof(float), error);
    for (size_t i = 1; i <= net->shape.layers; i++)
        s->t[i] = reluopt_alloc((net->shape.width[i] + 1) * net->shape.columns, sizeof(float), error);
    for (size_t i = 2; !error->code && i <= last && net->config->inverse.kind != INVERSE_TRANSPOSE; i++)
        create_inverse(s, i, error);
    return error->code;
}

void reluopt_inverse_free(Inverses *s)
{
    for (size_t i = 1; i < RELUOPT_NODES; i++) {
        reluopt_weights_free(&s->v[i]);
        free(s->t[i]);
        free(s->noisy[i]);
    }
    free(s->image);
    free(s->a);
    free(s->b);
    free(s->sums);
}

bool reluopt_inverse_spoilt(const Inverses *s)
{
    bool spoilt = false;
    for (size_t i = 2; i <= s->last; i++)
        spoilt |= s->v[i].spoilt;
    return spoilt;
}

size_t reluopt_inverse_memory(Inverses *s, Array *list)
{
    size_t count = 0;
    bool learnt =
        s->net->config->inverse.kind == INVERSE_TRAINED || s->net->config->inverse.kind == INVERSE_MIRROR;
    for (size_t i = 2; learnt && i <= s->last; i++)
        count += reluopt_weights_memory(&s->v[i], "V", i, s->net->config, list ? list + count : NULL);
    return count;
}

size_t reluopt_inverse_arrays(const Inverses *s, Array *list)
{
    size_t count = 0;
    for (size_t i = 2; s->net->config->inverse.kind != INVERSE_TRANSPOSE && i <= s->last; i++, count++)
        if (list)
            list[count] = reluopt_weights_array(&s->v[i], "V", i);
    return count;
}
