/* alpha.c - the target step alpha, chosen from what the steps taken with it brought on other samples. */
#include "reluopt/alpha.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/tally.h"

enum { DENSE = 64 }; /* first steps, which are measured more often */
/* Below the smallest, rounding of the losses would outweigh their second difference, in which a step counts
 * squared. */
static const double smallest = 0x1p-7, largest = 0x1p7;

static size_t values(const Network *net, size_t i)
{
    return net->weights[i].own.count * (net->weights[i].inputs + 1);
}

int reluopt_alpha_create(Alpha *alpha, const Network *net, Error *error)
{
    bool whitened = net->config->direction == DIRECTION_WHITENED;
    *alpha = (Alpha){.state = {.alpha = 1}, .relaxation = whitened ? 1 : 1.5};
    for (size_t i = 1; i <= net->shape.layers; i++)
        if (!(alpha->before[i] = reluopt_alloc(values(net, i), sizeof(float), error)))
            break;
    return error->code;
}

void reluopt_alpha_free(Alpha *alpha, const Network *net)
{
    for (size_t i = 1; i <= net->shape.layers; i++)
        free(alpha->before[i]);
}

/* Steps from one that is measured to the next. */
static uint64_t interval(uint64_t step)
{
    return step <= DENSE ? 4 : 16;
}

/* Is the step before number `step` measured, with that step's batch? */
static bool is_measured(uint64_t step)
{
    return step % interval(step) == 1;
}

static void exchange(Alpha *alpha, Network *net)
{
    for (size_t i = 1; i <= net->shape.layers; i++) {
        float *w = net->weights[i].w;
        net->weights[i].w = alpha->before[i];
        alpha->before[i] = w;
    }
}

/* The batch's loss with the weights in `before`. */
static double loss_before(Alpha *alpha, Network *net, const Batch *batch)
{
    Score score = {0};
    size_t last = net->shape.layers;
    exchange(alpha, net);
    reluopt_network_forward(net, batch);
    exchange(alpha, net);
    reluopt_cross_entropy(net->h[last], batch->label, net->shape.width[last], net->columns, &score, NULL);
    reluopt_score_sum(net->comm, &(Score){0}, &score);
    return score.loss;
}

void reluopt_alpha_measure(Alpha *alpha, Network *net, const Batch *batch, uint64_t step)
{
    if (!is_measured(step))
        return;
    Phase before = reluopt_phase_enter(PHASE_TARGETS);
    alpha->loss[0] = loss_before(alpha, net, batch);
    for (size_t i = 1; i <= net->shape.layers; i++)
        for (size_t k = 0; k < values(net, i); k++)
            alpha->before[i][k] = (alpha->before[i][k] + net->weights[i].w[k]) / 2;
    alpha->loss[1] = loss_before(alpha, net, batch);
    reluopt_phase_leave(before);
}

void reluopt_alpha_choose(Alpha *alpha, const Network *net, double loss, uint64_t step)
{
    double count = (double)net->batch;
    const double losses[] = {alpha->loss[0] / count, alpha->loss[1] / count, loss / count};
    if (is_measured(step))
        reluopt_alpha_follow(&alpha->state, losses, (double)interval(step), alpha->relaxation);
    for (size_t i = 1; is_measured(step + 1) && i <= net->shape.layers; i++)
        memcpy(alpha->before[i], net->weights[i].w, values(net, i) * sizeof(float));
}

void reluopt_alpha_follow(AlphaState *state, const double loss[3], double weight, double relaxation)
{
    double alpha = state->alpha;
    double curvature = 2 * weight * (loss[0] - 2 * loss[1] + loss[2]);
    double slope = weight * (loss[0] - loss[2]) + curvature;
    if (!isfinite(slope) || !isfinite(curvature))
        return;
    state->slope += (float)(slope / alpha);
    state->curvature += (float)(curvature / (alpha * alpha));
    double best = state->slope > state->curvature * alpha ? INFINITY : 0; /* does the sum fall up to alpha? */
    if (state->curvature > 0)
        best = relaxation * state->slope / (2 * (double)state->curvature);
    best = fmin(fmax(best, alpha / 2), 2 * alpha);
    state->alpha = (float)fmin(fmax(best, smallest), largest);
}

size_t reluopt_alpha_memory(Alpha *alpha, const Network *net, Array *list)
{
    if (list) {
        *list = (Array){.name = "alpha", .rows = 1, .cols = 3, .count = 1, .shared = true};
        list->data = &alpha->state.alpha;
    }
    for (size_t i = 1; list && i <= net->shape.layers; i++) {
        list[i] = reluopt_weights_array(&net->weights[i], "B", i);
        list[i].data = alpha->before[i];
    }
    return 1 + net->shape.layers;
}
