/* mgbdt.c - multi-layered gradient boosting decision trees: layers of boosted regression trees, trained by
 * target propagation through boosted inverses.
 *
 * Thesis 2.3.2; Feng, Yu, Zhou, "Multi-layered gradient boosting decision trees", NeurIPS 2018.  F_i maps
 * R^n[i-1] to R^n[i], i = 1..L; G_i maps back, i = L..2.  Every rank grows the trees of its own outputs;
 * activations H[i] (o_i in the thesis) and targets T[i] (z_i) are whole on every rank after a gather.  The
 * batch is the whole training set, the same at every step.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/forest.h"
#include "reluopt/init.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/method.h"
#include "reluopt/random.h"
#include "reluopt/tally.h"

enum { LAYERS = RELUOPT_MAX_LAYERS + 2 };

typedef struct Mgbdt {
    const Config *config;
    Comm comm; /* shards of single rows: trees have no blocks */
    Shape shape;
    size_t columns;            /* B of the present batch */
    Rows own[LAYERS];          /* outputs of layer i that this rank grows trees for */
    Forest forward[LAYERS];    /* F[1..L] */
    Forest inverse[LAYERS];    /* G[2..L], own[i-1] */
    float *h[LAYERS];          /* n[i] x B  activations; h[0] is the batch's */
    float *t[LAYERS];          /* n[i] x B  targets */
    float *projection[LAYERS]; /* n[i] x n[i-1]  that the first trees of hidden layer i fit */
    Bins input;                /* of h[0]: filled once, it stays the same */
    Bins hidden;               /* of any other layer's input */
    Grower grower;
    float *noisy, *image; /* n[i] x B  H[i-1] + noise and its F_i */
    float *guess;         /* own n[i-1] x B  what G_i makes of the image */
    float *delta;         /* n[L] x B  softmax(H[L]) - Y */
} Mgbdt;

/* This rank's rows inside an n[i] x B matrix. */
static float *own(const Mgbdt *s, float *x, size_t i)
{
    return x + s->own[i].first * s->columns;
}

static void gather(const Mgbdt *s, float *x, size_t i)
{
    reluopt_comm_gather_rows(&s->comm, x, s->shape.width[i], s->columns);
}

/* out = F_i(h), gathered: n[i] x B.  Collective. */
static void layer_output(const Mgbdt *s, size_t i, const float *h, float *out)
{
    reluopt_forest_apply(&s->forward[i], h, s->columns, own(s, out, i));
    gather(s, out, i);
}

/* Make the batch the network's input. */
static void take(Mgbdt *s, const Batch *batch)
{
    s->columns = batch->count;
    s->h[0] = (float *)batch->x;
}

/* H[i] = F_i(H[i-1]).  Collective. */
static void forward(Mgbdt *s)
{
    Phase before = reluopt_phase_enter(PHASE_FORWARD);
    for (size_t i = 1; i <= s->shape.layers; i++)
        layer_output(s, i, s->h[i - 1], s->h[i]);
    reluopt_phase_leave(before);
}

/* Bins of H[i-1], the inputs of F_i. */
static const Bins *bins_below(Mgbdt *s, size_t i)
{
    if (i == 1)
        return &s->input;
    reluopt_bins_fill(&s->hidden, s->h[i - 1], s->shape.width[i - 1], s->columns);
    return &s->hidden;
}

/* The first trees of a hidden layer fit a random projection of its inputs, so that its outputs are something to
 * learn from; those of the output layer stay zero.  Collective. */
static void start(Mgbdt *s)
{
    for (size_t i = 1; i < s->shape.layers; i++) {
        size_t n = s->shape.width[i], below = s->shape.width[i - 1];
        float *h = own(s, s->h[i], i);
        memset(h, 0, s->own[i].count * s->columns * sizeof *h);
        reluopt_product(s->t[i], s->projection[i], below, s->h[i - 1], n, s->columns, below);
        reluopt_forest_boost(&s->forward[i], 0, &s->grower, bins_below(s, i), own(s, s->t[i], i), h);
        gather(s, s->h[i], i);
    }
}

/* T[L] = H[L] - alpha (softmax(H[L]) - Y). */
static void output_target(Mgbdt *s, const Batch *batch, Score *score)
{
    size_t last = s->shape.layers, classes = s->shape.width[last];
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    reluopt_cross_entropy(s->h[last], batch->label, classes, s->columns, score, s->delta);
    reluopt_output_target(s->t[last], s->h[last], s->delta, (float)s->config->alpha, classes * s->columns);
    reluopt_phase_leave(before);
}

