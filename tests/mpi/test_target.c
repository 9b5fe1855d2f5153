/* test_target.c - tp and dtp on any number of ranks against targets in plain loops and gradients by finite
 * differences, in double precision; the schedule of inverse and weights; arrays and measures. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/method.h"
#include "reluopt/random.h"

enum { LAYERS = 3, WIDE = 10, BATCH = 9, COMBINATIONS = 72 };
enum { FORWARD, INVERSE };

static Comm world;

/* The group starts and stops MPI through the module under test. */
#define MPI_Init(argc, argv) (reluopt_dense_start(), reluopt_comm_start(&world, argc, argv))
#define MPI_Finalize() reluopt_comm_stop(&world)

static const Shape usual = {.layers = LAYERS, .width = {7, 9, 6, 4}, .columns = BATCH};

/* ---- The reference ---- */

typedef double Columns[WIDE][BATCH]; /* neurons x samples */
typedef double Matrix[WIDE][WIDE];   /* bias in column `inputs` */

typedef struct Reference {
    const Config *config;
    bool difference;
    Matrix w[LAYERS + 1], v[LAYERS + 1];
    Columns h[LAYERS + 1], t[LAYERS + 1], noisy;
    int label[BATCH];
    uint64_t draws; /* rounds of inverse training so far */
} Reference;

static double f(int activation, double z)
{
    return activation == ACTIVATION_TANH      ? tanh(z)
           : activation == ACTIVATION_SIGMOID ? 1 / (1 + exp(-z))
                                              : fmax(z, 0);
}

static void affine(Matrix w, size_t outputs, size_t inputs, Columns x, Columns z)
{
    for (size_t j = 0; j < outputs; j++)
        for (size_t k = 0; k < BATCH; k++) {
            z[j][k] = w[j][inputs];
            for (size_t i = 0; i < inputs; i++)
                z[j][k] += w[j][i] * x[i][k];
        }
}

static void layer(Reference *s, size_t i, Columns x, Columns out)
{
    affine(s->w[i], usual.width[i], usual.width[i - 1], x, out);
    for (size_t j = 0; i < LAYERS && j < usual.width[i]; j++)
        for (size_t k = 0; k < BATCH; k++)
            out[j][k] = f(s->config->activation, out[j][k]);
}

/* g_i(x) */
static void inverse(Reference *s, size_t i, Columns x, Columns out)
{
    Matrix transpose = {{0}};
    for (size_t j = 0; j < usual.width[i - 1]; j++)
        for (size_t k = 0; k < usual.width[i]; k++)
            transpose[j][k] = s->w[i][k][j];
    affine(s->config->inverse.kind == INVERSE_TRANSPOSE ? transpose : s->v[i], usual.width[i - 1],
           usual.width[i], x, out);
    for (size_t j = 0; s->config->inverse.activation == INVERSE_SAME && j < usual.width[i - 1]; j++)
        for (size_t k = 0; k < BATCH; k++)
            out[j][k] = f(s->config->activation, out[j][k]);
}

/* Cross-entropy or squared error of outputs, summed over samples. */
static double loss_of(Reference *s, Columns out)
{
    double loss = 0;
    if (s->config->loss == LOSS_MSE) {
        for (size_t c = 0; c < usual.width[LAYERS]; c++)
            for (size_t k = 0; k < BATCH; k++)
                loss += pow(out[c][k] - (c == (size_t)s->label[k]), 2);
        return loss;
    }
    for (size_t k = 0; k < BATCH; k++) {
        double sum = 0;
        for (size_t c = 0; c < usual.width[LAYERS]; c++)
            sum += exp(out[c][k]);
        loss += log(sum) - out[s->label[k]][k];
    }
    return loss;
}

/* Sum of squares of the first n rows of a - b. */
static double distance(Columns a, Columns b, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < BATCH; k++)
            sum += pow(a[j][k] - b[j][k], 2);
    return sum;
}

/* The loss as a function of H[i], i = L or L-1. */
static double loss_above(Reference *s, size_t i)
{
    Columns out;
    if (i == LAYERS)
        return loss_of(s, s->h[LAYERS]);
    layer(s, LAYERS, s->h[i], out);
    return loss_of(s, out);
}

