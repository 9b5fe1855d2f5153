/* csv.c - comma separated text.
 *
 * The file is read into memory and packed in place: the cells follow one another, each ended by a NUL, row by
 * row.  All later steps walk over them in that order.  Numbers, categories and labels are found in a first walk
 * (unless a schema is given), values are set in a second one. */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/file.h"
#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { MAX_CATEGORIES = 1024, FIRST_ROOM = 64 };

typedef struct Table {
    const char *path;
    Bytes file;   /* holds the cells */
    char *cell;   /* rows x columns texts */
    size_t *line; /* rows: the line in the file where each row starts */
    size_t room;  /* of `line` */
    size_t rows, columns;
    size_t header; /* number of header rows, 0 or 1 */
    size_t label;  /* its column */
} Table;

static const char *next_cell(const char *cell)
{
    return cell + strlen(cell) + 1;
}

/* The cell in a column of the row that starts at `cell`. */
static const char *skip_cells(const char *cell, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        cell = next_cell(cell);
    return cell;
}

static const char *first_data_cell(const Table *table)
{
    return skip_cells(table->cell, table->header * table->columns);
}

/* Scanning. */

/* `out` never overtakes `in`: a cell and its NUL are no longer than the cell and its separator. */
typedef struct Scanner {
    const char *path;
    char *in, *out;
    size_t line;
    Error *error;
} Scanner;

enum { FAILED = -1 };

/* Move an unquoted cell to `out`, without the blanks around it.  Returns what ends it: , newline or NUL. */
static int scan_plain(Scanner *scan)
{
    size_t length = strcspn(scan->in, ",\n"), kept = length;
    char stop = scan->in[length];
    while (kept > 0 && strchr(" \t\r", scan->in[kept - 1]))
        kept--;
    memmove(scan->out, scan->in, kept);
    scan->in += length;
    scan->out += kept;
    return stop;
}

/* The same for a quoted cell, without its quotes; "" inside is one quote. */
static int scan_quoted(Scanner *scan)
{
    size_t opened = scan->line;
    for (scan->in++; *scan->in != '"' || *++scan->in == '"'; scan->in++) {
        if (*scan->in == '\0') {
            reluopt_fail(scan->error, RELUOPT_DATA,
                         "%s, line %zu: the quote that opens here is never closed: add the closing quote",
                         scan->path, opened);
            return FAILED;
        }
        scan->line += *scan->in == '\n';
        *scan->out++ = *scan->in;
    }
    scan->in += strspn(scan->in, " \t\r");
    if (*scan->in && !strchr(",\n", *scan->in)) {
        reluopt_fail(scan->error, RELUOPT_DATA,
                     "%s, line %zu: text follows a closing quote: write a quote inside quotes twice",
                     scan->path, scan->line);
        return FAILED;
    }
    return *scan->in;
}

static int scan_cell(Scanner *scan)
{
    scan->in += strspn(scan->in, " \t");
    int stop = *scan->in == '"' ? scan_quoted(scan) : scan_plain(scan);
    if (stop == FAILED)
        return FAILED;
    scan->in += stop != '\0';
    *scan->out++ = '\0';
    return stop;
}

static bool skip_blank_line(Scanner *scan)
{
    char *end = scan->in + strspn(scan->in, " \t\r");
    if (*end != '\n' && *end != '\0')
        return false;
    scan->in = *end ? end + 1 : end;
    scan->line++;
    return true;
}

static int add_row(Table *table, size_t line, Error *error)
{
    if (table->rows == table->room) {
        size_t room = table->room ? 2 * table->room : FIRST_ROOM;
        size_t *grown = realloc(table->line, room * sizeof *grown);
        if (!grown)
            return reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory at line %zu", table->path, line);
        table->line = grown;
        table->room = room;
    }
    table->line[table->rows++] = line;
    return RELUOPT_OK;
}

static int scan_rows(Table *table, Error *error)
{
    Scanner scan = {.path = table->path, .in = table->cell, .out = table->cell, .line = 1, .error = error};
    while (*scan.in) {
        if (skip_blank_line(&scan))
            continue;
        size_t line = scan.line, columns = 0;
        int stop;
        do {
            stop = scan_cell(&scan);
            columns++;
        } while (stop == ',');
        if (stop == FAILED)
            return error->code;
        scan.line += stop == '\n';
        if (table->rows == 0)
            table->columns = columns;
        if (columns != table->columns)
            return reluopt_fail(
                error, RELUOPT_DATA,
                "%s, line %zu: %zu columns where line %zu has %zu: give all lines the same number", table->path,
                line, columns, table->line[0], table->columns);
        if (add_row(table, line, error))
            return error->code;
    }
    return RELUOPT_OK;
}

