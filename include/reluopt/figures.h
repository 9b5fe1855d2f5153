/* figures.h - the plots of a report.  Rank 0; not collective. */
#ifndef RELUOPT_FIGURES_H
#define RELUOPT_FIGURES_H

#include "reluopt/report.h"

typedef double CurveValue(const Series *series, size_t k);

/* A quantity of the curves. */
typedef struct Figure {
    const char *file; /* name of its file, without ending */
    const char *title, *unit;
    const char *caption; /* of a layer figure */
    ScaleKind kind;
    CurveValue *solid;  /* of a run: test part; of a layer: forward */
    CurveValue *dashed; /* training part; inverse; NULL: none */
} Figure;

enum { RELUOPT_RUN_FIGURES = 2, RELUOPT_LAYER_FIGURES = 3 };
extern const Figure reluopt_run_figure[RELUOPT_RUN_FIGURES];     /* all runs in one plot */
extern const Figure reluopt_layer_figure[RELUOPT_LAYER_FIGURES]; /* all layers of a run in one plot */

/* The plot of all runs, and of run r, with its series in report->series.  The plots of one figure have a common
 * y axis.  False where there is no value to show. */
bool reluopt_plot_runs(Report *report, const Figure *figure, Plot *plot);
bool reluopt_plot_layers(Report *report, const Figure *figure, size_t r, Plot *plot);

/* How run r is drawn where all are in one plot. */
Series reluopt_run_series(const Report *report, size_t r);

#endif
