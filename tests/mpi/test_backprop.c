/* test_backprop.c - back-propagation and feedback alignment on any number of ranks: gradients against finite
 * differences of a plain double-precision network, errors through random matrices against plain loops, rules,
 * the same results as one rank alone; arrays and measures. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alone.h"
#include "reluopt/dense.h"
#include "reluopt/method.h"
#include "reluopt/random.h"
#include "reluopt/rules.h"

enum { LAYERS = 5, WIDE = 16, BATCH = 24, ROOM = 8 * LAYERS };

static const Shape shape = {.layers = LAYERS, .width = {9, 9, 9, 13, 13, 5}, .columns = BATCH};
static const Method *const methods[] = {
    &reluopt_method_gd,      &reluopt_method_sgd,     &reluopt_method_momentum,
    &reluopt_method_adagrad, &reluopt_method_rmsprop, &reluopt_method_adadelta,
    &reluopt_method_adam,    &reluopt_method_fa,      &reluopt_method_dfa,
};
enum { METHODS = sizeof methods / sizeof *methods };

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

static Batch make_batch(Problem *problem, size_t count, uint64_t number)
{
    uint64_t seed = 88172645463325252u + 1000003 * number;
    size_t n = shape.width[0];
    for (int i = 0; i < 20; i++)
        uniform(&seed);
    for (size_t k = 0; k < count; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double x = uniform(&seed) + 0.3;
            problem->x[i * count + k] = (float)x;
            sum += i % 3 ? x : -x;
        }
        problem->x[n * count + k] = 1;
        problem->label[k] = (int)((size_t)fabs(2 * sum) % shape.width[LAYERS]);
    }
    return (Batch){.count = count, .x = problem->x, .label = problem->label};
}

static Config settings(const char *method)
{
    Config config;
    reluopt_config_default(&config);
    strcpy(config.method, method);
    config.seed = 11;
    return config;
}

/* One of the 24 ways to combine activation, loss, normalisation and skips. */
static void combine(Config *config, int c)
{
    config->activation = c % 3;
    config->loss = c / 3 % 2;
    config->batch_norm = c / 6 % 2 == 1;
    config->residual = c / 12 % 2 == 1;
}

static void *create(const Method *method, Config *config, const Comm *comm)
{
    void *state = NULL;
    Error error = {0};
    reluopt_config_resolve(config);
    return method->create(&state, config, &shape, comm, &error) ? NULL : state;
}

/* ---- The reference: plain loops in double ---- */

typedef double Columns[WIDE][BATCH];

typedef struct Reference {
    const Config *config;
    double w[LAYERS + 1][WIDE][WIDE]; /* bias in column n[i-1] */
    double scale[LAYERS + 1][WIDE][2];
    Columns h[LAYERS + 1];
} Reference;

static void whole_array(const Array *array, double w[WIDE][WIDE])
{
    memset(w, 0, sizeof(double[WIDE][WIDE]));
    for (size_t j = 0; j < array->count; j++)
        for (size_t i = 0; i < array->cols; i++)
            w[array->first + j][i] = array->data[j * array->cols + i];
    MPI_Allreduce(MPI_IN_PLACE, w, WIDE * WIDE, MPI_DOUBLE, MPI_SUM, world.world);
}

static void take_weights(Reference *s, const Array *list, size_t count)
{
    for (size_t a = 0; a < count; a++) {
        double whole[WIDE][WIDE];
        whole_array(&list[a], whole);
        if (list[a].name[0] == 'W')
            memcpy(s->w[list[a].name[1] - '0'], whole, sizeof whole);
        else if (strncmp(list[a].name, "norm", 4) == 0)
            for (size_t j = 0; j < WIDE; j++)
                memcpy(s->scale[list[a].name[4] - '0'][j], whole[j], 2 * sizeof(double));
    }
}

static double activation(const Reference *s, double z)
{
    int kind = s->config->activation;
    return kind == ACTIVATION_RELU ? (z > 0 ? z : 0) : kind == ACTIVATION_TANH ? tanh(z) : 1 / (1 + exp(-z));
}

static double slope(const Reference *s, double h)
{
    int kind = s->config->activation;
    return kind == ACTIVATION_RELU ? h > 0 : kind == ACTIVATION_TANH ? 1 - h * h : h * (1 - h);
}

static bool skips(const Reference *s, size_t i)
{
    return s->config->residual && i < LAYERS && shape.width[i] == shape.width[i - 1];
}

