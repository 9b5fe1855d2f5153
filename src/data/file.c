/* file.c - a whole file, plain or gzip, in memory. */
#include "reluopt/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reluopt/stream.h"

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

/* Append all that the stream gives; `room` is what is allocated, and one byte of it stays free for the NUL. */
static int append_all(Bytes *bytes, size_t room, Stream *in, Error *error)
{
    size_t got;
    do {
        if (bytes->size + 1 == room && grow(bytes, &room, in->name, error))
            return error->code;
        got = reluopt_stream_read(in, bytes->data + bytes->size, room - 1 - bytes->size, error);
        bytes->size += got;
    } while (got > 0);
    if (error->code)
        return error->code;
    if (bytes->size == 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: the file is empty once unpacked: get it again", in->name);
    bytes->data[bytes->size] = '\0';
    return RELUOPT_OK;
}

int reluopt_file_load(const char *path, Bytes *bytes, Error *error)
{
    Stream in;
    size_t room = 0;
    *bytes = (Bytes){0};
    if (reluopt_stream_open(&in, path, error) == RELUOPT_OK && !reluopt_file_size(path, &room, error)) {
        room += 2; /* a plain file, the NUL, and one byte for noticing the end without growing */
        bytes->data = malloc(room);
        if (!bytes->data)
            reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory (%zu MiB asked for)", path, room >> 20);
        else
            append_all(bytes, room, &in, error);
    }
    reluopt_stream_close(&in);
    if (error->code) {
        free(bytes->data);
        *bytes = (Bytes){0};
    }
    return error->code;
}
