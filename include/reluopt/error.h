/* error.h - error codes, and the record of the first failure on this rank. */
#ifndef RELUOPT_ERROR_H
#define RELUOPT_ERROR_H

/* Exit codes of the program; functions that can fail return one of them, 0 for success. */
enum {
    RELUOPT_OK = 0,
    RELUOPT_USAGE = 2,    /* command line or configuration */
    RELUOPT_DATA = 3,     /* a data file is missing, malformed or has impossible values */
    RELUOPT_STORAGE = 4,  /* a run folder, checkpoint or curve file cannot be read or written */
    RELUOPT_NUMERIC = 5,  /* a loss or weight is not finite */
    RELUOPT_MEMORY = 6,   /* an allocation failed */
    RELUOPT_STOPPED = 75, /* not a failure: a run was asked to stop, and is to be continued */
    RELUOPT_BUG = 70      /* a broken invariant of the program itself */
};

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
