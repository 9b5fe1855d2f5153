/* picture.h - rows of weights as images.  Not collective. */
#ifndef RELUOPT_PICTURE_H
#define RELUOPT_PICTURE_H

#include <stdbool.h>

#include "reluopt/error.h"
#include "reluopt/samples.h"

/* Images of width x height pixels; channels 1, or 3 planes one after the other: red, green, blue. */
typedef struct ImageShape {
    size_t width, height, channels;
} ImageShape;

/* The shape of the images that the features are.  height, width: 0, or what the data's file says; where it says
 * nothing, a number of features that is a square or three equal squares is taken for images, unless they are
 * columns of a table.  False when they are none.  */
bool reluopt_image_shape(const Schema *schema, size_t height, size_t width, ImageShape *shape);

/* Neurons side by side, in as many rows as columns. */
typedef struct Picture {
    unsigned char *png; /* NULL: none; malloc'ed */
    size_t size;
    size_t width, height;  /* pixels; those of small images are drawn larger */
    size_t shown, neurons; /* neurons in the picture, in the layer */
} Picture;

enum { RELUOPT_PICTURE_NEURONS = 64 };

/* Draw `count` (at most RELUOPT_PICTURE_NEURONS) rows of weights, `stride` floats each, of which the first are
 * those of the pixels.  Each neuron's scale is its own: the largest magnitude is full colour.  One channel:
 * positive orange, negative blue, 0 transparent; three: 0 grey.  `neurons` is left to
 * the caller.  RELUOPT_MEMORY. */
int reluopt_picture(Picture *picture, const float *rows, size_t count, size_t stride, ImageShape shape,
                    Error *error);

#endif
