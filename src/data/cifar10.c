/* cifar10.c - CIFAR-10 binary files: records of a label byte and 3 x 32 x 32 bytes, without a header. */
#include <stdlib.h>

#include "records.h"
#include "reluopt/file.h"
#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { CLASSES = 10, SIDE = 32, PIXELS = 3 * SIDE * SIDE, RECORD = 1 + PIXELS };

static int check(const Bytes *file, const char *path, Error *error)
{
    size_t records = file->size / RECORD, rest = file->size % RECORD;
    if (rest != 0)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: record %zu (byte %zu) has %zu of its %d bytes: the file is truncated or no CIFAR-10 "
            "binary file, get it again",
            path, records + 1, records * RECORD, rest, RECORD);
    for (size_t i = 0; i < records; i++)
        if (file->data[i * RECORD] >= CLASSES)
            return reluopt_fail(
                error, RELUOPT_DATA,
                "%s: record %zu (byte %zu) has label %d, outside 0 to 9: the file is damaged or no "
                "CIFAR-10 binary file, get it again",
                path, i + 1, i * RECORD, file->data[i * RECORD]);
    return RELUOPT_OK;
}

static void convert(const Bytes *file, Samples *samples, size_t first)
{
    for (size_t i = 0; i < file->size / RECORD; i++) {
        const unsigned char *record = file->data + i * RECORD;
        float *x = samples->x + (first + i) * PIXELS;
        samples->y[first + i] = record[0];
        for (size_t k = 0; k < PIXELS; k++)
            x[k] = record[1 + k];
    }
}

static int read_files(Bytes *file, const char *const *paths, size_t count, Samples *samples, Schema *schema,
                      Error *error)
{
    size_t records = 0;
    for (size_t f = 0; f < count; f++) {
        if (reluopt_file_load(paths[f], &file[f], error) || check(&file[f], paths[f], error))
            return error->code;
        records += file[f].size / RECORD;
    }
    if (reluopt_samples_alloc(samples, records, PIXELS, error))
        return error->code;
    samples->height = samples->width = SIDE;
    size_t first = 0;
    for (size_t f = 0; f < count; f++) {
        convert(&file[f], samples, first);
        first += file[f].size / RECORD;
    }
    if (reluopt_schema_numbers(schema, samples, CLASSES, paths[0], paths[0], error))
        reluopt_samples_free(samples);
    return error->code;
}

int reluopt_read_cifar10(const char *const *paths, size_t count, Samples *samples, Schema *schema, Error *error)
{
    *samples = (Samples){0};
    Bytes *file = reluopt_alloc(count, sizeof *file, error);
    if (!file)
        return error->code;
    read_files(file, paths, count, samples, schema, error);
    for (size_t f = 0; f < count; f++)
        free(file[f].data);
    free(file);
    return error->code;
}

int reluopt_open_cifar10(Source *source, const char *path, const Schema *schema, Error *error)
{
    Records *records = reluopt_alloc(1, sizeof *records, error);
    if (!records)
        return error->code;
    reluopt_stream_open(&records->stream, path, error);
    records->number = (Number){.kind = 'u', .size = 1};
    records->skip = 1;
    records->each = PIXELS;
    records->count = SIZE_MAX;
    return records_source(source, records, schema, error);
}
