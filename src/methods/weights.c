/* weights.c - one weight matrix, sharded by rows, and what its adaptive step needs. */
#include "reluopt/weights.h"

#include <stdio.h>
#include <stdlib.h>

#include "reluopt/dense.h"
#include "reluopt/direction.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/rates.h"

int reluopt_weights_create(Weights *weights, size_t outputs, size_t inputs, bool linear, size_t columns,
                           const Comm *comm, Error *error)
{
    *weights = (Weights){.outputs = outputs, .inputs = inputs, .linear = linear};
    weights->own = reluopt_comm_own_rows(comm, outputs);
    size_t m = weights->own.count, matrix = m * (inputs + 1), batch = m * columns;
    const struct {
        float **at;
        size_t count;
    } need[] = {
        {&weights->w, matrix}, {&weights->g, matrix},    {&weights->z, batch}, {&weights->r, batch},
        {&weights->d, batch},  {&weights->mean, inputs}, {&weights->opt, m},   {&weights->online, m},
        {&weights->rate, m},   {&weights->last, m},
    };
    for (size_t i = 0; i < sizeof need / sizeof need[0]; i++)
        if (!(*need[i].at = reluopt_alloc(need[i].count, sizeof(float), error)))
            return error->code;
    return RELUOPT_OK;
}

void reluopt_weights_free(Weights *weights)
{
    float *owned[] = {weights->w,    weights->g,   weights->z,      weights->r,    weights->d,
                      weights->mean, weights->opt, weights->online, weights->rate, weights->last};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    *weights = (Weights){0};
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

void reluopt_weights_apply(const Weights *weights, const float *h, float *z, size_t columns)
{
    size_t k = weights->inputs + 1;
    reluopt_product(z, weights->w, k, h, weights->own.count, columns, k);
}

void reluopt_weights_aim(Weights *weights, const float *h, const float *target, size_t columns,
                         Direction direction)
{
    size_t m = weights->own.count, k = weights->inputs + 1;
    weights->target = target;
    weights->sum.active +=
        (double)reluopt_residual(weights->r, weights->z, target, weights->linear, m * columns);
    weights->sum.pairs += (double)(m * columns);
    reluopt_product_nt(weights->g, k, weights->r, h, m, k, columns); /* G = R H' (3-11) */
    if (direction == DIRECTION_CENTRED) {
        reluopt_row_means(weights->mean, h, weights->inputs, columns);
        reluopt_centre(weights->g, weights->mean, m, weights->inputs);
    }
    reluopt_product(weights->d, weights->g, k, h, m, columns, k); /* D = G H */
    reluopt_rates_local(weights->z, weights->d, weights->r, weights->linear, m, columns, weights->opt,
                        weights->online);
}
