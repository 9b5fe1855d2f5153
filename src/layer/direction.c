/* direction.c - the direction in which a layer's weights move. */
#include "reluopt/direction.h"

#include <string.h>

#include "reluopt/dense.h"

/* Gc = G - g_b mu', g_b the last column. */
static void subtract_mean(float *g, const float *mean, size_t rows, size_t n)
{
    for (size_t j = 0; j < rows; j++) {
        float *row = g + j * (n + 1), bias = row[n];
        for (size_t i = 0; i < n; i++)
            row[i] -= bias * mean[i];
    }
}

/* g_b - G mu in the last column. */
static void carry_mean(float *g, const float *mean, size_t rows, size_t n)
{
    for (size_t j = 0; j < rows; j++) {
        float *row = g + j * (n + 1), carried = 0;
#pragma omp simd reduction(+ : carried)
        for (size_t i = 0; i < n; i++)
            carried += row[i] * mean[i];
        row[n] -= carried;
    }
}

void reluopt_centre(float *g, const float *mean, size_t rows, size_t n)
{
    subtract_mean(g, mean, rows, n);
    carry_mean(g, mean, rows, n);
}

void reluopt_whiten(float *g, const float *mean, const float *inverse, size_t c, size_t rows, size_t n,
                    float *scratch)
{
    subtract_mean(g, mean, rows, n);
    if (c == 1)
        for (size_t j = 0; j < rows; j++)
            for (size_t i = 0; i < n; i++)
                g[j * (n + 1) + i] *= inverse[i];
    else {
        reluopt_product(scratch, g, n + 1, inverse, rows, n, n);
        for (size_t j = 0; j < rows; j++)
            memcpy(g + j * (n + 1), scratch + j * n, n * sizeof *g);
    }
    carry_mean(g, mean, rows, n);
}
