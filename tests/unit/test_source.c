/* test_source.c - samples some at a time: the same as all at once, for every format, with labels or without. */
#include "scratch.h"

#include <hdf5.h>

#include "reluopt/memory.h"
#include "reluopt/readers.h"
#include "reluopt/source.h"

enum { COUNT = 7, EACH = 3, ROOM = 4096 };

static Error error;
static Config config;

/* Sample k's feature j: small integers, so that every format can hold them. */
static float value(size_t k, size_t j)
{
    return (float)((5 * k + 3 * j) % 11);
}

/* Read the list `room` samples at a time; all samples there are, at most ROOM values; the caller frees. */
static float *read_all(const char *list, const Schema *schema, size_t room, size_t *count)
{
    Source source;
    size_t got = 0;
    float *x = calloc(ROOM, sizeof *x);
    *count = 0;
    if (reluopt_source_open(&source, list, &config, schema, &error) == RELUOPT_OK)
        while (reluopt_source_read(&source, x + *count * schema->features, room, &got, &error) == RELUOPT_OK &&
               got > 0)
            *count += got;
    reluopt_source_close(&source);
    return x;
}

static void check_source(const char *list, const Schema *schema)
{
    static const size_t rooms[] = {1, 3, COUNT, 100};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        size_t count;
        float *x = read_all(list, schema, rooms[i], &count);
        if (error.code || count != COUNT)
            fail_msg("%s: %zu samples; %s", list, count, error.message);
        for (size_t k = 0; k < COUNT; k++)
            for (size_t j = 0; j < EACH; j++)
                assert_float_equal(x[k * EACH + j], value(k, j), 0);
        free(x);
    }
}

static void check_refused(const char *list, const Schema *schema, const char *problem)
{
    size_t count;
    float *x = read_all(list, schema, 3, &count);
    assert_failure(&error, error.code, RELUOPT_DATA, problem, NULL);
    free(x);
}

/* The schema of data with numbered features and classes 0 and 1. */
static Schema numbered(size_t features)
{
    static char *names[] = {"0", "1"};
    return (Schema){.features = features, .classes = 2, .class_name = names};
}

static void test_idx(void **state)
{
    (void)state;
    unsigned char bytes[12 + COUNT * EACH] = {0, 0, 8, 2, 0, 0, 0, COUNT, 0, 0, 0, EACH};
    Schema schema = numbered(EACH), wider = numbered(EACH + 1);
    for (size_t i = 0; i < COUNT * EACH; i++)
        bytes[12 + i] = (unsigned char)value(i / EACH, i % EACH);
    check_source(scratch_write("images", bytes, sizeof bytes), &schema);
    const char *packed = scratch_gzip("images.gz", bytes, sizeof bytes);
    check_source(packed, &schema);
    check_refused(packed, &wider, "3 features");
    for (size_t cut = 1; cut < sizeof bytes; cut++) {
        check_refused(scratch_write("cut", bytes, cut), &schema, "cut: ");
        check_refused(scratch_gzip("cut.gz", bytes, cut), &schema, "cut.gz: ");
    }
    unsigned char longer[sizeof bytes + 1] = {0};
    memcpy(longer, bytes, sizeof bytes);
    check_refused(scratch_gzip("longer.gz", longer, sizeof longer), &schema, "trailing bytes after byte 33");
}

static void test_npy(void **state)
{
    (void)state;
    char bytes[ROOM] = "\x93NUMPY\x01";
    int length =
        sprintf(bytes + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }\n", COUNT, EACH);
    bytes[8] = (char)length;
    for (size_t i = 0; i < COUNT * EACH; i++) {
        float x = value(i / EACH, i % EACH);
        memcpy(bytes + 10 + length + i * sizeof x, &x, sizeof x);
    }
    Schema schema = numbered(EACH), wider = numbered(EACH + 1);
    size_t size = 10 + (size_t)length + COUNT * EACH * sizeof(float);
    const char *path = scratch_write("x.npy", bytes, size);
    check_source(path, &schema);
    check_refused(path, &wider, "3 features");
    check_refused(scratch_write("cut.npy", bytes, size - 1), &schema, "truncated");
}

