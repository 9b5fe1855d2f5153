/* readers.c - targets: data files.
 *
 * A file that can be read at once must give the same samples when they are read some at a time. */
#include "reluopt/readers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reluopt/memory.h"

enum { AT_A_TIME = 3 };

/* A way to read a file, at once and some samples at a time. */
typedef struct Way {
    const char *path, *labels; /* labels: where they are in a file of their own */
    const char *label;         /* of CSV */
    int header;
    int (*read)(const struct Way *, Samples *, Schema *, Error *);
    int (*open)(const struct Way *, Source *, const Schema *, Error *);
} Way;

static void expect_samples(const Samples *samples, const Schema *schema)
{
    fuzz_expect(samples->count > 0 && samples->features > 0 && samples->features == schema->features);
    fuzz_expect(samples->height * samples->width == 0 ||
                samples->features % (samples->height * samples->width) == 0);
    for (size_t i = 0; i < samples->count * samples->features; i++)
        fuzz_expect(isfinite(samples->x[i]));
    for (size_t i = 0; i < samples->count; i++)
        fuzz_expect(samples->y[i] >= 0 && (size_t)samples->y[i] < schema->classes);
}

/* `samples`: what must come, NULL: not known. */
static void stream(const Way *way, const Schema *schema, const Samples *samples)
{
    Error error = {0};
    Source source = {0};
    size_t done = 0, count = 1;
    float *x = calloc(AT_A_TIME * schema->features, sizeof *x);
    int code = way->open(way, &source, schema, &error);
    while (code == RELUOPT_OK && count > 0) {
        code = reluopt_source_read(&source, x, AT_A_TIME, &count, &error);
        if (code == RELUOPT_OK && samples) {
            fuzz_expect(done + count <= samples->count);
            fuzz_expect(!memcmp(x, samples->x + done * schema->features, count * schema->features * sizeof *x));
        }
        done += count;
    }
    if (code)
        fuzz_expect_failure(&error, code, RELUOPT_DATA);
    fuzz_expect(!samples || (code == RELUOPT_OK && done == samples->count));
    reluopt_source_close(&source);
    free(x);
}

/* A file that was read agrees with its own schema. */
static void read_again(const Way *way, Schema *schema, const Samples *samples)
{
    Error error = {0};
    Samples again;
    fuzz_expect(way->read(way, &again, schema, &error) == RELUOPT_OK && again.count == samples->count);
    fuzz_expect(!memcmp(again.x, samples->x, samples->count * samples->features * sizeof *again.x));
    fuzz_expect(!memcmp(again.y, samples->y, samples->count * sizeof *again.y));
    reluopt_samples_free(&again);
}

static void try(const Way *way)
{
    Error error = {0};
    Samples samples;
    char *name[] = {"0", "1"};
    Schema schema = {0}, given = {.features = 4, .classes = 2, .class_name = name};
    int code = way->read(way, &samples, &schema, &error);
    if (code == RELUOPT_OK) {
        expect_samples(&samples, &schema);
        stream(way, &schema, &samples);
        read_again(way, &schema, &samples);
    } else {
        fuzz_expect_failure(&error, code, RELUOPT_DATA);
        fuzz_expect(!samples.x && !samples.y && schema.classes == 0);
        stream(way, &given, NULL);
    }
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

static int read_idx(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_idx(way->path, way->labels, samples, schema, error);
}

static int open_idx(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_idx(source, way->path, schema, error);
}

/* Once as images and once as labels, two of either, beside a good file. */
void fuzz_idx(const uint8_t *bytes, size_t size)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 1};
    Way way = {.read = read_idx, .open = open_idx};
    way.path = fuzz_file("x", bytes, size);
    way.labels = fuzz_file("y", labels, sizeof labels);
    try(&way);
    way.labels = way.path;
    way.path = fuzz_file("y", images, sizeof images);
    try(&way);
}

static int read_cifar10(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_cifar10(&way->path, 1, samples, schema, error);
}

static int open_cifar10(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_cifar10(source, way->path, schema, error);
}

void fuzz_cifar10(const uint8_t *bytes, size_t size)
{
    try(&(Way){.path = fuzz_file("x.bin", bytes, size), .read = read_cifar10, .open = open_cifar10});
}

static int read_csv(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_csv(way->path, way->label, way->header, samples, schema, error);
}

static int open_csv(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_csv(source, way->path, way->label, way->header, schema, error);
}

void fuzz_csv(const uint8_t *bytes, size_t size)
{
    Way way = {.path = fuzz_file("x.csv", bytes, size), .read = read_csv, .open = open_csv};
    way.label = "last";
    try(&way);
    way.label = "first";
    way.header = 1;
    try(&way);
    way.label = "kind";
    way.header = -1;
    try(&way);
}

static int read_libsvm(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_libsvm(way->path, samples, schema, error);
}

static int open_libsvm(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_libsvm(source, way->path, schema, error);
}

/* The format has no sizes: samples take as much memory as the largest index in the text says.  Inputs with
 * larger ones than a file of this size should have are passed over. */
void fuzz_libsvm(const uint8_t *bytes, size_t size)
{
    size_t digits = 0;
    for (size_t i = 0; i < size && digits < 5; i++)
        digits = bytes[i] >= '0' && bytes[i] <= '9' ? digits + 1 : 0;
    if (digits < 5)
        try(&(Way){.path = fuzz_file("x.svm", bytes, size), .read = read_libsvm, .open = open_libsvm});
}

static int read_npy(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_npy(way->path, way->labels, samples, schema, error);
}

static int open_npy(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_npy(source, way->path, false, schema, error);
}

/* Once as samples and once as labels, two of either, beside a good file. */
void fuzz_npy(const uint8_t *bytes, size_t size)
{
    static const char samples[] =
        "\x93NUMPY\1\0\x3e\0{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }  \n"
        "\1\2\3\4";
    static const char labels[] =
        "\x93NUMPY\1\0\x3e\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }    \n"
        "\0\1";
    Way way = {.read = read_npy, .open = open_npy};
    way.path = fuzz_file("x.npy", bytes, size);
    way.labels = fuzz_file("y.npy", labels, sizeof labels - 1);
    try(&way);
    way.labels = way.path;
    way.path = fuzz_file("y.npy", samples, sizeof samples - 1);
    try(&way);
}

static int read_npz(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_npz(way->path, samples, schema, error);
}

static int open_npz(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_npy(source, way->path, true, schema, error);
}

void fuzz_npz(const uint8_t *bytes, size_t size)
{
    try(&(Way){.path = fuzz_file("x.npz", bytes, size), .read = read_npz, .open = open_npz});
}

static int read_hdf5(const Way *way, Samples *samples, Schema *schema, Error *error)
{
    return reluopt_read_hdf5(way->path, samples, schema, error);
}

static int open_hdf5(const Way *way, Source *source, const Schema *schema, Error *error)
{
    return reluopt_open_hdf5(source, way->path, schema, error);
}

void fuzz_hdf5(const uint8_t *bytes, size_t size)
{
    try(&(Way){.path = fuzz_file("x.h5", bytes, size), .read = read_hdf5, .open = open_hdf5});
}
