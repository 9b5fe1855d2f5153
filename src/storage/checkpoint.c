/* checkpoint.c - a trained network and all that belongs to it, in one HDF5 file written by all ranks.
 *
 *   /            attributes: format, program, libraries, date, ranks, and complete: 1, written last
 *   /position    attributes: where the run is, see struct Position
 *   /config      text: the resolved configuration, YAML
 *   /schema      text: the schema of the data
 *   /preprocess  attributes: kind, features; shift, scale: features floats; matrix: features x features
 *                (those that the kind has)
 *   /arrays      W1, ...: rows x cols floats, doubles or 64-bit integers, in the order of creation
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

#include "checkpoint_meta.h"
#include "hdf5.h"
#include "reluopt/memory.h"

enum { LAYOUT_ROOM = 64 << 10, MAX_ARRAYS = 1 << 16, LOCATION = 8 + sizeof((Array *)0)->name };

static void location(const Array *array, char name[LOCATION])
{
    snprintf(name, LOCATION, "/arrays/%s", array->name);
}

static hid_t element_type(const Array *array)
{
    return array->type == ARRAY_FLOAT    ? H5T_NATIVE_FLOAT
           : array->type == ARRAY_DOUBLE ? H5T_NATIVE_DOUBLE
                                         : H5T_NATIVE_INT64;
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
    if (reluopt_hdf5_exists(&file, "/rate"))
        reluopt_fail(error, RELUOPT_STORAGE,
                     "%s: learning curves, not a checkpoint: give the checkpoint.h5 beside it", path);
    int64_t format = reluopt_hdf5_get_integer(&file, "/", "format");
    if (!error->code && format != RELUOPT_CHECKPOINT_FORMAT)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: checkpoint format %lld; this program reads format %d", path,
                     (long long)format, RELUOPT_CHECKPOINT_FORMAT);
    if (reluopt_hdf5_get_integer(&file, "/", "complete") != 1)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: incomplete: its writer was interrupted", path);
    return file;
}

/* This rank's rows of an array. */
static void get_rows(const Hdf5 *file, const Array *array, void *rows)
{
    char name[LOCATION];
    location(array, name);
    reluopt_hdf5_get(file, name, element_type(array), reluopt_hdf5_matrix(array->rows, array->cols),
                     array->first, array->count, rows);
}

/* Writing: what rank 0 does */

/* The whole file but for the contents of the arrays. */
static void lay_out(const char *aside, const CheckpointMeta *meta, const Array *arrays, size_t count,
                    Error *error)
{
    size_t room = LAYOUT_ROOM;
    Hdf5 file;
    reluopt_hdf5_build(&file, aside, error);
    reluopt_hdf5_put_integer(&file, "/", "format", RELUOPT_CHECKPOINT_FORMAT);
    reluopt_hdf5_put_integer(&file, "/", "complete", 0);
    reluopt_meta_put(&file, meta);
    reluopt_hdf5_put_group(&file, "/arrays");
    for (const Array *a = arrays; a < arrays + count; a++) {
        char name[LOCATION];
        Extent shape = reluopt_hdf5_matrix(a->rows, a->cols);
        location(a, name);
        reluopt_hdf5_put(&file, name, element_type(a), shape, NULL);
        room += reluopt_hdf5_room(shape, reluopt_array_element(a));
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

/* This rank's rows of one array.  Of the ranks that have the same rows the first one writes them.  Agreed;
 * collective. */
static void write_rows(const Comm *comm, const Hdf5 *file, const Array *array)
{
    bool writes = array->shared ? comm->rank == 0 : comm->data.index == 0;
    size_t count = writes ? array->count : 0;
    char name[LOCATION];
    hid_t in_file = H5I_INVALID_HID, in_memory = H5I_INVALID_HID;
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    location(array, name);
    hid_t id = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (id < 0 || H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE) < 0 ||
        !reluopt_hdf5_select_rows(reluopt_hdf5_matrix(array->rows, array->cols), array->first, count, &in_file,
                                  &in_memory))
        reluopt_hdf5_fail(file, name);
    if (reluopt_comm_agree(comm, file->error) == RELUOPT_OK &&
        H5Dwrite(id, element_type(array), in_memory, in_file, transfer, array->data) < 0)
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
    size_t size = array->count * array->cols * reluopt_array_element(array);
    void *stored = file->error->code ? NULL : reluopt_alloc(size, 1, file->error);
    if (!stored)
        return;
    get_rows(file, array, stored);
    if (size && !file->error->code && memcmp(stored, array->data, size) != 0)
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

/* Move the older files on by one and make PATH, which stays, the first of them.  Where a file system has no
 * hard links, PATH is away for a moment. */
static void make_older(const char *path, int keep, Error *error)
{
    for (int k = keep - 1; k >= 1 && !error->code; k--) {
        char *to = reluopt_checkpoint_older(path, k, error),
             *from = reluopt_checkpoint_older(path, k - 1, error);
        if (!error->code && access(from, F_OK) == 0) {
            unlink(to); /* a rename onto another name of the same file would do nothing */
            if ((k > 1 || link(from, to) != 0) && rename(from, to) != 0)
                reluopt_fail(error, RELUOPT_STORAGE, "%s: cannot keep as %s: %s", from, to, strerror(errno));
        }
        free(to);
        free(from);
    }
}

char *reluopt_checkpoint_older(const char *path, int k, Error *error)
{
    const char *end = strrchr(path, '.'), *suffix = end && !strchr(end, '/') ? end : path + strlen(path);
    size_t room = strlen(path) + sizeof "-100";
    char *older = reluopt_alloc(room, 1, error);
    if (older && k > 0)
        snprintf(older, room, "%.*s-%d%s", (int)(suffix - path), path, k, suffix);
    else if (older)
        snprintf(older, room, "%s", path);
    return older;
}

int reluopt_checkpoint_write(const Comm *comm, const char *path, int keep, const CheckpointMeta *meta,
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
        reluopt_storage_sync(aside, error);
        if (!error->code)
            make_older(path, keep, error);
        reluopt_storage_publish(aside, path, error);
        if (error->code)
            unlink(aside);
    }
    free(aside);
    return reluopt_comm_agree(comm, error);
}

/* Reading */

int reluopt_checkpoint_read_meta(const Comm *comm, const char *path, CheckpointMeta *meta, Error *error)
{
    *meta = (CheckpointMeta){0};
    if (comm->rank == 0) {
        Hdf5 file = open_checkpoint(path, error);
        reluopt_meta_get(&file, meta);
        reluopt_hdf5_close(&file);
    }
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK)
        reluopt_meta_share(comm, meta, error);
    if (error->code)
        reluopt_checkpoint_meta_free(meta);
    return error->code;
}

