/* test_whitening.c - the covariance of a layer's inputs and its inverse against plain loops in double; when
 * they are made again; the same bits on any number of ranks and through a checkpoint. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alone.h"
#include "reluopt/checkpoint.h"
#include "reluopt/dense.h"
#include "reluopt/method.h"
#include "reluopt/whitening.h"

enum { N = 61, BATCH = 96, INTERVAL = 4 };
static const double newest = 1 - 0.95 * 0.95 * 0.95 * 0.95, limit = 0.2;

static double uniform(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (double)(*x >> 11) * 0x1p-53 * 2 - 1;
}

/* Inputs with means, unequal variances and a common part; the same for the same seed. */
static void make_inputs(float *h, size_t n, size_t columns, double scale, uint64_t seed)
{
    uint64_t x = 88172645463325252u + 1000003 * seed;
    float common[BATCH];
    for (int i = 0; i < 20; i++)
        uniform(&x);
    for (size_t k = 0; k < columns; k++)
        common[k] = (float)uniform(&x);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < columns; k++)
            h[i * columns + k] = (float)(scale * (3 + common[k] + uniform(&x) * (1 + (double)(i % 5))));
}

/* ---- The reference ---- */

typedef struct Reference {
    double c[N][N], f[N][N], drift;
    bool made; /* P was made at the last step */
} Reference;

static void reference_follow(Reference *s, const float *h, size_t columns, uint64_t step, bool fixed)
{
    uint64_t interval = fixed ? 1 : INTERVAL;
    s->made = false;
    if (step % interval != 0)
        return;
    double mean[N] = {0}, change = 0, size = 0, weight = 1 / (double)(step / interval + 1);
    weight = fixed ? weight : fmax(weight, newest);
    for (int i = 0; i < N; i++)
        for (size_t k = 0; k < columns; k++)
            mean[i] += h[(size_t)i * columns + k] / (double)columns;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (size_t k = 0; k < columns; k++)
                sum += (h[(size_t)i * columns + k] - mean[i]) * (h[(size_t)j * columns + k] - mean[j]);
            s->c[i][j] = (1 - weight) * s->c[i][j] + weight * sum / (double)columns;
            change += pow(s->c[i][j] - s->f[i][j], 2);
            size += pow(s->c[i][j], 2);
        }
    s->drift = sqrt(change / size);
    s->made = s->drift > limit;
    if (s->made)
        memcpy(s->f, s->c, sizeof s->f);
}

/* Largest element of P (f + ridge I) - I. */
static double inverse_error(const Reference *s, const float *p, double lambda)
{
    double trace = 0, worst = 0;
    for (int i = 0; i < N; i++)
        trace += s->f[i][i];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = p[i * N + j] * lambda * trace / N - (i == j);
            for (int k = 0; k < N; k++)
                sum += p[i * N + k] * s->f[k][j];
            worst = fmax(worst, fabs(sum));
        }
    return worst;
}

/* Largest difference of own rows of C, relative to its largest element. */
static double covariance_error(const Reference *s, const Whitening *w)
{
    double worst = 0, largest = 0;
    for (int i = 0; i < N; i++)
        largest = fmax(largest, s->c[i][i]);
    for (size_t i = 0; i < w->own.count; i++)
        for (size_t j = 0; j < N; j++)
            worst = fmax(worst, fabs(w->covariance[i * N + j] - s->c[w->own.first + i][j]));
    return worst / largest;
}

/* ---- Tests ---- */

/* 30 steps of inputs that first grow, then stay. */
static double scale_at(uint64_t step)
{
    return step < 15 ? 1 + 0.11 * (double)step : 2.6;
}

