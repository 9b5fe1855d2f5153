/* checkpoint.h - a trained network and all that belongs to it, in one HDF5 file written by all ranks. */
#ifndef RELUOPT_CHECKPOINT_H
#define RELUOPT_CHECKPOINT_H

#include <stdint.h>

#include "reluopt/array.h"
#include "reluopt/comm.h"
#include "reluopt/preprocess.h"

enum { RELUOPT_CHECKPOINT_FORMAT = 2 };

/* Where a run is: what decides how it goes on, besides the arrays. */
typedef struct Position {
    int64_t epoch;   /* epochs done: the curves have a point for each */
    int64_t steps;   /* batch steps done since the start of the run */
    int64_t batches; /* batches of the epoch under way that were used */
    double loss;     /* their running score, as in Score */
    int64_t right, samples;
    double seconds;               /* of training */
    double best_train, best_test; /* best accuracies of all epochs; NaN: none */
    int64_t full_train;           /* first epoch with all training samples right; 0: none yet */
    int64_t data;                 /* reluopt_dataset_checksum */
} Position;

/* What a checkpoint says about itself; texts are malloc'ed. */
typedef struct CheckpointMeta {
    char *config; /* resolved configuration, YAML */
    char *schema; /* reluopt_schema_to_text */
    Position at;
    int ranks;           /* np of the writer */
    char program[64];    /* "reluopt-mpi 0.1.0" */
    char libraries[256]; /* "Open MPI 4.1.4, HDF5 1.10.8, BLAS kernel Zen" */
    char date[32];       /* UTC, ISO 8601 */
    Preprocess pre;
} CheckpointMeta;

/* Write atomically: PATH.tmp in parallel with chunks, deflate and Fletcher32 checksums, read back, then rank 0
 * syncs, renames over PATH and syncs the folder.  PATH is there at any moment, once it was; the keep - 1 files
 * before it are kept, see reluopt_checkpoint_older.  meta: needed on rank 0, texts not NULL.  On failure PATH
 * is what it was before.  Errors: RELUOPT_STORAGE, RELUOPT_MEMORY, RELUOPT_BUG (rows outside their array),
 * agreed. Collective. */
int reluopt_checkpoint_write(const Comm *comm, const char *path, int keep, const CheckpointMeta *meta,
                             const Array *arrays, size_t count, Error *error);

/* Name of the k-th file before PATH: "RUN/checkpoint-2.h5" for "RUN/checkpoint.h5" and k = 2, PATH itself for
 * k = 0; malloc'ed, NULL after noting RELUOPT_MEMORY.  Not collective. */
char *reluopt_checkpoint_older(const char *path, int k, Error *error);

/* Read all of a file, whose every byte of content is under a checksum, each rank a part of every array.
 * *bytes: what the arrays hold.  RELUOPT_STORAGE (as for read_meta), RELUOPT_MEMORY; agreed.  Collective. */
int reluopt_checkpoint_verify(const Comm *comm, const char *path, size_t *bytes, Error *error);

/* Read everything but the arrays; the same on all ranks afterwards.  Release with reluopt_checkpoint_meta_free.
 * Errors: RELUOPT_STORAGE (missing, not HDF5, other format version, incomplete, checksum), RELUOPT_MEMORY;
 * agreed. Collective. */
int reluopt_checkpoint_read_meta(const Comm *comm, const char *path, CheckpointMeta *meta, Error *error);

/* Fill each array's own rows from the dataset of its name; shapes must agree, the writer's np need not.
 * meta: what was read from the same file, looked at on rank 0; NULL: nothing was.  Errors as above, and
 * RELUOPT_STORAGE where a newer file took its place in between.  Agreed; collective. */
int reluopt_checkpoint_read_arrays(const Comm *comm, const char *path, const CheckpointMeta *meta,
                                   const Array *arrays, size_t count, Error *error);

/* Names, types and shapes of the arrays in a checkpoint, in the order written (data, first, count are not set);
 * *arrays is malloc'ed.  Not collective. */
int reluopt_checkpoint_list(const char *path, Array **arrays, size_t *count, Error *error);

void reluopt_checkpoint_meta_free(CheckpointMeta *meta);

/* Name and version of the library that checkpoints are written with, put into `text`, which is returned. */
char *reluopt_checkpoint_library(char *text, size_t room);

#endif
