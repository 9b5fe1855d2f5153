/* augment.c - training samples changed at random on their way into a batch. */
#include "reluopt/augment.h"

#include <stdlib.h>

#include "reluopt/layer.h"
#include "reluopt/memory.h"

static bool moves(const Config *config)
{
    return config->augment.shift > 0 || config->augment.flip;
}

bool reluopt_augments(const Config *config)
{
    return moves(config) || config->augment.noise > 0;
}

int reluopt_augment_create(Augment *augment, const Config *config, const Preprocess *pre, const Samples *train,
                           Error *error)
{
    *augment = (Augment){.config = config, .pre = pre, .height = train->height, .width = train->width};
    if (config->augment.noise > 0)
        augment->sigma =
            (float)config->augment.noise * reluopt_deviation(train->x, train->count * train->features);
    if (!moves(config))
        return RELUOPT_OK;
    if (train->height == 0)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "augment.shift and augment.flip move images, and data.name: %s has none (IDX and "
                            "CIFAR-10 files do): leave them out",
                            config->data.name);
    augment->plane = reluopt_alloc(train->height * train->width, sizeof *augment->plane, error);
    augment->column = reluopt_alloc(train->width, sizeof *augment->column, error);
    augment->image = reluopt_alloc(RELUOPT_AUGMENT_ROOM * train->features, sizeof *augment->image, error);
    return error->code;
}

void reluopt_augment_free(Augment *augment)
{
    free(augment->plane);
    free(augment->column);
    free(augment->image);
    *augment = (Augment){0};
}

/* The nearest of 0 .. n-1 to i + by. */
static size_t nearest(size_t i, int by, size_t n)
{
    long at = (long)i + by;
    return at < 0 ? 0 : at < (long)n ? (size_t)at : n - 1;
}

/* One plane of an image: from preprocessed to raw, moved, to preprocessed. */
static void move_plane(const Augment *augment, const float *x, const float *shift, const float *scale, int down,
                       float *out)
{
    size_t height = augment->height, width = augment->width;
    for (size_t k = 0; k < height * width; k++)
        augment->plane[k] = x[k] / scale[k] + shift[k];
    for (size_t i = 0; i < height; i++) {
        const float *from = augment->plane + nearest(i, down, height) * width;
        for (size_t j = 0; j < width; j++) {
            size_t k = i * width + j;
            out[k] = (from[augment->column[j]] - shift[k]) * scale[k];
        }
    }
}

void reluopt_move_image(const Augment *augment, const float *x, Move move, float *out)
{
    size_t size = augment->height * augment->width;
    for (size_t j = 0; j < augment->width; j++) {
        size_t column = nearest(j, move.right, augment->width);
        augment->column[j] = move.mirrored ? augment->width - 1 - column : column;
    }
    for (size_t at = 0; at < augment->pre->features; at += size)
        move_plane(augment, x + at, augment->pre->shift + at, augment->pre->scale + at, move.down, out + at);
}

Stream reluopt_augment_stream(const Augment *augment, uint64_t step)
{
    return reluopt_stream((RandomKey){(uint64_t)augment->config->seed, RANDOM_MOVES, 0, step});
}

static Move draw_move(const Config *config, Stream *stream)
{
    int shift = config->augment.shift;
    Move move = {0};
    if (shift > 0) {
        move.down = (int)reluopt_stream_below(stream, 2 * (uint32_t)shift + 1) - shift;
        move.right = (int)reluopt_stream_below(stream, 2 * (uint32_t)shift + 1) - shift;
    }
    if (config->augment.flip)
        move.mirrored = reluopt_stream_below(stream, 2) == 1;
    return move;
}

const float *reluopt_augment_image(const Augment *augment, const float *x, Stream *stream, size_t room)
{
    if (!moves(augment->config))
        return x;
    float *image = augment->image + room * augment->pre->features;
    reluopt_move_image(augment, x, draw_move(augment->config, stream), image);
    return image;
}

void reluopt_augment_noise(const Augment *augment, float *x, size_t columns, uint64_t step)
{
    RandomKey key = {(uint64_t)augment->config->seed, RANDOM_INPUT_NOISE, 0, step};
    if (augment->sigma > 0)
        reluopt_add_normal(x, x, augment->pre->features, columns, 0, augment->sigma, key);
}