/* (2-30) .. (2-33) */
static void normalise(double z[BATCH], const double scale[2], size_t b)
{
    double mean = 0, variance = 0;
    for (size_t k = 0; k < b; k++)
        mean += z[k] / (double)b;
    for (size_t k = 0; k < b; k++)
        variance += pow(z[k] - mean, 2) / (double)b;
    for (size_t k = 0; k < b; k++)
        z[k] = scale[0] * (z[k] - mean) / sqrt(variance + 1e-5) + scale[1];
}

static void reference_forward(Reference *s, const Batch *batch)
{
    size_t b = batch->count;
    for (size_t j = 0; j < shape.width[0]; j++)
        for (size_t k = 0; k < b; k++)
            s->h[0][j][k] = batch->x[j * b + k];
    for (size_t i = 1; i <= LAYERS; i++)
        for (size_t j = 0; j < shape.width[i]; j++) {
            double *z = s->h[i][j];
            size_t n = shape.width[i - 1];
            for (size_t k = 0; k < b; k++) {
                z[k] = s->w[i][j][n];
                for (size_t l = 0; l < n; l++)
                    z[k] += s->w[i][j][l] * s->h[i - 1][l][k];
            }
            if (i == LAYERS)
                continue;
            if (s->config->batch_norm)
                normalise(z, s->scale[i][j], b);
            for (size_t k = 0; k < b; k++)
                z[k] = activation(s, z[k] + (skips(s, i) ? s->h[i - 1][j][k] : 0));
        }
}

/* Mean loss of the outputs, and unless NULL its derivative. */
static double output_loss(Reference *s, const Batch *batch, Columns delta)
{
    double loss = 0;
    size_t b = batch->count, classes = shape.width[LAYERS];
    for (size_t k = 0; k < b; k++) {
        double sum = 0;
        for (size_t c = 0; c < classes; c++)
            sum += exp(s->h[LAYERS][c][k]);
        for (size_t c = 0; c < classes; c++) {
            double h = s->h[LAYERS][c][k], y = (size_t)batch->label[k] == c, e = h - y;
            bool square = s->config->loss == LOSS_MSE;
            loss += (square ? e * e : -y * log(exp(h) / sum)) / (double)b;
            if (delta)
                delta[c][k] = (square ? 2 * e : exp(h) / sum - y) / (double)b;
        }
    }
    return loss;
}

static double loss_of(Reference *s, const Batch *batch)
{
    reference_forward(s, batch);
    return output_loss(s, batch, NULL);
}

/* Derivative of the loss with respect to one of the reference's parameters. */
static double derivative(Reference *s, const Batch *batch, double *parameter)
{
    const double h = 1e-6, here = *parameter;
    *parameter = here + h;
    double above = loss_of(s, batch);
    *parameter = here - h;
    double below = loss_of(s, batch);
    *parameter = here;
    return (above - below) / (2 * h);
}

/* ---- Gradients, as the step that sgd takes with a huge rate ---- */

enum { HUGE_RATE = 1000 };

typedef struct Stepped {
    Reference before;
    Config config;
    void *state;
    const Method *method;
    Array list[ROOM];
    size_t count;
    Batch batch;
    Problem problem;
} Stepped;

/* Create the method, keep its weights, take one step.  False when it cannot be created. */
static bool take_step(Stepped *s, const Method *method, Config config, Score *score)
{
    s->config = config;
    s->config.learning_rate = HUGE_RATE;
    s->method = method;
    s->state = create(method, &s->config, &world);
    if (!s->state)
        return false;
    s->count = method->arrays(s->state, s->list);
    for (size_t a = 0; a < s->count; a++) /* start from scales that are not 1 and 0, biases that are not 0 */
        for (size_t i = 0; i < s->list[a].count * s->list[a].cols; i++)
            if (s->list[a].name[0] != 'r')
                s->list[a].data[i] += 0.1f * (float)((s->list[a].first * s->list[a].cols + i) % 5);
    s->before.config = &s->config;
    take_weights(&s->before, s->list, s->count);
    s->batch = make_batch(&s->problem, BATCH, 3);
    method->step(s->state, &s->batch, 0, score);
    return true;
}

static bool near(double x, double expected, double scale)
{
    bool good = fabs(x - expected) <= 1e-4 * fabs(expected) + scale;
    if (!good)
        print_error("%.9g, expected %.9g\n", x, expected);
    return good;
}

