/* test_traffic.c - messages of training steps: the program's counters against the MPI calls it really makes
 * (seen through the profiling interface), and both against the formulas of docs/performance.md. */
#include "mpi_cmocka.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/feed.h"
#include "reluopt/method.h"
#include "reluopt/tally.h"

enum { LAYERS = 4, BATCH = 20, STEPS = 2, ROUNDS = 2 };

static Comm world;

/* The group starts and stops MPI through the module under test. */
#define MPI_Init(argc, argv) (reluopt_dense_start(), reluopt_comm_start(&world, argc, argv))
#define MPI_Finalize() reluopt_comm_stop(&world)

static const Shape shape = {.layers = LAYERS, .width = {30, 40, 50, 26, 4}, .columns = BATCH};

/* ---- What MPI is really asked for, on the program's own communicators ---- */

typedef struct Messages {
    uint64_t calls[TRAFFICS], bytes[TRAFFICS];
} Messages;

static Messages seen;

static void see(Traffic kind, MPI_Comm comm, MPI_Datatype type, size_t elements)
{
    int size;
    if (comm != world.world && comm != world.feed && comm != world.data.comm && comm != world.neurons.comm)
        return;
    MPI_Type_size(type, &size);
    seen.calls[kind]++;
    seen.bytes[kind] += elements * (size_t)size;
}

static size_t total(const int counts[])
{
    size_t sum = 0;
    for (int r = 0; r < world.neurons.size; r++)
        sum += (size_t)counts[r];
    return sum;
}

int MPI_Allgatherv(const void *from, int count, MPI_Datatype type, void *to, const int counts[],
                   const int offsets[], MPI_Datatype to_type, MPI_Comm comm)
{
    see(TRAFFIC_GATHER, comm, to_type, total(counts) - (size_t)counts[world.neurons.index]);
    return PMPI_Allgatherv(from, count, type, to, counts, offsets, to_type, comm);
}

int MPI_Reduce_scatter(const void *from, void *to, const int counts[], MPI_Datatype type, MPI_Op op,
                       MPI_Comm comm)
{
    see(TRAFFIC_REDUCE, comm, type, total(counts));
    return PMPI_Reduce_scatter(from, to, counts, type, op, comm);
}

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    see(TRAFFIC_REDUCE, comm, type, (size_t)count);
    return PMPI_Allreduce(from, to, count, type, op, comm);
}

int MPI_Bcast(void *x, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
    bool feeds = comm == world.neurons.comm && world.data.size > 1;
    int index = feeds ? world.neurons.index : world.rank;
    see(feeds ? TRAFFIC_FEED : TRAFFIC_SHARE, comm, type, index == root ? 0 : (size_t)count);
    return PMPI_Bcast(x, count, type, root, comm);
}

int MPI_Ibcast(void *x, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request)
{
    see(TRAFFIC_FEED, comm, type, world.rank == root ? 0 : (size_t)count);
    return PMPI_Ibcast(x, count, type, root, comm, request);
}

int MPI_Iscatterv(const void *from, const int counts[], const int offsets[], MPI_Datatype type, void *x,
                  int count, MPI_Datatype to_type, int root, MPI_Comm comm, MPI_Request *request)
{
    see(TRAFFIC_FEED, comm, to_type, world.rank == root ? 0 : (size_t)count);
    return PMPI_Iscatterv(from, counts, offsets, type, x, count, to_type, root, comm, request);
}

/* ---- What the formulas say, for one step ---- */

/* A gather of n x columns floats, along the neurons. */
static void gather(Messages *m, size_t n, size_t columns)
{
    if (world.neurons.size == 1)
        return;
    m->calls[TRAFFIC_GATHER]++;
    m->bytes[TRAFFIC_GATHER] += (n - reluopt_comm_own_rows(&world, n).count) * columns * sizeof(float);
}

/* This rank's columns of the batch. */
static size_t own_columns(void)
{
    return reluopt_comm_own_columns(&world, BATCH).count;
}

