/* checkpoint.c - a trained network and all that belongs to it, in one HDF5 file written by all ranks.
 *
 *   /            attributes: format, program, date, ranks, epoch, step, and complete: 1, written last
 *   /config      text: the resolved configuration, YAML
 *   /schema      text: the schema of the data
 *   /preprocess  attributes: kind, features; shift, scale: features floats; matrix: features x features
 *                (those that the kind has)
 *   /arrays      W1, ...: rows x cols floats, in the order of creation
 *
 * Every byte is under a checksum: metadata by the file format, data by Fletcher32 (see hdf5.h).
 *
 * Writing takes three steps: rank 0 lays out the file and reserves the disk space of the arrays; all ranks fill
 * in their rows, by collective transfers; rank 0 syncs and renames.  So most failures happen on rank 0 alone,
 * before any collective call.  Reading needs no collective transfer: each rank takes its rows by itself, and
 * all agree at the end. */
#include "reluopt/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hdf5.h"
#include "reluopt/memory.h"

enum { LAYOUT_ROOM = 64 << 10, MAX_ARRAYS = 1 << 16, LOCATION = 8 + sizeof((Array *)0)->name };

static const char *const kind_names[] = {[PREPROCESS_NONE] = "none",
                                         [PREPROCESS_SCALE] = "scale",
                                         [PREPROCESS_CENTRE] = "centre",
                                         [PREPROCESS_STANDARDISE] = "standardise",
                                         [PREPROCESS_ZCA] = "zca"};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

static void location(const Array *array, char name[LOCATION])
{
    snprintf(name, LOCATION, "/arrays/%s", array->name);
}

static void check_arrays(const Array *arrays, size_t count, Error *error)
{
    for (const Array *a = arrays; a < arrays + count; a++)
        if (!memchr(a->name, 0, sizeof a->name) || a->name[0] == 0 || strchr(a->name, '/') || a->rows == 0 ||
            a->cols == 0 || a->first > a->rows || a->count > a->rows - a->first || (a->count && !a->data))
            reluopt_fail(error, RELUOPT_BUG, "array %.23s: rows %zu + %zu of %zu x %zu make no sense", a->name,
                         a->first, a->count, a->rows, a->cols);
}

static Hdf5 open_checkpoint(const char *path, Error *error)
{
    Hdf5 file = reluopt_hdf5_open(path, error);
    int64_t format = reluopt_hdf5_get_integer(&file, "/", "format");
    if (!error->code && format != RELUOPT_CHECKPOINT_FORMAT)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: checkpoint format %lld; this program reads format %d", path,
                     (long long)format, RELUOPT_CHECKPOINT_FORMAT);
    if (reluopt_hdf5_get_integer(&file, "/", "complete") != 1)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: incomplete: its writer was interrupted", path);
    return file;
}

/* This rank's rows of an array. */
static void get_rows(const Hdf5 *file, const Array *array, float *rows)
{
    char name[LOCATION];
    location(array, name);
    reluopt_hdf5_get(file, name, H5T_NATIVE_FLOAT, reluopt_hdf5_matrix(array->rows, array->cols), array->first,
                     array->count, rows);
}

/* Writing: what rank 0 does */

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

/* The whole file but for the contents of the arrays. */
static void lay_out(const char *aside, const CheckpointMeta *meta, const Array *arrays, size_t count,
                    Error *error)
{
    size_t room = LAYOUT_ROOM;
    Hdf5 file;
    reluopt_hdf5_build(&file, aside, error);
    reluopt_hdf5_put_integer(&file, "/", "format", RELUOPT_CHECKPOINT_FORMAT);
    reluopt_hdf5_put_label(&file, "/", "program", meta->program);
    reluopt_hdf5_put_label(&file, "/", "date", meta->date);
    reluopt_hdf5_put_integer(&file, "/", "ranks", meta->ranks);
    reluopt_hdf5_put_integer(&file, "/", "epoch", meta->epoch);
    reluopt_hdf5_put_integer(&file, "/", "step", meta->step);
    reluopt_hdf5_put_integer(&file, "/", "complete", 0);
    reluopt_hdf5_put_text(&file, "/config", meta->config);
    reluopt_hdf5_put_text(&file, "/schema", meta->schema);
    put_preprocess(&file, &meta->pre);
    reluopt_hdf5_put_group(&file, "/arrays");
    for (const Array *a = arrays; a < arrays + count; a++) {
        char name[LOCATION];
        Extent shape = reluopt_hdf5_matrix(a->rows, a->cols);
        location(a, name);
        reluopt_hdf5_put(&file, name, H5T_NATIVE_FLOAT, shape, NULL);
        room += reluopt_hdf5_room(shape, sizeof *a->data);
    }
    Image image = reluopt_hdf5_finish(&file);
    reluopt_storage_write(aside, image, room, error);
    free(image.bytes);
}

