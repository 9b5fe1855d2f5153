/* curves.c - the learning curves of a run, one record per epoch, in an HDF5 file.
 *
 *   /          attributes: format, layers (L)
 *   /epoch, /steps                                    N  64-bit integers
 *   /seconds, /train_loss, ..., /alpha                N  doubles
 *   /rate, /online_bound, /active                     N x L doubles
 *   /inverse_rate                                     N x (L - 1) doubles; absent when L = 1
 *   /time                                             phases x 3 doubles: seconds, least, mean and most of the
 *                                                     ranks; attributes of /: phases (their names), ranks
 *
 * The file is small and written anew at each epoch.  Checksums: see hdf5.h. */
#include "reluopt/curves.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "hdf5.h"
#include "reluopt/memory.h"

enum { FORMAT = 2, FIRST_ROOM = 64, CELL = 8, PARTS = 4, PHASE_NAMES = 256 };

_Static_assert(sizeof(double) == CELL && sizeof(int64_t) == CELL, "all columns have cells of one size");
_Static_assert(sizeof(Spread) == 3 * sizeof(double), "times are a matrix of doubles");

typedef enum Span { INTEGER, REAL, PER_LAYER, PER_INVERSE } Span;

typedef struct Column {
    const char *name;
    Span span;
    size_t at; /* offset in CurvePoint; per layer: part of the point's values */
} Column;

static const Column columns[] = {
    {"/epoch", INTEGER, offsetof(CurvePoint, epoch)},
    {"/steps", INTEGER, offsetof(CurvePoint, steps)},
    {"/seconds", REAL, offsetof(CurvePoint, seconds)},
    {"/train_loss", REAL, offsetof(CurvePoint, train_loss)},
    {"/train_accuracy", REAL, offsetof(CurvePoint, train_accuracy)},
    {"/test_loss", REAL, offsetof(CurvePoint, test_loss)},
    {"/test_accuracy", REAL, offsetof(CurvePoint, test_accuracy)},
    {"/alpha", REAL, offsetof(CurvePoint, alpha)},
    {"/rate", PER_LAYER, 0},
    {"/online_bound", PER_LAYER, 1},
    {"/active", PER_LAYER, 2},
    {"/inverse_rate", PER_INVERSE, 3},
};
static const Column *const end = columns + sizeof columns / sizeof *columns;

static bool is_layered(const Column *column)
{
    return column->span == PER_LAYER || column->span == PER_INVERSE;
}

/* Numbers of a column that belong to one point. */
static size_t width(const Curves *curves, const Column *column)
{
    return column->span == PER_LAYER ? curves->layers : column->span == PER_INVERSE ? curves->layers - 1 : 1;
}

