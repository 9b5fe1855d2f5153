/* plot.h - line plots over epochs as SVG.
 *
 * A line is told by its colour and by the shape of its marks, and named at its end.  Rank 0; not collective. */
#ifndef RELUOPT_PLOT_H
#define RELUOPT_PLOT_H

#include <stdio.h>

#include "reluopt/scale.h"

typedef struct Series Series;

struct Series {
    const char *label;       /* at the end of the line; NULL: none */
    const char *name, *part; /* where values are listed; part: NULL, or what of it */
    char family;             /* 's': colours that differ; 'g': colours in an order */
    size_t colour;           /* number in the family, from 0; any */
    size_t mark;             /* shape, from 0; any */
    bool dashed;             /* and hollow marks */
    size_t count;
    double (*x)(const Series *series, size_t k); /* k < count; rising */
    double (*y)(const Series *series, size_t k); /* NaN: a gap */
    const void *data;                            /* for these two */
    size_t layer;
    char text[32]; /* room for a name */

    double end_x, end_y, label_y; /* plot.c's own */
};

typedef struct Plot {
    const char *title, *unit; /* "Accuracy", "% of samples" */
    ScaleKind kind;           /* of the y axis */
    Range y;                  /* values to make room for */
    Series *series;
    size_t count;
    int width, height;
    bool hover; /* values in the title of each column of points */
} Plot;

enum { RELUOPT_COLOURS = 6, RELUOPT_ORDERED_COLOURS = 8 }; /* in each family */

/* Widen `range` by what the series hold. */
void reluopt_plot_range(Range *range, ScaleKind kind, const Series *series, size_t count);

/* The plot as one svg element.  `alone`: as a file of its own, with its style and a white ground. */
void reluopt_plot_put(FILE *out, Plot *plot, bool alone);

/* How a line looks, as a small svg element for tables. */
void reluopt_plot_key(FILE *out, const Series *series);

#endif