static int load_table(Table *table, Error *error)
{
    if (reluopt_file_load(table->path, &table->file, error))
        return error->code;
    const unsigned char *zero = memchr(table->file.data, '\0', table->file.size);
    if (zero)
        return reluopt_fail(error, RELUOPT_DATA, "%s: byte %zu is 0: this is no text file, check the path",
                            table->path, (size_t)(zero - table->file.data));
    table->cell = (char *)table->file.data;
    if (strncmp(table->cell, "\xEF\xBB\xBF", 3) == 0) /* a byte order mark */
        table->cell += 3;
    if (scan_rows(table, error))
        return error->code;
    if (table->rows == 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: all lines are blank: get the file again", table->path);
    if (table->columns < 2)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s, line %zu: one column only, features and a label are needed: separate columns by "
            "commas",
            table->path, table->line[0]);
    return RELUOPT_OK;
}

/* Cells. */

static bool is_number(const char *cell, double *value)
{
    char *end;
    *value = strtod(cell, &end);
    return end != cell && *end == '\0';
}

static bool is_missing(const char *cell)
{
    return *cell == '\0' || strcmp(cell, "?") == 0;
}

/* Note that a cell is wrong: file, line, column (with its name, where there is one), problem. */
static int __attribute__((format(printf, 5, 6)))
cell_fail(const Table *table, size_t row, size_t column, Error *error, const char *format, ...)
{
    char problem[512];
    va_list args;
    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    const char *name = table->header ? skip_cells(table->cell, column) : "";
    return reluopt_fail(error, RELUOPT_DATA, "%s, line %zu, column %zu%s%.64s%s: %s", table->path,
                        table->line[row], column + 1, *name ? " (" : "", name, *name ? ")" : "", problem);
}

static int missing_fail(const Table *table, size_t row, size_t column, Error *error)
{
    return cell_fail(table, row, column, error,
                     "a value is missing in a column of numbers: fill it in, or remove the line or the column");
}

/* Header and label column. */

/* A first row with a text where the second has a number is a header. */
static bool looks_like_header(const Table *table)
{
    const char *first = table->cell, *second = skip_cells(table->cell, table->columns);
    double value;
    if (table->rows < 2)
        return false;
    for (size_t c = 0; c < table->columns; c++) {
        if (!is_missing(first) && !is_number(first, &value) && is_number(second, &value))
            return true;
        first = next_cell(first);
        second = next_cell(second);
    }
    return false;
}

static int find_label(Table *table, const char *label, Error *error)
{
    bool last = strcmp(label, "last") == 0;
    if (last || strcmp(label, "first") == 0) {
        table->label = last ? table->columns - 1 : 0;
        return RELUOPT_OK;
    }
    const char *cell = table->cell;
    for (size_t c = 0; table->header && c < table->columns; c++, cell = next_cell(cell))
        if (strcmp(cell, label) == 0) {
            table->label = c;
            return RELUOPT_OK;
        }
    return reluopt_fail(
        error, RELUOPT_DATA,
        "%s, line %zu: no column is named %.64s in the header: name a label column of the file, "
        "or \"first\" or \"last\"",
        table->path, table->line[0], label);
}

static int find_layout(Table *table, const char *label, int header, Error *error)
{
    bool named = strcmp(label, "first") != 0 && strcmp(label, "last") != 0;
    table->header = header < 0 ? named || looks_like_header(table) : header != 0;
    if (table->rows == table->header)
        return reluopt_fail(error, RELUOPT_DATA, "%s: a header and no samples: get the file again",
                            table->path);
    return find_label(table, label, error);
}

/* Learning a schema from the cells. */

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
    size_t gap; /* the first row with a missing value, 0-based, plus 1; 0: none */
    Set set;    /* of labels, or of the categories of a category column */
} Content;

static void count_contents(const Table *table, Content *content)
{
    const char *cell = first_data_cell(table);
    double value;
    for (size_t r = table->header; r < table->rows; r++)
        for (size_t c = 0; c < table->columns; c++, cell = next_cell(cell)) {
            if (!is_missing(cell))
                (*(is_number(cell, &value) ? &content[c].numbers : &content[c].texts))++;
            else if (content[c].gap == 0)
                content[c].gap = r + 1;
        }
}

static bool holds_numbers(const Content *content)
{
    return content->numbers > 0 && content->texts == 0;
}

static int check_contents(const Table *table, const Content *content, Error *error)
{
    for (size_t c = 0; c < table->columns; c++) {
        if (!content[c].gap)
            continue;
        if (c == table->label)
            return cell_fail(table, content[c].gap - 1, c, error,
                             "the label is missing: fill it in, or remove the line");
        if (holds_numbers(&content[c]))
            return missing_fail(table, content[c].gap - 1, c, error);
    }
    return RELUOPT_OK;
}

