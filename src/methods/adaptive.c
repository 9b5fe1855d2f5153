/* adaptive.c - the thesis's method: difference target propagation with analytic steps.
 *
 * Thesis chapter 3; equation numbers in parentheses.  Every rank owns the rows [own.first, own.first +
 * own.count) of each W[i] and V[i]; activations H[i] and targets T[i] are whole on every rank after a gather.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/init.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/method.h"
#include "reluopt/weights.h"

enum { LAYERS = RELUOPT_MAX_LAYERS + 2 };

typedef struct Adaptive {
    const Config *config;
    const Comm *comm;
    Shape shape;
    size_t columns;          /* B of the present batch */
    Weights forward[LAYERS]; /* W[1..L] */
    Weights inverse[LAYERS]; /* V[2..L] */
    float *h[LAYERS];        /* (n[i] + 1) x B  activations, last row ones; h[0] is the batch's */
    float *t[LAYERS];        /* (n[i] + 1) x B  targets of layers 1..L, last row ones */
    float *noisy[LAYERS];    /* (n[i-1] + 1) x B  H[i-1] + noise, for V[i] */
    float *image;            /* (n[i] + 1) x B  f_i(noisy) */
    float *difference;       /* n[i] x B  T[i] - H[i] */
    float *whole, *a, *b;    /* n[i] x B  scratch */
} Adaptive;

/* Rows that this rank owns of layer i, inside an n[i] x B matrix. */
static float *own(const Adaptive *s, float *x, size_t i)
{
    return x + s->forward[i].own.first * s->columns;
}

/* Append the row of ones that meets the bias column. */
static void add_ones(const Adaptive *s, float *x, size_t i)
{
    reluopt_ones(x + s->shape.width[i] * s->columns, s->columns);
}

/* z = W[i] h, own rows; out = f_i(z), gathered: n[i] x B.  Collective. */
static void layer_output(Adaptive *s, size_t i, const float *h, float *z, float *out)
{
    const Weights *w = &s->forward[i];
    reluopt_weights_apply(w, h, z, s->columns);
    if (w->linear)
        memcpy(own(s, out, i), z, w->own.count * s->columns * sizeof *out);
    else
        reluopt_relu(own(s, out, i), z, w->own.count * s->columns);
    reluopt_comm_gather_rows(s->comm, out, s->shape.width[i], s->columns);
    add_ones(s, out, i);
}

/* H[i] = ReLU(W[i] H[i-1]), H[L] = W[L] H[L-1] (3-1).  Collective. */
static void forward(Adaptive *s, const Batch *batch)
{
    s->columns = batch->count;
    s->h[0] = (float *)batch->x;
    for (size_t i = 1; i <= s->shape.layers; i++)
        layer_output(s, i, s->h[i - 1], s->forward[i].z, s->h[i]);
}

/* T[L] = H[L] - alpha (softmax(H[L]) - Y) (3.1.3, 4.3); whole on every rank without a message. */
static void output_target(Adaptive *s, const Batch *batch, Score *score)
{
    size_t last = s->shape.layers, classes = s->shape.width[last];
    reluopt_cross_entropy(s->h[last], batch->label, classes, s->columns, score, s->difference);
    reluopt_output_target(s->t[last], s->h[last], s->difference, (float)s->config->alpha, classes * s->columns);
    add_ones(s, s->t[last], last);
}

/* out = own rows of V[i] x, or of W[i]' x where the inverse is the transpose; x: (n[i] + 1) x B.  Collective
 * for the transpose: the sum over the neurons of layer i runs over ranks. */
static void inverse_product(Adaptive *s, size_t i, float *x, float *out, bool bias)
{
    size_t m = s->forward[i - 1].own.count, n = s->shape.width[i], below = s->shape.width[i - 1];
    if (s->config->inverse.kind != INVERSE_TRANSPOSE) {
        reluopt_product(out, s->inverse[i].w, n + 1, x, m, s->columns, bias ? n + 1 : n);
        return;
    }
    const Weights *w = &s->forward[i];
    reluopt_product_tn(s->whole, w->w, below + 1, own(s, x, i), below, s->columns, w->own.count);
    reluopt_comm_sum_rows(s->comm, s->whole, out, below, s->columns);
}

