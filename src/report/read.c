/* read.c - from run folders to what a report shows of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reluopt/memory.h"
#include "reluopt/report.h"
#include "reluopt/run.h"

enum { PATH_ROOM = 2 * RELUOPT_TEXT, CLASSES_MOST = 2000 };

static void file_of(const ReportRun *run, const char *name, char path[PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%s/%s", run->path, name);
}

/* What the settings of its method are unless given; malloc'ed. */
static char *default_settings(const Config *config, Error *error)
{
    Config defaults;
    reluopt_config_default(&defaults);
    memcpy(defaults.method, config->method, sizeof defaults.method);
    reluopt_config_resolve(&defaults);
    return reluopt_config_text(&defaults, false, error);
}

/* Rank 0: settings and curves. */
static int read_files(ReportRun *run, Error *error)
{
    char path[PATH_ROOM];
    file_of(run, "config.yaml", path);
    if (access(path, R_OK) != 0)
        return reluopt_fail(error, RELUOPT_STORAGE, "%s: no run: there is no config.yaml to read", run->path);
    reluopt_config_default(&run->config);
    if (reluopt_config_read(&run->config, path, error))
        return error->code;
    reluopt_config_resolve(&run->config);
    run->settings = reluopt_config_text(&run->config, false, error);
    run->defaults = default_settings(&run->config, error);
    file_of(run, "curves.h5", path);
    if (!error->code && access(path, R_OK) != 0)
        return reluopt_fail(error, RELUOPT_STORAGE, "%s: no curves.h5 to read: its first epoch is not over yet",
                            run->path);
    return error->code ? error->code : reluopt_curves_read(&run->curves, path, error);
}

/* Is there a checkpoint?  Agreed; collective. */
static bool has_checkpoint(const ReportRun *run, const Comm *comm)
{
    char path[PATH_ROOM];
    file_of(run, "checkpoint.h5", path);
    bool there = comm->rank == 0 && access(path, F_OK) == 0;
    reluopt_comm_share(comm, &there, sizeof there);
    return there;
}

/* Rank 0: where and how large W1 is; count 0 when the method has none. */
static Array find_weights(const char *path, Error *error)
{
    Array *list = NULL, found = {0};
    size_t count = 0;
    reluopt_checkpoint_list(path, &list, &count, error);
    for (size_t k = 0; k < count; k++)
        if (strcmp(list[k].name, "W1") == 0)
            found = list[k];
    found.count = found.rows < RELUOPT_PICTURE_NEURONS ? found.rows : RELUOPT_PICTURE_NEURONS;
    free(list);
    return found;
}

/* Rank 0: the picture of the rows that were read. */
static void draw_weights(ReportRun *run, const Array *rows, Error *error)
{
    ImageShape shape;
    if (reluopt_image_shape(&run->schema, run->height, run->width, &shape) && rows->cols > run->schema.features)
        reluopt_picture(&run->weights, rows->data, rows->count, rows->cols, shape, error);
    run->weights.neurons = rows->rows;
}

/* Agreed; collective. */
static int read_weights(ReportRun *run, const Comm *comm, const char *path, Error *error)
{
    Array rows = {0};
    if (comm->rank == 0 && reluopt_schema_from_text(run->meta.schema, &run->schema, error) == RELUOPT_OK)
        rows = find_weights(path, error);
    if (rows.count > 0)
        rows.data = reluopt_alloc(rows.count * rows.cols, sizeof *rows.data, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK &&
        reluopt_checkpoint_read_arrays(comm, path, &run->meta, &rows, rows.count > 0, error) == RELUOPT_OK &&
        rows.count > 0)
        draw_weights(run, &rows, error);
    free(rows.data);
    return reluopt_comm_agree(comm, error);
}

/* Rank 0: as the network was trained, with no rank set aside. */
static int configure(Config *config, const ReportRun *run, const char *path, int size, Error *error)
{
    reluopt_config_default(config);
    if (reluopt_config_parse(config, run->meta.config, strlen(run->meta.config), path, error))
        return error->code;
    config->coordinator = COORDINATOR_SHARED;
    reluopt_config_set(config, "grid", "auto", error);
    reluopt_config_resolve(config);
    return reluopt_config_check(config, size, error);
}

