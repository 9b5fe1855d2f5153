/* dense.c - dense linear algebra by OpenBLAS and LAPACKE. */
#include "reluopt/dense.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/tally.h"

static int in(size_t n)
{
    return (int)n;
}

typedef void Product(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t m, size_t n,
                     size_t k);

static void call_nn(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t m, size_t n,
                    size_t k)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, in(m), in(n), in(k), 1, a, in(lda), b, in(n), 0, c,
                in(ldc));
}

static void call_nt(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t m, size_t n,
                    size_t k)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, in(m), in(n), in(k), 1, a, in(lda), b, in(k), 0, c,
                in(ldc));
}

static void call_tn(float *c, size_t ldc, const float *a, size_t lda, const float *b, size_t m, size_t n,
                    size_t k)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in(m), in(n), in(k), 1, a, in(lda), b, in(n), 0, c,
                in(ldc));
}

/* OpenBLAS turns to other kernels for products of up to SMALL multiplications, whatever their shape. */
enum { SMALL = 1000000, FEW = 16 };

/* A product of fewer rows than FEW as the first ones of a product of FEW; not a number where memory is short.
 */
static void padded(Product *product, float *c, size_t ldc, const float *a, size_t lda, size_t next,
                   const float *b, size_t m, size_t n, size_t k)
{
    bool turned = next != lda; /* row j of c comes from a column of a */
    size_t along = turned ? lda : 1, new_lda = turned ? FEW : k, new_next = turned ? 1 : k,
           new_along = turned ? FEW : 1;
    float *rows = calloc(FEW * k, sizeof *rows), *out = malloc(FEW * n * sizeof *out);
    for (size_t j = 0; rows && out && j < m; j++)
        for (size_t i = 0; i < k; i++)
            rows[j * new_next + i * new_along] = a[j * next + i * along];
    if (rows && out)
        product(out, n, rows, new_lda, b, FEW, n, k);
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < n; i++)
            c[j * ldc + i] = rows && out ? out[j * n + i] : NAN;
    free(rows);
    free(out);
}

/* Rows in whole blocks, then the rest, so that a row has the same bits in any shard: which kernel it gets
 * depends on n and k alone.  Where 4 blocks are a small product, that is the one for these, block by block;
 * elsewhere the other one, which fewer rows get by padding.  Row j of c comes from a + j * next. */
static void by_blocks(Product *product, float *c, size_t ldc, const float *a, size_t lda, size_t next,
                      const float *b, size_t m, size_t n, size_t k)
{
    size_t block = reluopt_dense_block(), whole = m / block * block;
    bool small = block * n * k <= SMALL / 4;
    size_t step = small ? block : whole;
    if (n == 0)
        return;
    for (size_t j = 0; k == 0 && j < m; j++) /* which BLAS refuses */
        memset(c + j * ldc, 0, n * sizeof *c);
    if (k == 0)
        return;
    reluopt_count_flops(2 * (uint64_t)m * n * k);
    if (!small && whole > 0 && whole < FEW && whole * n * k <= SMALL)
        padded(product, c, ldc, a, lda, next, b, whole, n, k);
    else
        for (size_t j = 0; j < whole; j += step)
            product(c + j * ldc, ldc, a + j * next, lda, b, step, n, k);
    if (m > whole)
        product(c + whole * ldc, ldc, a + whole * next, lda, b, m - whole, n, k);
}

void reluopt_product(float *c, const float *a, size_t lda, const float *b, size_t m, size_t n, size_t k)
{
    by_blocks(call_nn, c, n, a, lda, lda, b, m, n, k);
}

void reluopt_product_nt(float *c, size_t ldc, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    by_blocks(call_nt, c, ldc, a, k, k, b, m, n, k);
}

void reluopt_product_tn(float *c, const float *a, size_t lda, const float *b, size_t m, size_t n, size_t k)
{
    by_blocks(call_tn, c, n, a, lda, 1, b, m, n, k);
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
    if (info == LAPACK_WORK_MEMORY_ERROR)
        reluopt_fail(error, RELUOPT_MEMORY, "no memory for the QR factorisation of a %zu x %zu matrix", m, n);
    else if (info != 0)
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

bool reluopt_invert(float *a, size_t n)
{
    reluopt_count_flops((uint64_t)n * n * n); /* a third for the factorisation, two for the inverse */
    if (LAPACKE_spotrf(LAPACK_COL_MAJOR, 'L', in(n), a, in(n)) != 0 ||
        LAPACKE_spotri(LAPACK_COL_MAJOR, 'L', in(n), a, in(n)) != 0)
        return false;
    for (size_t i = 0; i < n; i++) /* column-major lower is row-major upper */
        for (size_t j = 0; j < i; j++)
            a[i * n + j] = a[j * n + i];
    return true;
}

static bool all_finite(const float *a, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(a[i]))
            return false;
    return true;
}

/* LAPACKE_ssyevd asks for the size of the work space and gets a float, which is too small from n = 2895 on; so
 * the size comes from LAPACK's manual. */
int reluopt_eigen(float *a, float *values, size_t n, Error *error)
{
    if (n > RELUOPT_EIGEN_MOST)
        return reluopt_fail(error, RELUOPT_NUMERIC,
                            "eigenvalues of a %zu x %zu matrix: LAPACK can do %d x %d at most", n, n,
                            RELUOPT_EIGEN_MOST, RELUOPT_EIGEN_MOST);
    if (!all_finite(a, n * n))
        return reluopt_fail(error, RELUOPT_NUMERIC,
                            "eigenvalues of a %zu x %zu matrix: not all of it is finite", n, n);
    size_t room = 1 + 6 * n + 2 * n * n, whole_room = 3 + 5 * n;
    float *work = reluopt_alloc(room, sizeof *work, error);
    int *whole_work = work ? reluopt_alloc(whole_room, sizeof *whole_work, error) : NULL;
    if (whole_work) {
        int info = LAPACKE_ssyevd_work(LAPACK_COL_MAJOR, 'V', 'U', in(n), a, in(n), values, work, in(room),
                                       whole_work, in(whole_room));
        if (info != 0)
            reluopt_fail(error, RELUOPT_NUMERIC, "eigenvalues of a %zu x %zu matrix: LAPACK info %d", n, n,
                         info);
    }
    free(whole_work);
    free(work);
    return error->code;
}
