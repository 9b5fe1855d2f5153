/* predictions.c - classes and probabilities of samples, as CSV or HDF5, a block at a time.
 *
 * A file is written aside and renamed when it is whole.  HDF5 files of any size cannot be laid out in memory
 * like the others of this program, so HDF5 writes them by itself; what fails on a full disk is noted at the
 * next flush. */
#include "reluopt/predictions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hdf5.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"

enum { CHUNK_BYTES = 256 << 10 };

static bool is_hdf5(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".h5") == 0 || strcmp(dot, ".hdf5") == 0);
}

static Hdf5 hdf5_of(const Predictions *predictions, Error *error)
{
    return (Hdf5){.id = (hid_t)predictions->hdf5, .path = predictions->path, .error = error};
}

/* CSV */

/* A name as a cell: quoted where it has to be. */
static void put_name(FILE *out, const char *before, const char *name)
{
    bool quoted = name[strcspn(name, ",\"\r\n")] != '\0' || name[0] == ' ';
    fprintf(out, "%s%s", quoted ? "\"" : "", before);
    for (; *name != '\0'; name++)
        fprintf(out, *name == '"' ? "\"\"" : "%c", *name);
    fputs(quoted ? "\"" : "", out);
}

static void put_header(const Predictions *predictions)
{
    const Schema *schema = predictions->schema;
    fputs("class", predictions->csv);
    for (size_t c = 0; c < schema->classes; c++) {
        fputc(',', predictions->csv);
        put_name(predictions->csv, "p_", schema->class_name[c]);
    }
    fputc('\n', predictions->csv);
}

static int add_lines(const Predictions *predictions, const float *probability, size_t count, Error *error)
{
    const Schema *schema = predictions->schema;
    FILE *out = predictions->csv;
    for (const float *p = probability; p < probability + count * schema->classes; p += schema->classes) {
        put_name(out, "", schema->class_name[reluopt_largest(p, schema->classes, 1, 0)]);
        for (size_t c = 0; c < schema->classes; c++)
            fprintf(out, ",%.9g", (double)p[c]);
        fputc('\n', out);
    }
    if (ferror(out))
        reluopt_fail(error, RELUOPT_STORAGE, "%s: cannot write: %s",
                     predictions->path ? predictions->path : "output", strerror(errno));
    return error->code;
}

/* HDF5 */

/* A dataset that grows in its first dimension; columns 0: a vector. */
static void put_growing(const Hdf5 *file, const char *name, hid_t type, size_t columns)
{
    hsize_t none[2] = {0, columns}, any[2] = {H5S_UNLIMITED, columns}, chunk[2] = {1, columns};
    int rank = columns > 0 ? 2 : 1;
    chunk[0] = CHUNK_BYTES / (H5Tget_size(type) * (columns > 0 ? columns : 1)) + 1;
    hid_t space = H5Screate_simple(rank, none, any), plist = H5Pcreate(H5P_DATASET_CREATE),
          id = H5I_INVALID_HID;
    if (H5Pset_chunk(plist, rank, chunk) < 0 || H5Pset_shuffle(plist) < 0 || H5Pset_deflate(plist, 1) < 0 ||
        H5Pset_fletcher32(plist) < 0 ||
        (id = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT)) < 0)
        reluopt_hdf5_fail(file, name);
    H5Dclose(id);
    H5Pclose(plist);
    H5Sclose(space);
}

static void put_class_names(const Hdf5 *file, const Schema *schema)
{
    size_t width = 1;
    for (size_t c = 0; c < schema->classes; c++)
        width = strlen(schema->class_name[c]) > width ? strlen(schema->class_name[c]) : width;
    char *names = reluopt_alloc(schema->classes, width, file->error);
    if (!names)
        return;
    for (size_t c = 0; c < schema->classes; c++)
        memcpy(names + c * width, schema->class_name[c], strlen(schema->class_name[c]));
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, width);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    reluopt_hdf5_put(file, "/class_name", type, reluopt_hdf5_vector(schema->classes), names);
    H5Tclose(type);
    free(names);
}

