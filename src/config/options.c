/* options.c - the option table: every key with its type, place, range, default and meaning; from text to value.
 *
 * File, command line, help and echo all go through this table; its order is theirs. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/utf8.h"
#include "table.h"

#define AT(member) .offset = offsetof(Config, member), .size = sizeof(((Config *)0)->member)
#define INTEGER(member, least, most) .type = TYPE_INTEGER, AT(member), .min = (least), .max = (most)
#define REAL(member, most) .type = TYPE_REAL, AT(member), .max = (most)
#define BOOL(member) .type = TYPE_BOOL, AT(member)
#define TEXT(member) .type = TYPE_TEXT, AT(member)
#define CHOICE(member, ...)                                                                                    \
    .type = TYPE_CHOICE, AT(member), .choices = (const char *const[])                                          \
    {                                                                                                          \
        __VA_ARGS__, NULL                                                                                      \
    }

#define MANY 1000000000 /* beyond any count that makes sense, and far from overflow */
#define LARGE 1000000   /* beyond any rate or noise that makes sense */

/* Methods that use an option. */
#define ANALYTIC " adaptive "
#define TREES "mgbdt "
#define PROPAGATION "tp dtp "
#define TARGET " adaptive " PROPAGATION
#define RULES "gd sgd momentum adagrad rmsprop adadelta adam fa dfa "
#define BACKPROP " " RULES
#define GRADIENT BACKPROP PROPAGATION
#define NETWORK TARGET RULES

