/* train.c - reluopt-mpi train: from a configuration to a run folder. */
#include <stdio.h>
#include <string.h>
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

/* The name of the run folder. */
static int name_folder(Run *run, const char *out, Error *error)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    int length = out ? snprintf(run->folder, sizeof run->folder, "%s", out)
                     : snprintf(run->folder, sizeof run->folder, "runs/%s-%s", run->config.data.name, stamp);
    if (length == 0 || length >= (int)sizeof run->folder)
        reluopt_fail(error, RELUOPT_USAGE, "%s: the name of the folder is empty or too long",
                     run->resumes ? "--resume" : "--out");
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

/* Rank 0: the configuration of a run that goes on, from its checkpoint, or from its folder where there is none
 * yet. */
static int configure_resumed(Run *run, const CheckpointMeta *meta, const Arguments *arguments, Error *error)
{
    char path[RELUOPT_RUN_PATH];
    snprintf(path, sizeof path, "%s/config.yaml", run->folder);
    reluopt_config_default(&run->config);
    if (meta->config)
        reluopt_config_parse(&run->config, meta->config, strlen(meta->config), run->folder, error);
    else if (access(path, F_OK) == 0)
        reluopt_config_read(&run->config, path, error);
    else
        reluopt_fail(error, RELUOPT_USAGE,
                     "%s holds no run to go on with: neither a checkpoint nor config.yaml", run->folder);
    Config before = run->config;
    if (error->code || reluopt_cli_overrides(arguments, &run->config, error))
        return error->code;
    reluopt_config_absolute(&run->config);
    if (reluopt_config_check_resume(&before, &run->config, error))
        return error->code;
    return reluopt_config_check(&run->config, run->comm->size, error);
}

/* What both kinds of start have in common, from the configuration on rank 0.  Collective. */
static int train(Run *run, const char *checkpoint, CheckpointMeta *meta, Error *error)
{
    if (reluopt_comm_agree(run->comm, error))
        return error->code;
    reluopt_comm_share(run->comm, &run->config, sizeof run->config);
    if (reluopt_run_open(run, run->comm, meta, error) || reluopt_run_folder(run, error) ||
        (meta && reluopt_run_resume(run, checkpoint, meta, error)))
        return error->code;
    return reluopt_run_train(run, error);
}

/* Go on from the newest good checkpoint of the folder, which nobody else may write from here on.  Collective.
 */
static int resume(Run *run, const Arguments *arguments, Error *error)
{
    char checkpoint[RELUOPT_RUN_PATH];
    CheckpointMeta meta = {0};
    run->resumes = true;
    if (arguments->count > 0 || reluopt_cli_option(arguments, "out"))
        reluopt_fail(error, RELUOPT_USAGE,
                     "--resume goes on with the configuration and in the folder of the run: "
                     "give neither a configuration nor --out");
    if (name_folder(run, reluopt_cli_option(arguments, "resume"), error) || reluopt_run_lock(run, error) ||
        reluopt_resume_find(run->comm, run->folder, checkpoint, error) ||
        (checkpoint[0] && reluopt_checkpoint_read_meta(run->comm, checkpoint, &meta, error)))
        return error->code;
    if (run->comm->rank == 0 && configure_resumed(run, &meta, arguments, error) == RELUOPT_OK && !checkpoint[0])
        fprintf(stderr, "%s has no checkpoint: its training begins anew\n", run->folder);
    train(run, checkpoint, checkpoint[0] ? &meta : NULL, error);
    reluopt_checkpoint_meta_free(&meta);
    return error->code;
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
    run.comm = comm;
    run.output = output_of(arguments, error);
    if (reluopt_cli_option(arguments, "resume")) {
        resume(&run, arguments, error);
    } else {
        if (comm->rank == 0 && reluopt_cli_configure(&run.config, arguments, comm->size, error) == RELUOPT_OK)
            name_folder(&run, reluopt_cli_option(arguments, "out"), error);
        train(&run, NULL, NULL, error);
    }
    reluopt_run_close(&run);
    return error->code;
}

const Command reluopt_command_train = {
    .name = "train",
    .about = "train a network",
    .synopsis = "[CONFIG.yaml]",
    .text = "Train a network as CONFIG.yaml and the keys on the command line say; without them, on a generated "
            "set.  USR1, TERM, INT or a file named stop in RUN end it early with a checkpoint, exit code 75.",
    .examples = "reluopt-mpi train\n"
                "mpirun -np 8 reluopt-mpi train configs/fashion-mnist.yaml --epochs 5\n"
                "mpirun -np 4 reluopt-mpi train --resume runs/fashion\n",
    .most = 1,
    .option = {{"out", "RUN", "the folder, without a run in it yet; default runs/DATA-DATE-TIME"},
               {"resume", "RUN", "go on with that run, on any number of ranks (docs/reliability.md)"},
               {"quiet", NULL, "no output but warnings and errors"},
               {"json", NULL, "events as JSON, one object a line"}},
    .takes = takes,
    .run = run_train,
};