static void check_against_reference(bool fixed, double lambda)
{
    static Reference reference;
    static float h[N * BATCH], scratch[N * BATCH];
    Whitening w;
    Error error = {0};
    int made = 0;
    memset(&reference, 0, sizeof reference);
    assert_all(reluopt_whitening_create(&w, N, fixed, lambda, &world, &error) == 0);
    for (uint64_t step = 0; step < 30; step++) {
        make_inputs(h, N, BATCH, scale_at(step), step);
        reference_follow(&reference, h, BATCH, step, fixed);
        reluopt_whitening_follow(&w, h, BATCH, BATCH, step, scratch, &world);
        assert_all(fabs(reference.drift - limit) > 1e-4); /* rounding does not decide */
        assert_all(w.stale == reference.made);
        reluopt_whitening_refresh(&w, 1, &world);
        assert_all(covariance_error(&reference, &w) < 1e-5);
        assert_all(inverse_error(&reference, w.inverse.part, lambda) < 1e-3);
        made += reference.made;
    }
    assert_all(made > 2 && made < 15);
    reluopt_whitening_free(&w);
}

static void c_and_p_equal_the_reference(void **state)
{
    (void)state;
    static const double lambdas[] = {0.1, 1, 10};
    for (int i = 0; i < 6; i++)
        check_against_reference(i % 2, lambdas[i / 2]);
}

/* Between, C does not move; a little drift does not make P stale, twice as large inputs do. */
static void p_is_made_again_when_c_has_drifted(void **state)
{
    (void)state;
    static float h[N * BATCH], scratch[N * BATCH], before[N * N];
    Whitening w;
    Error error = {0};
    assert_all(reluopt_whitening_create(&w, N, false, 1, &world, &error) == 0);
    for (uint64_t step = 0; step < 12; step++) {
        static const double scale[] = {1, 1.05, 2}; /* at steps 0, 4, 8 */
        size_t own = w.own.count * N;
        make_inputs(h, N, BATCH, step % INTERVAL ? 100 : scale[step / INTERVAL], 1);
        memcpy(before, w.covariance, own * sizeof *before);
        reluopt_whitening_follow(&w, h, BATCH, BATCH, step, scratch, &world);
        assert_all(w.stale == (step == 0 || step == 8));
        bool same = memcmp(before, w.covariance, own * sizeof *before) == 0;
        assert_all(same == (step % INTERVAL != 0) || own == 0);
        reluopt_whitening_refresh(&w, 1, &world);
        assert_all(!w.stale);
    }
    reluopt_whitening_free(&w);
}

/* The network's own inputs: the mean over the batches of the first 20000 samples, P made a last time with the
 * last of them, also where that is a smaller one, at the end of an epoch. */
static void fixed_inputs_are_taken_until_they_are_enough(void **state)
{
    (void)state;
    enum { FEW = 3, COLUMNS = 5000 };
    static float h[FEW * COLUMNS], scratch[FEW * COLUMNS];
    Whitening w;
    Error error = {0};
    double sum = 0;
    assert_all(reluopt_whitening_create(&w, FEW, true, 1, &world, &error) == 0);
    for (uint64_t step = 0; step < 8; step++) {
        float amplitude = 1 + 0.01f * (float)step;
        for (size_t k = 0; k < FEW * COLUMNS; k++)
            h[k] = 5 + (k % 2 ? amplitude : -amplitude);
        sum += step < 4 ? amplitude * amplitude / 4 : 0;
        reluopt_whitening_follow(&w, h, step == 3 ? COLUMNS - 2 : COLUMNS, COLUMNS, step, scratch, &world);
        assert_all(w.stale == (step == 0 || step == 3));
        reluopt_whitening_refresh(&w, 1, &world);
    }
    for (size_t i = 0; i < w.own.count * FEW; i++)
        assert_true(fabs(w.covariance[i] - sum) < 1e-5 && w.factored[i] == w.covariance[i]);
    reluopt_whitening_free(&w);
}

/* Own rows are those of one rank alone, P is whole. */
static bool same_bits(const Whitening *together, const Whitening *alone)
{
    size_t at = together->own.first * together->c, own = together->own.count * together->c;
    return memcmp(together->covariance, alone->covariance + at, own * sizeof(float)) == 0 &&
           memcmp(together->factored, alone->factored + at, own * sizeof(float)) == 0 &&
           memcmp(together->inverse.part, alone->inverse.part,
                  together->n * together->inverse.c * sizeof(float)) == 0;
}

