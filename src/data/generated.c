/* generated.c - two-dimensional sets of two classes (thesis fig. 2-5): rings, XOR, and both side by side. */
#include <math.h>
#include <string.h>

#include "reluopt/catalogue.h"
#include "reluopt/random.h"

enum { FEATURES = 2 };

static const double pi = 3.14159265358979323846;
static const float noise = 0.02f; /* standard deviation, in units of the shape's half width */

/* A point of class 0, radius 0.2 to 0.4, or class 1, radius 0.7 to 0.9. */
static void ring_point(Stream *stream, int class, float x[FEATURES])
{
    double radius = (class ? 0.7 : 0.2) + 0.2 * reluopt_stream_uniform(stream);
    double angle = 2 * pi * reluopt_stream_uniform(stream);
    x[0] = (float)(radius * cos(angle));
    x[1] = (float)(radius * sin(angle));
}

/* A point in one of four squares of side 0.8 around (+-0.5, +-0.5); class 1 where the signs differ. */
static void xor_point(Stream *stream, int class, float x[FEATURES])
{
    float sign = reluopt_stream_below(stream, 2) ? 1 : -1;
    x[0] = sign * (float)(0.1 + 0.8 * reluopt_stream_uniform(stream));
    x[1] = (class ? -sign : sign) * (float)(0.1 + 0.8 * reluopt_stream_uniform(stream));
}

typedef void Point(Stream *stream, int class, float x[FEATURES]);

/* Sample i is of class i mod 2; every other pair of samples is of the second shape, where there is one. */
static const struct {
    const char *name;
    Point *shape[2];
    float centre[2], half_width; /* x of the centre of each shape */
} sets[] = {
    {"rings", {ring_point, ring_point}, {0, 0}, 1},
    {"xor", {xor_point, xor_point}, {0, 0}, 1},
    {"rings-xor", {ring_point, xor_point}, {-0.5f, 0.5f}, 0.5f},
};

enum { SETS = sizeof sets / sizeof *sets };

static size_t shape_of(size_t sample)
{
    return sample / 2 % 2;
}

static uint64_t find_set(const char *name)
{
    uint64_t set = 0;
    while (set < SETS && strcmp(sets[set].name, name) != 0)
        set++;
    return set;
}

bool reluopt_is_generated(const char *name)
{
    return find_set(name) < SETS;
}

bool reluopt_generate(const char *name, uint64_t seed, uint32_t part, size_t count, Samples *samples,
                      Error *error)
{
    uint64_t set = find_set(name);
    if (set == SETS || reluopt_samples_alloc(samples, count, FEATURES, error))
        return set != SETS;
    RandomKey points = {.seed = seed, .use = RANDOM_GENERATED, .layer = part, .step = 2 * set};
    RandomKey jitter = {.seed = seed, .use = RANDOM_GENERATED, .layer = part, .step = 2 * set + 1};
    Stream stream = reluopt_stream(points);
    for (size_t i = 0; i < count; i++) {
        samples->y[i] = (int)(i % 2);
        sets[set].shape[shape_of(i)](&stream, samples->y[i], samples->x + i * FEATURES);
    }
    reluopt_add_normal(samples->x, samples->x, count, FEATURES, 0, noise, jitter);
    for (size_t i = 0; i < count; i++) {
        float *x = samples->x + i * FEATURES;
        x[0] = sets[set].centre[shape_of(i)] + sets[set].half_width * x[0];
        x[1] *= sets[set].half_width;
    }
    return true;
}

int reluopt_generate_noise(Dataset *data, uint64_t seed, size_t features, size_t classes, size_t count,
                           Error *error)
{
    RandomKey key = {.seed = seed, .use = RANDOM_GENERATED, .step = UINT64_C(2) * SETS};
    if (reluopt_samples_alloc(&data->train, count, features, error))
        return error->code;
    reluopt_add_normal(data->train.x, data->train.x, count, features, 0, 1, key);
    for (size_t i = 0; i < count; i++)
        data->train.y[i] = (int)(i % classes);
    return reluopt_schema_numbers(&data->schema, &data->train, classes, "", "", error);
}