// clang-format off
const Option option_table[] = {
    {"method", TEXT(method), .value = "adaptive",
     .meaning = "training method; the help lists them"},
    {"variant", CHOICE(variant, [VARIANT_ONLINE] = "online", [VARIANT_BATCH] = "batch",
                       [VARIANT_LINE_SEARCH] = "line-search", [VARIANT_AUTO] = "auto"), .value = "auto",
     .meaning = "online: all samples in each step (auto: gd, mgbdt); batch: some; line-search: (3.4)"},
    {"network", .type = TYPE_WIDTHS, AT(network), .min = 1, .max = 1 << 24, .value = "100,100",
     .meaning = "widths of the hidden layers; in a file also as [100, 100]"},
    {"activation", CHOICE(activation, [ACTIVATION_RELU] = "relu", [ACTIVATION_SIGMOID] = "sigmoid",
                          [ACTIVATION_TANH] = "tanh"), .value = "relu", .methods = GRADIENT,
     .meaning = "of the hidden layers; adaptive: relu"},
    {"batch_norm", BOOL(batch_norm), .value = "no", .methods = BACKPROP,
     .meaning = "normalise each hidden neuron over the batch (2-30) to (2-33)"},
    {"residual", BOOL(residual), .value = "no", .methods = BACKPROP,
     .meaning = "add a hidden layer's input to its output where the widths agree (2-34)"},
    {"loss", CHOICE(loss, [LOSS_CROSS_ENTROPY] = "cross-entropy", [LOSS_MSE] = "mse"),
     .value = "cross-entropy", .methods = GRADIENT,
     .meaning = "softmax cross-entropy (2-5), or squared error of the outputs (2-4)"},
    {"batch", INTEGER(batch, 0, MANY), .automatic = true, .value = "auto",
     .meaning = "samples in a batch; 0: the whole set; auto: 100 for variant batch, else 0"},
    {"epochs", INTEGER(epochs, 1, MANY), .value = "20", .later = true,
     .meaning = "passes over the training set"},
    {"seed", INTEGER(seed, 0, INT64_MAX), .value = "1",
     .meaning = "of everything random: weights, batches, noise, hold-out, generated sets"},
    {"alpha", REAL(alpha, LARGE), .above = true, .automatic = true, .value = "auto",
     .methods = TARGET TREES,
     .meaning = "step of the first target down the loss's gradient; auto: self-chosen; of tp, dtp 0.1, mgbdt 1"},
    {"direction", CHOICE(direction, [DIRECTION_PLAIN] = "plain", [DIRECTION_CENTRED] = "centred",
                         [DIRECTION_WHITENED] = "whitened"), .value = "whitened", .methods = ANALYTIC,
     .meaning = "step in the inputs as they are, less their mean, or whitened by covariance too"},
    {"whitening.lambda", REAL(whitening.lambda, LARGE), .above = true, .automatic = true, .value = "auto",
     .methods = ANALYTIC,
     .meaning = "ridge on the covariance, in mean eigenvalues; auto: 1 + 10 inputs / training samples"},
    {"gate", BOOL(gate), .value = "yes", .methods = ANALYTIC,
     .meaning = "take target differences linearly, and only where the neuron is active"},
    {"target.layer", CHOICE(target_layer, [TARGET_OUTPUT] = "output", [TARGET_PENULTIMATE] = "penultimate"),
     .value = "penultimate", .methods = " " PROPAGATION,
     .meaning = "layer of the first target: the outputs (2.3.1), or the last hidden one"},
    {"inverse.kind", CHOICE(inverse.kind, [INVERSE_TRAINED] = "trained", [INVERSE_FIXED] = "fixed",
                            [INVERSE_TRANSPOSE] = "transpose", [INVERSE_MIRROR] = "mirror",
                            [INVERSE_AUTO] = "auto"), .value = "auto", .methods = TARGET,
     .meaning = "trained (3-8); fixed; transpose: the weights; mirror: learns these; auto: adaptive mirror, others trained"},
    {"inverse.activation", CHOICE(inverse.activation, [INVERSE_SAME] = "same", [INVERSE_LINEAR] = "linear"),
     .value = "same", .methods = " " PROPAGATION,
     .meaning = "of the inverses: that of the hidden layers, or none"},
    {"inverse.steps", INTEGER(inverse.steps, 0, 1000), .value = "1", .methods = TARGET TREES,
     .meaning = "steps of the trained inverse, rounds of the mirrored one, per batch"},
    {"inverse.noise", REAL(inverse.noise, LARGE), .value = "0.1", .methods = TARGET TREES,
     .meaning = "noise on its inputs, in standard deviations of the layer's activations"},
    {"inverse.rate", REAL(inverse.rate, LARGE), .above = true, .automatic = true, .value = "auto",
     .methods = " " PROPAGATION,
     .meaning = "of its update rule; auto: learning_rate"},
    {"inverse.warmup", INTEGER(inverse.warmup, 0, MANY), .value = "0", .methods = " " PROPAGATION,
     .meaning = "first epochs, in which the inverses alone are trained"},
    {"inverse.alternate", BOOL(inverse.alternate), .value = "no", .methods = " " PROPAGATION,
     .meaning = "train inverses and weights in alternating epochs, not in each step"},
    {"rate.rule", CHOICE(rate.rule, [RATE_MIN] = "min", [RATE_OPT] = "opt", [RATE_ONLINE] = "online",
                         [RATE_EXACT] = "exact"),
     .value = "opt", .methods = ANALYTIC,
     .meaning = "opt (3-15), online (3-18), min: the smaller (3-20), exact; not for line-search"},
    {"rate.scope", CHOICE(rate.scope, [SCOPE_LAYER] = "layer", [SCOPE_NEURON] = "neuron"),
     .value = "neuron", .methods = ANALYTIC,
     .meaning = "one rate for the layer, the smallest of its neurons', or each neuron its own"},
    {"rate.start", REAL(rate.start, LARGE), .above = true, .value = "1", .methods = ANALYTIC,
     .meaning = "first trial rate of the line search"},
    {"update", CHOICE(update, [UPDATE_SGD] = "sgd", [UPDATE_MOMENTUM] = "momentum",
                      [UPDATE_ADAGRAD] = "adagrad", [UPDATE_RMSPROP] = "rmsprop",
                      [UPDATE_ADADELTA] = "adadelta", [UPDATE_ADAM] = "adam", [UPDATE_AUTO] = "auto"),
     .value = "auto", .methods = GRADIENT,
     .meaning = "rule from gradient to step (2.2.2); auto: the method's name, else sgd"},
    {"learning_rate", REAL(learning_rate, LARGE), .above = true, .automatic = true, .value = "auto",
     .methods = GRADIENT,
     .meaning = "of the update rule; auto: the rule's usual one (fa, dfa with sgd: 0.03)"},
    {"momentum", REAL(momentum, 1), .automatic = true, .value = "auto", .methods = GRADIENT,
     .meaning = "beta of momentum and adam; auto: 0.9"},
    {"decay", REAL(decay, 1), .automatic = true, .value = "auto", .methods = GRADIENT,
     .meaning = "gamma of rmsprop (auto: 0.99), adadelta (0.9) and adam (0.999)"},
    {"epsilon", REAL(epsilon, 1), .above = true, .automatic = true, .value = "auto", .methods = GRADIENT,
     .meaning = "of rules that divide by a root; auto: adagrad 1e-10, rmsprop, adam 1e-8, adadelta 1e-6"},
    {"trees.depth", INTEGER(trees.depth, 1, 64), .methods = " " TREES, .value = "3",
     .meaning = "levels of splits in a tree, at most"},
    {"trees.leaves", INTEGER(trees.leaves, 2, 65536), .methods = " " TREES, .value = "8",
     .meaning = "leaves of a tree, at most"},
    {"trees.min_samples", INTEGER(trees.min_samples, 1, MANY), .methods = " " TREES, .value = "5",
     .meaning = "training samples in a leaf, at least"},
    {"trees.bins", INTEGER(trees.bins, 2, 256), .methods = " " TREES, .value = "64",
     .meaning = "bins of a feature, at most; splits lie between bins"},
    {"trees.rounds", INTEGER(trees.rounds, 1, 1000), .methods = " " TREES, .value = "5",
     .meaning = "trees that each output of a layer grows per step (inverses: inverse.steps)"},
    {"trees.shrinkage", REAL(trees.shrinkage, 1), .above = true, .methods = " " TREES, .value = "0.1",
     .meaning = "share of a leaf's mean residual that its tree adds"},
    {"average", REAL(average, LARGE), .automatic = true, .value = "auto", .methods = NETWORK,
     .meaning = "epochs that weights are averaged over for evaluation; auto: adaptive 1, else 0: latest"},
    {"augment.noise", REAL(augment.noise, LARGE), .value = "0", .methods = NETWORK,
     .meaning = "noise on training inputs, in standard deviations of the preprocessed data"},
    {"augment.shift", INTEGER(augment.shift, 0, 1000), .automatic = true, .value = "auto",
     .methods = NETWORK,
     .meaning = "pixels to move training images by, at most, each way; auto: adaptive 1, others 0"},
    {"augment.flip", CHOICE(augment.flip, [FLIP_NO] = "no", [FLIP_YES] = "yes", [FLIP_ALIKE] = "alike",
                             [FLIP_AUTO] = "auto"), .value = "auto", .methods = NETWORK,
     .meaning = "mirror half of the images; alike: of classes that look the same then; auto: adaptive alike"},
    {"init.forward", CHOICE(init.forward, [INIT_HE] = "he", [INIT_GLOROT] = "glorot",
                            [INIT_ORTHOGONAL] = "orthogonal"), .value = "orthogonal",
     .meaning = "how the weights start"},
    {"init.inverse", CHOICE(init.inverse, [INIT_HE] = "he", [INIT_GLOROT] = "glorot",
                            [INIT_ORTHOGONAL] = "orthogonal", [INIT_TRANSPOSE] = "transpose",
                            [INIT_AUTO] = "auto"), .value = "auto", .methods = TARGET,
     .meaning = "how the inverses start; transpose: as the first weights; auto: mirror orthogonal, others transpose"},
    {"preprocess", CHOICE(preprocess, [PREPROCESS_NONE] = "none", [PREPROCESS_SCALE] = "scale",
                          [PREPROCESS_CENTRE] = "centre", [PREPROCESS_STANDARDISE] = "standardise",
                          [PREPROCESS_ZCA] = "zca", [PREPROCESS_AUTO] = "auto"), .value = "auto",
     .meaning = "of the features, fitted on the training part; auto: images centre, else standardise"},
    {"reproducible", BOOL(reproducible), .value = "yes",
     .meaning = "same bits on any number of ranks; no: less travels, and grid may divide batches"},
    {"grid", TEXT(grid), .value = "auto", .methods = NETWORK, .later = true,
     .meaning = "parts of a batch x parts of the neurons, such as 2x4; auto: least traffic"},
    {"coordinator", CHOICE(coordinator, [COORDINATOR_SHARED] = "shared",
                           [COORDINATOR_DEDICATED] = "dedicated"), .value = "shared", .later = true,
     .meaning = "rank 0 owns neurons like the others, or only coordinates"},
    {"data.dir", TEXT(data.dir), .value = "", .later = true,
     .meaning = "folder of the data sets; empty: $RELUOPT_DATA, else data"},
    {"data.name", TEXT(data.name), .value = "rings-xor",
     .meaning = "rings, xor, rings-xor, soybean, mnist, fashion-mnist, cifar-10, or file"},
    {"data.train", TEXT(data.train), .value = "", .later = true,
     .meaning = "training file of data.name file, from the working directory; IDX, npy: samples,labels"},
    {"data.test", TEXT(data.test), .value = "", .later = true,
     .meaning = "test file of data.name file; empty: data.holdout decides"},
    {"data.label", TEXT(data.label), .value = "last",
     .meaning = "label column of a CSV file: first, last, or its name in the header"},
    {"data.header", CHOICE(data.header, "no", "yes", "auto"), .value = "auto",
     .meaning = "whether a CSV file begins with a header line"},
    {"data.train_samples", INTEGER(data.train_samples, 0, MANY), .value = "0",
     .meaning = "train on the first so many samples; 0: on all"},
    {"data.holdout", INTEGER(data.holdout, 0, MANY), .automatic = true, .value = "auto",
     .meaning = "samples to hold out where there is no test file; auto: soybean 7, files 0, generated sets 1000 more"},
    {"eval.train", CHOICE(eval.train, [TRAIN_AUTO] = "auto", [TRAIN_RUNNING] = "running",
                          [TRAIN_FULL] = "full"), .value = "auto",
     .meaning = "training figures: over the epoch's batches as they run, or over the whole set"},
    {"checkpoint.every", INTEGER(checkpoint.every, 0, MANY), .value = "1", .later = true,
     .meaning = "epochs between checkpoints; 0: one at the end"},
    {"checkpoint.steps", INTEGER(checkpoint.steps, 0, MANY), .value = "0", .later = true,
     .meaning = "batch steps between checkpoints, besides; 0: none by steps"},
    {"checkpoint.minutes", REAL(checkpoint.minutes, LARGE), .value = "0", .later = true,
     .meaning = "minutes between checkpoints, besides; 0: none by time"},
    {"checkpoint.keep", INTEGER(checkpoint.keep, 1, RELUOPT_MAX_KEPT), .value = "2", .later = true,
     .meaning = "good checkpoints to keep: checkpoint.h5 and, older, checkpoint-1.h5, ..."},
    {"max_time", REAL(max_time, LARGE), .value = "0", .later = true,
     .meaning = "minutes until a stop with a checkpoint, which is in time; 0: no limit"},
    {"stop.accuracy", REAL(stop.accuracy, 1), .value = "0", .later = true,
     .meaning = "done at this test accuracy (without a test part: training); 0: no such goal"},
};
// clang-format on

