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
    weights->g = reluopt_alloc(matrix + inputs + 1, sizeof(float), error);
    weights->z = reluopt_alloc(m * columns, sizeof(float), error);
    weights->sums = reluopt_alloc(outputs * RELUOPT_SUMS, sizeof(double), error);
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
    weights->trials = reluopt_alloc(m * RELUOPT_TRIAL_SUMS, sizeof(double), error);
    return error->code;
}

float *reluopt_weights_join(Weights *const *list, size_t count, Error *error)
{
    size_t neurons = 0;
    for (size_t i = 0; i < count; i++)
        neurons += list[i]->own.count;
    float *room = reluopt_alloc(3 * neurons, sizeof *room, error), *sums = room, *fastest = room + 2 * neurons;
    for (size_t i = 0; room && i < count; i++) {
        list[i]->sums_along = sums;
        list[i]->fastest = fastest;
        sums += 2 * list[i]->own.count;
        fastest += list[i]->own.count;
    }
    return room;
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
    free(weights->trials);
    free(weights->kinks);
    free(weights->sums);
    *weights = (Weights){0};
}

int reluopt_weights_whiten(Weights *weights, const Whitening *whitening, Error *error)
{
    weights->whitening = whitening;
    const Symmetric *p = &whitening->inverse;
    size_t columns = p->n + (p->form == SYMMETRIC_LOW_RANK ? p->c : 0);
    weights->whitened = reluopt_alloc(weights->own.count * columns, sizeof(float), error);
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

static double *own_sums(const Weights *weights)
{
    return weights->sums + weights->own.first * RELUOPT_SUMS;
}

size_t reluopt_weights_memory(Weights *weights, const char *letter, size_t layer, const Config *config,
                              Array *list)
{
    bool searches = weights->last && config->variant == VARIANT_LINE_SEARCH;
    if (list) {
        Array *sums = &list[0], *last = &list[1];
        *sums = reluopt_weights_array(weights, letter, layer);
        snprintf(sums->name, sizeof sums->name, "%s%zu.sums", letter, layer);
        sums->type = ARRAY_DOUBLE;
        sums->cols = RELUOPT_SUMS;
        sums->doubles = own_sums(weights);
        if (searches && config->rate.scope == SCOPE_LAYER)
            *last = (Array){.shared = true, .rows = 1, .cols = 1, .count = 1, .data = &weights->last_layer};
        else if (searches)
            *last = (Array){.rows = weights->outputs,
                            .cols = 1,
                            .first = weights->own.first,
                            .count = weights->own.count,
                            .data = weights->last};
        if (searches)
            snprintf(last->name, sizeof last->name, "%s%zu.last", letter, layer);
    }
    return searches ? 2 : 1;
}

void reluopt_weights_note_step(Weights *weights, size_t j, double rate)
{
    double *sums = own_sums(weights) + j * RELUOPT_SUMS;
    sums[SUM_RATE] += rate;
    sums[SUM_STEPS]++;
}

void reluopt_weights_note_bound(Weights *weights, size_t j, bool online)
{
    own_sums(weights)[j * RELUOPT_SUMS + SUM_ONLINE] += online;
}

void reluopt_weights_note_active(Weights *weights, size_t active, size_t pairs)
{
    double *sums = own_sums(weights);
    if (weights->own.count > 0) {
        sums[SUM_ACTIVE] += (double)active;
        sums[SUM_PAIRS] += (double)pairs;
    }
}

WeightsMeans reluopt_weights_means(Weights *weights, const Comm *comm)
{
    double sum[RELUOPT_SUMS] = {0};
    reluopt_comm_gather_doubles(comm, weights->sums, weights->outputs, RELUOPT_SUMS);
    for (size_t j = 0; j < weights->outputs * RELUOPT_SUMS; j++)
        sum[j % RELUOPT_SUMS] += weights->sums[j];
    if (weights->sums)
        memset(weights->sums, 0, weights->outputs * RELUOPT_SUMS * sizeof *weights->sums);
    return (WeightsMeans){.rate = sum[SUM_RATE] / sum[SUM_STEPS],
                          .online = sum[SUM_ONLINE] / sum[SUM_STEPS],
                          .active = sum[SUM_ACTIVE] / sum[SUM_PAIRS]};
}

void reluopt_weights_apply(const Weights *weights, const float *h, float *z, size_t columns)
{
    size_t k = weights->inputs + 1;
    reluopt_product(z, weights->w, k, h, weights->own.count, columns, k);
}

size_t reluopt_weights_sum_gradient(Weights *weights, size_t active, const Comm *comm)
{
    size_t values = weights->own.count * (weights->inputs + 1);
    float *travelling = weights->g + values + weights->inputs; /* the sums of the inputs are before it */
    *travelling = (float)active;
    reluopt_comm_data_sum(comm, weights->g, values + weights->inputs + 1);
    return comm->data.size == 1 ? active : (size_t)*travelling;
}

/* G = R H' (3-11), and the means of the inputs unless the direction is plain. */
static void aim_gradient(Weights *weights, const float *h, size_t batch, size_t columns, size_t active,
                         Direction direction, const Comm *comm)
{
    size_t m = weights->own.count, k = weights->inputs + 1;
    float *sums = weights->g + m * k;
    reluopt_product_nt(weights->g, k, weights->r, h, m, k, columns);
    if (direction != DIRECTION_PLAIN)
        reluopt_row_sums(sums, h, weights->inputs, columns);
    reluopt_weights_note_active(weights, reluopt_weights_sum_gradient(weights, active, comm), m * batch);
    for (size_t i = 0; direction != DIRECTION_PLAIN && i < weights->inputs; i++)
        weights->mean[i] = sums[i] / (float)batch;
}

void reluopt_weights_aim(Weights *weights, const float *h, const float *target, size_t batch,
                         Direction direction, const Comm *comm)
{
    size_t m = weights->own.count, k = weights->inputs + 1;
    size_t columns = reluopt_comm_own_columns(comm, batch).count;
    Phase before = reluopt_phase_enter(PHASE_GRADIENT);
    weights->target = target;
    size_t active = reluopt_residual(weights->r, weights->z, target, weights->linear, m * columns);
    aim_gradient(weights, h, batch, columns, active, direction, comm);
    if (direction == DIRECTION_CENTRED)
        reluopt_centre(weights->g, weights->mean, m, weights->inputs);
    if (direction == DIRECTION_WHITENED)
        reluopt_whiten(weights->g, weights->mean, &weights->whitening->inverse, m, weights->whitened);
    reluopt_product(weights->d, weights->g, k, h, m, columns, k); /* D = G H */
    reluopt_phase_leave(before);
    before = reluopt_phase_enter(PHASE_RATES);
    reluopt_rate_sums(weights->z, weights->d, weights->r, weights->linear, m, columns, weights->sums_along,
                      weights->fastest);
    reluopt_phase_leave(before);
}
