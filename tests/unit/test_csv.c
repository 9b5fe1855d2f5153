/* test_csv.c - the CSV reader: numbers, categories, labels, header, quotes, agreement with a schema, errors. */
#include "scratch.h"

#include "reluopt/readers.h"

static Error error;
static Samples samples;
static Schema schema;

static int read_text(const char *text, const char *label, int header)
{
    return reluopt_read_csv(scratch_text("a.csv", text), label, header, &samples, &schema, &error);
}

static void release(void)
{
    reluopt_samples_free(&samples);
    reluopt_schema_free(&schema);
}

static void read_good(const char *text, const char *label, int header)
{
    if (read_text(text, label, header) != RELUOPT_OK)
        fail_msg("%s", error.message);
}

static void check_samples(size_t count, size_t features, const float *x, const int *y)
{
    assert_int_equal(samples.count, count);
    assert_int_equal(samples.features, features);
    assert_int_equal(schema.features, features);
    for (size_t i = 0; i < count * features; i++)
        assert_float_equal(samples.x[i], x[i], 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(samples.y[i], y[i]);
}

static void test_numbers(void **state)
{
    (void)state;
    read_good("1,-2.5,b\n3e2,+.5,a\n", "last", -1);
    check_samples(2, 2, (float[]){1, -2.5f, 300, .5f}, (int[]){1, 0});
    assert_int_equal(schema.classes, 2);
    assert_string_equal(schema.class_name[0], "a");
    assert_string_equal(schema.class_name[1], "b");
    assert_int_equal(schema.columns, 2);
    assert_string_equal(schema.column[0].name, "1");
    assert_string_equal(schema.column[1].name, "2");
    assert_int_equal(schema.column[0].categories, 0);
    release();
}

static void test_categories(void **state)
{
    (void)state;
    read_good("c,age,colour,size\nyes,1,red,?\nno,2,blue,XL\nyes,3,green,\n", "c", 1);
    const float x[] = {1, 0, 0, 1, 0, 1, 0, 2, 1, 0, 0, 0, 0, 1, 3, 0, 1, 0, 1, 0, 0};
    check_samples(3, 7, x, (int[]){1, 0, 1});
    assert_int_equal(schema.columns, 3);
    assert_string_equal(schema.column[0].name, "age");
    assert_int_equal(schema.column[1].categories, 3);
    assert_string_equal(schema.column[1].category[0], "blue");
    assert_string_equal(schema.column[1].category[2], "red");
    assert_string_equal(schema.column[2].category[0], ""); /* missing among texts is a category */
    assert_string_equal(schema.column[2].category[1], "?");
    release();
}

static void test_label_column(void **state)
{
    (void)state;
    read_good("b,1\na,2\n", "first", 0);
    check_samples(2, 1, (float[]){1, 2}, (int[]){1, 0});
    assert_string_equal(schema.column[0].name, "2");
    release();
    read_good("x,kind,y\n1,b,2\n3,a,4\n", "kind", -1);
    check_samples(2, 2, (float[]){1, 2, 3, 4}, (int[]){1, 0});
    assert_string_equal(schema.column[1].name, "y");
    release();
    read_good("a,kind\nb,c\n", "kind", -1); /* a name means that there is a header, even where all is text */
    assert_int_equal(samples.count, 1);
    release();
}

static void test_classes_by_number(void **state)
{
    (void)state;
    read_good("0,10\n0,9\n0,-1\n0,10\n0,09\n", "last", 0);
    check_samples(5, 1, (float[5]){0}, (int[]){3, 2, 0, 3, 1});
    assert_int_equal(schema.classes, 4);
    assert_string_equal(schema.class_name[0], "-1");
    assert_string_equal(schema.class_name[1], "09");
    assert_string_equal(schema.class_name[3], "10");
    release();
    read_good("0,10\n0,9\n0,x\n", "last", 0); /* one text: all are texts */
    check_samples(3, 1, (float[3]){0}, (int[]){0, 1, 2});
    release();
}

static void test_header(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int header;
        size_t count;
    } cases[] = {
        {"x,y,label\n1,2,a\n3,4,b\n", -1, 2},
        {"1,2,a\n3,4,b\n", -1, 2},
        {"1,2,a\n3,4,b\n", 1, 1},
        {"p,q,a\nr,s,b\n", -1, 2},
        {"p,q,a\nr,s,b\n", 1, 1},
        {"x,y,label\n1,2,a\n", 0, 2},
        {"p,q,a\n", -1, 1},
        {"2019,y,label\n1,2,a\n", -1, 2}, /* a number above a number */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_good(cases[i].text, "last", cases[i].header);
        assert_int_equal(samples.count, cases[i].count);
        release();
    }
}

