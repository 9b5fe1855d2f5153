/* test_hdf5_reader.c - the HDF5 reader: types, shapes, filters, and every way a file can be wrong. */
#include "scratch.h"

#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <unistd.h>

#include "reluopt/readers.h"

enum { COUNT = 3, EACH = 4 };

static const float features[COUNT * EACH] = {0, 1, 2, 3, 40, 50, 60, 70, 255, 7, 8, 9};
static const int labels[COUNT] = {2, 0, 4};

static Error error;
static Samples samples;
static Schema schema;

static hid_t create(const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

/* Write an array of `dimensions` sizes; plan: how it is stored; values may be NULL. */
static void add_array(hid_t file, const char *name, int dimensions, const hsize_t *size, hid_t stored,
                      hid_t plan, hid_t type, const void *values)
{
    hid_t space = H5Screate_simple(dimensions, size, NULL);
    hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    assert_true(set >= 0);
    if (values)
        assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void add_features(hid_t file, hid_t stored)
{
    add_array(file, "x", 2, (hsize_t[]){COUNT, EACH}, stored, H5P_DEFAULT, H5T_NATIVE_FLOAT, features);
}

static void add_labels(hid_t file, const int *values, hsize_t count)
{
    add_array(file, "y", 1, &count, H5T_STD_I32LE, H5P_DEFAULT, H5T_NATIVE_INT, values);
}

static int read_file(const char *path)
{
    return reluopt_read_hdf5(path, &samples, &schema, &error);
}

static void release(void)
{
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

static void check_good(const char *path)
{
    if (read_file(path) != RELUOPT_OK)
        fail_msg("%s", error.message);
    assert_int_equal(samples.count, COUNT);
    assert_int_equal(samples.features, EACH);
    for (size_t i = 0; i < COUNT * EACH; i++)
        assert_float_equal(samples.x[i], features[i], 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(samples.y[i], labels[i]);
    assert_int_equal(schema.features, EACH);
    assert_int_equal(schema.classes, 5);
    assert_string_equal(schema.class_name[4], "4");
}

static void test_types(void **state)
{
    (void)state;
    const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_U8LE, H5T_STD_I16BE, H5T_STD_I64LE};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const char *path = scratch_path("types.h5");
        hid_t file = create(path);
        add_features(file, types[i]);
        add_labels(file, labels, COUNT);
        H5Fclose(file);
        check_good(path);
        release();
    }
}

/* Three dimensions are flattened, labels may be a column; both chunked and packed. */
static void test_shapes_and_filters(void **state)
{
    (void)state;
    const char *path = scratch_path("shapes.h5");
    hid_t file = create(path), plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, 3, (hsize_t[]){2, 2, 2});
    H5Pset_shuffle(plan);
    H5Pset_deflate(plan, 9);
    add_array(file, "x", 3, (hsize_t[]){COUNT, 2, 2}, H5T_IEEE_F32LE, plan, H5T_NATIVE_FLOAT, features);
    add_array(file, "y", 2, (hsize_t[]){COUNT, 1}, H5T_STD_U8LE, H5P_DEFAULT, H5T_NATIVE_INT, labels);
    H5Pclose(plan);
    H5Fclose(file);
    check_good(path);
    assert_int_equal(samples.height, 2); /* of three dimensions: images */
    assert_int_equal(samples.width, 2);
    release();
}

/* A set of zeros, packed as far as it goes, is not taken for one that is not written. */
static void test_strong_packing(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    const char *path = scratch_path("zeros.h5");
    float *zeros = calloc(MANY, sizeof *zeros);
    hid_t file = create(path), plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, 2, (hsize_t[]){COUNT, MANY / COUNT});
    H5Pset_deflate(plan, 9);
    add_array(file, "x", 2, (hsize_t[]){COUNT, MANY / COUNT}, H5T_IEEE_F32LE, plan, H5T_NATIVE_FLOAT, zeros);
    add_labels(file, labels, COUNT);
    H5Pclose(plan);
    H5Fclose(file);
    free(zeros);
    assert_int_equal(read_file(path), RELUOPT_OK);
    assert_int_equal(samples.features, MANY / COUNT);
    release();
}

