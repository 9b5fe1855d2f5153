/* test_grid.c - every grid of data and neurons trains as one rank alone does, but for the rounding of sums over
 * the batch; ranks with the same neurons stay equal, bit for bit. */
#include "mpi_cmocka.h"

#include <math.h>
#include <string.h>

#include "alone.h"
#include "reluopt/method.h"
#include "reluopt/random.h"

enum { LAYERS = 3, BATCH = 40, WIDEST = 33, STEPS = 6, ROOM = RELUOPT_MAX_ARRAYS };

static const Shape shape = {.layers = LAYERS, .width = {12, WIDEST, 18, 5}, .columns = BATCH};

/* Sizes of the batches: uneven, and fewer columns than ranks. */
static const size_t sizes[STEPS] = {BATCH, 23, BATCH, 3, BATCH, 1};

/* ---- Batches ---- */

typedef struct Problem {
    float x[(12 + 1) * BATCH], own[(12 + 1) * BATCH];
    int label[BATCH];
} Problem;

/* Number `step`; of it the columns that a rank has. */
static Batch make_batch(Problem *p, const Comm *comm, size_t count, uint64_t step)
{
    size_t n = shape.width[0];
    OwnColumns own = reluopt_comm_own_columns(comm, count);
    memset(p->x, 0, sizeof p->x);
    reluopt_add_normal(p->x, p->x, n, count, 0, 1, (RandomKey){.use = RANDOM_GENERATED, .step = step});
    for (size_t k = 0; k < count; k++) {
        p->x[n * count + k] = 1;
        p->label[k] = (int)((size_t)fabsf(4 * p->x[k] + 3 * p->x[count + k]) % shape.width[LAYERS]);
    }
    for (size_t i = 0; i <= n; i++)
        memcpy(p->own + i * own.count, p->x + i * count + own.first, own.count * sizeof *p->x);
    return (Batch){.count = count, .x = p->own, .label = p->label + own.first, .total = 4 * BATCH};
}

/* ---- A method on a grid, or alone ---- */

typedef struct Trained {
    const Method *method;
    void *state;
    Score score;
    Measures measures;
    float outputs[5 * BATCH]; /* of own columns of a last batch */
} Trained;

static bool train(Trained *t, const Config *config, const Comm *comm)
{
    static Problem problem;
    Error error = {0};
    Batch batch;
    *t = (Trained){.method = reluopt_method_find(config->method, &error)};
    if (!t->method || t->method->create(&t->state, config, &shape, comm, &error))
        return false;
    for (uint64_t step = 0; step < STEPS; step++) {
        batch = make_batch(&problem, comm, sizes[step], step);
        t->method->step(t->state, &batch, step, &t->score);
    }
    t->method->measures(t->state, &t->measures);
    batch = make_batch(&problem, comm, BATCH, STEPS);
    size_t values = shape.width[LAYERS] * reluopt_comm_own_columns(comm, BATCH).count;
    memcpy(t->outputs, t->method->predict(t->state, &batch), values * sizeof(float));
    return true;
}

/* All arrays and what else a checkpoint holds. */
static size_t arrays_of(const Trained *t, Array *list)
{
    size_t count = t->method->arrays(t->state, list);
    return count + t->method->memory(t->state, list + count);
}

static double element(const Array *a, size_t k)
{
    return a->type == ARRAY_FLOAT    ? a->data[k]
           : a->type == ARRAY_DOUBLE ? a->doubles[k]
                                     : (double)a->integers[k];
}

/* Is each row of `part` near that row of `whole`, measured by the largest value of the array? */
static bool near_array(const Array *part, const Array *whole)
{
    double size = 1e-6, difference = 0;
    for (size_t k = 0; k < whole->count * whole->cols; k++)
        size = fmax(size, fabs(element(whole, k)));
    for (size_t k = 0; k < part->count * part->cols; k++)
        difference = fmax(difference, fabs(element(part, k) - element(whole, part->first * part->cols + k)));
    if (!(difference <= 2e-4 * size))
        print_error("%s differs by %.1e of %.1e\n", part->name, difference, size);
    return difference <= 2e-4 * size;
}

static bool near_number(double x, double expected, double tolerance)
{
    return (isnan(x) && isnan(expected)) || fabs(x - expected) <= tolerance * (fabs(expected) + 1e-2);
}

static bool near_figures(const Trained *t, const Trained *alone, const Comm *comm)
{
    bool good = near_number(t->score.loss, alone->score.loss, 2e-4) && t->score.count == alone->score.count &&
                near_number(t->measures.alpha, alone->measures.alpha, 2e-4);
    OwnColumns own = reluopt_comm_own_columns(comm, BATCH);
    for (size_t i = 0; i < LAYERS; i++)
        good = good && near_number(t->measures.rate[i], alone->measures.rate[i], 2e-4) &&
               near_number(t->measures.active[i], alone->measures.active[i], 1e-2);
    for (size_t c = 0; c < shape.width[LAYERS]; c++)
        for (size_t k = 0; k < own.count; k++)
            good =
                good && fabs(t->outputs[c * own.count + k] - alone->outputs[c * BATCH + own.first + k]) < 1e-2;
    return good;
}

/* Do all ranks with the same neurons have the same bits? */
static bool equal_along_data(const Array *a, const Comm *comm)
{
    static unsigned char first[WIDEST * (WIDEST + 1) * sizeof(double)];
    size_t bytes = a->count * a->cols * reluopt_array_element(a);
    memcpy(first, a->data, bytes);
    MPI_Bcast(first, (int)bytes, MPI_BYTE, 0, comm->data.comm);
    return memcmp(first, a->data, bytes) == 0;
}

