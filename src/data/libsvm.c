/* libsvm.c - LIBSVM text: a line a sample, "LABEL INDEX:VALUE INDEX:VALUE ...", indices from 1 in ascending
 * order; features that are not there are 0, and # begins a comment. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/readers.h"
#include "rows.h"

enum { NO_LABEL = INT32_MIN, MAX_FEATURES = 1 << 24, FIRST_ROOM = 256 };

/* A file under way. */
typedef struct Text {
    TextRows rows;
    size_t features; /* of the schema; 0: any */
} Text;

typedef struct Pair {
    size_t index; /* from 1 */
    float value;
} Pair;

static const char *line_end(const char *text)
{
    const char *newline = strchr(text, '\n');
    return newline ? newline + 1 : NULL;
}

static int __attribute__((format(printf, 3, 4))) fail(const Text *text, Error *error, const char *format, ...)
{
    char problem[512];
    va_list args;
    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    return reluopt_fail(error, RELUOPT_DATA, "%s, line %zu: %s", text->rows.stream.name, text->rows.line,
                        problem);
}

/* An integer label, "+1" being "1"; NO_LABEL where the line begins with a pair. */
static int take_label(const Text *text, char **at, int *label, Error *error)
{
    size_t length = strcspn(*at, " \t\r\n");
    char *end = *at;
    *label = NO_LABEL;
    if (memchr(*at, ':', length))
        return RELUOPT_OK;
    errno = 0;
    long value = strtol(*at, &end, 10);
    if (end != *at + length || errno != 0 || value > RELUOPT_MAX_CLASSES || value < -RELUOPT_MAX_CLASSES)
        return fail(text, error, "label \"%.*s\": an integer class is expected",
                    (int)(length < 64 ? length : 64), *at);
    *label = (int)value;
    *at = end;
    return RELUOPT_OK;
}

static int take_pair(const Text *text, char **at, size_t last, Pair *pair, Error *error)
{
    size_t length = strcspn(*at, " \t\r\n");
    int shown = (int)(length < 64 ? length : 64);
    char *colon = *at, *end = *at;
    unsigned long index = **at >= '0' && **at <= '9' ? strtoul(*at, &colon, 10) : 0;
    if (*colon == ':' && !strchr(" \t\r\n", colon[1]))
        pair->value = strtof(colon + 1, &end);
    if (index == 0 || end != *at + length)
        return fail(text, error, "\"%.*s\": INDEX:VALUE is expected, with indices from 1", shown, *at);
    if (index <= last)
        return fail(text, error, "\"%.*s\": the index does not ascend from %zu", shown, *at, last);
    if (index > (text->features ? text->features : MAX_FEATURES))
        return fail(text, error, "\"%.*s\": more than %zu features%s", shown, *at,
                    text->features ? text->features : (size_t)MAX_FEATURES,
                    text->features ? ", which the training data has" : "");
    if (!isfinite(pair->value))
        return fail(text, error, "\"%.*s\" is not a finite single-precision number", shown, *at);
    pair->index = index;
    *at = end;
    return RELUOPT_OK;
}

typedef struct Line {
    int label;
    size_t largest; /* index */
} Line;

/* The next line that holds a sample; its values go to x, features zeros, unless NULL.  False at the end or
 * after a failure. */
static bool next_line(Text *text, Line *line, float *x, Error *error)
{
    char *at = NULL;
    while ((at = rows_next(&text->rows, error))) {
        at[strcspn(at, "#")] = '\0';
        at += strspn(at, " \t\r\n");
        if (*at != '\0')
            break;
    }
    if (!at)
        return false;
    *line = (Line){0};
    take_label(text, &at, &line->label, error);
    for (at += strspn(at, " \t\r\n"); *at != '\0' && !error->code; at += strspn(at, " \t\r\n")) {
        Pair pair = {0};
        if (take_pair(text, &at, line->largest, &pair, error) == RELUOPT_OK) {
            line->largest = pair.index;
            if (x)
                x[pair.index - 1] = pair.value;
        }
    }
    return !error->code;
}

/* Whole files: once to see what is there, once to take it. */

typedef struct Found {
    size_t samples, features;
    bool label[2 * RELUOPT_MAX_CLASSES + 1]; /* of value i - RELUOPT_MAX_CLASSES */
} Found;

