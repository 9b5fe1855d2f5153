/* augment.c - training samples changed at random on their way into a batch. */
#include "reluopt/augment.h"

#include <math.h>
#include <stdlib.h>

#include "reluopt/layer.h"
#include "reluopt/memory.h"

static bool moves(const Config *config)
{
    return config->augment.shift > 0 || config->augment.flip == FLIP_YES || config->augment.flip == FLIP_ALIKE;
}

bool reluopt_augments(const Config *config)
{
    return moves(config) || config->augment.noise > 0;
}

/* mean = classes x features: the mean raw image of each class; count: samples of each. */
static void mean_images(const Augment *augment, const Samples *train, size_t classes, double *mean,
                        size_t *count)
{
    const Preprocess *pre = augment->pre;
    size_t n = train->features;
    for (size_t j = 0; j < train->count; j++) {
        size_t c = (size_t)train->y[j];
        count[c]++;
        for (size_t k = 0; k < n; k++)
            mean[c * n + k] += train->x[j * n + k];
    }
    for (size_t c = 0; c < classes; c++)
        for (size_t k = 0; count[c] > 0 && k < n; k++)
            mean[c * n + k] = mean[c * n + k] / (double)count[c] / pre->scale[k] + pre->shift[k];
}

static double square_distance(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return sum;
}

/* The square distance of an image to its mirror image. */
static double asymmetry(const double *image, size_t n, size_t width)
{
    double sum = 0;
    for (size_t row = 0; row < n; row += width)
        for (size_t j = 0; j < width; j++) {
            double d = image[row + j] - image[row + width - 1 - j];
            sum += d * d;
        }
    return sum;
}

/* A class is mirrored when that moves its mean image by less than half the square distance to the mean image of
 * any other class. */
static void find_symmetric(Augment *augment, const Samples *train, size_t classes, Error *error)
{
    size_t n = train->features;
    double *mean = reluopt_alloc(classes, n * sizeof *mean, error);
    size_t *count = reluopt_alloc(classes, sizeof *count, error);
    if (!error->code)
        mean_images(augment, train, classes, mean, count);
    for (size_t c = 0; !error->code && c < classes; c++) {
        double closest = INFINITY;
        for (size_t other = 0; other < classes; other++)
            if (other != c && count[other] > 0)
                closest = fmin(closest, square_distance(mean + c * n, mean + other * n, n));
        augment->mirrored[c] = asymmetry(mean + c * n, n, train->width) < closest / 2;
    }
    free(count);
    free(mean);
}

/* Which classes are mirrored at all. */
static int choose_mirrored(Augment *augment, const Samples *train, size_t classes, Error *error)
{
    Flip flip = (Flip)augment->config->augment.flip;
    augment->mirrored = reluopt_alloc(classes, sizeof *augment->mirrored, error);
    for (size_t c = 0; !error->code && c < classes; c++)
        augment->mirrored[c] = flip == FLIP_YES;
    if (!error->code && flip == FLIP_ALIKE)
        find_symmetric(augment, train, classes, error);
    return error->code;
}

int reluopt_augment_create(Augment *augment, const Config *config, const Preprocess *pre, const Samples *train,
                           size_t classes, Error *error)
{
    *augment = (Augment){.config = config, .pre = pre, .height = train->height, .width = train->width};
    if (config->augment.noise > 0)
        augment->sigma =
            (float)config->augment.noise * reluopt_deviation(train->x, train->count * train->features);
    if (!moves(config))
        return RELUOPT_OK;
    if (train->height == 0)
        return reluopt_fail(
            error, RELUOPT_USAGE,
            "augment.shift and augment.flip move images, and data.name: %s has none (samples of two "
            "dimensions, and CIFAR-10): leave them out",
            config->data.name);
    augment->plane = reluopt_alloc(train->height * train->width, sizeof *augment->plane, error);
    augment->column = reluopt_alloc(train->width, sizeof *augment->column, error);
    augment->image = reluopt_alloc(RELUOPT_AUGMENT_ROOM * train->features, sizeof *augment->image, error);
    return error->code ? error->code : choose_mirrored(augment, train, classes, error);
}

void reluopt_augment_free(Augment *augment)
{
    free(augment->plane);
    free(augment->column);
    free(augment->image);
    free(augment->mirrored);
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
    return reluopt_stream((RandomKey){(uint64_t)augment->config->seed, RANDOM_MOVES, 0, step, 0});
}

static Move draw_move(const Config *config, Stream *stream)
{
    int shift = config->augment.shift;
    Move move = {0};
    if (shift > 0) {
        move.down = (int)reluopt_stream_below(stream, 2 * (uint32_t)shift + 1) - shift;
        move.right = (int)reluopt_stream_below(stream, 2 * (uint32_t)shift + 1) - shift;
    }
    if (config->augment.flip != FLIP_NO)
        move.mirrored = reluopt_stream_below(stream, 2) == 1;
    return move;
}

const float *reluopt_augment_image(const Augment *augment, const float *x, int label, Stream *stream,
                                   size_t room)
{
    if (!moves(augment->config))
        return x;
    Move move = draw_move(augment->config, stream);
    move.mirrored = move.mirrored && augment->mirrored[label];
    float *image = augment->image + room * augment->pre->features;
    reluopt_move_image(augment, x, move, image);
    return image;
}

void reluopt_augment_noise(const Augment *augment, float *x, size_t first, size_t columns, uint64_t step)
{
    RandomKey key = {(uint64_t)augment->config->seed, RANDOM_INPUT_NOISE, 0, step, first};
    if (augment->sigma > 0)
        reluopt_add_normal(x, x, augment->pre->features, columns, 0, augment->sigma, key);
}
