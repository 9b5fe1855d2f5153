/* error.c - the record of the first failure on this rank. */
#include "reluopt/error.h"

#include <stdarg.h>
#include <stdio.h>

int reluopt_fail(Error *error, int code, const char *format, ...)
{
    if (error->code != RELUOPT_OK)
        return error->code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    for (char *c = error->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    error->code = code;
    return code;
}
