/* config.h - every setting of a run, from one option table: file, command line, --help, echo. */
#ifndef RELUOPT_CONFIG_H
#define RELUOPT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "reluopt/error.h"
#include "reluopt/preprocess.h"

enum { RELUOPT_MAX_LAYERS = 64, RELUOPT_TEXT = 1024, RELUOPT_ALLOWED = 160, RELUOPT_MAX_KEPT = 100 };

/* "auto" for a number: see reluopt_config_resolve; data.holdout: the set's own. */
enum { RELUOPT_AUTO = -1 };

typedef enum Variant { VARIANT_ONLINE, VARIANT_BATCH, VARIANT_LINE_SEARCH, VARIANT_AUTO } Variant;
typedef enum Activation { ACTIVATION_RELU, ACTIVATION_SIGMOID, ACTIVATION_TANH } Activation;
typedef enum Loss { LOSS_CROSS_ENTROPY, LOSS_MSE } Loss;
typedef enum Update {
    UPDATE_SGD,
    UPDATE_MOMENTUM,
    UPDATE_ADAGRAD,
    UPDATE_RMSPROP,
    UPDATE_ADADELTA,
    UPDATE_ADAM,
    UPDATE_AUTO
} Update;
typedef enum Direction { DIRECTION_PLAIN, DIRECTION_CENTRED, DIRECTION_WHITENED } Direction;
typedef enum TargetLayer { TARGET_OUTPUT, TARGET_PENULTIMATE } TargetLayer;
typedef enum InverseKind {
    INVERSE_TRAINED,
    INVERSE_FIXED,
    INVERSE_TRANSPOSE,
    INVERSE_MIRROR,
    INVERSE_AUTO
} InverseKind;
typedef enum InverseActivation { INVERSE_SAME, INVERSE_LINEAR } InverseActivation;
typedef enum RateRule { RATE_MIN, RATE_OPT, RATE_ONLINE, RATE_EXACT } RateRule;
typedef enum RateScope { SCOPE_LAYER, SCOPE_NEURON } RateScope;
typedef enum Init { INIT_HE, INIT_GLOROT, INIT_ORTHOGONAL, INIT_TRANSPOSE, INIT_AUTO } Init;
typedef enum Flip { FLIP_NO, FLIP_YES, FLIP_ALIKE, FLIP_AUTO } Flip;
typedef enum Coordinator { COORDINATOR_SHARED, COORDINATOR_DEDICATED } Coordinator;
typedef enum TrainFigures { TRAIN_AUTO, TRAIN_RUNNING, TRAIN_FULL } TrainFigures;

/* How regression trees grow. */
typedef struct TreeConfig {
    int depth;        /* edges from the root to a leaf, at most */
    int leaves;       /* at most */
    int min_samples;  /* of a leaf, at least */
    int bins;         /* of a feature, at most */
    int rounds;       /* K2, boosting rounds of a layer per step */
    double shrinkage; /* gamma, share of a leaf's mean that the tree adds */
} TreeConfig;

/* Plain data without pointers: rank 0 resolves it and sends it to all ranks as bytes.  Texts are UTF-8 and
 * zero-filled, so equal configurations are equal as bytes. */
typedef struct Config {
    char method[32];
    int variant;                     /* Variant */
    int hidden;                      /* number of hidden layers */
    int network[RELUOPT_MAX_LAYERS]; /* their widths */
    int batch;                       /* samples in a batch; 0: the whole training set; RELUOPT_AUTO */
    int activation;                  /* Activation of the hidden layers */
    bool batch_norm;                 /* in the hidden layers (2-30)..(2-33) */
    bool residual;                   /* skips past hidden layers (2-34) */
    int loss;                        /* Loss */
    int epochs;
    int64_t seed;
    double alpha;  /* step of the first target, thesis: 1; RELUOPT_AUTO: adaptive chooses it */
    int direction; /* Direction */
    struct {
        double lambda; /* of the ridge, in units of the mean eigenvalue; RELUOPT_AUTO */
    } whitening;
    bool gate;        /* difference taken linearly, where the neuron is active */
    int target_layer; /* TargetLayer: whose target comes from the gradient of the loss */
    struct {
        int kind;       /* InverseKind */
        int activation; /* InverseActivation */
        int steps;      /* K1 */
        double noise;   /* sigma, in units of the layer's own standard deviation of activations */
        double rate;    /* of its update rule; RELUOPT_AUTO: learning_rate */
        int warmup;     /* first epochs, in which the inverses alone are trained */
        bool alternate; /* epochs of the inverses and of the weights take turns */
    } inverse;
    struct {
        int rule;     /* RateRule */
        int scope;    /* RateScope */
        double start; /* first trial rate of the line search */
    } rate;
    int update;           /* Update: rule of the methods that follow a gradient; see rules.h */
    double learning_rate; /* its eta; it and the next three: RELUOPT_AUTO, and left so where not used */
    double momentum;      /* beta */
    double decay;         /* gamma */
    double epsilon;
    TreeConfig trees; /* of method mgbdt */
    double average; /* epochs that the weights are averaged over for evaluation; 0: not at all; RELUOPT_AUTO */
    struct {        /* of the training samples, anew in each epoch; see augment.h */
        double noise; /* sigma, in standard deviations of the preprocessed data */
        int shift;    /* pixels; RELUOPT_AUTO */
        int flip;     /* Flip */
    } augment;
    struct {
        int forward; /* Init */
        int inverse; /* Init */
    } init;
    int preprocess;    /* PreprocessKind */
    bool reproducible; /* the same bits on any number of ranks */
    char grid[24];     /* "auto", or how many ranks share a batch and how many the neurons: "2x4" */
    int coordinator;   /* Coordinator */
    struct {
        char dir[RELUOPT_TEXT];   /* where data.name is looked up; empty: $RELUOPT_DATA, else "data" */
        char name[64];            /* a known set, or "file": data.train and data.test */
        char train[RELUOPT_TEXT]; /* file(s) of data.name = file; IDX: "images,labels" */
        char test[RELUOPT_TEXT];
        char label[128];   /* CSV: first, last, or a header name */
        int header;        /* CSV: 0 no, 1 yes, 2 auto */
        int train_samples; /* first-N split: train on the first N samples; 0: all */
        int holdout; /* without a test file: seeded stratified hold-out of that many samples; RELUOPT_AUTO */
    } data;
    struct {
        int train; /* TrainFigures: what the training curve is measured on */
    } eval;
    struct {            /* 0: not by that */
        int every;      /* epochs */
        int steps;      /* batch steps */
        double minutes; /* of wall clock */
        int keep;       /* files, the newest included */
    } checkpoint;
    double max_time; /* minutes of wall clock for a process; 0: no limit */
    struct {
        double accuracy; /* at which the run is done: on the test part, or the training part where there is
                            none; 0: no such goal */
    } stop;
} Config;

