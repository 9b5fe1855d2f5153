/* test_adaptive.c - the adaptive method on any number of ranks against a plain double-precision version of
 * algorithm.md (reference.h), for every combination of its switches; measures and arrays. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../uniform.h"
#include "alone.h"
#include "reference.h"
#include "reluopt/dense.h"
#include "reluopt/method.h"
#include "reluopt/random.h"
#include "reluopt/weights.h"

enum { LONG = 20, SHORT = 4, COMBINATIONS = 150, WHITENED = 30 };

/* ---- Problems ---- */

typedef struct Problem {
    float x[WIDE * BATCH];
    int label[BATCH];
} Problem;

/* Batch `number`: inputs with a mean, labels that depend on them. */
static Batch make_batch(Problem *problem, const Shape *shape, size_t count, uint64_t number)
{
    uint64_t seed = 88172645463325252u + 1000003 * number;
    size_t n = shape->width[0], classes = shape->width[LAYERS];
    for (int i = 0; i < 20; i++)
        uniform_next(&seed);
    for (size_t k = 0; k < count; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double x = uniform_next(&seed) + 0.5;
            problem->x[i * count + k] = (float)x;
            sum += i % 3 ? x : -x;
        }
        problem->x[n * count + k] = 1;
        problem->label[k] = (int)((size_t)fabs(2 * sum) % classes);
    }
    return (Batch){.count = count, .x = problem->x, .label = problem->label, .total = SAMPLES};
}

static const Shape usual = {.layers = LAYERS, .width = {12, 17, 9, 5}, .columns = BATCH};
static const Shape narrow = {.layers = LAYERS, .width = {4, 3, 2, 2}, .columns = BATCH};

/* The switches of a combination; the last ones are every other centred one of those before, whitened. */
static Config combination(int c)
{
    if (c >= COMBINATIONS - WHITENED) {
        int j = c - (COMBINATIONS - WHITENED), k = 2 * j + j / 3 % 2;
        Config config = combination(k / 6 * 12 + 6 + k % 6);
        config.direction = DIRECTION_WHITENED;
        config.whitening.lambda = j % 4 == 0 ? 0.2 : j % 4 == 1 ? RELUOPT_AUTO : 1;
        return config;
    }
    int way = c / 24;
    Config config = {.method = "adaptive", .seed = 7 + c, .alpha = c % 2 ? 1 : 0.6};
    config.inverse.kind = c % 3 == INVERSE_FIXED && c / 7 % 2 ? INVERSE_MIRROR : c % 3;
    config.gate = c / 3 % 2;
    config.direction = c / 6 % 2;
    config.rate.scope = c / 12 % 2;
    config.rate.rule = way < 3 ? way : way == 3 ? RATE_MIN : RATE_EXACT;
    config.variant = way == 3 ? VARIANT_LINE_SEARCH : VARIANT_BATCH;
    config.rate.start = 10;
    config.inverse.steps = 1 + c / 5 % 2;
    config.inverse.noise = 0.1;
    config.init.forward = c % 5 < 3 ? INIT_ORTHOGONAL : c % 5 == 3 ? INIT_HE : INIT_GLOROT;
    config.init.inverse = c % 7 < 4 ? INIT_TRANSPOSE : c % 7 == 4 ? INIT_GLOROT : INIT_ORTHOGONAL;
    return config;
}

static void describe(const Config *config)
{
    static const char *const directions[] = {"plain", "centred", "whitened"};
    static const char *const inverse[] = {"trained", "fixed", "transpose", "mirror"};
    static const char *const rules[] = {"min", "opt", "online", "exact"};
    print_error("%s, %s, %s, scope %s, %s\n", inverse[config->inverse.kind], config->gate ? "gate" : "no gate",
                directions[config->direction], config->rate.scope ? "neuron" : "layer",
                config->variant == VARIANT_LINE_SEARCH ? "line search" : rules[config->rate.rule]);
}

/* ---- A method under test beside the reference ---- */

typedef struct Pair {
    Config config;
    Reference reference;
    Reference twin; /* the same from weights that differ by 1e-6: how far rounding may take a run */
    void *state;
    const Comm *comm;
} Pair;

/* The whole of a distributed array. */
static void whole_array(const Comm *comm, const Array *array, double w[WIDE][WIDE])
{
    memset(w, 0, sizeof(double[WIDE][WIDE]));
    for (size_t j = 0; j < array->count; j++)
        for (size_t i = 0; i < array->cols; i++)
            w[array->first + j][i] = array->data[j * array->cols + i];
    MPI_Allreduce(MPI_IN_PLACE, w, WIDE * WIDE, MPI_DOUBLE, MPI_SUM, comm->world);
}

