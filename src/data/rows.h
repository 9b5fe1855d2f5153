/* rows.h - the rows of a text file, plain or gzip, one at a time; private to src/data. */
#ifndef RELUOPT_DATA_ROWS_H
#define RELUOPT_DATA_ROWS_H

#include "reluopt/stream.h"

typedef struct TextRows {
    Stream stream;
    /* Where the row that starts at `text` ends, after its newline; NULL when the text ends before. */
    const char *(*end)(const char *text);
    char *text; /* `room` bytes, those from `next` to `filled` not handed out yet; a NUL follows */
    size_t room, next, filled;
    size_t line;      /* of the row handed out last, from 1 */
    size_t following; /* line of the next row */
    char kept;        /* the character that a NUL took the place of */
} TextRows;

/* Open a file.  RELUOPT_DATA, RELUOPT_MEMORY; close it then too. */
int rows_open(TextRows *rows, const char *path, const char *(*end)(const char *text), Error *error);

/* The next row with its newline, ended by a NUL, the caller's to change until the next call; NULL after the
 * last one or a failure: RELUOPT_DATA (damaged, a byte is 0), RELUOPT_MEMORY. */
char *rows_next(TextRows *rows, Error *error);

void rows_close(TextRows *rows);

#endif
