/* test_curves.c - learning curves: kept at each epoch, read back, checked for damage. */
#include "scratch.h"

#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reluopt/curves.h"

enum { MAX_LAYERS = 5, MANY = 200 };

/* The four per layer parts of point k. */
static void make_parts(size_t k, size_t layers, double parts[4][MAX_LAYERS])
{
    for (size_t part = 0; part < 4; part++)
        for (size_t i = 0; i < layers; i++)
            parts[part][i] = (double)(1000 * k + 10 * part + i) / 7;
}

static CurvePoint make_point(size_t k, double parts[4][MAX_LAYERS])
{
    return (CurvePoint){.epoch = (int64_t)k + 1,
                        .steps = 600000000000 * ((int64_t)k + 1),
                        .seconds = 1.25 * (double)k,
                        .train_loss = 1 / ((double)k + 3),
                        .train_accuracy = 0.5,
                        .test_loss = k % 2 ? NAN : 2.5,
                        .test_accuracy = NAN,
                        .alpha = (double)k / 9,
                        .rate = parts[0],
                        .online_bound = parts[1],
                        .active = parts[2],
                        .inverse_rate = parts[3]};
}

static int append(Curves *curves, size_t k, Error *error)
{
    double parts[4][MAX_LAYERS];
    make_parts(k, curves->layers, parts);
    CurvePoint point = make_point(k, parts);
    return reluopt_curves_append(curves, &point, error);
}

