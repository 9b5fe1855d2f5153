/* svg.c - the frame that all drawings of a report share. */
#include "reluopt/svg.h"

#include "reluopt/markup.h"

enum { TITLE_MOST = 32 }; /* characters */

void reluopt_svg_style(FILE *out)
{
    static const char *const css[] = {
#include "plot.css.inc"
    };
    for (size_t i = 0; i < sizeof css / sizeof *css; i++)
        fputs(css[i], out);
}

void reluopt_svg_begin(FILE *out, int width, int height, const char *title, const char *unit, bool alone)
{
    fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 %d %d\" ", width,
            height);
    if (alone)
        fprintf(out, "width=\"%d\" height=\"%d\" ", width, height);
    fputs("role=\"img\" aria-label=\"", out);
    reluopt_markup_text(out, title);
    fputs("\">\n", out);
    if (alone) {
        fputs("<style>\n", out);
        reluopt_svg_style(out);
        fputs("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
    }
    fputs("<text class=\"title\" x=\"2\" y=\"15\">", out);
    reluopt_markup_short(out, title, TITLE_MOST);
    fputs("<tspan class=\"unit\" dx=\"8\">", out);
    reluopt_markup_text(out, unit);
    fputs("</tspan></text>\n", out);
}

void reluopt_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}