static void test_quotes_and_lines(void **state)
{
    (void)state;
    const char *texts[] = {"\xEF\xBB\xBF\"a, \"\"b\"\"\",1,\"l\nm\"\r\n\r\n  \t \nc , 2 ,n\r\n",
                           "\n\n\"a, \"\"b\"\"\" ,\"1\", \"l\nm\"\nc,2,n"};
    for (size_t i = 0; i < 2; i++) {
        read_good(texts[i], "last", 0);
        check_samples(2, 3, (float[]){1, 0, 1, 0, 1, 2}, (int[]){0, 1});
        assert_string_equal(schema.column[0].category[0], "a, \"b\"");
        assert_string_equal(schema.column[0].category[1], "c");
        assert_string_equal(schema.class_name[0], "l\nm");
        assert_string_equal(schema.class_name[1], "n");
        release();
    }
}

static void test_gzip(void **state)
{
    (void)state;
    const char *text = "1,a\n2,b\n", *path = scratch_gzip("a.csv.gz", text, strlen(text));
    assert_int_equal(reluopt_read_csv(path, "last", -1, &samples, &schema, &error), RELUOPT_OK);
    check_samples(2, 1, (float[]){1, 2}, (int[]){0, 1});
    release();
}

/* More rows, texts and classes than the first room for them. */
static void test_growth(void **state)
{
    (void)state;
    enum { ROWS = 5000, TEXTS = 1000 };
    const char *path = scratch_path("long.csv");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "%d,t%03d,%d\n", i, (i * 7) % TEXTS, ROWS - i);
    fclose(out);
    assert_int_equal(reluopt_read_csv(path, "last", -1, &samples, &schema, &error), RELUOPT_OK);
    assert_int_equal(samples.count, ROWS);
    assert_int_equal(samples.features, 1 + TEXTS);
    assert_int_equal(schema.classes, ROWS);
    for (int i = 0; i < ROWS; i++) {
        const float *x = samples.x + (size_t)i * (1 + TEXTS);
        assert_float_equal(x[0], i, 0);
        assert_float_equal(x[1 + (i * 7) % TEXTS], 1, 0);
        assert_int_equal(samples.y[i], ROWS - i - 1);
    }
    release();
}

static void test_second_file(void **state)
{
    (void)state;
    read_good("x,colour,c\n1,red,yes\n2,blue,no\n", "c", -1);
    reluopt_samples_free(&samples);
    read_good("x,colour,c\n5,blue,yes\n", "c", -1);
    check_samples(1, 3, (float[]){5, 1, 0}, (int[]){1});
    assert_int_equal(schema.classes, 2);
    reluopt_samples_free(&samples);
    read_good("7,red,no\n", "last", 0); /* without header, names are not compared */
    check_samples(1, 3, (float[]){7, 0, 1}, (int[]){0});
    reluopt_samples_free(&samples);

    static const struct {
        const char *text, *problem, *where;
    } cases[] = {
        {"x,colour,c\n1,red,no\n1,pink,yes\n", "category \"pink\"", "line 3, column 2 (colour)"},
        {"x,colour,c\n1,red,maybe\n", "label \"maybe\"", "line 2, column 3 (c)"},
        {"x,colour,c\none,red,yes\n", "one is no number", "line 2, column 1 (x)"},
        {"x,colour,c\n?,red,yes\n", "missing", "line 2, column 1 (x)"},
        {"x,colour,c\n1,,yes\n", "category \"\"", "line 2, column 2 (colour)"},
        {"x,c\n1,yes\n", "1 feature columns", "has 2"},
        {"colour,x,c\nred,1,yes\n", "is named x", "line 1, column 1 (colour)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_failure(&error, read_text(cases[i].text, "c", 1), RELUOPT_DATA, "a.csv", cases[i].problem,
                       cases[i].where, NULL);
        assert_null(samples.x);
        assert_int_equal(schema.classes, 2);
    }
    release();
}

/* Training data that were no table: as many columns of numbers as features, whatever their names. */
static void test_schema_of_another_format(void **state)
{
    (void)state;
    static const struct {
        const char *text, *label;
        int header;
    } good[] = {
        {"1,2,0\n3,4,1\n", "last", 0}, {"y,1,2\n0,1,2\n1,3,4\n", "y", 1}, {"0,1,2\n1,3,4\n", "first", 0}};
    char *names[] = {"0", "1"};
    schema = (Schema){.features = 2, .classes = 2, .class_name = names};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(read_text(good[i].text, good[i].label, good[i].header), RELUOPT_OK);
        assert_int_equal(samples.count, 2);
        for (int k = 0; k < 4; k++)
            assert_float_equal(samples.x[k], k + 1, 0);
        assert_true(samples.y[0] == 0 && samples.y[1] == 1);
        reluopt_samples_free(&samples);
    }
    assert_failure(&error, read_text("1,0\n2,1\n", "last", 0), RELUOPT_DATA, "a.csv", "1 feature columns",
                   NULL);
    assert_failure(&error, read_text("1,red,0\n", "last", 0), RELUOPT_DATA, "a.csv", "red is no number", NULL);
    assert_failure(&error, read_text("1,2,2\n", "last", 0), RELUOPT_DATA, "a.csv", "not a class", NULL);
    schema = (Schema){0};
}