const size_t option_count = sizeof option_table / sizeof *option_table;
_Static_assert(sizeof option_table / sizeof *option_table <= OPTION_LIMIT, "room for the options");

/* ---- from text to value: each is true when the text was good, and leaves the member alone otherwise ---- */

static bool parse_number(const char *text, int64_t min, int64_t max, int64_t *number)
{
    char *end;
    if (text[strspn(text, "0123456789-")] != '\0')
        return false; /* strtoll would take leading spaces */
    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && min <= *number && *number <= max;
}

static bool parse_integer(const Option *option, const char *text, Config *config)
{
    void *member = (char *)config + option->offset;
    int64_t number = RELUOPT_AUTO;
    bool automatic = option->automatic && strcmp(text, "auto") == 0;
    if (!automatic && !parse_number(text, option->min, option->max, &number))
        return false;
    if (option->size == sizeof(int))
        *(int *)member = (int)number;
    else
        *(int64_t *)member = number;
    return true;
}

static bool parse_real(const Option *option, const char *text, Config *config)
{
    char *end;
    double number = RELUOPT_AUTO, min = (double)option->min, max = (double)option->max;
    if (!option->automatic || strcmp(text, "auto") != 0) {
        if (text[strspn(text, "0123456789+-.eE")] != '\0')
            return false; /* strtod would take spaces, hexadecimals, inf and nan */
        number = strtod(text, &end);
        if (end == text || *end != '\0' || !(number >= min && number <= max) ||
            (option->above && number <= min))
            return false;
    }
    *(double *)((char *)config + option->offset) = number;
    return true;
}