/* K1 rounds of G_i toward G_i(F_i(Hn)) = Hn, Hn = H[i-1] + noise.  Collective. */
static void train_inverse(Mgbdt *s, size_t i, uint64_t number)
{
    size_t n = s->shape.width[i - 1], rounds = (size_t)s->config->inverse.steps;
    float sigma = (float)s->config->inverse.noise * reluopt_deviation(s->h[i - 1], n * s->columns);
    RandomKey key = {(uint64_t)s->config->seed, RANDOM_NOISE, (uint32_t)i, number, 0};
    Phase before = reluopt_phase_enter(PHASE_INVERSES);
    reluopt_add_normal(s->noisy, s->h[i - 1], n, s->columns, 0, sigma, key);
    layer_output(s, i, s->noisy, s->image);
    reluopt_bins_fill(&s->hidden, s->image, s->shape.width[i], s->columns);
    reluopt_forest_apply(&s->inverse[i], s->image, s->columns, s->guess);
    for (size_t k = 0; k < rounds; k++)
        reluopt_forest_boost(&s->inverse[i], number * rounds + k, &s->grower, &s->hidden,
                             own(s, s->noisy, i - 1), s->guess);
    reluopt_phase_leave(before);
}

/* T[i-1] = G_i(T[i]).  Collective. */
static void target_below(const Mgbdt *s, size_t i)
{
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    reluopt_forest_apply(&s->inverse[i], s->t[i], s->columns, own(s, s->t[i - 1], i - 1));
    if (i > 2)
        gather(s, s->t[i - 1], i - 1);
    reluopt_phase_leave(before);
}

/* K2 rounds of F_i toward T[i], on the H[i-1] that the layer below has after its own rounds.  Collective. */
static void train_layer(Mgbdt *s, size_t i, uint64_t number)
{
    size_t rounds = (size_t)s->config->trees.rounds;
    Phase before = reluopt_phase_enter(PHASE_GRADIENT);
    const Bins *bins = bins_below(s, i);
    float *h = own(s, s->h[i], i);
    if (i > 1)
        // cppcheck-suppress arrayIndexOutOfBoundsCond ; i is a layer
        reluopt_forest_apply(&s->forward[i], s->h[i - 1], s->columns, h);
    for (size_t k = 0; k < rounds; k++)
        reluopt_forest_boost(&s->forward[i], 1 + number * rounds + k, &s->grower, bins, own(s, s->t[i], i), h);
    gather(s, s->h[i], i);
    reluopt_phase_leave(before);
}

static void step(void *state, const Batch *batch, uint64_t number, Score *score)
{
    Mgbdt *s = state;
    take(s, batch);
    if (s->input.columns == 0)
        reluopt_bins_fill(&s->input, batch->x, s->shape.width[0], s->columns);
    if (number == 0)
        start(s);
    forward(s);                     /* o_j = F_j(o_{j-1}) */
    output_target(s, batch, score); /* z_M */
    for (size_t i = s->shape.layers; i >= 2; i--) {
        train_inverse(s, i, number); /* G_j */
        target_below(s, i);          /* z_{j-1} */
    }
    for (size_t i = 1; i <= s->shape.layers; i++)
        train_layer(s, i, number); /* F_j, o_j */
}

/* A leaf that is not finite shows in what its layer makes of the training set. */
static bool spoilt(const void *state)
{
    const Mgbdt *s = state;
    bool finite = true;
    for (size_t i = 1; i <= s->shape.layers; i++)
        finite &= reluopt_is_finite(own(s, s->h[i], i), s->own[i].count * s->columns);
    return !finite;
}

static const float *predict(void *state, const Batch *batch)
{
    Mgbdt *s = state;
    take(s, batch);
    forward(s);
    return s->h[s->shape.layers];
}

static void destroy(void *state)
{
    Mgbdt *s = state;
    for (size_t i = 1; i < LAYERS; i++) {
        reluopt_forest_free(&s->forward[i]);
        reluopt_forest_free(&s->inverse[i]);
        free(s->h[i]);
        free(s->t[i]);
        free(s->projection[i]);
    }
    reluopt_bins_free(&s->input);
    reluopt_bins_free(&s->hidden);
    reluopt_grower_free(&s->grower);
    free(s->noisy);
    free(s->image);
    free(s->guess);
    free(s->delta);
    free(s);
}

