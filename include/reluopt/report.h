/* report.h - what a page about runs shows, and the page. */
#ifndef RELUOPT_REPORT_H
#define RELUOPT_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "reluopt/checkpoint.h"
#include "reluopt/config.h"
#include "reluopt/curves.h"
#include "reluopt/matrix.h"
#include "reluopt/picture.h"
#include "reluopt/plot.h"
#include "reluopt/samples.h"

/* Which classes the checkpoint's network takes for which, on the test data. */
typedef struct Confusion {
    size_t classes;
    uint64_t *count;   /* classes x classes: samples of class i taken for class j; NULL: none */
    char missing[512]; /* why there is none */
} Confusion;

typedef struct ReportRun {
    const char *path; /* of the folder */
    char name[256];   /* its last part, or all where two runs would have the same */
    Config config;
    char *settings; /* the same as text, "key: value" a line */
    char *defaults; /* the defaults of its method, likewise */
    Curves curves;
    CheckpointMeta meta; /* config NULL: no checkpoint yet */
    Schema schema;       /* of the checkpoint's data */
    Confusion confusion;
    size_t height, width; /* of the data's images; 0: none, or not known */
    Picture weights;      /* of the first neurons of layer 1; png NULL: the data are no images, or no weights */
} ReportRun;

/* What there is on rank 0; the other ranks have the number of runs. */
typedef struct Report {
    size_t count;
    ReportRun *run;
    Series *series; /* room for the largest plot */
} Report;

/* Read the run folders and evaluate their checkpoints on their test data; where these are missing, says so in
 * the report.  Errors: RELUOPT_STORAGE (a folder that is no run, a damaged file), RELUOPT_USAGE (its
 * configuration), RELUOPT_MEMORY, RELUOPT_NUMERIC; agreed.  Release with reluopt_report_free, also then.
 * Collective. */
int reluopt_report_read(Report *report, Comm *comm, const char *const *path, size_t count, Error *error);
void reluopt_report_free(Report *report);

/* The run's confusion matrix; only where confusion.count is there. */
Matrix reluopt_report_matrix(const ReportRun *run);

enum { RELUOPT_WIDE = 660, RELUOPT_NARROW = 420 }; /* widths of drawings */

/* Write the page: HTML that is also XML, complete in itself.  Rank 0; not collective. */
void reluopt_report_page(FILE *out, Report *report);

/* Write each drawing of the page to `folder` (made if need be): PLOT.svg, of one run among several
 * PLOT-NUMBER.svg, the weights .png.  RELUOPT_STORAGE.  Rank 0; not collective. */
int reluopt_report_plots(Report *report, const char *folder, Error *error);

#endif