/* Gathers of n[i] x B floats, i = first..last. */
static void gather_layers(Messages *m, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++)
        gather(m, shape.width[i], own_columns());
}

static void reduce(Messages *m, size_t bytes)
{
    m->calls[TRAFFIC_REDUCE]++;
    m->bytes[TRAFFIC_REDUCE] += bytes;
}

/* W[i]' x for i = last..first. */
static void transposes(Messages *m, size_t first, size_t last, bool reproducible)
{
    for (size_t i = last; i >= first; i--) {
        if (reproducible) {
            gather(m, shape.width[i], own_columns());
            gather(m, shape.width[i], shape.width[i - 1] + 1);
        } else if (world.neurons.size > 1) {
            reduce(m, shape.width[i - 1] * own_columns() * sizeof(float));
        }
    }
}

static size_t own_rows(size_t n)
{
    return reluopt_comm_own_rows(&world, n).count;
}

/* The sum over the data of an outputs x (inputs + 1) gradient's own rows, and of a row that goes with them. */
static void gradient(Messages *m, size_t outputs, size_t inputs)
{
    reduce(m, (own_rows(outputs) + 1) * (inputs + 1) * sizeof(float));
}

/* Sum and maximum along the data of what the bounds of so many own neurons come from. */
static void bounds(Messages *m, size_t neurons)
{
    reduce(m, 2 * neurons * sizeof(float));
    reduce(m, neurons * sizeof(float));
}

/* Gradients of the inverses of layers 2..last in a round; returns their own neurons. */
static size_t inverse_gradients(Messages *m, size_t last)
{
    size_t neurons = 0;
    for (size_t i = 2; i <= last; i++) {
        gradient(m, shape.width[i - 1], shape.width[i]);
        neurons += own_rows(shape.width[i - 1]);
    }
    return neurons;
}

/* What is summed along the data. */
static void sums_over_data(Messages *m, const Config *c, bool adaptive, size_t last)
{
    size_t neurons = 0, above = 0;
    bool inverses = adaptive || strcmp(c->method, "dtp") == 0;
    reduce(m, 3 * sizeof(double));
    for (size_t i = 1; i <= LAYERS; i++) {
        gradient(m, shape.width[i], shape.width[i - 1]);
        neurons += own_rows(shape.width[i]);
    }
    if (inverses && c->inverse.kind == INVERSE_TRAINED)
        reduce(m, 2 * (last - 1) * sizeof(double));
    for (int k = 0; inverses && c->inverse.kind == INVERSE_TRAINED && k < c->inverse.steps; k++) {
        above = inverse_gradients(m, last);
        if (adaptive && k < c->inverse.steps - 1)
            bounds(m, above);
    }
    for (int k = 0; inverses && c->inverse.kind == INVERSE_MIRROR && k < c->inverse.steps; k++)
        for (size_t i = 2; i <= LAYERS; i++)
            reduce(m, own_rows(shape.width[i - 1]) * (shape.width[i] + 1) * sizeof(float));
    if (adaptive)
        bounds(m, neurons + above);
}

