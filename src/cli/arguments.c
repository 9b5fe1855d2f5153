/* arguments.c - what all subcommands read from a command line. */
#include <stdio.h>
#include <string.h>

#include "reluopt/cli.h"

/* "--KEY VALUE" or "--KEY=VALUE" at arguments[*at]: copies the key, points to the value, moves *at to the last
 * argument used. */
static int take_key(Arguments arguments, int *at, char key[64], const char **value, Error *error)
{
    const char *name = arguments.text[*at] + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    snprintf(key, 64, "%.*s", length < 64 ? (int)length : 63, name);
    if (equals) {
        *value = equals + 1;
        return RELUOPT_OK;
    }
    if (*at + 1 >= arguments.count)
        return reluopt_fail(error, RELUOPT_USAGE, "--%s: a value must follow", key);
    *value = arguments.text[++*at];
    return RELUOPT_OK;
}

int reluopt_cli_parse(Arguments arguments, int positionals, Options *options, Error *error)
{
    int found = 0;
    char key[64];
    const char *value;
    for (int i = 0; i < arguments.count && !error->code; i++) {
        const char *text = arguments.text[i];
        if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
            options->help = true;
        } else if (strncmp(text, "--", 2) == 0) {
            if (take_key(arguments, &i, key, &value, error) == RELUOPT_OK && strcmp(key, "out") == 0)
                options->out = value;
        } else if (found < positionals) {
            options->positional[found++] = text;
        } else {
            reluopt_fail(error, RELUOPT_USAGE, "'%s' is one argument too many; see --help", text);
        }
    }
    return error->code;
}

int reluopt_cli_overrides(Arguments arguments, Config *config, Error *error)
{
    char key[64];
    const char *value;
    for (int i = 0; i < arguments.count && !error->code; i++)
        if (strncmp(arguments.text[i], "--", 2) == 0 &&
            take_key(arguments, &i, key, &value, error) == RELUOPT_OK && strcmp(key, "out") != 0)
            reluopt_config_set(config, key, value, error);
    return error->code;
}
