/* tables.c - the tables of a report. */
#include "reluopt/tables.h"

#include <math.h>
#include <string.h>

#include "reluopt/figures.h"
#include "reluopt/markup.h"

enum { WIDTHS_MOST = 5, NAME_MOST = 48 }; /* hidden layers, characters of a run's name */

/* What a run is and reached. */

static CurvePoint last_point(const ReportRun *run)
{
    return reluopt_curves_point(&run->curves, run->curves.count - 1);
}

static double test_accuracy(const ReportRun *run)
{
    return last_point(run).test_accuracy;
}

/* The first point with the best test accuracy; the last point where there are no test samples. */
static CurvePoint best_point(const ReportRun *run)
{
    CurvePoint best = last_point(run);
    for (size_t k = run->curves.count; k-- > 0;) {
        CurvePoint p = reluopt_curves_point(&run->curves, k);
        best = p.test_accuracy >= best.test_accuracy ? p : best;
    }
    return best;
}

static double best_accuracy(const ReportRun *run)
{
    return best_point(run).test_accuracy;
}

static void put_share(FILE *out, double share)
{
    if (isfinite(share))
        fprintf(out, "%.2f %%", 100 * share);
    else
        fputs("–", out);
}

static void put_loss(FILE *out, double loss)
{
    if (isfinite(loss))
        fprintf(out, "%.4g", loss);
    else
        fputs("–", out);
}

static void put_test_accuracy(FILE *out, const ReportRun *run)
{
    put_share(out, test_accuracy(run));
}

static void put_best(FILE *out, const ReportRun *run)
{
    put_share(out, best_accuracy(run));
    if (isfinite(best_accuracy(run)))
        fprintf(out, " <span class=\"extra\">epoch %lld</span>", (long long)best_point(run).epoch);
}

static void put_train_accuracy(FILE *out, const ReportRun *run)
{
    put_share(out, last_point(run).train_accuracy);
}

static void put_test_loss(FILE *out, const ReportRun *run)
{
    put_loss(out, last_point(run).test_loss);
}

static void put_epochs(FILE *out, const ReportRun *run)
{
    fprintf(out, "%lld of %d", (long long)last_point(run).epoch, run->config.epochs);
}

static void put_time(FILE *out, const ReportRun *run)
{
    reluopt_put_seconds(out, last_point(run).seconds);
}

static void put_ranks(FILE *out, const ReportRun *run)
{
    if (run->meta.config)
        fprintf(out, "%d", run->meta.ranks);
    else
        fputs("–", out);
}

static void put_data(FILE *out, const ReportRun *run)
{
    const char *slash = strrchr(run->config.data.train, '/');
    if (strcmp(run->config.data.name, "file") != 0)
        reluopt_markup_text(out, run->config.data.name);
    else
        reluopt_markup_text(out, slash ? slash + 1 : run->config.data.train);
}

static void put_method(FILE *out, const ReportRun *run)
{
    reluopt_markup_text(out, run->config.method);
}

/* The widths, as far as they are known: inputs and classes are the checkpoint's.  Of many layers, the first and
 * the last. */
static void put_network(FILE *out, const ReportRun *run)
{
    const char *gap = "";
    int hidden = run->config.hidden;
    if (run->schema.features)
        fprintf(out, "%zu–", run->schema.features);
    for (int i = 0; i < hidden; i++, gap = "–") {
        if (hidden <= WIDTHS_MOST || i == 0 || i == hidden - 1)
            fprintf(out, "%s%d", gap, run->config.network[i]);
        else if (i == 1)
            fprintf(out, "–…");
    }
    if (run->schema.classes)
        fprintf(out, "–%zu", run->schema.classes);
    if (hidden > WIDTHS_MOST)
        fprintf(out, ", %d layers", hidden + 1);
}

void reluopt_put_seconds(FILE *out, double seconds)
{
    long whole = lround(seconds);
    if (seconds < 59.95)
        fprintf(out, "%.1f s", seconds);
    else if (whole < 3600)
        fprintf(out, "%ld min %ld s", whole / 60, whole % 60);
    else
        fprintf(out, "%ld h %ld min", whole / 3600, whole % 3600 / 60);
}

static const struct Field {
    const char *title;
    void (*put)(FILE *out, const ReportRun *run);
    bool number;                           /* stands to the right in its column */
    double (*score)(const ReportRun *run); /* the run with the largest wins; NULL: no contest */
} fields[] = {
    {"Test accuracy", put_test_accuracy, true, test_accuracy},
    {"Best", put_best, true, best_accuracy},
    {"Training accuracy", put_train_accuracy, true, NULL},
    {"Test loss", put_test_loss, true, NULL},
    {"Epochs", put_epochs, true, NULL},
    {"Time", put_time, true, NULL},
    {"Ranks", put_ranks, true, NULL},
    {"Data", put_data, false, NULL},
    {"Method", put_method, false, NULL},
    {"Network", put_network, false, NULL},
};
static const struct Field *const fields_end = fields + sizeof fields / sizeof *fields;

static void put_cards(FILE *out, const ReportRun *run)
{
    fputs("<dl class=\"cards\">\n", out);
    for (const struct Field *f = fields; f < fields_end; f++) {
        fprintf(out, "<div><dt>%s</dt><dd>", f->title);
        f->put(out, run);
        fputs("</dd></div>\n", out);
    }
    fputs("</dl>\n", out);
}

/* Is the run's score the best, and not that of all? */
static bool is_best(const Report *report, const struct Field *field, const ReportRun *run)
{
    size_t worse = 0;
    for (size_t r = 0; field->score && r < report->count; r++) {
        if (field->score(&report->run[r]) > field->score(run))
            return false;
        worse += field->score(&report->run[r]) < field->score(run);
    }
    return worse > 0;
}

static void put_row(FILE *out, const Report *report, size_t r)
{
    const ReportRun *run = &report->run[r];
    Series series = reluopt_run_series(report, r);
    fputs("<tr><td class=\"run\">", out);
    reluopt_plot_key(out, &series);
    reluopt_markup_short(out, run->name, NAME_MOST);
    fputs("</td>", out);
    for (const struct Field *f = fields; f < fields_end; f++) {
        fprintf(out, "<td class=\"%s%s\">", f->number ? "number" : "plain",
                is_best(report, f, run) ? " best" : "");
        f->put(out, run);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

void reluopt_table_overview(FILE *out, const Report *report)
{
    if (report->count == 1) {
        put_cards(out, report->run);
        return;
    }
    fputs("<div class=\"scroll\"><table>\n<thead><tr><th>Run</th>", out);
    for (const struct Field *f = fields; f < fields_end; f++)
        fprintf(out, "<th class=\"%s\">%s</th>", f->number ? "number" : "plain", f->title);
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t r = 0; r < report->count; r++)
        put_row(out, report, r);
    fputs("</tbody></table></div>\n", out);
}

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
    return a.value_length == b.value_length && memcmp(a.value, b.value, (size_t)a.value_length) == 0;
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
        reluopt_markup_short(out, report->run[r].name, NAME_MOST);
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
