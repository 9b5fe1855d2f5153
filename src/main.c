/* main.c - picks the subcommand, prints the one error line, returns the exit code. */
#include <stdio.h>
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/dense.h"
#include "reluopt/stop.h"
#include "reluopt/version.h"

static const struct {
    const char *name, *about;
    Command *run;
} command[] = {
    {"train", "train a network", reluopt_cli_train},
    {"eval", "loss and accuracy of a checkpoint", reluopt_cli_eval},
    {"info", "what a checkpoint or a curve file holds", reluopt_cli_info},
};
enum { COMMANDS = sizeof command / sizeof command[0] };

static void usage(void)
{
    printf("usage: [mpirun -np N] reluopt-mpi [COMMAND] [ARGUMENT]...\n"
           "\n"
           "Trains ReLU networks without back-propagation and without a learning rate, on any number of\n"
           "processes.  Without arguments it trains on a small generated set.\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", command[i].name, command[i].about);
    printf("\nreluopt-mpi COMMAND --help says more; --version prints the version.\n"
           "Exit codes: 0 done, 2 usage or configuration, 3 data, 4 storage, 5 numerical, 6 memory,\n"
           "70 internal error, 75 stopped early and to be continued.\n");
}

/* Run the subcommand that the arguments name; "train" where they name none.  Collective. */
static int dispatch(Comm *comm, int argc, char **argv, Error *error)
{
    const char *name = argc > 1 ? argv[1] : "train";
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(command[i].name, name) == 0)
            return command[i].run(comm, (Arguments){argc - 2 > 0 ? argc - 2 : 0, argv + 2}, error);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        if (comm->rank == 0)
            usage();
        return RELUOPT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        if (comm->rank == 0)
            printf("%s (BLAS kernel %s)\n", RELUOPT_PROGRAM, reluopt_dense_kernel());
        return RELUOPT_OK;
    }
    if (strncmp(name, "--", 2) == 0)
        return reluopt_cli_train(comm, (Arguments){argc - 1, argv + 1}, error);
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
