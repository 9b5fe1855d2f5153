/* step.c - choose the step of every aimed weight matrix, agree on it where the scope is the layer, take it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/anchor.h"
#include "reluopt/rates.h"
#include "reluopt/tally.h"
#include "reluopt/weights.h"

enum {
    MATRICES = 2 * RELUOPT_MAX_LAYERS + 2, /* most that step together: W[1..L] and V[2..L] */
    TRIALS = RELUOPT_TRIALS,
    SUMS = RELUOPT_TRIAL_SUMS
};
static const float smallest = 0x1p-60f, largest = 0x1p60f; /* the line search stays between them */

static float smaller_of(const float *x, size_t n)
{
    float least = INFINITY;
    for (size_t j = 0; j < n; j++)
        least = fminf(least, x[j]);
    return least;
}

/* (3-19), (3-20): each layer's two minima over the neurons of all ranks, in one reduction. */
static void bounds_of_layers(Weights *const *list, size_t count, const Comm *comm)
{
    float least[2 * MATRICES];
    for (size_t i = 0; i < count; i++) {
        least[2 * i] = smaller_of(list[i]->opt, list[i]->own.count);
        least[2 * i + 1] = smaller_of(list[i]->online, list[i]->own.count);
    }
    reluopt_comm_min(comm, least, 2 * count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i]->own.count; j++) {
            list[i]->opt[j] = least[2 * i];
            list[i]->online[j] = least[2 * i + 1];
        }
}

/* (3-15), (3-18) from all columns of the batch.  Collective along the data. */
static void total_bounds(Weights *const *list, size_t count, const Comm *comm)
{
    size_t neurons = 0;
    for (size_t i = 0; i < count; i++)
        neurons += list[i]->own.count;
    reluopt_comm_data_sum(comm, list[0]->sums_along, 2 * neurons);
    reluopt_comm_data_max(comm, list[0]->fastest, neurons);
    for (size_t i = 0; i < count; i++)
        reluopt_rate_bounds(list[i]->sums_along, list[i]->fastest, list[i]->own.count, list[i]->opt,
                            list[i]->online);
}

static void rates_by_bounds(Weights *const *list, size_t count, const Config *config, const Comm *comm)
{
    total_bounds(list, count, comm);
    if (config->rate.scope == SCOPE_LAYER)
        bounds_of_layers(list, count, comm);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i]->own.count; j++) {
            float opt = list[i]->opt[j], online = list[i]->online[j];
            list[i]->rate[j] = reluopt_rate((RateRule)config->rate.rule, opt, online);
            reluopt_weights_note_bound(list[i], j, online < opt);
        }
}

static float largest_of(const float *x, size_t n)
{
    float most = 0;
    for (size_t k = 0; k < n; k++)
        most = fmaxf(most, fabsf(x[k]));
    return most;
}

/* Scope layer: the least loss of all neurons together, on all ranks, in four reductions after one for the sizes
 * of what is added. */
static float exact_rate_of_layer(const Weights *weights, size_t batch, const Comm *comm)
{
    size_t columns = reluopt_comm_own_columns(comm, batch).count, pairs = weights->own.count * columns;
    double sizes[] = {largest_of(weights->z, pairs), largest_of(weights->d, pairs),
                      largest_of(weights->target, pairs)};
    float rate;
    KinkBracket bracket = {.low = 0, .shift = 23};
    KinkBins bins;
    reluopt_comm_largest(comm, sizes, 3);
    do {
        KinkAnchors anchors = reluopt_kink_anchors(sizes, bracket, weights->outputs * batch);
        bins = (KinkBins){0};
        for (size_t j = 0; j < weights->own.count; j++) {
            size_t at = j * columns;
            reluopt_bin_kinks(&bins, weights->z + at, weights->d + at, weights->target + at, weights->linear,
                              columns, bracket, anchors, weights->kinks);
        }
        reluopt_comm_sum(comm, (double *)&bins, sizeof bins / sizeof(double));
    } while (reluopt_narrow(&bins, &bracket, &rate));
    return rate;
}

/* From rho_opt to the exact minimiser, of each neuron or of the layer. */
static void exact_rates(Weights *weights, size_t batch, RateScope scope, const Comm *comm)
{
    size_t columns = reluopt_comm_own_columns(comm, batch).count;
    float layer = scope == SCOPE_LAYER ? exact_rate_of_layer(weights, batch, comm) : 0;
    for (size_t j = 0; j < weights->own.count; j++) {
        size_t at = j * columns;
        weights->rate[j] = scope == SCOPE_LAYER
                               ? layer
                               : reluopt_rate_exact(weights->z + at, weights->d + at, weights->target + at,
                                                    weights->linear, columns, weights->rate[j], weights->kinks);
    }
}

/* Add one neuron's losses at start, start/2, ... and how much it moves. */
static void neuron_sums(const Weights *weights, size_t j, size_t columns, float start, double sums[SUMS])
{
    size_t at = j * columns;
    const float *d = weights->d + at;
    reluopt_trial_losses(weights->z + at, d, weights->target + at, weights->linear, columns, start, TRIALS,
                         sums);
    for (size_t k = 0; k < columns; k++)
        sums[TRIALS + 1] += (double)d[k] * d[k];
}

/* Look through the sums of one search.  True when it is over: *rate is the step (0: none), *last the step
 * accepted, as rho = rate / unit, which does not depend on the size of the batch; else *start is where to go
 * on. */
static bool search_over(const double sums[SUMS], float unit, float *start, float *rate, float *last)
{
    *rate = 0;
    if (!(sums[TRIALS + 1] > 0))
        return true;
    for (int i = 0; i < TRIALS; i++)
        if (sums[1 + i] <= sums[0]) {
            *rate = ldexpf(*start, -i);
            *last = fminf(*rate / unit, largest);
            return true;
        }
    *start = ldexpf(*start, -TRIALS);
    return *start < smallest;
}

