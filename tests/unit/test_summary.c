/* test_summary.c - the outcome of a run as JSON. */
#include "scratch.h"

#include <math.h>
#include <unistd.h>

#include "reluopt/summary.h"

/* The file begins with `expected`. */
static void assert_beginning(const char *path, const char *expected)
{
    char text[4096] = "";
    scratch_read(path, text, sizeof text - 1);
    text[strlen(expected)] = '\0';
    assert_string_equal(text, expected);
}

static void writes_figures_that_read_back_exactly(void **state)
{
    (void)state;
    Error error = {0};
    const char *path = scratch_path("summary.json");
    const Summary summary = {.epochs = 20,
                             .steps = 12000000000,
                             .np = 8,
                             .seconds = 61.5,
                             .samples_per_second = 19512.19512195122,
                             .train_loss = 1e-9,
                             .train_accuracy = 1,
                             .test_loss = 0.1,
                             .test_accuracy = 0.8934,
                             .best_test_accuracy = 2.0 / 3,
                             .epoch_of_full_train_accuracy = 17,
                             .times = {.total = 3, .phase = {[PHASE_FORWARD] = {0.5, 1.5, 2}}}};
    assert_int_equal(reluopt_summary_write(&summary, path, &error), RELUOPT_OK);
    assert_beginning(path, "{\n"
                           "  \"epochs\": 20,\n"
                           "  \"steps\": 12000000000,\n"
                           "  \"np\": 8,\n"
                           "  \"seconds\": 61.5,\n"
                           "  \"samples_per_second\": 19512.19512195122,\n"
                           "  \"train_loss\": 1e-09,\n"
                           "  \"train_accuracy\": 1,\n"
                           "  \"test_loss\": 0.1,\n"
                           "  \"test_accuracy\": 0.8934,\n"
                           "  \"best_test_accuracy\": 0.6666666666666666,\n"
                           "  \"epoch_of_full_train_accuracy\": 17,\n"
                           "  \"time\": {\n"
                           "    \"total\": 3,\n"
                           "    \"forward\": {\n"
                           "      \"least\": 0.5,\n"
                           "      \"mean\": 1.5,\n"
                           "      \"most\": 2\n"
                           "    },\n"
                           "    \"targets\": {\n");
    assert_int_not_equal(access(scratch_path("summary.json.tmp"), F_OK), 0);
}

static void writes_null_for_what_is_absent(void **state)
{
    (void)state;
    Error error = {0};
    const char *path = scratch_path("summary.json");
    const Summary summary = {.np = 1,
                             .samples_per_second = INFINITY,
                             .train_accuracy = 0.5,
                             .test_loss = NAN,
                             .test_accuracy = NAN,
                             .best_test_accuracy = -NAN};
    assert_int_equal(reluopt_summary_write(&summary, path, &error), RELUOPT_OK);
    assert_beginning(path, "{\n"
                           "  \"epochs\": 0,\n"
                           "  \"steps\": 0,\n"
                           "  \"np\": 1,\n"
                           "  \"seconds\": 0,\n"
                           "  \"samples_per_second\": null,\n"
                           "  \"train_loss\": 0,\n"
                           "  \"train_accuracy\": 0.5,\n"
                           "  \"test_loss\": null,\n"
                           "  \"test_accuracy\": null,\n"
                           "  \"best_test_accuracy\": null,\n"
                           "  \"epoch_of_full_train_accuracy\": null,\n"
                           "  \"time\": {\n");
}

static void says_where_it_cannot_write(void **state)
{
    (void)state;
    Error error = {0};
    const Summary summary = {.np = 1};
    int code = reluopt_summary_write(&summary, scratch_path("missing/summary.json"), &error);
    assert_failure(&error, code, RELUOPT_STORAGE, "missing/summary.json", "No such file or directory", NULL);
    code = reluopt_summary_write(&summary, scratch_folder_in("folder"), &error);
    assert_failure(&error, code, RELUOPT_STORAGE, "folder", "Is a directory", NULL);
    assert_int_not_equal(access(scratch_path("folder.tmp"), F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_figures_that_read_back_exactly),
        cmocka_unit_test(writes_null_for_what_is_absent),
        cmocka_unit_test(says_where_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
