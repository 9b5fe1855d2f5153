/* stream.h - the bytes of a file from front to back: plain, gzip, or a member of a zip archive. */
#ifndef RELUOPT_STREAM_H
#define RELUOPT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "reluopt/error.h"

typedef struct Stream {
    char name[1024];        /* in messages: the path, for a member followed by its name */
    size_t at;              /* bytes read */
    size_t size;            /* bytes there are; SIZE_MAX where that shows only at the end: gzip */
    void *file;             /* of zlib, or NULL */
    void *archive, *member; /* of libzip, or NULL */
} Stream;

/* Open a file.  RELUOPT_DATA when it is missing, out of reach, a folder or empty.  Close it then too.
 * Not collective. */
int reluopt_stream_open(Stream *stream, const char *path, Error *error);

/* Open a member of a zip archive.  RELUOPT_DATA as above, when it is no zip archive, has no such member, or
 * claims a size that its packed bytes cannot have.  Not collective. */
int reluopt_stream_open_member(Stream *stream, const char *path, const char *member, Error *error);

/* Read up to `size` bytes: the number read, less than `size` only at the end or after a failure, RELUOPT_DATA
 * (truncated or damaged, checksums included).  Not collective. */
size_t reluopt_stream_read(Stream *stream, void *bytes, size_t size, Error *error);

void reluopt_stream_close(Stream *stream);

#endif
