/* rows.c - the rows of a text file, one at a time: memory for the longest one, no more. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 16 };

int rows_open(TextRows *rows, const char *path, const char *(*end)(const char *text), Error *error)
{
    *rows = (TextRows){.end = end, .following = 1};
    return reluopt_stream_open(&rows->stream, path, error);
}

/* Move what is left to the front and read on behind it: how many bytes came. */
static size_t fill(TextRows *rows, Error *error)
{
    size_t left = rows->filled - rows->next;
    if (rows->text)
        memmove(rows->text, rows->text + rows->next, left);
    rows->next = 0;
    rows->filled = left;
    if (left + 1 >= rows->room) {
        size_t room = rows->room ? 2 * rows->room : FIRST_ROOM;
        char *grown = realloc(rows->text, room);
        if (!grown) {
            reluopt_fail(error, RELUOPT_MEMORY, "%s: out of memory for line %zu", rows->stream.name,
                         rows->following);
            return 0;
        }
        rows->text = grown;
        rows->room = room;
    }
    size_t at = rows->stream.at;
    size_t got = reluopt_stream_read(&rows->stream, rows->text + left, rows->room - 1 - left, error);
    const char *zero = memchr(rows->text + left, '\0', got);
    if (zero)
        reluopt_fail(error, RELUOPT_DATA, "%s: byte %zu is 0: this is no text file, check the path",
                     rows->stream.name, at + (size_t)(zero - rows->text) - left);
    rows->filled += got;
    rows->text[rows->filled] = '\0';
    return got;
}

char *rows_next(TextRows *rows, Error *error)
{
    const char *end = NULL;
    if (rows->kept) /* the NUL behind the row before */
        rows->text[rows->next] = rows->kept;
    rows->kept = '\0';
    while (!error->code && !(rows->text && (end = rows->end(rows->text + rows->next))) && fill(rows, error) > 0)
        ;
    if (error->code || rows->next == rows->filled)
        return NULL;
    char *row = rows->text + rows->next;
    rows->next = end ? (size_t)(end - rows->text) : rows->filled;
    rows->kept = rows->text[rows->next];
    rows->text[rows->next] = '\0';
    rows->line = rows->following;
    for (const char *c = row; (c = strchr(c, '\n')); c++)
        rows->following++;
    return row;
}

void rows_close(TextRows *rows)
{
    reluopt_stream_close(&rows->stream);
    free(rows->text);
}
