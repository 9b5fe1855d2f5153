/* predictions.h - classes and probabilities of samples, as CSV or HDF5, a block at a time.  Rank 0; not
 * collective. */
#ifndef RELUOPT_PREDICTIONS_H
#define RELUOPT_PREDICTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "reluopt/samples.h"

typedef struct Predictions {
    const char *path; /* NULL: standard output */
    char *aside;      /* where the file is until it is whole */
    const Schema *schema;
    size_t count; /* of samples so far */
    FILE *csv;
    int64_t hdf5; /* a file of HDF5; -1: none */
} Predictions;

/* Start: CSV, or HDF5 where the path ends in .h5 or .hdf5.  path NULL: CSV on standard output.  CSV has a
 * header and a line a sample: its class by name, and the probability of each.  HDF5 has /class (count integers,
 * the place of the class in /class_name) and /probability (count x classes floats).  RELUOPT_STORAGE,
 * RELUOPT_MEMORY; close it then too. */
int reluopt_predictions_create(Predictions *predictions, const char *path, const Schema *schema, Error *error);

/* Add `count` samples with their probabilities (count x classes); their classes are the largest ones.
 * RELUOPT_STORAGE. */
int reluopt_predictions_add(Predictions *predictions, const float *probability, size_t count, Error *error);

/* Put the whole file in its place, unless `error` holds a failure: then remove what there is of it. */
int reluopt_predictions_close(Predictions *predictions, Error *error);

#endif
