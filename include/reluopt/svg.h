/* svg.h - the frame that all drawings of a report share.  Colours, dashes and type are the classes of
 * src/report/plot.css, which the page extends for dark screens.  Rank 0; not collective. */
#ifndef RELUOPT_SVG_H
#define RELUOPT_SVG_H

#include <stdbool.h>
#include <stdio.h>

/* Begin an svg element with its heading, `unit` in lighter type, and end it.  `alone`: as a file of its own,
 * with its style and a white ground. */
void reluopt_svg_begin(FILE *out, int width, int height, const char *title, const char *unit, bool alone);
void reluopt_svg_end(FILE *out);

/* The style sheet. */
void reluopt_svg_style(FILE *out);

#endif