/* The arrays W and V of the method: returns how many.  Others come after them. */
static size_t weight_arrays(void *state, Array list[4 * LAYERS])
{
    size_t count = 0, all = reluopt_method_adaptive.arrays(state, list);
    while (count < all && strchr("WV", list[count].name[0]))
        count++;
    return count;
}

static Matrix *matrix_of(Reference *s, const Array *array)
{
    return &(array->name[0] == 'W' ? s->w : s->v)[array->name[1] - '0'];
}

static void disturb(Matrix *m)
{
    uint64_t seed = 362436069;
    for (size_t j = 0; j < m->outputs; j++)
        for (size_t i = 0; i <= m->inputs; i++)
            m->w[j][i] *= 1 + 1e-6 * uniform_next(&seed);
}

/* The reference starts from the method's own weights. */
static bool pair_create(Pair *pair, Config config, const Shape *shape, const Comm *comm)
{
    Error error = {0};
    Array list[4 * LAYERS];
    *pair = (Pair){.config = config, .comm = comm};
    pair->reference.config = &pair->config;
    pair->reference.shape = *shape;
    if (reluopt_method_adaptive.create(&pair->state, &pair->config, shape, comm, &error))
        return false;
    size_t count = weight_arrays(pair->state, list);
    for (size_t i = 0; i < count; i++) {
        Matrix *m = matrix_of(&pair->reference, &list[i]);
        m->outputs = list[i].rows;
        m->inputs = list[i].cols - 1;
        whole_array(comm, &list[i], m->w);
    }
    pair->reference.w[LAYERS].linear = true;
    pair->twin = pair->reference;
    for (size_t i = 1; i <= LAYERS; i++) {
        disturb(&pair->twin.w[i]);
        disturb(&pair->twin.v[i]);
    }
    return true;
}

static void pair_destroy(Pair *pair)
{
    reluopt_method_adaptive.destroy(pair->state);
}

/* Largest relative differences from the reference: of losses, and at the end of weights; the same of the twin.
 */
typedef struct Distance {
    double loss, weight, twin_loss, twin_weight;
} Distance;

/* All take a step. */
static void pair_step(Pair *pair, const Batch *batch, uint64_t number, Distance *worst)
{
    Score score = {0};
    double expected = reference_step(&pair->reference, batch, number);
    double twin = reference_step(&pair->twin, batch, number);
    reluopt_method_adaptive.step(pair->state, batch, number, &score);
    double loss = score.count == batch->count ? score.loss : INFINITY;
    worst->loss = fmax(worst->loss, fabs(loss - expected) / fabs(expected));
    worst->twin_loss = fmax(worst->twin_loss, fabs(twin - expected) / fabs(expected));
}

/* Largest difference of a weight, relative to the largest weight of the matrix. */
static double difference_of(const Matrix *m, double w[WIDE][WIDE])
{
    double difference = 0, size = 0;
    for (size_t j = 0; j < m->outputs; j++)
        for (size_t i = 0; i <= m->inputs; i++) {
            difference = fmax(difference, fabs(w[j][i] - m->w[j][i]));
            size = fmax(size, fabs(m->w[j][i]));
        }
    return isfinite(size) ? difference / size : INFINITY;
}

static void compare_weights(Pair *pair, Distance *worst)
{
    Array list[4 * LAYERS];
    size_t count = weight_arrays(pair->state, list);
    for (size_t a = 0; a < count; a++) {
        const Matrix *m = matrix_of(&pair->reference, &list[a]);
        double w[WIDE][WIDE];
        whole_array(pair->comm, &list[a], w);
        worst->weight = fmax(worst->weight, difference_of(m, w));
        worst->twin_weight = fmax(worst->twin_weight, difference_of(m, matrix_of(&pair->twin, &list[a])->w));
    }
}

static Distance run_pair(Config config, const Shape *shape, const Comm *comm, const size_t *counts, int steps)
{
    static Pair pair;
    Problem problem;
    Distance worst = {0};
    if (!pair_create(&pair, config, shape, comm))
        return (Distance){.loss = INFINITY};
    for (int k = 0; k < steps; k++) {
        Batch batch = make_batch(&problem, shape, counts ? counts[k] : BATCH, (uint64_t)k);
        pair_step(&pair, &batch, (uint64_t)k, &worst);
    }
    compare_weights(&pair, &worst);
    pair_destroy(&pair);
    return worst;
}

