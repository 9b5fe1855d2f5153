/* json.h - writes JSON (RFC 8259): commas, escapes, numbers that read back as the same. */
#ifndef RELUOPT_JSON_H
#define RELUOPT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Start from {.out = FILE, .lines = ...}; the other fields are private. */
typedef struct Json {
    FILE *out;
    bool lines;     /* each member of an object on a line of its own; else all is one line */
    int depth;      /* of what is open, at most 63 */
    uint64_t lists; /* bit d: at depth d it is a list */
    bool filled;    /* it has a member */
} Json;

/* Open an object or a list, and close the innermost open one; with the outermost the line ends.  Here and
 * below, name: of the member of an object; NULL for a member of a list, and for the outermost value. */
void reluopt_json_object(Json *json, const char *name);
void reluopt_json_list(Json *json, const char *name);
void reluopt_json_close(Json *json);

/* Members.  A number that is not finite becomes null, a byte that is not UTF-8 the replacement character. */
void reluopt_json_integer(Json *json, const char *name, int64_t value);
void reluopt_json_real(Json *json, const char *name, double value);
void reluopt_json_text(Json *json, const char *name, const char *value);

/* A list of numbers. */
void reluopt_json_reals(Json *json, const char *name, const double *value, size_t count);

#endif