/* Writing: what all ranks do */

/* Open the laid out file on all ranks, after each has seen that it can.  Agreed; collective. */
static hid_t open_together(const Comm *comm, const Hdf5 *file)
{
    hid_t access = reluopt_hdf5_access(), id = H5I_INVALID_HID;
    int probe = open(file->path, O_RDWR | O_CLOEXEC);
    if (probe < 0)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: cannot open: %s", file->path, strerror(errno));
    else
        close(probe);
    if (access < 0 || H5Pset_fapl_mpio(access, comm->world, MPI_INFO_NULL) < 0)
        reluopt_hdf5_fail(file, "cannot open");
    if (reluopt_comm_agree(comm, file->error) == RELUOPT_OK) {
        id = H5Fopen(file->path, H5F_ACC_RDWR, access);
        if (id < 0)
            reluopt_hdf5_fail(file, "cannot open");
        reluopt_comm_agree(comm, file->error);
    }
    H5Pclose(access);
    return id;
}

/* This rank's rows of one array.  Agreed; collective. */
static void write_rows(const Comm *comm, const Hdf5 *file, const Array *array)
{
    char name[LOCATION];
    hid_t in_file = H5I_INVALID_HID, in_memory = H5I_INVALID_HID;
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    size_t count = array->shared && comm->rank > 0 ? 0 : array->count;
    location(array, name);
    hid_t id = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (id < 0 || H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE) < 0 ||
        !reluopt_hdf5_select_rows(reluopt_hdf5_matrix(array->rows, array->cols), array->first, count, &in_file,
                                  &in_memory))
        reluopt_hdf5_fail(file, name);
    if (reluopt_comm_agree(comm, file->error) == RELUOPT_OK &&
        H5Dwrite(id, H5T_NATIVE_FLOAT, in_memory, in_file, transfer, array->data) < 0)
        reluopt_hdf5_fail(file, name);
    H5Sclose(in_file);
    H5Sclose(in_memory);
    H5Pclose(transfer);
    H5Dclose(id);
    reluopt_comm_agree(comm, file->error);
}

static void mark_complete(const Hdf5 *file)
{
    int64_t yes = 1;
    hid_t id = H5Aopen(file->id, "complete", H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, H5T_NATIVE_INT64, &yes) < 0)
        reluopt_hdf5_fail(file, "complete");
    H5Aclose(id);
}

/* Agreed; collective. */
static void write_arrays(const Comm *comm, const char *aside, const Array *arrays, size_t count, Error *error)
{
    Hdf5 file = {.path = aside, .error = error};
    file.id = open_together(comm, &file);
    if (error->code)
        return;
    for (size_t k = 0; k < count && !error->code; k++)
        write_rows(comm, &file, &arrays[k]);
    if (!error->code) {
        mark_complete(&file);
        if (H5Fflush(file.id, H5F_SCOPE_LOCAL) < 0)
            reluopt_hdf5_fail(&file, "cannot write");
        reluopt_comm_agree(comm, error);
    }
    if (H5Fclose(file.id) < 0)
        reluopt_hdf5_fail(&file, "cannot close");
    reluopt_comm_agree(comm, error);
}

/* Are this rank's rows in the file? */
static void verify_rows(const Hdf5 *file, const Array *array)
{
    size_t size = array->count * array->cols;
    float *stored = file->error->code ? NULL : reluopt_alloc(size, sizeof *stored, file->error);
    if (!stored)
        return;
    get_rows(file, array, stored);
    if (size && !file->error->code && memcmp(stored, array->data, size * sizeof *stored) != 0)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s reads back differently: is the disk full or broken?",
                     file->path, array->name);
    free(stored);
}

