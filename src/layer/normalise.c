/* normalise.c - batch normalisation of a layer's pre-activations, neuron by neuron. */
#include "reluopt/normalise.h"

#include <math.h>
#include <stdlib.h>

#include "reluopt/memory.h"

static const float share = 0.1f; /* of a batch in the running statistics */

int reluopt_normalisation_create(Normalisation *norm, size_t rows, Error *error)
{
    *norm = (Normalisation){.rows = rows,
                            .scale = reluopt_alloc(2 * rows, sizeof(float), error),
                            .running = reluopt_alloc(2 * rows, sizeof(float), error),
                            .g = reluopt_alloc(2 * rows, sizeof(float), error),
                            .spread = reluopt_alloc(rows, sizeof(float), error)};
    for (size_t j = 0; !error->code && j < rows; j++) {
        norm->scale[2 * j] = 1;
        norm->running[2 * j + 1] = 1;
    }
    return error->code;
}

void reluopt_normalisation_free(Normalisation *norm)
{
    free(norm->scale);
    free(norm->running);
    free(norm->g);
    free(norm->spread);
    *norm = (Normalisation){0};
}

/* z = (z - mu) / sqrt(sigma^2 + eps) (2-30) .. (2-32); running takes mu and sigma^2.  Returns 1 / sqrt(...). */
static float normalise_by_batch(float *z, float *running, size_t columns)
{
    double mean = 0, variance = 0;
#pragma omp simd reduction(+ : mean)
    for (size_t k = 0; k < columns; k++)
        mean += z[k];
    mean /= (double)columns;
#pragma omp simd reduction(+ : variance)
    for (size_t k = 0; k < columns; k++)
        variance += (z[k] - mean) * (z[k] - mean);
    variance /= (double)columns;
    float centre = (float)mean, spread = (float)(1 / sqrt(variance + RELUOPT_NORMALISE_EPSILON));
    for (size_t k = 0; k < columns; k++)
        z[k] = (z[k] - centre) * spread;
    if (columns > 1) {
        running[0] += share * (centre - running[0]);
        running[1] += share * ((float)variance - running[1]);
    }
    return spread;
}

void reluopt_normalise(Normalisation *norm, float *y, float *z, size_t columns, bool training)
{
    for (size_t j = 0; j < norm->rows; j++, y += columns, z += columns) {
        float *running = norm->running + 2 * j;
        float gamma = norm->scale[2 * j], beta = norm->scale[2 * j + 1];
        if (training) {
            norm->spread[j] = normalise_by_batch(z, running, columns);
        } else {
            gamma /= (float)sqrt(running[1] + RELUOPT_NORMALISE_EPSILON);
            beta -= gamma * running[0];
        }
        for (size_t k = 0; k < columns; k++)
            y[k] = gamma * z[k] + beta; /* (2-33) */
    }
}

void reluopt_normalise_back(Normalisation *norm, float *delta, const float *z, size_t columns)
{
    for (size_t j = 0; j < norm->rows; j++, delta += columns, z += columns) {
        double along = 0, sum = 0;
#pragma omp simd reduction(+ : along, sum)
        for (size_t k = 0; k < columns; k++) {
            along += (double)delta[k] * z[k];
            sum += delta[k];
        }
        norm->g[2 * j] = (float)along;
        norm->g[2 * j + 1] = (float)sum;
        float factor = norm->scale[2 * j] * norm->spread[j];
        float mean = (float)(sum / (double)columns), slope = (float)(along / (double)columns);
        for (size_t k = 0; k < columns; k++)
            delta[k] = factor * (delta[k] - mean - slope * z[k]);
    }
}
