/* direction.c - the direction in which a layer's weights move. */
#include "reluopt/direction.h"

void reluopt_centre(float *g, const float *mean, size_t rows, size_t n)
{
    for (size_t j = 0; j < rows; j++) {
        float *row = g + j * (n + 1);
        float bias = row[n], carried = 0;
#pragma omp simd reduction(+ : carried)
        for (size_t i = 0; i < n; i++) {
            row[i] -= bias * mean[i];
            carried += row[i] * mean[i];
        }
        row[n] = bias - carried;
    }
}
