/* utf8.h - text as characters. */
#ifndef RELUOPT_UTF8_H
#define RELUOPT_UTF8_H

#include <stddef.h>

/* Read one UTF-8 character: its length in bytes, 0 at the end of the text and where it is not UTF-8. */
size_t reluopt_utf8_read(const char *text, unsigned *character);

#endif
