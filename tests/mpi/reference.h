/* reference.h - algorithm.md of method adaptive in plain loops and double precision, on one process, for
 * networks of LAYERS layers: what test_adaptive.c compares with. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/config.h"
#include "reluopt/method.h"
#include "reluopt/random.h"

enum {
    LAYERS = 3,
    WIDE = 20,
    BATCH = 40,
    SAMPLES = 60
}; /* at most WIDE neurons; SAMPLES: of the training set */

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

#endif
