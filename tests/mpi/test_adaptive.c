/* test_adaptive.c - the adaptive method on any number of ranks against a plain double-precision version of
 * algorithm.md, for every combination of its switches; what its steps promise; measures and arrays. */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alone.h"
#include "reluopt/dense.h"
#include "reluopt/method.h"
#include "reluopt/random.h"
#include "reluopt/weights.h"

enum {
    LAYERS = 3,
    WIDE = 20,
    BATCH = 40,
    SAMPLES = 60,
    LONG = 20,
    SHORT = 4,
    COMBINATIONS = 150,
    WHITENED = 30
};

/* ---- The reference: plain loops in double ---- */

typedef double Columns[WIDE][BATCH]; /* neurons x samples, no row of ones */

/* W[i] or V[i]: bias in column `inputs`. */
typedef struct Matrix {
    size_t outputs, inputs;
    bool linear;
    double w[WIDE][WIDE];
    double inverse[WIDE][WIDE]; /* whitened: what the gradient is multiplied with */
    double last[WIDE];          /* step last accepted by the line search; scope layer: the same in all */
    double rates, online, active, neurons, pairs; /* for the measures */
} Matrix;

typedef struct Reference {
    const Config *config;
    Shape shape;
    Matrix w[LAYERS + 1], v[LAYERS + 1];
    Columns h[LAYERS + 1], t[LAYERS + 1];
    double c[LAYERS][WIDE][WIDE], factored[LAYERS][WIDE][WIDE]; /* covariances of H[0..L-1], running; used */
} Reference;

/* A matrix on its way: z(rho) = z - rho d, W(rho) = W - rho g. */
typedef struct Ray {
    Columns z, d;
    double g[WIDE][WIDE], opt[WIDE], online[WIDE], rho[WIDE];
} Ray;

static double relu(double z)
{
    return z > 0 ? z : 0;
}

static double activation(const Matrix *m, double z)
{
    return m->linear ? z : relu(z);
}

static void apply(const Matrix *m, Columns h, size_t b, Columns z)
{
    for (size_t j = 0; j < m->outputs; j++)
        for (size_t k = 0; k < b; k++) {
            z[j][k] = m->w[j][m->inputs];
            for (size_t i = 0; i < m->inputs; i++)
                z[j][k] += m->w[j][i] * h[i][k];
        }
}

static void outputs(const Matrix *m, Columns h, size_t b, Columns out)
{
    apply(m, h, b, out);
    for (size_t j = 0; j < m->outputs; j++)
        for (size_t k = 0; k < b; k++)
            out[j][k] = activation(m, out[j][k]);
}

static void multiply_row(double g[WIDE], const Matrix *m)
{
    double row[WIDE] = {0};
    for (size_t i = 0; i < m->inputs; i++)
        for (size_t k = 0; k < m->inputs; k++)
            row[i] += g[k] * m->inverse[k][i];
    memcpy(g, row, m->inputs * sizeof *row);
}

/* Plain: G = (2/B) R H'.  Centred: the same with H - mu 1', and the bias moves by g_b - G mu.  Whitened: that G
 * times the inverse.  D follows. */
static void aim_neuron(const Matrix *m, size_t j, Columns h, Columns t, size_t b, Direction direction, Ray *ray)
{
    double mu[WIDE] = {0}, bias = 0;
    bool centred = direction != DIRECTION_PLAIN;
    for (size_t i = 0; centred && i < m->inputs; i++)
        for (size_t k = 0; k < b; k++)
            mu[i] += h[i][k] / (double)b;
    for (size_t i = 0; i <= m->inputs; i++)
        ray->g[j][i] = 0;
    for (size_t k = 0; k < b; k++) {
        double r = m->linear || ray->z[j][k] > 0 ? activation(m, ray->z[j][k]) - t[j][k] : 0;
        for (size_t i = 0; i < m->inputs; i++)
            ray->g[j][i] += 2 / (double)b * r * (h[i][k] - mu[i]);
        bias += 2 / (double)b * r;
    }
    if (direction == DIRECTION_WHITENED)
        multiply_row(ray->g[j], m);
    for (size_t k = 0; k < b; k++) {
        ray->d[j][k] = bias;
        for (size_t i = 0; i < m->inputs; i++)
            ray->d[j][k] += ray->g[j][i] * (h[i][k] - mu[i]);
    }
    ray->g[j][m->inputs] = bias;
    for (size_t i = 0; i < m->inputs; i++)
        ray->g[j][m->inputs] -= ray->g[j][i] * mu[i];
}