/* The loss that W[i] or V[i] goes down: mean over the batch. */
static double own_loss(Reference *s, int which, size_t i)
{
    static Columns out, image;
    if (which == FORWARD) {
        layer(s, i, s->h[i - 1], out);
        return (i == LAYERS ? loss_of(s, out) : distance(out, s->t[i], usual.width[i])) / BATCH;
    }
    layer(s, i, s->noisy, image);
    inverse(s, i, image, out);
    return distance(out, s->noisy, usual.width[i - 1]) / BATCH;
}

/* What one number, seen by `loss`, changes per unit. */
#define SLOPE(number, loss)                                                                                    \
    ((number) += 1e-5, up = (loss), (number) -= 2e-5, down = (loss), (number) += 1e-5, (up - down) / 2e-5)

static void targets(Reference *s)
{
    size_t first = s->config->target_layer == TARGET_OUTPUT ? LAYERS : LAYERS - 1;
    static Columns of_t, of_h;
    double up, down;
    for (size_t j = 0; j < usual.width[first]; j++)
        for (size_t k = 0; k < BATCH; k++) {
            double slope = SLOPE(s->h[first][j][k], loss_above(s, first));
            s->t[first][j][k] = s->h[first][j][k] - s->config->alpha * slope;
        }
    for (size_t i = first; i >= 2; i--) {
        inverse(s, i, s->t[i], of_t);
        inverse(s, i, s->h[i], of_h);
        for (size_t j = 0; j < usual.width[i - 1]; j++)
            for (size_t k = 0; k < BATCH; k++)
                s->t[i - 1][j][k] = of_t[j][k] + (s->difference ? s->h[i - 1][j][k] - of_h[j][k] : 0);
    }
}

/* H[i-1] + e; e in units of the standard deviation of all of H[i-1]. */
static void draw_noise(Reference *s, size_t i)
{
    static const float zero[WIDE * BATCH];
    float e[WIDE * BATCH];
    size_t n = usual.width[i - 1];
    double values = (double)(n * BATCH), mean = 0, variance = 0;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < BATCH; k++)
            mean += s->h[i - 1][j][k] / values;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < BATCH; k++)
            variance += pow(s->h[i - 1][j][k] - mean, 2) / values;
    RandomKey key = {(uint64_t)s->config->seed, RANDOM_NOISE, (uint32_t)i, s->draws, 0};
    reluopt_add_normal(e, zero, n, BATCH, 0, (float)(s->config->inverse.noise * sqrt(variance)), key);
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < BATCH; k++)
            s->noisy[j][k] = s->h[i - 1][j][k] + e[j * BATCH + k];
}

/* A step of sgd; m is s->w[i] or s->v[i]. */
static void descend(Reference *s, Matrix m, size_t outputs, size_t inputs, int which, size_t i, double rate)
{
    Matrix slope;
    double up, down;
    for (size_t j = 0; j < outputs; j++)
        for (size_t k = 0; k <= inputs; k++)
            slope[j][k] = SLOPE(m[j][k], own_loss(s, which, i));
    for (size_t j = 0; j < outputs; j++)
        for (size_t k = 0; k <= inputs; k++)
            m[j][k] -= rate * slope[j][k];
}

static void reference_step(Reference *s, const Batch *batch)
{
    const Config *c = s->config;
    double inverse_rate = c->inverse.rate == RELUOPT_AUTO ? c->learning_rate : c->inverse.rate;
    size_t first = c->target_layer == TARGET_OUTPUT ? LAYERS : LAYERS - 1;
    memcpy(s->label, batch->label, sizeof s->label);
    for (size_t j = 0; j < usual.width[0]; j++)
        for (size_t k = 0; k < BATCH; k++)
            s->h[0][j][k] = batch->x[j * BATCH + k];
    for (size_t i = 1; i <= LAYERS; i++)
        layer(s, i, s->h[i - 1], s->h[i]);
    targets(s);
    for (int round = 0; c->inverse.kind == INVERSE_TRAINED && round < c->inverse.steps; round++, s->draws++)
        for (size_t i = first; i >= 2; i--) {
            draw_noise(s, i);
            descend(s, s->v[i], usual.width[i - 1], usual.width[i], INVERSE, i, inverse_rate);
        }
    for (size_t i = LAYERS; i >= 1; i--)
        descend(s, s->w[i], usual.width[i], usual.width[i - 1], FORWARD, i, c->learning_rate);
}

