/* npy.c - NumPy arrays: .npy files, and x.npy and y.npy in .npz files (zip).
 *
 * A .npy file is "\x93NUMPY", two bytes of version, the length of the header (2 bytes, from version 2 on 4,
 * least significant first), the header, a Python dictionary with the keys descr, fortran_order and shape, and
 * the values. */
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { MAGIC = 8, MAX_HEADER = 1 << 16, MAX_DIMENSIONS = 32 };

/* A header under way. */
typedef struct Header {
    const char *at; /* what is not read yet */
    char number[8]; /* descr */
    bool fortran;
    size_t dimensions, size[MAX_DIMENSIONS];
    int seen; /* bits of the keys */
} Header;

static void skip_blanks(Header *header)
{
    header->at += strspn(header->at, " \n");
}

/* The characters of `text` come next; take them. */
static bool take(Header *header, const char *text)
{
    skip_blanks(header);
    size_t length = strlen(text);
    if (strncmp(header->at, text, length) != 0)
        return false;
    header->at += length;
    return true;
}

static bool take_descr(Header *header)
{
    if (!take(header, "'"))
        return false;
    size_t length = strcspn(header->at, "'");
    if (length >= sizeof header->number || header->at[length] != '\'')
        return false;
    memcpy(header->number, header->at, length);
    header->number[length] = '\0';
    header->at += length + 1;
    return true;
}

static bool take_order(Header *header)
{
    header->fortran = take(header, "True");
    return header->fortran || take(header, "False");
}

static bool take_shape(Header *header)
{
    if (!take(header, "("))
        return false;
    while (!take(header, ")")) {
        size_t value = 0, digits = 0;
        skip_blanks(header);
        for (; *header->at >= '0' && *header->at <= '9'; header->at++, digits++)
            if (__builtin_mul_overflow(value, (size_t)10, &value) ||
                __builtin_add_overflow(value, (size_t)(*header->at - '0'), &value))
                return false;
        if (digits == 0 || header->dimensions == MAX_DIMENSIONS)
            return false;
        header->size[header->dimensions++] = value;
        if (!take(header, ",") && *header->at != ')')
            return false;
    }
    return true;
}

static bool take_dictionary(Header *header)
{
    static const struct {
        const char *key;
        bool (*take)(Header *);
    } entries[] = {{"'descr':", take_descr}, {"'fortran_order':", take_order}, {"'shape':", take_shape}};
    if (!take(header, "{"))
        return false;
    while (!take(header, "}")) {
        int i = 0;
        while (i < 3 && !take(header, entries[i].key))
            i++;
        if (i == 3 || header->seen & 1 << i || !entries[i].take(header))
            return false;
        header->seen |= 1 << i;
        take(header, ",");
    }
    skip_blanks(header);
    return header->seen == 7 && *header->at == '\0';
}

/* "<f4" and the like; booleans are bytes. */
static bool parse_number(const char *text, Number *number)
{
    size_t size = text[0] && text[1] ? strspn(text + 2, "1248") : 0;
    if (size != 1 || text[3] != '\0' || !strchr("<>|=", text[0]) || !strchr("uifb", text[1]))
        return false;
    *number = (Number){.kind = (char)(text[1] == 'b' ? 'u' : text[1]), .size = (size_t)(text[2] - '0')};
    number->big = text[0] == '>';
    return !(number->kind == 'f' && number->size < 4) && !(text[1] == 'b' && number->size != 1);
}

/* Read magic, version and header as text; malloc'ed. */
static char *read_header(Stream *stream, Error *error)
{
    unsigned char start[MAGIC], bytes[4] = {0};
    if (reluopt_stream_read(stream, start, MAGIC, error) < MAGIC || memcmp(start, "\x93NUMPY", 6) != 0 ||
        start[6] < 1 || start[6] > 3) {
        reluopt_fail(error, RELUOPT_DATA,
                     "%s: does not begin as a .npy file of version 1 to 3: write it with "
                     "numpy.save or numpy.savez",
                     stream->name);
        return NULL;
    }
    size_t width = start[6] == 1 ? 2 : 4, got = reluopt_stream_read(stream, bytes, width, error);
    size_t length = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
    char *text = got == width && length <= MAX_HEADER ? reluopt_alloc(length + 1, 1, error) : NULL;
    if (text && reluopt_stream_read(stream, text, length, error) == length && strlen(text) == length)
        return text;
    free(text);
    reluopt_fail(error, RELUOPT_DATA,
                 "%s: ends at byte %zu, inside its header, or the header is no text: get the "
                 "file again",
                 stream->name, stream->at);
    return NULL;
}

