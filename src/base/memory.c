/* memory.c - aligned, zeroed memory whose failures are reported, not fatal. */
#include "reluopt/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };

void *reluopt_alloc(size_t count, size_t size, Error *error)
{
    if (size != 0 && count > (SIZE_MAX - HUGE_PAGE) / size) {
        reluopt_fail(error, RELUOPT_MEMORY, "%zu elements of %zu bytes are more than this machine can address",
                     count, size);
        return NULL;
    }
    size_t bytes = count * size;
    size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
    bytes = (bytes + align) / align * align; /* at least one unit, and room for vector loads past the end */
    void *p = aligned_alloc(align, bytes);
    if (!p) {
        reluopt_fail(error, RELUOPT_MEMORY,
                     "out of memory (%zu MiB asked for): use a smaller batch or network, "
                     "or more ranks",
                     bytes >> 20);
        return NULL;
    }
    return memset(p, 0, bytes);
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
