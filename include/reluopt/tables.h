/* tables.h - the tables of a report.  Rank 0; not collective. */
#ifndef RELUOPT_TABLES_H
#define RELUOPT_TABLES_H

#include "reluopt/report.h"

/* What each run is and reached: of one run as figures, of several as a table with one row each. */
void reluopt_table_overview(FILE *out, const Report *report);

/* The settings in which runs differ; of one run, those that are not at their defaults.  Below, folded up, all
 * the others. */
void reluopt_table_settings(FILE *out, const Report *report);

/* How long the ranks of each run were in each phase. */
void reluopt_table_times(FILE *out, const Report *report);

/* The name, shortened where it is very long. */
void reluopt_put_run_name(FILE *out, const ReportRun *run);

/* A length of time: "42 ms", "12.3 s", "4 min 32 s", "2 h 5 min". */
void reluopt_put_seconds(FILE *out, double seconds);

#endif
