/* dense.c - dense linear algebra by OpenBLAS and LAPACKE. */
#include "reluopt/dense.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdlib.h>

#include "reluopt/memory.h"

void reluopt_dense_start(void)
{
    openblas_set_num_threads(1);
}

const char *reluopt_dense_kernel(void)
{
    return openblas_get_corename();
}

static int in(size_t n)
{
    return (int)n;
}

void reluopt_product(float *c, const float *a, size_t lda, const float *b, size_t m, size_t n, size_t k)
{
    if (m && n)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, in(m), in(n), in(k), 1, a, in(lda), b, in(n), 0,
                    c, in(n));
}

void reluopt_product_nt(float *c, size_t ldc, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    if (m && n)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, in(m), in(n), in(k), 1, a, in(k), b, in(k), 0, c,
                    in(ldc));
}

void reluopt_product_tn(float *c, const float *a, size_t lda, const float *b, size_t m, size_t n, size_t k)
{
    if (m && n)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in(m), in(n), in(k), 1, a, in(lda), b, in(n), 0, c,
                    in(n));
}

/* A row-major matrix with orthonormal rows is the column-major one with orthonormal columns. */
int reluopt_orthonormalise(float *a, size_t m, size_t n, Error *error)
{
    int layout = m <= n ? LAPACK_COL_MAJOR : LAPACK_ROW_MAJOR;
    size_t tall = m <= n ? n : m, wide = m <= n ? m : n; /* tall x wide in that layout, leading dimension n */
    float *tau = reluopt_alloc(wide, sizeof *tau, error);
    float *sign = reluopt_alloc(wide, sizeof *sign, error);
    if (!tau || !sign)
        goto done;
    int info = LAPACKE_sgeqrf(layout, in(tall), in(wide), a, in(n), tau);
    for (size_t i = 0; i < wide; i++)
        sign[i] = a[i * n + i] < 0 ? -1.0f : 1.0f;
    if (info == 0)
        info = LAPACKE_sorgqr(layout, in(tall), in(wide), in(wide), a, in(n), tau);
    if (info != 0)
        reluopt_fail(error, RELUOPT_NUMERIC, "QR factorisation of a %zu x %zu matrix failed (LAPACK info %d)",
                     m, n, info);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] *= sign[m <= n ? i : j];
done:
    free(tau);
    free(sign);
    return error->code;
}

int reluopt_eigen(float *a, float *values, size_t n, Error *error)
{
    int info = LAPACKE_ssyevd(LAPACK_COL_MAJOR, 'V', 'U', in(n), a, in(n), values);
    if (info == LAPACK_WORK_MEMORY_ERROR)
        return reluopt_fail(error, RELUOPT_MEMORY, "no memory for the eigenvalues of a %zu x %zu matrix", n, n);
    if (info != 0)
        return reluopt_fail(error, RELUOPT_NUMERIC, "eigenvalues of a %zu x %zu matrix: LAPACK info %d", n, n,
                            info);
    return RELUOPT_OK;
}
