/* manual.c - the manual page, from the tables of subcommands, keys and methods. */
#include <string.h>

#include "reluopt/cli.h"
#include "reluopt/method.h"
#include "reluopt/version.h"

enum { WIDTH = 79 }; /* columns of a line of the source */

/* Print text that roff will not take for requests: backslashes and hyphens escaped, and, at the start of a line
 * (`fresh`), dots and quotes. */
static void put(FILE *out, const char *text, size_t length, bool fresh)
{
    if (fresh && length > 0 && (*text == '.' || *text == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
}

static void put_word(FILE *out, const char *text)
{
    put(out, text, strlen(text), false);
}

/* Words up to `end`, in lines of their own; a sentence that ends in two blanks ends its line too. */
static void put_words(FILE *out, const char *text, const char *end)
{
    for (size_t column = 0, length, blanks; text < end; text += length + blanks) {
        length = strcspn(text, " \n");
        blanks = strspn(text + length, " ");
        put(out, text, length, column == 0);
        column += 2 * length + 1; /* as if all were hyphens */
        bool last = text + length + blanks >= end;
        if (last || blanks > 1 || column + 2 * strcspn(text + length + blanks, " \n") > WIDTH)
            column = 0;
        fputc(column == 0 ? '\n' : ' ', out);
    }
}

static void put_paragraphs(FILE *out, const char *text)
{
    for (const char *end; *text != '\0'; text = *end == '\n' ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        put_words(out, text, end);
        fputs(*end == '\n' ? ".PP\n" : "", out);
    }
}

/* A name in bold, an argument after it in italics (or ""), and what it means. */
static void put_item(FILE *out, const char *before, const char *name, const char *value, const char *meaning)
{
    fprintf(out, ".TP\n\\fB");
    put_word(out, before);
    put_word(out, name);
    fprintf(out, "\\fR%s%s%s\n", *value != '\0' ? " \\fI" : "", value, *value != '\0' ? "\\fR" : "");
    put_paragraphs(out, meaning);
}

/* Lines as they are typed. */
static void put_examples(FILE *out, const char *text)
{
    fprintf(out, ".PP\n.RS 4\n.nf\n");
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        put(out, text, (size_t)(end - text), true);
        fputc('\n', out);
    }
    fprintf(out, ".fi\n.RE\n");
}

static void put_command(FILE *out, const Command *command)
{
    fprintf(out, ".SS \"%s ", command->name);
    put_word(out, command->synopsis);
    fprintf(out, "%s%s\"\n", command->option[0].name ? " [OPTION]..." : "",
            command->takes ? " [\\-\\-KEY VALUE]..." : "");
    put_paragraphs(out, command->text);
    for (const CommandOption *o = command->option; o < command->option + RELUOPT_CLI_OPTIONS && o->name; o++)
        put_item(out, "--", o->name, o->value ? o->value : "", o->about);
    put_examples(out, command->examples);
}

static void put_keys(FILE *out)
{
    KeyInfo info;
    char text[1024];
    fprintf(out, ".SH CONFIGURATION KEYS\n");
    put_paragraphs(out,
                   "In a file as \"key: value\" (YAML), on the command line as --key value, which comes last.  "
                   "A key with a dot may also stand in a group.");
    for (size_t i = 0; reluopt_config_key(i, &info); i++) {
        snprintf(text, sizeof text, "%s.  Values: %s%s%s", info.meaning, info.allowed,
                 info.methods ? "; used by" : "", info.methods ? info.methods : "");
        put_item(out, "", info.key, "", text);
    }
}

void reluopt_cli_manual(FILE *out)
{
    const Command *command;
    const Method *method;
    fprintf(out, ".TH RELUOPT-MPI 1 \"\" \"%s\" \"User Commands\"\n", RELUOPT_PROGRAM);
    fprintf(out, ".SH NAME\nreluopt-mpi \\- train ReLU networks without a learning rate, over MPI\n"
                 ".SH SYNOPSIS\n"
                 "[mpirun \\-np N] \\fBreluopt-mpi\\fR [\\fICOMMAND\\fR] [\\fIARGUMENT\\fR]...\n"
                 ".SH DESCRIPTION\n");
    put_paragraphs(out, reluopt_cli_intro);
    fprintf(out, ".SH COMMANDS\n");
    for (size_t i = 0; (command = reluopt_cli_command(i)); i++)
        put_command(out, command);
    fprintf(out, ".SH METHODS\n");
    for (size_t i = 0; (method = reluopt_method(i)); i++)
        put_item(out, "", method->name, "", method->about);
    put_keys(out);
    fprintf(out, ".SH EXIT STATUS\nEvery failure is one line on standard error.\n");
    for (const ExitCode *e = reluopt_cli_exit_codes; e->meaning; e++)
        fprintf(out, ".TP\n.B %d\n%s\n", e->code, e->meaning);
    fprintf(out, ".SH ENVIRONMENT\n");
    put_item(out, "", "RELUOPT_DATA", "", "folder of the data sets where data.dir is empty");
    put_item(out, "", "OPENBLAS_CORETYPE", "", "BLAS kernel to use instead of the best one for the processor");
    fprintf(out, ".SH SEE ALSO\n.BR mpirun (1)\n");
}
