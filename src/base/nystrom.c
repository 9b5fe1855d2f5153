/* nystrom.c - the inverse of a large covariance with a ridge, through an approximation of low rank. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "reluopt/dense.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

/* small = a' b + ridge I, k x k; a, b: n x k. */
static void gram(float *small, const float *a, const float *b, size_t n, size_t k, float ridge)
{
    reluopt_product_tn(small, a, k, b, k, k, n);
    for (size_t i = 0; i < k; i++)
        small[i * k + i] += ridge;
}

/* a = a L'^-1 with L L' = small, which is spoilt.  False: not positive definite. */
static bool divide_by_root(float *a, float *small, size_t n, size_t k)
{
    int size = (int)k;
    reluopt_count_flops((uint64_t)k * k * k / 3 + (uint64_t)n * k * k);
    if (LAPACKE_spotrf(LAPACK_ROW_MAJOR, 'L', size, small, size) != 0)
        return false;
    cblas_strsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)n, size, 1, small, size,
                a, size);
    return true;
}

static float norm(const float *a, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * a[i];
    return (float)sqrt(sum);
}

/* With orthonormal columns O and Y = C O, C is about Y (O' Y)^-1 Y' = B B'; then (B B' + r I)^-1 r is
 * I - B (B' B + r I)^-1 B'.  A shift by the rounding of Y keeps O' Y positive definite. */
int reluopt_invert_low_rank(const float *c, size_t n, float ridge, float *basis, size_t k, Error *error)
{
    float *y = reluopt_alloc(n * k, sizeof *y, error), *small = reluopt_alloc(k * k, sizeof *small, error);
    if (!error->code && reluopt_orthonormalise(basis, n, k, error) == RELUOPT_OK) {
        reluopt_product(y, c, n, basis, n, k, n);
        float shift = 0x1p-22f * norm(y, n * k);
        for (size_t i = 0; i < n * k; i++)
            y[i] += shift * basis[i];
        gram(small, basis, y, n, k, 0);
        bool good = divide_by_root(y, small, n, k);
        gram(small, y, y, n, k, ridge);
        if (!good || !divide_by_root(y, small, n, k))
            reluopt_fail(error, RELUOPT_NUMERIC, "a %zu x %zu covariance is not positive definite", n, n);
        for (size_t i = 0; i < n * k; i++)
            basis[i] = y[i];
    }
    free(y);
    free(small);
    return error->code;
}
