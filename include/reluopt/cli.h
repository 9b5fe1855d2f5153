/* cli.h - the subcommands, and what they share: their table, their arguments, their help.
 *
 * A subcommand is one file, src/cli/NAME.c, that defines `const Command reluopt_command_NAME`; its declaration
 * below; and a row in src/cli/table.c.  Its arguments are checked, and its help made, from its fields. */
#ifndef RELUOPT_CLI_H
#define RELUOPT_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "reluopt/checkpoint.h"
#include "reluopt/comm.h"
#include "reluopt/config.h"
#include "reluopt/error.h"

enum { RELUOPT_CLI_OPTIONS = 8, RELUOPT_CLI_MANY = INT_MAX };

/* An option that is no configuration key. */
typedef struct CommandOption {
    const char *name;  /* "out", typed --out */
    const char *value; /* what follows it, as the help calls it: "FILE"; NULL: nothing does */
    const char *about; /* one line */
} CommandOption;

typedef struct Arguments Arguments;

typedef struct Command {
    const char *name;     /* "eval" */
    const char *about;    /* one line */
    const char *synopsis; /* its positional arguments, as the help calls them: "CHECKPOINT [DATA]" */
    const char *text;     /* paragraphs, one a line of the text; the help breaks their lines */
    const char *examples; /* command lines, one a line of the text, each ended */
    int least, most;      /* positional arguments; RELUOPT_CLI_MANY: any number */
    CommandOption option[RELUOPT_CLI_OPTIONS]; /* after --help; those without a name are none */

    /* Whether it takes the configuration key as --KEY VALUE.  NULL: none. */
    bool (*takes)(const char *key);

    /* Run it: its exit code, with the reason in `error` when it is not 0; agreed.  The arguments are the same
     * on every rank.  Collective. */
    int (*run)(Comm *comm, const Arguments *arguments, Error *error);
} Command;

extern const Command reluopt_command_train;
extern const Command reluopt_command_eval;
extern const Command reluopt_command_predict;
extern const Command reluopt_command_info;
extern const Command reluopt_command_export;
extern const Command reluopt_command_report;
extern const Command reluopt_command_bench;
extern const Command reluopt_command_config;
extern const Command reluopt_command_help;

/* Row `index` of the table of subcommands; NULL after the last. */
const Command *reluopt_cli_command(size_t index);

/* The subcommand of that name, or NULL. */
const Command *reluopt_cli_find(const char *name);

/* A command line taken apart.  Release with reluopt_cli_free. */
struct Arguments {
    const Command *command;
    int count;
    const char **positional; /* `count`, in order */
    int keys;
    const char **key;                        /* `keys` pairs of a configuration key and its value, in order */
    const char *option[RELUOPT_CLI_OPTIONS]; /* values in the order of command->option; NULL where not given */
    bool help;                               /* --help, -h: ends the arguments */
    const char *topic;                       /* what follows it, or NULL */
};

/* Take the `count` texts after the subcommand's name apart ("--KEY=VALUE" is split in place) and check them
 * against its fields.  RELUOPT_USAGE, RELUOPT_MEMORY; release also then.  Not collective. */
int reluopt_cli_parse(Arguments *arguments, const Command *command, int count, char **text, Error *error);
void reluopt_cli_free(Arguments *arguments);

/* The value given with the option `name` of the subcommand, "" for one that takes no value, NULL when it was
 * not given.  Not collective. */
const char *reluopt_cli_option(const Arguments *arguments, const char *name);

/* --out, if given, is none of the files that the positional arguments (comma separated lists, too) name.
 * RELUOPT_USAGE.  Rank 0. */
int reluopt_cli_spares_input(const Arguments *arguments, Error *error);

/* Set the keys given on the command line, over what `config` holds.  RELUOPT_USAGE.  Rank 0. */
int reluopt_cli_overrides(const Arguments *arguments, Config *config, Error *error);

/* The configuration that positional argument 0, if any, and the keys ask for; resolved and checked.
 * RELUOPT_USAGE, RELUOPT_MEMORY.  Rank 0. */
int reluopt_cli_configure(Config *config, const Arguments *arguments, int size, Error *error);

/* The configuration in the checkpoint at `path`, but for the coordinator, which is shared.  RELUOPT_USAGE.
 * Rank 0. */
int reluopt_cli_stored(Config *config, const CheckpointMeta *meta, const char *path, Error *error);

/* Help.  Rank 0; not collective. */

/* What the program is. */
extern const char *const reluopt_cli_intro;

typedef struct ExitCode {
    int code;
    const char *meaning;
} ExitCode;
extern const ExitCode reluopt_cli_exit_codes[]; /* in order; the last has no meaning */

/* The help of the program, and of a subcommand: lines of less than 80 columns.  topic: NULL, or the
 * configuration key or group of keys to explain instead; RELUOPT_USAGE when there is none of that name. */
void reluopt_cli_program_help(FILE *out);
int reluopt_cli_help(FILE *out, const Command *command, const char *topic, Error *error);

/* The program, its libraries as they are at run time, the BLAS kernel.  Rank 0; not collective. */
void reluopt_cli_version(FILE *out);

/* The manual page, as man(7) reads it, the reference of the configuration keys in Markdown, and a completion
 * script for bash: the same tables in other forms. */
void reluopt_cli_manual(FILE *out);
void reluopt_cli_reference(FILE *out);
void reluopt_cli_completion(FILE *out);

#endif
