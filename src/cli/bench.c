/* bench.c - reluopt-mpi bench: what a training step of a configuration costs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/bench.h"
#include "reluopt/catalogue.h"
#include "reluopt/cli.h"

enum { USUAL_STEPS = 20, MOST_STEPS = 1000000, BATCHES = 4, WHOLE_SET = 1000 };

/* Any; reluopt_cli_overrides knows the keys. */
static bool takes(const char *key)
{
    (void)key;
    return true;
}

/* The integer at the beginning of `text`, 1 to `most`, that ends where `end` does; 0: there is none. */
static size_t read_count(const char *text, const char *end, size_t most)
{
    char *after;
    unsigned long value = *text >= '0' && *text <= '9' ? strtoul(text, &after, 10) : 0;
    return value > 0 && value <= most && after == end ? value : 0;
}

static int read_steps(const char *text, Error *error)
{
    size_t steps = text ? read_count(text, text + strlen(text), MOST_STEPS) : USUAL_STEPS;
    if (steps == 0)
        reluopt_fail(error, RELUOPT_USAGE, "--steps %.40s: must be an integer from 1 to %d", text, MOST_STEPS);
    return (int)steps;
}

/* INPUTS,WIDTH,...,CLASSES: the widths go into the configuration.  Rank 0. */
static int read_layers(const char *text, Config *config, size_t *features, size_t *classes, Error *error)
{
    char hidden[RELUOPT_TEXT] = "";
    const char *first = strchr(text, ','), *last = strrchr(text, ',');
    *features = first ? read_count(text, first, 1 << 24) : 0;
    *classes = last ? read_count(last + 1, text + strlen(text), RELUOPT_MAX_CLASSES) : 0;
    if (*features == 0 || *classes == 0 || last - first < 2 || last - first > (ptrdiff_t)sizeof hidden)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "--layers %.80s: must be the widths from inputs to classes, such as 784,500,500,10",
                            text);
    memcpy(hidden, first + 1, (size_t)(last - first - 1));
    return reluopt_config_set(config, "network", hidden, error);
}

/* Rank 0: configuration, and generated samples where their size is given. */
static int prepare(Run *run, const Arguments *arguments, int steps, Error *error)
{
    Config *config = &run->config;
    const char *layers = reluopt_cli_option(arguments, "layers");
    size_t features, classes;
    if (reluopt_cli_configure(config, arguments, run->comm->size, error))
        return error->code;
    if (config->epochs < steps + RELUOPT_BENCH_WARM) /* room for the trees of so many steps */
        config->epochs = steps + RELUOPT_BENCH_WARM;
    if (!layers || read_layers(layers, config, &features, &classes, error))
        return error->code;
    config->preprocess = PREPROCESS_NONE;
    reluopt_config_set(config, "data.name", "generated", error);
    size_t count = config->batch > 0 ? BATCHES * (size_t)config->batch : WHOLE_SET;
    if (config->data.train_samples > 0)
        count = (size_t)config->data.train_samples;
    return reluopt_generate_noise(&run->data, (uint64_t)config->seed, features, classes, count, error);
}

static int run_bench(Comm *comm, const Arguments *arguments, Error *error)
{
    static Run run;
    Bench bench;
    int steps = read_steps(reluopt_cli_option(arguments, "steps"), error);
    run.comm = comm;
    if (comm->rank == 0 && !error->code)
        prepare(&run, arguments, steps, error);
    if (reluopt_comm_agree(comm, error) == RELUOPT_OK) {
        reluopt_comm_share(comm, &run.config, sizeof run.config);
        if (reluopt_run_open(&run, comm, NULL, error) == RELUOPT_OK &&
            reluopt_bench(&run, steps, &bench, error) == RELUOPT_OK && comm->rank == 0) {
            if (reluopt_cli_option(arguments, "json"))
                reluopt_bench_put(stdout, &run, &bench);
            else
                reluopt_bench_print(stdout, &run, &bench);
        }
    }
    reluopt_run_close(&run);
    return error->code;
}

const Command reluopt_command_bench = {
    .name = "bench",
    .about = "what a training step costs",
    .synopsis = "[CONFIG.yaml]",
    .text = "Time, work and messages of a training step, phase by phase, and memory of a rank.",
    .examples = "mpirun -np 2 reluopt-mpi bench configs/mnist.yaml\n"
                "reluopt-mpi bench --layers 784,500,500,10 --batch 500 --method adam --json\n",
    .most = 1,
    .option = {{"layers", "WIDTHS", "inputs to classes, data.train_samples of them generated"},
               {"steps", "N", "steps to measure; default 20"},
               {"json", NULL, "the report as one JSON object on a line"}},
    .takes = takes,
    .run = run_bench,
};