static int survey(const char *path, const Schema *schema, Found *found, Error *error)
{
    Text text = {.features = schema->features};
    Line line;
    rows_open(&text.rows, path, line_end, error);
    while (!error->code && next_line(&text, &line, NULL, error)) {
        if (line.label == NO_LABEL)
            fail(&text, error, "no label: LABEL INDEX:VALUE ... is expected");
        else
            found->label[line.label + RELUOPT_MAX_CLASSES] = true;
        found->features = line.largest > found->features ? line.largest : found->features;
        found->samples++;
    }
    rows_close(&text.rows);
    if (!error->code && (found->samples == 0 || found->features == 0))
        reluopt_fail(error, RELUOPT_DATA, "%s: no sample, or none with a feature: get the file again", path);
    return error->code;
}

static int learn(Schema *schema, const Found *found, Error *error)
{
    char name[16];
    size_t classes = 0;
    for (size_t i = 0; i < sizeof found->label; i++)
        classes += found->label[i];
    *schema = (Schema){.features = found->features};
    schema->class_name = reluopt_alloc(classes, sizeof *schema->class_name, error);
    for (int i = 0; schema->class_name && !error->code && schema->classes < classes; i++)
        if (found->label[i]) {
            snprintf(name, sizeof name, "%d", i - RELUOPT_MAX_CLASSES);
            schema->class_name[schema->classes++] = reluopt_copy_text(name, error);
        }
    return error->code;
}

static int take_samples(const char *path, const Schema *schema, const Found *found, Samples *samples,
                        Error *error)
{
    Text text = {.features = schema->features};
    Line line;
    char name[16], *key = name;
    size_t k = 0;
    if (reluopt_samples_alloc(samples, found->samples, schema->features, error))
        return error->code;
    NameOrder *order = reluopt_name_order(schema->class_name, schema->classes);
    rows_open(&text.rows, path, line_end, error);
    for (; k < found->samples && next_line(&text, &line, samples->x + k * samples->features, error); k++) {
        snprintf(name, sizeof name, "%d", line.label);
        char **at = bsearch(&key, schema->class_name, schema->classes, sizeof key, order);
        if (!at)
            fail(&text, error, "label %s is not a class of the training data", name);
        samples->y[k] = at ? (int)(at - schema->class_name) : 0;
    }
    rows_close(&text.rows);
    if (!error->code && k < found->samples)
        reluopt_fail(error, RELUOPT_DATA, "%s: changed while it was read: read it again", path);
    return error->code;
}

int reluopt_read_libsvm(const char *path, Samples *samples, Schema *schema, Error *error)
{
    Schema learnt = {0};
    bool given = schema->classes != 0;
    *samples = (Samples){0};
    Found *found = reluopt_alloc(1, sizeof *found, error);
    if (!found || (given && reluopt_schema_matches(schema, schema->features, path, error)) ||
        survey(path, schema, found, error) || (!given && learn(&learnt, found, error)) ||
        take_samples(path, given ? schema : &learnt, found, samples, error)) {
        reluopt_samples_free(samples);
        reluopt_schema_free(&learnt);
    } else if (!given) {
        *schema = learnt;
    }
    free(found);
    return error->code;
}

/* Some samples at a time. */

static int read_source(void *state, float *x, size_t room, size_t *count, Error *error)
{
    Text *text = state;
    Line line;
    memset(x, 0, room * text->features * sizeof *x);
    for (*count = 0; *count < room && next_line(text, &line, x + *count * text->features, error); ++*count)
        ;
    return error->code;
}

static void close_source(void *state)
{
    Text *text = state;
    rows_close(&text->rows);
    free(text);
}

int reluopt_open_libsvm(Source *source, const char *path, const Schema *schema, Error *error)
{
    Text *text = reluopt_alloc(1, sizeof *text, error);
    if (!text)
        return error->code;
    *text = (Text){.features = schema->features};
    *source = (Source){.state = text, .read = read_source, .close = close_source};
    if (!reluopt_schema_matches(schema, schema->features, path, error))
        rows_open(&text->rows, path, line_end, error);
    return error->code;
}
