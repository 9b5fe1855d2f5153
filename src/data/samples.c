/* samples.c - memory of samples and schemas; a schema as text and back.
 *
 * The text, one item a line, for a file with a number column and a category column:
 *
 *   features 3
 *   classes 2
 *   class no
 *   class yes
 *   columns 2
 *   column 0 age
 *   column 2 colour
 *   category blue
 *   category red
 *
 * In names, control characters and the backslash are written as \xHH. */
#include "reluopt/samples.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"

int reluopt_samples_alloc(Samples *samples, size_t count, size_t features, Error *error)
{
    *samples = (Samples){.count = count, .features = features};
    samples->x = reluopt_alloc(count, features * sizeof *samples->x, error);
    samples->y = samples->x ? reluopt_alloc(count, sizeof *samples->y, error) : NULL;
    if (!samples->y)
        reluopt_samples_free(samples);
    return error->code;
}

void reluopt_samples_free(Samples *samples)
{
    free(samples->x);
    free(samples->y);
    *samples = (Samples){0};
}

static void free_names(char **name, size_t count)
{
    for (size_t i = 0; name && i < count; i++)
        free(name[i]);
    free(name);
}

void reluopt_schema_free(Schema *schema)
{
    free_names(schema->class_name, schema->classes);
    for (size_t i = 0; schema->column && i < schema->columns; i++) {
        free(schema->column[i].name);
        free_names(schema->column[i].category, schema->column[i].categories);
    }
    free(schema->column);
    *schema = (Schema){0};
}

void reluopt_dataset_free(Dataset *data)
{
    reluopt_samples_free(&data->train);
    reluopt_samples_free(&data->test);
    reluopt_schema_free(&data->schema);
}

static uint32_t add_samples(uint32_t sum, const Samples *samples)
{
    if (samples->count == 0)
        return sum;
    sum = libdeflate_crc32(sum, samples->x, samples->count * samples->features * sizeof *samples->x);
    return libdeflate_crc32(sum, samples->y, samples->count * sizeof *samples->y);
}

int64_t reluopt_dataset_checksum(const Dataset *data)
{
    return add_samples(add_samples(0, &data->train), &data->test);
}

/* Order of names. */

static bool integer(const char *name, long long *value)
{
    char *end;
    errno = 0;
    *value = strtoll(name, &end, 10);
    return end != name && *end == '\0' && errno == 0;
}

int reluopt_order_by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Equal only for equal bytes: "1" and "01" are two names, and a text looked up among numbers is none of them.
 */
static int by_number(const void *a, const void *b)
{
    long long x, y;
    integer(*(char *const *)a, &x);
    integer(*(char *const *)b, &y);
    return x != y ? (x > y) - (x < y) : reluopt_order_by_bytes(a, b);
}

NameOrder *reluopt_name_order(char *const *name, size_t count)
{
    long long value;
    for (size_t i = 0; i < count; i++)
        if (!integer(name[i], &value))
            return reluopt_order_by_bytes;
    return by_number;
}

/* Schemas of numbered classes. */

static int fill_numbers(Schema *schema, size_t features, size_t classes, Error *error)
{
    char number[32];
    *schema = (Schema){.features = features, .classes = classes};
    schema->class_name = reluopt_alloc(classes, sizeof *schema->class_name, error);
    for (size_t i = 0; i < classes && !error->code; i++) {
        snprintf(number, sizeof number, "%zu", i);
        schema->class_name[i] = reluopt_copy_text(number, error);
    }
    if (error->code)
        reluopt_schema_free(schema);
    return error->code;
}

int reluopt_schema_matches(const Schema *schema, size_t features, const char *path, Error *error)
{
    if (schema->columns != 0)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: has no named columns, but the training data is a text file with %zu: give a text "
            "file with the same columns",
            path, schema->columns);
    if (schema->features != features)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: %zu features a sample, but the training data has %zu: use files of one data set", path,
            features, schema->features);
    return RELUOPT_OK;
}