/* rho_opt (3-15), rho_online (3-18) of neuron j. */
static void bounds(Matrix *m, size_t j, Columns t, size_t b, Ray *ray)
{
    double up = 0, down = 0;
    ray->online[j] = INFINITY;
    for (size_t k = 0; k < b; k++) {
        double z = ray->z[j][k], d = ray->d[j][k];
        if (!m->linear && z <= 0)
            continue;
        m->active++;
        up += (z - t[j][k]) * d;
        down += d * d;
        if (!m->linear && d > 0)
            ray->online[j] = fmin(ray->online[j], z / d);
    }
    ray->opt[j] = down > 0 ? up / down : INFINITY;
    m->pairs += (double)b;
}

static double rule(int kind, double opt, double online)
{
    double rho = kind == RATE_MIN ? fmin(opt, online) : kind == RATE_OPT || isinf(online) ? opt : online;
    return isinf(rho) ? 0 : rho;
}

/* (3-19), (3-20): over all neurons of the layer, or for each by itself. */
static void rates_by_bounds(Matrix *m, const Config *config, Ray *ray)
{
    double opt = INFINITY, online = INFINITY;
    for (size_t j = 0; j < m->outputs; j++) {
        opt = fmin(opt, ray->opt[j]);
        online = fmin(online, ray->online[j]);
    }
    for (size_t j = 0; j < m->outputs; j++) {
        if (config->rate.scope == SCOPE_NEURON) {
            opt = ray->opt[j];
            online = ray->online[j];
        }
        ray->rho[j] = rule(config->rate.rule, opt, online);
        m->online += online < opt;
    }
}

/* Layer loss (3-9) at step rho, of neurons first .. end-1. */
static double loss_at(const Matrix *m, Ray *ray, Columns t, size_t b, size_t first, size_t end, double rho)
{
    double loss = 0;
    for (size_t j = first; j < end; j++)
        for (size_t k = 0; k < b; k++)
            loss += pow(activation(m, ray->z[j][k] - rho * ray->d[j][k]) - t[j][k], 2) / (double)b;
    return loss;
}

/* Halve from twice the last accepted step until the loss does not rise; neurons first .. end-1 together. */
static void search(Matrix *m, Ray *ray, Columns t, size_t b, size_t first, size_t end, double start)
{
    double rho = m->last[first] > 0 ? 2 * m->last[first] : start, moved = 0;
    for (size_t j = first; j < end; j++)
        for (size_t k = 0; k < b; k++)
            moved += fabs(ray->d[j][k]);
    while (moved > 0 && loss_at(m, ray, t, b, first, end, rho) > loss_at(m, ray, t, b, first, end, 0))
        rho /= 2;
    for (size_t j = first; j < end; j++) {
        ray->rho[j] = moved > 0 ? rho : 0;
        m->last[j] = moved > 0 ? rho : m->last[j];
    }
}

typedef struct Kink64 {
    double at, a, b; /* change of a and b where the half slope is a rho - b */
} Kink64;

static int by_place(const void *x, const void *y)
{
    double a = ((const Kink64 *)x)->at, b = ((const Kink64 *)y)->at;
    return (a > b) - (a < b);
}

/* The step of least loss of neurons first .. end-1 together, from kink to kink: the loss itself is asked at the
 * minimum of every piece. */
