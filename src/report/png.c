/* png.c - pixels as PNG files in memory. */
#include "reluopt/png.h"

#include <png.h>
#include <stdlib.h>

#include "reluopt/memory.h"

unsigned char *reluopt_png(const unsigned char *pixels, size_t width, size_t height, const Rgba *colours,
                           size_t *size, Error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = colours ? PNG_FORMAT_RGBA_COLORMAP : PNG_FORMAT_RGBA,
                       .colormap_entries = colours ? 256 : 0};
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(image);
    unsigned char *bytes = reluopt_alloc(room, 1, error);
    if (bytes && !png_image_write_to_memory(&image, bytes, &room, 0, pixels, 0, colours)) {
        reluopt_fail(error, RELUOPT_MEMORY, "cannot make an image of %zu x %zu pixels: %s", width, height,
                     image.message);
        free(bytes);
        bytes = NULL;
    }
    *size = room;
    return bytes;
}
