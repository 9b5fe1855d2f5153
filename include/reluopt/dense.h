/* dense.h - dense linear algebra: the only user of BLAS and LAPACK.  Matrices are row-major. */
#ifndef RELUOPT_DENSE_H
#define RELUOPT_DENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reluopt/error.h"

/* The best BLAS kernel for this processor, unless OPENBLAS_CORETYPE names one, and one BLAS thread in this
 * process: parallelism is over ranks.  Numbers too small for full precision count as zero from here on (x86).
 * Call once, before anything else of this header and before MPI starts. */
void reluopt_dense_start(void);

/* Name of a kernel that uses more of this processor's instructions than the one in use (because
 * OPENBLAS_CORETYPE holds it back); NULL: there is none. */
const char *reluopt_dense_better_kernel(void);

/* Name of the BLAS kernel in use, e.g. "Zen", "SkylakeX". */
const char *reluopt_dense_kernel(void);

/* Print name, version and build of the BLAS library, "OpenBLAS 0.3.21 DYNAMIC_ARCH ...", and a line end. */
void reluopt_dense_print_library(FILE *out);

/* Rows that the BLAS kernel in use treats together.  A row of a product below has the same bits whichever rows
 * are computed with it, when shards begin at multiples of this number: so results do not depend on the number
 * of ranks. (Checked for the kernels SkylakeX, Cooperlake, Haswell, Zen, Sandybridge and Prescott of OpenBLAS
 * 0.3.21.)  Products of fewer than 16 rows may need memory; where there is none, they are not numbers. */
size_t reluopt_dense_block(void);

/* c = a b:    a m x k, b k x n, c m x n; `lda` is the distance between rows of a (k where it is whole). */
void reluopt_product(float *c, const float *a, size_t lda, const float *b, size_t m, size_t n, size_t k);

/* c = a b':   a m x k, b n x k, c m x n; `ldc` is the distance between rows of c. */
void reluopt_product_nt(float *c, size_t ldc, const float *a, const float *b, size_t m, size_t n, size_t k);

/* c = a' b:   a k x m with rows `lda` apart, b k x n, c m x n. */
void reluopt_product_tn(float *c, const float *a, size_t lda, const float *b, size_t m, size_t n, size_t k);

/* Replace the m x n matrix by one with orthonormal rows (m <= n) or columns (m > n): the Q of its QR
 * factorisation, signs such that R has a positive diagonal.  RELUOPT_MEMORY, RELUOPT_NUMERIC. */
int reluopt_orthonormalise(float *a, size_t m, size_t n, Error *error);

/* Replace the symmetric n x n matrix by its inverse, through its Cholesky factorisation.  False where it is not
 * positive definite to rounding, or not finite: `a` is spoilt then. */
bool reluopt_invert(float *a, size_t n);

/* (c + ridge I)^-1 by a part of rank k: ridge (c + ridge I)^-1 = I - basis basis' where c has that rank or
 * less. Elsewhere Nystrom's approximation of c stands for it.  c: n x n, symmetric, positive semidefinite;
 * ridge > 0; basis: n x k, k <= n, holds random columns and is replaced.  RELUOPT_MEMORY; RELUOPT_NUMERIC where
 * rounding makes a matrix indefinite or not finite: basis is spoilt then.  Not collective. */
int reluopt_invert_low_rank(const float *c, size_t n, float ridge, float *basis, size_t k, Error *error);

/* The largest n of reluopt_eigen: LAPACK counts its 1 + 6 n + 2 n^2 floats of work space in an int. */
enum { RELUOPT_EIGEN_MOST = 32766 };

/* Eigenvalues (ascending) and eigenvectors (rows of `a` on return) of the symmetric n x n matrix a.
 * RELUOPT_MEMORY; RELUOPT_NUMERIC when n > RELUOPT_EIGEN_MOST, a value of `a` is not finite, or LAPACK fails.
 */
int reluopt_eigen(float *a, float *values, size_t n, Error *error);

#endif
