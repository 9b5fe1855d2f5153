/* test_schema.c - a schema as text and back, copies, orders of names, and damaged texts. */
#include "scratch.h"

#include "reluopt/samples.h"

static Error error;

static const char *const text = "features 4\n"
                                "classes 3\n"
                                "class -2\n"
                                "class 9\n"
                                "class 10\n"
                                "columns 2\n"
                                "column 0 age in years\n"
                                "column 3 co\\x0alour\\x5c\n"
                                "category \n"
                                "category blue\n"
                                "category r\xC3\xA9"
                                "d\n";

static void test_round_trip(void **state)
{
    (void)state;
    Schema schema;
    assert_int_equal(reluopt_schema_from_text(text, &schema, &error), RELUOPT_OK);
    assert_int_equal(schema.features, 4);
    assert_int_equal(schema.classes, 3);
    assert_string_equal(schema.class_name[2], "10");
    assert_int_equal(schema.columns, 2);
    assert_string_equal(schema.column[0].name, "age in years");
    assert_int_equal(schema.column[0].categories, 0);
    assert_string_equal(schema.column[1].name, "co\nlour\\");
    assert_int_equal(schema.column[1].categories, 3);
    assert_string_equal(schema.column[1].category[0], "");
    assert_string_equal(schema.column[1].category[2], "r\xC3\xA9"
                                                      "d");
    char *again = reluopt_schema_to_text(&schema, &error);
    assert_string_equal(again, text);
    free(again);

    Schema copy;
    assert_int_equal(reluopt_schema_copy(&copy, &schema, &error), RELUOPT_OK);
    reluopt_schema_free(&schema);
    again = reluopt_schema_to_text(&copy, &error);
    assert_string_equal(again, text);
    free(again);
    reluopt_schema_free(&copy);
    assert_int_equal(copy.classes, 0);
    assert_null(copy.column);
}

/* Every byte but NUL survives in a name. */
static void test_any_byte(void **state)
{
    (void)state;
    char name[256], *names[] = {name};
    for (int i = 0; i < 255; i++)
        name[i] = (char)(i + 1);
    name[255] = '\0';
    Schema schema = {.features = 1, .classes = 1, .class_name = names}, back;
    char *written = reluopt_schema_to_text(&schema, &error);
    assert_int_equal(reluopt_schema_from_text(written, &back, &error), RELUOPT_OK);
    assert_string_equal(back.class_name[0], name);
    free(written);
    reluopt_schema_free(&back);
}

static void test_cut_text(void **state)
{
    (void)state;
    char cut[512];
    for (size_t length = 0; length < strlen(text); length++) {
        Schema schema;
        memcpy(cut, text, length);
        cut[length] = '\0';
        assert_failure(&error, reluopt_schema_from_text(cut, &schema, &error), RELUOPT_DATA,
                       "schema text, line", "expected", NULL);
        assert_int_equal(schema.classes, 0);
        assert_null(schema.class_name);
    }
}

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "line 1: features expected"},
        {"features x\n", "line 1: a number expected"},
        {"features -1\n", "line 1: a number expected"},
        {"features 99999999999999999999999\n", "a number expected"},
        {"features 1 \n", "a number expected"},
        {"features 1\nclasses 99999999\nclass a\n", "a smaller count expected"},
        {"features 1\nclasses 1\nclass a\ncolumns 99999999\n", "a smaller count expected"},
        {"features 1\nclasses 2\nclass a\ncolumns 0\n", "line 4: class expected"},
        {"features 1\nclasses 1\nclass a\nclass b\ncolumns 0\n", "line 4: columns expected"},
        {"features 1\nclasses 2\nclass b\nclass a\ncolumns 0\n", "sorted names"},
        {"features 1\nclasses 2\nclass a\nclass a\ncolumns 0\n", "sorted names"},
        {"features 1\nclasses 2\nclass 10\nclass 9\ncolumns 0\n", "sorted names"},
        {"features 1\nclasses 0\ncolumns 0\n", "at least one feature and one class"},
        {"features 0\nclasses 1\nclass a\ncolumns 0\n", "at least one feature and one class"},
        {"features 2\nclasses 1\nclass a\ncolumns 1\ncolumn 0 x\n", "as many features"},
        {"features 2\nclasses 1\nclass a\ncolumns 1\ncolumn 2 x\ncategory b\ncategory a\n", "sorted names"},
        {"features 1\nclasses 1\nclass a\ncolumns 0\nmore\n", "the end of the text expected"},
        {"features 1\nclasses 1\nclass \\x0\ncolumns 0\n", "\\xHH after a backslash expected"},
        {"features 1\nclasses 1\nclass \\x00\ncolumns 0\n", "\\xHH after a backslash expected"},
        {"features 1\nclasses 1\nclass \\xZZ\ncolumns 0\n", "\\xHH after a backslash expected"},
        {"features 1\nclasses 1\nclass \\y41\ncolumns 0\n", "\\xHH after a backslash expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Schema schema;
        assert_failure(&error, reluopt_schema_from_text(cases[i].text, &schema, &error), RELUOPT_DATA,
                       cases[i].problem, NULL);
        assert_int_equal(schema.features, 0);
    }
}

static int compare(char *a, char *b, char *const *all, size_t count)
{
    int order = reluopt_name_order(all, count)(&a, &b);
    return (order > 0) - (order < 0);
}

static void test_order(void **state)
{
    (void)state;
    char *numbers[] = {"10", "9", "-3"}, *mixed[] = {"10", "9", "x"},
         *large[] = {"10", "9", "99999999999999999999"};
    assert_int_equal(compare("10", "9", numbers, 3), 1);
    assert_int_equal(compare("-3", "9", numbers, 3), -1);
    assert_int_equal(compare("9", "9", numbers, 3), 0);
    assert_int_equal(compare("09", "9", numbers, 3), -1);
    assert_int_not_equal(compare("x", "0", numbers, 3), 0); /* a text looked up among numbers */
    assert_int_equal(compare("10", "9", mixed, 3), -1);
    assert_int_equal(compare("10", "9", large, 3), -1);
}

static void test_samples_alloc(void **state)
{
    (void)state;
    Samples samples;
    assert_int_equal(reluopt_samples_alloc(&samples, 3, 5, &error), RELUOPT_OK);
    assert_int_equal(samples.count, 3);
    assert_int_equal(samples.features, 5);
    assert_float_equal(samples.x[14], 0, 0);
    assert_int_equal(samples.y[2], 0);
    reluopt_samples_free(&samples);
    assert_failure(&error, reluopt_samples_alloc(&samples, SIZE_MAX / 4, 5, &error), RELUOPT_MEMORY, "", NULL);
    assert_null(samples.x);
    assert_int_equal(samples.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_cut_text),   cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_samples_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