static void test_given_schema(void **state)
{
    (void)state;
    const char *path = scratch_path("schema.h5");
    hid_t file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_good(path);
    reluopt_samples_free(&samples);
    check_good(path);
    reluopt_samples_free(&samples);
    schema.features = 9;
    assert_failure(&error, read_file(path), RELUOPT_DATA, path, "4 features", "has 9", NULL);
    assert_null(samples.x);
    release();
    static char *digits[] = {"0", "1", "2", "3"}, *names[] = {"-1", "0", "1", "2"};
    schema = (Schema){.features = EACH, .classes = 4, .class_name = names};
    assert_failure(&error, read_file(path), RELUOPT_DATA, path, "names them -1 to 2", NULL);
    schema.class_name = digits;
    assert_failure(&error, read_file(path), RELUOPT_DATA, path, "sample 3 has label 4", NULL);
    schema = (Schema){0};
}

/* Reading fails with `problem`, and HDF5 prints nothing. */
static void check_bad(const char *path, const char *problem)
{
    char printed[16];
    const char *log = scratch_path("stderr");
    fflush(stderr);
    int saved = dup(2), to = open(log, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(saved >= 0 && to >= 0);
    dup2(to, 2);
    int code = read_file(path);
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    close(to);
    assert_int_equal(scratch_read(log, printed, sizeof printed), 0);
    assert_failure(&error, code, RELUOPT_DATA, path, problem, NULL);
    assert_null(samples.x);
    assert_int_equal(schema.classes, 0);
}

static void test_wrong_sets(void **state)
{
    (void)state;
    const char *path = scratch_path("sets.h5");
    hid_t file = create(path);
    H5Fclose(file);
    check_bad(path, "no data set /x");

    file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    H5Fclose(file);
    check_bad(path, "no data set /y");

    file = create(path);
    H5Gclose(H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_bad(path, "no data set /x");

    file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    add_labels(file, labels, COUNT - 1);
    H5Fclose(file);
    check_bad(path, "/x has 3 samples, but /y 2 labels");

    file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    add_array(file, "y", 1, (hsize_t[]){COUNT}, H5T_IEEE_F32LE, H5P_DEFAULT, H5T_NATIVE_FLOAT, features);
    H5Fclose(file);
    check_bad(path, "/y must be one integer a sample");

    file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    add_array(file, "y", 2, (hsize_t[]){COUNT, 2}, H5T_STD_I32LE, H5P_DEFAULT, H5T_NATIVE_FLOAT, features);
    H5Fclose(file);
    check_bad(path, "/y must be one integer a sample");
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    const char *path = scratch_path("shapes-bad.h5");
    hid_t file = create(path), space = H5Screate(H5S_SCALAR);
    H5Dclose(H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_bad(path, "/x is no array");

    file = create(path);
    add_array(file, "x", 2, (hsize_t[]){COUNT, 0}, H5T_IEEE_F32LE, H5P_DEFAULT, H5T_NATIVE_FLOAT, NULL);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_bad(path, "/x has a dimension that is 0");

    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 4);
    file = create(path);
    add_array(file, "x", 2, (hsize_t[]){COUNT, EACH}, text, H5P_DEFAULT, text,
              "abc\0abc\0abc\0abc\0abc\0abc\0abc\0abc\0abc\0abc\0abc\0abc");
    H5Tclose(text);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_bad(path, "/x holds no numbers");
}

static void test_wrong_values(void **state)
{
    (void)state;
    const char *path = scratch_path("values.h5");
    const double bad[] = {NAN, INFINITY, 1e300};
    for (size_t i = 0; i < 3; i++) {
        double x[COUNT * EACH] = {0};
        x[6] = bad[i];
        hid_t file = create(path);
        add_array(file, "x", 2, (hsize_t[]){COUNT, EACH}, H5T_IEEE_F64LE, H5P_DEFAULT, H5T_NATIVE_DOUBLE, x);
        add_labels(file, labels, COUNT);
        H5Fclose(file);
        check_bad(path, "/x[1, 2] is not a finite");
    }
    const struct {
        int label;
        const char *problem;
    } wrong[] = {
        {-1, "/y[1] is -1"}, {RELUOPT_MAX_CLASSES, "/y[1] is 65536"}, {INT32_MAX, "/y[1] is 2147483647"}};
    for (size_t i = 0; i < 3; i++) {
        const int y[COUNT] = {0, wrong[i].label, 1};
        hid_t file = create(path);
        add_features(file, H5T_IEEE_F32LE);
        add_labels(file, y, COUNT);
        H5Fclose(file);
        check_bad(path, wrong[i].problem);
    }
}

/* A few bytes can declare an array of any size. */
static void test_lying_sizes(void **state)
{
    (void)state;
    const char *path = scratch_path("lie.h5");
    const hsize_t sizes[][2] = {{COUNT, 1}, {1ull << 32, 1ull << 28}, {1ull << 32, 1ull << 31}};
    for (size_t i = 0; i < 3; i++) {
        hid_t file = create(path), plan = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(plan, 2, (hsize_t[]){1, 1});
        add_array(file, "x", 2, sizes[i], H5T_IEEE_F32LE, plan, H5T_NATIVE_FLOAT, NULL);
        H5Pclose(plan);
        add_labels(file, labels, COUNT);
        H5Fclose(file);
        check_bad(path, "is not all in the file");
    }
}

/* No path in a file is followed: neither links to another file, nor sets whose values are in one. */
static void test_other_files(void **state)
{
    (void)state;
    const char *path = scratch_path("names.h5"), *other = scratch_path("other.h5");
    hid_t file = create(other), space = H5Screate_simple(2, (hsize_t[]){COUNT, EACH}, NULL);
    add_features(file, H5T_IEEE_F32LE);
    add_labels(file, labels, COUNT);
    H5Fclose(file);

    file = create(path);
    H5Lcreate_external(other, "/x", file, "x", H5P_DEFAULT, H5P_DEFAULT);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_bad(path, "no data set /x in this file");

    file = create(path);
    H5Lcreate_external(other, "/", file, "g", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/g/x", file, "x", H5P_DEFAULT, H5P_DEFAULT);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_bad(path, "no data set /x in this file");

    for (int external = 0; external < 2; external++) {
        hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
        assert_true((external ? H5Pset_external(plan, other, 0, sizeof features)
                              : H5Pset_virtual(plan, space, other, "/x", space)) >= 0);
        file = create(path);
        add_array(file, "x", 2, (hsize_t[]){COUNT, EACH}, H5T_IEEE_F32LE, plan, H5T_NATIVE_FLOAT, NULL);
        add_labels(file, labels, COUNT);
        H5Pclose(plan);
        H5Fclose(file);
        check_bad(path, "/x is kept in other files");
    }
    H5Sclose(space);
}

/* Links inside the file are. */
static void test_links(void **state)
{
    (void)state;
    const char *path = scratch_path("links.h5");
    hid_t file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    assert_true(H5Lmove(file, "x", file, "samples", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/samples", file, "x", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    check_good(path);
    release();
}

static void test_no_hdf5(void **state)
{
    (void)state;
    char bytes[16384];
    const char *path = scratch_path("whole.h5");
    hid_t file = create(path);
    add_features(file, H5T_IEEE_F32LE);
    add_labels(file, labels, COUNT);
    H5Fclose(file);
    size_t size = scratch_read(path, bytes, sizeof bytes);
    assert_in_range(size, 1, sizeof bytes - 1);
    for (size_t cut = 1; cut < size; cut += 97)
        check_bad(scratch_write("cut.h5", bytes, cut), "cannot be opened as HDF5");
    check_bad(scratch_text("text.h5", "no HDF5\n"), "cannot be opened as HDF5");
    check_bad(scratch_text("empty.h5", ""), "the file is empty");
    check_bad(scratch_path("absent.h5"), "No such file");
    check_bad(scratch_folder, "is a folder");
}

/* The caller's error handler is in place again afterwards. */
static void test_error_printing_restored(void **state)
{
    (void)state;
    H5E_auto2_t before, after;
    void *data;
    H5Eget_auto2(H5E_DEFAULT, &before, &data);
    check_bad(scratch_text("text.h5", "no HDF5\n"), "HDF5");
    H5Eget_auto2(H5E_DEFAULT, &after, &data);
    assert_true(before == after && before != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),          cmocka_unit_test(test_shapes_and_filters),
        cmocka_unit_test(test_strong_packing), cmocka_unit_test(test_given_schema),
        cmocka_unit_test(test_wrong_sets),     cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_wrong_values),   cmocka_unit_test(test_lying_sizes),
        cmocka_unit_test(test_other_files),    cmocka_unit_test(test_links),
        cmocka_unit_test(test_no_hdf5),        cmocka_unit_test(test_error_printing_restored),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