static Messages formula(const Config *c)
{
    Messages m = {{0}, {0}};
    bool adaptive = strcmp(c->method, "adaptive") == 0, layer = c->rate.scope == SCOPE_LAYER;
    bool target = strcmp(c->method, "dtp") == 0;
    size_t last = target ? LAYERS - 1 : LAYERS; /* whose target comes from the loss */
    gather_layers(&m, 1, LAYERS);
    if (strcmp(c->method, "sgd") == 0 || strcmp(c->method, "adam") == 0)
        transposes(&m, 2, LAYERS, c->reproducible);
    if (strcmp(c->method, "fa") == 0)
        gather_layers(&m, 2, LAYERS - 1);
    if (target) {
        transposes(&m, LAYERS, LAYERS, c->reproducible);
        gather_layers(&m, LAYERS - 1, LAYERS - 1);
    }
    if ((adaptive || target) && c->inverse.kind != INVERSE_TRANSPOSE)
        gather_layers(&m, 2, last - 1);
    if (adaptive && c->inverse.kind == INVERSE_TRANSPOSE)
        transposes(&m, 2, LAYERS, c->reproducible);
    for (int k = 0; (adaptive || target) && c->inverse.kind == INVERSE_TRAINED && k < c->inverse.steps; k++) {
        gather_layers(&m, 2, last);
        if (layer && k < c->inverse.steps - 1)
            reduce(&m, 2 * (LAYERS - 1) * sizeof(float));
    }
    for (int k = 0; c->inverse.kind == INVERSE_MIRROR && k < c->inverse.steps; k++)
        for (size_t i = 2; i <= LAYERS; i++) {
            gather(&m, shape.width[i], own_columns());
            gather(&m, shape.width[i - 1], 2);
        }
    if (adaptive && layer)
        reduce(&m, 2 * (LAYERS + (c->inverse.kind == INVERSE_TRAINED ? LAYERS - 1 : 0)) * sizeof(float));
    if (world.data.size > 1)
        sums_over_data(&m, c, adaptive, last);
    bool passed_on = world.data.size > 1 && world.neurons.size > 1;
    m.calls[TRAFFIC_FEED] = passed_on && world.neurons.index == 0 ? 2 : 1;
    m.bytes[TRAFFIC_FEED] = world.rank == 0 ? 0 : (shape.width[0] + 1) * own_columns() * sizeof(float);
    return m;
}

/* ---- Steps ---- */

static void take_steps(const Config *config, const Samples *samples)
{
    Error error = {0};
    Feed feed;
    Batch batch;
    Score score = {0};
    void *state = NULL;
    const Method *method = reluopt_method_find(config->method, &error);
    assert_all(method && method->create(&state, config, &shape, &world, &error) == RELUOPT_OK);
    assert_all(reluopt_feed_create(&feed, &world, shape.width[0], BATCH, &error) == RELUOPT_OK);
    reluopt_comm_settle_waiting(&world);
    memset(&seen, 0, sizeof seen);
    Tally before = reluopt_tally();
    reluopt_feed_begin(&feed, samples, NULL, samples->count, BATCH);
    for (uint64_t step = 0; reluopt_feed_next(&feed, &batch); step++)
        method->step(state, &batch, step, &score);
    Messages real = seen, expected = formula(config);
    Tally counted = reluopt_tally_since(&before);
    for (int kind = 0; world.size > 1 && kind < TRAFFICS; kind++) {
        assert_all(counted.calls[kind] == real.calls[kind]);
        assert_all(counted.bytes[kind] == real.bytes[kind]);
        assert_all(counted.calls[kind] == STEPS * expected.calls[kind]);
        assert_all(counted.bytes[kind] == STEPS * expected.bytes[kind]);
    }
    assert_all(world.size > 1 || (counted.calls[TRAFFIC_GATHER] == 0 && counted.calls[TRAFFIC_FEED] == 0));
    reluopt_feed_free(&feed);
    method->destroy(state);
}

static Samples make_samples(void)
{
    Error error = {0};
    Samples samples = {0};
    assert_all(reluopt_samples_alloc(&samples, STEPS * BATCH, shape.width[0], &error) == RELUOPT_OK);
    for (size_t i = 0; i < samples.count * samples.features; i++)
        samples.x[i] = (float)(i * 7 % 11) - 5;
    for (size_t i = 0; i < samples.count; i++)
        samples.y[i] = (int)(i % shape.width[LAYERS]);
    return samples;
}

