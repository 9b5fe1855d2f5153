/* disk.h - files put in place by plain system calls.
 *
 * A new file is written aside, as PATH.tmp, and renamed over the old one, so that PATH is whole at any moment.
 * A PATH.tmp that a killed process left is overwritten by the next write.
 *
 * Functions do nothing once `error` holds a failure; theirs are RELUOPT_STORAGE.  Nothing here is collective.
 */
#ifndef RELUOPT_DISK_H
#define RELUOPT_DISK_H

#include <stddef.h>

#include "reluopt/error.h"

/* The bytes of a file that is laid out in memory, malloc'ed. */
typedef struct Image {
    void *bytes;
    size_t size;
} Image;

/* PATH.tmp, malloc'ed; NULL after noting RELUOPT_MEMORY. */
char *reluopt_storage_aside(const char *path, Error *error);
/* Write a file and extend it by `reserve` bytes, whose disk space is then taken. */
void reluopt_storage_write(const char *path, Image image, size_t reserve, Error *error);
/* What was written to the file is on disk. */
void reluopt_storage_sync(const char *path, Error *error);
/* Sync, rename ASIDE over PATH, sync the folder.  When only the last fails, the new file is in place. */
void reluopt_storage_publish(const char *aside, const char *path, Error *error);
/* All of it: after a failure PATH is what it was before. */
void reluopt_storage_replace(const char *path, Image image, Error *error);

#endif
