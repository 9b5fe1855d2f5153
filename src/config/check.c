/* check.c - what depends on several settings at once. */
#include <string.h>

#include "reluopt/config.h"

enum { USUAL_BATCH = 100 };

void reluopt_config_resolve(Config *config)
{
    if (config->batch == RELUOPT_AUTO)
        config->batch = config->variant == VARIANT_BATCH ? USUAL_BATCH : 0;
}

/* What is wrong with the settings, and how to mend it; NULL when nothing is. */
static const char *conflict(const Config *c, int size)
{
    bool file = strcmp(c->data.name, "file") == 0;
    if (c->hidden == 0)
        return "network: at least one hidden layer is needed, such as network: 100";
    if (c->variant == VARIANT_ONLINE && c->batch > 0)
        return "variant: online uses the whole training set: set batch: 0 or variant: batch";
    if (c->variant == VARIANT_BATCH && c->batch == 0)
        return "variant: batch needs a batch size: set batch: 100, or variant: online for the whole training "
               "set";
    if (strcmp(c->method, "mgbdt") == 0 && c->variant != VARIANT_ONLINE)
        return "method: mgbdt grows trees on the whole training set: set variant: online";
    if (strcmp(c->method, "mgbdt") == 0 && c->inverse.kind != INVERSE_TRAINED)
        return "method: mgbdt has no inverses but trained ones: set inverse.kind: trained";
    if (c->coordinator == COORDINATOR_DEDICATED && size == 1)
        return "coordinator: dedicated leaves no rank to train on: use at least 2 ranks, or coordinator: "
               "shared";
    if (c->inverse.kind == INVERSE_TRAINED && c->inverse.steps == 0)
        return "inverse.kind: trained needs inverse.steps of at least 1; without training: inverse.kind: fixed";
    if (file && c->data.train[0] == '\0')
        return "data.name: file needs data.train, the training file";
    if (!file && (c->data.train[0] != '\0' || c->data.test[0] != '\0'))
        return "data.train and data.test are read only with data.name: file";
    return NULL;
}

int reluopt_config_check(const Config *config, int size, Error *error)
{
    const char *problem = conflict(config, size);
    return problem ? reluopt_fail(error, RELUOPT_USAGE, "%s", problem) : RELUOPT_OK;
}