static double exact_rate(const Matrix *m, Ray *ray, Columns t, size_t b, size_t first, size_t end)
{
    static Kink64 kinks[WIDE * BATCH + 1];
    size_t count = 0;
    double best = 0, sum_a = 0, sum_b = 0, left = 0;
    for (size_t j = first; j < end; j++)
        for (size_t k = 0; k < b; k++) {
            double z = ray->z[j][k], d = ray->d[j][k], sign = z > 0 ? -1 : 1;
            sum_a += m->linear || z > 0 ? d * d : 0;
            sum_b += m->linear || z > 0 ? d * (z - t[j][k]) : 0;
            if (!m->linear && (z > 0 ? d > 0 : d < 0))
                kinks[count++] = (Kink64){z / d, sign * d * d, sign * d * (z - t[j][k])};
        }
    qsort(kinks, count, sizeof *kinks, by_place);
    kinks[count].at = 1e6; /* and beyond only what is left of rounding */
    for (size_t i = 0; i <= count; i++) {
        double right = kinks[i].at, bottom = sum_a > 0 ? fmin(fmax(sum_b / sum_a, left), right) : right;
        double loss = loss_at(m, ray, t, b, first, end, bottom);
        if (loss < (1 - 1e-12) * loss_at(m, ray, t, b, first, end, best))
            best = bottom;
        left = right;
        sum_a += kinks[i].a;
        sum_b += kinks[i].b;
    }
    return best;
}

static void rates_by_exact_search(Matrix *m, const Config *config, Ray *ray, Columns t, size_t b)
{
    size_t together = config->rate.scope == SCOPE_LAYER ? m->outputs : 1;
    for (size_t j = 0; j < m->outputs; j++)
        ray->rho[j] = j % together ? ray->rho[j - 1] : exact_rate(m, ray, t, b, j, j + together);
}

static void rates_by_search(Matrix *m, const Config *config, Ray *ray, Columns t, size_t b)
{
    size_t together = config->rate.scope == SCOPE_LAYER ? m->outputs : 1;
    for (size_t j = 0; j < m->outputs; j += together)
        search(m, ray, t, b, j, j + together, config->rate.start);
}

/* One adaptive step of a matrix with inputs h towards t. */
static void adaptive_step(Matrix *m, Columns h, Columns t, size_t b, Direction direction, const Config *config)
{
    static Ray ray;
    apply(m, h, b, ray.z);
    for (size_t j = 0; j < m->outputs; j++) {
        aim_neuron(m, j, h, t, b, direction, &ray);
        bounds(m, j, t, b, &ray);
    }
    if (config->variant == VARIANT_LINE_SEARCH)
        rates_by_search(m, config, &ray, t, b);
    else
        rates_by_bounds(m, config, &ray);
    if (config->variant != VARIANT_LINE_SEARCH && config->rate.rule == RATE_EXACT)
        rates_by_exact_search(m, config, &ray, t, b);
    for (size_t j = 0; j < m->outputs; j++) {
        for (size_t i = 0; i <= m->inputs; i++)
            m->w[j][i] -= ray.rho[j] * ray.g[j][i];
        m->rates += ray.rho[j];
        m->neurons++;
    }
}

static void reference_forward(Reference *s, const Batch *batch)
{
    for (size_t i = 0; i < s->shape.width[0]; i++)
        for (size_t k = 0; k < batch->count; k++)
            s->h[0][i][k] = batch->x[i * batch->count + k];
    for (size_t i = 1; i <= LAYERS; i++)
        outputs(&s->w[i], s->h[i - 1], batch->count, s->h[i]);
}

/* Cross-entropy of the batch (sum), and T[L] = H[L] - alpha (softmax(H[L]) - Y). */
static double output_target(Reference *s, const Batch *batch)
{
    double loss = 0;
    size_t classes = s->shape.width[LAYERS];
    for (size_t k = 0; k < batch->count; k++) {
        double sum = 0;
        for (size_t c = 0; c < classes; c++)
            sum += exp(s->h[LAYERS][c][k]);
        for (size_t c = 0; c < classes; c++) {
            double h = s->h[LAYERS][c][k], y = c == (size_t)batch->label[k];
            s->t[LAYERS][c][k] = h - s->config->alpha * (exp(h) / sum - y);
            loss += y * (log(sum) - h);
        }
    }
    return loss;
}

