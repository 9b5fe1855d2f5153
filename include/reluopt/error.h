/* error.h - the record of the first failure on this rank.  Functions that can fail return a code of codes.h. */
#ifndef RELUOPT_ERROR_H
#define RELUOPT_ERROR_H

#include "reluopt/codes.h"

/* The first failure noted on this rank.  Start from {0}. */
typedef struct Error {
    int code;
    char message[1024]; /* one line: what failed, where, what to do */
} Error;

/* Note a failure: keeps the first one, drops later ones, replaces control characters by '?'.
 * Returns the code that `error` now holds, so that callers can write `return reluopt_fail(...)`.
 * Not collective. */
int reluopt_fail(Error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
