/* arguments.c - what all subcommands read from a command line. */
#include <stdio.h>
#include <string.h>

#include "reluopt/cli.h"

enum { KEY_ROOM = 64 };

/* The key of "--KEY" or "--KEY=VALUE"; returns VALUE, or NULL. */
static const char *split(const char *text, char key[KEY_ROOM])
{
    const char *name = text + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    snprintf(key, KEY_ROOM, "%.*s", length < KEY_ROOM ? (int)length : KEY_ROOM - 1, name);
    return equals ? equals + 1 : NULL;
}

/* "--KEY VALUE" or "--KEY=VALUE" at arguments[*at]: copies the key, points to the value, moves *at to the last
 * argument used. */
static int take_key(Arguments arguments, int *at, char key[KEY_ROOM], const char **value, Error *error)
{
    *value = split(arguments.text[*at], key);
    if (*value)
        return RELUOPT_OK;
    if (*at + 1 >= arguments.count)
        return reluopt_fail(error, RELUOPT_USAGE, "--%s: a value must follow", key);
    *value = arguments.text[++*at];
    return RELUOPT_OK;
}

static bool is_option(const char *text)
{
    return strncmp(text, "--", 2) == 0;
}

/* The option at arguments[*at], if the subcommand takes it. */
static int take_option(Arguments arguments, int *at, Takes *takes, Options *options, Error *error)
{
    const char *value;
    char key[KEY_ROOM];
    split(arguments.text[*at], key);
    if (!takes(key))
        return reluopt_fail(error, RELUOPT_USAGE, "--%s is no option of this command; see its --help", key);
    if (strcmp(arguments.text[*at], "--verify") == 0) {
        options->verify = true;
        return RELUOPT_OK;
    }
    if (take_key(arguments, at, key, &value, error) == RELUOPT_OK) {
        if (strcmp(key, "out") == 0)
            options->out = value;
        if (strcmp(key, "resume") == 0)
            options->resume = value;
    }
    return error->code;
}

int reluopt_cli_parse(Arguments arguments, int positionals, Takes *takes, Options *options, Error *error)
{
    int found = 0;
    for (int i = 0; i < arguments.count && !error->code && !options->help; i++) {
        const char *text = arguments.text[i];
        if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0)
            options->help = true;
        else if (is_option(text))
            take_option(arguments, &i, takes, options, error);
        else if (text[0] == '-')
            reluopt_fail(error, RELUOPT_USAGE, "'%s' is no option: options are --KEY VALUE; see --help", text);
        else if (found == positionals)
            reluopt_fail(error, RELUOPT_USAGE, "'%s' is one argument too many; see --help", text);
        else
            options->positional[found++] = text;
    }
    return error->code;
}

int reluopt_cli_overrides(Arguments arguments, Config *config, Error *error)
{
    char key[KEY_ROOM];
    const char *value;
    for (int i = 0; i < arguments.count && !error->code; i++)
        if (is_option(arguments.text[i]) && take_key(arguments, &i, key, &value, error) == RELUOPT_OK &&
            strcmp(key, "out") != 0 && strcmp(key, "resume") != 0)
            reluopt_config_set(config, key, value, error);
    return error->code;
}
