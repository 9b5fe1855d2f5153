/* bins.c - features sorted into a few bins each. */
#include "reluopt/bins.h"

#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"

int reluopt_bins_create(Bins *bins, size_t features, size_t columns, size_t limit, Error *error)
{
    *bins = (Bins){.limit = limit};
    bins->count = reluopt_alloc(features, sizeof *bins->count, error);
    bins->edge = reluopt_alloc(features * limit, sizeof *bins->edge, error);
    bins->bin = reluopt_alloc(features * columns, sizeof *bins->bin, error);
    bins->sorted = reluopt_alloc(columns, sizeof *bins->sorted, error);
    return error->code;
}

void reluopt_bins_free(Bins *bins)
{
    free(bins->count);
    free(bins->edge);
    free(bins->bin);
    free(bins->sorted);
    *bins = (Bins){0};
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static size_t distinct(const float *sorted, size_t count)
{
    size_t values = 1;
    for (size_t k = 1; k < count; k++)
        values += sorted[k] > sorted[k - 1];
    return values;
}

/* Between two values a < b: a <= edge < b, also after rounding. */
static float midway(float a, float b)
{
    float edge = 0.5f * a + 0.5f * b;
    return edge >= a && edge < b ? edge : a;
}

/* Edges of one feature from its sorted values; returns how many bins they make.  A bin is closed as soon as it
 * holds its share of the samples that were left when it was opened. */
static size_t cut(const float *sorted, size_t count, size_t limit, float *edge)
{
    size_t bins = 1, opened = 0, all = distinct(sorted, count) <= limit;
    for (size_t k = 1; k < count && bins < limit; k++) {
        size_t left = limit - bins + 1; /* bins, this one included */
        if (sorted[k] > sorted[k - 1] && (all || (k - opened) * left >= count - opened)) {
            edge[bins++ - 1] = midway(sorted[k - 1], sorted[k]);
            opened = k;
        }
    }
    return bins;
}

/* The first bin whose edge is not below x. */
static uint8_t find(const float *edge, size_t bins, float x)
{
    size_t low = 0, high = bins - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (x <= edge[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return (uint8_t)low;
}

void reluopt_bins_fill(Bins *bins, const float *x, size_t features, size_t columns)
{
    bins->features = features;
    bins->columns = columns;
    for (size_t i = 0; i < features; i++) {
        const float *row = x + i * columns;
        float *edge = bins->edge + i * bins->limit;
        memcpy(bins->sorted, row, columns * sizeof *row);
        qsort(bins->sorted, columns, sizeof *row, by_value);
        bins->count[i] = cut(bins->sorted, columns, bins->limit, edge);
        for (size_t k = 0; k < columns; k++)
            bins->bin[i * columns + k] = find(edge, bins->count[i], row[k]);
    }
}
