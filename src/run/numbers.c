/* numbers.c - a run whose loss or weights are not finite ends in that step. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

/* The first row of this rank's part that has a number that is not finite; a.count when there is none. */
static size_t spoilt_row(const Array *a)
{
    for (size_t j = 0; a->type == ARRAY_FLOAT && j < a->count; j++)
        for (size_t k = 0; k < a->cols; k++)
            if (!isfinite(a->data[j * a->cols + k]))
                return j;
    return a->count;
}

/* "W2, row 37 (layer 2)": the first array that is spoilt on any rank; empty on ranks where it is not.
 * Collective. */
static void find(const Run *run, char where[64])
{
    Array list[RELUOPT_MAX_ARRAYS];
    size_t count = run->method->arrays(run->state, list), k = 0, row = 0;
    while (k < count && (row = spoilt_row(&list[k])) == list[k].count)
        k++;
    float first = (float)k;
    reluopt_comm_min(run->comm, &first, 1);
    where[0] = '\0';
    if (k < count && k == (size_t)first)
        snprintf(where, 64, "%s, row %zu (layer %ld)", list[k].name, list[k].first + row,
                 strtol(list[k].name + strcspn(list[k].name, "0123456789"), NULL, 10));
}

/* What is likely to blame, and what is left. */
static void explain(const Run *run, char text[256])
{
    const Config *config = &run->config;
    char cause[64] = "the self-chosen alpha";
    if (config->learning_rate != RELUOPT_AUTO)
        snprintf(cause, sizeof cause, "learning_rate = %g", config->learning_rate);
    else if (config->alpha != RELUOPT_AUTO)
        snprintf(cause, sizeof cause, "alpha = %g", config->alpha);
    int length =
        snprintf(text, 256, "%s is too large for this network, or the data need preprocessing", cause);
    if (run->kept > 0)
        snprintf(text + length, 256 - (size_t)length, "; the checkpoint of step %lld is kept",
                 (long long)run->kept);
}

int run_check_numbers(const Run *run, double loss, bool spoilt, Error *error)
{
    char where[64], why[256];
    if (isfinite(loss) && !spoilt)
        return RELUOPT_OK;
    explain(run, why);
    if (!spoilt)
        return reluopt_fail(error, RELUOPT_NUMERIC, "step %lld: the loss, of layer %d, is not finite: %s",
                            (long long)run->steps, run->config.hidden + 1, why);
    find(run, where);
    if (where[0])
        reluopt_fail(error, RELUOPT_NUMERIC, "step %lld: %s is not finite: %s", (long long)run->steps, where,
                     why);
    return reluopt_comm_agree(run->comm, error);
}