static void check_bits(void)
{
    enum { LAYERS = 5, WIDE = 300 };
    static const size_t widths[LAYERS] = {WIDE, 1, 130, 17, 200};
    static float h[WIDE * BATCH], scratch[WIDE * BATCH];
    Whitening together[LAYERS], alone[LAYERS];
    Error error = {0};
    for (int i = 0; i < LAYERS; i++)
        assert_all(reluopt_whitening_create(&together[i], widths[i], i == 0, 1, &world, &error) == 0 &&
                   reluopt_whitening_create(&alone[i], widths[i], i == 0, 1, &self, &error) == 0);
    for (uint64_t step = 0; step < 13; step++) {
        for (int i = 0; i < LAYERS; i++) {
            make_inputs(h, widths[i], BATCH, scale_at(step), step);
            reluopt_whitening_follow(&together[i], h, BATCH, BATCH, step, scratch, &world);
            reluopt_whitening_follow(&alone[i], h, BATCH, BATCH, step, scratch, &self);
        }
        reluopt_whitening_refresh(together, LAYERS, &world);
        reluopt_whitening_refresh(alone, LAYERS, &self);
        for (int i = 0; i < LAYERS; i++)
            assert_all(same_bits(&together[i], &alone[i]));
    }
    for (int i = 0; i < LAYERS; i++) {
        reluopt_whitening_free(&together[i]);
        reluopt_whitening_free(&alone[i]);
    }
}

static void any_number_of_ranks_gives_the_same_bits(void **state)
{
    (void)state;
    check_bits();
    world.dedicated = world.size > 1;
    check_bits();
    world.dedicated = false;
}

/* Wide inputs that vary along fewer directions than P has columns: P (C + ridge I) g = g.  The same bits on any
 * number of ranks. */
static void wide_inputs_have_an_inverse_of_low_rank(void **state)
{
    (void)state;
    enum { WIDE = RELUOPT_WHITENING_WIDE + 8 };
    static float h[WIDE * BATCH], scratch[WIDE * BATCH], mean[WIDE], g[WIDE + 1], expected[WIDE];
    Whitening w, alone;
    Error error = {0};
    assert_all(reluopt_whitening_create(&w, WIDE, true, 1, &world, &error) == 0 &&
               reluopt_whitening_create(&alone, WIDE, true, 1, &self, &error) == 0);
    assert_all(w.inverse.form == SYMMETRIC_LOW_RANK && w.inverse.c == WIDE / 8 && WIDE / 8 > BATCH);
    make_inputs(h, WIDE, BATCH, 1, 3);
    reluopt_whitening_follow(&w, h, BATCH, BATCH, 0, scratch, &world);
    reluopt_whitening_follow(&alone, h, BATCH, BATCH, 0, scratch, &self);
    reluopt_whitening_refresh(&w, 1, &world);
    reluopt_whitening_refresh(&alone, 1, &self);
    assert_all(same_bits(&w, &alone));
    for (size_t i = 0; i < WIDE; i++)
        expected[i] = (float)(i % 4) - 1;
    reluopt_product(g, expected, WIDE, alone.covariance, 1, WIDE, WIDE);
    for (size_t i = 0; i < WIDE; i++)
        g[i] += expected[i] / w.inverse.scale;
    reluopt_whiten(g, mean, &w.inverse, 1, scratch);
    bool good = true;
    for (size_t i = 0; i < WIDE; i++)
        good = good && fabsf(g[i] - expected[i]) < 1e-3f;
    assert_all(good);
    reluopt_whitening_free(&w);
    reluopt_whitening_free(&alone);
}