/* Own rows of what is trained moved by HUGE_RATE times the derivative of the loss. */
static bool moved_by_derivatives(Stepped *s)
{
    bool good = true;
    for (size_t a = 0; a < s->count; a++) {
        const Array *array = &s->list[a];
        bool weights = array->name[0] == 'W';
        if (!weights && strncmp(array->name, "norm", 4) != 0)
            continue;
        for (size_t j = 0; j < array->count; j++)
            for (size_t i = 0; i < array->cols; i++) {
                size_t row = array->first + j;
                double *parameter = weights ? &s->before.w[array->name[1] - '0'][row][i]
                                            : &s->before.scale[array->name[4] - '0'][row][i];
                double moved = (*parameter - array->data[j * array->cols + i]) / HUGE_RATE;
                good = near(moved, derivative(&s->before, &s->batch, parameter), 2e-6) && good;
            }
    }
    return good;
}

static void gradients_equal_finite_differences(void **state)
{
    (void)state;
    static Stepped s;
    for (int c = 0; c < 24; c++) {
        Config config = settings("sgd");
        Score score = {0};
        combine(&config, c);
        assert_all(take_step(&s, &reluopt_method_sgd, config, &score));
        assert_all(near(score.loss / BATCH, loss_of(&s.before, &s.batch), 1e-5));
        assert_int_equal(score.count, BATCH);
        bool good = moved_by_derivatives(&s);
        if (!good)
            print_error("activation %d, loss %d, batch_norm %d, residual %d\n", config.activation, config.loss,
                        config.batch_norm, config.residual);
        assert_all(good);
        s.method->destroy(s.state);
    }
}

/* ---- Feedback alignment ---- */

/* B[i] as the method draws it: rows of neurons of layer i-1. */
static void random_matrix(const Config *config, size_t i, size_t n, double b[WIDE][WIDE])
{
    float values[WIDE * WIDE] = {0};
    size_t below = shape.width[i - 1], larger = n > below ? n : below;
    RandomKey key = {(uint64_t)config->seed, RANDOM_FEEDBACK, (uint32_t)i, 0, 0};
    reluopt_add_normal(values, values, below, n, 0, (float)sqrt(2.0 / (double)larger), key);
    for (size_t j = 0; j < below; j++)
        for (size_t l = 0; l < n; l++)
            b[j][l] = values[j * n + l];
}

/* Delta[i-1] from Delta[i], or directly from Delta[L]. */
static void reference_error_below(Reference *s, size_t i, bool direct, Columns delta[LAYERS + 1])
{
    size_t from = direct ? LAYERS : i, n = shape.width[from];
    double b[WIDE][WIDE];
    random_matrix(s->config, i, n, b);
    for (size_t j = 0; j < shape.width[i - 1]; j++)
        for (size_t k = 0; k < BATCH; k++) {
            double sum = skips(s, i) && !direct ? delta[i][j][k] : 0;
            for (size_t l = 0; l < n; l++)
                sum += b[j][l] * delta[from][l][k];
            delta[i - 1][j][k] = sum * slope(s, s->h[i - 1][j][k]);
        }
}

static bool moved_by(Stepped *s, size_t i, Columns delta)
{
    bool good = true;
    const Array *array = &s->list[i - 1];
    for (size_t j = 0; j < array->count; j++)
        for (size_t l = 0; l < array->cols; l++) {
            double g = 0, before = s->before.w[i][array->first + j][l];
            for (size_t k = 0; k < BATCH; k++)
                g += delta[array->first + j][k] * (l + 1 < array->cols ? s->before.h[i - 1][l][k] : 1);
            good = near((before - array->data[j * array->cols + l]) / HUGE_RATE, g, 2e-6) && good;
        }
    return good;
}

static void errors_go_through_random_matrices(void **state)
{
    (void)state;
    static Stepped s;
    static Columns delta[LAYERS + 1];
    for (int c = 0; c < 24; c++) {
        bool direct = c % 2 == 1;
        Config config = settings(direct ? "dfa" : "fa");
        combine(&config, c / 2);
        config.residual = config.batch_norm; /* 6 .. 11: with skips */
        config.batch_norm = false;
        assert_all(take_step(&s, direct ? &reluopt_method_dfa : &reluopt_method_fa, config, &(Score){0}));
        reference_forward(&s.before, &s.batch);
        output_loss(&s.before, &s.batch, delta[LAYERS]);
        bool good = moved_by(&s, LAYERS, delta[LAYERS]);
        for (size_t i = LAYERS; i >= 2; i--) {
            reference_error_below(&s.before, i, direct, delta);
            good = moved_by(&s, i - 1, delta[i - 1]) && good;
        }
        assert_all(good);
        s.method->destroy(s.state);
    }
}

