/* test_alpha.c - alpha: auto in training: which losses decide, the same bits on any number of ranks and through
 * a checkpoint. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alone.h"
#include "reluopt/alpha.h"
#include "reluopt/checkpoint.h"
#include "reluopt/dense.h"
#include "reluopt/random.h"

enum {
    LAYERS = 3,
    INPUTS = 13,
    CLASSES = 4,
    BATCH = 48,
    STEPS = 100,
    SHORT = 20,
    MOST = 40 * 40,
    ARRAYS = RELUOPT_MAX_ARRAYS
};

static const Shape shape = {.layers = LAYERS, .width = {INPUTS, 36, 25, CLASSES}, .columns = BATCH};

typedef struct Trained {
    Config config;
    void *state;
    Array list[ARRAYS];
    size_t count;
} Trained;

/* All that a checkpoint holds of it. */
static void list_state(Trained *t)
{
    t->count = reluopt_method_adaptive.arrays(t->state, t->list);
    t->count += reluopt_method_adaptive.memory(t->state, t->list + t->count);
}

static void create(Trained *t, InverseKind kind, double alpha, const Comm *comm)
{
    Error error = {0};
    reluopt_config_default(&t->config);
    t->config.batch = BATCH;
    t->config.inverse.kind = (int)kind;
    t->config.direction = DIRECTION_CENTRED;
    t->config.average = 0;
    t->config.alpha = alpha;
    reluopt_config_resolve(&t->config);
    assert_all(reluopt_method_adaptive.create(&t->state, &t->config, &shape, comm, &error) == RELUOPT_OK);
    list_state(t);
}

static void destroy(Trained *t)
{
    reluopt_method_adaptive.destroy(t->state);
}

/* The array of that name: its data stay in place but for those of W and B, which change places. */
static const Array *array(Trained *t, const char *name)
{
    list_state(t);
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->list[i].name, name) == 0)
            return &t->list[i];
    return NULL;
}

/* Every fourth batch is small. */
static Batch make_batch(uint64_t step)
{
    static float x[(INPUTS + 1) * BATCH];
    static int label[BATCH];
    RandomKey key = {.seed = 5, .use = RANDOM_GENERATED, .step = step};
    size_t count = step % 4 == 2 ? BATCH / 3 : BATCH;
    memset(x, 0, sizeof x);
    reluopt_add_normal(x, x, INPUTS, count, 0, 1, key);
    for (size_t k = 0; k < count; k++) {
        x[INPUTS * count + k] = 1;
        label[k] = (x[k] > 0.5f ? 2 : 0) + (x[count + k] * x[2 * count + k] > 0);
    }
    return (Batch){.count = count, .x = x, .label = label, .total = BATCH};
}

static double train(Trained *t, uint64_t first, uint64_t end)
{
    Score score = {0};
    for (uint64_t step = first; step < end; step++) {
        Batch batch = make_batch(step);
        score = (Score){0};
        reluopt_method_adaptive.step(t->state, &batch, step, &score);
    }
    return score.loss / (double)score.count;
}

/* ---- Which losses decide ---- */

static void keep_weights(Trained *t, float w[LAYERS][MOST])
{
    for (size_t i = 1; i <= LAYERS; i++) {
        char name[] = {'W', (char)('0' + i), 0};
        const Array *a = array(t, name);
        memcpy(w[i - 1], a->data, a->count * a->cols * sizeof(float));
    }
}

/* The batch's loss per sample with weights a + share (b - a). */
static double loss_between(Trained *t, float a[LAYERS][MOST], float b[LAYERS][MOST], double share,
                           const Batch *batch)
{
    Score score = {0};
    for (size_t i = 1; i <= LAYERS; i++) {
        char name[] = {'W', (char)('0' + i), 0};
        const Array *w = array(t, name);
        for (size_t k = 0; k < w->count * w->cols; k++)
            w->data[k] = (float)(a[i - 1][k] + share * ((double)b[i - 1][k] - a[i - 1][k]));
    }
    const float *h = reluopt_method_adaptive.predict(t->state, batch);
    reluopt_cross_entropy(h, batch->label, CLASSES, batch->count, &score, NULL);
    return score.loss / (double)batch->count;
}

static bool is_measured(uint64_t step)
{
    return step < 65 ? step % 4 == 1 : step % 16 == 1;
}

/* Steps 0, 4, ..., 60, 64, 80, 96 are judged by the batch of the next one. */
static void the_next_batch_judges_a_step(void **state)
{
    (void)state;
    static float before[LAYERS][MOST], after[LAYERS][MOST];
    Trained t, other;
    AlphaState expected = {.alpha = 1};
    create(&t, INVERSE_TRAINED, RELUOPT_AUTO, &world);
    create(&other, INVERSE_TRAINED, 1, &world);
    for (uint64_t step = 0; step < STEPS; step++) {
        keep_weights(&t, after);
        if (is_measured(step)) {
            Batch batch = make_batch(step);
            double loss[3];
            for (int i = 0; i < 3; i++)
                loss[i] = loss_between(&other, before, after, i / 2.0, &batch);
            reluopt_alpha_follow(&expected, loss, step < 65 ? 4 : 16, 1.5);
        }
        train(&t, step, step + 1);
        memcpy(before, after, sizeof before);
        const float *alpha = array(&t, "alpha")->data;
        assert_all(fabsf(alpha[0] - expected.alpha) < 1e-3f * expected.alpha);
        assert_all(fabsf(alpha[1] - expected.slope) < 1e-3f * (1 + fabsf(expected.slope)));
        assert_all(fabsf(alpha[2] - expected.curvature) < 1e-3f * (1 + fabsf(expected.curvature)));
    }
    assert_all(expected.alpha != 1);
    destroy(&t);
    destroy(&other);
}

