/* grid.c - how the ranks are arranged: the setting, and what does not go with several indices of the data. */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The number from 1 on that `text` begins with, and where it ends; 0: there is none. */
static int read_side(const char *text, char **end)
{
    long side = *text >= '1' && *text <= '9' ? strtol(text, end, 10) : 0;
    return side > 0 && side <= 1 << 24 ? (int)side : 0;
}

int reluopt_config_grid(const Config *config, int size, int *data, Error *error)
{
    char *end = NULL;
    *data = 0;
    if (strcmp(config->grid, "auto") == 0)
        return RELUOPT_OK;
    int rows = read_side(config->grid, &end), neurons = rows && *end == 'x' ? read_side(end + 1, &end) : 0;
    if (neurons == 0 || *end != '\0')
        return reluopt_fail(error, RELUOPT_USAGE,
                            "grid: %s: must be auto, or the parts of a batch and of the neurons, such as 2x4",
                            config->grid);
    if ((int64_t)rows * neurons != size)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "grid: %s is for %lld ranks, and there are %d: set another one, or grid: auto",
                            config->grid, (long long)rows * neurons, size);
    *data = rows;
    return RELUOPT_OK;
}

const char *reluopt_config_undivided(const Config *config)
{
    if (strcmp(config->method, "mgbdt") == 0)
        return "method: mgbdt has no sums over a batch that could be divided";
    if (config->reproducible)
        return "sums over parts of a batch have bits of their own: set reproducible: no";
    if (config->coordinator == COORDINATOR_DEDICATED)
        return "coordinator: dedicated is for all ranks along the neurons: leave it out";
    if (config->rate.rule == RATE_EXACT && config->rate.scope == SCOPE_NEURON)
        return "rate.rule: exact of a neuron needs all samples in one place: set rate.scope: layer";
    return NULL;
}

int reluopt_config_check_grid(const Config *config, int size, Error *error)
{
    int data;
    if (reluopt_config_grid(config, size, &data, error))
        return error->code;
    const char *reason = data > 1 ? reluopt_config_undivided(config) : NULL;
    return reason
               ? reluopt_fail(error, RELUOPT_USAGE, "grid: %s: %s, or grid: 1x%d", config->grid, reason, size)
               : RELUOPT_OK;
}