/* A round of the searches of own neurons, each by itself: start[j] is where it goes on, 0 where it is over. Are
 * some not over?  Collective along the data. */
static bool search_on(Weights *weights, size_t columns, float unit, float *start, const Comm *comm)
{
    size_t m = weights->own.count;
    bool left = false;
    memset(weights->trials, 0, m * SUMS * sizeof *weights->trials);
    for (size_t j = 0; j < m; j++)
        if (start[j] > 0)
            neuron_sums(weights, j, columns, start[j], weights->trials + j * SUMS);
    reluopt_comm_data_sum_doubles(comm, weights->trials, m * SUMS);
    for (size_t j = 0; j < m; j++) {
        if (start[j] > 0 &&
            search_over(weights->trials + j * SUMS, unit, &start[j], &weights->rate[j], &weights->last[j]))
            start[j] = 0;
        left |= start[j] > 0;
    }
    return left;
}

/* Scope neuron: every neuron searches by itself.  All ranks make as many rounds where they have to meet. */
static void search_neurons(Weights *weights, size_t columns, float first, float unit, const Comm *comm)
{
    float *start = weights->opt; /* not needed by a line search */
    int left;
    for (size_t j = 0; j < weights->own.count; j++)
        start[j] = unit * (weights->last[j] > 0 ? 2 * weights->last[j] : first);
    do {
        left = search_on(weights, columns, unit, start, comm);
        if (comm->data.size > 1)
            reluopt_comm_max(comm, &left, 1);
    } while (left);
}

/* The sums of all neurons of one matrix, kept apart in weights->trials; most: the largest of each. */
static void sums_of_neurons(Weights *weights, size_t columns, float start, double most[SUMS])
{
    memset(weights->trials, 0, weights->own.count * SUMS * sizeof *weights->trials);
    for (size_t j = 0; j < weights->own.count; j++) {
        double *sums = weights->trials + j * SUMS;
        neuron_sums(weights, j, columns, start, sums);
        for (int i = 0; i < SUMS; i++)
            most[i] = fmax(most[i], sums[i]);
    }
}

/* What sums_of_neurons left, added up; the same bits in any order of the neurons. */
static void add_neurons(const Weights *weights, const double most[SUMS], double sums[SUMS], const Comm *comm)
{
    for (int i = 0; i < SUMS; i++) {
        double anchor = reluopt_anchor(most[i], weights->outputs * (size_t)comm->data.size);
        for (size_t j = 0; j < weights->own.count; j++)
            sums[i] += reluopt_anchored(weights->trials[j * SUMS + (size_t)i], anchor);
    }
}

/* Scope layer: all searches of all matrices go on together, two reductions for TRIALS halvings of each. */
static void search_layers(Weights *const *list, size_t count, size_t columns, float first, float unit,
                          const Comm *comm)
{
    float start[MATRICES], rate[MATRICES];
    bool over[MATRICES] = {false};
    for (size_t i = 0; i < count; i++)
        start[i] = unit * (list[i]->last_layer > 0 ? 2 * list[i]->last_layer : first);
    for (size_t left = count; left > 0;) {
        double most[MATRICES][SUMS] = {{0}}, sums[MATRICES][SUMS] = {{0}};
        for (size_t i = 0; i < count; i++)
            if (!over[i])
                sums_of_neurons(list[i], columns, start[i], most[i]);
        reluopt_comm_largest(comm, &most[0][0], count * SUMS);
        for (size_t i = 0; i < count; i++)
            if (!over[i])
                add_neurons(list[i], most[i], sums[i], comm);
        reluopt_comm_sum(comm, &sums[0][0], count * SUMS);
        for (size_t i = 0; i < count; i++)
            if (!over[i] && search_over(sums[i], unit, &start[i], &rate[i], &list[i]->last_layer)) {
                over[i] = true;
                left--;
            }
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < list[i]->own.count; j++) {
            // cppcheck-suppress uninitvar ; the search that ended has set it
            list[i]->rate[j] = rate[i];
            list[i]->last[j] = list[i]->last_layer;
        }
}

/* W -= rho G (3-14). */
static void take_steps(Weights *const *list, size_t count, float unit)
{
    Phase before = reluopt_phase_enter(PHASE_UPDATE);
    for (size_t i = 0; i < count; i++) {
        Weights *weights = list[i];
        weights->spoilt |=
            !reluopt_step_rows(weights->w, weights->g, weights->rate, weights->own.count, weights->inputs + 1);
        for (size_t j = 0; j < weights->own.count; j++)
            reluopt_weights_note_step(weights, j, (double)(weights->rate[j] / unit));
    }
    reluopt_phase_leave(before);
}

void reluopt_weights_step(Weights *const *list, size_t count, size_t batch, const Config *config,
                          const Comm *comm)
{
    size_t columns = reluopt_comm_own_columns(comm, batch).count;
    Phase before = reluopt_phase_enter(PHASE_RATES);
    float unit = 2 / (float)batch; /* from rho, which belongs to (2/B) R H', to a rate for R H' */
    float first = (float)config->rate.start;
    if (config->variant != VARIANT_LINE_SEARCH)
        rates_by_bounds(list, count, config, comm);
    else if (config->rate.scope == SCOPE_LAYER)
        search_layers(list, count, columns, first, unit, comm);
    else
        for (size_t i = 0; i < count; i++)
            search_neurons(list[i], columns, first, unit, comm);
    for (size_t i = 0; i < count; i++)
        if (list[i]->kinks)
            exact_rates(list[i], batch, (RateScope)config->rate.scope, comm);
    reluopt_phase_leave(before);
    take_steps(list, count, unit);
}
