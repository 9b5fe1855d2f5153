/* test_npy.c - the NumPy reader: types, shapes, archives, and every way a file can be wrong. */
#include "scratch.h"

#include <math.h>
#include <zip.h>

#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { COUNT = 3, EACH = 4, ROOM = 1024 };

static Error error;
static Samples samples;
static Schema schema;

/* A .npy file in memory. */
typedef struct Npy {
    unsigned char bytes[ROOM];
    size_t size;
} Npy;

static Npy npy(const char *descr, const char *order, const char *shape, const void *values, size_t size)
{
    Npy file = {.bytes = "\x93NUMPY\x01"};
    char header[256];
    int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr,
                          order, shape);
    file.bytes[8] = (unsigned char)length;
    memcpy(file.bytes + 10, header, (size_t)length);
    memcpy(file.bytes + 10 + length, values, size);
    file.size = 10 + (size_t)length + size;
    return file;
}

static const float features[COUNT * EACH] = {0, 1.5f, -2, 3, 4, 5e-3f, 6, 7, 8, 9, 10, 11};
static const int64_t labels[COUNT] = {2, 0, 3};

static Npy good_x(void)
{
    return npy("<f4", "False", "(3, 2, 2)", features, sizeof features);
}

static Npy good_y(void)
{
    return npy("<i8", "False", "(3,)", labels, sizeof labels);
}

static const char *write_npy(const char *name, Npy file)
{
    return scratch_write(name, file.bytes, file.size);
}

/* An archive of x.npy and y.npy, each left out where its size is 0. */
static const char *write_npz(const char *name, Npy x, Npy y, zip_int32_t method)
{
    const char *path = scratch_path(name);
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(archive);
    const Npy *member[] = {&x, &y};
    for (int i = 0; i < 2; i++) {
        if (member[i]->size == 0)
            continue;
        zip_source_t *source = zip_source_buffer(archive, member[i]->bytes, member[i]->size, 0);
        zip_int64_t at = zip_file_add(archive, i == 0 ? "x.npy" : "y.npy", source, 0);
        assert_true(at >= 0);
        assert_int_equal(zip_set_file_compression(archive, (zip_uint64_t)at, method, 0), 0);
    }
    assert_int_equal(zip_close(archive), 0);
    return path;
}

static void release(void)
{
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

static void check_good(int code)
{
    assert_string_equal(error.message, "");
    assert_int_equal(code, RELUOPT_OK);
    assert_int_equal(samples.count, COUNT);
    assert_int_equal(samples.features, EACH);
    assert_int_equal(samples.height, 2);
    assert_int_equal(samples.width, 2);
    assert_memory_equal(samples.x, features, sizeof features);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(samples.y[i], labels[i]);
    assert_int_equal(schema.classes, 4);
    release();
}

static void test_both_forms(void **state)
{
    (void)state;
    const char *x = write_npy("x.npy", good_x()), *y = write_npy("y.npy", good_y());
    check_good(reluopt_read_npy(x, y, &samples, &schema, &error));
    static const zip_int32_t methods[] = {ZIP_CM_STORE, ZIP_CM_DEFLATE};
    for (int i = 0; i < 2; i++)
        check_good(
            reluopt_read_npz(write_npz("both.npz", good_x(), good_y(), methods[i]), &samples, &schema, &error));
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *descr;
        unsigned char bytes[2 * 8];
        float value[2];
    } cases[] = {
        {"|u1", {200, 7}, {200, 7}},
        {"|i1", {255, 127}, {-1, 127}},
        {"|b1", {1, 0}, {1, 0}},
        {"<u2", {1, 2, 255, 255}, {513, 65535}},
        {">u2", {1, 2, 255, 255}, {258, 65535}},
        {"<i4", {254, 255, 255, 255, 3}, {-2, 3}},
        {">i8", {128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, {-9223372036854775808.0f, 256}},
        {"<f8", {0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0}, {1.5f, -2}},
        {">f4", {0x3f, 0x80, 0, 0, 0x80, 0, 0, 0}, {1, -0.0f}},
    };
    const unsigned char y[2] = {1, 0};
    const char *labels_path = write_npy("y.npy", npy("|u1", "False", "(2,)", y, 2));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = 2 * (size_t)(cases[i].descr[2] - '0');
        const char *x = write_npy("x.npy", npy(cases[i].descr, "False", "(2, 1)", cases[i].bytes, size));
        assert_int_equal(reluopt_read_npy(x, labels_path, &samples, &schema, &error), RELUOPT_OK);
        assert_memory_equal(samples.x, cases[i].value, sizeof cases[i].value);
        release();
    }
}

