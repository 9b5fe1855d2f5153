/* test_json.c - the JSON writer: commas, lines, escapes, numbers. */
#include "scratch.h"

#include <math.h>

#include "reluopt/json.h"

static char *text;
static size_t size;

static Json begin(bool lines)
{
    return (Json){.out = open_memstream(&text, &size), .lines = lines};
}

static void assert_written(const Json *json, const char *expected)
{
    fclose(json->out);
    assert_string_equal(text, expected);
    free(text);
}

static void one_line_for_a_program(void **state)
{
    (void)state;
    Json json = begin(false);
    reluopt_json_object(&json, NULL);
    reluopt_json_text(&json, "event", "epoch");
    reluopt_json_integer(&json, "steps", -12000000000);
    reluopt_json_reals(&json, "rate", (double[]){0.5, NAN}, 2);
    reluopt_json_reals(&json, "none", NULL, 0);
    reluopt_json_object(&json, "time");
    reluopt_json_close(&json);
    reluopt_json_list(&json, "list");
    reluopt_json_object(&json, NULL);
    reluopt_json_real(&json, "x", 1);
    reluopt_json_close(&json);
    reluopt_json_integer(&json, NULL, 2);
    reluopt_json_close(&json);
    reluopt_json_close(&json);
    reluopt_json_object(&json, NULL);
    reluopt_json_close(&json);
    assert_written(&json,
                   "{\"event\": \"epoch\", \"steps\": -12000000000, \"rate\": [0.5, null], \"none\": [], "
                   "\"time\": {}, \"list\": [{\"x\": 1}, 2]}\n{}\n");
}

static void lines_for_a_reader(void **state)
{
    (void)state;
    Json json = begin(true);
    reluopt_json_object(&json, NULL);
    reluopt_json_integer(&json, "np", 8);
    reluopt_json_object(&json, "time");
    reluopt_json_real(&json, "total", 0.25);
    reluopt_json_close(&json);
    reluopt_json_reals(&json, "rate", (double[]){1, 2}, 2);
    reluopt_json_close(&json);
    assert_written(&json, "{\n"
                          "  \"np\": 8,\n"
                          "  \"time\": {\n"
                          "    \"total\": 0.25\n"
                          "  },\n"
                          "  \"rate\": [1, 2]\n"
                          "}\n");
}

static void texts_are_escaped(void **state)
{
    (void)state;
    Json json = begin(false);
    reluopt_json_object(&json, NULL);
    reluopt_json_text(&json, "a\"b", "tab\t line\n quote\" back\\ del\x7f \xc3\xa9 \xf0\x9f\x98\x80");
    reluopt_json_text(&json, "bad",
                      "\xff"
                      "a\xc3("
                      "\xc3");
    reluopt_json_close(&json);
    assert_written(
        &json, "{\"a\\\"b\": \"tab\\u0009 line\\u000a quote\\\" back\\\\ del\x7f \xc3\xa9 \xf0\x9f\x98\x80\", "
               "\"bad\": \"\\ufffda\\ufffd(\\ufffd\"}\n");
}

static void numbers_read_back_as_the_same(void **state)
{
    (void)state;
    static const double numbers[] = {0, 0.1, 2.0 / 3, 1e-300, 19512.19512195122, 1e22, 123456789};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        Json json = begin(false);
        reluopt_json_real(&json, NULL, numbers[i]);
        fclose(json.out);
        assert_true(strtod(text, NULL) == numbers[i]);
        free(text);
    }
    static const double none[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        Json json = begin(false);
        reluopt_json_real(&json, NULL, none[i]);
        assert_written(&json, "null");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_for_a_program),
        cmocka_unit_test(lines_for_a_reader),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(numbers_read_back_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