/* T[i-1] = H[i-1] + g_i(T[i]) - g_i(H[i]) (3-7), or its gated form.  Collective. */
static void targets(Adaptive *s)
{
    for (size_t i = s->shape.layers; i >= 2; i--) {
        size_t n = s->shape.width[i] * s->columns, m = s->forward[i - 1].own.count * s->columns;
        float *t = own(s, s->t[i - 1], i - 1), *h = own(s, s->h[i - 1], i - 1);
        if (s->config->gate) {
            for (size_t k = 0; k < n; k++)
                s->difference[k] = s->t[i][k] - s->h[i][k];
            inverse_product(s, i, s->difference, s->a, false);
            reluopt_gated_target(t, h, s->a, m);
        } else {
            inverse_product(s, i, s->t[i], s->a, true);
            inverse_product(s, i, s->h[i], s->b, true);
            reluopt_difference_target(t, h, s->a, s->b, m);
        }
        if (i > 2 && s->config->inverse.kind != INVERSE_TRANSPOSE) {
            reluopt_comm_gather_rows(s->comm, s->t[i - 1], s->shape.width[i - 1], s->columns);
            add_ones(s, s->t[i - 1], i - 1);
        }
    }
}

/* Aim V[2..L]: fit g_i(f_i(Hn)) to Hn = H[i-1] + noise (3-8).  Collective. */
static void aim_inverses(Adaptive *s, uint64_t draw)
{
    for (size_t i = s->shape.layers; i >= 2; i--) {
        size_t n = s->shape.width[i - 1], values = n * s->columns;
        float sigma = (float)s->config->inverse.noise * reluopt_deviation(s->h[i - 1], values);
        RandomKey key = {(uint64_t)s->config->seed, RANDOM_NOISE, (uint32_t)i, draw};
        reluopt_add_normal(s->noisy[i], s->h[i - 1], n, s->columns, 0, sigma, key);
        add_ones(s, s->noisy[i], i - 1);
        layer_output(s, i, s->noisy[i], s->a, s->image);
        reluopt_weights_apply(&s->inverse[i], s->image, s->inverse[i].z, s->columns);
        reluopt_weights_aim(&s->inverse[i], s->image, own(s, s->noisy[i], i - 1), s->columns,
                            (Direction)s->config->direction);
    }
}

/* Aim W[1..L] at the targets (3-9 .. 3-18).  Not collective. */
static void aim_forward(Adaptive *s)
{
    for (size_t i = 1; i <= s->shape.layers; i++)
        reluopt_weights_aim(&s->forward[i], s->h[i - 1], own(s, s->t[i], i), s->columns,
                            (Direction)s->config->direction);
}

/* Choose and take the steps of what was aimed (3-19), (3-20): V[2..L] and, with the last round of the inverse
 * training, W[1..L], in one reduction.  Collective. */
static void take_steps(Adaptive *s, bool inverses, bool forwards)
{
    Weights *list[2 * LAYERS];
    size_t count = 0, last = s->shape.layers;
    for (size_t i = 2; inverses && i <= last; i++)
        list[count++] = &s->inverse[i];
    for (size_t i = 1; forwards && i <= last; i++)
        list[count++] = &s->forward[i];
    reluopt_weights_step(list, count, s->columns, s->config, s->comm);
}

static void step(void *state, const Batch *batch, uint64_t number, Score *score)
{
    Adaptive *s = state;
    int rounds = s->config->inverse.kind == INVERSE_TRAINED ? s->config->inverse.steps : 0;
    forward(s, batch);              /* (3-1) */
    output_target(s, batch, score); /* 3.1.3 */
    targets(s);                     /* (3-7) */
    aim_forward(s);                 /* (3-9) .. (3-18) */
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
    forward(s, batch);
    return s->h[s->shape.layers];
}

/* Initial W[i], and V[i] from its own draw or as the transpose; every rank makes the whole and keeps its rows.
 */
static int initial_weights(Adaptive *s, size_t i, Error *error)
{
    const Config *config = s->config;
    size_t n = s->shape.width[i], below = s->shape.width[i - 1];
    RandomKey key = {(uint64_t)config->seed, RANDOM_INIT_FORWARD, (uint32_t)i, 0};
    float *whole = reluopt_initial_matrix((Init)config->init.forward, n, below, key, error);
    Weights *w = &s->forward[i], *v = &s->inverse[i];
    for (size_t j = 0; whole && j < w->own.count; j++)
        memcpy(w->w + j * (below + 1), whole + (w->own.first + j) * below, below * sizeof *whole);
    if (i >= 2 && config->inverse.kind != INVERSE_TRANSPOSE && !error->code) {
        bool transpose = config->init.inverse == INIT_TRANSPOSE;
        if (!transpose) {
            free(whole);
            key.use = RANDOM_INIT_INVERSE;
            whole = reluopt_initial_matrix((Init)config->init.inverse, below, n, key, error);
        }
        size_t across = transpose ? below : 1, down = transpose ? 1 : n; /* strides of V[j][k] in `whole` */
        for (size_t j = 0; whole && j < v->own.count; j++)
            for (size_t k = 0; k < n; k++)
                v->w[j * (n + 1) + k] = whole[(v->own.first + j) * down + k * across];
    }
    free(whole);
    return error->code;
}