static void test_wrong_headers(void **state)
{
    (void)state;
    static const struct {
        const char *descr, *order, *shape, *problem;
    } cases[] = {
        {"|O", "False", "(3, 4)", "type |O is not read"},
        {"<f2", "False", "(3, 4)", "type <f2"},
        {"<c8", "False", "(3, 4)", "type <c8"},
        {"<f3", "False", "(3, 4)", "type <f3"},
        {"f4", "False", "(3, 4)", "type f4"},
        {"<f4", "True", "(3, 4)", "Fortran order"},
        {"<f4", "Maybe", "(3, 4)", "header character"},
        {"<f4", "False", "(3, 4", "header character"},
        {"<f4", "False", "3, 4)", "header character"},
        {"<f4", "False", "(3, -4)", "header character"},
        {"<f4", "False", "(3, 5)", "3 x 5 values"},
        {"<f4", "False", "(3, 3)", "3 x 3 values"},
        {"<f4", "False", "(0, 4)", "one that is 0"},
        {"<f4", "False", "()", "no dimension"},
        {"<f4", "False", "(4611686018427387904, 4611686018427387904, 4)", "too large"},
        {"<f4", "False", "(4611686018427387904, 12)", "do not agree"},
        {"<f4", "False", "(99999999999999999999, 4)", "header character"},
        {"<f4', 'descr': '<f4", "False", "(3, 4)", "header character"},
        {"<f4", "False, 'more': False", "(3, 4)", "header character"},
    };
    const char *y = write_npy("y.npy", good_y());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Npy bad = npy(cases[i].descr, cases[i].order, cases[i].shape, features, sizeof features);
        const char *x = write_npy("bad.npy", bad);
        assert_failure(&error, reluopt_read_npy(x, y, &samples, &schema, &error), RELUOPT_DATA, x,
                       cases[i].problem, NULL);
        const char *archive = write_npz("bad.npz", bad, good_y(), ZIP_CM_DEFLATE);
        assert_failure(&error, reluopt_read_npz(archive, &samples, &schema, &error), RELUOPT_DATA, archive,
                       "x.npy", cases[i].problem, NULL);
        assert_null(samples.x);
        assert_int_equal(schema.classes, 0);
    }
}

static void test_wrong_contents(void **state)
{
    (void)state;
    const float infinite[2] = {1, INFINITY};
    const int32_t negative[3] = {0, -1, 1}, two[2] = {0, 1};
    const char *x = write_npy("x.npy", good_x()), *y = write_npy("y.npy", good_y());
    const struct {
        const char *x, *y, *problem;
    } cases[] = {
        {write_npy("inf.npy", npy("<f4", "False", "(2, 1)", infinite, 8)),
         write_npy("two.npy", npy("<i4", "False", "(2,)", two, 8)), "[1, 0] is not a finite"},
        {x, write_npy("two.npy", npy("<i4", "False", "(2,)", two, 8)), "2 labels"},
        {x, write_npy("neg.npy", npy("<i4", "False", "(3,)", negative, 12)), "[1] is -1, no class number"},
        {x, x, "one integer a sample"},
        {write_npy("x.npy.gz", good_x()), scratch_gzip("y.npy.gz", good_y().bytes, good_y().size), "gzip"},
        {scratch_text("text.npy", "1,2,3\n"), y, "does not begin as a .npy file"},
        {scratch_path("absent.npy"), y, "No such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_failure(&error, reluopt_read_npy(cases[i].x, cases[i].y, &samples, &schema, &error),
                       RELUOPT_DATA, cases[i].problem, NULL);
    const char *archive = write_npz("alone.npz", good_x(), (Npy){0}, ZIP_CM_STORE);
    assert_failure(&error, reluopt_read_npz(archive, &samples, &schema, &error), RELUOPT_DATA, archive,
                   "no member y.npy", NULL);
}

/* Cut anywhere, a file is refused; so is one with a flipped byte in packed values. */
static void test_every_truncation(void **state)
{
    (void)state;
    unsigned char bytes[4 * ROOM];
    Npy whole = good_x();
    const char *y = write_npy("y.npy", good_y());
    for (size_t cut = 0; cut < whole.size; cut++) {
        const char *x = scratch_write("cut.npy", whole.bytes, cut);
        assert_failure(&error, reluopt_read_npy(x, y, &samples, &schema, &error), RELUOPT_DATA, x, NULL);
    }
    const char *archive = write_npz("whole.npz", good_x(), good_y(), ZIP_CM_DEFLATE);
    size_t size = scratch_read(archive, bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        const char *x = scratch_write("cut.npz", bytes, cut);
        assert_failure(&error, reluopt_read_npz(x, &samples, &schema, &error), RELUOPT_DATA, x, NULL);
    }
    for (size_t at = 60; at < 120; at++) { /* in the packed x.npy */
        bytes[at] ^= 0x10;
        const char *x = scratch_write("flipped.npz", bytes, size);
        assert_failure(&error, reluopt_read_npz(x, &samples, &schema, &error), RELUOPT_DATA, x, NULL);
        bytes[at] ^= 0x10;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms),       cmocka_unit_test(test_types),
        cmocka_unit_test(test_wrong_headers),    cmocka_unit_test(test_wrong_contents),
        cmocka_unit_test(test_every_truncation),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
