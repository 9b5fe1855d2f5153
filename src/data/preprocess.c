/* preprocess.c - feature preprocessing: fitted on the training part, applied to any. */
#include "reluopt/preprocess.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "reluopt/dense.h"
#include "reluopt/memory.h"

enum { BLOCK = 1024 }; /* samples taken at once, so that memory does not grow with their number */

static const double zca_eps = 0.1; /* in units of the mean eigenvalue */

/* 1 / spread, and 1 where nothing varies. */
static float inverse(double spread)
{
    return spread > FLT_MIN ? (float)(1 / spread) : 1;
}

/* shift = the mean of each feature. */
static int fit_mean(Preprocess *pre, const Samples *train, Error *error)
{
    size_t n = train->features;
    double *sum = reluopt_alloc(n, sizeof *sum, error);
    if (!sum)
        return error->code;
    for (size_t j = 0; j < train->count; j++)
        for (size_t k = 0; k < n; k++)
            sum[k] += train->x[j * n + k];
    for (size_t k = 0; k < n; k++)
        pre->shift[k] = (float)(sum[k] / (double)train->count);
    free(sum);
    return RELUOPT_OK;
}

/* shift = min and scale = 1 / (max - min) over all features. */
static void fit_range(Preprocess *pre, const Samples *train)
{
    const float *x = train->x;
    float low = x[0], high = low;
#pragma omp simd reduction(min : low) reduction(max : high)
    for (size_t i = 1; i < train->count * train->features; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    for (size_t k = 0; k < train->features; k++) {
        pre->shift[k] = low;
        pre->scale[k] = inverse((double)high - low);
    }
}

/* shift = mean, scale = 1 / standard deviation of each feature. */
static int fit_deviation(Preprocess *pre, const Samples *train, Error *error)
{
    size_t n = train->features;
    if (fit_mean(pre, train, error))
        return error->code;
    double *sum = reluopt_alloc(n, sizeof *sum, error);
    if (!sum)
        return error->code;
    for (size_t j = 0; j < train->count; j++)
        for (size_t k = 0; k < n; k++) {
            double d = (double)train->x[j * n + k] - pre->shift[k];
            sum[k] += d * d;
        }
    for (size_t k = 0; k < n; k++)
        pre->scale[k] = inverse(sqrt(sum[k] / (double)train->count));
    free(sum);
    return RELUOPT_OK;
}

/* z = (x - shift) * scale for `count` samples; z may be x. */
static void shift_and_scale(const Preprocess *pre, const float *x, float *z, size_t count)
{
    size_t n = pre->features;
    for (size_t j = 0; j < count; j++)
        for (size_t k = 0; k < n; k++)
            z[j * n + k] = (x[j * n + k] - pre->shift[k]) * pre->scale[k];
}

static size_t block_count(const Samples *samples, size_t first)
{
    return samples->count - first < BLOCK ? samples->count - first : BLOCK;
}

/* covariance = z' z / count of the standardised samples z. */
static int fit_covariance(const Preprocess *pre, const Samples *train, float *covariance, Error *error)
{
    size_t n = train->features;
    float *z = reluopt_alloc(BLOCK * sizeof *z, n, error);
    float *product = z ? reluopt_alloc(n, n * sizeof *product, error) : NULL;
    double *sum = product ? reluopt_alloc(n, n * sizeof *sum, error) : NULL;
    for (size_t first = 0; sum && first < train->count; first += BLOCK) {
        size_t count = block_count(train, first);
        shift_and_scale(pre, train->x + first * n, z, count);
        reluopt_product_tn(product, z, n, z, n, n, count);
        for (size_t i = 0; i < n * n; i++)
            sum[i] += product[i];
    }
    for (size_t i = 0; sum && i < n * n; i++)
        covariance[i] = (float)(sum[i] / (double)train->count);
    free(sum);
    free(product);
    free(z);
    return error->code;
}

/* matrix = U diag((s + eps)^-1/2) U' = Q' Q, where Q is U' with rows times (s + eps)^-1/4. */
static void whiten(float *matrix, float *eigenvectors, const float *value, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fmax(value[i], 0);
    double eps = sum > 0 ? zca_eps * sum / (double)n : 1; /* all features constant: the identity */
    for (size_t i = 0; i < n; i++) {
        float factor = (float)pow(fmax(value[i], 0) + eps, -0.25);
        for (size_t k = 0; k < n; k++)
            eigenvectors[i * n + k] *= factor;
    }
    reluopt_product_tn(matrix, eigenvectors, n, eigenvectors, n, n, n);
}

static int fit_zca(Preprocess *pre, const Samples *train, Error *error)
{
    size_t n = train->features;
    if (n > RELUOPT_EIGEN_MOST)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "preprocess: zca takes at most %d features, and the data have %zu: use "
                            "preprocess: standardise",
                            RELUOPT_EIGEN_MOST, n);
    if (fit_deviation(pre, train, error))
        return error->code;
    pre->matrix = reluopt_alloc(n, n * sizeof *pre->matrix, error);
    float *eigenvectors = pre->matrix ? reluopt_alloc(n, n * sizeof *eigenvectors, error) : NULL;
    float *value = eigenvectors ? reluopt_alloc(n, sizeof *value, error) : NULL;
    if (value && !fit_covariance(pre, train, eigenvectors, error) &&
        !reluopt_eigen(eigenvectors, value, n, error))
        whiten(pre->matrix, eigenvectors, value, n);
    free(value);
    free(eigenvectors);
    return error->code;
}

