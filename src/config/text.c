/* text.c - from values to text: echo as YAML, help, and what an option allows. */
#include <stdlib.h>
#include <string.h>

#include "reluopt/utf8.h"
#include "table.h"

/* Control characters, line ends and byte order marks do not survive in YAML as they are. */
static bool needs_escape(unsigned c)
{
    return c < ' ' || c == '"' || c == '\\' || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
           c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

static void print_text(FILE *out, const char *text)
{
    unsigned character;
    fputc('"', out);
    for (size_t length; (length = reluopt_utf8_read(text, &character)) > 0; text += length) {
        if (character == '"' || character == '\\')
            fprintf(out, "\\%c", (char)character);
        else if (needs_escape(character))
            fprintf(out, "\\u%04X", character);
        else
            fwrite(text, 1, length, out);
    }
    fputc('"', out);
}

/* The shortest decimal form that reads back as the same number. */
static void print_real(FILE *out, double number)
{
    char text[32];
    int digits = 1;
    do
        snprintf(text, sizeof text, "%.*g", digits, number);
    while (strtod(text, NULL) != number && digits++ < 17);
    fputs(text, out);
}

static void print_value(FILE *out, const Option *option, const Config *config)
{
    const void *member = (const char *)config + option->offset;
    int64_t integer;
    switch (option->type) {
    case TYPE_INTEGER:
        integer = option_integer(option, config);
        if (option->automatic && integer == RELUOPT_AUTO)
            fputs("auto", out);
        else
            fprintf(out, "%lld", (long long)integer);
        break;
    case TYPE_REAL:
        if (option->automatic && *(const double *)member == RELUOPT_AUTO)
            fputs("auto", out);
        else
            print_real(out, *(const double *)member);
        break;
    case TYPE_BOOL:
        fputs(*(const bool *)member ? "yes" : "no", out);
        break;
    case TYPE_CHOICE:
        fputs(option->choices[*(const int *)member], out);
        break;
    case TYPE_TEXT:
        print_text(out, member);
        break;
    case TYPE_WIDTHS:
        fputc('[', out);
        for (int i = 0; i < config->hidden; i++)
            fprintf(out, "%s%d", i > 0 ? ", " : "", config->network[i]);
        fputc(']', out);
        break;
    }
}

static void join_choices(const Option *option, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "one of");
    for (int i = 0; option->choices[i]; i++)
        length += (size_t)snprintf(text + length, size - length, "%s %s", i > 0 ? "," : "", option->choices[i]);
}

void option_allowed(const Option *option, char text[RELUOPT_ALLOWED])
{
    char kind[96];
    long long min = option->min, max = option->max;
    switch (option->type) {
    case TYPE_INTEGER:
        snprintf(kind, sizeof kind, "an integer from %lld to %lld%s", min, max,
                 option->automatic ? ", or auto" : "");
        break;
    case TYPE_REAL:
        snprintf(kind, sizeof kind, "a number %s %lld and <= %lld%s", option->above ? ">" : ">=", min, max,
                 option->automatic ? ", or auto" : "");
        break;
    case TYPE_BOOL:
        snprintf(kind, sizeof kind, "yes or no");
        break;
    case TYPE_CHOICE:
        join_choices(option, kind, sizeof kind);
        break;
    case TYPE_TEXT:
        snprintf(kind, sizeof kind, "UTF-8 text of at most %zu bytes", option->size - 1);
        break;
    case TYPE_WIDTHS:
        snprintf(kind, sizeof kind, "at most %d widths from %lld to %lld, such as 500,500", RELUOPT_MAX_LAYERS,
                 min, max);
        break;
    }
    snprintf(text, RELUOPT_ALLOWED, "%s (default %s)", kind, *option->value != '\0' ? option->value : "empty");
}

char *reluopt_config_text(const Config *config, bool comments, Error *error)
{
    char *text = NULL, allowed[RELUOPT_ALLOWED];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (const Option *o = option_table; out && o < option_table + option_count; o++) {
        if (comments) {
            option_allowed(o, allowed);
            fprintf(out, "# %s\n# %s\n", o->meaning, allowed);
        }
        fprintf(out, "%s: ", o->key);
        print_value(out, o, config);
        fputc('\n', out);
    }
    bool failed = !out || ferror(out);
    if (out && fclose(out) != 0)
        failed = true;
    if (!failed)
        return text;
    free(text);
    reluopt_fail(error, RELUOPT_MEMORY, "out of memory while writing the configuration as text");
    return NULL;
}

static KeyInfo describe(const Option *option)
{
    static const char *const yes_or_no[] = {"yes", "no", NULL};
    KeyInfo info = {.key = option->key,
                    .meaning = option->meaning,
                    .methods = option->methods,
                    .later = option->later};
    info.choices = option->type == TYPE_BOOL ? yes_or_no : option->choices;
    option_allowed(option, info.allowed);
    return info;
}

bool reluopt_config_key(size_t index, KeyInfo *info)
{
    if (index < option_count)
        *info = describe(&option_table[index]);
    return index < option_count;
}

static void explain(FILE *out, const Option *option)
{
    KeyInfo info = describe(option);
    fprintf(out, "%s\n  %s\n  %s\n", info.key, info.meaning, info.allowed);
    if (info.methods)
        fprintf(out, "  used by%.*s\n", (int)strlen(info.methods) - 1, info.methods);
}

int reluopt_config_explain(FILE *out, const char *key, Error *error)
{
    for (const Option *o = option_table; option_is_group(key) && o < option_table + option_count; o++)
        if (option_in_group(o, key))
            explain(out, o);
    const Option *option = option_is_group(key) ? NULL : option_find(key, key, error);
    if (option)
        explain(out, option);
    return error->code;
}