static bool same_on_grid(const Config *config, const Comm *grid)
{
    static Trained here, alone;
    Array list[ROOM], whole[ROOM];
    bool good = train(&here, config, grid) && train(&alone, config, &self);
    assert_all(good);
    size_t count = arrays_of(&here, list);
    assert_all(arrays_of(&alone, whole) == count);
    for (size_t a = 0; a < count; a++) {
        good = near_array(&list[a], &whole[a]) && good;
        good = (grid->data.size == 1 || equal_along_data(&list[a], grid)) && good;
    }
    good = near_figures(&here, &alone, grid) && good;
    here.method->destroy(here.state);
    alone.method->destroy(alone.state);
    return good;
}

/* ---- All methods on all grids ---- */

/* Line searches plain: of one sample, centred, D = R, and the losses at 0 and 2 are equal but for rounding. */
static const char *const settings[][9] = {
    {"adaptive"},
    {"adaptive", "inverse.kind", "trained", "direction", "centred"},
    {"adaptive", "alpha", "1", "inverse.kind", "trained", "inverse.steps", "2", "direction", "plain"},
    {"adaptive", "gate", "no", "inverse.kind", "fixed", "rate.rule", "min", "rate.scope", "layer"},
    {"adaptive", "inverse.kind", "mirror", "direction", "whitened", "average", "1"},
    {"adaptive", "inverse.kind", "transpose", "rate.rule", "exact", "rate.scope", "layer"},
    {"adaptive", "direction", "plain", "variant", "line-search", "batch", "40"},
    {"adaptive", "direction", "plain", "variant", "line-search", "batch", "40", "rate.scope", "layer"},
    {"sgd", "batch_norm", "yes"},
    {"adam", "activation", "tanh", "residual", "yes", "loss", "mse"},
    {"momentum", "average", "0.5"},
    {"fa"},
    {"dfa", "batch_norm", "yes"},
    {"tp", "target.layer", "output"},
    {"dtp", "inverse.steps", "2"},
    {"dtp", "inverse.kind", "transpose"},
};

static void configure(Config *config, size_t c)
{
    Error error = {0};
    reluopt_config_default(config);
    reluopt_config_set(config, "method", settings[c][0], &error);
    for (int k = 1; k + 1 < 9 && settings[c][k]; k += 2)
        reluopt_config_set(config, settings[c][k], settings[c][k + 1], &error);
    config->reproducible = false;
    reluopt_config_resolve(config);
    assert_all(error.code == RELUOPT_OK);
}

static void any_grid_gives_the_same(void **state)
{
    (void)state;
    for (int data = 1; data <= world.size; data++) {
        if (world.size % data)
            continue;
        reluopt_comm_grid(&world, data);
        for (size_t c = 0; c < sizeof settings / sizeof *settings; c++) {
            Config config;
            configure(&config, c);
            bool good = same_on_grid(&config, &world);
            if (!good)
                print_error("%d x %d: %s, settings %zu\n", data, world.size / data, config.method, c);
            assert_all(good);
        }
    }
    reluopt_comm_grid(&world, 1);
}

/* ---- Who has what ---- */

static void columns_are_a_partition(void **state)
{
    (void)state;
    for (int size = 1; size <= 40; size++)
        for (size_t batch = 0; batch <= 100; batch++) {
            size_t next = 0;
            for (int index = 0; index < size; index++) {
                OwnColumns own =
                    reluopt_comm_own_columns(&(Comm){.data = {.index = index, .size = size}}, batch);
                assert_true(own.first == next);
                assert_true(own.count == batch / (size_t)size ||
                            own.count == (batch + (size_t)size - 1) / (size_t)size);
                next += own.count;
            }
            assert_true(next == batch);
        }
}

static void sums_are_along_their_axis(void **state)
{
    (void)state;
    for (int data = 1; data <= world.size; data++) {
        if (world.size % data)
            continue;
        reluopt_comm_grid(&world, data);
        int neurons = world.size / data;
        assert_all(world.data.size == data && world.neurons.size == neurons);
        assert_all(world.rank == world.data.index * neurons + world.neurons.index);
        float x[] = {(float)world.neurons.index, (float)world.data.index}, most = (float)world.data.index;
        double y = 1;
        reluopt_comm_data_sum(&world, x, 2);
        reluopt_comm_data_sum_doubles(&world, &y, 1);
        reluopt_comm_data_max(&world, &most, 1);
        reluopt_comm_data_max(&world, NULL, 0);
        assert_all(x[0] == (float)(data * world.neurons.index) && x[1] == (float)(data * (data - 1) / 2));
        assert_all(y == data && most == (float)(data - 1));
        float *row = calloc((size_t)neurons * world.block, sizeof *row);
        Rows own = reluopt_comm_own_rows(&world, (size_t)neurons * world.block);
        for (size_t j = 0; j < own.count; j++)
            row[own.first + j] = (float)(own.first + j) + 1000 * (float)world.data.index;
        reluopt_comm_gather_rows(&world, row, (size_t)neurons * world.block, 1);
        bool good = own.count == world.block;
        for (size_t j = 0; j < (size_t)neurons * world.block; j++)
            good = good && row[j] == (float)j + 1000 * (float)world.data.index;
        assert_all(good);
        free(row);
    }
    reluopt_comm_grid(&world, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(columns_are_a_partition),
    cmocka_unit_test(sums_are_along_their_axis),
    cmocka_unit_test(any_grid_gives_the_same),
};

mpi_cmocka_main("grid", tests)
