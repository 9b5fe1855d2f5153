/* shape.c - the widths of a network, and whether they can be handled. */
#include <limits.h>

#include "reluopt/method.h"

Shape reluopt_shape(const Config *config, size_t features, size_t classes, size_t columns)
{
    Shape shape = {.layers = (size_t)config->hidden + 1, .columns = columns};
    shape.width[0] = features;
    for (int i = 0; i < config->hidden; i++)
        shape.width[i + 1] = (size_t)config->network[i];
    shape.width[shape.layers] = classes;
    return shape;
}

static size_t widest_of(const Shape *shape)
{
    size_t widest = 0;
    for (size_t i = 0; i <= shape->layers; i++)
        widest = shape->width[i] > widest ? shape->width[i] : widest;
    return widest;
}

size_t reluopt_shape_columns(const Shape *shape, size_t wanted)
{
    size_t most = INT_MAX / (widest_of(shape) + 1);
    return most < wanted ? most : wanted;
}

int reluopt_shape_check(const Shape *shape, Error *error)
{
    size_t widest = widest_of(shape);
    if (shape->columns > INT_MAX / (widest + 1))
        return reluopt_fail(
            error, RELUOPT_USAGE,
            "batch: %zu samples of %zu values are too many to handle at once: set a batch of at "
            "most %zu",
            shape->columns, widest, INT_MAX / (widest + 1));
    return RELUOPT_OK;
}