/* ---- Problems ---- */

static double uniform(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (double)(*x >> 11) * 0x1p-53 * 2 - 1;
}

typedef struct Problem {
    float x[WIDE * BATCH];
    int label[BATCH];
} Problem;

static Batch make_batch(Problem *problem, uint64_t number)
{
    uint64_t seed = 88172645463325252u + 1000003 * number;
    for (int i = 0; i < 20; i++)
        uniform(&seed);
    for (size_t i = 0; i < (usual.width[0] + 1) * BATCH; i++)
        problem->x[i] = i < usual.width[0] * BATCH ? (float)(uniform(&seed) + 0.3) : 1;
    for (size_t k = 0; k < BATCH; k++)
        problem->label[k] = (int)((k + number) % usual.width[LAYERS]);
    return (Batch){.count = BATCH, .x = problem->x, .label = problem->label};
}

static Config combination(int c)
{
    Config config = {.seed = 7 + c, .alpha = c % 5 ? 1 : 0.6, .update = UPDATE_SGD, .learning_rate = 0.1};
    config.loss = c % 5 == 3 ? LOSS_MSE : LOSS_CROSS_ENTROPY;
    config.target_layer = c / 2 % 2;
    config.activation = c / 4 % 3;
    config.inverse.activation = c / 12 % 2;
    config.inverse.kind = c / 24;
    config.inverse.steps = 1 + c % 2;
    config.inverse.noise = 0.2;
    config.inverse.rate = c % 3 ? 0.07 : RELUOPT_AUTO;
    config.init.forward = c % 7 < 3 ? INIT_GLOROT : INIT_ORTHOGONAL;
    config.init.inverse = c % 11 < 6 ? INIT_TRANSPOSE : INIT_GLOROT;
    config.reproducible = c % 2;
    return config;
}

static const Method *method_of(int c)
{
    return c % 2 ? &reluopt_method_dtp : &reluopt_method_tp;
}

/* The whole of a distributed array. */
static void whole_array(const Array *array, Matrix w)
{
    memset(w, 0, sizeof(Matrix));
    for (size_t j = 0; j < array->count; j++)
        for (size_t i = 0; i < array->cols; i++)
            w[array->first + j][i] = array->data[j * array->cols + i];
    MPI_Allreduce(MPI_IN_PLACE, w, WIDE * WIDE, MPI_DOUBLE, MPI_SUM, world.world);
}

/* Number of W[i] and V[i] among the arrays: they come first. */
static size_t read_weights(const Method *method, void *state, Matrix *w, Matrix *v)
{
    Array list[RELUOPT_MAX_ARRAYS];
    size_t count = method->arrays(state, list), read = 0;
    memset(w, 0, sizeof(Matrix[LAYERS + 1]));
    memset(v, 0, sizeof(Matrix[LAYERS + 1]));
    for (; read < count && strlen(list[read].name) == 2; read++)
        whole_array(&list[read], (list[read].name[0] == 'W' ? w : v)[list[read].name[1] - '0']);
    return read;
}

/* Biases that are not 0: behind a layer whose neurons are all silent, the slope of ReLU at 0 would decide. */
static void give_biases(const Method *method, void *state)
{
    Array list[RELUOPT_MAX_ARRAYS];
    size_t count = method->arrays(state, list);
    for (size_t a = 0; a < count; a++)
        for (size_t j = 0; j < list[a].count; j++)
            list[a].data[(j + 1) * list[a].cols - 1] = (float)cos((double)(10 * a + list[a].first + j)) / 5;
}

/* Largest difference from the reference, in units of the largest change since the start. */
static double deviation(Matrix *a, Matrix *expected, Matrix *start)
{
    double off = 0, change = 1e-3;
    for (size_t i = 1; i <= LAYERS; i++)
        for (size_t j = 0; j < WIDE; j++)
            for (size_t k = 0; k < WIDE; k++) {
                off = fmax(off, fabs(a[i][j][k] - expected[i][j][k]));
                change = fmax(change, fabs(expected[i][j][k] - start[i][j][k]));
            }
    return isfinite(off) ? off / change : INFINITY;
}

/* ---- Tests ---- */

