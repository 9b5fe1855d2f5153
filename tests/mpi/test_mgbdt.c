/* test_mgbdt.c - multi-layered boosted trees on any number of ranks against one rank and against the algorithm
 * box of thesis 2.3.2 written out on whole matrices; checkpoints; what it learns. */
#include "../unit/scratch.h"
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alone.h"
#include "reluopt/checkpoint.h"
#include "reluopt/dense.h"
#include "reluopt/forest.h"
#include "reluopt/init.h"
#include "reluopt/method.h"
#include "reluopt/random.h"

enum { LAYERS = 3, WIDE = 13, BATCH = 90, OTHER = 70, STEPS = 4, ARRAYS = 2 * LAYERS - 1 };

static const Shape shape = {.layers = LAYERS, .width = {5, WIDE, 7, 3}, .columns = BATCH};
static const Method *const mgbdt = &reluopt_method_mgbdt;
static Config make_config(void)
{
    Config config = {.variant = VARIANT_ONLINE, .epochs = STEPS, .seed = 3, .alpha = 0.7};
    config.inverse.steps = 2;
    config.inverse.noise = 0.2;
    config.init.forward = INIT_ORTHOGONAL;
    config.trees =
        (TreeConfig){.depth = 3, .leaves = 6, .min_samples = 3, .bins = 16, .rounds = 3, .shrinkage = 0.4};
    return config;
}

/* `count` samples that no linear function separates, the same on every rank. */
static Batch make_batch(uint64_t seed, size_t count)
{
    static float x[2][6 * BATCH];
    static int label[2][BATCH];
    static size_t turn;
    float *at = x[turn % 2];
    int *y = label[turn++ % 2];
    memset(x[(turn - 1) % 2], 0, sizeof x[0]);
    reluopt_add_normal(at, at, 5, count, 0, 1, (RandomKey){seed, RANDOM_GENERATED, 0, 0, 0});
    for (size_t k = 0; k < count; k++) {
        float radius = at[k] * at[k] + at[count + k] * at[count + k];
        y[k] = radius < 0.8f ? 0 : radius < 2 ? 1 : 2;
        at[5 * count + k] = 1;
    }
    return (Batch){.count = count, .x = at, .label = y};
}

static void *make_state(const Config *config, const Comm *comm)
{
    void *state = NULL;
    Error error = {0};
    assert_all(mgbdt->create(&state, config, &shape, comm, &error) == RELUOPT_OK);
    return state;
}

static void train(void *state, const Batch *batch, int steps, Score *score)
{
    for (int step = 0; step < steps; step++)
        mgbdt->step(state, batch, (uint64_t)step, score);
}