/* ---- Rules ---- */

/* Each method is the step of its own rule along the gradient that sgd follows. */
static void methods_step_by_their_rules(void **state)
{
    (void)state;
    static Stepped s;
    for (int m = 0; reluopt_method_fa.name != methods[m]->name; m++) {
        Config config = settings(methods[m]->name);
        assert_all(take_step(&s, &reluopt_method_sgd, settings("sgd"), &(Score){0}));
        void *other = create(methods[m], &config, &world);
        assert_all(other != NULL);
        Array list[ROOM];
        bool good = true;
        methods[m]->arrays(other, list);
        for (size_t i = 1; i <= LAYERS; i++)
            for (size_t j = 0; j < list[i - 1].count; j++)
                for (size_t l = 0; l < list[i - 1].cols; l++)
                    list[i - 1].data[j * list[i - 1].cols + l] = (float)s.before.w[i][list[i - 1].first + j][l];
        methods[m]->step(other, &s.batch, 0, &(Score){0});
        for (size_t i = 1; i <= LAYERS; i++) {
            size_t count = list[i - 1].count * list[i - 1].cols;
            float w[WIDE * WIDE], g[WIDE * WIDE];
            RuleState rule;
            Error error = {0};
            reluopt_rule_create(&rule, (Update)config.update, count, &error);
            for (size_t k = 0; k < count; k++) {
                w[k] = (float)s.before.w[i][list[i - 1].first + k / list[i - 1].cols][k % list[i - 1].cols];
                g[k] = (w[k] - s.list[i - 1].data[k]) / HUGE_RATE;
            }
            reluopt_rule_step(&rule, &config, w, g, 1);
            for (size_t k = 0; k < count; k++)
                good = near(list[i - 1].data[k], w[k], 1e-6) && good;
            reluopt_rule_free(&rule);
        }
        assert_all(good);
        methods[m]->destroy(other);
        s.method->destroy(s.state);
    }
}

/* ---- Any number of ranks ---- */

/* Losses of some steps, with batches of several sizes, and the outputs afterwards. */
static void run(const Method *method, void *state, double *losses, int steps, float *outputs)
{
    static const size_t sizes[] = {BATCH, 9, BATCH, 16};
    Problem problem;
    for (int t = 0; t < steps; t++) {
        Score score = {0};
        Batch batch = make_batch(&problem, sizes[t % 4], (uint64_t)t);
        method->step(state, &batch, (uint64_t)t, &score);
        losses[t] = score.loss;
    }
    Batch batch = make_batch(&problem, BATCH, 1000);
    memcpy(outputs, method->predict(state, &batch), shape.width[LAYERS] * BATCH * sizeof *outputs);
}

static bool same_as_alone(const Method *method, Config config, const Comm *comm)
{
    enum { STEPS = 8, OUTPUTS = WIDE * BATCH };
    double losses[2][STEPS];
    float outputs[2][OUTPUTS] = {{0}};
    void *one = create(method, &config, comm), *other = create(method, &config, &self);
    if (!one || !other)
        return false;
    run(method, one, losses[0], STEPS, outputs[0]);
    run(method, other, losses[1], STEPS, outputs[1]);
    method->destroy(one);
    method->destroy(other);
    bool good = true;
    for (int t = 0; t < STEPS; t++)
        good = fabs(losses[0][t] - losses[1][t]) <= 1e-3 * (1 + losses[1][t]) && good;
    for (int k = 0; k < OUTPUTS; k++)
        good = fabs(outputs[0][k] - outputs[1][k]) <= 2e-3 * (1 + fabs(outputs[1][k])) && good;
    if (!good)
        print_error("%s: loss %.9g, alone %.9g\n", method->name, losses[0][STEPS - 1], losses[1][STEPS - 1]);
    return good;
}

static void any_number_of_ranks_gives_the_same(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++)
        for (int way = 0; way < 4; way++) {
            Config config = settings(methods[m]->name);
            config.activation = ACTIVATION_TANH; /* no kinks that rounding might decide about */
            config.batch_norm = way % 2 == 1;
            config.residual = way / 2 == 1;
            assert_all(same_as_alone(methods[m], config, &world));
        }
}

