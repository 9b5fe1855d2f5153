/* reference.c - docs/configuration.md, from the option table and the table of methods. */
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/method.h"

/* Length of the group in a key, 0 where it has none: 4 of "data.dir". */
static size_t group_length(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot ? (size_t)(dot - key) : 0;
}

/* Text in a cell of a table. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fprintf(out, "%s%c", strchr("|<*_", *text) ? "\\" : "", *text);
}

static void put_key(FILE *out, const KeyInfo *info)
{
    fprintf(out, "| `%s`%s | ", info->key, info->later ? " +" : "");
    put_cell(out, info->meaning);
    fprintf(out, " | ");
    put_cell(out, info->allowed);
    fprintf(out, " |%s|\n", info->methods ? info->methods : " all ");
}

/* The keys of a group (its first key, and the length of its name), or those without a group. */
static void put_group(FILE *out, const char *first, size_t length)
{
    KeyInfo info;
    fprintf(out, "\n## %.*s\n\n| key | meaning | values | methods |\n|---|---|---|---|\n",
            length > 0 ? (int)length : 4, length > 0 ? first : "Keys");
    for (size_t i = 0; reluopt_config_key(i, &info); i++)
        if (group_length(info.key) == length && strncmp(info.key, first, length) == 0)
            put_key(out, &info);
}

/* Whether no key before this one is of its group. */
static bool is_first_of_group(size_t index, size_t length)
{
    KeyInfo info, before;
    reluopt_config_key(index, &info);
    for (size_t i = 0; i < index && reluopt_config_key(i, &before); i++)
        if (group_length(before.key) == length && strncmp(before.key, info.key, length) == 0)
            return false;
    return true;
}

void reluopt_cli_reference(FILE *out)
{
    KeyInfo info;
    const Method *method;
    fprintf(
        out,
        "# Configuration\n\n<!-- Made by `make docs` from the option table; do not edit. -->\n\n"
        "In a file as `key: value` (YAML), on the command line as `--key value`, which comes last. A key\n"
        "with a dot may also stand in a group: `inverse: {kind: fixed}`. `reluopt-mpi config` prints a\n"
        "commented file with all defaults; `reluopt-mpi config FILE` checks one. A setting that the method\n"
        "does not use is refused where it differs from the default. Keys marked + may be given anew when a\n"
        "run is resumed, as in `train --resume RUN --epochs 40`, which goes on with a finished run.\n");
    put_group(out, "", 0);
    for (size_t i = 0; reluopt_config_key(i, &info); i++) {
        size_t length = group_length(info.key);
        if (length > 0 && is_first_of_group(i, length))
            put_group(out, info.key, length);
    }
    fprintf(out, "\n## Methods\n\n| `method` | |\n|---|---|\n");
    for (size_t i = 0; (method = reluopt_method(i)); i++) {
        fprintf(out, "| `%s` | ", method->name);
        put_cell(out, method->about);
        fprintf(out, " |\n");
    }
}
