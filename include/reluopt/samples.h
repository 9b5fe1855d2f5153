/* samples.h - labelled samples in memory, and a data set made of them.  Rank 0 alone holds them. */
#ifndef RELUOPT_SAMPLES_H
#define RELUOPT_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "reluopt/error.h"

/* `count` samples, one after the other (sample-major, count x features), and their classes. */
typedef struct Samples {
    size_t count;
    size_t features;
    float *x;             /* count x features */
    int *y;               /* count, 0 .. classes-1 */
    size_t height, width; /* of images: each is one or more planes, height x width; else 0 */
} Samples;

/* How columns and labels of a text file became numbers; kept in the checkpoint so that another file
 * is read in the same way.  For formats whose classes are numbers, `columns` is 0. */
typedef struct Column {
    char *name;        /* header name, or "1", "2", ... (position, label column included) */
    size_t categories; /* 0: the column holds numbers; else it becomes that many 0/1 features */
    char **category;   /* sorted category names */
} Column;

typedef struct Schema {
    size_t features; /* after categories were spread out */
    size_t classes;
    char **class_name; /* `classes` names, sorted (numerically when all are integers), or the numbers as text */
    size_t columns;    /* feature columns of the text file, label column left out; 0 for other formats */
    Column *column;
} Schema;

typedef struct Dataset {
    Samples train;
    Samples test;
    Schema schema;
} Dataset;

enum { RELUOPT_MAX_CLASSES = 1 << 16 }; /* more are a sign of labels that are no classes */

/* Room for `count` samples of `features` features, all zero.  RELUOPT_MEMORY.  Not collective. */
int reluopt_samples_alloc(Samples *samples, size_t count, size_t features, Error *error);

/* Release what the structure owns and zero it.  Not collective. */
void reluopt_samples_free(Samples *samples);
void reluopt_schema_free(Schema *schema);
void reluopt_dataset_free(Dataset *data);

/* A checksum of all samples and labels, to tell whether two data sets are the same; at least 0.  Not
 * collective. */
int64_t reluopt_dataset_checksum(const Dataset *data);

/* The schema as text (several lines, any byte but NUL allowed in names by escaping) and back;
 * release the text with free().  to_text: NULL after noting RELUOPT_MEMORY.  from_text: RELUOPT_DATA
 * when the text is malformed, RELUOPT_MEMORY.  Not collective. */
char *reluopt_schema_to_text(const Schema *schema, Error *error);
int reluopt_schema_from_text(const char *text, Schema *schema, Error *error);

/* A copy that owns its memory.  RELUOPT_MEMORY; on failure `copy` is all zero.  Not collective. */
int reluopt_schema_copy(Schema *copy, const Schema *schema, Error *error);

/* Does a file without named columns agree with the schema of the training data?  RELUOPT_DATA, which names
 * `path`, when the schema has named columns or another number of features.  Not collective. */
int reluopt_schema_matches(const Schema *schema, size_t features, const char *path, Error *error);

/* The schema of samples whose classes are numbers.  All zero: filled in, with `classes` classes (at most
 * RELUOPT_MAX_CLASSES) or, where that is 0, one more than the largest label.  Filled: RELUOPT_DATA unless
 * features and labels agree with it and its classes are numbers too; x_path and y_path name the files in the
 * message.  Also RELUOPT_MEMORY. Not collective. */
int reluopt_schema_numbers(Schema *schema, const Samples *samples, size_t classes, const char *x_path,
                           const char *y_path, Error *error);

/* Orders of the names in a schema, for qsort and bsearch on arrays of char *.  Categories: by bytes.  Classes:
 * reluopt_name_order gives by number when all of them are integers, else by bytes. */
typedef int NameOrder(const void *, const void *);
int reluopt_order_by_bytes(const void *a, const void *b);
NameOrder *reluopt_name_order(char *const *class_name, size_t count);

#endif