/* Within 1e-5, or where a change of 1e-6 in the first weights grows to more than that, within ten times what it
 * grows to. */
static bool is_near(const Config *config, Distance d)
{
    bool near = d.loss <= 1e-5 + 10 * d.twin_loss && d.weight <= 1e-5 + 10 * d.twin_weight;
    if (getenv("MPI_TEST_SHOW") || !near) {
        print_error("loss %.1e (twin %.1e), weights %.1e (twin %.1e): ", d.loss, d.twin_loss, d.weight,
                    d.twin_weight);
        describe(config);
    }
    return near;
}

/* ---- Tests ---- */

/* rho_online alone, without rho_opt, may take a neuron far past its minimum: after a few steps nothing is left
 * to compare. */
static int steps_of(const Config *config, int steps)
{
    bool wild = config->variant == VARIANT_BATCH && config->rate.rule == RATE_ONLINE;
    return wild && config->rate.scope == SCOPE_NEURON ? 2 : steps;
}

/* The exact search over a layer, which promises a local minimum, and nearly always finds the least: not so with
 * few neurons or in many steps. */
static bool is_local(const Config *config)
{
    return config->rate.rule == RATE_EXACT && config->rate.scope == SCOPE_LAYER;
}

static void first_steps_equal_the_reference(void **state)
{
    (void)state;
    for (int c = 0; c < COMBINATIONS; c++) {
        Config config = combination(c);
        int steps = steps_of(&config, SHORT);
        assert_all(is_near(&config, run_pair(config, &usual, &world, NULL, steps)));
    }
}

/* Each rank takes its share of the combinations, alone.  Rounding decides whether a sample near Z = 0 is in the
 * Pos set, and with that the rest of a run: runs count where the twin stays close, which are most. */
static void long_runs_on_one_rank_equal_the_reference(void **state)
{
    (void)state;
    double counted = 0;
    bool good = true;
    for (int c = world.rank; c < COMBINATIONS; c += world.size) {
        Config config = combination(c);
        Distance distance = run_pair(config, &usual, &self, NULL, LONG);
        if (!(distance.twin_loss <= 1e-5) || is_local(&config))
            continue;
        good = is_near(&config, distance) && good;
        counted++;
    }
    assert_all(good);
    reluopt_comm_sum(&world, &counted, 1);
    assert_all(counted >= COMBINATIONS / 2);
}

/* Partial batches, down to one sample, come and go.  (Not with the line search, whose next start depends on the
 * unit in which the last step is kept.) */
static void batches_may_change_in_size(void **state)
{
    (void)state;
    static const size_t counts[] = {40, 23, 1, 40, 7};
    for (int c = 0; c < COMBINATIONS; c += 5) {
        Config config = combination(c);
        int steps = steps_of(&config, 5);
        assert_all(is_near(&config, run_pair(config, &usual, &world, counts, steps)));
    }
}

/* Ranks without neurons, in some layers or in all.  Samples that make all two or three neurons of a layer
 * silent are one and the same sample above; a step of rho_online takes it to Z = 0 up to rounding, whose sign
 * then decides.  So one step where rho_online is in use. */
static void layers_may_be_narrower_than_there_are_ranks(void **state)
{
    (void)state;
    for (int c = 0; c < COMBINATIONS; c++) {
        Config config = combination(c);
        if (is_local(&config))
            continue;
        bool bounded = config.variant == VARIANT_BATCH && config.rate.rule != RATE_OPT;
        config.inverse.steps = bounded ? 1 : config.inverse.steps;
        assert_all(is_near(&config, run_pair(config, &narrow, &world, NULL, bounded ? 1 : 2)));
    }
}

static void a_dedicated_coordinator_gives_the_same(void **state)
{
    (void)state;
    world.dedicated = world.size > 1;
    for (int c = 0; c < COMBINATIONS; c += 7) {
        Config config = combination(c);
        int steps = steps_of(&config, SHORT);
        assert_all(is_near(&config, run_pair(config, &usual, &world, NULL, steps)));
    }
    world.dedicated = false;
}

/* ---- Measures, arrays, predictions ---- */

static bool is_share(double x)
{
    return x >= 0 && x <= 1;
}

static bool agrees(double x, double expected)
{
    return isnan(expected) ? isnan(x) : fabs(x - expected) <= 1e-3 * fabs(expected);
}

