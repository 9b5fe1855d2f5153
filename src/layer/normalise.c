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
                            .spread = reluopt_alloc(rows, sizeof(float), error),
                            .mean = reluopt_alloc(rows, sizeof(double), error),
                            .sums = reluopt_alloc(2 * rows, sizeof(double), error)};
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
    free(norm->mean);
    free(norm->sums);
    *norm = (Normalisation){0};
}

void reluopt_normalise(const Normalisation *norm, float *y, const float *z, size_t columns)
{
    for (size_t j = 0; j < norm->rows; j++, y += columns, z += columns) {
        const float *running = norm->running + 2 * j;
        float gamma = norm->scale[2 * j] / (float)sqrt(running[1] + RELUOPT_NORMALISE_EPSILON);
        float beta = norm->scale[2 * j + 1] - gamma * running[0];
        for (size_t k = 0; k < columns; k++)
            y[k] = gamma * z[k] + beta; /* (2-33) */
    }
}

void reluopt_normalise_sums(Normalisation *norm, const float *z, size_t columns)
{
    for (size_t j = 0; j < norm->rows; j++, z += columns) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t k = 0; k < columns; k++)
            sum += z[k];
        norm->sums[j] = sum;
    }
}

void reluopt_normalise_squares(Normalisation *norm, const float *z, size_t columns, size_t batch)
{
    for (size_t j = 0; j < norm->rows; j++, z += columns) {
        double mean = norm->sums[j] / (double)batch, squares = 0;
#pragma omp simd reduction(+ : squares)
        for (size_t k = 0; k < columns; k++)
            squares += (z[k] - mean) * (z[k] - mean);
        norm->mean[j] = mean;
        norm->sums[j] = squares;
    }
}

void reluopt_normalise_batch(Normalisation *norm, float *y, float *z, size_t columns, size_t batch)
{
    for (size_t j = 0; j < norm->rows; j++, y += columns, z += columns) {
        double variance = norm->sums[j] / (double)batch;
        float centre = (float)norm->mean[j], spread = (float)(1 / sqrt(variance + RELUOPT_NORMALISE_EPSILON));
        float gamma = norm->scale[2 * j], beta = norm->scale[2 * j + 1], *running = norm->running + 2 * j;
        for (size_t k = 0; k < columns; k++) {
            z[k] = (z[k] - centre) * spread; /* (2-30) .. (2-32) */
            y[k] = gamma * z[k] + beta;      /* (2-33) */
        }
        norm->spread[j] = spread;
        if (batch > 1) {
            running[0] += share * (centre - running[0]);
            running[1] += share * ((float)variance - running[1]);
        }
    }
}

void reluopt_normalise_slopes(Normalisation *norm, const float *delta, const float *z, size_t columns)
{
    for (size_t j = 0; j < norm->rows; j++, delta += columns, z += columns) {
        double along = 0, sum = 0;
#pragma omp simd reduction(+ : along, sum)
        for (size_t k = 0; k < columns; k++) {
            along += (double)delta[k] * z[k];
            sum += delta[k];
        }
        norm->sums[2 * j] = along;
        norm->sums[2 * j + 1] = sum;
    }
}

void reluopt_normalise_back(Normalisation *norm, float *delta, const float *z, size_t columns, size_t batch)
{
    for (size_t j = 0; j < norm->rows; j++, delta += columns, z += columns) {
        double along = norm->sums[2 * j], sum = norm->sums[2 * j + 1];
        norm->g[2 * j] = (float)along;
        norm->g[2 * j + 1] = (float)sum;
        float factor = norm->scale[2 * j] * norm->spread[j];
        float mean = (float)(sum / (double)batch), slope = (float)(along / (double)batch);
        for (size_t k = 0; k < columns; k++)
            delta[k] = factor * (delta[k] - mean - slope * z[k]);
    }
}
