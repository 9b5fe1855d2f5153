/* usage.c - the help of the program and of its subcommands, from their table. */
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/method.h"

enum { WIDTH = 79, NAME = 14 }; /* columns of a line, and of a name on its left */

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

/* A name, and to its right what it is. */
static void print_item(FILE *out, const char *name, const char *about)
{
    int column = fprintf(out, "  %s", name);
    if (column + 2 > NAME)
        column = fprintf(out, "\n") - 1;
    fprintf(out, "%*s", NAME - column, "");
    print_words(out, about, about + strlen(about), NAME, NAME);
}

static void print_option(FILE *out, const CommandOption *option)
{
    char name[64];
    snprintf(name, sizeof name, "--%s%s%s", option->name, option->value ? " " : "",
             option->value ? option->value : "");
    print_item(out, name, option->about);
}

static void print_examples(FILE *out, const char *text)
{
    fprintf(out, "\nExamples:\n");
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        fprintf(out, "  %.*s\n", (int)(end - text), text);
}

/* Length of "GROUP." at the start of a key, 0 without a group. */
static size_t group_length(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot ? (size_t)(dot + 1 - key) : 0;
}

static bool same_group(const char *a, const char *b)
{
    size_t length = group_length(a);
    return length > 0 && strncmp(a, b, length) == 0;
}

/* The configuration keys that a subcommand takes; a group of them as "GROUP.*". */
static void print_keys(FILE *out, const Command *command)
{
    const char *before = "";
    char list[2048] = "";
    size_t length = 0;
    KeyInfo info;
    for (size_t i = 0; length < sizeof list && reluopt_config_key(i, &info); i++) {
        if (!command->takes(info.key) || same_group(info.key, before))
            continue;
        size_t group = group_length(info.key), shown = group > 0 ? group : strlen(info.key);
        length += (size_t)snprintf(list + length, sizeof list - length, "%.*s%s ", (int)shown, info.key,
                                   group > 0 ? "*" : "");
        before = info.key;
    }
    fprintf(out, "\nConfiguration, --KEY VALUE (help KEY explains a key, or a group such as data):\n  ");
    print_words(out, list, list + strlen(list), 2, 2);
}

static void print_command(FILE *out, const Command *command)
{
    fprintf(out, "usage: [mpirun -np N] reluopt-mpi %s %s%s\n", command->name, command->synopsis,
            command->option[0].name || command->takes ? " [OPTION]..." : "");
    print_paragraphs(out, command->text);
    if (command->option[0].name)
        fputc('\n', out);
    for (const CommandOption *o = command->option; o < command->option + RELUOPT_CLI_OPTIONS && o->name; o++)
        print_option(out, o);
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
    const Method *method;
    if (reluopt_config_explain(out, topic, error) == RELUOPT_OK && strcmp(topic, "method") == 0)
        for (size_t i = 0; (method = reluopt_method(i)); i++)
            print_item(out, method->name, method->about);
    return error->code;
}

const char *const reluopt_cli_intro =
    "Trains ReLU networks without back-propagation and without a learning rate, on any number of processes.  "
    "Without arguments it trains on a small generated set.";

const ExitCode reluopt_cli_exit_codes[] = {
    {RELUOPT_OK, "done"},
    {RELUOPT_USAGE, "usage or configuration"},
    {RELUOPT_DATA, "data"},
    {RELUOPT_STORAGE, "storage"},
    {RELUOPT_NUMERIC, "numerical"},
    {RELUOPT_MEMORY, "memory"},
    {RELUOPT_BUG, "internal error"},
    {RELUOPT_STOPPED, "stopped early and to be continued"},
    {0, NULL},
};

void reluopt_cli_program_help(FILE *out)
{
    const Command *command;
    char codes[256] = "Exit codes:";
    fprintf(out, "usage: [mpirun -np N] reluopt-mpi [COMMAND] [ARGUMENT]...\n");
    print_paragraphs(out, reluopt_cli_intro);
    fputc('\n', out);
    for (size_t i = 0; (command = reluopt_cli_command(i)); i++)
        print_item(out, command->name, command->about);
    print_paragraphs(out, "reluopt-mpi COMMAND --help says more; reluopt-mpi --version prints the version.");
    for (const ExitCode *e = reluopt_cli_exit_codes; e->meaning; e++) {
        size_t length = strlen(codes);
        snprintf(codes + length, sizeof codes - length, "%s %d %s", e->code ? "," : "", e->code, e->meaning);
    }
    print_paragraphs(out, codes);
}
