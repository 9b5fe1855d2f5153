/* csv.h - comma separated text as a table of cells; private to src/data. */
#ifndef RELUOPT_DATA_CSV_H
#define RELUOPT_DATA_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "reluopt/file.h"
#include "reluopt/samples.h"

typedef struct CsvTable {
    const char *path;
    Bytes file;   /* holds the cells */
    char *cell;   /* rows x columns texts */
    size_t *line; /* rows: the line in the file where each row starts */
    size_t room;  /* of `line` */
    size_t rows, columns;
    size_t header; /* number of header rows, 0 or 1 */
    size_t label;  /* its column; SIZE_MAX: there is none */
    size_t first;  /* line of the first row */
} CsvTable;

/* The next cell; the cell in a column of the row that starts at `cell`; the first one after the header. */
const char *csv_next_cell(const char *cell);
const char *csv_skip_cells(const char *cell, size_t columns);
const char *csv_first_cell(const CsvTable *table);

/* Read the file at table->path and pack its cells.  RELUOPT_DATA, RELUOPT_MEMORY. */
int csv_load(CsvTable *table, Error *error);

/* Pack the cells of the text at table->cell, whose first line is number `line` of the file; table->columns: how
 * many cells a row has to have, 0: as many as the first.  RELUOPT_DATA, RELUOPT_MEMORY. */
int csv_scan(CsvTable *table, size_t line, Error *error);

/* Where the row of cells that starts at `text` ends, after its newline; NULL when the text ends before. */
const char *csv_row_end(const char *text);

bool csv_is_number(const char *cell, double *value);
bool csv_is_missing(const char *cell);   /* in any column: empty, or ? */
bool csv_says_missing(const char *cell); /* in a column of numbers: NA, None and their like, too */

/* Note that a cell is wrong: file, line, column (with its name, where there is one), problem. */
int csv_fail(const CsvTable *table, size_t row, size_t column, Error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int csv_missing(const CsvTable *table, size_t row, size_t column, Error *error);

/* Set table->label, and table->header.  label, header: as of reluopt_read_csv.  RELUOPT_DATA. */
int csv_find_label(CsvTable *table, const char *label, Error *error);
int csv_layout(CsvTable *table, const char *label, int header, Error *error);

/* The name of a column in a file without header. */
typedef struct CsvPosition {
    char text[24];
} CsvPosition;
CsvPosition csv_position(size_t column);

/* A schema from the cells.  RELUOPT_DATA, RELUOPT_MEMORY; free it then too. */
int csv_learn(const CsvTable *table, Schema *schema, Error *error);
/* Schema of a table for training data that is none: a column of numbers, of any name, for each of its numbered
 * features; the classes stay those of `schema`.  Release plain->column.  RELUOPT_MEMORY. */
int csv_plain(const Schema *schema, Schema *plain, Error *error);
/* Columns of this file against those of the training data.  RELUOPT_DATA. */
int csv_check(const CsvTable *table, const Schema *schema, Error *error);

#endif