static int create_hdf5(Predictions *predictions, Error *error)
{
    hid_t access = reluopt_hdf5_access();
    predictions->hdf5 = H5Fcreate(predictions->aside, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    Hdf5 file = hdf5_of(predictions, error);
    if (predictions->hdf5 < 0) {
        reluopt_hdf5_fail(&file, "cannot create");
    } else {
        put_class_names(&file, predictions->schema);
        put_growing(&file, "/class", H5T_NATIVE_INT32, 0);
        put_growing(&file, "/probability", H5T_NATIVE_FLOAT, predictions->schema->classes);
    }
    H5Pclose(access);
    return error->code;
}

/* Add `count` rows of values to a dataset that has `before` of them. */
static void append(const Hdf5 *file, const char *name, hid_t type, size_t columns, size_t before, size_t count,
                   const void *values)
{
    hsize_t all[2] = {before + count, columns}, start[2] = {before, 0}, size[2] = {count, columns};
    hid_t id = H5Dopen2(file->id, name, H5P_DEFAULT), in_file,
          in_memory = H5Screate_simple(columns ? 2 : 1, size, NULL);
    if (H5Dset_extent(id, all) < 0 || (in_file = H5Dget_space(id)) < 0) {
        reluopt_hdf5_fail(file, name);
    } else {
        if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
            H5Dwrite(id, type, in_memory, in_file, H5P_DEFAULT, values) < 0)
            reluopt_hdf5_fail(file, name);
        H5Sclose(in_file);
    }
    H5Sclose(in_memory);
    H5Dclose(id);
}

static int add_rows(const Predictions *predictions, const float *probability, size_t count, Error *error)
{
    size_t classes = predictions->schema->classes;
    Hdf5 file = hdf5_of(predictions, error);
    int32_t *class = reluopt_alloc(count, sizeof *class, error);
    if (!class)
        return error->code;
    for (size_t k = 0; k < count; k++)
        class[k] = (int32_t)reluopt_largest(probability + k * classes, classes, 1, 0);
    append(&file, "/class", H5T_NATIVE_INT32, 0, predictions->count, count, class);
    append(&file, "/probability", H5T_NATIVE_FLOAT, classes, predictions->count, count, probability);
    if (!error->code && H5Fflush(file.id, H5F_SCOPE_LOCAL) < 0)
        reluopt_hdf5_fail(&file, "cannot write");
    free(class);
    return error->code;
}

/* Either */

int reluopt_predictions_create(Predictions *predictions, const char *path, const Schema *schema, Error *error)
{
    *predictions = (Predictions){.path = path, .schema = schema, .hdf5 = -1};
    if (path && !(predictions->aside = reluopt_storage_aside(path, error)))
        return error->code;
    if (path && is_hdf5(path))
        return create_hdf5(predictions, error);
    predictions->csv = path ? fopen(predictions->aside, "w") : stdout;
    if (!predictions->csv)
        return reluopt_fail(error, RELUOPT_STORAGE, "%s: cannot create: %s", path, strerror(errno));
    put_header(predictions);
    return RELUOPT_OK;
}

int reluopt_predictions_add(Predictions *predictions, const float *probability, size_t count, Error *error)
{
    if (predictions->csv)
        add_lines(predictions, probability, count, error);
    else
        add_rows(predictions, probability, count, error);
    predictions->count += count;
    return error->code;
}

int reluopt_predictions_close(Predictions *predictions, Error *error)
{
    Hdf5 file = hdf5_of(predictions, error);
    if (predictions->hdf5 >= 0 && H5Fclose(file.id) < 0 && !error->code)
        reluopt_hdf5_fail(&file, "cannot write");
    if (predictions->csv && predictions->path && fclose(predictions->csv) != 0)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: cannot write: %s", predictions->path, strerror(errno));
    if (predictions->aside) {
        reluopt_storage_publish(predictions->aside, predictions->path, error);
        if (error->code)
            unlink(predictions->aside);
    }
    free(predictions->aside);
    *predictions = (Predictions){.hdf5 = -1};
    return error->code;
}
