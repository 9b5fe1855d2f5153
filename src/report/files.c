/* files.c - each drawing of a report as a file of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reluopt/figures.h"
#include "reluopt/matrix.h"

/* The drawing that goes to a file. */
typedef struct Drawing {
    const char *name, *ending;
    size_t number; /* of the run; 0: of all */
} Drawing;

static FILE *open_drawing(const char *folder, Drawing drawing, char path[2 * RELUOPT_TEXT], Error *error)
{
    char number[24] = "";
    if (drawing.number > 0)
        snprintf(number, sizeof number, "-%zu", drawing.number);
    int length =
        snprintf(path, (size_t)2 * RELUOPT_TEXT, "%s/%s%s.%s", folder, drawing.name, number, drawing.ending);
    FILE *file = length < 2 * RELUOPT_TEXT ? fopen(path, "w") : NULL;
    if (!file)
        reluopt_fail(error, RELUOPT_STORAGE, "cannot write %s: %s", path, strerror(errno));
    return file;
}

static void close_drawing(FILE *file, const char *path, Error *error)
{
    bool failed = ferror(file);
    if (fclose(file) != 0 || failed)
        reluopt_fail(error, RELUOPT_STORAGE, "cannot write %s: %s", path, strerror(errno));
}

static void write_plot(const char *folder, Drawing drawing, Plot *plot, Error *error)
{
    char path[2 * RELUOPT_TEXT];
    FILE *file = open_drawing(folder, drawing, path, error);
    if (!file)
        return;
    reluopt_plot_put(file, plot, true);
    close_drawing(file, path, error);
}

static void write_matrix(const char *folder, Drawing drawing, const ReportRun *run, Error *error)
{
    char path[2 * RELUOPT_TEXT];
    Matrix matrix = reluopt_report_matrix(run);
    FILE *file = open_drawing(folder, drawing, path, error);
    if (!file)
        return;
    reluopt_matrix_put(file, &matrix, run->name, RELUOPT_NARROW, true);
    close_drawing(file, path, error);
}

static void write_picture(const char *folder, Drawing drawing, const Picture *picture, Error *error)
{
    char path[2 * RELUOPT_TEXT];
    FILE *file = open_drawing(folder, drawing, path, error);
    if (!file)
        return;
    fwrite(picture->png, 1, picture->size, file);
    close_drawing(file, path, error);
}

/* All that is of run r alone. */
static void write_run(Report *report, size_t r, const char *folder, Error *error)
{
    const ReportRun *run = &report->run[r];
    size_t number = report->count > 1 ? r + 1 : 0;
    Plot plot;
    for (const Figure *f = reluopt_layer_figure; f < reluopt_layer_figure + RELUOPT_LAYER_FIGURES; f++)
        if (reluopt_plot_layers(report, f, r, &plot))
            write_plot(folder, (Drawing){f->file, "svg", number}, &plot, error);
    if (run->confusion.count && run->confusion.classes <= RELUOPT_MATRIX_MOST)
        write_matrix(folder, (Drawing){"confusion", "svg", number}, run, error);
    if (run->weights.png)
        write_picture(folder, (Drawing){"weights", "png", number}, &run->weights, error);
}

int reluopt_report_plots(Report *report, const char *folder, Error *error)
{
    Plot plot;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return reluopt_fail(error, RELUOPT_STORAGE, "cannot create the folder %s: %s", folder, strerror(errno));
    for (const Figure *f = reluopt_run_figure; f < reluopt_run_figure + RELUOPT_RUN_FIGURES; f++)
        if (reluopt_plot_runs(report, f, &plot))
            write_plot(folder, (Drawing){f->file, "svg", 0}, &plot, error);
    for (size_t r = 0; r < report->count; r++)
        write_run(report, r, folder, error);
    return error->code;
}
