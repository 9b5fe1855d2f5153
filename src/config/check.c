/* check.c - what depends on several settings at once. */
#include <stdio.h>
#include <string.h>

#include "table.h"

enum { USUAL_BATCH = 100, NONE = RELUOPT_AUTO };

/* What settings stand for at auto. */
typedef struct Usual {
    const char *method;
    Variant variant;
    Update update;
    bool named;           /* the method is this rule by name, so no other will do */
    double learning_rate; /* with that rule; NONE: the rule's own */
    double alpha;         /* NONE: not used, or chosen by the method itself */
    InverseKind inverse;  /* INVERSE_AUTO: not used */
    double average;       /* NONE: not used */
    int shift;            /* NONE: not used, or up to the data */
    Flip flip;            /* FLIP_AUTO: the same */
} Usual;

// clang-format off
static const Usual usual_of_method[] = {
    {"adaptive", VARIANT_BATCH,  UPDATE_AUTO,     false, NONE, NONE, INVERSE_MIRROR,  1,    NONE, FLIP_AUTO},
    {"tp",       VARIANT_BATCH,  UPDATE_ADAM,     false, NONE, 0.1,  INVERSE_TRAINED, 0,    0,    FLIP_NO},
    {"dtp",      VARIANT_BATCH,  UPDATE_ADAM,     false, NONE, 0.1,  INVERSE_TRAINED, 0,    0,    FLIP_NO},
    {"mgbdt",    VARIANT_ONLINE, UPDATE_AUTO,     false, NONE, 1,    INVERSE_AUTO,    NONE, NONE, FLIP_AUTO},
    {"gd",       VARIANT_ONLINE, UPDATE_SGD,      true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"sgd",      VARIANT_BATCH,  UPDATE_SGD,      true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"momentum", VARIANT_BATCH,  UPDATE_MOMENTUM, true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"adagrad",  VARIANT_BATCH,  UPDATE_ADAGRAD,  true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"rmsprop",  VARIANT_BATCH,  UPDATE_RMSPROP,  true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"adadelta", VARIANT_BATCH,  UPDATE_ADADELTA, true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"adam",     VARIANT_BATCH,  UPDATE_ADAM,     true,  NONE, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"fa",       VARIANT_BATCH,  UPDATE_SGD,      false, 0.03, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
    {"dfa",      VARIANT_BATCH,  UPDATE_SGD,      false, 0.03, NONE, INVERSE_AUTO,    0,    0,    FLIP_NO},
};

/* What the numbers of an update rule stand for at auto; those that it does not use stay at auto. */
static const struct {
    double learning_rate, momentum, decay, epsilon;
} usual_of_rule[] = {
    [UPDATE_SGD]      = {0.1,   NONE, NONE,  NONE},
    [UPDATE_MOMENTUM] = {0.02,  0.9,  NONE,  NONE},
    [UPDATE_ADAGRAD]  = {0.01,  NONE, NONE,  1e-10},
    [UPDATE_RMSPROP]  = {0.001, NONE, 0.99,  1e-8},
    [UPDATE_ADADELTA] = {1,     NONE, 0.9,   1e-6},
    [UPDATE_ADAM]     = {0.001, 0.9,  0.999, 1e-8},
    [UPDATE_AUTO]     = {NONE,  NONE, NONE,  NONE},
};
// clang-format on

/* NULL for a name that is no method: the table of methods refuses it. */
static const Usual *usual_of(const char *method)
{
    for (size_t i = 0; i < sizeof usual_of_method / sizeof *usual_of_method; i++)
        if (strcmp(method, usual_of_method[i].method) == 0)
            return &usual_of_method[i];
    return NULL;
}

static void settle(double *number, double usual)
{
    if (*number == RELUOPT_AUTO)
        *number = usual;
}

/* A choice, or a whole number. */
static void choose(int *choice, int automatic, int usual)
{
    if (*choice == automatic)
        *choice = usual;
}

static void resolve_rates(Config *config, const Usual *usual)
{
    if (usual && config->update == (int)usual->update)
        settle(&config->learning_rate, usual->learning_rate);
    settle(&config->learning_rate, usual_of_rule[config->update].learning_rate);
    settle(&config->momentum, usual_of_rule[config->update].momentum);
    settle(&config->decay, usual_of_rule[config->update].decay);
    settle(&config->epsilon, usual_of_rule[config->update].epsilon);
}

void reluopt_config_resolve(Config *config)
{
    const Usual *usual = usual_of(config->method);
    if (usual) {
        choose(&config->variant, VARIANT_AUTO, (int)usual->variant);
        choose(&config->update, UPDATE_AUTO, (int)usual->update);
        choose(&config->inverse.kind, INVERSE_AUTO, (int)usual->inverse);
        choose(&config->augment.shift, RELUOPT_AUTO, usual->shift);
        choose(&config->augment.flip, FLIP_AUTO, (int)usual->flip);
        settle(&config->alpha, usual->alpha);
        settle(&config->average, usual->average);
    }
    if (config->inverse.kind != INVERSE_AUTO)
        choose(&config->init.inverse, INIT_AUTO,
               config->inverse.kind == INVERSE_MIRROR ? INIT_ORTHOGONAL : INIT_TRANSPOSE);
    choose(&config->batch, RELUOPT_AUTO, config->variant == VARIANT_BATCH ? USUAL_BATCH : 0);
    resolve_rates(config, usual);
}

void reluopt_config_resolve_data(Config *config, bool images)
{
    choose(&config->preprocess, PREPROCESS_AUTO, images ? PREPROCESS_CENTRE : PREPROCESS_STANDARDISE);
    bool moved = images && config->preprocess != PREPROCESS_ZCA;
    if (strcmp(config->method, "mgbdt") != 0) {
        choose(&config->augment.shift, RELUOPT_AUTO, moved ? 1 : 0);
        choose(&config->augment.flip, FLIP_AUTO, moved ? FLIP_ALIKE : FLIP_NO);
    }
}

void reluopt_config_spare_training(Config *config)
{
    config->alpha = 1;
    config->direction = DIRECTION_CENTRED;
    config->inverse.kind = INVERSE_TRANSPOSE;
    if (config->update != UPDATE_AUTO)
        config->update = UPDATE_SGD;
}

/* What is wrong with the settings, and how to mend it; NULL when nothing is. */
static const char *conflict(const Config *c, int size)
{
    const Usual *usual = usual_of(c->method);
    bool file = strcmp(c->data.name, "file") == 0, trees = strcmp(c->method, "mgbdt") == 0;
    if (c->hidden == 0)
        return "network: at least one hidden layer is needed, such as network: 100";
    if (trees && c->inverse.steps == 0)
        return "method: mgbdt needs inverse.steps of at least 1";
    if (trees && (c->variant != VARIANT_ONLINE || c->batch > 0))
        return "method: mgbdt grows its trees on the whole training set: leave variant and batch out";
    if (c->variant == VARIANT_ONLINE && c->batch > 0)
        return "variant: online uses the whole training set: set batch: 0 or variant: batch";
    if (c->variant == VARIANT_BATCH && c->batch == 0)
        return "variant: batch needs a batch size: set batch: 100, or variant: online for the whole training "
               "set";
    if (usual && usual->update != UPDATE_AUTO && c->variant == VARIANT_LINE_SEARCH)
        return "variant: line-search is for method: adaptive; others take variant: batch or online";
    if (strcmp(c->method, "gd") == 0 && c->variant != VARIANT_ONLINE)
        return "method: gd uses the whole training set: set variant: online, or method: sgd for batches";
    if (usual && usual->named && c->update != (int)usual->update)
        return "update: the method has a rule of its own; name that rule as the method instead";
    if (c->batch_norm && c->batch == 1)
        return "batch_norm: one sample has no variance: set batch: 2 or more";
    if (c->batch == 1 && usual && usual->update == UPDATE_AUTO && c->direction != DIRECTION_PLAIN && !trees)
        return "direction: one sample does not differ from its mean: set batch: 2 or more, or direction: plain";
    if (c->batch_norm && c->average > 0)
        return "average: the statistics of batch_norm belong to the latest weights: leave one of the two out";
    if (c->preprocess == PREPROCESS_ZCA &&
        (c->augment.shift > 0 || c->augment.flip == FLIP_YES || c->augment.flip == FLIP_ALIKE))
        return "augment.shift and augment.flip move pixels, and preprocess: zca mixes them: use preprocess: "
               "standardise";
    if (c->momentum >= 1 || c->decay >= 1)
        return "momentum and decay must be less than 1";
    if (c->coordinator == COORDINATOR_DEDICATED && size == 1)
        return "coordinator: dedicated leaves no rank to train on: use at least 2 ranks, or coordinator: "
               "shared";
    if ((c->inverse.kind == INVERSE_TRAINED || c->inverse.kind == INVERSE_MIRROR) && c->inverse.steps == 0)
        return "inverse.kind: trained and mirror need inverse.steps of at least 1; without training: "
               "inverse.kind: fixed";
    if (c->inverse.kind == INVERSE_MIRROR && usual && usual->update != UPDATE_AUTO)
        return "inverse.kind: mirror is for method: adaptive";
    if (c->inverse.kind != INVERSE_TRAINED &&
        (c->inverse.warmup > 0 || c->inverse.alternate || c->inverse.rate != RELUOPT_AUTO))
        return "inverse.warmup, inverse.alternate and inverse.rate need inverse.kind: trained";
    if (c->inverse.warmup + (c->inverse.alternate ? 1 : 0) >= c->epochs)
        return "inverse.warmup leaves no epoch to train the weights: set more epochs";
    if (file && c->data.train[0] == '\0')
        return "data.name: file needs data.train, the path of the training data";
    if (!file && (c->data.train[0] != '\0' || c->data.test[0] != '\0'))
        return "data.train and data.test are read only with data.name: file: set that";
    return NULL;
}

/* Settings that were changed though the method, or its update rule, does not use them. */
static int check_use(const Config *config, Error *error)
{
    Config usual;
    char method[sizeof config->method + 2];
    snprintf(method, sizeof method, " %s ", config->method);
    reluopt_config_default(&usual);
    for (const Option *o = option_table; o < option_table + option_count; o++)
        if (o->methods && !strstr(o->methods, method) && !option_equal(o, config, &usual))
            return reluopt_fail(
                error, RELUOPT_USAGE,
                "%s: not used by method: %s, only by%.*s; leave it out, or make the configuration "
                "anew: reluopt-mpi config --method %s",
                o->key, config->method, (int)strlen(o->methods) - 1, o->methods, config->method);
    const struct {
        const char *key;
        double value, usual;
    } numbers[] = {
        {"momentum", config->momentum, usual_of_rule[config->update].momentum},
        {"decay", config->decay, usual_of_rule[config->update].decay},
        {"epsilon", config->epsilon, usual_of_rule[config->update].epsilon},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].usual == RELUOPT_AUTO && numbers[i].value != RELUOPT_AUTO)
            return reluopt_fail(error, RELUOPT_USAGE, "%s: not used by the update rule %s; leave it out",
                                numbers[i].key, reluopt_config_choice("update", config->update));
    return RELUOPT_OK;
}

int reluopt_config_check(const Config *config, int size, Error *error)
{
    if (check_use(config, error))
        return error->code;
    const char *problem = conflict(config, size);
    return problem ? reluopt_fail(error, RELUOPT_USAGE, "%s", problem)
                   : reluopt_config_check_grid(config, size, error);
}

int reluopt_config_check_resume(const Config *before, const Config *now, Error *error)
{
    for (const Option *o = option_table; o < option_table + option_count; o++)
        if (!o->later && !option_equal(o, before, now))
            return reluopt_fail(error, RELUOPT_USAGE, "%s: cannot change while a run goes on: start a new one",
                                o->key);
    if (strcmp(now->method, "mgbdt") == 0 && before->epochs != now->epochs)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "epochs: method mgbdt has room for the trees of %d: start a new run",
                            before->epochs);
    return RELUOPT_OK;
}
