/* memory.h - aligned, zeroed memory whose failures are reported, not fatal. */
#ifndef RELUOPT_MEMORY_H
#define RELUOPT_MEMORY_H

#include <stddef.h>

#include "reluopt/error.h"

/* `count` elements of `size` bytes, zeroed, aligned to 64 bytes (to 2 MiB from 2 MiB on, so that huge
 * pages serve); release with free().  NULL after noting RELUOPT_MEMORY (count * size overflows, or
 * none left); count = 0 gives a valid pointer.  Not collective. */
void *reluopt_alloc(size_t count, size_t size, Error *error);

/* free() of a block of reluopt_alloc(count, size) that served for a moment: it no longer counts as allocated.
 */
void reluopt_free(void *p, size_t count, size_t size);

/* Bytes of all blocks given so far, rounded up as they are, less those of reluopt_free. */
size_t reluopt_allocated(void);

/* A copy of `text`; release with free().  NULL after noting RELUOPT_MEMORY. */
char *reluopt_copy_text(const char *text, Error *error);

#endif
