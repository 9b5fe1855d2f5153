/* summary.h - the outcome of a run in figures, as a small JSON file. */
#ifndef RELUOPT_SUMMARY_H
#define RELUOPT_SUMMARY_H

#include <stdint.h>

#include "reluopt/error.h"
#include "reluopt/json.h"
#include "reluopt/times.h"

/* Losses: the configured one, per sample; accuracies: fractions.  What is not finite (no test part: NaN)
 * becomes null.
 */
typedef struct Summary {
    int64_t epochs, steps; /* done */
    int np;                /* MPI ranks */
    double seconds;        /* wall clock of training, evaluation included */
    double samples_per_second;
    double train_loss, train_accuracy; /* after the last epoch */
    double test_loss, test_accuracy;
    double best_test_accuracy;            /* of all epochs */
    int64_t epoch_of_full_train_accuracy; /* the first epoch with all training samples right, by the training
                                             figures of the curves; 0 when there was none: null */
    Times times; /* of this start of the program; file: "time", see reluopt_times_put */
} Summary;

/* The members of the JSON object that it is.  Not collective. */
void reluopt_summary_put(Json *json, const Summary *summary);

/* Write `path` atomically.  RELUOPT_STORAGE, RELUOPT_MEMORY; the old file stays then.  Rank 0; not collective.
 */
int reluopt_summary_write(const Summary *summary, const char *path, Error *error);

#endif
