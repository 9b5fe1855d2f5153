/* run.h - a training or evaluation under way: data, network, method, and the loops over them. */
#ifndef RELUOPT_RUN_H
#define RELUOPT_RUN_H

#include "reluopt/checkpoint.h"
#include "reluopt/comm.h"
#include "reluopt/config.h"
#include "reluopt/curves.h"
#include "reluopt/feed.h"
#include "reluopt/method.h"
#include "reluopt/predictions.h"
#include "reluopt/samples.h"
#include "reluopt/source.h"
#include "reluopt/tally.h"

/* What standard output gets. */
typedef enum Output { OUTPUT_TEXT, OUTPUT_QUIET, OUTPUT_JSON } Output;

typedef struct Run {
    Config config;
    Comm *comm;
    Dataset data;    /* rank 0 */
    Preprocess pre;  /* rank 0 */
    Augment augment; /* rank 0 */
    size_t features, classes, train_count, test_count;
    const Method *method;
    void *state;
    Feed feed;        /* training batches */
    Feed evaluation;  /* batches of evaluations */
    size_t allocated; /* bytes of this rank's state and feeds */
    char folder[RELUOPT_TEXT];
    Output output;
    Tally begun;        /* when training began */
    Curves curves;      /* rank 0 */
    int64_t epoch;      /* epochs done */
    int64_t steps;      /* steps done */
    double seconds;     /* of training */
    double best_test;   /* accuracy, NaN: no test part */
    int64_t full_train; /* first epoch with all training samples right; 0: none yet */
    int64_t kept;       /* epoch of the checkpoint in the folder; 0: none yet */
} Run;

/* Load the data of run->config, unless run->data has samples already, and preprocess them (rank 0), share what
 * all must know, build the method's state. meta: NULL, or a checkpoint's, whose schema and preprocessing are
 * used instead of fitting them, and then only for evaluation: there is no room for the batches of training. On
 * return all ranks agree.  Release with reluopt_run_close, also after a failure. Collective. */
int reluopt_run_open(Run *run, Comm *comm, const CheckpointMeta *meta, Error *error);

/* Build the network alone, for predictions, for data of the schema (looked at on rank 0).  Agreed; release as
 * above. Collective. */
int reluopt_run_open_network(Run *run, Comm *comm, const Schema *schema, Error *error);
void reluopt_run_close(Run *run);

/* Train for config.epochs epochs in run->folder: curves, checkpoints, progress on standard output, and the
 * summary. Errors: RELUOPT_NUMERIC (loss not finite), RELUOPT_STORAGE, RELUOPT_MEMORY; agreed.  Collective. */
int reluopt_run_train(Run *run, Error *error);

/* Classes and probabilities of all samples of a source, preprocessed by `pre`, to the predictions (all three
 * looked at on rank 0 alone; pre is released by the caller).  Errors: those of the source and of the
 * predictions, RELUOPT_MEMORY; agreed. Collective. */
int reluopt_run_predict(Run *run, Source *source, const Preprocess *pre, Predictions *predictions,
                        Error *error);

/* Loss and accuracy over samples 0..count-1 (looked at on rank 0 alone), the same on every rank.  Collective.
 */
Score reluopt_run_evaluate(Run *run, const Samples *samples, size_t count);

/* Add to matrix (classes x classes) the samples of class i that are taken for class j.  matrix: rank 0 alone,
 * NULL on the others.  Collective. */
void reluopt_run_confusion(Run *run, const Samples *samples, size_t count, uint64_t *matrix);

/* Means of a score; NaN without samples. */
double reluopt_score_loss(const Score *score);     /* per sample */
double reluopt_score_accuracy(const Score *score); /* fraction */

#endif
