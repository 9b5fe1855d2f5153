/* file.h - a whole file, plain or gzip, in memory. */
#ifndef RELUOPT_FILE_H
#define RELUOPT_FILE_H

#include <stddef.h>

#include "reluopt/error.h"

/* The bytes of a file; a NUL that is not counted follows the last one.  Release `data` with free(). */
typedef struct Bytes {
    unsigned char *data;
    size_t size;
} Bytes;

/* Size of the file on disk.  RELUOPT_DATA when it is missing, out of reach, a folder or empty.
 * Not collective. */
int reluopt_file_size(const char *path, size_t *size, Error *error);

/* Read the file, unpacked where it is gzip.  Memory asked for grows with the packed bytes and what comes out of
 * them, never by a size that the file claims.  RELUOPT_DATA as above, or when the gzip data is truncated or damaged; RELUOPT_MEMORY.
 * On failure nothing is left allocated.  Not collective. */
int reluopt_file_load(const char *path, Bytes *bytes, Error *error);

#endif
