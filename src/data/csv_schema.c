/* csv_schema.c - what the columns of a table hold: learnt from the table, or compared with the training data.
 */
#include "csv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { MAX_CATEGORIES = 1024, FIRST_ROOM = 64, FEW = 20 };

/* Different texts of a column, sorted by bytes; they point into the table. */
typedef struct Set {
    const char **text;
    size_t count, room;
} Set;

static int add_text(Set *set, const char *text, Error *error)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(text, set->text[middle]);
        if (order == 0)
            return RELUOPT_OK;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (set->count == set->room) {
        size_t room = set->room ? 2 * set->room : FIRST_ROOM;
        const char **grown = realloc(set->text, room * sizeof *grown);
        if (!grown)
            return reluopt_fail(error, RELUOPT_MEMORY, "out of memory (%zu different texts in a column)", room);
        set->text = grown;
        set->room = room;
    }
    memmove(&set->text[low + 1], &set->text[low], (set->count - low) * sizeof *set->text);
    set->text[low] = text;
    set->count++;
    return RELUOPT_OK;
}

/* What a column holds. */
typedef struct Content {
    size_t numbers, texts;
    size_t gap, word,
        text; /* the first row with a missing value, a word for one, another text, plus 1; 0: none */
    Set set;  /* of labels, or of the categories of a category column */
} Content;

static void note_row(size_t *first, size_t row)
{
    *first = *first ? *first : row + 1;
}

static void count_cell(Content *content, size_t row, const char *cell)
{
    double value;
    if (csv_is_missing(cell))
        note_row(&content->gap, row);
    else if (csv_says_missing(cell))
        note_row(&content->word, row);
    else if (csv_is_number(cell, &value))
        content->numbers++;
    else {
        content->texts++;
        note_row(&content->text, row);
    }
}

static void count_contents(const CsvTable *table, Content *content)
{
    const char *cell = csv_first_cell(table);
    for (size_t r = table->header; r < table->rows; r++)
        for (size_t c = 0; c < table->columns; c++, cell = csv_next_cell(cell))
            count_cell(&content[c], r, cell);
}

static bool holds_numbers(const Content *content)
{
    return content->numbers > 0 && content->texts == 0;
}

/* A text among many numbers is a slip, and not one category beside as many as there are numbers. */
static int stray_text(const CsvTable *table, size_t row, size_t column, Error *error)
{
    const char *cell = csv_skip_cells(table->cell, row * table->columns + column);
    return csv_fail(
        table, row, column, error, "%.64s is no number, but nearly all of this column are: correct it%s", cell,
        row == 0 ? ", or set data.header: yes where this line is a header" : ", or remove the line");
}

static int check_feature(const CsvTable *table, size_t column, const Content *content, Error *error)
{
    size_t gap =
        content->gap && (!content->word || content->gap < content->word) ? content->gap : content->word;
    if (holds_numbers(content) && gap)
        return csv_missing(table, gap - 1, column, error);
    if (content->texts > 0 && content->numbers >= FEW * content->texts)
        return stray_text(table, content->text - 1, column, error);
    return RELUOPT_OK;
}

static int check_contents(const CsvTable *table, const Content *content, Error *error)
{
    if (content[table->label].gap)
        return csv_fail(table, content[table->label].gap - 1, table->label, error,
                        "the label is missing: fill it in, or remove the line");
    for (size_t c = 0; c < table->columns && !error->code; c++)
        if (c != table->label)
            check_feature(table, c, &content[c], error);
    return error->code;
}

/* The different texts of the label column and of the category columns. */
static int collect_sets(const CsvTable *table, Content *content, Error *error)
{
    const char *cell = csv_first_cell(table);
    for (size_t r = table->header; r < table->rows; r++)
        for (size_t c = 0; c < table->columns; c++, cell = csv_next_cell(cell)) {
            bool label = c == table->label;
            size_t limit = label ? RELUOPT_MAX_CLASSES : MAX_CATEGORIES;
            if (!label && holds_numbers(&content[c]))
                continue;
            if (add_text(&content[c].set, cell, error))
                return error->code;
            if (content[c].set.count > limit)
                return csv_fail(
                    table, r, c, error,
                    "more than %zu different %s: choose another label column, or remove this column", limit,
                    label ? "labels" : "texts, too many for categories");
        }
    return RELUOPT_OK;
}

static int copy_set(const Set *set, char ***name, size_t *count, Error *error)
{
    *name = reluopt_alloc(set->count, sizeof **name, error);
    *count = *name ? set->count : 0;
    for (size_t i = 0; i < *count; i++) {
        (*name)[i] = reluopt_copy_text(set->text[i], error);
        if (!(*name)[i])
            return error->code;
    }
    return error->code;
}

CsvPosition csv_position(size_t column)
{
    CsvPosition p;
    snprintf(p.text, sizeof p.text, "%zu", column + 1);
    return p;
}

static int build_schema(const CsvTable *table, const Content *content, Schema *schema, Error *error)
{
    schema->column = reluopt_alloc(table->columns - 1, sizeof *schema->column, error);
    if (!schema->column || copy_set(&content[table->label].set, &schema->class_name, &schema->classes, error))
        return error->code;
    qsort(schema->class_name, schema->classes, sizeof *schema->class_name,
          reluopt_name_order(schema->class_name, schema->classes));
    for (size_t c = 0; c < table->columns; c++) {
        if (c == table->label)
            continue;
        Column *column = &schema->column[schema->columns++];
        column->name =
            reluopt_copy_text(table->header ? csv_skip_cells(table->cell, c) : csv_position(c).text, error);
        if (!column->name || copy_set(&content[c].set, &column->category, &column->categories, error))
            return error->code;
        schema->features += column->categories ? column->categories : 1;
    }
    return RELUOPT_OK;
}

int csv_learn(const CsvTable *table, Schema *schema, Error *error)
{
    Content *content = reluopt_alloc(table->columns, sizeof *content, error);
    if (!content)
        return error->code;
    count_contents(table, content);
    if (!check_contents(table, content, error) && !collect_sets(table, content, error))
        build_schema(table, content, schema, error);
    for (size_t c = 0; c < table->columns; c++)
        free(content[c].set.text);
    free(content);
    return error->code;
}

static size_t features(const CsvTable *table)
{
    return table->columns - (table->label < table->columns);
}

int csv_plain(const Schema *schema, Schema *plain, Error *error)
{
    *plain = *schema;
    plain->columns = schema->features;
    plain->column = reluopt_alloc(plain->columns, sizeof *plain->column, error);
    return error->code;
}

/* Columns of this file against those of a given schema.  Names are compared where both files have a header. */
int csv_check(const CsvTable *table, const Schema *schema, Error *error)
{
    if (schema->columns != features(table))
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s, line %zu: %zu feature columns, but the training data has %zu: give the same columns",
            table->path, table->first, features(table), schema->columns);
    const char *cell = table->cell;
    for (size_t c = 0, k = 0; table->header && c < table->columns; c++, cell = csv_next_cell(cell)) {
        if (c == table->label)
            continue;
        const char *name = schema->column[k++].name;
        if (name && strcmp(cell, name) != 0 && strcmp(csv_position(c).text, name) != 0)
            return csv_fail(
                table, 0, c, error,
                "in the training data, this column is named %.64s: give the same columns in the same "
                "order",
                name);
    }
    return RELUOPT_OK;
}
