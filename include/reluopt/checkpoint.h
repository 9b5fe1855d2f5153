/* checkpoint.h - a trained network and all that belongs to it, in one HDF5 file written by all ranks. */
#ifndef RELUOPT_CHECKPOINT_H
#define RELUOPT_CHECKPOINT_H

#include <stdint.h>

#include "reluopt/array.h"
#include "reluopt/comm.h"
#include "reluopt/preprocess.h"

enum { RELUOPT_CHECKPOINT_FORMAT = 1 };

/* What a checkpoint says about itself; texts are malloc'ed. */
typedef struct CheckpointMeta {
    char *config;     /* resolved configuration, YAML */
    char *schema;     /* reluopt_schema_to_text */
    int64_t epoch;    /* epochs done */
    int64_t step;     /* batch steps done */
    int ranks;        /* np of the writer */
    char program[64]; /* "reluopt-mpi 0.1.0" */
    char date[32];    /* UTC, ISO 8601 */
    Preprocess pre;
} CheckpointMeta;

/* Write atomically: PATH.tmp in parallel with chunks, deflate and Fletcher32 checksums, read back, then rank 0
 * syncs, renames over PATH and syncs the folder.  meta: needed on rank 0, texts not NULL.  On failure PATH is
 * what it was before.  Errors: RELUOPT_STORAGE, RELUOPT_MEMORY, RELUOPT_BUG (rows outside their array), agreed.
 * Collective. */
int reluopt_checkpoint_write(const Comm *comm, const char *path, const CheckpointMeta *meta,
                             const Array *arrays, size_t count, Error *error);

/* Read everything but the arrays; the same on all ranks afterwards.  Release with reluopt_checkpoint_meta_free.
 * Errors: RELUOPT_STORAGE (missing, not HDF5, other format version, incomplete, checksum), RELUOPT_MEMORY;
 * agreed. Collective. */
int reluopt_checkpoint_read_meta(const Comm *comm, const char *path, CheckpointMeta *meta, Error *error);

/* Fill each array's own rows from the dataset of its name; shapes must agree, the writer's np need not.
 * Errors as above.  Collective. */
int reluopt_checkpoint_read_arrays(const Comm *comm, const char *path, const Array *arrays, size_t count,
                                   Error *error);

/* Names and shapes of the arrays in a checkpoint, in the order written (data, first, count are not set);
 * *arrays is malloc'ed.  Rank 0 opens the file; not collective. */
int reluopt_checkpoint_list(const char *path, Array **arrays, size_t *count, Error *error);

void reluopt_checkpoint_meta_free(CheckpointMeta *meta);

#endif
