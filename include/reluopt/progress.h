/* progress.h - what a user, or a program, sees while a run goes on, as run->output says: text, JSON events, or
 * nothing.  Rank 0; not collective. */
#ifndef RELUOPT_PROGRESS_H
#define RELUOPT_PROGRESS_H

#include "reluopt/curves.h"
#include "reluopt/run.h"
#include "reluopt/summary.h"

/* What is about to be trained. */
void reluopt_progress_begin(const Run *run);

/* Step `step` of `steps` of an epoch is done.  On a terminal: redraw the live line, at most ten times a second.
 */
void reluopt_progress_step(const Run *run, int64_t step, int64_t steps, const Score *score);

/* Take the live line away, if there is one. */
void reluopt_progress_clear(const Run *run);

/* One line for a finished epoch. */
void reluopt_progress_epoch(const Run *run, const CurvePoint *point);

/* A checkpoint was written to `path`. */
void reluopt_progress_checkpoint(const Run *run, const char *path);

/* What was reached, where it is, where the time went, what to type next. */
void reluopt_progress_end(const Run *run, const Summary *summary);

/* The JSON events of the functions above, and of a command that failed: one line of standard output each. */
void reluopt_event_begin(const Run *run);
void reluopt_event_epoch(const Run *run, const CurvePoint *point, double samples_per_second,
                         double seconds_left);
void reluopt_event_checkpoint(const Run *run, const char *path);
void reluopt_event_end(const Summary *summary);
void reluopt_event_error(const Error *error);

#endif
