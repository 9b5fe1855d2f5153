/* records.h - samples in a binary file: records of the same size, read some at a time; private to src/data. */
#ifndef RELUOPT_DATA_RECORDS_H
#define RELUOPT_DATA_RECORDS_H

#include <stdbool.h>

#include "reluopt/source.h"
#include "reluopt/stream.h"

/* How a number is stored. */
typedef struct Number {
    char kind;   /* 'u', 'i', 'f' */
    size_t size; /* bytes: 1, 2, 4 or 8; 'f': 4 or 8 */
    bool big;    /* most significant byte first */
} Number;

typedef struct Records {
    Stream stream;
    Number number;
    size_t skip;           /* bytes of a record before its numbers */
    size_t each;           /* numbers of a record */
    size_t count;          /* records; SIZE_MAX: as many as there are */
    size_t done;           /* records read */
    unsigned char *buffer; /* of some records */
} Records;

/* Read the next `room` records into x (room x each): *count of them, fewer only at the end.  RELUOPT_DATA:
 * truncated, trailing bytes, a number that is not finite in single precision.  RELUOPT_MEMORY. */
int records_read(Records *records, float *x, size_t room, size_t *count, Error *error);
void records_close(Records *records);

/* Make a source of malloc'ed records, which it then owns, also after a failure: RELUOPT_DATA when their size is
 * not that of the training data. */
int records_source(Source *source, Records *records, const Schema *schema, Error *error);

#endif
