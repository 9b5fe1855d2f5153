/* whitening.h - the covariance of a layer's inputs, and the inverse that the whitened direction takes from it:
 * P = (C + lambda mean(eig C) I)^-1.  docs/algorithm.md, "Whitened direction". */
#ifndef RELUOPT_WHITENING_H
#define RELUOPT_WHITENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reluopt/array.h"
#include "reluopt/comm.h"
#include "reluopt/direction.h"

/* Beyond so many inputs P is I / ridge and a part of rank n / 8, if lambda is 1 or more; beyond 4096 C and P
 * are kept as their diagonals: c = 1 column instead of c = n. */
enum { RELUOPT_WHITENING_WIDE = 1024, RELUOPT_WHITENING_WIDEST = 4096 };

/* m = own.count rows here, as if the n inputs were neurons. */
typedef struct Whitening {
    size_t n, c;
    Rows own;
    bool fixed;        /* the inputs' distribution does not change: those of the network */
    bool stale;        /* P does not belong to `factored` */
    float *covariance; /* m x c  C, running */
    float *factored;   /* m x c  the C that P belongs to */
    float *whole;      /* n x c  `factored` of all ranks, while P is made; may be inverse.part */
    Symmetric inverse; /* P */
    double lambda;     /* ridge of P, in units of the mean eigenvalue of C */
    float *batch;      /* m x c  B times the covariance of a batch */
    float *mean;       /* n  of a batch */
    float *drift;      /* n x 2  sums of squares along the rows of C - factored, and of C */
} Whitening;

/* Allocate; C = factored = 0, P is stale.  RELUOPT_MEMORY.  Not collective. */
int reluopt_whitening_create(Whitening *whitening, size_t n, bool fixed, double lambda, const Comm *comm,
                             Error *error);
void reluopt_whitening_free(Whitening *whitening);

/* All that decides its future, own rows: C as array "C<layer>", `factored` as "F<layer>".  Fills list[0..1]. */
void reluopt_whitening_arrays(const Whitening *whitening, size_t layer, Array list[2]);

/* Take the inputs h (n x B, own columns of a batch; a full one has `usual` samples) of training step `step` = 0,
 * 1, ... into C when they are due, and `factored` with it, making P stale, when C has drifted from it.
 * scratch: n x B.  Collective. */
void reluopt_whitening_follow(Whitening *whitening, const float *h, size_t batch, size_t usual, uint64_t step,
                              float *scratch, const Comm *comm);

/* Make each stale P of the list, on one rank, and share it.  Where the ridge is too small for a Cholesky
 * factorisation in single precision, P is made from the diagonal of C alone, or of the ridge where C is wide.
 * Collective. */
void reluopt_whitening_refresh(Whitening *list, size_t count, const Comm *comm);

#endif
