/* loop.h - what the files of the training loop share; private to run/. */
#ifndef RELUOPT_RUN_LOOP_H
#define RELUOPT_RUN_LOOP_H

#include <stdbool.h>

#include "reluopt/run.h"

/* "FOLDER/NAME" of the run. */
void run_path(const Run *run, const char *name, char path[RELUOPT_RUN_PATH]);

/* Seconds of training so far, pauses left out. */
double run_seconds(const Run *run);

/* All arrays of the method's state, into `list` with room for RELUOPT_MAX_ARRAYS; returns how many. */
size_t run_arrays(const Run *run, Array *list);

/* Fill in who writes a checkpoint, with what, when. */
void run_sign(const Run *run, CheckpointMeta *meta);

/* Write a checkpoint of the run as it is.  RELUOPT_STORAGE, RELUOPT_MEMORY; agreed.  Collective. */
int run_save(Run *run, Error *error);

/* RELUOPT_NUMERIC when `loss` is not finite or weights of any rank are not (`spoilt`), with layer, step and
 * likely cause.  loss and spoilt must be the same on every rank; agreed.  Collective. */
int run_check_numbers(const Run *run, double loss, bool spoilt, Error *error);

/* Remove the file that asks the run to stop, since it does. */
void run_heed_stop(const Run *run);

/* A stop that was agreed on, with the checkpoint written: RELUOPT_STOPPED, which says how to go on. */
int run_stopped(const Run *run, int reason, Error *error);

#endif