static bool parse_bool(const Option *option, const char *text, Config *config)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0)
        return false;
    *(bool *)((char *)config + option->offset) = yes;
    return true;
}

static bool parse_choice(const Option *option, const char *text, Config *config)
{
    for (int i = 0; option->choices[i]; i++)
        if (strcmp(text, option->choices[i]) == 0) {
            *(int *)((char *)config + option->offset) = i;
            return true;
        }
    return false;
}

static bool parse_text(const Option *option, const char *text, Config *config)
{
    unsigned character;
    size_t length = 0, step;
    while ((step = reluopt_utf8_read(text + length, &character)) > 0)
        length += step;
    if (text[length] != '\0' || length >= option->size)
        return false;
    char *member = (char *)config + option->offset;
    memset(member, 0, option->size);
    memcpy(member, text, length);
    return true;
}

/* "500,500" or "500, 500"; an empty text is no layer, which the check refuses. */
static bool parse_widths(const Option *option, const char *text, Config *config)
{
    int widths[RELUOPT_MAX_LAYERS] = {0}, count = 0;
    while (*text != '\0' || count > 0) {
        char number[16];
        size_t length = strcspn(text, ",");
        int64_t width;
        if (count == RELUOPT_MAX_LAYERS || length >= sizeof number)
            return false;
        memcpy(number, text, length);
        number[length] = '\0';
        if (!parse_number(number, option->min, option->max, &width))
            return false;
        widths[count++] = (int)width;
        if (text[length] == '\0')
            break;
        text += length + 1;
        text += strspn(text, " ");
    }
    memcpy(config->network, widths, sizeof widths);
    config->hidden = count;
    return true;
}

