/* completion.c - a completion script for bash, from the tables of subcommands, keys and methods. */
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/method.h"

/* What may follow an option is a choice of its own, or a file. */
static void print_choices(FILE *out)
{
    KeyInfo info;
    const Method *method;
    fprintf(out, "    --method) words=\"");
    for (size_t i = 0; (method = reluopt_method(i)); i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", method->name);
    fprintf(out, "\" ;;\n");
    for (size_t i = 0; reluopt_config_key(i, &info); i++) {
        if (!info.choices)
            continue;
        fprintf(out, "    --%s) words=\"", info.key);
        for (size_t k = 0; info.choices[k]; k++)
            fprintf(out, "%s%s", k > 0 ? " " : "", info.choices[k]);
        fprintf(out, "\" ;;\n");
    }
}

static void print_keys(FILE *out, const char *before, bool (*takes)(const char *key))
{
    KeyInfo info;
    for (size_t i = 0; reluopt_config_key(i, &info); i++)
        if (!takes || takes(info.key))
            fprintf(out, " %s%s", before, info.key);
}

static void print_options(FILE *out)
{
    const Command *command;
    for (size_t i = 0; (command = reluopt_cli_command(i)); i++) {
        fprintf(out, "        %s) words=\"--help", command->name);
        for (const CommandOption *o = command->option; o < command->option + RELUOPT_CLI_OPTIONS && o->name;
             o++)
            fprintf(out, " --%s", o->name);
        if (command->takes)
            print_keys(out, "--", command->takes);
        fprintf(out, "\" ;;\n");
    }
}

/* What may be before an option: a word, or an option without a value. */
static void print_befores(FILE *out)
{
    const Command *command;
    fprintf(out, "    [!-]*");
    for (size_t i = 0; (command = reluopt_cli_command(i)); i++)
        for (const CommandOption *o = command->option; o < command->option + RELUOPT_CLI_OPTIONS && o->name;
             o++)
            if (!o->value)
                fprintf(out, " | --%s", o->name);
    fprintf(out, ")\n");
}

void reluopt_cli_completion(FILE *out)
{
    const Command *command;
    fprintf(out, "# bash completion of reluopt-mpi, made by: reluopt-mpi help --completion\n"
                 "_reluopt_mpi() {\n"
                 "    local word=$2 before=$3 words= commands=\"");
    for (size_t i = 0; (command = reluopt_cli_command(i)); i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", command->name);
    fprintf(out, "\" keys=\"");
    print_keys(out, "", NULL);
    fprintf(out, "\"\n"
                 "    COMPREPLY=()\n"
                 "    # --KEY=VALUE comes as three words\n"
                 "    if [ \"$word\" = = ]; then word= before=${COMP_WORDS[COMP_CWORD - 1]};\n"
                 "    elif [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
                 "    case $before in\n"
                 "    --help) words=$keys ;;\n"
                 "    help) words=\"$commands $keys\" ;;\n");
    print_choices(out);
    print_befores(out);
    fprintf(out, "        case $word,${COMP_WORDS[1]} in\n"
                 "        -*) ;;\n"
                 "        *) [ \"$COMP_CWORD\" = 1 ] || return ;; # files\n"
                 "        esac\n"
                 "        case ${COMP_WORDS[1]} in\n");
    print_options(out);
    fprintf(out, "        *) words=\"$commands --help --version\" ;;\n"
                 "        esac\n"
                 "        ;;\n"
                 "    esac\n"
                 "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                 "}\n"
                 "complete -o default -F _reluopt_mpi reluopt-mpi\n");
}
