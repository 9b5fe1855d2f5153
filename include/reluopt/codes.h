/* codes.h - what can go wrong: exit codes of the program, return values of the library. */
#ifndef RELUOPT_CODES_H
#define RELUOPT_CODES_H

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

#endif
