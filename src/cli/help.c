/* help.c - reluopt-mpi help: the help of a subcommand, the manual page, the reference of keys, the
 * completion script. */
#include "reluopt/cli.h"

/* Rank 0. */
static int show(const Arguments *arguments, Error *error)
{
    const char *name = arguments->count > 0 ? arguments->positional[0] : NULL;
    const Command *command = name ? reluopt_cli_find(name) : NULL;
    if (reluopt_cli_option(arguments, "man"))
        reluopt_cli_manual(stdout);
    else if (reluopt_cli_option(arguments, "reference"))
        reluopt_cli_reference(stdout);
    else if (reluopt_cli_option(arguments, "completion"))
        reluopt_cli_completion(stdout);
    else if (command)
        reluopt_cli_help(stdout, command, NULL, error);
    else if (name)
        reluopt_cli_help(stdout, &reluopt_command_train, name, error);
    else
        reluopt_cli_program_help(stdout);
    return error->code;
}

static int run_help(Comm *comm, const Arguments *arguments, Error *error)
{
    if (comm->rank == 0)
        show(arguments, error);
    return reluopt_comm_agree(comm, error);
}

const Command reluopt_command_help = {
    .name = "help",
    .about = "help on a command or a configuration key",
    .synopsis = "[COMMAND|KEY]",
    .text = "The help of a command, as COMMAND --help prints it, or the meaning of a configuration key.",
    .examples = "reluopt-mpi help eval\n"
                "reluopt-mpi help inverse.kind\n"
                "source <(reluopt-mpi help --completion)\n",
    .most = 1,
    .option = {{"man", NULL, "print the manual page, for man -l"},
               {"reference", NULL, "print the reference of all configuration keys, in Markdown"},
               {"completion", NULL, "print the completion script for bash"}},
    .run = run_help,
};