/* V[i], or W[i]' without bias. */
static Matrix inverse_of(const Reference *s, size_t i)
{
    if (s->config->inverse.kind != INVERSE_TRANSPOSE)
        return s->v[i];
    Matrix v = {.outputs = s->shape.width[i - 1], .inputs = s->shape.width[i]};
    for (size_t j = 0; j < v.outputs; j++)
        for (size_t k = 0; k < v.inputs; k++)
            v.w[j][k] = s->w[i].w[k][j];
    return v;
}

/* (3-7), or V (T - H) where H > 0. */
static void target_below(Reference *s, size_t i, size_t b)
{
    static Columns of_t, of_h;
    Matrix v = inverse_of(s, i);
    apply(&v, s->t[i], b, of_t);
    apply(&v, s->h[i], b, of_h);
    for (size_t j = 0; j < v.outputs; j++)
        for (size_t k = 0; k < b; k++) {
            double h = s->h[i - 1][j][k], linear = h > 0 ? of_t[j][k] - of_h[j][k] : 0;
            s->t[i - 1][j][k] = h + (s->config->gate ? linear : relu(of_t[j][k]) - relu(of_h[j][k]));
        }
}

/* H[i-1] + e; the noise of round `draw` is in units of the standard deviation of all of H[i-1]. */
static void add_noise(Reference *s, size_t i, size_t b, uint64_t draw, Columns noisy)
{
    static const float zero[WIDE * BATCH];
    float e[WIDE * BATCH];
    size_t n = s->shape.width[i - 1];
    double values = (double)(n * b), mean = 0, variance = 0;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < b; k++)
            mean += s->h[i - 1][j][k] / values;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < b; k++)
            variance += pow(s->h[i - 1][j][k] - mean, 2) / values;
    RandomKey key = {(uint64_t)s->config->seed, RANDOM_NOISE, (uint32_t)i, draw, 0};
    reluopt_add_normal(e, zero, n, b, 0, 1, key);
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < b; k++)
            noisy[j][k] = s->h[i - 1][j][k] + s->config->inverse.noise * sqrt(variance) * e[j * b + k];
}

/* x = (c + lambda mean(eig c) I)^-1, by Gauss and Jordan. */
static void invert(double c[WIDE][WIDE], size_t n, double lambda, double x[WIDE][WIDE])
{
    double a[WIDE][WIDE], trace = 0;
    memcpy(a, c, sizeof a);
    for (size_t i = 0; i < n; i++)
        trace += c[i][i];
    for (size_t i = 0; i < n; i++) {
        a[i][i] += lambda * trace / (double)n;
        for (size_t k = 0; k < n; k++)
            x[i][k] = i == k;
    }
    for (size_t p = 0; p < n; p++) {
        double pivot = a[p][p];
        for (size_t k = 0; k < n; k++) {
            a[p][k] /= pivot;
            x[p][k] /= pivot;
        }
        for (size_t i = 0; i < n; i++) {
            double factor = i == p ? 0 : a[i][p];
            for (size_t k = 0; k < n; k++) {
                a[i][k] -= factor * a[p][k];
                x[i][k] -= factor * x[p][k];
            }
        }
    }
}

/* Covariance of H[i] for W[i+1]: of every batch for the network's inputs, of every fourth for the others, and
 * its inverse where it has moved by more than a fifth. */
