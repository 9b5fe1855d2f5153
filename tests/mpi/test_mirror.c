/* test_mirror.c - the mirrored inverse: its gain against the best of many, what it learns, the same bits on any
 * number of ranks.  (test_adaptive.c compares its steps with a plain version.) */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alone.h"
#include "reluopt/dense.h"
#include "reluopt/inverse.h"
#include "reluopt/random.h"

enum { BELOW = 40, ABOVE = 33, CLASSES = 4, BATCH = 96 };

/* ---- The gain ---- */

static void gains_of_plain_cases(void **state)
{
    (void)state;
    assert_true(reluopt_mirror_gain(8, 1, 1, 10) == 1);     /* one neuron: no other disturbs, M is exact */
    assert_true(reluopt_mirror_gain(8, 4, 11, 10) == 0);    /* half of M is noise, and so is all of M - V */
    assert_true(reluopt_mirror_gain(8, 3, 11, 10) == 0);    /* less than expected: none the less */
    assert_true(reluopt_mirror_gain(8, 16, 11, 10) == .75); /* a quarter of the distance is noise */
    assert_true(reluopt_mirror_gain(0, 0, 5, 5) == 0);      /* all is 0 */
}

/* Squared errors of V + gain (M - V) in one round of noise, where V = W' + error. */
static void mirror_once(const float *w, const float *error, size_t columns, uint64_t draw, const double *gain,
                        size_t gains, double *sum, double *chosen)
{
    static float e[BELOW * BATCH], p[ABOVE * BATCH], m[BELOW * ABOVE];
    double squares = 0, distance = 0;
    reluopt_signs(e, BELOW, columns, (RandomKey){.seed = 5, .use = RANDOM_NOISE, .step = draw});
    reluopt_product(p, w, BELOW, e, ABOVE, columns, BELOW);
    reluopt_product_nt(m, ABOVE, e, p, BELOW, ABOVE, columns);
    for (size_t i = 0; i < BELOW * ABOVE; i++) {
        float truth = w[i % ABOVE * BELOW + i / ABOVE];
        m[i] = m[i] / (float)columns - truth; /* what is wrong with M */
        squares += (m[i] + truth) * (m[i] + truth);
        distance += (m[i] - error[i]) * (m[i] - error[i]);
    }
    double best = reluopt_mirror_gain(squares, distance, BELOW, columns);
    for (size_t i = 0; i < BELOW * ABOVE; i++) {
        for (size_t g = 0; g < gains; g++)
            sum[g] += pow(error[i] + gain[g] * (m[i] - error[i]), 2);
        *chosen += pow(error[i] + best * (m[i] - error[i]), 2);
    }
}

/* Over many rounds, from errors of V of any size, the gain does as well as the best that is the same in all. */
static void no_fixed_gain_does_better(void **state)
{
    (void)state;
    enum { GAINS = 21, ROUNDS = 60 };
    static const double sizes[] = {0, 0.1, 0.5, 1, 4};
    static const size_t batches[] = {7, BATCH};
    static const float zero[BELOW * ABOVE];
    static float w[BELOW * ABOVE], error[BELOW * ABOVE];
    double gain[GAINS];
    for (int g = 0; g < GAINS; g++)
        gain[g] = g / (double)(GAINS - 1);
    reluopt_add_normal(w, zero, ABOVE, BELOW, 0, 1, (RandomKey){.use = RANDOM_INIT_FORWARD});
    for (int c = 0; c < 10; c++) {
        double sum[GAINS] = {0}, chosen = 0, least = INFINITY;
        size_t columns = batches[c % 2];
        reluopt_add_normal(error, zero, BELOW, ABOVE, 0, (float)sizes[c / 2],
                           (RandomKey){.use = RANDOM_INIT_INVERSE});
        for (uint64_t draw = 0; draw < ROUNDS; draw++)
            mirror_once(w, error, columns, draw, gain, GAINS, sum, &chosen);
        for (int g = 0; g < GAINS; g++)
            least = fmin(least, sum[g]);
        double noise = ROUNDS * BELOW * ABOVE * (BELOW - 1) / (double)columns;
        assert_true(chosen < 1.02 * least + 0.01 * noise);
    }
}

/* ---- What it learns ---- */

static const Shape shape = {.layers = 3, .width = {20, BELOW, ABOVE, CLASSES}, .columns = BATCH};

static Config mirrored(int rounds)
{
    Config config = {.method = "adaptive", .seed = 3, .alpha = 1, .direction = DIRECTION_CENTRED, .gate = true};
    config.variant = VARIANT_BATCH;
    config.rate.rule = RATE_OPT;
    config.rate.scope = SCOPE_NEURON;
    config.inverse.kind = INVERSE_MIRROR;
    config.inverse.steps = rounds;
    config.init.forward = INIT_ORTHOGONAL;
    config.init.inverse = INIT_GLOROT;
    return config;
}

