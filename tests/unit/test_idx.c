/* test_idx.c - the IDX reader: values, classes, agreement with a schema, and every way a file can be wrong. */
#include "scratch.h"

#include "reluopt/readers.h"

/* 3 images of 2 x 2, labels 2 0 5. */
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0,   0,   2,   0, 0,
                                       0, 2, 0, 1, 2, 3, 4, 5, 6, 255, 254, 253, 7, 128};
static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 5};

static Error error;
static Samples samples;
static Schema schema;

static int read_pair(const char *x, const char *y)
{
    return reluopt_read_idx(x, y, &samples, &schema, &error);
}

static void release(void)
{
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

static void check_contents(void)
{
    assert_int_equal(samples.count, 3);
    assert_int_equal(samples.features, 4);
    assert_int_equal(samples.height, 2);
    assert_int_equal(samples.width, 2);
    for (size_t i = 0; i < 12; i++)
        assert_float_equal(samples.x[i], images[16 + i], 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(samples.y[i], labels[8 + i]);
    assert_int_equal(schema.features, 4);
    assert_int_equal(schema.classes, 6);
    assert_int_equal(schema.columns, 0);
    assert_string_equal(schema.class_name[0], "0");
    assert_string_equal(schema.class_name[5], "5");
}

static void test_plain_and_gzip(void **state)
{
    (void)state;
    const char *x = scratch_write("x", images, sizeof images), *y = scratch_write("y", labels, sizeof labels);
    const char *xz = scratch_gzip("x.gz", images, sizeof images),
               *yz = scratch_gzip("y.gz", labels, sizeof labels);
    const char *pair[][2] = {{x, y}, {xz, yz}, {x, yz}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_pair(pair[i][0], pair[i][1]), RELUOPT_OK);
        check_contents();
        release();
    }
}

/* Two gzip files, one after the other, are one; what is no gzip after them is left alone. */
static void test_gzip_members(void **state)
{
    (void)state;
    unsigned char packed[512];
    size_t size = scratch_read(scratch_gzip("head.gz", images, 9), packed, sizeof packed);
    size += scratch_read(scratch_gzip("rest.gz", images + 9, sizeof images - 9), packed + size,
                         sizeof packed - size);
    memset(packed + size, 0, 100);
    const char *y = scratch_write("y", labels, sizeof labels), *x = scratch_write("x.gz", packed, size + 100);
    assert_int_equal(read_pair(x, y), RELUOPT_OK);
    check_contents();
    release();
}

/* A file large and regular enough that its gzip form is a thousandth of it: the buffer has to grow. */
static void test_growth(void **state)
{
    (void)state;
    enum { COUNT = 3000, EACH = 1000, HEADER = 12 };
    unsigned char *x = calloc(1, HEADER + COUNT * EACH),
                  y[8 + COUNT] = {0, 0, 8, 1, 0, 0, COUNT >> 8, COUNT & 255};
    const unsigned char header[HEADER] = {0,          0,           8, 2, 0,         0,
                                          COUNT >> 8, COUNT & 255, 0, 0, EACH >> 8, EACH & 255};
    assert_non_null(x);
    memcpy(x, header, HEADER);
    x[HEADER + COUNT * EACH - 1] = 77;
    const char *xz = scratch_gzip("large.gz", x, HEADER + COUNT * EACH), *yp = scratch_write("ly", y, sizeof y);
    assert_int_equal(read_pair(xz, yp), RELUOPT_OK);
    assert_int_equal(samples.count, COUNT);
    assert_int_equal(samples.features, EACH);
    assert_int_equal(samples.height, 0); /* count x 1000: no images */
    assert_float_equal(samples.x[(size_t)COUNT * EACH - 1], 77, 0);
    assert_int_equal(schema.classes, 1);
    release();
    free(x);
}

static void test_given_schema(void **state)
{
    (void)state;
    const char *x = scratch_write("x", images, sizeof images), *y = scratch_write("y", labels, sizeof labels);
    assert_int_equal(read_pair(x, y), RELUOPT_OK);
    reluopt_samples_free(&samples);
    assert_int_equal(read_pair(x, y), RELUOPT_OK); /* now with its own schema */
    check_contents();
    reluopt_samples_free(&samples);

    schema.features = 5;
    assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, "4 features", "has 5", NULL);
    assert_null(samples.x);
    schema.features = 4;
    unsigned char more[sizeof labels];
    memcpy(more, labels, sizeof labels);
    more[9] = 6;
    const char *bad = scratch_write("bad", more, sizeof more);
    assert_failure(&error, read_pair(x, bad), RELUOPT_DATA, bad, "sample 2 has label 6", "0 to 5", NULL);
    schema.columns = 4;
    assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, "text file", NULL);
    schema.columns = 0;
    release();
}