static void whiten(Reference *s, size_t i, size_t b, uint64_t number)
{
    uint64_t interval = i == 0 ? 1 : 4;
    size_t n = s->shape.width[i];
    double mu[WIDE] = {0}, change = 0, size = 0, weight = 1 / (double)(number / interval + 1);
    weight = i == 0 ? weight : fmax(weight, 1 - pow(0.95, 4));
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < b; k++)
            mu[j] += s->h[i][j][k] / (double)b;
    for (size_t j = 0; number % interval == 0 && j < n; j++)
        for (size_t l = 0; l < n; l++) {
            double sum = 0;
            for (size_t k = 0; k < b; k++)
                sum += (s->h[i][j][k] - mu[j]) * (s->h[i][l][k] - mu[l]) / (double)b;
            s->c[i][j][l] += weight * (sum - s->c[i][j][l]);
            change += pow(s->c[i][j][l] - s->factored[i][j][l], 2);
            size += pow(s->c[i][j][l], 2);
        }
    if (sqrt(change) > 0.2 * sqrt(size)) {
        double lambda = s->config->whitening.lambda;
        memcpy(s->factored[i], s->c[i], sizeof s->c[i]);
        invert(s->c[i], n, lambda == RELUOPT_AUTO ? 1 + 10 * (double)n / SAMPLES : lambda, s->w[i + 1].inverse);
    }
}

/* (3-8): one step of V[i] from f_i(Hn) towards Hn. */
static void train_inverse(Reference *s, size_t i, size_t b, uint64_t draw)
{
    static Columns noisy, image;
    add_noise(s, i, b, draw, noisy);
    outputs(&s->w[i], noisy, b, image);
    Direction direction = s->config->direction == DIRECTION_PLAIN ? DIRECTION_PLAIN : DIRECTION_CENTRED;
    Config config = *s->config;
    config.rate.rule = config.rate.rule == RATE_EXACT ? RATE_OPT : config.rate.rule;
    adaptive_step(&s->v[i], image, noisy, b, direction, &config);
}

/* V[i] += gain (M - V[i]), M = E P' / B, P = W[i] E. */
static void mirror_inverse(Reference *s, size_t i, size_t b, uint64_t draw)
{
    float e[WIDE * BATCH];
    double(*w)[WIDE] = s->w[i].w, (*v)[WIDE] = s->v[i].w, m[WIDE][WIDE], squares = 0, distance = 0;
    size_t n = s->shape.width[i - 1], above = s->shape.width[i];
    reluopt_signs(e, n, b, (RandomKey){(uint64_t)s->config->seed, RANDOM_NOISE, (uint32_t)i, draw, 0});
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < above; k++) {
            m[j][k] = 0;
            for (size_t l = 0; l < n; l++)
                for (size_t c = 0; c < b; c++)
                    m[j][k] += e[j * b + c] * e[l * b + c] * w[k][l] / (double)b;
            squares += pow(m[j][k], 2);
            distance += pow(m[j][k] - v[j][k], 2);
        }
    double noise = squares * (double)(n - 1) / (double)(b + n - 1);
    double gain = distance > noise ? 1 - noise / distance : 0;
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < above; k++)
            v[j][k] += gain * (m[j][k] - v[j][k]);
    s->v[i].rates += gain * (double)n;
    s->v[i].neurons += (double)n;
}