static void check_steps(int c)
{
    static Reference s;
    static Matrix w[LAYERS + 1], v[LAYERS + 1], start_w[LAYERS + 1], start_v[LAYERS + 1];
    Config config = combination(c);
    const Method *method = method_of(c);
    Problem problem;
    Score score = {0};
    Error error = {0};
    double loss = 0;
    void *state;
    assert_all(method->create(&state, &config, &usual, &world, &error) == RELUOPT_OK);
    give_biases(method, state);
    s = (Reference){.config = &config, .difference = c % 2};
    size_t count = read_weights(method, state, s.w, s.v);
    memcpy(start_w, s.w, sizeof start_w);
    memcpy(start_v, s.v, sizeof start_v);
    for (uint64_t k = 0; k < 3; k++) {
        Batch batch = make_batch(&problem, k);
        method->step(state, &batch, k, &score);
        reference_step(&s, &batch);
        loss += loss_of(&s, s.h[LAYERS]);
    }
    assert_all(read_weights(method, state, w, v) == count);
    double off = fmax(deviation(w, s.w, start_w), deviation(v, s.v, start_v));
    if (!(off < 1e-4))
        print_error("combination %d: off by %.1e\n", c, off);
    assert_all(off < 1e-4 && fabs(score.loss - loss) < 1e-5 * loss && score.count == 3 * BATCH);
    method->destroy(state);
}

static void steps_equal_the_reference(void **state)
{
    (void)state;
    for (int c = 0; c < COMBINATIONS; c++)
        check_steps(c);
}

static void a_dedicated_coordinator_gives_the_same(void **state)
{
    (void)state;
    world.dedicated = world.size > 1;
    for (int c = 1; c < COMBINATIONS; c += 7)
        check_steps(c);
    world.dedicated = false;
}

static double largest_change(Matrix *a, Matrix *b)
{
    double change = 0;
    for (size_t i = 1; i <= LAYERS; i++)
        for (size_t j = 0; j < WIDE; j++)
            for (size_t k = 0; k < WIDE; k++)
                change = fmax(change, fabs(a[i][j][k] - b[i][j][k]));
    return change;
}

/* Two epochs of warm-up, then by turns; adam's first step of the weights has the size of the learning rate. */
static void inverses_and_weights_take_their_turns(void **state)
{
    (void)state;
    static const struct {
        bool alternate;
        const char *weights, *inverses; /* by epoch: are they trained? */
    } schedules[] = {{true, "nnnyny", "yyynyn"}, {false, "nnyyyy", "yyyyyy"}};
    static Matrix w[2][LAYERS + 1], v[2][LAYERS + 1];
    for (int a = 0; a < 2; a++) {
        Problem problem;
        Error error = {0};
        void *method;
        Config config = combination(1);
        config.update = UPDATE_ADAM;
        config.learning_rate = 0.01;
        config.momentum = 0.9;
        config.decay = 0.999;
        config.epsilon = 1e-12;
        config.inverse.warmup = 2;
        config.inverse.alternate = schedules[a].alternate;
        config.inverse.rate = 0.02;
        config.inverse.steps = 1;
        assert_all(reluopt_method_dtp.create(&method, &config, &usual, &world, &error) == RELUOPT_OK);
        read_weights(&reluopt_method_dtp, method, w[0], v[0]);
        for (int64_t epoch = 0, first = 0; epoch < 6; epoch++) {
            Batch batch = make_batch(&problem, (uint64_t)epoch);
            batch.epoch = epoch;
            reluopt_method_dtp.step(method, &batch, (uint64_t)epoch, &(Score){0});
            read_weights(&reluopt_method_dtp, method, w[1], v[1]);
            double forward = largest_change(w[0], w[1]), inverse = largest_change(v[0], v[1]);
            assert_all((forward > 0) == (schedules[a].weights[epoch] == 'y'));
            assert_all((inverse > 0) == (schedules[a].inverses[epoch] == 'y'));
            assert_all(epoch > 0 || fabs(inverse - 0.02) < 1e-5);
            assert_all(forward == 0 || first++ > 0 || fabs(forward - 0.01) < 1e-5);
            memcpy(w[0], w[1], sizeof w[0]);
            memcpy(v[0], v[1], sizeof v[0]);
        }
        reluopt_method_dtp.destroy(method);
    }
}

