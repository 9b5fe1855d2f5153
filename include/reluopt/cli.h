/* cli.h - the subcommands: one file each in src/cli, one row each in main.c. */
#ifndef RELUOPT_CLI_H
#define RELUOPT_CLI_H

#include <stdbool.h>

#include "reluopt/comm.h"
#include "reluopt/config.h"
#include "reluopt/error.h"

/* Everything after the subcommand's name.  Every rank has the same. */
typedef struct Arguments {
    int count;
    char **text;
} Arguments;

/* Run a subcommand: its exit code, with the reason in `error` when it is not 0; agreed.  Collective. */
typedef int Command(Comm *comm, Arguments arguments, Error *error);

Command reluopt_cli_train, reluopt_cli_eval, reluopt_cli_info;

/* What a command line said besides configuration keys. */
typedef struct Options {
    const char *positional[2]; /* in order; NULL where absent */
    const char *out;           /* --out */
    const char *resume;        /* --resume */
    bool verify;               /* --verify */
    bool help;                 /* --help, -h */
} Options;

/* Whether a subcommand takes the option "--KEY". */
typedef bool Takes(const char *key);

/* Take the arguments apart: up to `positionals` positional ones, --out, --resume, --verify, --help (which ends
 * it); "--KEY VALUE" and
 * "--KEY=VALUE" of the option table are checked for form and against `takes`, and set by reluopt_cli_overrides.
 * RELUOPT_USAGE.  Not collective. */
int reluopt_cli_parse(Arguments arguments, int positionals, Takes *takes, Options *options, Error *error);

/* Set the keys given on the command line, over what `config` holds.  RELUOPT_USAGE.  Rank 0. */
int reluopt_cli_overrides(Arguments arguments, Config *config, Error *error);

#endif
