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

enum { RELUOPT_RUN_PATH = 2 * RELUOPT_TEXT }; /* room for the name of a file in the run folder */

typedef struct Run {
    Config config;
    Comm *comm;
    Dataset data;     /* rank 0 */
    Preprocess pre;   /* rank 0 */
    Augment augment;  /* rank 0 */
    int64_t checksum; /* rank 0: of the data */
    size_t features, classes, train_count, test_count;
    const Method *method;
    void *state;
    Feed feed;        /* training batches */
    Feed evaluation;  /* batches of evaluations */
    size_t allocated; /* bytes of this rank's state and feeds */
    char folder[RELUOPT_TEXT];
    Output output;
    Tally begun;         /* when training began */
    int lock;            /* rank 0: descriptor that keeps other processes out of the folder */
    bool resumes;        /* the folder holds this run already: set before reluopt_run_open */
    Curves curves;       /* rank 0 */
    int64_t epoch;       /* epochs done */
    int64_t steps;       /* steps done */
    int64_t batches;     /* of the epoch under way, done */
    Score running;       /* of these */
    uint32_t *order;     /* rank 0: train_count  samples in the order of the epoch under way */
    double started;      /* on the clock; later by the pauses */
    double seconds;      /* of training, at the end of the last epoch or at the checkpoint taken up */
    double best_train;   /* best accuracy of all epochs, NaN: none yet */
    double best_test;    /* the same, NaN also without a test part */
    int64_t full_train;  /* first epoch with all training samples right; 0: none yet */
    int64_t kept;        /* step of the checkpoint in the folder; 0: none yet */
    double saved;        /* when that was written */
    double save_seconds; /* how long it took; 0: not yet known */
    double stepped;      /* when the last step ended */
    double longest_step; /* from the end of a step to that of the next, seconds */
} Run;

/* Load the data of run->config, unless run->data has samples already, settle what it leaves to them (on all
 * ranks), preprocess them (rank 0), share what all must know, build the method's state. meta: NULL, or a
 * checkpoint's, whose schema and preprocessing are used instead of fitting them, and then, unless the run
 * resumes, only for evaluation: there is no room for the batches of training. On return all ranks agree.
 * Release with reluopt_run_close, also after a failure. Collective. */
int reluopt_run_open(Run *run, Comm *comm, const CheckpointMeta *meta, Error *error);

/* Build the network alone, for predictions, for data of the schema (looked at on rank 0).  Agreed; release as
 * above. Collective. */
int reluopt_run_open_network(Run *run, Comm *comm, const Schema *schema, Error *error);
void reluopt_run_close(Run *run);

/* Keep other processes from training the run in run->folder, if that is there (rank 0), until the run is
 * closed. RELUOPT_USAGE (another one does), RELUOPT_STORAGE; agreed.  Collective. */
int reluopt_run_lock(Run *run, Error *error);

/* Create and lock run->folder and put the configuration into it (rank 0).  An earlier run is never
 * overwritten, but one that is resumed.  RELUOPT_USAGE (it holds a run, or another process trains it),
 * RELUOPT_STORAGE, RELUOPT_MEMORY; agreed.  Collective. */
int reluopt_run_folder(Run *run, Error *error);

/* What a shell needs around the folder in a command that is printed: a quote, or nothing.  Not collective. */
const char *reluopt_run_quote(const Run *run);

/* The newest good checkpoint in the folder of a run: its name, empty where there is none yet.  Damaged ones are
 * reported on standard error and set aside.  RELUOPT_STORAGE when all are damaged; RELUOPT_MEMORY; agreed.
 * Collective. */
int reluopt_resume_find(Comm *comm, const char *folder, char path[RELUOPT_RUN_PATH], Error *error);

/* Bring an opened run to where the checkpoint `path`, with meta, has it; takes meta's preprocessing.
 * RELUOPT_DATA (other data than those of the run), RELUOPT_STORAGE, RELUOPT_MEMORY; agreed.  Collective. */
int reluopt_run_resume(Run *run, const char *path, CheckpointMeta *meta, Error *error);

/* Train up to epoch config.epochs, or the accuracy config.stop.accuracy, in run->folder: curves, checkpoints,
 * progress on standard output, and the summary.  Errors: RELUOPT_NUMERIC (loss or weights not finite),
 * RELUOPT_STORAGE, RELUOPT_MEMORY; RELUOPT_STOPPED when it is to be continued; agreed.  Collective. */
int reluopt_run_train(Run *run, Error *error);

/* Classes and probabilities of all samples of a source, preprocessed by `pre`, to the predictions (all three
 * looked at on rank 0 alone; pre is released by the caller).  Errors: those of the source and of the
 * predictions, RELUOPT_NUMERIC (an output is not finite), RELUOPT_MEMORY; agreed.  Collective. */
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