static void test_hdf5(void **state)
{
    (void)state;
    const char *path = scratch_path("x.h5");
    hsize_t size[2] = {COUNT, EACH};
    float x[COUNT * EACH];
    for (size_t i = 0; i < COUNT * EACH; i++)
        x[i] = value(i / EACH, i % EACH);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
          space = H5Screate_simple(2, size, NULL);
    hid_t set = H5Dcreate2(file, "/x", H5T_IEEE_F64BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
    Schema schema = numbered(EACH), wider = numbered(EACH + 1);
    check_source(path, &schema); /* without labels */
    check_refused(path, &wider, "3 features");
    check_refused(scratch_text("no.h5", "text"), &schema, "HDF5");
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

static void test_cifar10(void **state)
{
    (void)state;
    enum { PIXELS = 3072, RECORDS = 2 };
    unsigned char *bytes = calloc(RECORDS, PIXELS + 1);
    bytes[0] = 9;
    bytes[1] = 200;
    bytes[PIXELS + 1 + PIXELS] = 77;
    Schema schema = numbered(PIXELS);
    float *x = calloc(RECORDS, PIXELS * sizeof *x);
    const char *path = scratch_write("batch.bin", bytes, RECORDS * (PIXELS + 1));
    Source source;
    size_t count;
    assert_int_equal(reluopt_source_open(&source, path, &config, &schema, &error), RELUOPT_OK);
    assert_int_equal(reluopt_source_read(&source, x, RECORDS, &count, &error), RELUOPT_OK);
    assert_int_equal(count, RECORDS);
    assert_float_equal(x[0], 200, 0);
    assert_float_equal(x[2 * PIXELS - 1], 77, 0);
    assert_int_equal(reluopt_source_read(&source, x, RECORDS, &count, &error), RELUOPT_OK);
    assert_int_equal(count, 0);
    reluopt_source_close(&source);
    free(x);
    path = scratch_write("cut.bin", bytes, RECORDS * (PIXELS + 1) - 1);
    assert_int_equal(reluopt_source_open(&source, path, &config, &schema, &error), RELUOPT_OK);
    x = calloc(RECORDS, PIXELS * sizeof *x);
    assert_failure(&error, reluopt_source_read(&source, x, RECORDS, &count, &error), RELUOPT_DATA, path,
                   "sample 2", NULL);
    reluopt_source_close(&source);
    free(x);
    free(bytes);
}

static void test_libsvm(void **state)
{
    (void)state;
    char labelled[ROOM] = "# x\n", plain[ROOM] = "\n";
    for (size_t k = 0; k < COUNT; k++)
        for (size_t j = 0; j < EACH; j++) {
            const char *label = j == 0 ? "7 " : "", *end = j + 1 == EACH ? "\n" : " ";
            sprintf(labelled + strlen(labelled), "%s%zu:%g%s", label, j + 1, (double)value(k, j), end);
            sprintf(plain + strlen(plain), "%zu:%g%s", j + 1, (double)value(k, j), end);
        }
    Schema schema = numbered(EACH), narrower = numbered(EACH - 1);
    check_source(scratch_text("a.libsvm", labelled), &schema);
    check_source(scratch_text("b.svm", plain), &schema);
    check_source(scratch_gzip("b.svm.gz", plain, strlen(plain)), &schema);
    check_refused(scratch_text("c.svm", plain), &narrower, "line 2");
}

/* A number, a category of two (0/1 features), as the values are not: so CSV has checks of its own. */
static void test_csv(void **state)
{
    (void)state;
    static const float expected[] = {1, 0, 1, 2, 1, 0, 3, 0, 1};
    static const struct {
        const char *label, *text;
        int header; /* of data.header: 2 auto */
    } cases[] = {
        {"last", "1,red,no\n2,\"b\"\"l\nue\",yes\n3,red,no\n", 2},
        {"last", "\n1,red,new\n\n2, \"b\"\"l\nue\" ,\r\n3,red,?", 0},
        {"last", "x,colour,kind\n1,red,no\n2,\"b\"\"l\nue\",yes\n3,red,no\n", 2},
        {"kind", "x,colour,kind\n1,red,no\n2,\"b\"\"l\nue\",yes\n3,red,no\n", 2},
        {"kind", "x,colour\n1,red\n2,\"b\"\"l\nue\"\n3,red\n", 2},
        {"kind", "1,red\n2,\"b\"\"l\nue\"\n3,red\n", 2},
        {"first", "\xEF\xBB\xBFno,1,red\nyes,2,\"b\"\"l\nue\"\nno,3,red\n", 2},
        {"first", "kind,x,colour\nno,1,red\nyes,2,\"b\"\"l\nue\"\nno,3,red\n", 1},
    };
    char *colours[] = {"b\"l\nue", "red"}, *names[] = {"no", "yes"};
    Column columns[] = {{.name = "x"}, {.name = "colour", .categories = 2, .category = colours}};
    Schema schema = {.features = 3, .classes = 2, .class_name = names, .columns = 2, .column = columns};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t room = 1; room <= 4; room++) {
            size_t count;
            strcpy(config.data.label, cases[i].label);
            config.data.header = cases[i].header;
            float *x = read_all(scratch_text("x.csv", cases[i].text), &schema, room, &count);
            if (error.code || count != 3)
                fail_msg("case %zu: %zu samples; %s", i, count, error.message);
            assert_memory_equal(x, expected, sizeof expected);
            free(x);
        }
    strcpy(config.data.label, "last");
    config.data.header = 2;
    check_refused(scratch_text("x.csv", "1,red\n\n2,green\n"), &schema, "line 3, column 2: category \"green\"");
    check_refused(scratch_text("x.csv", "1,red\n?,red\n"), &schema, "line 2, column 1: a value is missing");
    check_refused(scratch_text("x.csv", "1,red\n2\n"), &schema, "line 2: 1 columns where line 1 has 2");
    check_refused(scratch_text("x.csv", "1,red,a,b\n"), &schema, "line 1: 4 feature columns");
    check_refused(scratch_text("x.csv", "y,colour\n1,red\n"), &schema, "this column is named x");
    check_refused(scratch_text("x.csv", "1,\"red\n"), &schema, "never closed");
    check_refused(scratch_text("x.csv", "\n\n"), &schema, "blank");
}

/* Rows longer than the buffer at first, and a row that a buffer's end cuts. */
static void test_long_rows(void **state)
{
    (void)state;
    enum { WIDE = 150000, LINES = 3 };
    char *text = calloc(LINES, 2 * WIDE + 1), *at = text;
    for (size_t k = 0; k < LINES; k++)
        for (size_t j = 0; j < WIDE; j++) {
            *at++ = (char)('0' + (j + k) % 10);
            *at++ = j + 1 == WIDE ? '\n' : ',';
        }
    Column *columns = calloc(WIDE, sizeof *columns);
    for (size_t j = 0; j < WIDE; j++)
        columns[j].name = "c";
    char *names[] = {"no", "yes"};
    Schema schema = {.features = WIDE, .classes = 2, .class_name = names, .columns = WIDE, .column = columns};
    float *x = calloc(LINES, WIDE * sizeof *x);
    Source source;
    size_t count;
    strcpy(config.data.label, "last");
    config.data.header = 0;
    assert_int_equal(reluopt_source_open(&source, scratch_text("wide.csv", text), &config, &schema, &error),
                     RELUOPT_OK);
    assert_int_equal(reluopt_source_read(&source, x, LINES, &count, &error), RELUOPT_OK);
    assert_int_equal(count, LINES);
    for (size_t i = 0; i < (size_t)LINES * WIDE; i++)
        assert_float_equal(x[i], (float)((i % WIDE + i / WIDE) % 10), 0);
    reluopt_source_close(&source);
    free(x);
    free(columns);
    free(text);
}

static int start(void **state)
{
    reluopt_config_default(&config);
    return scratch_make(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx),       cmocka_unit_test(test_npy),    cmocka_unit_test(test_hdf5),
        cmocka_unit_test(test_cifar10),   cmocka_unit_test(test_libsvm), cmocka_unit_test(test_csv),
        cmocka_unit_test(test_long_rows),
    };
    return cmocka_run_group_tests(tests, start, scratch_remove);
}
