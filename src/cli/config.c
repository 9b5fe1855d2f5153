/* config.c - reluopt-mpi config: prints a commented configuration, or checks one. */
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/catalogue.h"
#include "reluopt/cli.h"
#include "reluopt/method.h"

static bool takes(const char *key)
{
    (void)key;
    return true;
}

/* Rank 0. */
static int show(const Arguments *arguments, int size, Error *error)
{
    Config config;
    reluopt_config_default(&config);
    if (arguments->count > 0 && reluopt_config_read(&config, arguments->positional[0], error))
        return error->code;
    if (reluopt_cli_overrides(arguments, &config, error))
        return error->code;
    if (arguments->count > 0 || arguments->keys > 0) {
        reluopt_config_resolve(&config);
        if (reluopt_config_check(&config, size, error) || !reluopt_method_find(config.method, error) ||
            reluopt_dataset_known(config.data.name, error))
            return error->code;
    }
    char *text = reluopt_config_text(&config, true, error);
    if (text)
        fputs(text, stdout);
    free(text);
    return error->code;
}

static int run_config(Comm *comm, const Arguments *arguments, Error *error)
{
    if (comm->rank == 0)
        show(arguments, comm->size, error);
    return reluopt_comm_agree(comm, error);
}

const Command reluopt_command_config = {
    .name = "config",
    .about = "print a commented configuration, or check one",
    .synopsis = "[CONFIG.yaml]",
    .text =
        "Without arguments, every key with its meaning and default: a file to start from.  Otherwise the "
        "configuration that train would use with the same arguments, checked, with auto left only where data "
        "or ranks decide.  Data files are not looked at.",
    .examples = "reluopt-mpi config > mine.yaml\n"
                "reluopt-mpi config configs/mnist.yaml\n"
                "reluopt-mpi config --method adam --network 500,500\n",
    .most = 1,
    .takes = takes,
    .run = run_config,
};