/* On the present grid. */
static void compare_all(void)
{
    static const char *const settings[][4] = {
        {"adaptive", "inverse.kind", "trained", "neuron"},
        {"adaptive", "inverse.kind", "trained", "layer"},
        {"adaptive", "inverse.kind", "fixed", "neuron"},
        {"adaptive", "inverse.kind", "fixed", "layer"},
        {"adaptive", "inverse.kind", "transpose", "layer"},
        {"adaptive", "inverse.kind", "mirror", "neuron"},
        {"dtp", "inverse.kind", "trained", NULL},
        {"dtp", "inverse.kind", "fixed", NULL},
        {"sgd", NULL, NULL, NULL},
        {"adam", NULL, NULL, NULL},
        {"fa", NULL, NULL, NULL},
        {"dfa", NULL, NULL, NULL},
    };
    Error error = {0};
    Samples samples = make_samples();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        for (int reproducible = 0; reproducible <= (world.data.size == 1); reproducible++) {
            Config config;
            reluopt_config_default(&config);
            config.inverse.steps = ROUNDS;
            config.direction = DIRECTION_CENTRED; /* a whitened one sends more when a covariance has drifted */
            if (strcmp(settings[i][0], "adaptive") == 0)
                config.alpha = 1; /* its search makes some steps longer than others */
            config.reproducible = reproducible;
            reluopt_config_set(&config, "method", settings[i][0], &error);
            if (settings[i][1])
                reluopt_config_set(&config, settings[i][1], settings[i][2], &error);
            if (settings[i][3])
                reluopt_config_set(&config, "rate.scope", settings[i][3], &error);
            reluopt_config_resolve(&config);
            assert_all(error.code == RELUOPT_OK);
            take_steps(&config, &samples);
        }
    reluopt_samples_free(&samples);
}

static void counters_agree_with_mpi_and_with_formulas(void **state)
{
    (void)state;
    for (int data = 1; data <= world.size; data++)
        if (world.size % data == 0) {
            reluopt_comm_grid(&world, data);
            compare_all();
        }
    reluopt_comm_grid(&world, 1);
}

/* Without a clock: of each call the fastest rank waits not at all, and all communicate equally long. */
static void waiting_is_told_from_communication(void **state)
{
    (void)state;
    float *x = calloc((size_t)world.size * 64, sizeof *x);
    reluopt_comm_settle_waiting(&world);
    Tally before = reluopt_tally();
    if (world.rank == world.size - 1)
        usleep(50000);
    reluopt_comm_gather_rows(&world, x, (size_t)world.size * 64, 1);
    double undivided = reluopt_tally_since(&before).seconds[PHASE_GATHER];
    reluopt_comm_settle_waiting(&world);
    Tally after = reluopt_tally_since(&before);
    double waited = after.seconds[PHASE_WAITING], rest = after.seconds[PHASE_GATHER], least, most;
    PMPI_Allreduce(&waited, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
    PMPI_Allreduce(&waited, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    assert_all(least == 0 && (most > 0 || world.size == 1));
    assert_all(undivided - waited - rest < 1e-9 && undivided - waited - rest > -1e-9);
    PMPI_Allreduce(&rest, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
    PMPI_Allreduce(&rest, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    assert_all(most - least < 1e-6);
    free(x);
}

/* More calls than are kept: they are compared on the way, and the ranks stay in step. */
static void many_calls_are_compared_on_the_way(void **state)
{
    (void)state;
    Tally before = reluopt_tally();
    for (int i = 0; i < 3000; i++) {
        double one = 1;
        if (i % 7 == world.rank)
            reluopt_phase_leave(reluopt_phase_enter(PHASE_FORWARD));
        reluopt_comm_sum(&world, &one, 1);
        assert_int_equal((int)one, world.size);
    }
    Tally after = reluopt_tally_since(&before);
    assert_all(after.calls[TRAFFIC_REDUCE] == (world.size > 1 ? 3000 : 0));
    assert_all(after.bytes[TRAFFIC_REDUCE] == (world.size > 1 ? 3000 * sizeof(double) : 0));
    assert_all(after.seconds[PHASE_REDUCTION] >= 0 && after.seconds[PHASE_WAITING] >= 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(counters_agree_with_mpi_and_with_formulas),
    cmocka_unit_test(waiting_is_told_from_communication),
    cmocka_unit_test(many_calls_are_compared_on_the_way),
};

mpi_cmocka_main("traffic", tests)
