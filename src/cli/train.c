/* train.c - reluopt-mpi train: from a configuration to a run folder. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reluopt/cli.h"
#include "reluopt/run.h"

static void usage(void)
{
    printf(
        "usage: reluopt-mpi train [CONFIG.yaml] [--KEY VALUE]... [--out RUN]\n"
        "       reluopt-mpi train --resume RUN [--KEY VALUE]...\n"
        "\n"
        "Train a network; without a configuration, on a generated set.  Results go to the folder RUN\n"
        "(default: runs/DATA-DATE-TIME), which must not hold a run already.  --resume goes on with the run\n"
        "in RUN from its newest good checkpoint as if it had never stopped, on any number of ranks; of the\n"
        "keys below it takes epochs, coordinator, max_time, stop.*, checkpoint.* and the paths of the data.\n"
        "The signals USR1, TERM and INT or a file RUN/stop end a run early, with a checkpoint; exit code 75.\n"
        "\n"
        "  reluopt-mpi train\n"
        "  mpirun -np 8 reluopt-mpi train configs/fashion-mnist.yaml --epochs 5\n"
        "\n"
        "Methods:\n\n");
    reluopt_method_help(stdout);
    printf("\nKeys, in CONFIG.yaml as \"key: value\" or on the command line:\n\n");
    reluopt_config_help(stdout);
}

/* Any; reluopt_cli_overrides knows the keys, and which one an unknown one is close to. */
static bool takes(const char *key)
{
    return strcmp(key, "verify") != 0;
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

/* Rank 0: the configuration that the command line asks for. */
static int configure(Config *config, const Options *options, Arguments arguments, int size, Error *error)
{
    reluopt_config_default(config);
    if (options->positional[0] && reluopt_config_read(config, options->positional[0], error))
        return error->code;
    if (reluopt_cli_overrides(arguments, config, error))
        return error->code;
    reluopt_config_resolve(config);
    reluopt_config_absolute(config);
    return reluopt_config_check(config, size, error);
}

/* Rank 0: the configuration of a run that goes on, from its checkpoint, or from its folder where there is none
 * yet. */
static int configure_resumed(Run *run, const CheckpointMeta *meta, Arguments arguments, Error *error)
{
    char path[RELUOPT_RUN_PATH];
    snprintf(path, sizeof path, "%s/config.yaml", run->folder);
    reluopt_config_default(&run->config);
    if (meta->config)
        reluopt_config_parse(&run->config, meta->config, strlen(meta->config), run->folder, error);
    else
        reluopt_config_read(&run->config, path, error);
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
    if (run->comm->rank == 0 && run->test_count == 0)
        printf("no test samples, so no test figures: data.test or data.holdout give some\n");
    return reluopt_run_train(run, error);
}

/* Go on from the newest good checkpoint of the folder.  Collective. */
static int resume(Run *run, const Options *options, Arguments arguments, Error *error)
{
    char checkpoint[RELUOPT_RUN_PATH];
    CheckpointMeta meta = {0};
    run->resumes = true;
    if (options->positional[0] || options->out)
        reluopt_fail(error, RELUOPT_USAGE,
                     "--resume goes on with the configuration and in the folder of the run: "
                     "give neither a configuration nor --out");
    if (name_folder(run, options->resume, error) ||
        reluopt_resume_find(run->comm, run->folder, checkpoint, error) ||
        (checkpoint[0] && reluopt_checkpoint_read_meta(run->comm, checkpoint, &meta, error)))
        return error->code;
    if (run->comm->rank == 0)
        configure_resumed(run, &meta, arguments, error);
    train(run, checkpoint, checkpoint[0] ? &meta : NULL, error);
    reluopt_checkpoint_meta_free(&meta);
    return error->code;
}

int reluopt_cli_train(Comm *comm, Arguments arguments, Error *error)
{
    static Run run;
    Options options = {0};
    reluopt_cli_parse(arguments, 1, takes, &options, error);
    if (options.help) {
        if (comm->rank == 0)
            usage();
        return RELUOPT_OK;
    }
    if (reluopt_comm_agree(comm, error))
        return error->code;
    run.comm = comm;
    if (options.resume) {
        resume(&run, &options, arguments, error);
    } else {
        if (comm->rank == 0 && configure(&run.config, &options, arguments, comm->size, error) == RELUOPT_OK)
            name_folder(&run, options.out, error);
        train(&run, NULL, NULL, error);
    }
    reluopt_run_close(&run);
    return error->code;
}