/* Agreed; collective. */
static void verify_arrays(const Comm *comm, const char *aside, const Array *arrays, size_t count, Error *error)
{
    Hdf5 file = open_checkpoint(aside, error);
    for (size_t k = 0; k < count; k++)
        verify_rows(&file, &arrays[k]);
    reluopt_hdf5_close(&file);
    reluopt_comm_agree(comm, error);
}

int reluopt_checkpoint_write(const Comm *comm, const char *path, const CheckpointMeta *meta,
                             const Array *arrays, size_t count, Error *error)
{
    char *aside = reluopt_storage_aside(path, error);
    check_arrays(arrays, count, error);
    if (comm->rank == 0 && !error->code)
        lay_out(aside, meta, arrays, count, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK)
        write_arrays(comm, aside, arrays, count, error);
    if (!error->code)
        verify_arrays(comm, aside, arrays, count, error);
    if (comm->rank == 0 && aside) {
        reluopt_storage_publish(aside, path, error);
        if (error->code)
            unlink(aside);
    }
    free(aside);
    return reluopt_comm_agree(comm, error);
}

/* Reading */

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

static void get_meta(const char *path, CheckpointMeta *meta, Error *error)
{
    Hdf5 file = open_checkpoint(path, error);
    reluopt_hdf5_get_label(&file, "/", "program", meta->program, sizeof meta->program);
    reluopt_hdf5_get_label(&file, "/", "date", meta->date, sizeof meta->date);
    meta->ranks = (int)reluopt_hdf5_get_integer(&file, "/", "ranks");
    meta->epoch = reluopt_hdf5_get_integer(&file, "/", "epoch");
    meta->step = reluopt_hdf5_get_integer(&file, "/", "step");
    meta->config = reluopt_hdf5_get_text(&file, "/config");
    meta->schema = reluopt_hdf5_get_text(&file, "/schema");
    get_preprocess(&file, &meta->pre);
    reluopt_hdf5_close(&file);
}

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

/* Agreed; collective. */
static void share_meta(const Comm *comm, CheckpointMeta *meta, Error *error)
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

int reluopt_checkpoint_read_meta(const Comm *comm, const char *path, CheckpointMeta *meta, Error *error)
{
    *meta = (CheckpointMeta){0};
    if (comm->rank == 0)
        get_meta(path, meta, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK)
        share_meta(comm, meta, error);
    if (error->code)
        reluopt_checkpoint_meta_free(meta);
    return error->code;
}

int reluopt_checkpoint_read_arrays(const Comm *comm, const char *path, const Array *arrays, size_t count,
                                   Error *error)
{
    check_arrays(arrays, count, error);
    Hdf5 file = open_checkpoint(path, error);
    for (const Array *a = arrays; a < arrays + count; a++)
        get_rows(&file, a, a->data);
    reluopt_hdf5_close(&file);
    return reluopt_comm_agree(comm, error);
}

int reluopt_checkpoint_list(const char *path, Array **arrays, size_t *count, Error *error)
{
    Hdf5 file = open_checkpoint(path, error);
    *count = reluopt_hdf5_members(&file, "/arrays");
    if (*count > MAX_ARRAYS)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: %zu arrays are too many", path, *count);
    *arrays = error->code ? NULL : reluopt_alloc(*count, sizeof **arrays, error);
    for (size_t k = 0; k < *count && !error->code; k++) {
        Array *a = &(*arrays)[k];
        char name[LOCATION];
        reluopt_hdf5_member(&file, "/arrays", k, a->name, sizeof a->name);
        location(a, name);
        Extent shape = reluopt_hdf5_shape(&file, name, H5T_NATIVE_FLOAT);
        a->rows = shape.dim[0];
        a->cols = shape.dim[1];
    }
    reluopt_hdf5_close(&file);
    if (error->code) {
        free(*arrays);
        *arrays = NULL;
        *count = 0;
    }
    return error->code;
}

void reluopt_checkpoint_meta_free(CheckpointMeta *meta)
{
    free(meta->config);
    free(meta->schema);
    reluopt_preprocess_free(&meta->pre);
    *meta = (CheckpointMeta){0};
}
