/* weights.c - one weight matrix, sharded by rows, and what its steps need. */
#include "reluopt/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/direction.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/rates.h"
#include "reluopt/tally.h"

int reluopt_weights_create(Weights *weights, size_t outputs, size_t inputs, bool linear, size_t columns,
                           const Comm *comm, Error *error)
{
    *weights = (Weights){.outputs = outputs, .inputs = inputs, .linear = linear};
    weights->own = reluopt_comm_own_rows(comm, outputs);
    size_t m = weights->own.count, matrix = m * (inputs + 1);
    weights->w = reluopt_alloc(matrix, sizeof(float), error);
    weights->g = reluopt_alloc(matrix, sizeof(float), error);
    weights->z = reluopt_alloc(m * columns, sizeof(float), error);
    return error->code;
}

int reluopt_weights_create_step(Weights *weights, size_t columns, Error *error)
{
    size_t m = weights->own.count, batch = m * columns;
    const struct {
        float **at;
        size_t count;
    } need[] = {
        {&weights->r, batch}, {&weights->d, batch},  {&weights->mean, weights->inputs},
        {&weights->opt, m},   {&weights->online, m}, {&weights->rate, m},
        {&weights->last, m},
    };
    for (size_t i = 0; i < sizeof need / sizeof need[0]; i++)
        *need[i].at = reluopt_alloc(need[i].count, sizeof(float), error);
    return error->code;
}

int reluopt_weights_search(Weights *weights, size_t columns, Error *error)
{
    weights->kinks = reluopt_alloc(2 * columns + 1, sizeof(Kink), error);
    return error->code;
}

void reluopt_weights_free(Weights *weights)
{
    float *owned[] = {weights->w,    weights->g,    weights->z,        weights->r,
                      weights->d,    weights->mean, weights->opt,      weights->online,
                      weights->rate, weights->last, weights->whitened, weights->average};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    free(weights->kinks);
    *weights = (Weights){0};
}

int reluopt_weights_whiten(Weights *weights, const Whitening *whitening, Error *error)
{
    weights->whitening = whitening;
    weights->whitened = reluopt_alloc(weights->own.count * weights->inputs, sizeof(float), error);
    return error->code;
}

Array reluopt_weights_array(const Weights *weights, const char *letter, size_t layer)
{
    Array array = {.rows = weights->outputs,
                   .cols = weights->inputs + 1,
                   .first = weights->own.first,
                   .count = weights->own.count,
                   .data = weights->w};
    snprintf(array.name, sizeof array.name, "%s%zu", letter, layer);
    return array;
}

WeightsMeans reluopt_weights_means(Weights *weights, const Comm *comm)
{
    double sum[] = {weights->sum.rate, weights->sum.online, weights->sum.neurons, weights->sum.active,
                    weights->sum.pairs};
    memset(&weights->sum, 0, sizeof weights->sum);
    reluopt_comm_sum(comm, sum, sizeof sum / sizeof *sum);
    return (WeightsMeans){.rate = sum[0] / sum[2], .online = sum[1] / sum[2], .active = sum[3] / sum[4]};
}

void reluopt_weights_apply(const Weights *weights, const float *h, float *z, size_t columns)
{
    size_t k = weights->inputs + 1;
    reluopt_product(z, weights->w, k, h, weights->own.count, columns, k);
}

void reluopt_weights_aim(Weights *weights, const float *h, const float *target, size_t columns,
                         Direction direction)
{
    size_t m = weights->own.count, k = weights->inputs + 1;
    Phase before = reluopt_phase_enter(PHASE_GRADIENT);
    weights->target = target;
    weights->sum.active +=
        (double)reluopt_residual(weights->r, weights->z, target, weights->linear, m * columns);
    weights->sum.pairs += (double)(m * columns);
    reluopt_product_nt(weights->g, k, weights->r, h, m, k, columns); /* G = R H' (3-11) */
    if (direction != DIRECTION_PLAIN)
        reluopt_row_means(weights->mean, h, weights->inputs, columns);
    if (direction == DIRECTION_CENTRED)
        reluopt_centre(weights->g, weights->mean, m, weights->inputs);
    if (direction == DIRECTION_WHITENED)
        reluopt_whiten(weights->g, weights->mean, weights->whitening->inverse, weights->whitening->c, m,
                       weights->inputs, weights->whitened);
    reluopt_product(weights->d, weights->g, k, h, m, columns, k); /* D = G H */
    reluopt_phase_leave(before);
    before = reluopt_phase_enter(PHASE_RATES);
    reluopt_rates_local(weights->z, weights->d, weights->r, weights->linear, m, columns, weights->opt,
                        weights->online);
    reluopt_phase_leave(before);
}