/* algorithm.md, "One step on a batch"; the loss before it, summed over samples. */
static double reference_step(Reference *s, const Batch *batch, uint64_t number)
{
    uint64_t steps = (uint64_t)s->config->inverse.steps;
    uint64_t rounds = s->config->inverse.kind == INVERSE_TRAINED ? steps : 0;
    uint64_t mirrors = s->config->inverse.kind == INVERSE_MIRROR ? steps : 0;
    reference_forward(s, batch);
    double loss = output_target(s, batch);
    for (uint64_t round = 0; round < mirrors; round++)
        for (size_t i = LAYERS; i >= 2; i--)
            mirror_inverse(s, i, batch->count, number * mirrors + round);
    for (size_t i = LAYERS; i >= 2; i--)
        target_below(s, i, batch->count);
    for (size_t i = 0; i < LAYERS; i++)
        whiten(s, i, batch->count, number);
    for (uint64_t round = 0; round < rounds; round++)
        for (size_t i = LAYERS; i >= 2; i--)
            train_inverse(s, i, batch->count, number * rounds + round);
    for (size_t i = 1; i <= LAYERS; i++)
        adaptive_step(&s->w[i], s->h[i - 1], s->t[i], batch->count, (Direction)s->config->direction, s->config);
    return loss;
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

/* Batch `number`: inputs with a mean, labels that depend on them. */
static Batch make_batch(Problem *problem, const Shape *shape, size_t count, uint64_t number)
{
    uint64_t seed = 88172645463325252u + 1000003 * number;
    size_t n = shape->width[0], classes = shape->width[LAYERS];
    for (int i = 0; i < 20; i++)
        uniform(&seed);
    for (size_t k = 0; k < count; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            double x = uniform(&seed) + 0.5;
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
            m->w[j][i] *= 1 + 1e-6 * uniform(&seed);
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

/* ---- What one step promises, on a matrix of its own ---- */

enum { OUTPUTS = 15, INPUTS = 11 };

typedef struct Fit {
    Weights weights;
    float *joined;
    float h[(INPUTS + 1) * BATCH], t[OUTPUTS * BATCH];
    double loss[OUTPUTS]; /* own neurons */
    Config config;
} Fit;

static void fit_create(Fit *fit, Config config, bool linear, uint64_t number)
{
    Error error = {0};
    uint64_t seed = 521288629 + 7919 * number;
    fit->config = config;
    assert_all(reluopt_weights_create(&fit->weights, OUTPUTS, INPUTS, linear, BATCH, &world, &error) == 0);
    assert_all(reluopt_weights_create_step(&fit->weights, BATCH, &error) == 0);
    fit->joined = reluopt_weights_join(&(Weights *){&fit->weights}, 1, &error);
    if (config.rate.rule == RATE_EXACT)
        assert_all(reluopt_weights_search(&fit->weights, BATCH, &error) == 0);
    for (size_t j = 0; j < OUTPUTS; j++)
        for (size_t i = 0; i <= INPUTS; i++) {
            float w = (float)uniform(&seed);
            if (j - fit->weights.own.first < fit->weights.own.count)
                fit->weights.w[(j - fit->weights.own.first) * (INPUTS + 1) + i] = w;
        }
    for (size_t i = 0; i < (INPUTS + 1) * BATCH; i++)
        fit->h[i] = i < INPUTS * BATCH ? (float)(uniform(&seed) + 0.3) : 1;
    for (size_t i = 0; i < OUTPUTS * BATCH; i++)
        fit->t[i] = (float)(2 * uniform(&seed));
}

/* Loss of every own neuron for weights->z; returns the layer's, over all ranks. */
static double fit_losses(Fit *fit)
{
    double layer = 0;
    const float *t = fit->t + fit->weights.own.first * BATCH;
    reluopt_weights_apply(&fit->weights, fit->h, fit->weights.z, BATCH);
    for (size_t j = 0; j < fit->weights.own.count; j++) {
        fit->loss[j] = 0;
        for (size_t k = j * BATCH; k < (j + 1) * BATCH; k++) {
            double z = fit->weights.z[k];
            fit->loss[j] += pow((fit->weights.linear ? z : relu(z)) - t[k], 2);
        }
        layer += fit->loss[j];
    }
    reluopt_comm_sum(&world, &layer, 1);
    return layer;
}

static void fit_step(Fit *fit)
{
    Weights *list[] = {&fit->weights};
    reluopt_weights_aim(&fit->weights, fit->h, fit->t + fit->weights.own.first * BATCH, BATCH,
                        (Direction)fit->config.direction, &world);
    reluopt_weights_step(list, 1, BATCH, &fit->config, &world);
}

static void check_descent(Config config, bool linear, uint64_t number)
{
    static Fit fit;
    fit_create(&fit, config, linear, number);
    double first = fit_losses(&fit), layer = first;
    for (int k = 0; k < 10; k++) {
        double before[OUTPUTS];
        memcpy(before, fit.loss, sizeof before);
        fit_step(&fit);
        double after = fit_losses(&fit);
        bool good = after <= layer * (1 + 1e-5);
        for (size_t j = 0; config.rate.scope == SCOPE_NEURON && j < fit.weights.own.count; j++)
            good = good && fit.loss[j] <= before[j] * (1 + 1e-5) + 1e-8;
        assert_all(good);
        layer = after;
    }
    assert_all(layer < 0.95 * first);
    reluopt_weights_free(&fit.weights);
    free(fit.joined);
}

/* From a first trial far too large and from one far too small: the loss of the layer (scope neuron: of each
 * neuron) does not rise, and falls in the end. */
static void line_search_does_not_raise_the_loss(void **state)
{
    (void)state;
    static const double starts[] = {1e6, 1, 0.02};
    for (int c = 0; c < 24; c++) {
        Config config = {.variant = VARIANT_LINE_SEARCH, .direction = c & 1};
        config.rate.scope = c >> 1 & 1;
        config.rate.start = starts[c / 8];
        check_descent(config, c >> 2 & 1, (uint64_t)c);
    }
}

/* After the step no sample of the Pos set has left it, beyond rounding. */
static bool keeps_pos(Fit *fit)
{
    static float before[OUTPUTS * BATCH];
    size_t pairs = fit->weights.own.count * BATCH;
    bool good = true;
    reluopt_weights_apply(&fit->weights, fit->h, fit->weights.z, BATCH);
    memcpy(before, fit->weights.z, pairs * sizeof *before);
    fit_step(fit);
    reluopt_weights_apply(&fit->weights, fit->h, fit->weights.z, BATCH);
    for (size_t k = 0; k < pairs; k++)
        good = good && (before[k] <= 0 || fit->weights.z[k] > -1e-5f);
    return good;
}

static void bounded_steps_keep_the_pos_sets(void **state)
{
    (void)state;
    static Fit fit;
    for (int c = 0; c < 40; c++) {
        Config config = {.variant = VARIANT_BATCH, .direction = c & 1};
        config.rate.scope = c >> 1 & 1;
        config.rate.rule = RATE_MIN;
        fit_create(&fit, config, false, 100 + (uint64_t)c);
        for (int k = 0; k < 5; k++)
            assert_all(keeps_pos(&fit));
        reluopt_weights_free(&fit.weights);
        free(fit.joined);
    }
}

/* rho_opt of a linear layer, one neuron at a time, is the exact minimum: the loss falls at every step. */
static void exact_steps_of_a_linear_layer_descend(void **state)
{
    (void)state;
    for (int c = 0; c < 4; c++) {
        Config config = {.variant = VARIANT_BATCH, .direction = c & 1};
        config.rate.scope = c >> 1;
        config.rate.rule = RATE_OPT;
        check_descent(config, true, 200 + (uint64_t)c);
    }
}

/* The exact search, of ReLU layers: the loss never rises, with scope neuron that of no neuron. */
static void exact_searches_descend(void **state)
{
    (void)state;
    for (int c = 0; c < 24; c++) {
        Config config = {.variant = VARIANT_BATCH, .direction = c & 1};
        config.rate.scope = c >> 1 & 1;
        config.rate.rule = RATE_EXACT;
        check_descent(config, c >> 2 & 1, 300 + (uint64_t)c);
    }
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
    cmocka_unit_test(line_search_does_not_raise_the_loss),
    cmocka_unit_test(bounded_steps_keep_the_pos_sets),
    cmocka_unit_test(exact_steps_of_a_linear_layer_descend),
    cmocka_unit_test(exact_searches_descend),
    cmocka_unit_test(measures_equal_the_reference),
    cmocka_unit_test(arrays_are_w_and_v),
    cmocka_unit_test(initial_weights_do_not_depend_on_the_ranks),
    cmocka_unit_test(inverses_have_a_draw_of_their_own),
    cmocka_unit_test(predictions_equal_the_reference),
    cmocka_unit_test(training_reduces_the_loss),
};

mpi_cmocka_main("adaptive", tests)
