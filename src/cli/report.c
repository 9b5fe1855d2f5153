/* report.c - reluopt-mpi report: a page about runs. */
#include "reluopt/report.h"
#include "reluopt/cli.h"

static int run_report(Comm *comm, const Arguments *arguments, Error *error)
{
    Report report;
    const char *folder = reluopt_cli_option(arguments, "plots");
    reluopt_report_read(&report, comm, arguments->positional, (size_t)arguments->count, error);
    if (comm->rank == 0 && !error->code &&
        (!folder || reluopt_report_plots(&report, folder, error) == RELUOPT_OK))
        reluopt_report_page(stdout, &report);
    reluopt_report_free(&report);
    return reluopt_comm_agree(comm, error);
}

const Command reluopt_command_report = {
    .name = "report",
    .about = "a page about runs: curves, confusion, weights, settings, time",
    .synopsis = "RUN...",
    .text = "Print a self-contained HTML page about the runs in these folders: accuracy and loss, step sizes, "
            "active neurons and bounds of each layer, confusion matrix, weights of the first layer as images, "
            "settings in which the runs differ, where the time went.  The checkpoints are evaluated on their "
            "test data; where these are missing, the page says so.",
    .examples = "reluopt-mpi report runs/mine > mine.html\n"
                "mpirun -np 4 reluopt-mpi report runs/* --plots figures > all.html\n",
    .least = 1,
    .most = RELUOPT_CLI_MANY,
    .option = {{"plots", "DIR", "also write each drawing to DIR, as SVG, the weights as PNG"}},
    .run = run_report,
};
