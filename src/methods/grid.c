/* grid.c - how many parts of the batch and of the neurons cost least in messages. */
#include "reluopt/grid.h"

#include <string.h>

#include "reluopt/whitening.h"

/* Widths of layers first..last. */
static double widths(const Shape *shape, size_t first, size_t last)
{
    double sum = 0;
    for (size_t i = first; i <= last; i++)
        sum += (double)shape->width[i];
    return sum;
}

/* Values of W[first..last]. */
static double matrices(const Shape *shape, size_t first, size_t last)
{
    double sum = 0;
    for (size_t i = first; i <= last; i++)
        sum += (double)shape->width[i] * (double)(shape->width[i - 1] + 1);
    return sum;
}

/* Values of V[2..last]. */
static double inverses(const Shape *shape, size_t last)
{
    double sum = 0;
    for (size_t i = 2; i <= last; i++)
        sum += (double)shape->width[i - 1] * (double)(shape->width[i] + 1);
    return sum;
}

/* Values of the covariances of H[1..L-1], which are summed in every fourth step. */
static double covariances(const Shape *shape)
{
    double sum = 0;
    for (size_t i = 1; i < shape->layers; i++)
        sum +=
            shape->width[i] > RELUOPT_WHITENING_WIDEST ? 0 : (double)shape->width[i] * (double)shape->width[i];
    return sum / 4;
}

/* Of targets, from layer `last` down, and of what trains inverses. */
static void add_propagation(GridCost *cost, const Config *config, const Shape *shape, size_t last)
{
    bool trained = config->inverse.kind == INVERSE_TRAINED, mirror = config->inverse.kind == INVERSE_MIRROR;
    if (config->inverse.kind == INVERSE_TRANSPOSE)
        cost->neurons += widths(shape, 1, last - 1);
    else
        cost->neurons += widths(shape, 2, last - 1);
    if (trained || mirror) {
        cost->neurons += config->inverse.steps * widths(shape, 2, last);
        cost->weights += config->inverse.steps * inverses(shape, last);
    }
}

GridCost reluopt_grid_cost(const Config *config, const Shape *shape)
{
    size_t last = shape->layers;
    GridCost cost = {widths(shape, 1, last), matrices(shape, 1, last)};
    if (strcmp(config->method, "adaptive") == 0) {
        add_propagation(&cost, config, shape, last);
        cost.weights += config->direction == DIRECTION_WHITENED ? covariances(shape) : 0;
    } else if (strcmp(config->method, "tp") == 0 || strcmp(config->method, "dtp") == 0) {
        if (config->target_layer == TARGET_PENULTIMATE) {
            cost.neurons += 2 * widths(shape, last - 1, last - 1); /* W[L]' Delta, T[L-1] */
            last--;
        }
        add_propagation(&cost, config, shape, last);
    } else if (strcmp(config->method, "fa") == 0) {
        cost.neurons += widths(shape, 2, last - 1);
    } else if (strcmp(config->method, "dfa") != 0) {
        cost.neurons += widths(shape, 1, last - 1);
    }
    return cost;
}

/* A sum over ranks takes two passes over the vector: its parts to where they are added, totals back. */
double reluopt_grid_bytes(GridCost cost, size_t batch, int data, int neurons)
{
    size_t columns = (batch + (size_t)data - 1) / (size_t)data;
    double gathered = cost.neurons * (double)columns * (neurons - 1) / neurons;
    double summed = 2 * cost.weights / neurons * (data - 1) / data;
    return sizeof(float) * (gathered + summed);
}

int reluopt_grid_choose(const Config *config, const Shape *shape, size_t batch, int size)
{
    GridCost cost = reluopt_grid_cost(config, shape);
    int best = 1;
    if (reluopt_config_undivided(config))
        return best;
    for (int data = 2; data <= size && (size_t)data <= batch; data++)
        if (size % data == 0 && reluopt_grid_bytes(cost, batch, data, size / data) <
                                    reluopt_grid_bytes(cost, batch, best, size / best))
            best = data;
    return best;
}
