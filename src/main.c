/* main.c - picks the subcommand, prints the one error line, returns the exit code. */
#include <stdio.h>
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/dense.h"
#include "reluopt/progress.h"
#include "reluopt/stop.h"

/* Take the subcommand's arguments apart and run it.  Collective. */
static int run(Comm *comm, const Command *command, int count, char **text, Error *error)
{
    Arguments arguments;
    reluopt_cli_parse(&arguments, command, count, text, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK && !arguments.help)
        command->run(comm, &arguments, error);
    if (error->code && comm->rank == 0 && reluopt_cli_option(&arguments, "json"))
        reluopt_event_error(error);
    if (arguments.help) {
        if (comm->rank == 0)
            reluopt_cli_help(stdout, command, arguments.topic, error);
        reluopt_comm_agree(comm, error);
    }
    reluopt_cli_free(&arguments);
    return error->code;
}

/* What the arguments ask for; "train" where they name no subcommand.  Collective. */
static int dispatch(Comm *comm, int argc, char **argv, Error *error)
{
    const char *name = argc > 1 ? argv[1] : "train";
    const Command *command = reluopt_cli_find(name);
    if (command)
        return run(comm, command, argc > 2 ? argc - 2 : 0, argv + 2, error);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        if (comm->rank == 0)
            reluopt_cli_program_help(stdout);
        return RELUOPT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        if (comm->rank == 0)
            reluopt_cli_version(stdout);
        return RELUOPT_OK;
    }
    if (strncmp(name, "--", 2) == 0)
        return run(comm, &reluopt_command_train, argc - 1, argv + 1, error);
    return reluopt_fail(error, RELUOPT_USAGE, "'%s' is not a command; see reluopt-mpi --help", name);
}

static void warn_of_slow_kernel(void)
{
    const char *better = reluopt_dense_better_kernel();
    if (better)
        fprintf(stderr,
                "warning: the BLAS kernel %s leaves much of this processor unused: unset OPENBLAS_CORETYPE, or "
                "set it to %s\n",
                reluopt_dense_kernel(), better);
}

/* What rank 0 printed has arrived.  RELUOPT_STORAGE, agreed.  Collective. */
static int finish_output(const Comm *comm, Error *error)
{
    if (comm->rank == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        reluopt_fail(error, RELUOPT_STORAGE, "cannot write all results to standard output: is a disk full?");
    return reluopt_comm_agree(comm, error);
}

int main(int argc, char **argv)
{
    Comm comm;
    Error error = {0};
    if (argc < 2 || strcmp(argv[1], "train") == 0 || strncmp(argv[1], "--", 2) == 0)
        reluopt_stop_listen();
    reluopt_dense_start();
    reluopt_comm_start(&comm, &argc, &argv);
    if (comm.rank == 0)
        warn_of_slow_kernel();
    int code = dispatch(&comm, argc, argv, &error);
    if (code == RELUOPT_OK)
        code = finish_output(&comm, &error);
    if (code != RELUOPT_OK && comm.rank == 0)
        fprintf(stderr, "reluopt-mpi: %s\n", error.message);
    reluopt_comm_stop(&comm);
    return code;
}
