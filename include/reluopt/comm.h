/* comm.h - all of MPI: who owns which neurons and samples, gather, minimum, sums, agreement on errors.
 *
 * Ranks form a grid of D x N: rank r has index r / N of the data, which says what columns of a batch it has,
 * and index r % N of the neurons, which says what rows of a matrix.  Usually D = 1.
 *
 * Every function marked collective must be called by all ranks in the same order.  An MPI call that fails
 * aborts the job (MPI_ERRORS_ARE_FATAL): there is no recovery inside a job. */
#ifndef RELUOPT_COMM_H
#define RELUOPT_COMM_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reluopt/error.h"

/* One side of the grid: the ranks that differ from this one in that index alone. */
typedef struct Axis {
    MPI_Comm comm;
    int index, size;
} Axis;

typedef struct Comm {
    int rank, size; /* of all ranks */
    Axis data, neurons;
    bool dedicated;        /* rank 0 owns no neurons; where D = 1 */
    bool alike;            /* all ranks have the same BLAS kernel, so the same bits */
    size_t block;          /* shards begin at multiples of this many rows */
    MPI_Comm world;        /* for HDF5 and this module */
    MPI_Comm feed;         /* batches under way, apart from the step's own messages */
    MPI_Request sent;      /* the batch under way */
    int *counts, *offsets; /* size each: shards of the matrix at hand */
    int *shares;           /* 2 D: counts and offsets of the batch under way */
} Comm;

/* The contiguous rows of a matrix, or columns of a batch, that a rank has: [first, first + count). */
typedef struct Rows {
    size_t first, count;
} Rows;
typedef Rows OwnColumns;

/* MPI_Init, duplicate communicators; the grid is 1 x size.  Collective. */
void reluopt_comm_start(Comm *comm, int *argc, char ***argv);
/* This process alone, without MPI_Init: with one rank, none of the functions below that exchange something
 * calls MPI.  Not for writing checkpoints, which HDF5 does through MPI.  Nothing to stop.  Not collective. */
Comm reluopt_comm_alone(void);
/* Make the grid one of `data` indices of the data, a divisor of the number of ranks.  Collective. */
void reluopt_comm_grid(Comm *comm, int data);
/* MPI_Finalize.  Collective. */
void reluopt_comm_stop(Comm *comm);
/* Name and version of the MPI library, "Open MPI v4.1.4", written to `text`, which is returned.  Not
 * collective. */
char *reluopt_comm_library(char *text, size_t room);
/* A bug: print one line and end the job with RELUOPT_BUG.  Not collective. */
_Noreturn void reluopt_comm_abort(Comm *comm, const char *what);

/* Rows of an n-row matrix that the ranks with an index of the neurons own: whole blocks, as evenly as possible,
 * larger shards first.  Not collective. */
Rows reluopt_comm_rows(const Comm *comm, size_t n, int index);
Rows reluopt_comm_own_rows(const Comm *comm, size_t n);
/* Columns of a batch that the ranks with an index of the data have, as evenly as possible; some none where
 * there are fewer than D.  Not collective. */
OwnColumns reluopt_comm_columns(const Comm *comm, size_t batch, int index);
OwnColumns reluopt_comm_own_columns(const Comm *comm, size_t batch);

/* ---- Along the neurons: ranks with the same columns ---- */

/* x: n x columns, each rank has filled its own rows; afterwards all rows are there on all of them.  Collective.
 */
void reluopt_comm_gather_rows(const Comm *comm, float *x, size_t n, size_t columns);
void reluopt_comm_gather_doubles(const Comm *comm, double *x, size_t n, size_t columns);

/* part: n x columns partial sums on every rank; own: this rank's rows of their sum.  Collective. */
void reluopt_comm_sum_rows(const Comm *comm, const float *part, float *own, size_t n, size_t columns);

/* ---- Along the data: ranks with the same rows ---- */

/* Elementwise sum / maximum over them, in place, with the same bits on each of them.  Collective. */
void reluopt_comm_data_sum(const Comm *comm, float *x, size_t count);
void reluopt_comm_data_sum_doubles(const Comm *comm, double *x, size_t count);
void reluopt_comm_data_max(const Comm *comm, float *x, size_t count);

/* ---- All ranks ---- */

/* Elementwise minimum / maximum / sum over ranks, in place, on all ranks.  Collective. */
void reluopt_comm_min(const Comm *comm, float *x, size_t count);
void reluopt_comm_max(const Comm *comm, int *x, size_t count);
void reluopt_comm_largest(const Comm *comm, double *x, size_t count);
void reluopt_comm_sum(const Comm *comm, double *x, size_t count);

/* Send bytes from rank 0, or rank `from`, to all.  Collective. */
void reluopt_comm_share(const Comm *comm, void *bytes, size_t count);
void reluopt_comm_share_from(const Comm *comm, int from, void *bytes, size_t count);
/* Send malloc'ed text from rank 0 to all: on other ranks *text is allocated (NULL stays NULL).  RELUOPT_MEMORY,
 * agreed.  Collective. */
int reluopt_comm_share_text(const Comm *comm, char **text, Error *error);

/* Start sending a batch from rank 0, to each rank its columns; one at a time.  Wait ends it, with the same x
 * and sizes.
 *   x  in   on rank 0: for each index of the data `rows` rows of its columns, one such matrix after another
 *      out  rows x B, own columns
 * Collective. */
void reluopt_comm_feed_start(Comm *comm, float *x, size_t rows, size_t batch);
void reluopt_comm_feed_wait(Comm *comm, float *x, size_t rows, size_t batch);

/* Wait for all ranks.  Collective. */
void reluopt_comm_barrier(const Comm *comm);

/* Did any rank fail?  Afterwards `error` holds the lowest failing rank's record on every rank (with "rank N: "
 * in front when it is not rank 0); returns its code, 0 when none failed.  Collective. */
int reluopt_comm_agree(const Comm *comm, Error *error);

/* Move what this rank's gathers and reductions took beyond the fastest rank's time in the same call to
 * PHASE_WAITING of its tally.  Happens by itself after many calls; call it before reading the tally.
 * Collective.
 */
void reluopt_comm_settle_waiting(const Comm *comm);

/* Seconds of the wall clock since some fixed moment.  Not collective. */
double reluopt_clock(void);

#endif