/* 20 lines */
#define LINES "1,2,a\n2,3,b\n3,4,a\n4,5,b\n5,6,a\n"
#define NUMBERS LINES LINES LINES LINES

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *label;
        int header;
        const char *problem, *where;
    } cases[] = {
        {"1,2,a\n\n3,b\n", "last", 0, "2 columns where line 1 has 3", "line 3"},
        {"1,2,a\n3,4,b,\n", "last", 0, "4 columns where line 1 has 3", "line 2"},
        {"1,a\n\"2,b\n3,c\n", "last", 0, "never closed", "line 2"},
        {"1,a\n2,\"b", "last", 0, "never closed", "line 2"},
        {"1,\"a\"b\n", "last", 0, "text follows a closing quote", "line 1"},
        {"1,a\n?,b\n", "last", 0, "missing", "line 2, column 1"},
        {"x,c\n1,a\n\n,b\n", "c", 1, "missing", "line 4, column 1 (x)"},
        {"1,a\n2,\n", "last", 0, "the label is missing", "line 2, column 2"},
        {"1,2,a\n3,NA,b\n", "last", -1, "missing", "line 2, column 2"},
        {"1,2,a\n3,None,b\n,4,c\n", "last", -1, "missing", "line 3, column 1"},
        {"NA,1,a\n3,4,b\n", "last", -1, "missing", "line 1, column 1"},
        {NUMBERS "6.1O,5,a\n", "last", -1, "6.1O is no number, but nearly all", "line 21, column 1"},
        {"5,6.1O,a\n" NUMBERS, "last", -1, "data.header: yes", "line 1, column 2"},
        {"1,a\nnan,b\n", "last", 0, "nan is not a finite", "line 2, column 1"},
        {"1,a\n-inf,b\n", "last", 0, "-inf is not a finite", "line 2, column 1"},
        {"1,a\n1e39,b\n", "last", 0, "1e39 is not a finite", "line 2, column 1"},
        {"x,y\n1,a\n", "z", -1, "no column is named z", "line 1"},
        {"x,y\n1,a\n", "y", 0, "no column is named y", "line 1"},
        {"x,y\n", "last", 1, "no samples", ""},
        {"1\n2\n", "last", 0, "one column only", "line 1"},
        {"\n \t\r\n", "last", 0, "all lines are blank", ""},
        {"", "last", 0, "empty", "get it again"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_failure(&error, read_text(cases[i].text, cases[i].label, cases[i].header), RELUOPT_DATA,
                       scratch_folder, "a.csv", cases[i].problem, cases[i].where, NULL);
        assert_null(samples.x);
        assert_int_equal(schema.classes, 0);
        assert_null(schema.column);
    }
}

static void test_not_text(void **state)
{
    (void)state;
    const char *path = scratch_write("binary.csv", "1,a\n\0,b\n", 8);
    assert_failure(&error, reluopt_read_csv(path, "last", 0, &samples, &schema, &error), RELUOPT_DATA, path,
                   "byte 4 is 0", NULL);
    assert_failure(&error, reluopt_read_csv(scratch_folder, "last", 0, &samples, &schema, &error), RELUOPT_DATA,
                   scratch_folder, "is a folder", NULL);
    path = scratch_path("absent.csv");
    assert_failure(&error, reluopt_read_csv(path, "last", 0, &samples, &schema, &error), RELUOPT_DATA, path,
                   "No such file", NULL);
}

static void test_too_many_texts(void **state)
{
    (void)state;
    const char *path = scratch_path("ids.csv");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < 2000; i++)
        fprintf(out, "id%d,%d\n", i, i % 2);
    fclose(out);
    assert_failure(&error, reluopt_read_csv(path, "last", 0, &samples, &schema, &error), RELUOPT_DATA, path,
                   "line 1025, column 1", "more than 1024 different texts", NULL);
    assert_null(samples.x);
    assert_null(schema.column);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_label_column),   cmocka_unit_test(test_classes_by_number),
        cmocka_unit_test(test_header),         cmocka_unit_test(test_quotes_and_lines),
        cmocka_unit_test(test_gzip),           cmocka_unit_test(test_growth),
        cmocka_unit_test(test_second_file),    cmocka_unit_test(test_schema_of_another_format),
        cmocka_unit_test(test_malformed),      cmocka_unit_test(test_not_text),
        cmocka_unit_test(test_too_many_texts),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