static void a_dedicated_coordinator_gives_the_same(void **state)
{
    (void)state;
    Comm dedicated = world;
    if (world.size == 1)
        skip();
    dedicated.dedicated = true;
    for (int m = 0; m < METHODS; m++) {
        Config config = settings(methods[m]->name);
        config.activation = ACTIVATION_TANH;
        assert_all(same_as_alone(methods[m], config, &dedicated));
    }
}

/* Outputs of other batches on the way leave no trace. */
static void predictions_do_not_disturb(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++) {
        Config config = settings(methods[m]->name);
        config.batch_norm = config.residual = true;
        float outputs[2][WIDE * BATCH] = {{0}};
        for (int asks = 0; asks < 2; asks++) {
            Problem problem, other;
            void *s = create(methods[m], &config, &world);
            assert_all(s != NULL);
            Batch batch = make_batch(&problem, BATCH, 1), question = make_batch(&other, 5, 2);
            for (uint64_t t = 0; t < 5; t++) {
                methods[m]->step(s, &batch, t, &(Score){0});
                if (asks)
                    methods[m]->predict(s, &question);
            }
            memcpy(outputs[asks], methods[m]->predict(s, &batch), shape.width[LAYERS] * BATCH * sizeof(float));
            methods[m]->destroy(s);
        }
        assert_all(memcmp(outputs[0], outputs[1], sizeof outputs[0]) == 0);
    }
}

/* ---- Arrays and measures ---- */

static void arrays_are_all_that_is_remembered(void **state)
{
    (void)state;
    for (int m = 0; m < METHODS; m++)
        for (int norm = 0; norm < 2; norm++) {
            Config config = settings(methods[m]->name);
            config.batch_norm = norm == 1;
            void *s = create(methods[m], &config, &world);
            assert_all(s != NULL);
            int kept = config.update == UPDATE_SGD                                        ? 0
                       : config.update == UPDATE_ADADELTA || config.update == UPDATE_ADAM ? 2
                                                                                          : 1;
            Array list[ROOM];
            size_t expected = (size_t)(LAYERS * (1 + kept) + norm * (LAYERS - 1) * (2 + kept));
            assert_all(methods[m]->arrays(s, NULL) == expected);
            assert_all(methods[m]->arrays(s, list) == expected);
            bool good = true;
            for (size_t a = 0; a < expected; a++) {
                size_t i = (size_t)(list[a].name[strcspn(list[a].name, "12345")] - '0');
                Rows rows = reluopt_comm_own_rows(&world, shape.width[i]);
                good = good && list[a].rows == shape.width[i] && list[a].data && list[a].first == rows.first;
                good = good && list[a].cols == (list[a].name[0] == 'W' ? shape.width[i - 1] + 1 : 2);
                for (size_t b = 0; b < a; b++)
                    good = good && strcmp(list[a].name, list[b].name) && list[a].data != list[b].data;
            }
            assert_all(good);
            methods[m]->destroy(s);
        }
}

static void measures_are_rate_and_activity(void **state)
{
    (void)state;
    static Stepped s;
    Measures measures;
    assert_all(take_step(&s, &reluopt_method_sgd, settings("sgd"), &(Score){0}));
    s.method->measures(s.state, &measures);
    reference_forward(&s.before, &s.batch);
    for (size_t i = 1; i <= LAYERS; i++) {
        double active = 0;
        for (size_t j = 0; j < shape.width[i]; j++)
            for (size_t k = 0; k < BATCH; k++)
                active += s.before.h[i][j][k] > 0;
        assert_all(near(measures.rate[i - 1], HUGE_RATE, 0));
        assert_all(isnan(measures.online_bound[i - 1]) && isnan(measures.inverse_rate[i - 1]));
        assert_all(i == LAYERS || near(measures.active[i - 1], active / (double)shape.width[i] / BATCH, 1e-9));
    }
    s.method->measures(s.state, &measures);
    assert_all(isnan(measures.rate[0])); /* nothing since */
    s.method->destroy(s.state);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gradients_equal_finite_differences),
    cmocka_unit_test(errors_go_through_random_matrices),
    cmocka_unit_test(methods_step_by_their_rules),
    cmocka_unit_test(any_number_of_ranks_gives_the_same),
    cmocka_unit_test(a_dedicated_coordinator_gives_the_same),
    cmocka_unit_test(predictions_do_not_disturb),
    cmocka_unit_test(arrays_are_all_that_is_remembered),
    cmocka_unit_test(measures_are_rate_and_activity),
};

mpi_cmocka_main("backprop", tests)
