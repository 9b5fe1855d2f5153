/* csv.c - comma separated text: whole files, and some samples at a time.
 *
 * Of a whole file, numbers, categories and labels are found in a first walk over its cells (unless a schema is
 * given), values are set in a second one. */
#include "csv.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/readers.h"
#include "rows.h"

/* The place of a text among sorted names, `count` where it is none of them. */
static size_t find_name(char *const *name, size_t count, NameOrder *order, const char *text)
{
    char *const *at = bsearch(&text, name, count, sizeof *name, order);
    return at ? (size_t)(at - name) : count;
}

static int put_number(const CsvTable *table, size_t row, size_t column, const char *cell, float *x,
                      Error *error)
{
    double value;
    if (csv_says_missing(cell))
        return csv_missing(table, row, column, error);
    if (!csv_is_number(cell, &value))
        return csv_fail(table, row, column, error, "%.64s is no number, but the training data has numbers here",
                        cell);
    *x = (float)value;
    if (!isfinite(*x))
        return csv_fail(table, row, column, error,
                        "%.64s is not a finite single-precision number: correct it, or remove the line", cell);
    return RELUOPT_OK;
}

/* The 0/1 features of a category; x is zero. */
static int put_category(const CsvTable *table, size_t row, size_t column, const char *cell,
                        const Column *categories, float *x, Error *error)
{
    size_t found = find_name(categories->category, categories->categories, reluopt_order_by_bytes, cell);
    if (found == categories->categories)
        return csv_fail(table, row, column, error,
                        "category \"%.64s\" is not in the training data: correct it, or remove the line", cell);
    x[found] = 1;
    return RELUOPT_OK;
}

static int put_label(const CsvTable *table, size_t row, const char *cell, const Schema *schema,
                     NameOrder *order, int *y, Error *error)
{
    size_t found = find_name(schema->class_name, schema->classes, order, cell);
    if (found == schema->classes)
        return csv_fail(table, row, table->label, error,
                        "label \"%.64s\" is not a class of the training data: correct it, or remove the line",
                        cell);
    *y = (int)found;
    return RELUOPT_OK;
}

/* The features of the row at `cell` into x, which is zero; *label: the cell with its label, if it has one.
 * Returns the cell after the row. */
static const char *convert_row(const CsvTable *table, size_t row, const char *cell, const Schema *schema,
                               float *x, const char **label, Error *error)
{
    const Column *column = schema->column;
    for (size_t c = 0; c < table->columns; c++, cell = csv_next_cell(cell)) {
        if (c == table->label) {
            *label = cell;
        } else if (column->categories == 0) {
            put_number(table, row, c, cell, x++, error);
            column++;
        } else {
            put_category(table, row, c, cell, column, x, error);
            x += column++->categories;
        }
    }
    return cell;
}

static int convert(const CsvTable *table, const Schema *schema, Samples *samples, Error *error)
{
    if (reluopt_samples_alloc(samples, table->rows - table->header, schema->features, error))
        return error->code;
    NameOrder *order = reluopt_name_order(schema->class_name, schema->classes);
    const char *cell = csv_first_cell(table), *label = "";
    for (size_t r = table->header; r < table->rows && !error->code; r++) {
        size_t k = r - table->header;
        cell = convert_row(table, r, cell, schema, samples->x + k * schema->features, &label, error);
        put_label(table, r, label, schema, order, &samples->y[k], error);
    }
    if (error->code)
        reluopt_samples_free(samples);
    return error->code;
}

