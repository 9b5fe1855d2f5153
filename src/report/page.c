/* page.c - the page of a report: HTML that is also XML, complete in itself. */
#include <inttypes.h>
#include <time.h>

#include "reluopt/figures.h"
#include "reluopt/markup.h"
#include "reluopt/matrix.h"
#include "reluopt/svg.h"
#include "reluopt/tables.h"
#include "reluopt/version.h"

enum { CONFUSED = 3 }; /* confusions named below a matrix */

static void put_style(FILE *out)
{
    static const char *const css[] = {
#include "page.css.inc"
    };
    fputs("<style>\n", out);
    reluopt_svg_style(out);
    for (size_t i = 0; i < sizeof css / sizeof *css; i++)
        fputs(css[i], out);
    fputs("</style>\n", out);
}

static void put_name(FILE *out, const Report *report)
{
    if (report->count == 1)
        reluopt_markup_text(out, report->run[0].name);
    else
        fprintf(out, "%zu runs", report->count);
}

static void put_head(FILE *out, const Report *report)
{
    fputs(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
        "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n<link rel=\"icon\" href=\"data:,\"/>\n<title>",
        out);
    put_name(out, report);
    fputs(" – reluopt-mpi</title>\n", out);
    put_style(out);
    fputs("</head>\n<body>\n<main>\n", out);
}

/* Where one run's network comes from. */
static void put_origin(FILE *out, const ReportRun *run)
{
    fputs("<p class=\"about quiet\">", out);
    reluopt_markup_text(out, run->path);
    if (run->meta.config) {
        fprintf(out, " · checkpoint after epoch %" PRId64 ", written ", run->meta.at.epoch);
        reluopt_markup_text(out, run->meta.date);
        fputs(" by ", out);
        reluopt_markup_text(out, run->meta.program);
    }
    fputs("</p>\n", out);
}

static void put_header(FILE *out, const Report *report)
{
    fputs("<header>\n<h1>", out);
    put_name(out, report);
    fputs("</h1>\n", out);
    if (report->count == 1)
        put_origin(out, report->run);
    fputs(
        "<nav><a href=\"#curves\">Curves</a><a href=\"#layers\">Layers</a><a href=\"#confusion\">Confusion</a>"
        "<a href=\"#weights\">Weights</a><a href=\"#settings\">Settings</a>"
        "<a href=\"#time\">Time</a></nav>\n</header>\n",
        out);
    reluopt_table_overview(out, report);
}

