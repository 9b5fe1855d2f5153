/* hdf5_reader.c - samples in an HDF5 file: /x and /y.  Opened serially: only rank 0 reads data files. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/file.h"
#include "reluopt/memory.h"
#include "reluopt/readers.h"

/* The strongest filter (deflate) packs 1032 to 1. */
enum { MAX_DIMENSIONS = 32, MAX_PACKING = 1032 };

typedef struct Set {
    const char *path, *name;
    hid_t id;
    size_t count;         /* the first dimension */
    size_t each;          /* the product of the others */
    size_t height, width; /* the others, where there are two: plane images; else 0 */
    H5T_class_t class;
    size_t bytes; /* of one value */
} Set;

/* Set count and each. */
static int measure(Set *set, Error *error)
{
    hsize_t size[MAX_DIMENSIONS];
    hid_t space = H5Dget_space(set->id);
    int dimensions = H5Sget_simple_extent_ndims(space);
    if (dimensions > 0 && dimensions <= MAX_DIMENSIONS)
        H5Sget_simple_extent_dims(space, size, NULL);
    H5Sclose(space);
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
        return reluopt_fail(error, RELUOPT_DATA, "%s: %s is no array: write it as one, samples first",
                            set->path, set->name);
    set->count = (size_t)size[0];
    set->height = dimensions == 3 ? (size_t)size[1] : 0;
    set->width = dimensions == 3 ? (size_t)size[2] : 0;
    set->each = 1;
    for (int i = 1; i < dimensions; i++)
        if (__builtin_mul_overflow(set->each, (size_t)size[i], &set->each))
            set->each = 0;
    if (set->count == 0 || set->each == 0)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: %s has a dimension that is 0 or too large: write the file again", set->path,
                            set->name);
    return RELUOPT_OK;
}

/* The values must really be in the file, before memory is taken for them: as many as deflate could pack into
 * it, before HDF5 is asked to count its chunks; and as many as it counts. */
static int check_storage(const Set *set, hid_t plan, Error *error)
{
    size_t on_disk, needed, stored = 0;
    if (reluopt_file_size(set->path, &on_disk, error))
        return error->code;
    size_t packing = H5Pget_nfilters(plan) > 0 ? MAX_PACKING : 1;
    bool possible = !__builtin_mul_overflow(set->count, set->each, &needed) &&
                    !__builtin_mul_overflow(needed, set->bytes, &needed) && needed / packing <= on_disk;
    if (possible)
        stored = (size_t)H5Dget_storage_size(set->id);
    if (!possible || stored > on_disk || needed / packing > stored)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: %s (%zu x %zu) is not all in the file, which stores %zu bytes of it: write it whole, "
            "into this file",
            set->path, set->name, set->count, set->each, stored);
    return RELUOPT_OK;
}

/* A link to another file is not followed. */
static herr_t refuse_link(const char *file, const char *group, const char *other, const char *object,
                          unsigned *flags, hid_t access, void *data)
{
    (void)file, (void)group, (void)other, (void)object, (void)flags, (void)access, (void)data;
    return -1;
}

static int open_set(Set *set, hid_t file, Error *error)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    if (H5Pset_elink_cb(access, refuse_link, NULL) >= 0)
        set->id = H5Dopen2(file, set->name, access);
    H5Pclose(access);
    if (set->id < 0)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: no data set %s in this file: it needs /x (samples) and /y (labels)", set->path,
                            set->name);
    hid_t type = H5Dget_type(set->id), plan = H5Dget_create_plist(set->id);
    set->class = H5Tget_class(type);
    set->bytes = H5Tget_size(type);
    if (set->bytes == 0 || H5Pget_layout(plan) == H5D_VIRTUAL || H5Pget_external_count(plan) != 0)
        reluopt_fail(error, RELUOPT_DATA, "%s: %s is kept in other files: write it whole, into this file",
                     set->path, set->name);
    else if (!measure(set, error))
        check_storage(set, plan, error);
    H5Tclose(type);
    H5Pclose(plan);
    return error->code;
}

/* Read `count` samples from number `first` on. */
static int read_values(const Set *set, hid_t type, size_t first, size_t count, void *out, Error *error)
{
    hsize_t start[MAX_DIMENSIONS] = {first}, size[MAX_DIMENSIONS], values = count * set->each;
    hid_t file = H5Dget_space(set->id), memory = H5Screate_simple(1, &values, NULL);
    H5Sget_simple_extent_dims(file, size, NULL);
    size[0] = count;
    if (H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(set->id, type, memory, file, H5P_DEFAULT, out) < 0)
        reluopt_fail(error, RELUOPT_DATA,
                     "%s: %s cannot be read: the file is damaged or needs a filter that is not installed",
                     set->path, set->name);
    H5Sclose(memory);
    H5Sclose(file);
    return error->code;
}

static int read_features(const Set *x, size_t first, size_t count, float *out, Error *error)
{
    if (read_values(x, H5T_NATIVE_FLOAT, first, count, out, error))
        return error->code;
    for (size_t i = 0; i < count * x->each; i++)
        if (!isfinite(out[i]))
            return reluopt_fail(error, RELUOPT_DATA,
                                "%s: %s[%zu, %zu] is not a finite single-precision number: correct it", x->path,
                                x->name, first + i / x->each, i % x->each);
    return RELUOPT_OK;
}

