/* settings.c - the table of settings of a report. */
#include <stdbool.h>
#include <string.h>

#include "reluopt/markup.h"
#include "reluopt/tables.h"

/* Settings: lines "key: value", the same keys in the same order for each run. */

typedef struct Line {
    const char *key, *value; /* not ended; key NULL: there is no such line */
    int key_length, value_length;
} Line;

static Line line_of(const char *settings, size_t k)
{
    for (; k > 0 && *settings != '\0'; k--)
        settings += strcspn(settings, "\n") + 1;
    const char *value = strstr(settings, ": ");
    if (!value)
        return (Line){0};
    return (Line){settings, value + 2, (int)(value - settings), (int)strcspn(value + 2, "\n")};
}

static bool same_value(Line a, Line b)
{
    return a.value_length == b.value_length &&
           (a.value_length == 0 || memcmp(a.value, b.value, (size_t)a.value_length) == 0);
}

/* Do the runs differ here, or the only one from its defaults? */
static bool differs(const Report *report, size_t k)
{
    Line first = line_of(report->run[0].settings, k);
    if (report->count == 1)
        return !same_value(first, line_of(report->run[0].defaults, k));
    for (size_t r = 1; r < report->count; r++)
        if (!same_value(first, line_of(report->run[r].settings, k)))
            return true;
    return false;
}

/* Without the quotes of a text, but for an empty one. */
static void put_value(FILE *out, Line line)
{
    char text[2 * RELUOPT_TEXT];
    if (line.value_length > 2 && line.value[0] == '"') {
        line.value++;
        line.value_length -= 2;
    }
    snprintf(text, sizeof text, "%.*s", line.value_length, line.value);
    fputs("<td class=\"wide\">", out);
    reluopt_markup_text(out, text);
    fputs("</td>", out);
}

/* The rows of which `differs` is as wanted, with the first `columns` runs. */
static void put_settings(FILE *out, const Report *report, bool wanted, size_t columns)
{
    Line line;
    for (size_t k = 0; (line = line_of(report->run[0].settings, k)).key; k++) {
        if (differs(report, k) != wanted)
            continue;
        fprintf(out, "<tr><th>%.*s</th>", line.key_length, line.key);
        for (size_t r = 0; r < columns; r++)
            put_value(out, line_of(report->run[r].settings, k));
        if (wanted && report->count == 1)
            put_value(out, line_of(report->run[0].defaults, k));
        fputs("</tr>\n", out);
    }
}

static void put_settings_head(FILE *out, const Report *report)
{
    fputs("<thead><tr><th>Setting</th>", out);
    if (report->count == 1)
        fputs("<th>Value</th><th>Default</th>", out);
    for (size_t r = 0; report->count > 1 && r < report->count; r++) {
        fputs("<th>", out);
        reluopt_put_run_name(out, &report->run[r]);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

static size_t count_differences(const Report *report)
{
    size_t count = 0;
    for (size_t k = 0; line_of(report->run[0].settings, k).key; k++)
        count += differs(report, k);
    return count;
}

void reluopt_table_settings(FILE *out, const Report *report)
{
    if (count_differences(report) > 0) {
        fputs("<div class=\"scroll\"><table>\n", out);
        put_settings_head(out, report);
        fputs("<tbody>\n", out);
        put_settings(out, report, true, report->count);
        fputs("</tbody></table></div>\n", out);
    } else {
        fprintf(out, "<p>%s</p>\n",
                report->count == 1 ? "All settings are at their defaults."
                                   : "The runs do not differ in their settings.");
    }
    fprintf(out, "<details><summary>All other settings%s</summary><div class=\"scroll\"><table><tbody>\n",
            report->count == 1 ? ", at their defaults" : ", the same in all runs");
    put_settings(out, report, false, 1);
    fputs("</tbody></table></div></details>\n", out);
}
