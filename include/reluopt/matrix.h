/* matrix.h - a confusion matrix as SVG.  Rank 0; not collective. */
#ifndef RELUOPT_MATRIX_H
#define RELUOPT_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Which classes are taken for which. */
typedef struct Matrix {
    size_t classes;
    const uint64_t *count; /* classes x classes: samples of class i taken for class j */
    char *const *class_name;
} Matrix;

enum { RELUOPT_MATRIX_MOST = 40 }; /* classes that can be told apart in a drawing */

/* Sums over all cells, and over the diagonal. */
uint64_t reluopt_matrix_total(const Matrix *matrix);
uint64_t reluopt_matrix_right(const Matrix *matrix);
/* Samples of class i. */
uint64_t reluopt_matrix_row(const Matrix *matrix, size_t i);

/* A confusion: class `from` is taken for class `to`. */
typedef struct Confused {
    size_t from, to;
    uint64_t count;
} Confused;

/* The `most` most frequent of them, most frequent first; returns how many there are. */
size_t reluopt_matrix_confused(const Matrix *matrix, Confused *list, size_t most);

/* The drawing, of at most RELUOPT_MATRIX_MOST classes: true classes downwards, predicted ones across.  Blue on
 * the diagonal, by share of the row; off it orange, by share of the row and relative to the largest such share.
 */
void reluopt_matrix_put(FILE *out, const Matrix *matrix, const char *title, int width, bool alone);

#endif