int option_set(const Option *option, Config *config, const char *value, const char *subject, Error *error)
{
    static bool (*const parse[])(const Option *, const char *, Config *) = {
        [TYPE_INTEGER] = parse_integer, [TYPE_REAL] = parse_real, [TYPE_BOOL] = parse_bool,
        [TYPE_CHOICE] = parse_choice,   [TYPE_TEXT] = parse_text, [TYPE_WIDTHS] = parse_widths,
    };
    if (parse[option->type](option, value, config))
        return RELUOPT_OK;
    char allowed[RELUOPT_ALLOWED];
    option_allowed(option, allowed);
    return reluopt_fail(error, RELUOPT_USAGE, "%s: must be %s", subject, allowed);
}

bool option_equal(const Option *option, const Config *a, const Config *b)
{
    return memcmp((const char *)a + option->offset, (const char *)b + option->offset, option->size) == 0;
}

int64_t option_integer(const Option *option, const Config *config)
{
    const void *member = (const char *)config + option->offset;
    return option->size == sizeof(int) ? *(const int *)member : *(const int64_t *)member;
}

/* ---- looking up keys ---- */

static const Option *lookup(const char *key)
{
    for (const Option *o = option_table; o < option_table + option_count; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

bool option_in_group(const Option *option, const char *group)
{
    size_t length = strlen(group);
    return strncmp(option->key, group, length) == 0 && option->key[length] == '.';
}

bool option_is_group(const char *key)
{
    for (size_t i = 0; i < option_count; i++)
        if (option_in_group(&option_table[i], key))
            return true;
    return false;
}

/* Levenshtein's distance: the fewest characters to insert, drop or replace.  `key` is from the table. */
static size_t distance(const char *typed, const char *key)
{
    size_t row[KEY_SIZE], length = strlen(key);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; typed[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t best = corner + (typed[i - 1] != key[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

/* The key closest to `typed`, as a whole or by its last part; NULL when more than a third of it differs. */
static const Option *closest(const char *typed)
{
    const Option *found = NULL;
    size_t least = (strlen(typed) + 1) / 3 + 1;
    for (const Option *o = option_table; o < option_table + option_count; o++) {
        const char *dot = strchr(o->key, '.');
        size_t whole = distance(typed, o->key);
        size_t part = dot ? distance(typed, dot + 1) : whole;
        size_t smaller = whole < part ? whole : part;
        if (smaller < least) {
            least = smaller;
            found = o;
        }
    }
    return found;
}

static void fail_group(const char *group, const char *subject, Error *error)
{
    char members[256] = "";
    size_t length = 0;
    for (const Option *o = option_table; o < option_table + option_count; o++)
        if (option_in_group(o, group))
            length += (size_t)snprintf(members + length, sizeof members - length, "%s%s",
                                       length > 0 ? ", " : "", o->key);
    reluopt_fail(error, RELUOPT_USAGE, "%s: is a group of keys: %s", subject, members);
}

const Option *option_find(const char *key, const char *subject, Error *error)
{
    const Option *option = lookup(key);
    if (option)
        return option;
    const Option *near = closest(key);
    if (option_is_group(key))
        fail_group(key, subject, error);
    else if (near)
        reluopt_fail(error, RELUOPT_USAGE, "%s: unknown key; did you mean %s?", subject, near->key);
    else
        reluopt_fail(error, RELUOPT_USAGE, "%s: unknown key; reluopt-mpi train --help lists all keys", subject);
    return NULL;
}

bool reluopt_config_is_key(const char *key)
{
    return lookup(key) != NULL;
}

const char *reluopt_config_choice(const char *key, int value)
{
    const Option *option = lookup(key);
    if (option && option->choices)
        for (int i = 0; option->choices[i]; i++)
            if (i == value)
                return option->choices[i];
    return "?";
}

void reluopt_config_default(Config *config)
{
    Error error = {0};
    memset(config, 0, sizeof *config);
    for (const Option *o = option_table; o < option_table + option_count; o++)
        option_set(o, config, o->value, o->key, &error);
    assert(error.code == RELUOPT_OK);
}

int reluopt_config_set(Config *config, const char *key, const char *value, Error *error)
{
    char subject[SUBJECT_SIZE];
    snprintf(subject, sizeof subject, "--%.60s", key);
    const Option *option = option_find(key, subject, error);
    if (!option)
        return error->code;
    snprintf(subject, sizeof subject, "--%s %.200s", key, *value != '\0' ? value : "''");
    return option_set(option, config, value, subject, error);
}
