/* svg.c - the frame that all drawings of a report share. */
#include "reluopt/svg.h"

#include "reluopt/markup.h"

static const double title_character = 8.6, unit_character = 6.6, gap = 14; /* widths of bold and plain type */

void reluopt_svg_style(FILE *out)
{
    static const char *const css[] = {
#include "plot.css.inc"
    };
    for (size_t i = 0; i < sizeof css / sizeof *css; i++)
        fputs(css[i], out);
}

/* Characters of the title that there is room for beside the unit. */
static size_t title_room(int width, const char *unit)
{
    double room = (width - gap - unit_character * (double)reluopt_markup_length(unit)) / title_character;
    return room > 8 ? (size_t)room : 8;
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
    reluopt_markup_short(out, title, title_room(width, unit));
    fputs("<tspan class=\"unit\" dx=\"8\">", out);
    reluopt_markup_text(out, unit);
    fputs("</tspan></text>\n", out);
}

void reluopt_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}