static hid_t number_type(const Column *column)
{
    return column->span == INTEGER ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

static Extent shape(const Curves *curves, const Column *column)
{
    return is_layered(column) ? reluopt_hdf5_matrix(curves->count, width(curves, column))
                              : reluopt_hdf5_vector(curves->count);
}

/* Values of all layers at one point. */
static size_t stride(const Curves *curves)
{
    return PARTS * curves->layers - 1;
}

/* Where a column's numbers of point k are. */
static void *cell(const Curves *curves, const Column *column, size_t k)
{
    if (is_layered(column))
        return curves->values + k * stride(curves) + column->at * curves->layers;
    return (char *)&curves->points[k] + column->at;
}

CurvePoint reluopt_curves_point(const Curves *curves, size_t k)
{
    CurvePoint point = curves->points[k];
    const double *values = curves->values + k * stride(curves);
    point.rate = values;
    point.online_bound = values + curves->layers;
    point.active = values + 2 * curves->layers;
    point.inverse_rate = values + 3 * curves->layers;
    return point;
}

/* Make room for `room` points. */
static int grow(Curves *curves, size_t room, Error *error)
{
    CurvePoint *points = reluopt_alloc(room, sizeof *points, error);
    double *values = reluopt_alloc(room, stride(curves) * sizeof *values, error);
    if (!points || !values) {
        free(points);
        free(values);
        return error->code;
    }
    if (curves->count) {
        memcpy(points, curves->points, curves->count * sizeof *points);
        memcpy(values, curves->values, curves->count * stride(curves) * sizeof *values);
    }
    free(curves->points);
    free(curves->values);
    curves->points = points;
    curves->values = values;
    curves->room = room;
    return RELUOPT_OK;
}

int reluopt_curves_create(Curves *curves, const char *path, size_t layers, Error *error)
{
    *curves = (Curves){.layers = layers};
    curves->path = reluopt_copy_text(path, error);
    return error->code;
}

/* A column of all points, as it is in the file, from or to the points; through `buffer`. */
static void put_column(const Hdf5 *file, const Curves *curves, const Column *column, char *buffer)
{
    size_t size = CELL * width(curves, column);
    for (size_t k = 0; k < curves->count; k++)
        memcpy(buffer + k * size, cell(curves, column, k), size);
    reluopt_hdf5_put(file, column->name, number_type(column), shape(curves, column), buffer);
}

static void get_column(const Hdf5 *file, Curves *curves, const Column *column, char *buffer)
{
    size_t size = CELL * width(curves, column);
    reluopt_hdf5_get(file, column->name, number_type(column), shape(curves, column), 0, curves->count, buffer);
    for (size_t k = 0; k < curves->count; k++)
        memcpy(cell(curves, column, k), buffer + k * size, size);
}

/* "other,forward,...": the rows of /time. */
static void name_phases(char names[PHASE_NAMES])
{
    size_t length = 0;
    for (int i = 0; i < PHASES; i++)
        length += (size_t)snprintf(names + length, PHASE_NAMES - length, "%s%s", i ? "," : "",
                                   reluopt_phase_name((Phase)i));
}

static void put_times(const Hdf5 *file, const Times *times)
{
    char names[PHASE_NAMES];
    if (times->ranks == 0)
        return;
    name_phases(names);
    reluopt_hdf5_put_label(file, "/", "phases", names);
    reluopt_hdf5_put_integer(file, "/", "ranks", times->ranks);
    reluopt_hdf5_put(file, "/time", H5T_NATIVE_DOUBLE, reluopt_hdf5_matrix(PHASES, 3), times->phase);
}

/* Those of a version with other phases are left out. */
static void get_times(const Hdf5 *file, Times *times)
{
    char names[PHASE_NAMES], found[PHASE_NAMES];
    name_phases(names);
    if (!reluopt_hdf5_exists(file, "/time"))
        return;
    reluopt_hdf5_get_label(file, "/", "phases", found, sizeof found);
    if (file->error->code || strcmp(found, names) != 0)
        return;
    times->ranks = (int)reluopt_hdf5_get_integer(file, "/", "ranks");
    reluopt_hdf5_get(file, "/time", H5T_NATIVE_DOUBLE, reluopt_hdf5_matrix(PHASES, 3), 0, PHASES, times->phase);
    for (int i = 0; i < PHASES; i++)
        times->total += times->phase[i].mean;
}

static int save(const Curves *curves, Error *error)
{
    char *buffer = reluopt_alloc(curves->count, CELL * curves->layers, error);
    if (!buffer)
        return error->code;
    Hdf5 file;
    reluopt_hdf5_build(&file, curves->path, error);
    reluopt_hdf5_put_integer(&file, "/", "format", FORMAT);
    reluopt_hdf5_put_integer(&file, "/", "layers", (int64_t)curves->layers);
    for (const Column *c = columns; c < end; c++)
        if (width(curves, c) > 0)
            put_column(&file, curves, c, buffer);
    put_times(&file, &curves->times);
    Image image = reluopt_hdf5_finish(&file);
    reluopt_storage_replace(curves->path, image, error);
    free(image.bytes);
    free(buffer);
    return error->code;
}

int reluopt_curves_append(Curves *curves, const CurvePoint *point, Error *error)
{
    if (curves->count == curves->room &&
        grow(curves, curves->room ? 2 * curves->room : FIRST_ROOM, error) != RELUOPT_OK)
        return error->code;
    size_t k = curves->count++;
    const double *part[PARTS] = {point->rate, point->online_bound, point->active, point->inverse_rate};
    curves->points[k] = *point;
    for (const Column *c = columns; c < end; c++) {
        if (!is_layered(c))
            continue;
        double *to = cell(curves, c, k);
        for (size_t i = 0; i < width(curves, c); i++)
            to[i] = part[c->at] ? part[c->at][i] : NAN;
    }
    return save(curves, error);
}

void reluopt_curves_cut(Curves *curves, size_t count)
{
    if (count < curves->count)
        curves->count = count;
}

/* The sizes that the file claims, and memory for them. */
static void start_reading(const Hdf5 *file, Curves *curves)
{
    int64_t format = reluopt_hdf5_get_integer(file, "/", "format");
    if (!file->error->code && format != FORMAT)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: format %lld of learning curves; this program reads %d",
                     file->path, (long long)format, FORMAT);
    int64_t layers = reluopt_hdf5_get_integer(file, "/", "layers");
    Extent rates = reluopt_hdf5_shape(file, "/rate", H5T_NATIVE_DOUBLE);
    if (file->error->code)
        return;
    curves->layers = rates.dim[1];
    if (layers < 1 || (size_t)layers != curves->layers)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: says %lld layers and has %zu", file->path,
                     (long long)layers, curves->layers);
    else if (grow(curves, rates.dim[0], file->error) == RELUOPT_OK)
        curves->count = rates.dim[0];
}

int reluopt_curves_read(Curves *curves, const char *path, Error *error)
{
    *curves = (Curves){.path = reluopt_copy_text(path, error)};
    Hdf5 file = reluopt_hdf5_open(path, error);
    start_reading(&file, curves);
    char *buffer = error->code ? NULL : reluopt_alloc(curves->count, CELL * curves->layers, error);
    for (const Column *c = columns; c < end && buffer; c++)
        if (width(curves, c) > 0)
            get_column(&file, curves, c, buffer);
    get_times(&file, &curves->times);
    free(buffer);
    reluopt_hdf5_close(&file);
    if (error->code)
        reluopt_curves_free(curves);
    return error->code;
}

void reluopt_curves_free(Curves *curves)
{
    free(curves->path);
    free(curves->points);
    free(curves->values);
    *curves = (Curves){0};
}
