/* overview.c - what each run is and reached, as a table. */
#include "reluopt/tables.h"

#include <math.h>
#include <string.h>

#include "reluopt/figures.h"
#include "reluopt/markup.h"

enum { WIDTHS_MOST = 5, NAME_MOST = 48 }; /* hidden layers, characters of a run's name */

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

void reluopt_put_run_name(FILE *out, const ReportRun *run)
{
    reluopt_markup_short(out, run->name, NAME_MOST);
}

void reluopt_put_seconds(FILE *out, double seconds)
{
    long whole = lround(seconds);
    if (seconds < 0.0995)
        fprintf(out, "%.*f ms", seconds < 0.00995, 1000 * seconds);
    else if (seconds < 59.95)
        fprintf(out, "%.*f s", seconds < 0.995 ? 2 : 1, seconds);
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
    reluopt_put_run_name(out, run);
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
