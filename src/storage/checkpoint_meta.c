/* checkpoint_meta.c - what a checkpoint says about itself: into a file, out of it, from rank 0 to all. */
#include "checkpoint_meta.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"

static const char *const kind_names[] = {[PREPROCESS_NONE] = "none",
                                         [PREPROCESS_SCALE] = "scale",
                                         [PREPROCESS_CENTRE] = "centre",
                                         [PREPROCESS_STANDARDISE] = "standardise",
                                         [PREPROCESS_ZCA] = "zca"};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

/* The attributes of /position. */
static const struct {
    const char *name;
    size_t offset;
    bool real;
} numbers[] = {
    {"epoch", offsetof(Position, epoch), false},        {"steps", offsetof(Position, steps), false},
    {"batches", offsetof(Position, batches), false},    {"loss", offsetof(Position, loss), true},
    {"right", offsetof(Position, right), false},        {"samples", offsetof(Position, samples), false},
    {"seconds", offsetof(Position, seconds), true},     {"best_train", offsetof(Position, best_train), true},
    {"best_test", offsetof(Position, best_test), true}, {"full_train", offsetof(Position, full_train), false},
    {"data", offsetof(Position, data), false},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* Writing */

static void put_position(const Hdf5 *file, const Position *at)
{
    reluopt_hdf5_put_group(file, "/position");
    for (size_t k = 0; k < NUMBERS; k++) {
        const char *member = (const char *)at + numbers[k].offset;
        if (numbers[k].real)
            reluopt_hdf5_put_real(file, "/position", numbers[k].name, *(const double *)member);
        else
            reluopt_hdf5_put_integer(file, "/position", numbers[k].name, *(const int64_t *)member);
    }
}

static void put_floats(const Hdf5 *file, const char *name, Extent shape, const float *data)
{
    if (data && shape.dim[0] > 0)
        reluopt_hdf5_put(file, name, H5T_NATIVE_FLOAT, shape, data);
}

static void put_preprocess(const Hdf5 *file, const Preprocess *pre)
{
    size_t n = pre->features;
    reluopt_hdf5_put_group(file, "/preprocess");
    reluopt_hdf5_put_label(file, "/preprocess", "kind", kind_names[pre->kind]);
    reluopt_hdf5_put_integer(file, "/preprocess", "features", (int64_t)n);
    put_floats(file, "/preprocess/shift", reluopt_hdf5_vector(n), pre->shift);
    put_floats(file, "/preprocess/scale", reluopt_hdf5_vector(n), pre->scale);
    put_floats(file, "/preprocess/matrix", reluopt_hdf5_matrix(n, n), pre->matrix);
}

void reluopt_meta_put(const Hdf5 *file, const CheckpointMeta *meta)
{
    reluopt_hdf5_put_label(file, "/", "program", meta->program);
    reluopt_hdf5_put_label(file, "/", "libraries", meta->libraries);
    reluopt_hdf5_put_label(file, "/", "date", meta->date);
    reluopt_hdf5_put_integer(file, "/", "ranks", meta->ranks);
    put_position(file, &meta->at);
    reluopt_hdf5_put_text(file, "/config", meta->config);
    reluopt_hdf5_put_text(file, "/schema", meta->schema);
    put_preprocess(file, &meta->pre);
}

/* Reading */

static void get_position(const Hdf5 *file, Position *at)
{
    for (size_t k = 0; k < NUMBERS; k++) {
        char *member = (char *)at + numbers[k].offset;
        if (numbers[k].real)
            *(double *)member = reluopt_hdf5_get_real(file, "/position", numbers[k].name);
        else
            *(int64_t *)member = reluopt_hdf5_get_integer(file, "/position", numbers[k].name);
    }
    if (!file->error->code && (at->epoch < 0 || at->steps < 0 || at->batches < 0))
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: /position makes no sense", file->path);
}

static float *get_floats(const Hdf5 *file, const char *name, Extent shape, bool needed)
{
    if (!needed && !reluopt_hdf5_exists(file, name))
        return NULL;
    Extent stored = reluopt_hdf5_shape(file, name, H5T_NATIVE_FLOAT);
    if (file->error->code)
        return NULL;
    float *data = reluopt_alloc(stored.dim[0] * stored.dim[1], sizeof *data, file->error);
    if (data)
        reluopt_hdf5_get(file, name, H5T_NATIVE_FLOAT, shape, 0, shape.dim[0], data);
    return data;
}

static void get_preprocess(const Hdf5 *file, Preprocess *pre)
{
    char kind[16];
    size_t k = 0;
    reluopt_hdf5_get_label(file, "/preprocess", "kind", kind, sizeof kind);
    pre->features = (size_t)reluopt_hdf5_get_integer(file, "/preprocess", "features");
    if (file->error->code)
        return;
    while (k < KINDS && strcmp(kind, kind_names[k]) != 0)
        k++;
    if (k == KINDS) {
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: unknown kind of preprocessing: %s", file->path, kind);
        return;
    }
    pre->kind = (PreprocessKind)k;
    Extent vector = reluopt_hdf5_vector(pre->features);
    pre->shift = get_floats(file, "/preprocess/shift", vector, k != PREPROCESS_NONE);
    pre->scale = get_floats(file, "/preprocess/scale", vector, k != PREPROCESS_NONE);
    pre->matrix = get_floats(file, "/preprocess/matrix", reluopt_hdf5_matrix(pre->features, pre->features),
                             k == PREPROCESS_ZCA);
}

void reluopt_meta_get(const Hdf5 *file, CheckpointMeta *meta)
{
    reluopt_hdf5_get_label(file, "/", "program", meta->program, sizeof meta->program);
    reluopt_hdf5_get_label(file, "/", "libraries", meta->libraries, sizeof meta->libraries);
    reluopt_hdf5_get_label(file, "/", "date", meta->date, sizeof meta->date);
    meta->ranks = (int)reluopt_hdf5_get_integer(file, "/", "ranks");
    get_position(file, &meta->at);
    meta->config = reluopt_hdf5_get_text(file, "/config");
    meta->schema = reluopt_hdf5_get_text(file, "/schema");
    get_preprocess(file, &meta->pre);
}

/* From rank 0 to all */

/* *data: on rank 0 what to send, or NULL; on the others room for it, or NULL.  Agreed; collective. */
static void share_floats(const Comm *comm, float **data, size_t count, Error *error)
{
    bool present = *data != NULL;
    reluopt_comm_share(comm, &present, sizeof present);
    if (present && comm->rank != 0)
        *data = reluopt_alloc(count, sizeof **data, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK && present)
        reluopt_comm_share(comm, *data, count * sizeof **data);
}

void reluopt_meta_share(const Comm *comm, CheckpointMeta *meta, Error *error)
{
    CheckpointMeta copy = *meta;
    size_t n = meta->pre.features;
    reluopt_comm_share(comm, &copy, sizeof copy);
    if (comm->rank != 0) {
        copy.config = copy.schema = NULL;
        copy.pre.shift = copy.pre.scale = copy.pre.matrix = NULL;
        *meta = copy;
        n = copy.pre.features;
    }
    if (reluopt_comm_share_text(comm, &meta->config, error) ||
        reluopt_comm_share_text(comm, &meta->schema, error))
        return;
    float **part[] = {&meta->pre.shift, &meta->pre.scale, &meta->pre.matrix};
    size_t count[] = {n, n, n * n};
    for (int i = 0; i < 3 && !error->code; i++)
        share_floats(comm, part[i], count[i], error);
}

void reluopt_checkpoint_meta_free(CheckpointMeta *meta)
{
    free(meta->config);
    free(meta->schema);
    reluopt_preprocess_free(&meta->pre);
    *meta = (CheckpointMeta){0};
}

char *reluopt_checkpoint_library(char *text, size_t room)
{
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(text, room, "HDF5 %u.%u.%u", major, minor, release);
    return text;
}
