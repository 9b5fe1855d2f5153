/* test_cifar10.c - the CIFAR-10 reader: values, order of the files, and every way a file can be wrong. */
#include "scratch.h"

#include "reluopt/readers.h"

enum { PIXELS = 3072, RECORD = 1 + PIXELS, RECORDS = 3 };

static unsigned char bytes[RECORDS * RECORD];
static Error error;
static Samples samples;
static Schema schema;

static unsigned char pixel(size_t record, size_t k)
{
    return (unsigned char)(record * 85 + k);
}

static int make_records(void **state)
{
    for (size_t r = 0; r < RECORDS; r++) {
        bytes[r * RECORD] = (unsigned char)(9 - 4 * r);
        for (size_t k = 0; k < PIXELS; k++)
            bytes[r * RECORD + 1 + k] = pixel(r, k);
    }
    return scratch_make(state);
}

static int read_one(const char *path)
{
    return reluopt_read_cifar10(&path, 1, &samples, &schema, &error);
}

static void release(void)
{
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

/* Sample `at` is that of a record of `bytes`. */
static void check_sample(size_t at, size_t record)
{
    assert_int_equal(samples.y[at], 9 - 4 * record);
    for (size_t k = 0; k < PIXELS; k++)
        assert_float_equal(samples.x[at * PIXELS + k], pixel(record, k), 0);
}

static void test_one_file(void **state)
{
    (void)state;
    const char *path[] = {scratch_write("a.bin", bytes, sizeof bytes),
                          scratch_gzip("a.bin.gz", bytes, sizeof bytes)};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(read_one(path[i]), RELUOPT_OK);
        assert_int_equal(samples.count, RECORDS);
        assert_int_equal(samples.features, PIXELS);
        assert_true(samples.height == 32 && samples.width == 32);
        for (size_t r = 0; r < RECORDS; r++)
            check_sample(r, r);
        assert_int_equal(schema.features, PIXELS);
        assert_int_equal(schema.classes, 10);
        assert_string_equal(schema.class_name[9], "9");
        release();
    }
}

static void test_order_of_files(void **state)
{
    (void)state;
    const char *paths[] = {scratch_write("late.bin", bytes + 2 * RECORD, RECORD),
                           scratch_write("early.bin", bytes, 2 * RECORD)};
    assert_int_equal(reluopt_read_cifar10(paths, 2, &samples, &schema, &error), RELUOPT_OK);
    assert_int_equal(samples.count, 3);
    check_sample(0, 2);
    check_sample(1, 0);
    check_sample(2, 1);
    release();
}

static void test_given_schema(void **state)
{
    (void)state;
    const char *path = scratch_write("a.bin", bytes, sizeof bytes);
    assert_int_equal(read_one(path), RELUOPT_OK);
    reluopt_samples_free(&samples);
    assert_int_equal(read_one(path), RELUOPT_OK);
    reluopt_samples_free(&samples);
    schema.features = 784;
    assert_failure(&error, read_one(path), RELUOPT_DATA, path, "3072 features", "784", NULL);
    assert_null(samples.x);
    schema.features = PIXELS;
    release();
}

static void test_truncated_or_trailing(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *problem;
    } cases[] = {{1, "record 1 (byte 0) has 1 of its 3073 bytes"},
                 {RECORD - 1, "record 1 (byte 0) has 3072"},
                 {RECORD + 1, "record 2 (byte 3073) has 1"},
                 {3 * RECORD - 1, "record 3 (byte 6146)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = scratch_write("cut.bin", bytes, cases[i].size);
        assert_failure(&error, read_one(path), RELUOPT_DATA, path, cases[i].problem, "get it again", NULL);
    }
    const char *empty = scratch_write("empty.bin", bytes, 0);
    assert_failure(&error, read_one(empty), RELUOPT_DATA, empty, "empty", NULL);
}

static void test_label_outside(void **state)
{
    (void)state;
    bytes[RECORD] = 10;
    const char *path = scratch_write("label.bin", bytes, sizeof bytes);
    bytes[RECORD] = 5;
    assert_failure(&error, read_one(path), RELUOPT_DATA, path, "record 2 (byte 3073) has label 10", NULL);
    assert_null(samples.x);
    assert_int_equal(schema.classes, 0);
}

/* The second file fails after the first was read. */
static void test_missing_second(void **state)
{
    (void)state;
    const char *paths[] = {scratch_write("a.bin", bytes, sizeof bytes), scratch_path("absent.bin")};
    assert_failure(&error, reluopt_read_cifar10(paths, 2, &samples, &schema, &error), RELUOPT_DATA, paths[1],
                   "No such file", NULL);
    assert_failure(&error, read_one(scratch_folder), RELUOPT_DATA, scratch_folder, "is a folder", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_file),      cmocka_unit_test(test_order_of_files),
        cmocka_unit_test(test_given_schema),  cmocka_unit_test(test_truncated_or_trailing),
        cmocka_unit_test(test_label_outside), cmocka_unit_test(test_missing_second),
    };
    return cmocka_run_group_tests(tests, make_records, scratch_remove);
}