/* Are the classes named 0, 1, ...?  They are sorted. */
static bool is_numbered(const Schema *schema)
{
    char last[32];
    snprintf(last, sizeof last, "%zu", schema->classes - 1);
    return strcmp(schema->class_name[0], "0") == 0 &&
           strcmp(schema->class_name[schema->classes - 1], last) == 0;
}

int reluopt_schema_numbers(Schema *schema, const Samples *samples, size_t classes, const char *x_path,
                           const char *y_path, Error *error)
{
    size_t sample = 0; /* that with the largest label */
    for (size_t i = 1; i < samples->count; i++)
        if (samples->y[i] > samples->y[sample])
            sample = i;
    size_t needed = (size_t)samples->y[sample] + 1;
    if (schema->classes == 0)
        return fill_numbers(schema, samples->features, classes ? classes : needed, error);
    if (reluopt_schema_matches(schema, samples->features, x_path, error))
        return error->code;
    if (!is_numbered(schema))
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: classes are numbers from 0, but the training data names them %.32s to %.32s: give "
            "a file of the training data's format",
            y_path, schema->class_name[0], schema->class_name[schema->classes - 1]);
    if (schema->classes < needed)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: sample %zu has label %zu, but the training data has classes 0 to %zu only: use "
            "files of one data set",
            y_path, sample + 1, needed - 1, schema->classes - 1);
    return RELUOPT_OK;
}

/* To text. */

static void write_name(FILE *out, const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127 || *c == '\\')
            fprintf(out, "\\x%02x", (unsigned char)*c);
        else
            putc(*c, out);
    putc('\n', out);
}

static void write_names(FILE *out, const char *word, char *const *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s ", word);
        write_name(out, name[i]);
    }
}

char *reluopt_schema_to_text(const Schema *schema, Error *error)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        fprintf(out, "features %zu\nclasses %zu\n", schema->features, schema->classes);
        write_names(out, "class", schema->class_name, schema->classes);
        fprintf(out, "columns %zu\n", schema->columns);
        for (size_t i = 0; i < schema->columns; i++) {
            const Column *column = &schema->column[i];
            fprintf(out, "column %zu ", column->categories);
            write_name(out, column->name);
            write_names(out, "category", column->category, column->categories);
        }
    }
    if (!out || fclose(out) != 0) { /* the stream fails only for want of memory, and remembers it until here */
        free(text);
        reluopt_fail(error, RELUOPT_MEMORY, "out of memory for the schema of %zu columns", schema->columns);
        return NULL;
    }
    return text;
}

/* From text. */

typedef struct Lines {
    const char *next; /* what is not taken yet */
    size_t number;    /* of the line it is in */
    size_t limit;     /* no count can be larger: each counted item has a line of its own */
    Error *error;
} Lines;

static int malformed(Lines *lines, const char *expected)
{
    return reluopt_fail(
        lines->error, RELUOPT_DATA,
        "schema text, line %zu: %s expected: the text is damaged, use another copy of the checkpoint",
        lines->number, expected);
}

static int take_word(Lines *lines, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(lines->next, word, length) != 0 || lines->next[length] != ' ')
        return malformed(lines, word);
    lines->next += length + 1;
    return RELUOPT_OK;
}

