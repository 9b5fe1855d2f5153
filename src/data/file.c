/* file.c - a whole file, plain or gzip, in memory. */
#include "reluopt/file.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { GZIP_BUFFER = 1 << 18 };

int reluopt_file_size(const char *path, size_t *size, Error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: %s: check the path of this data file", path,
                            strerror(errno));
    if (!S_ISREG(status.st_mode))
        return reluopt_fail(error, RELUOPT_DATA, "%s: is a %s: name a data file", path,
                            S_ISDIR(status.st_mode) ? "folder" : "device or pipe");
    if (status.st_size == 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: the file is empty: get it again", path);
    *size = (size_t)status.st_size;
    return RELUOPT_OK;
}

static int grow(Bytes *bytes, size_t *room, const char *path, Error *error)
{
    size_t wanted = 2 * *room;
    unsigned char *data = wanted > *room ? realloc(bytes->data, wanted) : NULL;
    if (!data)
        return reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory after reading %zu MiB of it", path,
                            bytes->size >> 20);
    bytes->data = data;
    *room = wanted;
    return RELUOPT_OK;
}

/* Append all that `in` gives; `room` is what is allocated, and one byte of it stays free for the NUL. */
static int append_all(Bytes *bytes, size_t room, gzFile in, const char *path, Error *error)
{
    int got;
    do {
        if (bytes->size + 1 == room && grow(bytes, &room, path, error))
            return error->code;
        size_t want = room - 1 - bytes->size;
        got = gzread(in, bytes->data + bytes->size, want < INT_MAX ? (unsigned)want : INT_MAX);
        bytes->size += got > 0 ? (size_t)got : 0;
    } while (got > 0);

    int status;
    const char *problem = gzerror(in, &status);
    if (status == Z_ERRNO)
        return reluopt_fail(error, RELUOPT_DATA, "%s: cannot be read at byte %zu: %s", path, bytes->size,
                            strerror(errno));
    if (status != Z_OK && status != Z_STREAM_END)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: gzip data truncated or damaged after %zu unpacked bytes (%s): get the file again", path,
            bytes->size, problem);
    if (bytes->size == 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: the file is empty once unpacked: get it again", path);
    bytes->data[bytes->size] = '\0';
    return RELUOPT_OK;
}

int reluopt_file_load(const char *path, Bytes *bytes, Error *error)
{
    *bytes = (Bytes){0};
    size_t room;
    if (reluopt_file_size(path, &room, error))
        return error->code;
    gzFile in = gzopen(path, "rb");
    if (!in)
        return reluopt_fail(error, RELUOPT_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    gzbuffer(in, GZIP_BUFFER);
    room += 2; /* a plain file, the NUL, and one byte for noticing the end without growing */
    bytes->data = malloc(room);
    if (!bytes->data)
        reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory (%zu MiB asked for)", path, room >> 20);
    else
        append_all(bytes, room, in, path, error);
    gzclose(in);
    if (error->code) {
        free(bytes->data);
        *bytes = (Bytes){0};
    }
    return error->code;
}