static bool same_floats(const float *a, const float *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

static bool same_outputs(void *a, void *b, const Batch *batch)
{
    static float kept[3 * BATCH];
    memcpy(kept, mgbdt->predict(a, batch), 3 * batch->count * sizeof *kept);
    return same_floats(kept, mgbdt->predict(b, batch), 3 * batch->count);
}

/* ---- any number of ranks ---- */

/* The arrays of a state on one rank hold, in the same rows, what those of a state on several do. */
static bool same_arrays(void *part, void *whole)
{
    Array some[ARRAYS], all[ARRAYS];
    bool same = mgbdt->arrays(part, NULL) == ARRAYS && mgbdt->arrays(part, some) == ARRAYS &&
                mgbdt->arrays(whole, all) == ARRAYS;
    for (size_t i = 0; i < ARRAYS; i++)
        same =
            same && strcmp(some[i].name, all[i].name) == 0 && some[i].rows == all[i].rows &&
            some[i].cols == all[i].cols &&
            same_floats(some[i].data, all[i].data + some[i].first * some[i].cols, some[i].count * some[i].cols);
    return same;
}

static void check_ranks(Comm comm)
{
    Config config = make_config();
    Score shared = {0}, single = {0};
    void *several = make_state(&config, &comm), *alone = make_state(&config, &self);
    Batch batch = make_batch(1, BATCH);
    train(several, &batch, STEPS, &shared);
    train(alone, &batch, STEPS, &single);
    assert_all(shared.loss == single.loss && shared.right == single.right && shared.count == STEPS * BATCH);
    assert_all(same_arrays(several, alone));
    assert_all(same_outputs(several, alone, &batch));
    Batch other = make_batch(2, OTHER);
    assert_all(same_outputs(several, alone, &other));
    mgbdt->destroy(several);
    mgbdt->destroy(alone);
}

static void same_bits_on_any_number_of_ranks(void **state)
{
    (void)state;
    check_ranks(world);
    if (mt_size > 1) {
        Comm dedicated = world;
        dedicated.dedicated = true;
        check_ranks(dedicated);
    }
}

/* Outputs are spread over the ranks one by one, not in the blocks that matrix products need. */
static void outputs_are_shared_out_evenly(void **state)
{
    (void)state;
    Config config = make_config();
    void *method = make_state(&config, &world);
    Array arrays[ARRAYS];
    mgbdt->arrays(method, arrays);
    for (size_t i = 0; i < ARRAYS; i++)
        assert_all(arrays[i].count == arrays[i].rows / mt_size ||
                   arrays[i].count == arrays[i].rows / mt_size + 1);
    mgbdt->destroy(method);
}

/* ---- the algorithm on whole matrices, without ranks ---- */

typedef struct Reference {
    Config config;
    Forest f[LAYERS + 1], g[LAYERS + 1];
    float o[LAYERS + 1][WIDE * BATCH], z[LAYERS + 1][WIDE * BATCH];
    Grower grower;
    Bins bins;
    Score score;
} Reference;

static void reference_create(Reference *s, const Config *config)
{
    Error error = {0};
    *s = (Reference){.config = *config};
    for (size_t j = 1; j <= LAYERS; j++) {
        reluopt_forest_create(&s->f[j], &s->config.trees, shape.width[j], 1 + STEPS * 3, &error);
        reluopt_forest_create(&s->g[j], &s->config.trees, shape.width[j - 1], STEPS * 2, &error);
    }
    reluopt_grower_create(&s->grower, &s->config.trees, BATCH, &error);
    reluopt_bins_create(&s->bins, WIDE, BATCH, (size_t)config->trees.bins, &error);
    assert_all(error.code == RELUOPT_OK);
}

static void reference_free(Reference *s)
{
    for (size_t j = 1; j <= LAYERS; j++) {
        reluopt_forest_free(&s->f[j]);
        reluopt_forest_free(&s->g[j]);
    }
    reluopt_grower_free(&s->grower);
    reluopt_bins_free(&s->bins);
}

/* `rounds` trees more, beginning with number `first`, from x (features x B) toward the target. */
static void fit(Reference *s, Forest *forest, size_t first, size_t rounds, const float *x, size_t features,
                const float *target)
{
    static float prediction[WIDE * BATCH];
    reluopt_bins_fill(&s->bins, x, features, BATCH);
    for (size_t k = 0; k < rounds; k++) {
        reluopt_forest_apply(forest, x, BATCH, prediction);
        reluopt_forest_boost(forest, first + k, &s->grower, &s->bins, target, prediction);
    }
}

/* F_j^0 fits a random projection of o_{j-1}; F_M^0 = 0. */
static void reference_start(Reference *s)
{
    for (size_t j = 1; j < LAYERS; j++) {
        Error error = {0};
        RandomKey key = {(uint64_t)s->config.seed, RANDOM_INIT_FORWARD, (uint32_t)j, 0, 0};
        float *w = reluopt_initial_matrix((Init)s->config.init.forward, shape.width[j], shape.width[j - 1], key,
                                          &error);
        reluopt_product(s->z[j], w, shape.width[j - 1], s->o[j - 1], shape.width[j], BATCH, shape.width[j - 1]);
        fit(s, &s->f[j], 0, 1, s->o[j - 1], shape.width[j - 1], s->z[j]);
        reluopt_forest_apply(&s->f[j], s->o[j - 1], BATCH, s->o[j]);
        free(w);
    }
}

/* One pass of the outer loop, line by line. */
static void reference_step(Reference *s, const Batch *batch, size_t t)
{
    static float noisy[WIDE * BATCH], image[WIDE * BATCH];
    size_t k1 = (size_t)s->config.inverse.steps, k2 = (size_t)s->config.trees.rounds;
    reluopt_cross_entropy(s->o[LAYERS], batch->label, 3, BATCH, &s->score, noisy);
    reluopt_output_target(s->z[LAYERS], s->o[LAYERS], noisy, (float)s->config.alpha, 3 * BATCH);
    for (size_t j = LAYERS; j >= 2; j--) {
        size_t n = shape.width[j - 1];
        float sigma = (float)s->config.inverse.noise * reluopt_deviation(s->o[j - 1], n * BATCH);
        RandomKey key = {(uint64_t)s->config.seed, RANDOM_NOISE, (uint32_t)j, t, 0};
        reluopt_add_normal(noisy, s->o[j - 1], n, BATCH, 0, sigma, key);
        reluopt_forest_apply(&s->f[j], noisy, BATCH, image);
        fit(s, &s->g[j], t * k1, k1, image, shape.width[j], noisy);
        reluopt_forest_apply(&s->g[j], s->z[j], BATCH, s->z[j - 1]);
    }
    for (size_t j = 1; j <= LAYERS; j++) {
        fit(s, &s->f[j], 1 + t * k2, k2, s->o[j - 1], shape.width[j - 1], s->z[j]);
        reluopt_forest_apply(&s->f[j], s->o[j - 1], BATCH, s->o[j]);
    }
}

/* This rank's rows of an array of the method are those of the reference's forest. */
static bool same_rows(const Array *own, const Forest *whole)
{
    const float *rows = &whole->node->left;
    return own->cols == reluopt_forest_row(whole) &&
           same_floats(own->data, rows + own->first * own->cols, own->count * own->cols);
}

static void steps_are_those_of_the_algorithm(void **state)
{
    (void)state;
    static Reference reference;
    Config config = make_config();
    Score score = {0};
    Batch batch = make_batch(1, BATCH);
    Array arrays[ARRAYS];
    void *method = make_state(&config, &world);
    reference_create(&reference, &config);
    memcpy(reference.o[0], batch.x, 5 * BATCH * sizeof *batch.x);
    reference_start(&reference);
    mgbdt->arrays(method, arrays);
    for (size_t t = 0; t < STEPS; t++) {
        mgbdt->step(method, &batch, t, &score);
        reference_step(&reference, &batch, t);
        for (size_t j = 1; j <= LAYERS; j++)
            assert_all(same_rows(&arrays[j - 1], &reference.f[j]));
        for (size_t j = 2; j <= LAYERS; j++)
            assert_all(same_rows(&arrays[LAYERS + j - 2], &reference.g[j]));
        assert_all(same_floats(mgbdt->predict(method, &batch), reference.o[LAYERS], 3 * BATCH));
    }
    assert_all(score.loss == reference.score.loss && score.count == STEPS * BATCH);
    mgbdt->destroy(method);
    reference_free(&reference);
}

/* ---- checkpoints ---- */

static int make_folder(void **state)
{
    int failed = mt_rank == 0 ? scratch_make(state) : 0;
    MPI_Bcast(&failed, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Bcast(scratch_folder, sizeof scratch_folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    return failed;
}

static int remove_folder(void **state)
{
    MPI_Barrier(MPI_COMM_WORLD);
    return mt_rank == 0 ? scratch_remove(state) : 0;
}

static int save(void *method, const Comm *comm, const char *name)
{
    Array arrays[ARRAYS];
    Error error = {0};
    CheckpointMeta meta = {.config = "", .schema = "", .pre = {.kind = PREPROCESS_NONE, .features = 5}};
    size_t count = mgbdt->arrays(method, arrays);
    return reluopt_checkpoint_write(comm, scratch_path(name), 1, &meta, arrays, count, &error);
}

static int restore(void *method, const Comm *comm, const char *name)
{
    Array arrays[ARRAYS];
    Error error = {0};
    size_t count = mgbdt->arrays(method, arrays);
    return reluopt_checkpoint_read_arrays(comm, scratch_path(name), NULL, arrays, count, &error);
}

/* Written by all ranks and read by one, and the other way round. */
static void checkpoints_serve_any_number_of_ranks(void **state)
{
    (void)state;
    Config config = make_config();
    Score score = {0};
    Batch batch = make_batch(1, BATCH);
    void *trained = make_state(&config, &world), *alone = make_state(&config, &self),
         *again = make_state(&config, &world);
    train(trained, &batch, STEPS - 1, &score); /* some trees are not grown yet */
    assert_all(save(trained, &world, "all.h5") == RELUOPT_OK);
    assert_all(restore(alone, &self, "all.h5") == RELUOPT_OK);
    Batch other = make_batch(2, OTHER);
    assert_all(same_outputs(trained, alone, &other));
    assert_all(mt_rank != 0 || save(alone, &self, "one.h5") == RELUOPT_OK);
    assert_all(restore(again, &world, "one.h5") == RELUOPT_OK);
    assert_all(same_outputs(trained, again, &other));
    mgbdt->destroy(trained);
    mgbdt->destroy(alone);
    mgbdt->destroy(again);
}

/* ---- learning, measures, refusals ---- */

static double accuracy(void *method, const Batch *batch)
{
    size_t right = 0;
    const float *h = mgbdt->predict(method, batch);
    for (size_t k = 0; k < batch->count; k++) {
        int best = 0;
        for (int c = 1; c < 3; c++)
            if (h[(size_t)c * batch->count + k] > h[(size_t)best * batch->count + k])
                best = c;
        right += best == batch->label[k];
    }
    return (double)right / (double)batch->count;
}

static void it_learns(void **state)
{
    (void)state;
    Config config = make_config();
    config.epochs = 20;
    config.alpha = 1;
    config.trees.shrinkage = 0.2;
    Score first = {0}, later = {0};
    Batch batch = make_batch(1, BATCH);
    void *method = make_state(&config, &world);
    mgbdt->step(method, &batch, 0, &first);
    assert_all(fabs(first.loss - BATCH * log(3)) < 1e-3); /* outputs start at zero */
    for (uint64_t step = 1; step < 20; step++) {
        later = (Score){0};
        mgbdt->step(method, &batch, step, &later);
    }
    assert_all(later.loss < 0.3 * first.loss);
    assert_all(accuracy(method, &batch) > 0.95);
    mgbdt->destroy(method);
}

static void measures_are_the_shrinkage(void **state)
{
    (void)state;
    Config config = make_config();
    Measures measures;
    void *method = make_state(&config, &world);
    mgbdt->measures(method, &measures);
    for (size_t i = 0; i < LAYERS; i++) {
        assert_all(measures.rate[i] == 0.4 && isnan(measures.active[i]) && isnan(measures.online_bound[i]));
        assert_all(i == 0 || measures.inverse_rate[i - 1] == 0.4);
    }
    mgbdt->destroy(method);
}

static void too_many_features_are_refused(void **state)
{
    (void)state;
    Config config = make_config();
    Shape wide = shape;
    Error error = {0};
    void *method = NULL;
    wide.width[0] = RELUOPT_MAX_TREE_FEATURES + 1;
    int code = mgbdt->create(&method, &config, &wide, &world, &error);
    assert_all(code == RELUOPT_USAGE && !method && strstr(error.message, "16777217"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(same_bits_on_any_number_of_ranks),
    cmocka_unit_test(outputs_are_shared_out_evenly),
    cmocka_unit_test(steps_are_those_of_the_algorithm),
    cmocka_unit_test_setup_teardown(checkpoints_serve_any_number_of_ranks, make_folder, remove_folder),
    cmocka_unit_test(it_learns),
    cmocka_unit_test(measures_are_the_shrinkage),
    cmocka_unit_test(too_many_features_are_refused),
};

mpi_cmocka_main("mgbdt", tests)