static int read_labels(const Set *y, Samples *samples, Error *error)
{
    long long *label = reluopt_alloc(y->count, sizeof *label, error);
    if (label && !read_values(y, H5T_NATIVE_LLONG, 0, y->count, label, error))
        for (size_t i = 0; i < y->count; i++) {
            samples->y[i] = (int)label[i];
            if (label[i] < 0 || label[i] >= RELUOPT_MAX_CLASSES)
                reluopt_fail(error, RELUOPT_DATA,
                             "%s: %s[%zu] is %lld, no class number: number the classes from 0 on", y->path,
                             y->name, i, label[i]);
        }
    free(label);
    return error->code;
}

static int check_features(const Set *x, Error *error)
{
    if (x->class != H5T_INTEGER && x->class != H5T_FLOAT)
        return reluopt_fail(error, RELUOPT_DATA, "%s: %s holds no numbers: write integers or floats", x->path,
                            x->name);
    return RELUOPT_OK;
}

static int check_sets(const Set *x, const Set *y, Error *error)
{
    if (check_features(x, error))
        return error->code;
    if (y->class != H5T_INTEGER || y->each != 1)
        return reluopt_fail(error, RELUOPT_DATA, "%s: %s must be one integer a sample: write class numbers",
                            y->path, y->name);
    if (x->count != y->count)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: /x has %zu samples, but /y %zu labels: write the file again", x->path,
                            x->count, y->count);
    return RELUOPT_OK;
}

static int read_file(hid_t file, const char *path, Samples *samples, Schema *schema, Error *error)
{
    Set x = {.path = path, .name = "/x", .id = H5I_INVALID_HID};
    Set y = {.path = path, .name = "/y", .id = H5I_INVALID_HID};
    if (!open_set(&x, file, error) && !open_set(&y, file, error) && !check_sets(&x, &y, error) &&
        !reluopt_samples_alloc(samples, x.count, x.each, error) &&
        (read_features(&x, 0, x.count, samples->x, error) || read_labels(&y, samples, error) ||
         reluopt_schema_numbers(schema, samples, 0, path, path, error)))
        reluopt_samples_free(samples);
    if (!error->code) {
        samples->height = x.height;
        samples->width = x.width;
    }
    H5Dclose(x.id);
    H5Dclose(y.id);
    return error->code;
}

static hid_t open_file(const char *path, Error *error)
{
    size_t size;
    if (reluopt_file_size(path, &size, error))
        return H5I_INVALID_HID;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        reluopt_fail(
            error, RELUOPT_DATA,
            "%s: cannot be opened as HDF5: it is truncated, damaged, locked by a writer or another format",
            path);
    return file;
}

/* HDF5 prints its own error stack unless told not to. */
typedef struct Printing {
    H5E_auto2_t print;
    void *data;
} Printing;

static Printing be_quiet(void)
{
    Printing before;
    H5Eget_auto2(H5E_DEFAULT, &before.print, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

static void print_again(Printing before)
{
    H5Eset_auto2(H5E_DEFAULT, before.print, before.data);
}

int reluopt_read_hdf5(const char *path, Samples *samples, Schema *schema, Error *error)
{
    *samples = (Samples){0};
    Printing before = be_quiet();
    hid_t file = open_file(path, error);
    if (file >= 0) {
        read_file(file, path, samples, schema, error);
        H5Fclose(file);
    }
    print_again(before);
    return error->code;
}

/* Some samples at a time. */

typedef struct Reading {
    hid_t file;
    Set x;
    size_t done;
    char path[1024];
} Reading;

static int read_source(void *state, float *x, size_t room, size_t *count, Error *error)
{
    Reading *reading = state;
    size_t left = reading->x.count - reading->done;
    *count = room < left ? room : left;
    if (*count == 0)
        return RELUOPT_OK;
    Printing before = be_quiet();
    read_features(&reading->x, reading->done, *count, x, error);
    print_again(before);
    reading->done += *count;
    return error->code;
}

static void close_source(void *state)
{
    Reading *reading = state;
    Printing before = be_quiet();
    H5Dclose(reading->x.id);
    H5Fclose(reading->file);
    print_again(before);
    free(reading);
}

int reluopt_open_hdf5(Source *source, const char *path, const Schema *schema, Error *error)
{
    Reading *reading = reluopt_alloc(1, sizeof *reading, error);
    if (!reading)
        return error->code;
    *source = (Source){.state = reading, .read = read_source, .close = close_source};
    snprintf(reading->path, sizeof reading->path, "%s", path);
    reading->x = (Set){.path = reading->path, .name = "/x", .id = H5I_INVALID_HID};
    Printing before = be_quiet();
    reading->file = open_file(path, error);
    if (reading->file >= 0 && !open_set(&reading->x, reading->file, error) &&
        !check_features(&reading->x, error))
        reluopt_schema_matches(schema, reading->x.each, path, error);
    print_again(before);
    return error->code;
}
