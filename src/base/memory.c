/* memory.c - aligned, zeroed memory whose failures are reported, not fatal. */
#include "reluopt/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };

static _Thread_local size_t allocated;

/* What a block of `bytes` takes, and how it is aligned: at least one unit, and room for vector loads past the
 * end.
 */
static size_t round_up(size_t bytes, size_t *align)
{
    *align = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
    return (bytes + *align) / *align * *align;
}

void *reluopt_alloc(size_t count, size_t size, Error *error)
{
    if (size != 0 && count > (SIZE_MAX - HUGE_PAGE) / size) {
        reluopt_fail(error, RELUOPT_MEMORY, "%zu elements of %zu bytes are more than this machine can address",
                     count, size);
        return NULL;
    }
    size_t align, bytes = round_up(count * size, &align);
    void *p = aligned_alloc(align, bytes);
    if (!p) {
        reluopt_fail(error, RELUOPT_MEMORY,
                     "out of memory (%zu MiB asked for): use a smaller batch or network, "
                     "or more ranks",
                     bytes >> 20);
        return NULL;
    }
    allocated += bytes;
    return memset(p, 0, bytes);
}

void reluopt_free(void *p, size_t count, size_t size)
{
    size_t align;
    if (p)
        allocated -= round_up(count * size, &align);
    free(p);
}

size_t reluopt_allocated(void)
{
    return allocated;
}

char *reluopt_copy_text(const char *text, Error *error)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (!copy) {
        reluopt_fail(error, RELUOPT_MEMORY, "out of memory (%zu bytes of text)", size);
        return NULL;
    }
    return memcpy(copy, text, size);
}
