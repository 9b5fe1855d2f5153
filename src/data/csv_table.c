/* csv_table.c - comma separated text as a table of cells.
 *
 * Text is packed in place: the cells follow one another, each ended by a NUL, row by row.  All later steps walk
 * over them in that order. */
#include "csv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/memory.h"
#include "reluopt/readers.h"

enum { FIRST_ROOM = 64 };

const char *csv_next_cell(const char *cell)
{
    return cell + strlen(cell) + 1;
}

/* The cell in a column of the row that starts at `cell`. */
const char *csv_skip_cells(const char *cell, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        cell = csv_next_cell(cell);
    return cell;
}

const char *csv_first_cell(const CsvTable *table)
{
    return csv_skip_cells(table->cell, table->header * table->columns);
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

const char *csv_row_end(const char *text)
{
    for (;;) {
        text += strspn(text, " \t");
        if (*text == '"')
            do {
                text = strchr(text + 1, '"');
                if (!text)
                    return NULL;
            } while (*++text == '"');
        text += strcspn(text, ",\n");
        if (*text == '\0')
            return NULL;
        if (*text++ == '\n')
            return text;
    }
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

static int add_row(CsvTable *table, size_t line, Error *error)
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

int csv_scan(CsvTable *table, size_t first, Error *error)
{
    Scanner scan = {.path = table->path, .in = table->cell, .out = table->cell, .line = first, .error = error};
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
        if (table->columns == 0) {
            table->columns = columns;
            table->first = line;
        }
        if (columns != table->columns)
            return reluopt_fail(
                error, RELUOPT_DATA,
                "%s, line %zu: %zu columns where line %zu has %zu: give all lines the same number", table->path,
                line, columns, table->first, table->columns);
        if (add_row(table, line, error))
            return error->code;
    }
    return RELUOPT_OK;
}

int csv_load(CsvTable *table, Error *error)
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
    if (csv_scan(table, 1, error))
        return error->code;
    if (table->rows == 0)
        return reluopt_fail(error, RELUOPT_DATA, "%s: all lines are blank: get the file again", table->path);
    if (table->columns < 2)
        return reluopt_fail(
            error, RELUOPT_DATA,
            "%s, line %zu: one column only, features and a label are needed: separate columns by "
            "commas",
            table->path, table->first);
    return RELUOPT_OK;
}

/* Cells. */

bool csv_is_number(const char *cell, double *value)
{
    char *end;
    *value = strtod(cell, &end);
    return end != cell && *end == '\0';
}

bool csv_is_missing(const char *cell)
{
    return *cell == '\0' || strcmp(cell, "?") == 0;
}

bool csv_says_missing(const char *cell)
{
    static const char *const words[] = {"NA", "N/A", "n/a", "None", "none", "null", "NULL"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(cell, words[i]) == 0)
            return true;
    return csv_is_missing(cell);
}

/* Note that a cell is wrong: file, line, column (with its name, where there is one), problem. */
int csv_fail(const CsvTable *table, size_t row, size_t column, Error *error, const char *format, ...)
{
    char problem[512];
    va_list args;
    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    const char *name = table->header ? csv_skip_cells(table->cell, column) : "";
    return reluopt_fail(error, RELUOPT_DATA, "%s, line %zu, column %zu%s%.64s%s: %s", table->path,
                        table->line[row], column + 1, *name ? " (" : "", name, *name ? ")" : "", problem);
}

int csv_missing(const CsvTable *table, size_t row, size_t column, Error *error)
{
    return csv_fail(table, row, column, error,
                    "a value is missing in a column of numbers: fill it in, or remove the line or the column");
}

/* Header and label column. */

/* A first row with texts wherever the second has numbers is a header. */
static bool looks_like_header(const CsvTable *table)
{
    const char *first = table->cell, *second = csv_skip_cells(table->cell, table->columns);
    bool header = false;
    double value;
    for (size_t c = 0; c < table->columns && table->rows > 1; c++) {
        if (csv_is_number(second, &value)) {
            header = !csv_says_missing(first) && !csv_is_number(first, &value);
            if (!header)
                return false;
        }
        first = csv_next_cell(first);
        second = csv_next_cell(second);
    }
    return header;
}

int csv_find_label(CsvTable *table, const char *label, Error *error)
{
    bool last = strcmp(label, "last") == 0;
    if (last || strcmp(label, "first") == 0) {
        table->label = last ? table->columns - 1 : 0;
        return RELUOPT_OK;
    }
    const char *cell = table->cell;
    for (size_t c = 0; table->header && c < table->columns; c++, cell = csv_next_cell(cell))
        if (strcmp(cell, label) == 0) {
            table->label = c;
            return RELUOPT_OK;
        }
    return reluopt_fail(
        error, RELUOPT_DATA,
        "%s, line %zu: no column is named %.64s in the header: name a label column of the file, "
        "or \"first\" or \"last\"",
        table->path, table->first, label);
}

int csv_layout(CsvTable *table, const char *label, int header, Error *error)
{
    bool named = strcmp(label, "first") != 0 && strcmp(label, "last") != 0;
    table->header = header < 0 ? named || looks_like_header(table) : header != 0;
    if (table->rows == table->header)
        return reluopt_fail(error, RELUOPT_DATA, "%s: a header and no samples: get the file again",
                            table->path);
    return csv_find_label(table, label, error);
}
