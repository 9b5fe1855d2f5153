/* figures.c - the plots of a report. */
#include "reluopt/figures.h"

#include <math.h>

static CurvePoint point(const Series *s, size_t k)
{
    return reluopt_curves_point(s->data, k);
}

static double epoch(const Series *s, size_t k)
{
    return (double)point(s, k).epoch;
}

static double test_accuracy(const Series *s, size_t k)
{
    return 100 * point(s, k).test_accuracy;
}

static double train_accuracy(const Series *s, size_t k)
{
    return 100 * point(s, k).train_accuracy;
}

static double test_loss(const Series *s, size_t k)
{
    return point(s, k).test_loss;
}

static double train_loss(const Series *s, size_t k)
{
    return point(s, k).train_loss;
}

static double rate(const Series *s, size_t k)
{
    return point(s, k).rate[s->layer];
}

static double inverse_rate(const Series *s, size_t k)
{
    return point(s, k).inverse_rate[s->layer];
}

static double online_bound(const Series *s, size_t k)
{
    return 100 * point(s, k).online_bound[s->layer];
}

static double active(const Series *s, size_t k)
{
    return 100 * point(s, k).active[s->layer];
}

const Figure reluopt_run_figure[RELUOPT_RUN_FIGURES] = {
    {.file = "accuracy",
     .title = "Accuracy",
     .unit = "% right; dashed: training part",
     .kind = SCALE_LINEAR,
     .solid = test_accuracy,
     .dashed = train_accuracy},
    {.file = "loss",
     .title = "Loss",
     .unit = "per sample, log axis; dashed: training part",
     .kind = SCALE_LOG,
     .solid = test_loss,
     .dashed = train_loss},
};

const Figure reluopt_layer_figure[RELUOPT_LAYER_FIGURES] = {
    {.file = "rate",
     .title = "Step size",
     .unit = "mean of the epoch, log axis",
     .caption =
         "Mean step size ρ of each layer’s weights, or the learning rate. Dashed: of the inverse that leads "
         "down from the layer.",
     .kind = SCALE_LOG,
     .solid = rate,
     .dashed = inverse_rate},
    {.file = "bound",
     .title = "Bounded by ρ_online",
     .unit = "% of steps",
     .caption =
         "How often ρ_online, where the first sample leaves the Pos set, was below ρ_opt, the least loss "
         "along the direction.",
     .kind = SCALE_LINEAR,
     .solid = online_bound},
    {.file = "active",
     .title = "Active neurons",
     .unit = "% of pairs with samples",
     .caption =
         "Share of the pairs of neuron and sample in which the neuron is active, that is in the Pos set.",
     .kind = SCALE_LINEAR,
     .solid = active},
};

static bool has_values(const Series *series)
{
    for (size_t k = 0; k < series->count; k++)
        if (isfinite(series->y(series, k)))
            return true;
    return false;
}

Series reluopt_run_series(const Report *report, size_t r)
{
    const ReportRun *run = &report->run[r];
    return (Series){.name = run->name,
                    .family = 's',
                    .colour = r,
                    .mark = r,
                    .count = run->curves.count,
                    .x = epoch,
                    .data = &run->curves};
}

bool reluopt_plot_runs(Report *report, const Figure *figure, Plot *plot)
{
    bool several = report->count > 1;
    *plot = (Plot){.title = figure->title,
                   .unit = figure->unit,
                   .kind = figure->kind,
                   .y = reluopt_range_empty(),
                   .series = report->series,
                   .width = RELUOPT_WIDE,
                   .height = RELUOPT_WIDE * 9 / 16};
    for (size_t r = 0; r < report->count; r++) {
        Series *test = &plot->series[plot->count++], *train = &plot->series[plot->count++];
        *test = *train = reluopt_run_series(report, r);
        test->y = figure->solid;
        train->y = figure->dashed;
        test->part = "test";
        train->part = "training";
        train->dashed = true;
        if (!several)
            test->label = "test", train->label = "training";
        else if (has_values(test))
            test->label = test->name;
        else
            train->label = train->name;
    }
    reluopt_plot_range(&plot->y, plot->kind, plot->series, plot->count);
    return plot->y.low <= plot->y.high;
}

static Series layer_series(const ReportRun *run, size_t i, CurveValue *value, const char *what, size_t number)
{
    size_t last = run->curves.layers > 1 ? run->curves.layers - 1 : 1;
    Series s = {.family = 'g',
                .colour = (i * (RELUOPT_ORDERED_COLOURS - 1) + last / 2) / last,
                .mark = i,
                .count = run->curves.count,
                .x = epoch,
                .y = value,
                .data = &run->curves,
                .layer = i};
    snprintf(s.text, sizeof s.text, "%s %zu", what, number);
    return s;
}

/* All layers, and their inverses, of which curves hold that of layer i + 2 at i. */
static size_t fill_layers(const ReportRun *run, const Figure *figure, Series *series)
{
    size_t count = 0;
    for (size_t i = 0; i < run->curves.layers; i++)
        series[count++] = layer_series(run, i, figure->solid, "layer", i + 1);
    for (size_t i = 0; figure->dashed && i + 1 < run->curves.layers; i++) {
        series[count] = layer_series(run, i + 1, figure->dashed, "inverse", i + 2);
        series[count].layer = i;
        series[count++].dashed = true;
    }
    for (size_t i = 0; i < count; i++)
        series[i].label = series[i].name = series[i].text;
    return count;
}

bool reluopt_plot_layers(Report *report, const Figure *figure, size_t r, Plot *plot)
{
    bool several = report->count > 1;
    *plot = (Plot){.title = several ? report->run[r].name : figure->title,
                   .unit = several ? figure->title : figure->unit,
                   .kind = figure->kind,
                   .y = reluopt_range_empty(),
                   .series = report->series,
                   .width = RELUOPT_NARROW,
                   .height = RELUOPT_NARROW * 5 / 8};
    for (size_t i = 0; i < report->count; i++) {
        plot->count = fill_layers(&report->run[i], figure, plot->series);
        reluopt_plot_range(&plot->y, plot->kind, plot->series, plot->count);
    }
    plot->count = fill_layers(&report->run[r], figure, plot->series);
    for (size_t i = 0; i < plot->count; i++)
        if (has_values(&plot->series[i]))
            return true;
    return false;
}