/* In range, and what the reference counted since the last time. */
static bool measures_are_good(Pair *pair, const Measures *m)
{
    bool good = true, searched = pair->config.variant == VARIANT_LINE_SEARCH;
    for (size_t i = 1; i <= LAYERS; i++) {
        const Matrix *w = &pair->reference.w[i], *v = &pair->reference.v[i];
        good = good && isfinite(m->rate[i - 1]) && m->rate[i - 1] >= 0 && is_share(m->active[i - 1]);
        good = good && agrees(m->rate[i - 1], w->rates / w->neurons);
        good = good && agrees(m->active[i - 1], w->active / w->pairs);
        good = good && agrees(m->online_bound[i - 1], searched ? NAN : w->online / w->neurons);
        good =
            good && (i < 2 || agrees(m->inverse_rate[i - 2], v->rates / v->neurons)); /* 0 / 0: not trained */
    }
    return good && m->active[LAYERS - 1] == 1;
}

static void forget_measures(Reference *s)
{
    Matrix *all[] = {s->w, s->v};
    for (int a = 0; a < 2; a++)
        for (size_t i = 0; i <= LAYERS; i++)
            all[a][i].rates = all[a][i].online = all[a][i].active = all[a][i].neurons = all[a][i].pairs = 0;
}

static void check_measures(Pair *pair)
{
    Measures measures, first;
    memset(&measures, 0, sizeof measures);
    reluopt_method_adaptive.measures(pair->state, &measures);
    if (!measures_are_good(pair, &measures))
        describe(&pair->config);
    assert_all(measures_are_good(pair, &measures));
    first = measures;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    assert_all(memcmp(&first, &measures, sizeof first) == 0);
    forget_measures(&pair->reference);
}

static void measures_equal_the_reference(void **state)
{
    (void)state;
    static Pair pair;
    Problem problem;
    for (int c = 0; c < COMBINATIONS; c += 5) {
        Distance distance = {0};
        assert_all(pair_create(&pair, combination(c), &usual, &world));
        for (uint64_t k = 0; k < 3; k++) { /* read after one step, then after two more */
            Batch batch = make_batch(&problem, &usual, BATCH, k);
            pair_step(&pair, &batch, k, &distance);
            if (k != 1 && steps_of(&pair.config, 3) > (int)k)
                check_measures(&pair);
        }
        pair_destroy(&pair);
    }
}

static bool array_is(const Array *array, const char *name, size_t rows, size_t inputs)
{
    Rows own = reluopt_comm_own_rows(&world, rows);
    return strcmp(array->name, name) == 0 && array->rows == rows && array->cols == inputs + 1 &&
           array->first == own.first && array->count == own.count && (array->data || own.count == 0);
}

static void arrays_are_w_and_v(void **state)
{
    (void)state;
    static Pair pair;
    for (int c = 0; c < 6; c++) {
        Array list[2 * LAYERS];
        world.dedicated = c >= 3 && world.size > 1;
        assert_all(pair_create(&pair, combination(c), &usual, &world));
        size_t expected = pair.config.inverse.kind == INVERSE_TRANSPOSE ? 3 : 5;
        assert_all(reluopt_method_adaptive.arrays(pair.state, NULL) == expected);
        assert_all(reluopt_method_adaptive.arrays(pair.state, list) == expected);
        assert_all(array_is(&list[0], "W1", 17, 12));
        assert_all(array_is(&list[1], "W2", 9, 17));
        assert_all(array_is(&list[2], "W3", 5, 9));
        assert_all(expected == 3 || array_is(&list[3], "V2", 17, 9));
        assert_all(expected == 3 || array_is(&list[4], "V3", 9, 5));
        pair_destroy(&pair);
    }
    world.dedicated = false;
}

/* Biases 0; V the transpose of W where it is to be; the same bits on any number of ranks. */
static void check_initial(const Reference *s, const Reference *alone)
{
    bool good = true, own = s->config->init.inverse != INIT_TRANSPOSE;
    for (size_t i = 1; i <= LAYERS; i++) {
        const Matrix *w = &s->w[i], *v = &s->v[i];
        good = good && memcmp(w->w, alone->w[i].w, sizeof w->w) == 0 &&
               memcmp(v->w, alone->v[i].w, sizeof v->w) == 0;
        for (size_t j = 0; j < w->outputs; j++)
            good = good && w->w[j][w->inputs] == 0;
        for (size_t j = 0; j < v->outputs; j++) {
            good = good && v->w[j][v->inputs] == 0;
            for (size_t k = 0; k < v->inputs; k++)
                good = good && (own ? v->w[j][k] != w->w[k][j] : v->w[j][k] == w->w[k][j]);
        }
    }
    assert_all(good);
}