static int create_layers(Adaptive *s, Error *error)
{
    size_t last = s->shape.layers, columns = s->shape.columns;
    bool keeps_inverse = s->config->inverse.kind != INVERSE_TRANSPOSE;
    for (size_t i = 1; i <= last; i++) {
        size_t n = s->shape.width[i], below = s->shape.width[i - 1];
        if (reluopt_weights_create(&s->forward[i], n, below, i == last, columns, s->comm, error) ||
            (i >= 2 && keeps_inverse &&
             reluopt_weights_create(&s->inverse[i], below, n, false, columns, s->comm, error)) ||
            initial_weights(s, i, error))
            return error->code;
        s->h[i] = reluopt_alloc((n + 1) * columns, sizeof(float), error);
        s->t[i] = reluopt_alloc((n + 1) * columns, sizeof(float), error);
        if (i >= 2 && s->config->inverse.kind == INVERSE_TRAINED)
            s->noisy[i] = reluopt_alloc((below + 1) * columns, sizeof(float), error);
    }
    return error->code;
}

static void destroy(void *state)
{
    Adaptive *s = state;
    for (size_t i = 1; i < LAYERS; i++) {
        reluopt_weights_free(&s->forward[i]);
        reluopt_weights_free(&s->inverse[i]);
        free(s->h[i]);
        free(s->t[i]);
        free(s->noisy[i]);
    }
    free(s->image);
    free(s->difference);
    free(s->whole);
    free(s->a);
    free(s->b);
    free(s);
}

static int create(void **state, const Config *config, const Shape *shape, const Comm *comm, Error *error)
{
    Adaptive *s = reluopt_alloc(1, sizeof *s, error);
    if (!s)
        return error->code;
    s->config = config;
    s->comm = comm;
    s->shape = *shape;
    size_t widest = 0;
    for (size_t i = 1; i <= shape->layers; i++)
        widest = shape->width[i] > widest ? shape->width[i] : widest;
    float **scratch[] = {&s->image, &s->difference, &s->whole, &s->a, &s->b};
    for (size_t i = 0; i < sizeof scratch / sizeof scratch[0]; i++)
        *scratch[i] = reluopt_alloc((widest + 1) * shape->columns, sizeof(float), error);
    if (create_layers(s, error)) {
        destroy(s);
        return error->code;
    }
    *state = s;
    return RELUOPT_OK;
}

static size_t arrays(void *state, Array *list)
{
    Adaptive *s = state;
    size_t count = 0;
    for (size_t i = 1; i <= s->shape.layers; i++, count++)
        if (list)
            list[count] = reluopt_weights_array(&s->forward[i], "W", i);
    for (size_t i = 2; s->config->inverse.kind != INVERSE_TRANSPOSE && i <= s->shape.layers; i++, count++)
        if (list)
            list[count] = reluopt_weights_array(&s->inverse[i], "V", i);
    return count;
}

static void measures(void *state, Measures *out)
{
    enum { SUMS = sizeof((Weights *)0)->sum / sizeof(double) };
    Adaptive *s = state;
    double all[2 * LAYERS][SUMS] = {{0}};
    size_t last = s->shape.layers;
    for (size_t i = 1; i <= last; i++) {
        memcpy(all[i], &s->forward[i].sum, sizeof s->forward[i].sum);
        memcpy(all[LAYERS + i], &s->inverse[i].sum, sizeof s->inverse[i].sum);
        memset(&s->forward[i].sum, 0, sizeof s->forward[i].sum);
        memset(&s->inverse[i].sum, 0, sizeof s->inverse[i].sum);
    }
    reluopt_comm_sum(s->comm, &all[0][0], 2 * LAYERS * SUMS);
    for (size_t i = 1; i <= last; i++) {
        out->rate[i - 1] = all[i][0] / all[i][2];
        out->online_bound[i - 1] = s->config->variant == VARIANT_LINE_SEARCH ? NAN : all[i][1] / all[i][2];
        out->active[i - 1] = all[i][3] / all[i][4];
        if (i >= 2)
            out->inverse_rate[i - 2] = all[LAYERS + i][0] / all[LAYERS + i][2]; /* 0/0: not trained */
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
