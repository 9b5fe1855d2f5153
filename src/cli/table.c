/* table.c - the table of subcommands: a new one is a file, a declaration and a row. */
#include <string.h>

#include "reluopt/cli.h"

// clang-format off
static const Command *const table[] = {
    &reluopt_command_train,
    &reluopt_command_eval,
    &reluopt_command_predict,
    &reluopt_command_info,
    &reluopt_command_report,
    &reluopt_command_export,
    &reluopt_command_bench,
    &reluopt_command_config,
    &reluopt_command_help,
};
// clang-format on
enum { COMMANDS = sizeof table / sizeof table[0] };

const Command *reluopt_cli_command(size_t index)
{
    return index < COMMANDS ? table[index] : NULL;
}

const Command *reluopt_cli_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}
