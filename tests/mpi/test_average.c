/* test_average.c - running means of the weights: what they are, and that predictions alone use them. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "reluopt/method.h"
#include "reluopt/random.h"

enum { LAYERS = 2, INPUTS = 6, HIDDEN = 9, CLASSES = 3, BATCH = 20, STEPS = 12, MOST = 12 * 10 };

static Comm world;

/* The group starts and stops MPI through the module under test. */
#define MPI_Init(argc, argv) reluopt_comm_start(&world, argc, argv)
#define MPI_Finalize() reluopt_comm_stop(&world)

static const Shape shape = {.layers = LAYERS, .width = {INPUTS, HIDDEN, CLASSES}, .columns = BATCH};

typedef struct Trained {
    Config config;
    const Method *method;
    void *state;
    Array list[RELUOPT_MAX_ARRAYS];
    size_t count;
} Trained;

static void create(Trained *t, const char *method, double average)
{
    Error error = {0};
    reluopt_config_default(&t->config);
    snprintf(t->config.method, sizeof t->config.method, "%s", method);
    t->config.average = average;
    t->config.variant = VARIANT_BATCH;
    t->config.batch = BATCH;
    reluopt_config_resolve(&t->config);
    t->method = reluopt_method_find(method, &error);
    assert_all(t->method->create(&t->state, &t->config, &shape, &world, &error) == RELUOPT_OK);
    t->count = t->method->arrays(t->state, t->list);
}

static const Array *array(const Trained *t, char letter, size_t layer)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->list[i].name[0] == letter && t->list[i].name[1] == (char)('0' + layer) && !t->list[i].name[2])
            return &t->list[i];
    return NULL;
}

/* Batch number `step` of an epoch of STEPS / 3 batches; the last of them is half as large. */
static void make_batch(uint64_t step, Batch *batch)
{
    static float x[(INPUTS + 1) * BATCH];
    static int label[BATCH];
    RandomKey key = {.seed = 5, .use = RANDOM_GENERATED, .step = step};
    size_t epoch = STEPS / 3, count = step % epoch == epoch - 1 ? BATCH / 2 : BATCH;
    memset(x, 0, sizeof x);
    reluopt_add_normal(x, x, INPUTS, count, 0, 1, key);
    for (size_t k = 0; k < count; k++) {
        x[INPUTS * count + k] = 1;
        label[k] = x[k] > 0.5f ? 2 : x[count + k] > 0;
    }
    *batch = (Batch){.count = count, .x = x, .label = label, .total = (epoch - 1) * BATCH + BATCH / 2};
}

static void train(Trained *t, uint64_t step)
{
    Score score = {0};
    Batch batch;
    make_batch(step, &batch);
    t->method->step(t->state, &batch, step, &score);
}

/* mean += c (w - mean), c the batch's share of `average` epochs or 3/(step+3), in double. */
static void follow(double mean[MOST], const Array *w, double average, uint64_t step)
{
    Batch batch;
    make_batch(step, &batch);
    double c = fmin(1, fmax((double)batch.count / ((double)batch.total * average), 3 / (double)(step + 3)));
    for (size_t k = 0; k < w->count * w->cols; k++)
        mean[k] += c * (w->data[k] - mean[k]);
}

static bool near(const double mean[MOST], const Array *a)
{
    bool good = true;
    for (size_t k = 0; k < a->count * a->cols; k++)
        good = good && fabs(a->data[k] - mean[k]) <= 1e-5 * (1 + fabs(mean[k]));
    return good;
}

static void check_means(const char *method, double average)
{
    static double mean[LAYERS + 1][MOST];
    Trained t;
    memset(mean, 0, sizeof mean);
    create(&t, method, average);
    for (uint64_t step = 0; step < STEPS; step++) {
        train(&t, step);
        for (size_t i = 1; i <= LAYERS; i++) {
            follow(mean[i], array(&t, 'W', i), average, step);
            assert_all(near(mean[i], array(&t, 'A', i)));
        }
    }
    t.method->destroy(t.state);
}

static void means_follow_the_weights(void **state)
{
    (void)state;
    static const char *const methods[] = {"adaptive", "sgd", "dtp"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        check_means(methods[i], 1);
        check_means(methods[i], 0.5);
        check_means(methods[i], 2);
        check_means(methods[i], 1e-3); /* the latest weights */
    }
}

/* Training does not notice the means, nor the predictions made between its steps. */
static void training_goes_on_as_without(void **state)
{
    (void)state;
    Trained with, without;
    Batch batch;
    create(&with, "adaptive", 1);
    create(&without, "adaptive", 0);
    for (uint64_t step = 0; step < STEPS; step++) {
        train(&with, step);
        train(&without, step);
        make_batch(step + 100, &batch);
        with.method->predict(with.state, &batch);
    }
    with.count = with.method->arrays(with.state, with.list);
    for (size_t i = 1; i <= LAYERS; i++) {
        const Array *a = array(&with, 'W', i), *b = array(&without, 'W', i);
        assert_all(memcmp(a->data, b->data, a->count * a->cols * sizeof *a->data) == 0);
    }
    assert_all(array(&without, 'A', 1) == NULL);
    with.method->destroy(with.state);
    without.method->destroy(without.state);
}

/* Predictions are those of a network whose weights are the means. */
static void predictions_use_the_means(void **state)
{
    (void)state;
    Trained with, plain;
    Batch batch;
    create(&with, "adaptive", 1);
    create(&plain, "adaptive", 0);
    for (uint64_t step = 0; step < STEPS; step++)
        train(&with, step);
    for (size_t i = 1; i <= LAYERS; i++) {
        const Array *mean = array(&with, 'A', i);
        memcpy(array(&plain, 'W', i)->data, mean->data, mean->count * mean->cols * sizeof *mean->data);
    }
    make_batch(100, &batch);
    const float *a = with.method->predict(with.state, &batch), *b = plain.method->predict(plain.state, &batch);
    assert_all(memcmp(a, b, CLASSES * batch.count * sizeof *a) == 0);
    with.method->destroy(with.state);
    plain.method->destroy(plain.state);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(means_follow_the_weights),
    cmocka_unit_test(training_goes_on_as_without),
    cmocka_unit_test(predictions_use_the_means),
};

mpi_cmocka_main("average", tests)
