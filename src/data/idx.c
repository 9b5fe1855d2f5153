/* idx.c - IDX files (MNIST family): big-endian header 00 00 TYPE DIMENSIONS, one 32-bit size for each
 * dimension, then the values.  Only type 08, unsigned bytes, is read. */
#include <stdbool.h>
#include <stdlib.h>

#include "records.h"
#include "reluopt/file.h"
#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { MAGIC = 4, SIZE = 4, UNSIGNED_BYTE = 0x08 };

typedef struct Idx {
    const char *path;
    Bytes file;
    size_t count; /* the first dimension */
    size_t each;  /* the product of the others */
    size_t width; /* the last dimension */
    const unsigned char *value;
} Idx;

static int check_magic(const Idx *idx, Error *error)
{
    const unsigned char *b = idx->file.data;
    if (idx->file.size < MAGIC)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: %zu bytes are too few for an IDX header: the file is truncated, get it again",
                            idx->path, idx->file.size);
    if (b[0] != 0 || b[1] != 0)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: no IDX file: it starts with bytes %02x %02x, not 00 00: check the path",
                            idx->path, b[0], b[1]);
    if (b[2] != UNSIGNED_BYTE)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: IDX type %02x at byte 2: only 08 (unsigned bytes) is read, convert the file",
                            idx->path, b[2]);
    return RELUOPT_OK;
}

/* Set count, each and value from the sizes in the header, once they agree with the size of the file (SIZE_MAX:
 * not known yet). */
static int measure(Idx *idx, size_t file_size, Error *error)
{
    size_t dimensions = idx->file.data[3], header = MAGIC + SIZE * dimensions, total = 1;
    idx->each = 1;
    if (idx->file.size < header)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: ends at byte %zu, inside its header of %zu bytes: get the file again",
                            idx->path, idx->file.size, header);
    size_t there = file_size - header;
    for (size_t i = 0; i < dimensions; i++) {
        const unsigned char *b = idx->file.data + MAGIC + SIZE * i;
        size_t size = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (size == 0)
            return reluopt_fail(error, RELUOPT_DATA,
                                "%s: dimension %zu is 0 (byte %zu): the file has no samples", idx->path, i + 1,
                                MAGIC + SIZE * i);
        if (size > there / total)
            return reluopt_fail(
                error, RELUOPT_DATA,
                "%s: truncated: ends at byte %zu, but the header (dimension %zu is %zu) asks for "
                "more: get the file again",
                idx->path, file_size, i + 1, size);
        if (i == 0)
            idx->count = size;
        else
            idx->each *= size;
        total *= size;
        idx->width = size;
    }
    if (file_size != SIZE_MAX && there != total)
        return reluopt_fail(error, RELUOPT_DATA, "%s: %zu trailing bytes after byte %zu: get the file again",
                            idx->path, there - total, header + total);
    idx->value = idx->file.data + header;
    return RELUOPT_OK;
}

static int check_dimensions(const Idx *idx, bool labels, Error *error)
{
    int dimensions = idx->file.data[3];
    if (labels != (dimensions == 1) || dimensions == 0)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: %d dimensions at byte 3, but %s: check that images and labels are not swapped",
                            idx->path, dimensions, labels ? "labels have 1" : "images have 2 or more");
    return RELUOPT_OK;
}

static int load(Idx *idx, bool labels, Error *error)
{
    if (reluopt_file_load(idx->path, &idx->file, error) || check_magic(idx, error) ||
        check_dimensions(idx, labels, error))
        return error->code;
    return measure(idx, idx->file.size, error);
}

static int convert(const Idx *images, const Idx *labels, Samples *samples, Schema *schema, Error *error)
{
    if (images->count != labels->count)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s has %zu images, but %s has %zu labels: use files of one set", images->path,
                            images->count, labels->path, labels->count);
    if (reluopt_samples_alloc(samples, images->count, images->each, error))
        return error->code;
    if (images->file.data[3] == 3) { /* dimensions: a number of plane images */
        samples->width = images->width;
        samples->height = images->each / images->width;
    }
    for (size_t i = 0; i < images->count * images->each; i++)
        samples->x[i] = images->value[i];
    for (size_t i = 0; i < labels->count; i++)
        samples->y[i] = labels->value[i];
    if (reluopt_schema_numbers(schema, samples, 0, images->path, labels->path, error))
        reluopt_samples_free(samples);
    return error->code;
}

int reluopt_read_idx(const char *images, const char *labels, Samples *samples, Schema *schema, Error *error)
{
    Idx x = {.path = images}, y = {.path = labels};
    *samples = (Samples){0};
    if (!load(&x, false, error) && !load(&y, true, error))
        convert(&x, &y, samples, schema, error);
    free(x.file.data);
    free(y.file.data);
    return error->code;
}

/* Read the header of images into idx->file, which has room for it. */
static int read_header(Idx *idx, Stream *stream, Error *error)
{
    unsigned char *header = idx->file.data;
    idx->file.size = reluopt_stream_read(stream, header, MAGIC, error);
    if (error->code || check_magic(idx, error) || check_dimensions(idx, false, error))
        return error->code;
    idx->file.size += reluopt_stream_read(stream, header + MAGIC, SIZE * (size_t)header[3], error);
    return error->code ? error->code : measure(idx, stream->size, error);
}

int reluopt_open_idx(Source *source, const char *images, const Schema *schema, Error *error)
{
    unsigned char header[MAGIC + SIZE * UINT8_MAX];
    Idx idx = {.path = images, .file.data = header};
    Records *records = reluopt_alloc(1, sizeof *records, error);
    if (!records)
        return error->code;
    if (reluopt_stream_open(&records->stream, images, error) == RELUOPT_OK)
        read_header(&idx, &records->stream, error);
    records->number = (Number){.kind = 'u', .size = 1};
    records->count = idx.count;
    records->each = idx.each;
    return records_source(source, records, schema, error);
}