/* A number and the character after it. */
static int take_number(Lines *lines, size_t *value, char after)
{
    char *end = (char *)lines->next;
    errno = 0;
    unsigned long long number = *end >= '0' && *end <= '9' ? strtoull(lines->next, &end, 10) : 0;
    if (end == lines->next || *end != after || errno != 0)
        return malformed(lines, "a number");
    lines->next = end + 1;
    lines->number += after == '\n';
    *value = (size_t)number;
    return RELUOPT_OK;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The rest of the line. */
static int take_name(Lines *lines, char **name)
{
    size_t length = strcspn(lines->next, "\n");
    const char *end = lines->next + length;
    char *out = *name = reluopt_alloc(length + 1, 1, lines->error);
    if (!out)
        return lines->error->code;
    for (const char *in = lines->next; in < end; out++) {
        if (*in != '\\') {
            *out = *in++;
            continue;
        }
        int high = end - in >= 4 && in[1] == 'x' ? hex_digit(in[2]) : -1;
        int low = high >= 0 ? hex_digit(in[3]) : -1;
        if (low < 0 || 16 * high + low == 0)
            return malformed(lines, "\\xHH after a backslash");
        *out = (char)(16 * high + low);
        in += 4;
    }
    if (*end != '\n')
        return malformed(lines, "the end of the line");
    lines->next = end + 1;
    lines->number++;
    return RELUOPT_OK;
}

/* `wanted` lines of a word and a name; `count` is what there is to free. */
static int take_names(Lines *lines, const char *word, char ***name, size_t *count, size_t wanted)
{
    if (wanted > lines->limit)
        return malformed(lines, "a smaller count");
    *name = reluopt_alloc(wanted, sizeof **name, lines->error);
    *count = *name ? wanted : 0;
    for (size_t i = 0; i < *count; i++)
        if (take_word(lines, word) || take_name(lines, &(*name)[i]))
            return lines->error->code;
    return lines->error->code;
}

static int check_order(Lines *lines, char *const *name, size_t count, NameOrder *order)
{
    for (size_t i = 1; i < count; i++)
        if (order(&name[i - 1], &name[i]) >= 0)
            return malformed(lines, "sorted names, each once,");
    return RELUOPT_OK;
}

static int take_columns(Lines *lines, Schema *schema, size_t wanted)
{
    if (wanted > lines->limit)
        return malformed(lines, "a smaller count");
    schema->column = reluopt_alloc(wanted, sizeof *schema->column, lines->error);
    schema->columns = schema->column ? wanted : 0;
    size_t features = 0, categories = 0;
    for (size_t i = 0; i < schema->columns; i++) {
        Column *column = &schema->column[i];
        if (take_word(lines, "column") || take_number(lines, &categories, ' ') ||
            take_name(lines, &column->name) ||
            take_names(lines, "category", &column->category, &column->categories, categories) ||
            check_order(lines, column->category, categories, reluopt_order_by_bytes))
            return lines->error->code;
        features += categories ? categories : 1;
    }
    if (schema->columns != 0 && features != schema->features)
        return malformed(lines, "as many features as the columns give");
    return lines->error->code;
}

static int take_schema(Lines *lines, Schema *schema)
{
    size_t classes = 0, columns = 0;
    if (take_word(lines, "features") || take_number(lines, &schema->features, '\n') ||
        take_word(lines, "classes") || take_number(lines, &classes, '\n') ||
        take_names(lines, "class", &schema->class_name, &schema->classes, classes) ||
        check_order(lines, schema->class_name, classes, reluopt_name_order(schema->class_name, classes)) ||
        take_word(lines, "columns") || take_number(lines, &columns, '\n') ||
        take_columns(lines, schema, columns))
        return lines->error->code;
    if (schema->features == 0 || schema->classes == 0)
        return malformed(lines, "at least one feature and one class");
    if (*lines->next != '\0')
        return malformed(lines, "the end of the text");
    return RELUOPT_OK;
}

int reluopt_schema_from_text(const char *text, Schema *schema, Error *error)
{
    Lines lines = {.next = text, .number = 1, .limit = strlen(text), .error = error};
    *schema = (Schema){0};
    if (take_schema(&lines, schema))
        reluopt_schema_free(schema);
    return error->code;
}

int reluopt_schema_copy(Schema *copy, const Schema *schema, Error *error)
{
    *copy = (Schema){0};
    char *text = reluopt_schema_to_text(schema, error);
    if (text)
        reluopt_schema_from_text(text, copy, error);
    free(text);
    return error->code;
}