/* ||V[i] - W[i]'||^2 / ||W[i]||^2, all rows here. */
static double relative_error(const Inverses *s, size_t i)
{
    const Weights *w = &s->net->weights[i], *v = &s->v[i];
    double error = 0, size = 0;
    for (size_t j = 0; j < w->outputs; j++)
        for (size_t k = 0; k < w->inputs; k++) {
            double x = w->w[j * (w->inputs + 1) + k];
            error += pow(x - v->w[k * (v->inputs + 1) + j], 2);
            size += x * x;
        }
    return error / size;
}

/* From a draw of its own V comes to W' as the mean of all rounds would; and again when W has become another. */
static void inverses_learn_the_transposed_weights(void **state)
{
    (void)state;
    Config config = mirrored(1);
    Network net;
    Inverses s;
    Error error = {0};
    assert_true(reluopt_network_create(&net, &config, &shape, &self, &error) == 0 &&
                reluopt_inverse_create(&s, &net, FORM_GATED, 3, &error) == 0);
    net.batch = net.columns = BATCH;
    for (uint64_t draw = 0; draw < 200; draw++) {
        Weights *w = &net.weights[2];
        if (draw == 100)
            for (size_t k = 0; k < w->outputs * (w->inputs + 1); k++)
                w->w[k] = -3 * w->w[k];
        for (size_t i = 2; i <= 3; i++) {
            double rounds = (double)(draw % 100 + 1), n = (double)shape.width[i - 1];
            reluopt_inverse_mirror(&s, i, draw);
            double mean = (n - 1) / (BATCH * rounds); /* error of the mean of all rounds */
            assert_true(i == 3 || draw % 100 > 15 || relative_error(&s, i) < 2 * mean);
            assert_true(draw % 100 < 10 || relative_error(&s, i) < 0.2 * (n - 1) / BATCH);
        }
    }
    for (size_t i = 2; i <= 3; i++)
        for (size_t j = 0; j < s.v[i].outputs; j++) /* W's bias has no part in it */
            assert_true(s.v[i].w[j * (s.v[i].inputs + 1) + s.v[i].inputs] == 0);
    reluopt_inverse_free(&s);
    reluopt_network_free(&net);
}

/* ---- Over ranks ---- */

static void train(void *method, uint64_t steps, Score *score)
{
    static const float zero[20 * BATCH];
    static float x[21 * BATCH];
    static int label[BATCH];
    for (uint64_t step = 0; step < steps; step++) {
        reluopt_add_normal(x, zero, 20, BATCH, 0, 1, (RandomKey){.use = RANDOM_GENERATED, .step = step % 5});
        for (size_t k = 0; k < BATCH; k++) {
            x[20 * BATCH + k] = 1;
            label[k] = (x[k] > x[BATCH + k]) + 2 * (x[2 * BATCH + k] > x[3 * BATCH + k]);
        }
        Batch batch = {.count = step % 3 ? BATCH : BATCH / 2, .x = x, .label = label};
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
    return strcmp(part->name, whole->name) == 0 &&
           memcmp(part->data, whole->data + at, values * sizeof(float)) == 0;
}

static void check_bits(const Config *config)
{
    Array a[8], b[8];
    Score score;
    void *together = make_method(config, &world), *alone = make_method(config, &self);
    train(together, 12, &score);
    train(alone, 12, &score);
    size_t count = reluopt_method_adaptive.arrays(together, a);
    assert_all(count == 5 && reluopt_method_adaptive.arrays(alone, b) == count);
    for (size_t i = 0; i < count; i++)
        assert_all(same_rows(&a[i], &b[i]));
    reluopt_method_adaptive.destroy(together);
    reluopt_method_adaptive.destroy(alone);
}

static void any_number_of_ranks_gives_the_same_bits(void **state)
{
    (void)state;
    for (int rounds = 1; rounds <= 2; rounds++) {
        Config config = mirrored(rounds);
        world.dedicated = rounds == 2 && world.size > 1;
        check_bits(&config);
    }
    world.dedicated = false;
}

/* What it is for: targets as good as those through the transposed weights. */
static void mirrored_targets_reduce_the_loss(void **state)
{
    (void)state;
    static const int kinds[] = {INVERSE_FIXED, INVERSE_MIRROR, INVERSE_TRANSPOSE};
    Config config = mirrored(1);
    Score after[3];
    for (int i = 0; i < 3; i++) {
        config.inverse.kind = kinds[i];
        void *method = make_method(&config, &world);
        train(method, 60, &after[i]);
        reluopt_method_adaptive.destroy(method);
    }
    assert_all(after[1].loss < 0.85 * after[0].loss && after[1].loss < 1.2 * after[2].loss);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gains_of_plain_cases),
    cmocka_unit_test(no_fixed_gain_does_better),
    cmocka_unit_test(inverses_learn_the_transposed_weights),
    cmocka_unit_test(any_number_of_ranks_gives_the_same_bits),
    cmocka_unit_test(mirrored_targets_reduce_the_loss),
};

mpi_cmocka_main("mirror", tests)