static void check_names(Config config, const char *const *names, size_t expected)
{
    Array list[RELUOPT_MAX_ARRAYS];
    Error error = {0};
    void *state;
    assert_all(reluopt_method_dtp.create(&state, &config, &usual, &world, &error) == RELUOPT_OK);
    assert_all(reluopt_method_dtp.arrays(state, NULL) == expected);
    assert_all(reluopt_method_dtp.arrays(state, list) == expected);
    for (size_t a = 0; a < expected; a++) {
        size_t i = (size_t)(names[a][1] - '0'), from = names[a][0] == 'W' ? i - 1 : i;
        assert_all(strcmp(list[a].name, names[a]) == 0 && list[a].cols == usual.width[from] + 1 &&
                   list[a].rows == usual.width[2 * i - 1 - from]);
    }
    reluopt_method_dtp.destroy(state);
}

/* The inverse of the last layer is there only where it is used; what is not trained has no rule. */
static void arrays_are_the_weights_and_what_their_rules_remember(void **state)
{
    (void)state;
    static const char *const all[] = {"W1",       "W2",       "W3",       "V2",       "V3",
                                      "W1.first", "W2.first", "V2.first", "W3.first", "V3.first"};
    static const char *const penultimate[] = {"W1", "W2", "W3", "V2"};
    static const char *const fixed[] = {"W1", "W2", "W3", "V2", "V3", "W1.first", "W2.first", "W3.first"};
    static const char *const transpose[] = {"W1", "W2", "W3"};
    Config config = combination(0);
    config.update = UPDATE_MOMENTUM;
    check_names(config, all, 10);
    config.inverse.kind = INVERSE_FIXED;
    check_names(config, fixed, 8);
    config.update = UPDATE_SGD;
    config.inverse.kind = INVERSE_TRANSPOSE;
    check_names(config, transpose, 3);
    config.inverse.kind = INVERSE_TRAINED;
    config.target_layer = TARGET_PENULTIMATE;
    check_names(config, penultimate, 4);
}

static void measures_are_the_rates_and_the_active(void **state)
{
    (void)state;
    Problem problem;
    Error error = {0};
    Measures m;
    void *method;
    Config config = combination(1); /* relu, trained, output */
    config.inverse.rate = 0.03;
    Batch batch = make_batch(&problem, 0);
    assert_all(reluopt_method_dtp.create(&method, &config, &usual, &world, &error) == RELUOPT_OK);
    reluopt_method_dtp.step(method, &batch, 0, &(Score){0});
    reluopt_method_dtp.measures(method, &m);
    for (size_t i = 0; i < LAYERS; i++) {
        assert_all(fabs(m.rate[i] - 0.1) < 1e-12 && isnan(m.online_bound[i]));
        assert_all(i == LAYERS - 1 || fabs(m.inverse_rate[i] - 0.03) < 1e-12);
        assert_all(i == LAYERS - 1 ? m.active[i] == 1 : m.active[i] > 0.1 && m.active[i] < 0.9);
    }
    reluopt_method_dtp.destroy(method);
}

/* What training is for: the loss of a small problem falls with either method. */
static void training_reduces_the_loss(void **state)
{
    (void)state;
    for (int c = 8; c < 12; c++) { /* tanh, whose losses are smooth; tp and dtp, either first target */
        const Method *method = method_of(c);
        Problem problem;
        Error error = {0};
        Score first = {0}, last = {0};
        void *trained;
        Config config = combination(c);
        config.learning_rate = 0.3;
        Batch batch = make_batch(&problem, 1);
        assert_all(method->create(&trained, &config, &usual, &world, &error) == RELUOPT_OK);
        method->step(trained, &batch, 0, &first);
        for (uint64_t k = 1; k < 200; k++)
            method->step(trained, &batch, k, &(Score){0});
        method->step(trained, &batch, 200, &last);
        assert_all(last.loss < 0.3 * first.loss);
        method->destroy(trained);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(steps_equal_the_reference),
    cmocka_unit_test(a_dedicated_coordinator_gives_the_same),
    cmocka_unit_test(inverses_and_weights_take_their_turns),
    cmocka_unit_test(arrays_are_the_weights_and_what_their_rules_remember),
    cmocka_unit_test(measures_are_the_rates_and_the_active),
    cmocka_unit_test(training_reduces_the_loss),
};

mpi_cmocka_main("target", tests)