static void begin_section(FILE *out, const char *id, const char *title)
{
    fprintf(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

/* Curves: drawn twice, for wide and for narrow screens. */
static void put_curves(FILE *out, Report *report)
{
    begin_section(out, "curves", "Accuracy and loss");
    fputs(
        "<p class=\"quiet\">Solid, filled marks: test part. Dashed, hollow marks: training part. "
        "<span class=\"pointer\">Point at an epoch to read its values.</span></p>\n<div class=\"grid-runs\">\n",
        out);
    for (const Figure *f = reluopt_run_figure; f < reluopt_run_figure + RELUOPT_RUN_FIGURES; f++) {
        Plot plot;
        if (!reluopt_plot_runs(report, f, &plot))
            continue;
        fputs("<figure><div class=\"wide\">\n", out);
        plot.hover = true;
        reluopt_plot_put(out, &plot, false);
        fputs("</div><div class=\"narrow\">\n", out);
        plot.hover = false;
        plot.width = RELUOPT_NARROW;
        plot.height = RELUOPT_NARROW * 3 / 4;
        reluopt_plot_put(out, &plot, false);
        fputs("</div></figure>\n", out);
    }
    fputs("</div>\n</section>\n", out);
}

/* Layers: a plot of each run. */

static bool put_layer_plot(FILE *out, Report *report, const Figure *f, size_t r, const char *caption)
{
    Plot plot;
    if (!reluopt_plot_layers(report, f, r, &plot))
        return false;
    plot.hover = true;
    fputs("<figure>\n", out);
    reluopt_plot_put(out, &plot, false);
    if (caption)
        fprintf(out, "<figcaption>%s</figcaption>\n", caption);
    fputs("</figure>\n", out);
    return true;
}

static void put_layers_of_one(FILE *out, Report *report)
{
    fputs("<div class=\"grid-layers\">\n", out);
    for (const Figure *f = reluopt_layer_figure; f < reluopt_layer_figure + RELUOPT_LAYER_FIGURES; f++)
        put_layer_plot(out, report, f, 0, f->caption);
    fputs("</div>\n", out);
}

static void put_layers_of_several(FILE *out, Report *report)
{
    for (const Figure *f = reluopt_layer_figure; f < reluopt_layer_figure + RELUOPT_LAYER_FIGURES; f++) {
        size_t drawn = 0;
        fprintf(out,
                "<h3>%s <span class=\"extra\">%s</span></h3>\n<p class=\"quiet\">%s</p>\n<div "
                "class=\"grid-layers\">\n",
                f->title, f->unit, f->caption);
        for (size_t r = 0; r < report->count; r++)
            drawn += put_layer_plot(out, report, f, r, NULL);
        if (drawn == 0)
            fputs("<p>The methods of these runs have none.</p>\n", out);
        fputs("</div>\n", out);
    }
}

static void put_layers(FILE *out, Report *report)
{
    begin_section(out, "layers", "Layer by layer");
    if (report->count == 1)
        put_layers_of_one(out, report);
    else
        put_layers_of_several(out, report);
    fputs("</section>\n", out);
}

/* Confusion. */

static void put_confused(FILE *out, const Matrix *matrix)
{
    Confused list[CONFUSED];
    size_t count = reluopt_matrix_confused(matrix, list, CONFUSED);
    fputs(count ? "<figcaption>Most often: " : "<figcaption>No confusion.", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? "; " : "", out);
        reluopt_markup_text(out, matrix->class_name[list[i].from]);
        fputs(" taken for ", out);
        reluopt_markup_text(out, matrix->class_name[list[i].to]);
        fprintf(out, " (%" PRIu64 " of %" PRIu64 ")", list[i].count, reluopt_matrix_row(matrix, list[i].from));
    }
    fputs("</figcaption>\n", out);
}

static void put_matrix(FILE *out, const Report *report, const ReportRun *run)
{
    Matrix matrix = reluopt_report_matrix(run);
    fputs("<figure>\n", out);
    if (matrix.classes <= RELUOPT_MATRIX_MOST)
        reluopt_matrix_put(out, &matrix, report->count > 1 ? run->name : "Test part", RELUOPT_NARROW, false);
    else
        fprintf(out, "<p>%zu classes are too many to draw.</p>\n", matrix.classes);
    put_confused(out, &matrix);
    fputs("</figure>\n", out);
}

static void put_confusion(FILE *out, const Report *report)
{
    begin_section(out, "confusion", "Confusion");
    fputs(
        "<p class=\"quiet\">What the checkpoint takes the test samples for. Blue: recognised, by share of the "
        "class. Orange: confused, relative to the most frequent confusion.</p>\n",
        out);
    for (const ReportRun *run = report->run; run < report->run + report->count; run++) {
        if (run->confusion.count)
            continue;
        fputs("<p class=\"note\"><b>", out);
        reluopt_markup_text(out, run->name);
        fputs("</b>: no confusion matrix: ", out);
        reluopt_markup_text(out, run->confusion.missing);
        fputs("</p>\n", out);
    }
    fputs("<div class=\"grid-layers\">\n", out);
    for (const ReportRun *run = report->run; run < report->run + report->count; run++)
        if (run->confusion.count)
            put_matrix(out, report, run);
    fputs("</div>\n</section>\n", out);
}

/* Weights. */

static void put_picture(FILE *out, const ReportRun *run)
{
    const Picture *picture = &run->weights;
    fputs("<figure class=\"picture\"><h3>", out);
    reluopt_markup_text(out, run->name);
    fprintf(
        out,
        "</h3><img width=\"%zu\" height=\"%zu\" alt=\"weights of %zu neurons\" src=\"data:image/png;base64,",
        picture->width, picture->height, picture->shown);
    reluopt_markup_base64(out, picture->png, picture->size);
    fprintf(out, "\"/><figcaption>%zu of %zu neurons</figcaption></figure>\n", picture->shown,
            picture->neurons);
}

static void put_weights(FILE *out, const Report *report)
{
    size_t drawn = 0;
    begin_section(out, "weights", "Weights of the first layer");
    fputs("<p class=\"quiet\">Each square is one neuron; orange is positive, blue negative, relative to the "
          "largest weight of the neuron. Of colour images: the colour itself, on grey.</p>\n<div "
          "class=\"grid-pictures\">\n",
          out);
    for (const ReportRun *run = report->run; run < report->run + report->count; run++)
        if (run->weights.png) {
            put_picture(out, run);
            drawn++;
        }
    if (drawn == 0)
        fputs("<p>None: the data are no images, or there are no such weights.</p>\n", out);
    fputs("</div>\n</section>\n", out);
}

/* Sections beside each other where there is but one run to show. */
static void begin_pair(FILE *out, const Report *report)
{
    fprintf(out, "<div class=\"%s\">\n", report->count == 1 ? "pair" : "stack");
}

static void put_settings(FILE *out, const Report *report)
{
    begin_section(out, "settings", report->count == 1 ? "Settings" : "Differences in settings");
    reluopt_table_settings(out, report);
    fputs("</section>\n", out);
}

static void put_times(FILE *out, const Report *report)
{
    begin_section(out, "time", "Time");
    fputs("<p class=\"quiet\">Mean of the ranks since the program was last started, and its share. Waiting is "
          "the time in messages beyond that of the fastest rank.</p>\n",
          out);
    reluopt_table_times(out, report);
    fputs("</section>\n", out);
}

static void put_footer(FILE *out)
{
    time_t now = time(NULL);
    struct tm utc;
    char date[32];
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    fprintf(out, "<footer class=\"quiet\">Made %s by %s.</footer>\n</main>\n</body>\n</html>\n", date,
            RELUOPT_PROGRAM);
}

void reluopt_report_page(FILE *out, Report *report)
{
    put_head(out, report);
    put_header(out, report);
    put_curves(out, report);
    put_layers(out, report);
    begin_pair(out, report);
    put_confusion(out, report);
    put_weights(out, report);
    fputs("</div>\n", out);
    begin_pair(out, report);
    put_settings(out, report);
    put_times(out, report);
    fputs("</div>\n", out);
    put_footer(out);
}