int reluopt_read_csv(const char *path, const char *label, int header, Samples *samples, Schema *schema,
                     Error *error)
{
    CsvTable table = {.path = path};
    Schema learnt = {0}, plain = {0};
    bool given = schema->classes != 0, named = schema->columns > 0;
    const Schema *use = !given ? &learnt : named ? schema : &plain;
    *samples = (Samples){0};
    if (csv_load(&table, error) || csv_layout(&table, label, header, error) ||
        (given && !named && csv_plain(schema, &plain, error)) ||
        (given ? csv_check(&table, use, error) : csv_learn(&table, &learnt, error)) ||
        convert(&table, use, samples, error))
        reluopt_schema_free(&learnt);
    else if (!given)
        *schema = learnt;
    free(plain.column);
    free(table.line);
    free(table.file.data);
    return error->code;
}

/* Some samples at a time. */

typedef struct Text {
    TextRows rows;
    CsvTable table; /* of one row */
    const Schema *schema;
    Schema plain; /* what `schema` points to where the training data were no table */
    bool waiting; /* the row in the table is not handed out yet */
} Text;

/* Put the next row that is not blank into the table; false at the end or after a failure. */
static bool next_row(Text *text, Error *error)
{
    CsvTable *table = &text->table;
    for (table->rows = 0; table->rows == 0 && !error->code;) {
        char *row = rows_next(&text->rows, error);
        if (!row)
            return false;
        table->cell = row;
        csv_scan(table, text->rows.line, error);
    }
    return !error->code;
}

/* A header has texts where the training data has numbers, or the names of all its columns. */
static bool is_header(const CsvTable *table, const Schema *schema)
{
    const char *cell = table->cell;
    const Column *column = schema->column;
    bool names = true;
    double value;
    for (size_t c = 0; c < table->columns; c++, cell = csv_next_cell(cell)) {
        if (c == table->label)
            continue;
        if (column->categories == 0 && !csv_is_missing(cell) && !csv_is_number(cell, &value))
            return true;
        names = names && column->name && strcmp(cell, column->name) == 0;
        column++;
    }
    return names;
}

/* Decide from the first row whether it is a header, and which column holds labels, if any does. */
static int lay_out(Text *text, const char *label, int header, Error *error)
{
    CsvTable *table = &text->table;
    const Schema *schema = text->schema;
    bool named = strcmp(label, "first") != 0 && strcmp(label, "last") != 0;
    bool labelled = table->columns == schema->columns + 1;
    table->label = SIZE_MAX;
    table->header = header > 0 || (header < 0 && labelled && named);
    if ((labelled && csv_find_label(table, label, error)) || csv_check(table, schema, error))
        return error->code;
    if (header < 0 && !table->header)
        table->header = is_header(table, schema);
    text->waiting = !table->header;
    return csv_check(table, schema, error);
}

static int read_source(void *state, float *x, size_t room, size_t *count, Error *error)
{
    Text *text = state;
    const char *label = "";
    size_t n = text->schema->features;
    memset(x, 0, room * n * sizeof *x);
    for (*count = 0; *count < room && !error->code && (text->waiting || next_row(text, error)); ++*count) {
        text->waiting = false;
        text->table.header = 0;
        convert_row(&text->table, 0, text->table.cell, text->schema, x + *count * n, &label, error);
    }
    return error->code;
}

static void close_source(void *state)
{
    Text *text = state;
    rows_close(&text->rows);
    free(text->table.line);
    free(text->plain.column);
    free(text);
}

int reluopt_open_csv(Source *source, const char *path, const char *label, int header, const Schema *schema,
                     Error *error)
{
    Text *text = reluopt_alloc(1, sizeof *text, error);
    if (!text)
        return error->code;
    *source = (Source){.state = text, .read = read_source, .close = close_source};
    text->schema = schema->columns > 0 ? schema : &text->plain;
    if (schema->columns == 0 && csv_plain(schema, &text->plain, error))
        return error->code;
    text->table.path = text->rows.stream.name;
    if (rows_open(&text->rows, path, csv_row_end, error) == RELUOPT_OK && next_row(text, error))
        lay_out(text, label, header, error);
    else
        reluopt_fail(error, RELUOPT_DATA, "%s: all lines are blank: get the file again", path);
    return error->code;
}