/* Set the fields of `records` from the header, once the sizes agree with the size of the file. */
static int measure(Records *records, Header *header, Error *error)
{
    const char *name = records->stream.name;
    size_t bytes;
    if (!parse_number(header->number, &records->number))
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: type %s is not read: write integers or floats of 4 or 8 bytes", name,
                            header->number);
    if (header->fortran && header->dimensions > 1)
        return reluopt_fail(error, RELUOPT_DATA, "%s: is in Fortran order: write numpy.ascontiguousarray of it",
                            name);
    records->count = header->dimensions > 0 ? header->size[0] : 0;
    records->each = 1;
    for (size_t i = 1; i < header->dimensions; i++)
        if (__builtin_mul_overflow(records->each, header->size[i], &records->each))
            records->each = 0;
    if (records->count == 0 || records->each == 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: has no dimension, or one that is 0 or too large", name);
    if (__builtin_mul_overflow(records->count, records->each, &bytes) ||
        __builtin_mul_overflow(bytes, records->number.size, &bytes) ||
        bytes != records->stream.size - records->stream.at)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: %zu x %zu values of %zu bytes do not agree with the %zu bytes after its header "
            "(byte %zu): truncated, or trailing bytes: get the file again",
            name, records->count, records->each, records->number.size,
            records->stream.size - records->stream.at, records->stream.at);
    return RELUOPT_OK;
}

/* Open an array; dimensions: NULL, or how it is laid out.  Close the records also after a failure. */
static int open_array(Records *records, const char *path, const char *member, Header *header, Error *error)
{
    *records = (Records){0};
    *header = (Header){0};
    if (member ? reluopt_stream_open_member(&records->stream, path, member, error)
               : reluopt_stream_open(&records->stream, path, error))
        return error->code;
    if (records->stream.size == SIZE_MAX)
        return reluopt_fail(error, RELUOPT_DATA, "%s: .npy is not read from gzip: unpack it, or write .npz",
                            path);
    char *text = read_header(&records->stream, error);
    if (!text)
        return error->code;
    header->at = text;
    if (take_dictionary(header))
        measure(records, header, error);
    else
        reluopt_fail(
            error, RELUOPT_DATA,
            "%s: header character %zu: descr, fortran_order and shape of a plain array expected: get the "
            "file again, or write an array of numbers",
            records->stream.name, (size_t)(header->at - text) + 1);
    free(text);
    return error->code;
}

static int read_labels(Records *y, Samples *samples, Error *error)
{
    size_t count;
    if (y->number.kind == 'f' || y->each != 1)
        return reluopt_fail(error, RELUOPT_DATA, "%s: must be one integer a sample: write class numbers",
                            y->stream.name);
    float *label = reluopt_alloc(y->count, sizeof *label, error);
    if (label && !records_read(y, label, y->count, &count, error))
        for (size_t i = 0; i < y->count; i++) {
            if (label[i] < 0 || label[i] >= RELUOPT_MAX_CLASSES)
                reluopt_fail(error, RELUOPT_DATA,
                             "%s: [%zu] is %.0f, no class number: number the classes from 0 on", y->stream.name,
                             i, label[i]);
            samples->y[i] = error->code ? 0 : (int)label[i];
        }
    free(label);
    return error->code;
}

static int read_both(Records *x, Records *y, const Header *shape, Samples *samples, Schema *schema,
                     Error *error)
{
    size_t count;
    if (x->count != y->count)
        return reluopt_fail(error, RELUOPT_DATA, "%s has %zu samples, but %s %zu labels: use files of one set",
                            x->stream.name, x->count, y->stream.name, y->count);
    if (reluopt_samples_alloc(samples, x->count, x->each, error))
        return error->code;
    if (shape->dimensions == 3) { /* a number of plane images */
        samples->height = shape->size[1];
        samples->width = shape->size[2];
    }
    if (records_read(x, samples->x, x->count, &count, error) || read_labels(y, samples, error) ||
        reluopt_schema_numbers(schema, samples, 0, x->stream.name, y->stream.name, error))
        reluopt_samples_free(samples);
    return error->code;
}

static int read_arrays(const char *const path[2], const char *const member[2], Samples *samples, Schema *schema,
                       Error *error)
{
    Records x, y = {0};
    Header shape, flat;
    *samples = (Samples){0};
    if (!open_array(&x, path[0], member[0], &shape, error) && !open_array(&y, path[1], member[1], &flat, error))
        read_both(&x, &y, &shape, samples, schema, error);
    records_close(&x);
    records_close(&y);
    return error->code;
}

int reluopt_read_npy(const char *x, const char *y, Samples *samples, Schema *schema, Error *error)
{
    return read_arrays((const char *const[]){x, y}, (const char *const[]){NULL, NULL}, samples, schema, error);
}

int reluopt_read_npz(const char *path, Samples *samples, Schema *schema, Error *error)
{
    return read_arrays((const char *const[]){path, path}, (const char *const[]){"x.npy", "y.npy"}, samples,
                       schema, error);
}

int reluopt_open_npy(Source *source, const char *path, bool archive, const Schema *schema, Error *error)
{
    Header shape;
    Records *records = reluopt_alloc(1, sizeof *records, error);
    if (records) {
        open_array(records, path, archive ? "x.npy" : NULL, &shape, error);
        records_source(source, records, schema, error);
    }
    return error->code;
}