static bool same(const double *a, const double *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static bool is_point(const Curves *curves, size_t k)
{
    double parts[4][MAX_LAYERS];
    size_t layers = curves->layers;
    make_parts(k, layers, parts);
    CurvePoint wanted = make_point(k, parts), p = reluopt_curves_point(curves, k);
    const double a[] = {p.seconds, p.train_loss, p.train_accuracy, p.test_loss, p.test_accuracy, p.alpha};
    const double b[] = {wanted.seconds,   wanted.train_loss,    wanted.train_accuracy,
                        wanted.test_loss, wanted.test_accuracy, wanted.alpha};
    return p.epoch == wanted.epoch && p.steps == wanted.steps && same(a, b, 6) &&
           same(p.rate, wanted.rate, layers) && same(p.online_bound, wanted.online_bound, layers) &&
           same(p.active, wanted.active, layers) && same(p.inverse_rate, wanted.inverse_rate, layers - 1);
}

static bool are_points(const Curves *curves, size_t count)
{
    bool all = curves->count == count;
    for (size_t k = 0; k < count && all; k++)
        all = is_point(curves, k);
    return all;
}

/* A file of `count` points. */
static const char *make_file(size_t layers, size_t count)
{
    const char *path = scratch_path("curves.h5");
    Error error = {0};
    Curves curves;
    assert_int_equal(reluopt_curves_create(&curves, path, layers, &error), RELUOPT_OK);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(append(&curves, k, &error), RELUOPT_OK);
    assert_true(are_points(&curves, count));
    reluopt_curves_free(&curves);
    return path;
}

static void every_append_brings_the_file_up_to_date(void **state)
{
    (void)state;
    const char *path = scratch_path("curves.h5");
    Error error = {0};
    for (size_t layers = 1; layers <= MAX_LAYERS; layers += 2) {
        Curves curves, found;
        assert_int_equal(reluopt_curves_create(&curves, path, layers, &error), RELUOPT_OK);
        for (size_t k = 0; k < MANY; k++) {
            assert_int_equal(append(&curves, k, &error), RELUOPT_OK);
            assert_int_equal(reluopt_curves_read(&found, path, &error), RELUOPT_OK);
            assert_int_equal(found.layers, layers);
            assert_true(are_points(&found, k + 1));
            reluopt_curves_free(&found);
        }
        reluopt_curves_free(&curves);
    }
    assert_int_not_equal(access(scratch_path("curves.h5.tmp"), F_OK), 0);
}

static void times_are_kept(void **state)
{
    (void)state;
    const char *path = make_file(2, 1);
    Error error = {0};
    Curves curves, found;
    assert_int_equal(reluopt_curves_read(&curves, path, &error), RELUOPT_OK);
    assert_int_equal(curves.times.ranks, 0);
    curves.times.ranks = 3;
    for (int i = 0; i < PHASES; i++)
        curves.times.phase[i] = (Spread){i, i + 0.25, 2 * i};
    assert_int_equal(append(&curves, 1, &error), RELUOPT_OK);
    assert_int_equal(reluopt_curves_read(&found, path, &error), RELUOPT_OK);
    assert_true(are_points(&found, 2));
    assert_int_equal(found.times.ranks, 3);
    assert_memory_equal(found.times.phase, curves.times.phase, sizeof found.times.phase);
    assert_true(found.times.total == PHASES * (PHASES - 1) / 2 + 0.25 * PHASES);
    reluopt_curves_free(&curves);
    reluopt_curves_free(&found);
}

/* A killed writer leaves its file aside, here larger than the next one. */
static void a_file_left_aside_is_replaced(void **state)
{
    (void)state;
    static char left[1 << 20];
    struct stat status;
    scratch_write("curves.h5.tmp", left, sizeof left);
    const char *path = make_file(2, 1);
    assert_int_not_equal(access(scratch_path("curves.h5.tmp"), F_OK), 0);
    assert_true(stat(path, &status) == 0 && status.st_size < (off_t)sizeof left);
}

static void goes_on_after_reading(void **state)
{
    (void)state;
    const char *path = make_file(3, 3);
    Error error = {0};
    Curves curves;
    assert_int_equal(reluopt_curves_read(&curves, path, &error), RELUOPT_OK);
    for (size_t k = 3; k < 9; k++)
        assert_int_equal(append(&curves, k, &error), RELUOPT_OK);
    reluopt_curves_free(&curves);
    assert_int_equal(reluopt_curves_read(&curves, path, &error), RELUOPT_OK);
    assert_true(are_points(&curves, 9));
    reluopt_curves_free(&curves);
}

static void keeps_parts_that_a_method_does_not_have_as_nan(void **state)
{
    (void)state;
    const char *path = scratch_path("curves.h5");
    const double rate[2] = {0.5, 0.25};
    const CurvePoint point = {.epoch = 1, .rate = rate};
    Error error = {0};
    Curves curves;
    assert_int_equal(reluopt_curves_create(&curves, path, 2, &error), RELUOPT_OK);
    assert_int_equal(reluopt_curves_append(&curves, &point, &error), RELUOPT_OK);
    reluopt_curves_free(&curves);
    assert_int_equal(reluopt_curves_read(&curves, path, &error), RELUOPT_OK);
    CurvePoint p = reluopt_curves_point(&curves, 0);
    assert_true(p.rate[0] == 0.5 && p.rate[1] == 0.25);
    assert_true(isnan(p.online_bound[1]) && isnan(p.active[0]) && isnan(p.inverse_rate[0]));
    reluopt_curves_free(&curves);
}

static void a_failed_append_keeps_the_old_file_and_the_point(void **state)
{
    (void)state;
    const char *path = make_file(3, 4);
    struct rlimit old, tight;
    Error error = {0};
    Curves curves, found;
    assert_int_equal(reluopt_curves_read(&curves, path, &error), RELUOPT_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = (struct rlimit){2048, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight); /* stands in for a full disk */
    int code = append(&curves, 4, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_failure(&error, code, RELUOPT_STORAGE, "curves.h5.tmp", "File too large", NULL);
    assert_int_not_equal(access(scratch_path("curves.h5.tmp"), F_OK), 0);
    assert_int_equal(reluopt_curves_read(&found, path, &error), RELUOPT_OK);
    assert_true(are_points(&found, 4));
    reluopt_curves_free(&found);
    assert_int_equal(append(&curves, 5, &error), RELUOPT_OK);
    assert_true(curves.count == 6 && is_point(&curves, 4) && is_point(&curves, 5));
    reluopt_curves_free(&curves);
}

static void says_why_it_cannot_read(void **state)
{
    (void)state;
    Error error = {0};
    Curves curves;
    int code = reluopt_curves_read(&curves, scratch_path("missing.h5"), &error);
    assert_failure(&error, code, RELUOPT_STORAGE, "missing.h5", "No such file or directory", NULL);
    code = reluopt_curves_read(&curves, scratch_text("text", "epoch,loss\n"), &error);
    assert_failure(&error, code, RELUOPT_STORAGE, "not an HDF5 file", NULL);
}

static void detects_truncation_and_damage(void **state)
{
    (void)state;
    static char bytes[1 << 16];
    const char *path = make_file(2, 3);
    size_t size = scratch_read(path, bytes, sizeof bytes), found = 0, tried = 0;
    size_t every = getenv("RELUOPT_EVERY_BYTE") ? 1 : 7;
    Error error = {0};
    Curves curves;
    assert_true(size > 1000 && size < sizeof bytes);
    for (size_t cut = 512; cut < size; cut *= 2) {
        int code = reluopt_curves_read(&curves, scratch_write("cut.h5", bytes, size - cut), &error);
        assert_failure(&error, code, RELUOPT_STORAGE, "cut.h5", NULL);
    }
    for (size_t i = 0; i < size; i += every, tried++) {
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        int code = reluopt_curves_read(&curves, scratch_write("flip.h5", bytes, size), &error);
        bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        assert_true(code == RELUOPT_STORAGE || (code == RELUOPT_OK && are_points(&curves, 3)));
        found += code != RELUOPT_OK;
        error = (Error){0};
        reluopt_curves_free(&curves);
    }
    print_message("%zu of %zu flipped bits found, the others harmless\n", found, tried);
    assert_true(2 * found > tried);
}

static int nothing_is_left_open(void **state)
{
    (void)state;
    return H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_append_brings_the_file_up_to_date, nothing_is_left_open),
        cmocka_unit_test_teardown(times_are_kept, nothing_is_left_open),
        cmocka_unit_test_teardown(a_file_left_aside_is_replaced, nothing_is_left_open),
        cmocka_unit_test_teardown(goes_on_after_reading, nothing_is_left_open),
        cmocka_unit_test_teardown(keeps_parts_that_a_method_does_not_have_as_nan, nothing_is_left_open),
        cmocka_unit_test_teardown(a_failed_append_keeps_the_old_file_and_the_point, nothing_is_left_open),
        cmocka_unit_test_teardown(says_why_it_cannot_read, nothing_is_left_open),
        cmocka_unit_test_teardown(detects_truncation_and_damage, nothing_is_left_open),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
