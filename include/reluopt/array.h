/* array.h - a matrix that is distributed over ranks by rows: what checkpoints hold. */
#ifndef RELUOPT_ARRAY_H
#define RELUOPT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ArrayType { ARRAY_FLOAT, ARRAY_DOUBLE, ARRAY_INTEGER } ArrayType;

/* This rank's part of a rows x cols matrix: rows [first, first + count). */
typedef struct Array {
    char name[24]; /* "W1", "V2", ... */
    ArrayType type;
    bool shared; /* every rank has all rows, and the same */
    size_t rows, cols;
    size_t first, count;
    union { /* count x cols */
        float *data;
        double *doubles;
        int64_t *integers;
    };
} Array;

/* Bytes of one element. */
static inline size_t reluopt_array_element(const Array *array)
{
    return array->type == ARRAY_FLOAT ? sizeof(float) : sizeof(double);
}

#endif
