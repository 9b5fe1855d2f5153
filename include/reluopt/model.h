/* model.h - the library libreluopt: a trained network in one process of any program.
 *
 *     ReluoptModel *model;
 *     char message[RELUOPT_MODEL_MESSAGE];
 *     if (reluopt_model_load(&model, "runs/mine/checkpoint.h5", message) != RELUOPT_OK)
 *         fprintf(stderr, "%s\n", message);
 *
 * Needs no MPI_Init and no mpirun, and sends no message when there is one: every rank of an MPI program has a
 * model of its own.
 *
 * Functions that can fail return RELUOPT_OK or another code of codes.h, and then write one line that says what,
 * where and what to do to `message` (NULL: nobody reads it).
 *
 * Threads: a model is for one thread at a time, loading for one in the whole process (HDF5 is).  How many
 * threads and which kernel OpenBLAS takes is left as the program has it; probabilities differ in the last bits
 * between kernels.  Loading turns HDF5's automatic printing of errors off. */
#ifndef RELUOPT_MODEL_H
#define RELUOPT_MODEL_H

#include <stddef.h>

#include "reluopt/codes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ReluoptModel ReluoptModel;

enum { RELUOPT_MODEL_MESSAGE = 1024 }; /* room for any message */

/* Load a checkpoint of any method.  After a failure *model is NULL.
 * Errors: RELUOPT_STORAGE (missing, damaged, of another format), RELUOPT_USAGE (its configuration is of another
 * version), RELUOPT_DATA (its schema is), RELUOPT_NUMERIC, RELUOPT_MEMORY. */
int reluopt_model_load(ReluoptModel **model, const char *path, char *message);

/* NULL: nothing to do. */
void reluopt_model_free(ReluoptModel *model);

/* Features of a sample, and classes. */
size_t reluopt_model_features(const ReluoptModel *model);
size_t reluopt_model_classes(const ReluoptModel *model);

/* Name of a class: the label in the CSV file, or the number; NULL for class >= reluopt_model_classes.  Valid as
 * long as the model. */
const char *reluopt_model_class_name(const ReluoptModel *model, size_t class_index);

/* Probabilities of the classes.
 *   x            in   count x features  samples, raw: in the units of the training file, before preprocessing.
 *                     Columns of a CSV file are in its order, the label left out; a column of categories is one
 *                     feature for each category, in the order of their bytes, 1 for the sample's and else 0.
 *   probability  out  count x classes   each sample's add up to 1; after training with the squared error the
 *                     outputs as they are, which may leave 0..1.  The first largest is the class that
 *                     `reluopt-mpi eval` counts
 * Memory beyond the model's does not grow with count.
 * Errors: RELUOPT_DATA (a value of x is not finite), RELUOPT_NUMERIC (the network's outputs are not),
 * RELUOPT_MEMORY; what `probability` holds is void then. */
int reluopt_model_predict(ReluoptModel *model, const float *x, size_t count, float *probability, char *message);

#ifdef __cplusplus
}
#endif

#endif