/* Is the file, read by all ranks meanwhile, still the one that meta was read from? */
static void check_same(const char *path, const CheckpointMeta *meta, Error *error)
{
    CheckpointMeta now = {0};
    Hdf5 file = open_checkpoint(path, error);
    reluopt_meta_get(&file, &now);
    reluopt_hdf5_close(&file);
    if (!error->code && (now.at.steps != meta->at.steps || strcmp(now.date, meta->date) != 0))
        reluopt_fail(error, RELUOPT_STORAGE,
                     "%s: a newer checkpoint took its place while it was read: try again", path);
    reluopt_checkpoint_meta_free(&now);
}

int reluopt_checkpoint_read_arrays(const Comm *comm, const char *path, const CheckpointMeta *meta,
                                   const Array *arrays, size_t count, Error *error)
{
    check_arrays(arrays, count, error);
    Hdf5 file = open_checkpoint(path, error);
    for (const Array *a = arrays; a < arrays + count; a++)
        get_rows(&file, a, a->data);
    reluopt_hdf5_close(&file);
    if (reluopt_comm_agree(comm, error) || !meta)
        return error->code;
    if (comm->rank == 0)
        check_same(path, meta, error);
    return reluopt_comm_agree(comm, error);
}

int reluopt_checkpoint_list(const char *path, Array **arrays, size_t *count, Error *error)
{
    Hdf5 file = open_checkpoint(path, error);
    *count = reluopt_hdf5_members(&file, "/arrays");
    if (*count > MAX_ARRAYS)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: %zu arrays are too many", path, *count);
    *arrays = error->code ? NULL : reluopt_alloc(*count, sizeof **arrays, error);
    for (size_t k = 0; *arrays && k < *count && !error->code; k++) {
        Array *a = &(*arrays)[k];
        char name[LOCATION];
        reluopt_hdf5_member(&file, "/arrays", k, a->name, sizeof a->name);
        location(a, name);
        while (a->type < ARRAY_INTEGER && !reluopt_hdf5_holds(&file, name, element_type(a)))
            a->type++;
        Extent shape = reluopt_hdf5_shape(&file, name, element_type(a));
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

/* Room for this rank's part of the array, and the part. */
static void verify_part(const Comm *comm, const Hdf5 *file, Array part)
{
    Comm even = *comm;
    even.block = 1;
    even.dedicated = false;
    Rows rows = reluopt_comm_own_rows(&even, part.rows);
    part.first = rows.first;
    part.count = rows.count;
    void *data = reluopt_alloc(part.count * part.cols, reluopt_array_element(&part), file->error);
    if (data)
        get_rows(file, &part, data);
    free(data);
}

int reluopt_checkpoint_verify(const Comm *comm, const char *path, size_t *bytes, Error *error)
{
    CheckpointMeta meta;
    Array *arrays = NULL;
    size_t count = 0;
    *bytes = 0;
    if (reluopt_checkpoint_read_meta(comm, path, &meta, error))
        return error->code;
    reluopt_checkpoint_meta_free(&meta);
    reluopt_checkpoint_list(path, &arrays, &count, error);
    Hdf5 file = open_checkpoint(path, error);
    for (size_t k = 0; arrays && k < count && !error->code; k++) {
        *bytes += arrays[k].rows * arrays[k].cols * reluopt_array_element(&arrays[k]);
        verify_part(comm, &file, arrays[k]);
    }
    reluopt_hdf5_close(&file);
    free(arrays);
    return reluopt_comm_agree(comm, error);
}
