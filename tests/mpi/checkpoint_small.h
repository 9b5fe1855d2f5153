/* checkpoint_small.h - arrays and metadata with known values, split among the ranks in several ways, and a
 * small checkpoint of them: what test_checkpoint.c and test_damage.c write and read. */
#ifndef CHECKPOINT_SMALL_H
#define CHECKPOINT_SMALL_H

#include "../unit/scratch.h"
#include "mpi_cmocka.h"

#include <hdf5.h>
#include <math.h>
#include <unistd.h>

#include "reluopt/checkpoint.h"
#include "reluopt/memory.h"

typedef struct Dims {
    size_t rows, cols;
} Dims;

/* Who owns which rows: as in training, the same in reverse, all on the last rank, none on rank 0. */
typedef enum Split { EVEN, REVERSED, LAST, DEDICATED, SPLITS } Split;

static Error none;
static const Dims small[] = {{3, 4}, {1, 2}};
static Comm comm;

static inline int setup(void **state)
{
    comm = (Comm){.rank = mt_rank, .size = mt_size, .block = 1, .world = MPI_COMM_WORLD};
    reluopt_comm_grid(&comm, 1);
    int failed = mt_rank == 0 ? scratch_make(state) : 0;
    MPI_Bcast(&failed, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Bcast(scratch_folder, sizeof scratch_folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    return failed;
}

static inline int teardown(void **state)
{
    MPI_Barrier(MPI_COMM_WORLD);
    int failed = mt_rank == 0 ? scratch_remove(state) : 0;
    return failed || H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0; /* nothing left open */
}

static inline Rows split_rows(Split split, size_t n)
{
    Comm shape = comm;
    shape.dedicated = split == DEDICATED && mt_size > 1;
    if (split == LAST)
        return mt_rank == mt_size - 1 ? (Rows){0, n} : (Rows){0, 0};
    return reluopt_comm_rows(&shape, n, split == REVERSED ? mt_size - 1 - mt_rank : mt_rank);
}

static inline float value(size_t array, size_t index)
{
    return (float)((index * 2654435761u + array * 40503u) % 16777213u) - 8e6f;
}

static inline void make_arrays(Array *arrays, const Dims *dims, size_t count, Split split)
{
    for (size_t k = 0; k < count; k++) {
        Rows own = split_rows(split, dims[k].rows);
        arrays[k] = (Array){.rows = dims[k].rows, .cols = dims[k].cols, .first = own.first, .count = own.count};
        snprintf(arrays[k].name, sizeof arrays[k].name, "%c%zu", k % 2 ? 'V' : 'W', 20 - k);
        arrays[k].data = reluopt_alloc(own.count * dims[k].cols, sizeof(float), &none);
    }
}

static inline void fill(Array *arrays, size_t count)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < arrays[k].count * arrays[k].cols; i++)
            arrays[k].data[i] = value(k, arrays[k].first * arrays[k].cols + i);
}

static inline bool is_filled(const Array *arrays, size_t count)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < arrays[k].count * arrays[k].cols; i++)
            if (arrays[k].data[i] != value(k, arrays[k].first * arrays[k].cols + i))
                return false;
    return true;
}

static inline void free_arrays(Array *arrays, size_t count)
{
    for (size_t k = 0; k < count; k++)
        free(arrays[k].data);
}

static float numbers[9] = {1, -2, 3.5f, 0, 5e-20f, 6, 7, 8, 9e20f};

static inline CheckpointMeta make_meta(PreprocessKind kind)
{
    CheckpointMeta meta = {.config = "method: adaptive\nseed: 7\n",
                           .schema = "features: 3\n",
                           .at = {.epoch = 12,
                                  .steps = 7200000000,
                                  .batches = 5,
                                  .loss = 0.1,
                                  .right = 33,
                                  .samples = 500,
                                  .seconds = 1e9,
                                  .best_train = 1. / 3,
                                  .best_test = NAN,
                                  .full_train = 11,
                                  .data = 4000000000},
                           .ranks = mt_size,
                           .program = "reluopt-mpi 0.1.0",
                           .libraries = "MPI 4",
                           .date = "2024-05-06T07:08:09Z",
                           .pre = {.kind = kind, .features = 3}};
    if (kind != PREPROCESS_NONE)
        meta.pre.shift = numbers, meta.pre.scale = numbers + 3;
    if (kind == PREPROCESS_ZCA)
        meta.pre.matrix = numbers;
    return meta;
}

static inline bool same_floats(const float *a, const float *b, size_t count)
{
    return a && b ? memcmp(a, b, count * sizeof *a) == 0 : a == b;
}

static inline bool same_meta(const CheckpointMeta *a, const CheckpointMeta *b)
{
    return strcmp(a->config, b->config) == 0 && strcmp(a->schema, b->schema) == 0 &&
           memcmp(&a->at, &b->at, sizeof a->at) == 0 && a->ranks == b->ranks &&
           strcmp(a->program, b->program) == 0 && strcmp(a->libraries, b->libraries) == 0 &&
           strcmp(a->date, b->date) == 0 && a->pre.kind == b->pre.kind && a->pre.features == b->pre.features &&
           same_floats(a->pre.shift, b->pre.shift, 3) && same_floats(a->pre.scale, b->pre.scale, 3) &&
           same_floats(a->pre.matrix, b->pre.matrix, 9);
}

/* A checkpoint of `small` arrays. */
static inline int write_small(const char *path, PreprocessKind kind, Error *error)
{
    Array arrays[2];
    CheckpointMeta meta = make_meta(kind);
    make_arrays(arrays, small, 2, EVEN);
    fill(arrays, 2);
    int code = reluopt_checkpoint_write(&comm, path, 1, &meta, arrays, 2, error);
    free_arrays(arrays, 2);
    return code;
}

/* All of a checkpoint of `small` arrays: the code, and whether what was read is what was written. */
static inline int read_small(const char *path, PreprocessKind kind, bool *same, Error *error)
{
    Array arrays[2];
    CheckpointMeta meta, wanted = make_meta(kind);
    *same = true;
    if (reluopt_checkpoint_read_meta(&comm, path, &meta, error))
        return error->code;
    *same = same_meta(&meta, &wanted);
    reluopt_checkpoint_meta_free(&meta);
    make_arrays(arrays, small, 2, REVERSED);
    if (reluopt_checkpoint_read_arrays(&comm, path, NULL, arrays, 2, error) == RELUOPT_OK)
        *same = *same && is_filled(arrays, 2);
    free_arrays(arrays, 2);
    return error->code;
}

/* The failure is the same on all ranks, and its one line holds `part`. */
static inline void assert_agreed(Error *error, int code, int expected, const char *part)
{
    Error first = *error;
    MPI_Bcast(&first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    assert_all(code == error->code && memcmp(&first, error, sizeof first) == 0);
    if (code != expected || !strstr(error->message, part))
        fail_msg("code %d, not %d with \"%s\": %s", code, expected, part, error->message);
    *error = (Error){0};
}

#endif
