/* help.c - the help of the program and of its subcommands, from their table. */
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/method.h"

enum { WIDTH = 79, NAME = 20 }; /* columns of a line; of an option's name and value, with two blanks after it */

/* Print words in lines of WIDTH columns, each after the first indented by `indent`; the cursor is in column
 * `column`, the text ends at `end`. */
static void print_words(FILE *out, const char *text, const char *end, int column, int indent)
{
    bool first = true;
    while (text < end) {
        size_t length = strcspn(text, " ");
        if (length > (size_t)(end - text))
            length = (size_t)(end - text);
        if (!first && column + 1 + (int)length > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            first = true;
        }
        column += fprintf(out, "%s%.*s", first ? "" : " ", (int)length, text);
        text += length;
        text += strspn(text, " ");
        first = false;
    }
    fputc('\n', out);
}

static void print_paragraphs(FILE *out, const char *text)
{
    while (*text != '\0') {
        const char *end = text + strcspn(text, "\n");
        fputc('\n', out);
        print_words(out, text, end, 0, 0);
        text = *end == '\n' ? end + 1 : end;
    }
}

static void print_option(FILE *out, const char *name, const char *value, const char *about)
{
    int column = fprintf(out, "  --%s%s%s", name, value ? " " : "", value ? value : "");
    if (column + 2 > NAME)
        column = 0 * fprintf(out, "\n");
    fprintf(out, "%*s", NAME - column, "");
    print_words(out, about, about + strlen(about), NAME, NAME);
}

static void print_examples(FILE *out, const char *text)
{
    fprintf(out, "\nExamples:\n");
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        fprintf(out, "  %.*s\n", (int)(end - text), text);
}

/* The configuration keys that a subcommand takes. */
static void print_keys(FILE *out, const Command *command)
{
    char list[2048] = "";
    size_t length = 0;
    const char *key;
    for (size_t i = 0; (key = reluopt_config_key(i)) && length < sizeof list; i++)
        if (command->takes(key))
            length +=
                (size_t)snprintf(list + length, sizeof list - length, "%s%s", length > 0 ? ", " : "", key);
    fprintf(out, "\nKeys (--help KEY explains a key, or a group such as data):\n  ");
    print_words(out, list, list + strlen(list), 2, 2);
}

static void print_command(FILE *out, const Command *command)
{
    fprintf(out, "usage: [mpirun -np N] reluopt-mpi %s %s%s%s\n", command->name, command->synopsis,
            command->option[0].name ? " [OPTION]..." : "", command->takes ? " [--KEY VALUE]..." : "");
    print_paragraphs(out, command->text);
    if (command->option[0].name)
        fputc('\n', out);
    for (const CommandOption *o = command->option; o < command->option + RELUOPT_CLI_OPTIONS && o->name; o++)
        print_option(out, o->name, o->value, o->about);
    if (command->takes)
        print_keys(out, command);
    print_examples(out, command->examples);
}

int reluopt_cli_help(FILE *out, const Command *command, const char *topic, Error *error)
{
    if (!topic) {
        print_command(out, command);
        return RELUOPT_OK;
    }
    if (reluopt_config_explain(out, topic, error) == RELUOPT_OK && strcmp(topic, "method") == 0)
        reluopt_method_help(out);
    return error->code;
}

void reluopt_cli_program_help(FILE *out)
{
    const Command *command;
    fprintf(out, "usage: [mpirun -np N] reluopt-mpi [COMMAND] [ARGUMENT]...\n"
                 "\n"
                 "Trains ReLU networks without back-propagation and without a learning rate, on any\n"
                 "number of processes.  Without arguments it trains on a small generated set.\n\n");
    for (size_t i = 0; (command = reluopt_cli_command(i)); i++)
        fprintf(out, "  %-10s %s\n", command->name, command->about);
    fprintf(out, "\n"
                 "reluopt-mpi COMMAND --help says more; --version prints the version.\n"
                 "Exit codes: 0 done, 2 usage or configuration, 3 data, 4 storage, 5 numerical,\n"
                 "6 memory, 70 internal error.\n");
}