/* The first steps are those of alpha = 1; then the one chosen is used. */
static void steps_use_what_was_chosen(void **state)
{
    (void)state;
    Trained chosen, fixed;
    create(&chosen, INVERSE_FIXED, RELUOPT_AUTO, &world);
    create(&fixed, INVERSE_FIXED, 1, &world);
    train(&chosen, 0, 1);
    train(&fixed, 0, 1);
    const Array *a = array(&chosen, "W2"), *b = array(&fixed, "W2");
    assert_all(memcmp(a->data, b->data, a->count * a->cols * sizeof(float)) == 0);
    train(&chosen, 1, 2);
    double alpha = array(&chosen, "alpha")->data[0];
    destroy(&fixed);
    create(&fixed, INVERSE_FIXED, alpha, &world);
    for (size_t i = 1; i <= LAYERS; i++) { /* the weights that step 1 began with, which "B" no longer holds */
        Trained first;
        char name[] = {'W', (char)('0' + i), 0};
        create(&first, INVERSE_FIXED, 1, &world);
        train(&first, 0, 1);
        const Array *from = array(&first, name);
        memcpy(array(&fixed, name)->data, from->data, from->count * from->cols * sizeof(float));
        destroy(&first);
    }
    train(&fixed, 1, 2);
    a = array(&chosen, "W2");
    b = array(&fixed, "W2");
    assert_all(memcmp(a->data, b->data, a->count * a->cols * sizeof(float)) == 0);
    destroy(&chosen);
    destroy(&fixed);
}

/* ---- Bits ---- */

/* Rows that `part` owns are the same in `whole`; but for sums for the curves, which a rank may keep in any row.
 */
static bool same_rows(const Array *part, const Array *whole)
{
    if (part->type != ARRAY_FLOAT)
        return true;
    size_t at = (part->first - whole->first) * part->cols;
    return memcmp(part->data, whole->data + at, part->count * part->cols * sizeof(float)) == 0;
}

static bool same_state(Trained *t, Trained *other)
{
    bool good = t->count == other->count;
    list_state(t);
    list_state(other);
    for (size_t i = 0; good && i < t->count; i++)
        good = same_rows(&t->list[i], &other->list[i]);
    return good;
}

static void any_number_of_ranks_gives_the_same_bits(void **state)
{
    (void)state;
    for (int kind = INVERSE_TRAINED; kind <= INVERSE_TRANSPOSE; kind++) {
        Trained together, alone;
        create(&together, (InverseKind)kind, RELUOPT_AUTO, &world);
        create(&alone, (InverseKind)kind, RELUOPT_AUTO, &self);
        train(&together, 0, SHORT);
        train(&alone, 0, SHORT);
        assert_all(same_state(&together, &alone));
        destroy(&together);
        destroy(&alone);
    }
}

/* A run that goes on from a checkpoint ends with the bits of one that was not interrupted. */
static void check_checkpoint(const char *path, uint64_t stop)
{
    Error error = {0};
    Trained first, second;
    CheckpointMeta meta = {.config = "", .schema = "", .program = "test", .date = "today"};
    create(&first, INVERSE_TRAINED, RELUOPT_AUTO, &world);
    create(&second, INVERSE_TRAINED, RELUOPT_AUTO, &world);
    train(&first, 0, stop);
    list_state(&first);
    assert_all(reluopt_checkpoint_write(&world, path, 1, &meta, first.list, first.count, &error) == 0);
    assert_all(reluopt_checkpoint_read_arrays(&world, path, NULL, second.list, second.count, &error) == 0);
    train(&first, stop, SHORT);
    train(&second, stop, SHORT);
    assert_all(same_state(&first, &second));
    destroy(&first);
    destroy(&second);
}

static void a_checkpoint_holds_all_that_decides_the_future(void **state)
{
    (void)state;
    char folder[] = "/tmp/reluopt-test-XXXXXX", path[64];
    if (world.rank == 0)
        assert_non_null(mkdtemp(folder));
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/c.h5", folder);
    for (uint64_t stop = 8; stop < 12; stop++)
        check_checkpoint(path, stop);
    if (world.rank == 0) {
        remove(path);
        remove(folder);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_next_batch_judges_a_step),
    cmocka_unit_test(steps_use_what_was_chosen),
    cmocka_unit_test(any_number_of_ranks_gives_the_same_bits),
    cmocka_unit_test(a_checkpoint_holds_all_that_decides_the_future),
};

mpi_cmocka_main("alpha", tests)
