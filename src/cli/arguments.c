/* arguments.c - takes a command line apart by the fields of its subcommand. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reluopt/cli.h"
#include "reluopt/memory.h"

/* The place of a subcommand's own option; -1: none of that name. */
static int find_option(const Command *command, const char *name)
{
    for (int i = 0; i < RELUOPT_CLI_OPTIONS && command->option[i].name; i++)
        if (strcmp(command->option[i].name, name) == 0)
            return i;
    return -1;
}

/* "--NAME", "--NAME VALUE" or "--NAME=VALUE" at text[*at]; *at moves to the last text used. */
static int take_option(Arguments *arguments, int *at, int count, char **text, Error *error)
{
    const Command *command = arguments->command;
    char *name = text[*at] + 2, *value = strchr(name, '=');
    if (value)
        *value++ = '\0';
    int own = find_option(command, name);
    if (own < 0 && !(command->takes && command->takes(name)))
        return reluopt_fail(error, RELUOPT_USAGE, "--%s is no option of this command; see its --help", name);
    if (own >= 0 && !command->option[own].value) {
        arguments->option[own] = "";
        return value ? reluopt_fail(error, RELUOPT_USAGE, "--%s takes no value", name) : RELUOPT_OK;
    }
    if (!value && *at + 1 == count)
        return reluopt_fail(error, RELUOPT_USAGE, "--%s: a value must follow", name);
    if (!value)
        value = text[++*at];
    if (own >= 0) {
        arguments->option[own] = value;
    } else {
        const char **pair = &arguments->key[2 * (size_t)arguments->keys++];
        pair[0] = name;
        pair[1] = value;
    }
    return RELUOPT_OK;
}

/* The argument at text[*at], whatever it is. */
static void take(Arguments *arguments, int *at, int count, char **text, Error *error)
{
    const char *word = text[*at];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        arguments->help = true;
        arguments->topic = *at + 1 < count ? text[*at + 1] : NULL;
    } else if (strncmp(word, "--", 2) == 0) {
        take_option(arguments, at, count, text, error);
    } else if (word[0] == '-') {
        reluopt_fail(error, RELUOPT_USAGE, "'%s' is no option: options are --KEY VALUE; see --help", word);
    } else if (arguments->count == arguments->command->most) {
        reluopt_fail(error, RELUOPT_USAGE, "'%s' is one argument too many; see --help", word);
    } else {
        arguments->positional[arguments->count++] = word;
    }
}

int reluopt_cli_parse(Arguments *arguments, const Command *command, int count, char **text, Error *error)
{
    *arguments = (Arguments){.command = command};
    arguments->positional = reluopt_alloc((size_t)count, sizeof *arguments->positional, error);
    arguments->key = reluopt_alloc(2 * (size_t)count, sizeof *arguments->key, error);
    for (int i = 0; i < count && !error->code && !arguments->help; i++)
        take(arguments, &i, count, text, error);
    if (!arguments->help && arguments->count < command->least)
        reluopt_fail(error, RELUOPT_USAGE, "%s needs more arguments; usage: reluopt-mpi %s %s", command->name,
                     command->name, command->synopsis);
    return error->code;
}

void reluopt_cli_free(Arguments *arguments)
{
    free(arguments->positional);
    free(arguments->key);
}

const char *reluopt_cli_option(const Arguments *arguments, const char *name)
{
    int i = find_option(arguments->command, name);
    return i < 0 ? NULL : arguments->option[i];
}

/* The next path of a comma separated list, which moves on; false after the last. */
static bool next_path(const char **list, char path[PATH_MAX])
{
    size_t length = strcspn(*list, ",");
    if (length == 0 || length >= PATH_MAX)
        return false;
    memcpy(path, *list, length);
    path[length] = '\0';
    *list += length + ((*list)[length] == ',');
    return true;
}

int reluopt_cli_spares_input(const Arguments *arguments, Error *error)
{
    const char *out = reluopt_cli_option(arguments, "out");
    struct stat written, read;
    char path[PATH_MAX];
    if (!out || stat(out, &written) != 0)
        return RELUOPT_OK;
    for (int i = 0; i < arguments->count; i++)
        for (const char *list = arguments->positional[i]; next_path(&list, path);)
            if (stat(path, &read) == 0 && read.st_dev == written.st_dev && read.st_ino == written.st_ino &&
                S_ISREG(read.st_mode))
                return reluopt_fail(error, RELUOPT_USAGE, "--out %s is the input %s: name another file", out,
                                    path);
    return RELUOPT_OK;
}

int reluopt_cli_overrides(const Arguments *arguments, Config *config, Error *error)
{
    for (int i = 0; i < arguments->keys && !error->code; i++)
        reluopt_config_set(config, arguments->key[2 * (size_t)i], arguments->key[2 * (size_t)i + 1], error);
    return error->code;
}

int reluopt_cli_stored(Config *config, const CheckpointMeta *meta, const char *path, Error *error)
{
    reluopt_config_default(config);
    if (reluopt_config_parse(config, meta->config, strlen(meta->config), path, error))
        return error->code;
    config->coordinator = COORDINATOR_SHARED;
    reluopt_config_set(config, "grid", "auto", error);
    return RELUOPT_OK;
}