static int fit_kind(Preprocess *pre, const Samples *train, Error *error)
{
    switch (pre->kind) {
    case PREPROCESS_NONE:
        return RELUOPT_OK;
    case PREPROCESS_SCALE:
        fit_range(pre, train);
        return RELUOPT_OK;
    case PREPROCESS_CENTRE: /* (x - min) / span - mean((x - min) / span) = (x - mean) / span */
        fit_range(pre, train);
        return fit_mean(pre, train, error);
    case PREPROCESS_STANDARDISE:
        return fit_deviation(pre, train, error);
    case PREPROCESS_ZCA:
        return fit_zca(pre, train, error);
    case PREPROCESS_AUTO:
        break;
    }
    return reluopt_fail(error, RELUOPT_BUG, "preprocessing kind %d", (int)pre->kind);
}

int reluopt_preprocess_fit(Preprocess *pre, PreprocessKind kind, const Samples *train, Error *error)
{
    *pre = (Preprocess){.kind = kind, .features = train->features};
    if (train->count == 0 || train->features == 0)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "preprocessing needs training samples, and there are none: use another data set or split");
    pre->shift = reluopt_alloc(pre->features, sizeof *pre->shift, error);
    pre->scale = reluopt_alloc(pre->features, sizeof *pre->scale, error);
    for (size_t k = 0; !error->code && k < pre->features; k++)
        pre->scale[k] = 1;
    if (error->code || fit_kind(pre, train, error))
        reluopt_preprocess_free(pre);
    return error->code;
}

int reluopt_preprocess_apply(const Preprocess *pre, Samples *samples, Error *error)
{
    if (samples->count == 0)
        return RELUOPT_OK;
    size_t n = pre->features;
    if (samples->features != n)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%zu features a sample, but the preprocessing was fitted to %zu: use files of one data set",
            samples->features, n);
    if (pre->kind == PREPROCESS_NONE)
        return RELUOPT_OK;
    if (!pre->matrix) {
        shift_and_scale(pre, samples->x, samples->x, samples->count);
        return RELUOPT_OK;
    }
    float *z = reluopt_alloc(BLOCK * sizeof *z, n, error);
    for (size_t first = 0; z && first < samples->count; first += BLOCK) {
        size_t count = block_count(samples, first);
        shift_and_scale(pre, samples->x + first * n, z, count);
        reluopt_product(samples->x + first * n, z, n, pre->matrix, count, n, n);
    }
    free(z);
    return error->code;
}

void reluopt_preprocess_free(Preprocess *pre)
{
    free(pre->shift);
    free(pre->scale);
    free(pre->matrix);
    *pre = (Preprocess){0};
}