/* Above the limit: P = 1 / (variance + mean variance), input by input. */
static void wide_inputs_keep_the_diagonal(void **state)
{
    (void)state;
    enum { WIDE = RELUOPT_WHITENING_WIDEST + 1, FEW = 10 };
    static float h[WIDE * FEW], scratch[WIDE * FEW];
    static double variance[WIDE];
    Whitening w;
    Error error = {0};
    double mean_variance = 0;
    assert_all(reluopt_whitening_create(&w, WIDE, true, 1, &world, &error) == 0);
    assert_all(w.c == 1);
    make_inputs(h, WIDE, FEW, 1, 3);
    for (size_t i = 0; i < WIDE; i++) {
        double mean = 0;
        for (size_t k = 0; k < FEW; k++)
            mean += h[i * FEW + k] / (double)FEW;
        variance[i] = 0;
        for (size_t k = 0; k < FEW; k++)
            variance[i] += pow(h[i * FEW + k] - mean, 2) / (double)FEW;
        mean_variance += variance[i] / WIDE;
    }
    reluopt_whitening_follow(&w, h, FEW, FEW, 0, scratch, &world);
    reluopt_whitening_refresh(&w, 1, &world);
    bool good = true;
    for (size_t i = 0; i < WIDE; i++)
        good = good && fabs(w.inverse.part[i] * (variance[i] + mean_variance) - 1) < 1e-5;
    assert_all(good);
    reluopt_whitening_free(&w);
}

/* Without any variance P = 0; with less of a ridge than rounding, the diagonal serves. */
static void singular_covariances_have_finite_inverses(void **state)
{
    (void)state;
    static float h[N * BATCH], scratch[N * BATCH];
    Whitening w;
    Error error = {0};
    assert_all(reluopt_whitening_create(&w, N, false, 1e-12, &world, &error) == 0);
    for (int i = 0; i < N * BATCH; i++)
        h[i] = 2.5f;
    reluopt_whitening_follow(&w, h, BATCH, BATCH, 0, scratch, &world);
    reluopt_whitening_refresh(&w, 1, &world);
    for (int i = 0; i < N * N; i++)
        assert_true(w.inverse.part[i] == 0);
    for (int i = 0; i < N * BATCH; i++)
        h[i] = (float)(i % 2 * (1 + i / BATCH)); /* one sample and its opposite: rank one */
    reluopt_whitening_follow(&w, h, BATCH, BATCH, INTERVAL, scratch, &world);
    reluopt_whitening_refresh(&w, 1, &world);
    bool good = true;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double variance = 0.5 * 0.25 * (i + 1) * (i + 1); /* half of it, after the first batch */
            double expected = i == j ? 1 / variance : 0;
            good = good && fabs(w.inverse.part[i * N + j] - expected) <= 1e-4 * expected;
        }
    assert_all(good);
    reluopt_whitening_free(&w);
}

/* ---- Training ---- */

static const Shape shape = {.layers = 3, .width = {N, 40, 33, 4}, .columns = BATCH};

static Config whitened(int kind)
{
    Config config = {
        .method = "adaptive", .seed = 3, .alpha = 1, .direction = DIRECTION_WHITENED, .gate = true};
    config.whitening.lambda = 1;
    config.variant = VARIANT_BATCH;
    config.rate.rule = RATE_OPT;
    config.rate.scope = SCOPE_NEURON;
    config.inverse.kind = kind;
    config.inverse.steps = 1;
    config.inverse.noise = 0.1;
    config.init.forward = INIT_ORTHOGONAL;
    config.init.inverse = INIT_TRANSPOSE;
    return config;
}

static void train(void *method, uint64_t first, uint64_t end, Score *score)
{
    static float x[(N + 1) * BATCH];
    static int label[BATCH];
    for (uint64_t step = first; step < end; step++) {
        make_inputs(x, N, BATCH, 0.2, step % 5);
        for (size_t k = 0; k < BATCH; k++) {
            x[N * BATCH + k] = 1;
            label[k] = (x[k] > x[BATCH + k]) + 2 * (x[2 * BATCH + k] > x[3 * BATCH + k]);
        }
        Batch batch = {.count = BATCH, .x = x, .label = label};
        *score = (Score){0};
        reluopt_method_adaptive.step(method, &batch, step, score);
    }
}

static void *make_method(const Config *config, const Comm *comm)
{
    void *method = NULL;
    Error error = {0};
    assert_all(reluopt_method_adaptive.create(&method, config, &shape, comm, &error) == 0);
    return method;
}

/* Rows that `part` owns are the same in `whole`. */
static bool same_rows(const Array *part, const Array *whole)
{
    size_t at = (part->first - whole->first) * part->cols, values = part->count * part->cols;
    return strcmp(part->name, whole->name) == 0 && part->cols == whole->cols &&
           memcmp(part->data, whole->data + at, values * sizeof(float)) == 0;
}

