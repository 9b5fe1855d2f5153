/* source.h - the samples of a file, some at a time: memory does not grow with their number.  Labels are passed
 * over.  Called on rank 0 alone; not collective. */
#ifndef RELUOPT_SOURCE_H
#define RELUOPT_SOURCE_H

#include "reluopt/config.h"
#include "reluopt/samples.h"

typedef struct Source {
    void *state;
    int (*read)(void *state, float *x, size_t room, size_t *count, Error *error);
    void (*close)(void *state);
} Source;

/* Open `list`, a file or several separated by commas as for data.train, but with or without labels: CSV,
 * LIBSVM, IDX, CIFAR-10, NumPy or HDF5.  data.label and data.header of the configuration say where CSV has its
 * labels; the schema (of a checkpoint, kept until the source is closed) what is in the columns.  RELUOPT_USAGE,
 * RELUOPT_DATA (file and schema do not agree), RELUOPT_MEMORY; close it then too. */
int reluopt_source_open(Source *source, const char *list, const Config *config, const Schema *schema,
                        Error *error);

/* Put up to `room` samples into x (room x features): *count of them, 0 after the last.  RELUOPT_DATA,
 * RELUOPT_MEMORY. */
int reluopt_source_read(Source *source, float *x, size_t room, size_t *count, Error *error);

void reluopt_source_close(Source *source);

#endif