static int create_layer(Mgbdt *s, size_t i, Error *error)
{
    const Config *config = s->config;
    size_t steps = (size_t)config->epochs, n = s->shape.width[i], columns = s->shape.columns;
    RandomKey key = {(uint64_t)config->seed, RANDOM_INIT_FORWARD, (uint32_t)i, 0, 0};
    s->own[i] = reluopt_comm_own_rows(&s->comm, n);
    s->h[i] = reluopt_alloc(n * columns, sizeof(float), error);
    s->t[i] = reluopt_alloc(n * columns, sizeof(float), error);
    reluopt_forest_create(&s->forward[i], &config->trees, s->own[i].count,
                          1 + steps * (size_t)config->trees.rounds, error);
    if (i >= 2)
        // cppcheck-suppress arrayIndexOutOfBoundsCond ; i is a layer
        reluopt_forest_create(&s->inverse[i], &config->trees, s->own[i - 1].count,
                              steps * (size_t)config->inverse.steps, error);
    if (i < s->shape.layers)
        s->projection[i] =
            reluopt_initial_matrix((Init)config->init.forward, n, s->shape.width[i - 1], key, error);
    return error->code;
}

static int create_scratch(Mgbdt *s, Error *error)
{
    const Config *config = s->config;
    size_t widest = 0, columns = s->shape.columns, bins = (size_t)config->trees.bins;
    for (size_t i = 1; i <= s->shape.layers; i++)
        widest = s->shape.width[i] > widest ? s->shape.width[i] : widest;
    float **scratch[] = {&s->noisy, &s->image, &s->guess, &s->delta};
    for (size_t i = 0; i < sizeof scratch / sizeof scratch[0]; i++)
        *scratch[i] = reluopt_alloc(widest * columns, sizeof(float), error);
    reluopt_bins_create(&s->input, s->shape.width[0], columns, bins, error);
    reluopt_bins_create(&s->hidden, widest, columns, bins, error);
    return reluopt_grower_create(&s->grower, &config->trees, columns, error);
}

static int create(void **state, const Config *config, const Shape *shape, const Comm *comm, Error *error)
{
    if (shape->width[0] > RELUOPT_MAX_TREE_FEATURES)
        return reluopt_fail(error, RELUOPT_USAGE, "method: mgbdt takes at most %d features, not %zu",
                            RELUOPT_MAX_TREE_FEATURES, shape->width[0]);
    Mgbdt *s = reluopt_alloc(1, sizeof *s, error);
    if (!s)
        return error->code;
    s->config = config;
    s->comm = *comm;
    s->comm.block = 1;
    s->shape = *shape;
    for (size_t i = 1; i <= shape->layers && !error->code; i++)
        create_layer(s, i, error);
    if (error->code || create_scratch(s, error)) {
        destroy(s);
        return error->code;
    }
    *state = s;
    return RELUOPT_OK;
}

/* Outputs of layer i as rows, their trees side by side. */
static Array array_of(const Mgbdt *s, const Forest *forest, const char *letter, size_t number, size_t i)
{
    Array array = {.rows = s->shape.width[i],
                   .cols = reluopt_forest_row(forest),
                   .first = s->own[i].first,
                   .count = s->own[i].count,
                   .data = (float *)forest->node};
    snprintf(array.name, sizeof array.name, "%s%zu", letter, number);
    return array;
}

static size_t arrays(void *state, Array *list)
{
    Mgbdt *s = state;
    size_t count = 0;
    for (size_t i = 1; i <= s->shape.layers; i++, count++)
        if (list)
            list[count] = array_of(s, &s->forward[i], "F", i, i);
    for (size_t i = 2; i <= s->shape.layers; i++, count++)
        if (list)
            list[count] = array_of(s, &s->inverse[i], "G", i, i - 1);
    return count;
}

static bool sound(const void *state)
{
    const Mgbdt *s = state;
    bool all = true;
    for (size_t i = 1; i <= s->shape.layers; i++)
        all = all && reluopt_forest_sound(&s->forward[i], s->shape.width[i - 1]);
    for (size_t i = 2; i <= s->shape.layers; i++)
        all = all && reluopt_forest_sound(&s->inverse[i], s->shape.width[i]);
    return all;
}

static size_t memory(void *state, Array *list)
{
    (void)state;
    (void)list;
    return 0;
}

/* The shrinkage is the only rate; nothing is bounded or active. */
static void measures(void *state, Measures *out)
{
    const Mgbdt *s = state;
    out->alpha = s->config->alpha;
    for (size_t i = 1; i <= s->shape.layers; i++) {
        out->rate[i - 1] = s->config->trees.shrinkage;
        out->online_bound[i - 1] = out->active[i - 1] = NAN;
        if (i >= 2)
            out->inverse_rate[i - 2] = s->config->trees.shrinkage;
    }
}

const Method reluopt_method_mgbdt = {
    .name = "mgbdt",
    .about = "multi-layered gradient boosting decision trees (thesis 2.3.2)",
    .create = create,
    .destroy = destroy,
    .step = step,
    .spoilt = spoilt,
    .predict = predict,
    .arrays = arrays,
    .sound = sound,
    .memory = memory,
    .measures = measures,
};
