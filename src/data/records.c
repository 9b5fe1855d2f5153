/* records.c - samples in a binary file: records of the same size, read some at a time. */
#include "records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"

enum { BUFFER = 1 << 20 };

/* The number at `b`. */
static float convert(Number number, const unsigned char *b)
{
    uint64_t bits = 0;
    float single;
    double real;
    for (size_t i = 0; i < number.size; i++)
        bits = bits << 8 | b[number.big ? i : number.size - 1 - i];
    if (number.kind == 'u')
        return (float)bits;
    if (number.kind == 'i') { /* the sign bit weighs less than nothing */
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the size is not 0
        uint64_t sign = (uint64_t)1 << (8 * number.size - 1);
        return (float)(int64_t)((bits ^ sign) - sign);
    }
    if (number.size == sizeof single) {
        uint32_t half = (uint32_t)bits;
        memcpy(&single, &half, sizeof single);
        return single;
    }
    memcpy(&real, &bits, sizeof real);
    return (float)real;
}

static int convert_record(const Records *records, const unsigned char *bytes, float *x, Error *error)
{
    Number number = records->number;
    for (size_t k = 0; k < records->each; k++) {
        x[k] =
            number.kind == 'u' && number.size == 1 ? (float)bytes[k] : convert(number, bytes + k * number.size);
        if (!isfinite(x[k]))
            return reluopt_fail(error, RELUOPT_DATA,
                                "%s: [%zu, %zu] is not a finite single-precision number: correct it",
                                records->stream.name, records->done, k);
    }
    return RELUOPT_OK;
}

/* After the last record. */
static int check_end(Records *records, Error *error)
{
    unsigned char more;
    if (reluopt_stream_read(&records->stream, &more, 1, error) == 1)
        return reluopt_fail(error, RELUOPT_DATA, "%s: trailing bytes after byte %zu: get the file again",
                            records->stream.name, records->stream.at - 1);
    return error->code;
}

static int truncated(const Records *records, Error *error)
{
    return reluopt_fail(
        error, RELUOPT_DATA,
        "%s: ends at byte %zu, inside sample %zu: the file is truncated or no such file, get it "
        "again",
        records->stream.name, records->stream.at, records->done + 1);
}

/* Read `wanted` records at most, as many as the buffer has room for. */
static int read_some(Records *records, float *x, size_t wanted, size_t *count, Error *error)
{
    size_t size = records->skip + records->each * records->number.size;
    size_t room = BUFFER / size < records->count ? BUFFER / size + 1 : records->count;
    *count = 0;
    if (!records->buffer && !(records->buffer = reluopt_alloc(room, size, error)))
        return error->code;
    wanted = wanted < room ? wanted : room;
    size_t got = reluopt_stream_read(&records->stream, records->buffer, wanted * size, error);
    for (; !error->code && *count < got / size; ++*count, records->done++)
        convert_record(records, records->buffer + *count * size + records->skip, x + *count * records->each,
                       error);
    if (!error->code && (got % size != 0 || (got < wanted * size && records->count != SIZE_MAX)))
        truncated(records, error);
    return error->code;
}

int records_read(Records *records, float *x, size_t room, size_t *count, Error *error)
{
    size_t left = records->count == SIZE_MAX ? SIZE_MAX : records->count - records->done, got = 1;
    room = room < left ? room : left;
    for (*count = 0; *count < room && got > 0 && !error->code; *count += got)
        read_some(records, x + *count * records->each, room - *count, &got, error);
    if (!error->code && records->done == records->count)
        check_end(records, error);
    return error->code;
}

void records_close(Records *records)
{
    reluopt_stream_close(&records->stream);
    free(records->buffer);
}

static int read_source(void *state, float *x, size_t room, size_t *count, Error *error)
{
    return records_read(state, x, room, count, error);
}

static void close_source(void *state)
{
    records_close(state);
    free(state);
}

int records_source(Source *source, Records *records, const Schema *schema, Error *error)
{
    *source = (Source){.state = records, .read = read_source, .close = close_source};
    return error->code ? error->code
                       : reluopt_schema_matches(schema, records->each, records->stream.name, error);
}
