/* test_libsvm.c - the LIBSVM reader: values, labels, agreement with a schema, and every way a line can be
 * wrong. */
#include "scratch.h"

#include "reluopt/readers.h"

static Error error;
static Samples samples;
static Schema schema;

static int read_text(const char *name, const char *text)
{
    return reluopt_read_libsvm(scratch_text(name, text), &samples, &schema, &error);
}

static void release(void)
{
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

static const char good[] = "# comment\n"
                           "+1 1:0.5 3:-2e1 # more\r\n"
                           "\n"
                           "-1\n"
                           "  1\t2:1   4:.25\n"
                           "-1 4:7";

static void check_good(void)
{
    static const float x[4][4] = {{0.5f, 0, -20, 0}, {0}, {0, 1, 0, 0.25f}, {0, 0, 0, 7}};
    static const int y[4] = {1, 0, 1, 0};
    assert_string_equal(error.message, "");
    assert_int_equal(samples.count, 4);
    assert_int_equal(samples.features, 4);
    assert_memory_equal(samples.x, x, sizeof x);
    assert_memory_equal(samples.y, y, sizeof y);
    assert_int_equal(schema.classes, 2);
    assert_string_equal(schema.class_name[0], "-1");
    assert_string_equal(schema.class_name[1], "1");
}

static void test_plain_and_gzip(void **state)
{
    (void)state;
    assert_int_equal(read_text("good", good), RELUOPT_OK);
    check_good();
    release();
    const char *packed = scratch_gzip("good.gz", good, sizeof good - 1);
    assert_int_equal(reluopt_read_libsvm(packed, &samples, &schema, &error), RELUOPT_OK);
    check_good();
    release();
}

static void test_given_schema(void **state)
{
    (void)state;
    assert_int_equal(read_text("good", good), RELUOPT_OK);
    reluopt_samples_free(&samples);
    assert_int_equal(read_text("good", good), RELUOPT_OK);
    check_good();
    reluopt_samples_free(&samples);
    assert_int_equal(read_text("less", "1 1:1\n"), RELUOPT_OK); /* the last features need not be there */
    assert_int_equal(samples.features, 4);
    assert_int_equal(samples.y[0], 1);
    reluopt_samples_free(&samples);
    assert_failure(&error, read_text("more", "1 1:1\n1 5:1\n"), RELUOPT_DATA, "more, line 2", "more than 4",
                   NULL);
    assert_failure(&error, read_text("label", "1 1:1\n\n2 1:1\n"), RELUOPT_DATA, "label, line 3",
                   "label 2 is not a class", NULL);
    schema.columns = 4;
    assert_failure(&error, read_text("text", good), RELUOPT_DATA, "text file", NULL);
    schema.columns = 0;
    release();
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *problem;
    } cases[] = {
        {"1 1:1\none 1:1\n", "line 2", "label \"one\""},
        {"1.5 1:1\n", "line 1", "label \"1.5\""},
        {"99999999999999999999 1:1\n", "line 1", "label"},
        {"-9223372036854775808 1:1\n", "line 1", "label"},
        {"1,2 1:1\n", "line 1", "label \"1,2\""},
        {"1 0:1\n", "line 1", "\"0:1\""},
        {"1 -1:1\n", "line 1", "\"-1:1\""},
        {"1 1:1 1:2\n", "line 1", "does not ascend from 1"},
        {"1 3:1 2:2\n", "line 1", "does not ascend from 3"},
        {"1 2\n", "line 1", "\"2\": INDEX:VALUE"},
        {"1 2:\n", "line 1", "\"2:\": INDEX:VALUE"},
        {"1 2: 3:1\n", "line 1", "\"2:\": INDEX:VALUE"},
        {"1 2:x\n", "line 1", "INDEX:VALUE"},
        {"1 2:1x\n", "line 1", "INDEX:VALUE"},
        {"1 qid:3 2:1\n", "line 1", "\"qid:3\""},
        {"1 2:nan\n", "line 1", "finite"},
        {"1 2:1e99\n", "line 1", "finite"},
        {"1 4294967297:1\n", "line 1", "more than 16777216 features"},
        {"1 99999999999999999999999:1\n", "line 1", "more than 16777216 features"},
        {"1:2 2:1\n", "line 1", "no label"},
        {"# nothing\n\n", "bad", "no sample"},
        {"1\n2\n", "bad", "none with a feature"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_failure(&error, read_text("bad", cases[i].text), RELUOPT_DATA, cases[i].place, cases[i].problem,
                       NULL);
        assert_null(samples.x);
        assert_int_equal(schema.classes, 0);
    }
    static const char zero[] = "1 1:1\n1 \0:1\n";
    const char *path = scratch_write("zero", zero, sizeof zero - 1);
    assert_failure(&error, reluopt_read_libsvm(path, &samples, &schema, &error), RELUOPT_DATA, path,
                   "byte 8 is 0", NULL);
}

/* A gzip file cut anywhere is refused. */
static void test_every_truncation(void **state)
{
    (void)state;
    unsigned char packed[512];
    size_t size = scratch_read(scratch_gzip("good.gz", good, sizeof good - 1), packed, sizeof packed);
    for (size_t cut = 0; cut < size; cut++) {
        const char *path = scratch_write("cut.gz", packed, cut);
        assert_failure(&error, reluopt_read_libsvm(path, &samples, &schema, &error), RELUOPT_DATA, path, NULL);
        assert_null(samples.x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip),
        cmocka_unit_test(test_given_schema),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_every_truncation),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
