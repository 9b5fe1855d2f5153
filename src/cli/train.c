/* train.c - reluopt-mpi train: from a configuration to a run folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reluopt/cli.h"
#include "reluopt/run.h"

/* Any; reluopt_cli_overrides knows the keys, and which one an unknown one is close to. */
static bool takes(const char *key)
{
    (void)key;
    return true;
}

/* mkdir -p */
static int make_folder(const char *folder, Error *error)
{
    char path[RELUOPT_TEXT];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        char *end = strchr(slash + 1, '/');
        if (end)
            *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return reluopt_fail(error, RELUOPT_STORAGE, "cannot create the folder %s: %s", path,
                                strerror(errno));
        if (!end)
            break;
        *end = '/';
    }
    return RELUOPT_OK;
}

/* Name, create and mark the run folder: an earlier run is never overwritten. */
static int open_folder(Run *run, const char *out, Error *error)
{
    char path[2 * RELUOPT_TEXT], stamp[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    int length = out ? snprintf(run->folder, sizeof run->folder, "%s", out)
                     : snprintf(run->folder, sizeof run->folder, "runs/%s-%s", run->config.data.name, stamp);
    if (length == 0 || length >= (int)sizeof run->folder)
        return reluopt_fail(error, RELUOPT_USAGE, "--out: the name of the folder is empty or too long");
    snprintf(path, sizeof path, "%s/config.yaml", run->folder);
    if (access(path, F_OK) == 0)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "%s holds a run already: choose another --out, or move it away", run->folder);
    if (make_folder(run->folder, error))
        return error->code;
    char *text = reluopt_config_text(&run->config, true, error);
    FILE *file = text ? fopen(path, "w") : NULL;
    bool written = file && fputs(text, file) >= 0;
    if (file && fclose(file) != 0)
        written = false;
    if (text && !written)
        reluopt_fail(error, RELUOPT_STORAGE, "cannot write %s: %s", path, strerror(errno));
    free(text);
    return error->code;
}

int reluopt_cli_configure(Config *config, const Arguments *arguments, int size, Error *error)
{
    reluopt_config_default(config);
    if (arguments->count > 0 && reluopt_config_read(config, arguments->positional[0], error))
        return error->code;
    if (reluopt_cli_overrides(arguments, config, error))
        return error->code;
    reluopt_config_resolve(config);
    reluopt_config_absolute(config);
    return reluopt_config_check(config, size, error);
}

static Output output_of(const Arguments *arguments, Error *error)
{
    bool quiet = reluopt_cli_option(arguments, "quiet"), json = reluopt_cli_option(arguments, "json");
    if (quiet && json)
        reluopt_fail(error, RELUOPT_USAGE, "--quiet and --json do not go together");
    return quiet ? OUTPUT_QUIET : json ? OUTPUT_JSON : OUTPUT_TEXT;
}

static int run_train(Comm *comm, const Arguments *arguments, Error *error)
{
    static Run run;
    run.output = output_of(arguments, error);
    if (comm->rank == 0)
        reluopt_cli_configure(&run.config, arguments, comm->size, error);
    if (reluopt_comm_agree(comm, error))
        return error->code;
    reluopt_comm_share(comm, &run.config, sizeof run.config);
    if (reluopt_run_open(&run, comm, NULL, error) == RELUOPT_OK) {
        if (comm->rank == 0)
            open_folder(&run, reluopt_cli_option(arguments, "out"), error);
        if (reluopt_comm_agree(comm, error) == RELUOPT_OK) {
            reluopt_comm_share(comm, run.folder, sizeof run.folder);
            reluopt_run_train(&run, error);
        }
    }
    reluopt_run_close(&run);
    return error->code;
}

const Command reluopt_command_train = {
    .name = "train",
    .about = "train a network",
    .synopsis = "[CONFIG.yaml]",
    .text =
        "Train a network as CONFIG.yaml (\"key: value\" lines) and the keys on the command line say; without "
        "them, on a generated set.  Results go to a run folder.",
    .examples = "reluopt-mpi train\n"
                "mpirun -np 8 reluopt-mpi train configs/fashion-mnist.yaml --epochs 5\n",
    .most = 1,
    .option = {{"out", "RUN", "the folder, without a run in it yet; default runs/DATA-DATE-TIME"},
               {"quiet", NULL, "no output but warnings and errors"},
               {"json", NULL, "events as JSON, one object a line: start, epoch, checkpoint, end, error"}},
    .takes = takes,
    .run = run_train,
};
