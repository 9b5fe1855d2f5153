/* test_markup.c - any text comes out as text of HTML and XML, and bytes as base64. */
#include "scratch.h"

#include "reluopt/markup.h"

/* What a function prints; valid until the next call. */
static const char *printed(void (*print)(FILE *, const void *), const void *data)
{
    static char text[1024];
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    text[0] = '\0';
    print(out, data);
    fclose(out);
    return text;
}

static void print_text(FILE *out, const void *text)
{
    reluopt_markup_text(out, text);
}

static void print_short(FILE *out, const void *text)
{
    reluopt_markup_short(out, text, 7);
}

static void print_base64(FILE *out, const void *text)
{
    reluopt_markup_base64(out, text, strlen(text));
}

static void what_markup_means_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(printed(print_text, "a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c'");
    assert_string_equal(printed(print_text, "]]><!--&amp;"), "]]&gt;&lt;!--&amp;amp;");
    assert_string_equal(printed(print_text, ""), "");
}

static void what_is_no_character_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(printed(print_text, "r\xC3\xA9\xE2\x82\xAC"), "r\xC3\xA9\xE2\x82\xAC");
    assert_string_equal(printed(print_text, "a\xFFz\xC3"), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
    assert_string_equal(printed(print_text, "\x01\x1F\t\n"), "\xEF\xBF\xBD\xEF\xBF\xBD\t\n");
    assert_string_equal(printed(print_text, "\xEF\xBF\xBF"), "\xEF\xBF\xBD"); /* U+FFFF */
}

static void long_names_keep_both_ends(void **state)
{
    (void)state;
    assert_string_equal(printed(print_short, "1234567"), "1234567");
    assert_string_equal(printed(print_short, "12345678"), "123…678");
    assert_string_equal(printed(print_short, "<é\xFF&5678&"), "&lt;é\xEF\xBF\xBD…78&amp;");
    assert_int_equal(reluopt_markup_length("<é\xFF&5678&"), 9);
}

static void base64_is_that_of_the_standard(void **state)
{
    (void)state;
    assert_string_equal(printed(print_base64, ""), "");
    assert_string_equal(printed(print_base64, "f"), "Zg==");
    assert_string_equal(printed(print_base64, "fo"), "Zm8=");
    assert_string_equal(printed(print_base64, "foo"), "Zm9v");
    assert_string_equal(printed(print_base64, "foob"), "Zm9vYg==");
    assert_string_equal(printed(print_base64, "\xFF\xFE\xFD?>"), "//79Pz4=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_markup_means_is_escaped),
        cmocka_unit_test(what_is_no_character_is_replaced),
        cmocka_unit_test(long_names_keep_both_ends),
        cmocka_unit_test(base64_is_that_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
