/* times.h - where the time of all ranks went, phase by phase. */
#ifndef RELUOPT_TIMES_H
#define RELUOPT_TIMES_H

#include <stdio.h>

#include "reluopt/comm.h"
#include "reluopt/json.h"
#include "reluopt/tally.h"

/* What a value is on all ranks; least and most are rounded to floats. */
typedef struct Spread {
    double least, mean, most;
} Spread;

/* Seconds. */
typedef struct Times {
    int ranks;
    double total; /* of all phases, mean of the ranks */
    Spread phase[PHASES];
} Times;

/* The same on every rank.  Collective. */
Spread reluopt_spread(const Comm *comm, double value);

/* The tally from which time is to be measured, without waiting that is still to be told from messages before
 * it. Collective. */
Tally reluopt_times_start(const Comm *comm);

/* Time since then, the same on every rank.  Collective. */
Times reluopt_times(const Comm *comm, const Tally *start);

/* A table: a line for each phase that took time, with its share of the total and, on several ranks, how much
 * more than the mean the rank with most of it needed.  Seconds are shown times `unit`, called `name`.  Not
 * collective. */
void reluopt_times_print(FILE *out, const Times *times, double unit, const char *name);

/* The member `name`: {"least": ..., "mean": ..., "most": ...}.  Not collective. */
void reluopt_spread_put(Json *json, const char *name, Spread spread);

/* The member "time": {"total": SECONDS, "forward": SPREAD, ...}, with all phases.  Not collective. */
void reluopt_times_put(Json *json, const Times *times);

#endif
