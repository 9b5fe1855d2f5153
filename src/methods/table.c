/* table.c - the table of methods: a new one is a file and a row. */
#include <stdio.h>
#include <string.h>

#include "reluopt/method.h"

static const Method *const table[] = {
    &reluopt_method_adaptive, &reluopt_method_gd,      &reluopt_method_sgd,      &reluopt_method_momentum,
    &reluopt_method_adagrad,  &reluopt_method_rmsprop, &reluopt_method_adadelta, &reluopt_method_adam,
    &reluopt_method_fa,       &reluopt_method_dfa,     &reluopt_method_tp,       &reluopt_method_dtp,
    &reluopt_method_mgbdt,
};
enum { METHODS = sizeof table / sizeof table[0] };

const Method *reluopt_method(size_t index)
{
    return index < METHODS ? table[index] : NULL;
}

int reluopt_method_check(const Method *method, const void *state, const char *path, Error *error)
{
    if (method->sound && !method->sound(state))
        reluopt_fail(error, RELUOPT_STORAGE, "%s: its trees refer to nodes or features that there are not",
                     path);
    return error->code;
}

const Method *reluopt_method_find(const char *name, Error *error)
{
    char names[256] = "";
    for (int i = 0; i < METHODS; i++) {
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", table[i]->name);
    }
    reluopt_fail(error, RELUOPT_USAGE, "method: '%s' is not a method; there are: %s", name, names);
    return NULL;
}
