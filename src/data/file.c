/* file.c - a whole file, plain or gzip, in memory.  libdeflate unpacks a whole one twice as fast as zlib. */
#include "reluopt/file.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FIRST_ROOM = 8,      /* times the packed bytes, for the unpacked ones; untouched pages cost nothing */
    LEAST_MORE = 1 << 20 /* bytes worth another attempt */
};

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

static bool is_gzip(const unsigned char *data, size_t size)
{
    return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/* Room for `size` bytes, and the NUL. */
static int resize(Bytes *bytes, size_t size, const char *path, Error *error)
{
    unsigned char *data = realloc(bytes->data, size + 1);
    if (!data)
        return reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory (%zu MiB asked for)", path, size >> 20);
    bytes->data = data;
    return RELUOPT_OK;
}

static int read_all(const char *path, Bytes *bytes, Error *error)
{
    size_t size = 0;
    if (reluopt_file_size(path, &size, error) || resize(bytes, size, path, error))
        return error->code;
    FILE *in = fopen(path, "rb");
    if (!in)
        return reluopt_fail(error, RELUOPT_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    bytes->size = fread(bytes->data, 1, size, in);
    if (ferror(in))
        reluopt_fail(error, RELUOPT_DATA, "%s: cannot be read at byte %zu: %s", path, bytes->size,
                     strerror(errno));
    fclose(in);
    return error->code;
}

/* More room than `room`: `wanted`, or what there is memory for. */
static size_t grow(Bytes *bytes, size_t room, size_t wanted, const char *path, Error *error)
{
    unsigned char *data;
    while (!(data = realloc(bytes->data, wanted + 1)) && wanted - room > LEAST_MORE)
        wanted -= (wanted - room) / 2;
    if (!data) {
        reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory after %zu MiB of it", path, room >> 20);
        return room;
    }
    bytes->data = data;
    return wanted;
}

/* Append the members of a gzip file, one after another; what follows the last one is left alone, as by gzip. */
static int unpack(const Bytes *packed, struct libdeflate_decompressor *tool, Bytes *bytes, const char *path,
                  Error *error)
{
    size_t at = 0, used, got, room = grow(bytes, 0, FIRST_ROOM * packed->size, path, error);
    while (!error->code && is_gzip(packed->data + at, packed->size - at))
        switch (libdeflate_gzip_decompress_ex(tool, packed->data + at, packed->size - at,
                                              bytes->data + bytes->size, room - bytes->size, &used, &got)) {
        case LIBDEFLATE_SUCCESS:
            at += used;
            bytes->size += got;
            break;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            room = grow(bytes, room, 2 * room, path, error);
            break;
        default:
            reluopt_fail(error, RELUOPT_DATA,
                         "%s: gzip data truncated or damaged after byte %zu: get the file again", path, at);
        }
    if (!error->code && bytes->size == 0)
        reluopt_fail(error, RELUOPT_DATA, "%s: the file is empty once unpacked: get it again", path);
    return error->code;
}

static int replace_by_unpacked(Bytes *bytes, const char *path, Error *error)
{
    Bytes packed = *bytes;
    struct libdeflate_decompressor *tool = libdeflate_alloc_decompressor();
    *bytes = (Bytes){0};
    if (!tool)
        reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory", path);
    else if (!unpack(&packed, tool, bytes, path, error))
        resize(bytes, bytes->size, path, error);
    libdeflate_free_decompressor(tool);
    free(packed.data);
    return error->code;
}

int reluopt_file_load(const char *path, Bytes *bytes, Error *error)
{
    *bytes = (Bytes){0};
    if (!read_all(path, bytes, error) && is_gzip(bytes->data, bytes->size))
        replace_by_unpacked(bytes, path, error);
    if (error->code) {
        free(bytes->data);
        *bytes = (Bytes){0};
        return error->code;
    }
    bytes->data[bytes->size] = '\0';
    return RELUOPT_OK;
}
