/* files.h - the file formats: from a list of paths to samples; private to src/data. */
#ifndef RELUOPT_DATA_FILES_H
#define RELUOPT_DATA_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "reluopt/samples.h"

enum { MAX_FILES = 8 };

typedef enum Format {
    FORMAT_IDX,
    FORMAT_CIFAR10,
    FORMAT_CSV,
    FORMAT_HDF5,
    FORMAT_LIBSVM,
    FORMAT_NPY,
    FORMAT_NPZ
} Format;

typedef struct Path {
    char text[PATH_MAX];
} Path;

/* The files of a training or test part. */
typedef struct Files {
    Format format;
    size_t count;
    Path path[MAX_FILES];
} Files;

/* Split a list of paths at its commas, and find the format by the ending of the first.  labels: files of labels
 * must be there; else they may be.  `key`: where the list was given.  RELUOPT_USAGE. */
int files_list(Files *files, const char *list, const char *key, bool labels, Error *error);

/* Read them.  label, header: as of reluopt_read_csv.  Errors as in readers.h. */
int files_read(const Files *files, const char *label, int header, Samples *samples, Schema *schema,
               Error *error);

#endif
