/* array.h - a matrix that is distributed over ranks by rows: what checkpoints hold. */
#ifndef RELUOPT_ARRAY_H
#define RELUOPT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* This rank's part of a rows x cols matrix of floats: rows [first, first + count). */
typedef struct Array {
    char name[24]; /* "W1", "V2", ... */
    size_t rows, cols;
    size_t first, count;
    float *data; /* count x cols */
    bool shared; /* every rank has all rows, the same: rank 0 writes them */
} Array;

#endif