static void initial_weights_do_not_depend_on_the_ranks(void **state)
{
    (void)state;
    static Pair together, alone;
    for (int c = 0; c < COMBINATIONS; c += 5) {
        assert_all(pair_create(&together, combination(c), &usual, &world));
        assert_all(pair_create(&alone, combination(c), &usual, &self));
        check_initial(&together.reference, &alone.reference);
        pair_destroy(&together);
        pair_destroy(&alone);
    }
}

/* Drawn with the same distribution, V still shares no number with W. */
static void inverses_have_a_draw_of_their_own(void **state)
{
    (void)state;
    static Pair pair;
    Config config = combination(0);
    config.inverse.kind = INVERSE_TRAINED;
    config.init.forward = config.init.inverse = INIT_GLOROT;
    assert_all(pair_create(&pair, config, &usual, &world));
    bool good = true;
    for (size_t i = 2; i <= LAYERS; i++) {
        const Matrix *w = &pair.reference.w[i], *v = &pair.reference.v[i];
        for (size_t j = 0; j < w->outputs && j < v->outputs; j++)
            for (size_t k = 0; k < w->inputs && k < v->inputs; k++)
                good = good && fabs(w->w[j][k] - v->w[j][k]) > 1e-6;
    }
    assert_all(good);
    pair_destroy(&pair);
}

/* Outputs of a batch of another size, the same bits on every rank; training goes on undisturbed afterwards. */
static void predictions_equal_the_reference(void **state)
{
    (void)state;
    static Pair pair;
    Problem problem, other;
    Distance distance = {0};
    float first[5 * BATCH];
    assert_all(pair_create(&pair, combination(26), &usual, &world));
    for (uint64_t k = 0; k < 5; k++) {
        size_t count = 3 + 9 * k;
        Batch batch = make_batch(&problem, &usual, BATCH, k), test = make_batch(&other, &usual, count, 100 + k);
        pair_step(&pair, &batch, k, &distance);
        const float *h = reluopt_method_adaptive.predict(pair.state, &test);
        reference_forward(&pair.reference, &test);
        bool good = true;
        for (size_t i = 0; i < 5 * count; i++)
            good = good && fabs(h[i] - pair.reference.h[LAYERS][i / count][i % count]) < 1e-4;
        memcpy(first, h, 5 * count * sizeof *h);
        MPI_Bcast(first, (int)(5 * count), MPI_FLOAT, 0, MPI_COMM_WORLD);
        assert_all(good && memcmp(first, h, 5 * count * sizeof *h) == 0);
    }
    assert_all(is_near(&pair.config, distance));
    pair_destroy(&pair);
}

/* What training is for: with the usual settings the loss of a small problem falls. */
static void training_reduces_the_loss(void **state)
{
    (void)state;
    Problem problem;
    void *method;
    Error error = {0};
    Config config = combination(0);
    config.gate = true;
    config.alpha = 1;
    config.direction = DIRECTION_CENTRED;
    config.rate.scope = SCOPE_NEURON;
    config.rate.rule = RATE_OPT;
    config.inverse.kind = INVERSE_TRANSPOSE;
    Score first = {0}, last = {0};
    Batch batch = make_batch(&problem, &usual, BATCH, 1);
    assert_all(reluopt_method_adaptive.create(&method, &config, &usual, &world, &error) == 0);
    reluopt_method_adaptive.step(method, &batch, 0, &first);
    for (uint64_t k = 1; k < 200; k++)
        reluopt_method_adaptive.step(method, &batch, k, &(Score){0});
    reluopt_method_adaptive.step(method, &batch, 200, &last);
    assert_all(last.loss < 0.1 * first.loss && last.right == BATCH);
    reluopt_method_adaptive.destroy(method);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(first_steps_equal_the_reference),
    cmocka_unit_test(long_runs_on_one_rank_equal_the_reference),
    cmocka_unit_test(batches_may_change_in_size),
    cmocka_unit_test(layers_may_be_narrower_than_there_are_ranks),
    cmocka_unit_test(a_dedicated_coordinator_gives_the_same),
    cmocka_unit_test(measures_equal_the_reference),
    cmocka_unit_test(arrays_are_w_and_v),
    cmocka_unit_test(initial_weights_do_not_depend_on_the_ranks),
    cmocka_unit_test(inverses_have_a_draw_of_their_own),
    cmocka_unit_test(predictions_equal_the_reference),
    cmocka_unit_test(training_reduces_the_loss),
};

mpi_cmocka_main("adaptive", tests)
