/* mirror.c - inverses that learn the transposed weights from responses to noise: docs/algorithm.md, "Weight
 * mirror". */
#include "reluopt/dense.h"
#include "reluopt/inverse.h"
#include "reluopt/random.h"

float reluopt_mirror_gain(double squares, double distance, size_t n, size_t columns)
{
    double others = (double)(n - 1), noise = squares * others / ((double)columns + others);
    return distance > noise ? (float)(1 - noise / distance) : 0;
}

/* noise = E; image = W[i] E, of all neurons, own columns. */
static void respond(Inverses *s, size_t i, uint64_t draw, float *noise)
{
    const Network *net = s->net;
    const Weights *w = &net->weights[i];
    RandomKey key = {(uint64_t)net->config->seed, RANDOM_NOISE, (uint32_t)i, draw, net->first};
    reluopt_signs(noise, w->inputs, net->columns, key);
    reluopt_product(reluopt_network_own(net, s->image, i), w->w, w->inputs + 1, noise, w->own.count,
                    net->columns, w->inputs);
    reluopt_comm_gather_rows(net->comm, s->image, w->outputs, net->columns);
}

/* g, n values: from B M to M; sums[0..1] = ||M||^2, ||M - V||^2 of the row. */
static void compare_row(float *g, const float *v, size_t n, size_t columns, float sums[2])
{
    float scale = 1 / (float)columns, squares = 0, distance = 0;
#pragma omp simd reduction(+ : squares, distance)
    for (size_t k = 0; k < n; k++) {
        g[k] *= scale;
        squares += g[k] * g[k];
        distance += (g[k] - v[k]) * (g[k] - v[k]);
    }
    sums[0] = squares;
    sums[1] = distance;
}

/* The gain for all of V[i], the same bits on any number of ranks: sums of rows, then all of them in order.
 * Collective. */
static float gain_of(Inverses *s, size_t i)
{
    const Weights *v = &s->v[i];
    double squares = 0, distance = 0;
    for (size_t j = 0; j < v->own.count; j++) {
        size_t at = j * (v->inputs + 1);
        compare_row(v->g + at, v->w + at, v->inputs, s->net->batch, s->sums + 2 * (v->own.first + j));
    }
    reluopt_comm_gather_rows(s->net->comm, s->sums, v->outputs, 2);
    for (size_t j = 0; j < v->outputs; j++) {
        squares += s->sums[2 * j];
        distance += s->sums[2 * j + 1];
    }
    return reluopt_mirror_gain(squares, distance, v->outputs, s->net->batch);
}

void reluopt_inverse_mirror(Inverses *s, size_t i, uint64_t draw)
{
    Weights *v = &s->v[i];
    float *noise = s->a;
    respond(s, i, draw, noise);
    reluopt_product_nt(v->g, v->inputs + 1, reluopt_network_own(s->net, noise, i - 1), s->image, v->own.count,
                       v->inputs, s->net->columns);
    reluopt_comm_data_sum(s->net->comm, v->g, v->own.count * (v->inputs + 1));
    float gain = gain_of(s, i);
    for (size_t j = 0; j < v->own.count; j++) {
        float *row = v->w + j * (v->inputs + 1);
        const float *mirrored = v->g + j * (v->inputs + 1);
        for (size_t k = 0; k < v->inputs; k++)
            row[k] += gain * (mirrored[k] - row[k]);
        reluopt_weights_note_step(v, j, gain);
    }
}