static bool same_state(void *method, void *other, size_t expected)
{
    Array a[16], b[16];
    size_t count = reluopt_method_adaptive.arrays(method, a);
    bool good = count == expected && reluopt_method_adaptive.arrays(other, b) == count;
    for (size_t i = 0; good && i < count; i++)
        good = same_rows(&a[i], &b[i]);
    return good;
}

/* (Not the transposed inverse, whose sum over ranks rounds.) */
static void training_on_any_number_of_ranks_gives_the_same_bits(void **state)
{
    (void)state;
    for (int kind = INVERSE_TRAINED; kind <= INVERSE_FIXED; kind++) {
        Config config = whitened(kind);
        Score score;
        void *together = make_method(&config, &world), *alone = make_method(&config, &self);
        train(together, 0, 25, &score);
        train(alone, 0, 25, &score);
        assert_all(same_state(together, alone, 3 + 2 + 6));
        reluopt_method_adaptive.destroy(together);
        reluopt_method_adaptive.destroy(alone);
    }
}

/* A run that goes on from a checkpoint ends with the bits of one that was not interrupted. */
static void check_checkpoint(const char *path, uint64_t stop)
{
    Config config = whitened(INVERSE_FIXED);
    Error error = {0};
    Score score;
    Array list[16];
    CheckpointMeta meta = {.config = "", .schema = "", .program = "test", .date = "today"};
    void *first = make_method(&config, &world), *second = make_method(&config, &world);
    train(first, 0, stop, &score);
    size_t count = reluopt_method_adaptive.arrays(first, list);
    assert_all(reluopt_checkpoint_write(&world, path, 1, &meta, list, count, &error) == 0);
    reluopt_method_adaptive.arrays(second, list);
    assert_all(reluopt_checkpoint_read_arrays(&world, path, NULL, list, count, &error) == 0);
    assert_all(same_state(first, second, count));
    train(first, stop, 25, &score);
    train(second, stop, 25, &score);
    assert_all(same_state(first, second, count));
    reluopt_method_adaptive.destroy(first);
    reluopt_method_adaptive.destroy(second);
}

static void a_checkpoint_holds_all_that_decides_the_future(void **state)
{
    (void)state;
    char folder[] = "/tmp/reluopt-test-XXXXXX", path[64];
    if (world.rank == 0)
        assert_non_null(mkdtemp(folder));
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    snprintf(path, sizeof path, "%s/c.h5", folder);
    static const uint64_t stops[] = {1, 8, 11};
    for (int i = 0; i < 3; i++)
        check_checkpoint(path, stops[i]);
    if (world.rank == 0) {
        remove(path);
        remove(folder);
    }
}

/* What it is for: after as many steps the loss is far below that of the centred direction. */
static void whitened_steps_reduce_the_loss_faster(void **state)
{
    (void)state;
    Config config = whitened(INVERSE_TRANSPOSE);
    Score after[2];
    for (int i = 0; i < 2; i++) {
        config.direction = i ? DIRECTION_WHITENED : DIRECTION_CENTRED;
        void *method = make_method(&config, &world);
        train(method, 0, 60, &after[i]);
        reluopt_method_adaptive.destroy(method);
    }
    assert_all(after[1].loss < 0.5 * after[0].loss);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(c_and_p_equal_the_reference),
    cmocka_unit_test(p_is_made_again_when_c_has_drifted),
    cmocka_unit_test(fixed_inputs_are_taken_until_they_are_enough),
    cmocka_unit_test(any_number_of_ranks_gives_the_same_bits),
    cmocka_unit_test(wide_inputs_have_an_inverse_of_low_rank),
    cmocka_unit_test(wide_inputs_keep_the_diagonal),
    cmocka_unit_test(singular_covariances_have_finite_inverses),
    cmocka_unit_test(training_on_any_number_of_ranks_gives_the_same_bits),
    cmocka_unit_test(a_checkpoint_holds_all_that_decides_the_future),
    cmocka_unit_test(whitened_steps_reduce_the_loss_faster),
};

mpi_cmocka_main("whitening", tests)
