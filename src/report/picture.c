/* picture.c - rows of weights as images. */
#include "reluopt/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/png.h"

enum { LEAST_SIDE = 6, GAP = 2, ZERO = 128, SPAN = 127, NEURON = 58 }; /* pixels across a neuron, about */

static size_t square_side(size_t pixels)
{
    size_t side = (size_t)lround(sqrt((double)pixels));
    return side * side == pixels && side >= LEAST_SIDE ? side : 0;
}

bool reluopt_image_shape(const Schema *schema, size_t height, size_t width, ImageShape *shape)
{
    size_t n = schema->features, channels = 1, side = square_side(n);
    if (height > 0) {
        *shape = (ImageShape){width, height, n / (height * width)};
        return shape->channels == 1 || shape->channels == 3;
    }
    if (side == 0 && n % 3 == 0) {
        channels = 3;
        side = square_side(n / 3);
    }
    *shape = (ImageShape){side, side, channels};
    return schema->columns == 0 && side > 0;
}

/* ZERO is transparent; orange above, blue below. */
static void make_colours(Rgba colours[256])
{
    for (int i = 0; i < 256; i++) {
        unsigned char opacity = (unsigned char)(255 * abs(i - ZERO) / ZERO);
        colours[i] = i > ZERO ? (Rgba){213, 94, 0, opacity} : (Rgba){0, 99, 178, opacity};
    }
}

typedef struct Canvas {
    unsigned char *pixels;
    size_t depth; /* bytes of a pixel */
    size_t width, height;
    size_t scale; /* a weight takes scale x scale pixels */
} Canvas;

/* One weight, from (x, y) on. */
static void fill(Canvas *canvas, size_t x, size_t y, const unsigned char *value)
{
    size_t scale = canvas->scale;
    for (size_t i = 0; i < scale * scale; i++)
        memcpy(canvas->pixels + ((y + i / scale) * canvas->width + x + i % scale) * canvas->depth, value,
               canvas->depth);
}

static float largest_magnitude(const float *w, size_t count)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(w[i]));
    return largest > 0 ? largest : 1;
}

/* The image of one neuron, its corner at (left, top). */
static void draw(Canvas *canvas, const float *w, ImageShape shape, size_t left, size_t top)
{
    size_t pixels = shape.width * shape.height;
    float largest = largest_magnitude(w, pixels * shape.channels);
    for (size_t p = 0; p < pixels; p++) {
        unsigned char value[4] = {0, 0, 0, 255};
        for (size_t c = 0; c < shape.channels; c++)
            value[c] = (unsigned char)lroundf(ZERO + SPAN * (w[c * pixels + p] / largest));
        fill(canvas, left + p % shape.width * canvas->scale, top + p / shape.width * canvas->scale, value);
    }
}

int reluopt_picture(Picture *picture, const float *rows, size_t count, size_t stride, ImageShape shape,
                    Error *error)
{
    Rgba colours[256];
    size_t across = (size_t)ceil(sqrt((double)count)), down = (count + across - 1) / across;
    size_t scale = shape.width < NEURON ? (NEURON + shape.width / 2) / shape.width : 1;
    size_t step_x = shape.width * scale + GAP, step_y = shape.height * scale + GAP;
    Canvas canvas = {.depth = shape.channels == 1 ? 1 : 4,
                     .width = across * step_x - GAP,
                     .height = down * step_y - GAP,
                     .scale = scale};
    canvas.pixels = reluopt_alloc(canvas.width * canvas.height, canvas.depth, error);
    if (!canvas.pixels)
        return error->code;
    memset(canvas.pixels, canvas.depth == 1 ? ZERO : 0, canvas.width * canvas.height * canvas.depth);
    for (size_t k = 0; k < count; k++)
        draw(&canvas, rows + k * stride, shape, k % across * step_x, k / across * step_y);
    make_colours(colours);
    *picture = (Picture){.width = canvas.width, .height = canvas.height, .shown = count};
    picture->png = reluopt_png(canvas.pixels, canvas.width, canvas.height, shape.channels == 1 ? colours : NULL,
                               &picture->size, error);
    free(canvas.pixels);
    return error->code;
}
