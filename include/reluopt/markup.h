/* markup.h - any text into HTML and SVG.  Rank 0; not collective. */
#ifndef RELUOPT_MARKUP_H
#define RELUOPT_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* Text as the content of an element or of an attribute in double quotes: & < > " escaped; bytes that are not
 * UTF-8, and characters that XML does not have, become U+FFFD. */
void reluopt_markup_text(FILE *out, const char *text);

/* The same, at most `most` characters (3 or more): of a longer text the beginning and the end, which tells runs
 * apart that are named alike, with an ellipsis between them. */
void reluopt_markup_short(FILE *out, const char *text, size_t most);

/* Characters of the text, each of what reluopt_markup_text puts out. */
size_t reluopt_markup_length(const char *text);

/* Bytes as base64, for a data URL. */
void reluopt_markup_base64(FILE *out, const unsigned char *bytes, size_t count);

#endif
