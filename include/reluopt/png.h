/* png.h - pixels as PNG files in memory.  Not collective. */
#ifndef RELUOPT_PNG_H
#define RELUOPT_PNG_H

#include <stddef.h>

#include "reluopt/error.h"

typedef struct Rgba {
    unsigned char red, green, blue, opacity;
} Rgba;

/* width x height pixels, row by row, as a PNG.  colours NULL: a pixel is four bytes, red, green, blue, opacity;
 * else it is one byte, a place in the table of 256 colours.  Returns malloc'ed bytes and sets *size, NULL after
 * noting RELUOPT_MEMORY. */
unsigned char *reluopt_png(const unsigned char *pixels, size_t width, size_t height, const Rgba *colours,
                           size_t *size, Error *error);

#endif