/* The open run's network on its test data.  Agreed; collective. */
static int fill_confusion(ReportRun *run, Run *open, const char *path, Error *error)
{
    Array arrays[RELUOPT_MAX_ARRAYS];
    Confusion *confusion = &run->confusion;
    size_t count = open->method->arrays(open->state, arrays);
    if (open->test_count == 0 || open->classes > CLASSES_MOST) {
        snprintf(confusion->missing, sizeof confusion->missing, "%s",
                 open->test_count == 0 ? "the run has no test samples" : "there are too many classes");
        return RELUOPT_OK;
    }
    confusion->classes = open->classes;
    if (open->comm->rank == 0)
        confusion->count = reluopt_alloc(open->classes * open->classes, sizeof *confusion->count, error);
    if (reluopt_comm_agree(open->comm, error) == RELUOPT_OK &&
        reluopt_checkpoint_read_arrays(open->comm, path, &run->meta, arrays, count, error) == RELUOPT_OK)
        reluopt_run_confusion(open, &open->data.test, open->test_count, confusion->count);
    return error->code;
}

/* Data that are missing, or no longer what they were, are no failure of the report.  Agreed; collective. */
static int evaluate(ReportRun *run, Comm *comm, const char *path, Error *error)
{
    static Run open;
    if (comm->rank == 0)
        configure(&open.config, run, path, comm->size, error);
    if (reluopt_comm_agree(comm, error))
        return error->code;
    reluopt_comm_share(comm, &open.config, sizeof open.config);
    if (reluopt_run_open(&open, comm, &run->meta, error) == RELUOPT_OK) {
        run->height = open.data.train.height;
        run->width = open.data.train.width;
        fill_confusion(run, &open, path, error);
    } else if (error->code == RELUOPT_DATA || error->code == RELUOPT_USAGE) {
        snprintf(run->confusion.missing, sizeof run->confusion.missing, "%.500s", error->message);
        *error = (Error){0};
    }
    reluopt_run_close(&open);
    return error->code;
}

/* Agreed; collective. */
static int read_run(ReportRun *run, Comm *comm, Error *error)
{
    char path[PATH_ROOM];
    if (comm->rank == 0)
        read_files(run, error);
    if (reluopt_comm_agree(comm, error))
        return error->code;
    file_of(run, "checkpoint.h5", path);
    if (!has_checkpoint(run, comm)) {
        snprintf(run->confusion.missing, sizeof run->confusion.missing, "the run has no checkpoint yet");
        return RELUOPT_OK;
    }
    if (reluopt_checkpoint_read_meta(comm, path, &run->meta, error) == RELUOPT_OK &&
        evaluate(run, comm, path, error) == RELUOPT_OK)
        read_weights(run, comm, path, error);
    return error->code;
}

/* The last part of the folder's path, also of "." and "runs/a/". */
static void name_run(ReportRun *run)
{
    char *real = realpath(run->path, NULL);
    const char *path = real ? real : run->path, *slash = strrchr(path, '/');
    snprintf(run->name, sizeof run->name, "%s", slash && slash[1] != '\0' ? slash + 1 : path);
    free(real);
}

/* Call all runs of that name by their paths. */
static void use_paths(Report *report, const char *name)
{
    for (ReportRun *run = report->run; run < report->run + report->count; run++)
        if (strcmp(run->name, name) == 0)
            snprintf(run->name, sizeof run->name, "%s", run->path);
}

static void tell_apart(Report *report)
{
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(report->run[i].name, report->run[j].name) == 0) {
                char name[sizeof report->run->name];
                memcpy(name, report->run[i].name, sizeof name);
                use_paths(report, name);
            }
}

/* A plot has two lines of each run, or two of each layer of one. */
static int make_room(Report *report, Error *error)
{
    size_t most = report->count;
    for (size_t i = 0; i < report->count; i++)
        most = report->run[i].curves.layers > most ? report->run[i].curves.layers : most;
    report->series = reluopt_alloc(2 * most, sizeof *report->series, error);
    return error->code;
}

int reluopt_report_read(Report *report, Comm *comm, const char *const *path, size_t count, Error *error)
{
    *report = (Report){.count = count, .run = reluopt_alloc(count, sizeof *report->run, error)};
    if (reluopt_comm_agree(comm, error))
        return error->code;
    for (size_t i = 0; i < count; i++) {
        report->run[i].path = path[i];
        name_run(&report->run[i]);
    }
    tell_apart(report);
    for (size_t i = 0; i < count && !error->code; i++)
        read_run(&report->run[i], comm, error);
    if (!error->code)
        make_room(report, error);
    return reluopt_comm_agree(comm, error);
}

Matrix reluopt_report_matrix(const ReportRun *run)
{
    return (Matrix){run->confusion.classes, run->confusion.count, run->schema.class_name};
}

void reluopt_report_free(Report *report)
{
    for (size_t i = 0; report->run && i < report->count; i++) {
        ReportRun *run = &report->run[i];
        free(run->settings);
        free(run->defaults);
        reluopt_curves_free(&run->curves);
        reluopt_checkpoint_meta_free(&run->meta);
        reluopt_schema_free(&run->schema);
        free(run->confusion.count);
        free(run->weights.png);
    }
    free(report->run);
    free(report->series);
    *report = (Report){0};
}