/* Fill with the defaults of the option table.  Not collective. */
void reluopt_config_default(Config *config);

/* Read a YAML file (UTF-8, at most 1 MiB; empty is valid) over what `config` holds.  Nested maps and dotted
 * keys are the same ("inverse: {kind: fixed}", "inverse.kind: fixed").  Errors (RELUOPT_USAGE, with
 * file:line:column): unreadable file, bad YAML, anchors, aliases, tags, several documents, unknown key (with
 * "did you mean"), duplicate key, value of the wrong type or out of range; RELUOPT_MEMORY.  After an error
 * `config` holds the values before it.  Rank 0; not collective. */
int reluopt_config_read(Config *config, const char *path, Error *error);

/* The same from YAML in memory; `source` names it in messages.  Used for the configuration inside a checkpoint.
 */
int reluopt_config_parse(Config *config, const char *yaml, size_t size, const char *source, Error *error);

/* Set one key from the command line ("batch", "100").  RELUOPT_USAGE as above. */
int reluopt_config_set(Config *config, const char *key, const char *value, Error *error);

/* True when `key` is a key of the option table. */
bool reluopt_config_is_key(const char *key);

/* The configuration as YAML, one "key: value" line per option; parsing it gives the same bytes.
 * `comments`: above each key a line with its meaning, one with what it allows and its default.  Returns
 * malloc'ed text, NULL after RELUOPT_MEMORY. */
char *reluopt_config_text(const Config *config, bool comments, Error *error);

/* A row of the option table, as text. */
typedef struct KeyInfo {
    const char *key, *meaning;
    const char *const *choices;    /* ended by NULL; NULL: other values too */
    const char *methods;           /* those that use it, " a b "; NULL: all */
    bool later;                    /* may be changed when a run is resumed */
    char allowed[RELUOPT_ALLOWED]; /* values and default: "an integer from 1 to 9 (default 5)" */
} KeyInfo;

/* Row `index` of the option table, in its order; false after the last. */
bool reluopt_config_key(size_t index, KeyInfo *info);

/* Print meaning, default and choices of a key, or of the keys of a group.  RELUOPT_USAGE for another name. */
int reluopt_config_explain(FILE *out, const char *key, Error *error);

/* Give settings at auto their values: the method's own variant, update rule, alpha, inverses and averaging, the
 * rule's own rates, batch 100 for the batch variant, else 0 (the whole training set).  What the method does not
 * use stays at auto, and so does what depends on the data.  Call it before the check and the echo.  Not
 * collective. */
void reluopt_config_resolve(Config *config);

/* The rest, for training samples that are images or not: preprocess (centre, standardise); of method adaptive
 * augment.shift and augment.flip (1 and alike, unless preprocessing mixes pixels; 0 and no).  Not collective.
 */
void reluopt_config_resolve_data(Config *config, bool images);

/* For evaluation alone: give what only the steps of training look at the values that take least memory.  Not
 * collective. */
void reluopt_config_spare_training(Config *config);

/* Make the paths in data.dir, data.train and data.test absolute, so that the echo means the same files in any
 * current folder; empty ones stay empty.  A member stays as it is where the current folder cannot be part of
 * it: its name is not UTF-8 or too long, or holds the comma that separates the paths of a list.  Rank 0; not
 * collective. */
void reluopt_config_absolute(Config *config);

/* Settings that may not change while a run goes on from `before` to `now`.  RELUOPT_USAGE.  Not collective. */
int reluopt_config_check_resume(const Config *before, const Config *now, Error *error);

/* Settings that do not go together, or that the method does not use (online with a batch size, dedicated
 * coordinator on one rank, no hidden layer, ...). `size`: number of ranks.  RELUOPT_USAGE.  Not collective. */
int reluopt_config_check(const Config *config, int size, Error *error);

/* The setting of the grid: *data becomes the number of indices of the data, 0 for auto.  RELUOPT_USAGE where it
 * is none, or not one of `size` ranks.  Not collective. */
int reluopt_config_grid(const Config *config, int size, int *data, Error *error);

/* Why a batch cannot be divided between ranks with these settings, and what to do; NULL where it can.  Not
 * collective. */
const char *reluopt_config_undivided(const Config *config);

/* Name of an option's choice, e.g. reluopt_config_choice("direction", DIRECTION_PLAIN) = "plain"; "?" when
 * there is none. */
const char *reluopt_config_choice(const char *key, int value);

#endif
