/* phases.h - where the time of a run went, read back from its summary.  Rank 0; not collective. */
#ifndef RELUOPT_PHASES_H
#define RELUOPT_PHASES_H

#include <stddef.h>

#include "reluopt/error.h"

enum { RELUOPT_MOST_PHASES = 32 };

/* Seconds of the ranks in one phase. */
typedef struct PhaseTime {
    char name[24];
    double least, mean, most;
} PhaseTime;

typedef struct Phases {
    size_t count; /* 0: the summary says nothing of them */
    PhaseTime phase[RELUOPT_MOST_PHASES];
    double total; /* of the means */
} Phases;

/* Read the member "time" of a summary.json; count stays 0 where there is none, also no file.  RELUOPT_STORAGE
 * when the file cannot be read or is no such JSON. */
int reluopt_phases_read(Phases *phases, const char *path, Error *error);

/* The phase of that name, or NULL. */
const PhaseTime *reluopt_phases_find(const Phases *phases, const char *name);

#endif