static void test_wrong_bytes(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned char value;
        const char *problem;
    } cases[] = {
        {0, 7, "not 00 00"},        {1, 7, "not 00 00"},
        {2, 0x0d, "type 0d"},       {3, 1, "images have 2 or more"},
        {3, 0, "0 dimensions"},     {3, 255, "inside its header"},
        {7, 0, "dimension 1 is 0"}, {15, 0, "dimension 3 is 0 (byte 12)"},
        {7, 4, "truncated"},        {7, 2, "4 trailing bytes after byte 24"},
        {15, 1, "6 trailing"},      {8, 255, "truncated"},
    };
    const char *y = scratch_write("y", labels, sizeof labels);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[sizeof images];
        memcpy(bytes, images, sizeof bytes);
        bytes[cases[i].at] = cases[i].value;
        const char *plain = scratch_write("bad", bytes, sizeof bytes);
        assert_failure(&error, read_pair(plain, y), RELUOPT_DATA, plain, cases[i].problem, NULL);
        const char *packed = scratch_gzip("bad.gz", bytes, sizeof bytes);
        assert_failure(&error, read_pair(packed, y), RELUOPT_DATA, packed, cases[i].problem, NULL);
        assert_null(samples.x);
        assert_int_equal(schema.classes, 0);
    }
}

/* The product of the sizes overflows; nothing must be allocated for it. */
static void test_lying_header(void **state)
{
    (void)state;
    unsigned char bytes[sizeof images];
    memcpy(bytes, images, sizeof bytes);
    memset(bytes + 4, 255, 12);
    const char *y = scratch_write("y", labels, sizeof labels), *x = scratch_gzip("lie.gz", bytes, sizeof bytes);
    assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, "truncated", "4294967295", NULL);
}

static void test_labels(void **state)
{
    (void)state;
    const char *x = scratch_write("x", images, sizeof images);
    assert_failure(&error, read_pair(x, x), RELUOPT_DATA, x, "labels have 1", "swapped", NULL);
    const unsigned char two[] = {0, 0, 8, 1, 0, 0, 0, 2, 2, 0};
    const char *y = scratch_write("two", two, sizeof two);
    assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, "3 images", y, "2 labels", NULL);
    y = scratch_path("absent");
    assert_failure(&error, read_pair(x, y), RELUOPT_DATA, y, "No such file", "check the path", NULL);
    assert_null(samples.x);
}

/* Cut anywhere, plain or packed, the file is refused. */
static void test_every_truncation(void **state)
{
    (void)state;
    unsigned char packed[256];
    const char *y = scratch_write("y", labels, sizeof labels);
    size_t size = scratch_read(scratch_gzip("x.gz", images, sizeof images), packed, sizeof packed);
    for (size_t cut = 0; cut < sizeof images; cut++) {
        const char *x = scratch_write("cut", images, cut);
        assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, cut ? "byte" : "empty", NULL);
    }
    for (size_t cut = 0; cut < size; cut++) {
        const char *x = scratch_write("cut.gz", packed, cut);
        assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, cut > 1 ? "gzip data truncated" : "", NULL);
    }
    packed[size - 6] ^= 1; /* the checksum */
    const char *x = scratch_write("damaged.gz", packed, size);
    assert_failure(&error, read_pair(x, y), RELUOPT_DATA, x, "damaged", "get the file again", NULL);
}

static void test_no_file(void **state)
{
    (void)state;
    const char *y = scratch_write("y", labels, sizeof labels), *folder = scratch_folder_in("folder");
    assert_failure(&error, read_pair(folder, y), RELUOPT_DATA, folder, "is a folder", NULL);
    const char *empty = scratch_gzip("empty.gz", "", 0);
    assert_failure(&error, read_pair(empty, y), RELUOPT_DATA, empty, "empty once unpacked", NULL);
    assert_failure(&error, read_pair("/dev/null", y), RELUOPT_DATA, "/dev/null", "device", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip), cmocka_unit_test(test_gzip_members),
        cmocka_unit_test(test_growth),         cmocka_unit_test(test_given_schema),
        cmocka_unit_test(test_wrong_bytes),    cmocka_unit_test(test_lying_header),
        cmocka_unit_test(test_labels),         cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
