/* progress.h - what a user sees while a run goes on.  Rank 0; not collective. */
#ifndef RELUOPT_PROGRESS_H
#define RELUOPT_PROGRESS_H

#include <stdbool.h>

#include "reluopt/curves.h"
#include "reluopt/run.h"
#include "reluopt/summary.h"

/* Is standard output a terminal, also behind mpirun (which gives every rank a pseudo-terminal)? */
bool reluopt_progress_live(void);

/* What is about to be trained. */
void reluopt_progress_begin(const Run *run);

/* On a terminal: redraw the live line, at most ten times a second. */
void reluopt_progress_step(const Run *run, int64_t step, int64_t steps, const Score *score);

/* Take the live line away, if there is one. */
void reluopt_progress_clear(void);

/* One line for a finished epoch. */
void reluopt_progress_epoch(const Run *run, const CurvePoint *point);

/* What was reached, where it is, what to type next. */
void reluopt_progress_end(const Run *run, const Summary *summary);

#endif
