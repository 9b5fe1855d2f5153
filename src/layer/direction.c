/* direction.c - the direction in which a layer's weights move. */
#include "reluopt/direction.h"

#include <stdbool.h>

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

/* product = G part, or G part part' after a detour over c columns. */
static void multiply(float *product, const float *g, const Symmetric *p, size_t rows)
{
    float *few = product + rows * p->n;
    bool whole = p->form == SYMMETRIC_WHOLE;
    reluopt_product(whole ? product : few, g, p->n + 1, p->part, rows, p->c, p->n);
    if (!whole)
        reluopt_product_nt(product, p->n, few, p->part, rows, p->n, p->c);
}

void reluopt_whiten(float *g, const float *mean, const Symmetric *p, size_t rows, float *scratch)
{
    size_t n = p->n;
    subtract_mean(g, mean, rows, n);
    if (p->form != SYMMETRIC_DIAGONAL)
        multiply(scratch, g, p, rows);
    for (size_t j = 0; j < rows; j++) {
        float *row = g + j * (n + 1);
        const float *product = scratch + j * n;
        for (size_t i = 0; i < n; i++)
            row[i] = p->form == SYMMETRIC_WHOLE      ? product[i]
                     : p->form == SYMMETRIC_DIAGONAL ? row[i] * p->part[i]
                                                     : p->scale * (row[i] - product[i]);
    }
    carry_mean(g, mean, rows, n);
}