/* The different texts of the label column and of the category columns. */
static int collect_sets(const Table *table, Content *content, Error *error)
{
    const char *cell = first_data_cell(table);
    for (size_t r = table->header; r < table->rows; r++)
        for (size_t c = 0; c < table->columns; c++, cell = next_cell(cell)) {
            bool label = c == table->label;
            size_t limit = label ? RELUOPT_MAX_CLASSES : MAX_CATEGORIES;
            if (!label && holds_numbers(&content[c]))
                continue;
            if (add_text(&content[c].set, cell, error))
                return error->code;
            if (content[c].set.count > limit)
                return cell_fail(
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

typedef struct Position {
    char text[24];
} Position;

/* The name of a column in a file without header. */
static Position position(size_t column)
{
    Position p;
    snprintf(p.text, sizeof p.text, "%zu", column + 1);
    return p;
}

static int build_schema(const Table *table, const Content *content, Schema *schema, Error *error)
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
        column->name = reluopt_copy_text(table->header ? skip_cells(table->cell, c) : position(c).text, error);
        if (!column->name || copy_set(&content[c].set, &column->category, &column->categories, error))
            return error->code;
        schema->features += column->categories ? column->categories : 1;
    }
    return RELUOPT_OK;
}

static int learn_schema(const Table *table, Schema *schema, Error *error)
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

/* Columns of this file against those of a given schema.  Names are compared where both files have a header. */
static int check_schema(const Table *table, const Schema *schema, Error *error)
{
    if (schema->columns == 0)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s: a text file, but the training data has numbered features and classes: give a file "
            "of the training data's format",
            table->path);
    if (schema->columns != table->columns - 1)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s, line %zu: %zu feature columns, but the training data has %zu: give the same columns",
            table->path, table->line[0], table->columns - 1, schema->columns);
    const char *cell = table->cell;
    for (size_t c = 0, k = 0; table->header && c < table->columns; c++, cell = next_cell(cell)) {
        if (c == table->label)
            continue;
        const char *name = schema->column[k++].name;
        if (strcmp(cell, name) != 0 && strcmp(position(c).text, name) != 0)
            return cell_fail(
                table, 0, c, error,
                "in the training data, this column is named %.64s: give the same columns in the same "
                "order",
                name);
    }
    return RELUOPT_OK;
}

/* Samples from the cells. */

/* The place of a text among sorted names, `count` where it is none of them. */
static size_t find_name(char *const *name, size_t count, NameOrder *order, const char *text)
{
    char *const *at = bsearch(&text, name, count, sizeof *name, order);
    return at ? (size_t)(at - name) : count;
}

static int put_number(const Table *table, size_t row, size_t column, const char *cell, float *x, Error *error)
{
    double value;
    if (is_missing(cell))
        return missing_fail(table, row, column, error);
    if (!is_number(cell, &value))
        return cell_fail(table, row, column, error,
                         "%.64s is no number, but the training data has numbers here", cell);
    *x = (float)value;
    if (!isfinite(*x))
        return cell_fail(table, row, column, error,
                         "%.64s is not a finite single-precision number: correct it, or remove the line", cell);
    return RELUOPT_OK;
}

/* The 0/1 features of a category; x is zero. */
static int put_category(const Table *table, size_t row, size_t column, const char *cell,
                        const Column *categories, float *x, Error *error)
{
    size_t found = find_name(categories->category, categories->categories, reluopt_order_by_bytes, cell);
    if (found == categories->categories)
        return cell_fail(table, row, column, error,
                         "category \"%.64s\" is not in the training data: correct it, or remove the line",
                         cell);
    x[found] = 1;
    return RELUOPT_OK;
}

static int put_label(const Table *table, size_t row, const char *cell, const Schema *schema, NameOrder *order,
                     int *y, Error *error)
{
    size_t found = find_name(schema->class_name, schema->classes, order, cell);
    if (found == schema->classes)
        return cell_fail(table, row, table->label, error,
                         "label \"%.64s\" is not a class of the training data: correct it, or remove the line",
                         cell);
    *y = (int)found;
    return RELUOPT_OK;
}

static int convert(const Table *table, const Schema *schema, Samples *samples, Error *error)
{
    if (reluopt_samples_alloc(samples, table->rows - table->header, schema->features, error))
        return error->code;
    NameOrder *order = reluopt_name_order(schema->class_name, schema->classes);
    const char *cell = first_data_cell(table);
    float *x = samples->x;
    for (size_t r = table->header; r < table->rows && !error->code; r++) {
        const Column *column = schema->column;
        for (size_t c = 0; c < table->columns; c++, cell = next_cell(cell)) {
            if (c == table->label) {
                put_label(table, r, cell, schema, order, &samples->y[r - table->header], error);
            } else if (column->categories == 0) {
                put_number(table, r, c, cell, x++, error);
                column++;
            } else {
                put_category(table, r, c, cell, column, x, error);
                x += column++->categories;
            }
        }
    }
    if (error->code)
        reluopt_samples_free(samples);
    return error->code;
}

int reluopt_read_csv(const char *path, const char *label, int header, Samples *samples, Schema *schema,
                     Error *error)
{
    Table table = {.path = path};
    Schema learnt = {0};
    bool given = schema->classes != 0;
    *samples = (Samples){0};
    if (load_table(&table, error) || find_layout(&table, label, header, error) ||
        (given ? check_schema(&table, schema, error) : learn_schema(&table, &learnt, error)) ||
        convert(&table, given ? schema : &learnt, samples, error))
        reluopt_schema_free(&learnt);
    else if (!given)
        *schema = learnt;
    free(table.line);
    free(table.file.data);
    return error->code;
}
