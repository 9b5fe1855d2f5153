/* plot.c - line plots over epochs as SVG. */
#include "reluopt/plot.h"

#include <math.h>
#include <stdlib.h>

#include "reluopt/markup.h"
#include "reluopt/svg.h"

enum {
    LEFT = 46,
    TOP = 40,
    BOTTOM = 34,
    MARGIN = 6,     /* of the lines, inside the axes */
    LABEL_GAP = 14, /* between names at the ends of lines */
    LABEL_MOST = 64,
    MARKS = 8,   /* marks on a line, about */
    EVERY = 12,  /* points that are all marked */
    COLUMN = 4,  /* least width of a column that lists values */
    X_TICK = 56, /* least distance of ticks */
    Y_TICK = 38
};
static const double character = 7, mark_room = 16; /* widths beside the axes */

/* Where things are. */
typedef struct Frame {
    double right, bottom; /* of the area of the lines */
    Scale x, y;
} Frame;

static const char *const shapes[] = {
    "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    "m-2.9-2.9h5.8v5.8h-5.8z",
    "m0-3.9l3.7 6.4h-7.4z",
    "m0-4.1l4.1 4.1l-4.1 4.1l-4.1-4.1z",
    "m0 3.9l3.7-6.4h-7.4z",
    "m-4-1.6h8v3.2h-8z",
    "m-1.3-3.9h2.6v2.6h2.6v2.6h-2.6v2.6h-2.6v-2.6h-2.6v-2.6h2.6z",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static size_t colour(const Series *series)
{
    return series->colour % (series->family == 's' ? RELUOPT_COLOURS : RELUOPT_ORDERED_COLOURS);
}

void reluopt_plot_range(Range *range, ScaleKind kind, const Series *series, size_t count)
{
    for (const Series *s = series; s < series + count; s++)
        for (size_t k = 0; k < s->count; k++)
            reluopt_range_add(range, kind, s->y(s, k));
}

/* Width of the names at the right. */
static double label_width(const Plot *plot)
{
    size_t longest = 0;
    for (size_t i = 0; i < plot->count; i++) {
        size_t length = plot->series[i].label ? reluopt_markup_length(plot->series[i].label) : 0;
        longest = length > longest ? length : longest;
    }
    return fmin(character * (double)longest + mark_room, 0.3 * plot->width);
}

static Frame make_frame(const Plot *plot)
{
    Range x = reluopt_range_empty();
    Frame frame = {.right = plot->width - label_width(plot) - 6, .bottom = plot->height - BOTTOM};
    for (const Series *s = plot->series; s < plot->series + plot->count; s++)
        if (s->count > 0) {
            reluopt_range_add(&x, SCALE_WHOLE, s->x(s, 0));
            reluopt_range_add(&x, SCALE_WHOLE, s->x(s, s->count - 1));
        }
    frame.x =
        reluopt_scale(SCALE_WHOLE, x, (int)(frame.right - LEFT) / X_TICK, LEFT + MARGIN, frame.right - MARGIN);
    frame.y = reluopt_scale(plot->kind, plot->y, (int)(frame.bottom - TOP) / Y_TICK, frame.bottom, TOP);
    return frame;
}

/* Axes and ticks. */

static void put_axes(FILE *out, const Plot *plot, const Frame *f)
{
    char text[RELUOPT_TICK_TEXT];
    fputs("<g class=\"axes\">", out);
    for (size_t k = 0; k < f->y.ticks; k++) {
        double y = reluopt_scale_at(&f->y, f->y.tick[k]);
        reluopt_scale_text(&f->y, k, text);
        fprintf(out, "<path class=\"grid\" d=\"M%d %.1fH%.1f\"/>", LEFT, y, f->right);
        fprintf(out, "<text class=\"tick end\" x=\"%d\" y=\"%.1f\">%s</text>", LEFT - 6, y + 4, text);
    }
    fprintf(out, "<path class=\"axis\" d=\"M%d %.1fH%.1f\"/>", LEFT, f->bottom, f->right);
    for (size_t k = 0; k < f->x.ticks; k++) {
        double x = reluopt_scale_at(&f->x, f->x.tick[k]);
        reluopt_scale_text(&f->x, k, text);
        fprintf(out, "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>", x, f->bottom);
        fprintf(out, "<text class=\"tick mid\" x=\"%.1f\" y=\"%.1f\">%s</text>", x, f->bottom + 16, text);
    }
    fprintf(out, "<text class=\"tick end\" x=\"%.1f\" y=\"%d\">epoch</text></g>\n", f->right, plot->height - 5);
}

/* Lines. */

/* Position of point k; false in a gap. */
static bool at(const Frame *f, const Series *s, size_t k, double *x, double *y)
{
    *x = reluopt_scale_at(&f->x, s->x(s, k));
    *y = reluopt_scale_at(&f->y, s->y(s, k));
    return isfinite(*x) && isfinite(*y);
}

static void put_line(FILE *out, const Frame *f, Series *s)
{
    bool down = false;
    fprintf(out, "<path class=\"line %c%zu%s\" d=\"", s->family, colour(s), s->dashed ? " dash" : "");
    for (size_t k = 0; k < s->count; k++) {
        double x, y;
        bool there = at(f, s, k, &x, &y);
        if (there)
            fprintf(out, "%c%.1f %.1f", down ? 'L' : 'M', x, y);
        down = there;
    }
    fputs("\"/>\n", out);
}

static void mark_class(FILE *out, const Series *s)
{
    fprintf(out, "class=\"mark %c%zu%s\"", s->family, colour(s), s->dashed ? " hollow" : "");
}

/* Is point k one that no line leads to or from? */
static bool is_alone(const Frame *f, const Series *s, size_t k)
{
    double x, y;
    return !(k > 0 && at(f, s, k - 1, &x, &y)) && !(k + 1 < s->count && at(f, s, k + 1, &x, &y));
}

/* On few of the points, on others for each line; on the last one, and wherever there is no line. */
static void put_marks(FILE *out, const Frame *f, Series *s, size_t turn)
{
    size_t stride = s->count <= EVERY ? 1 : (s->count + MARKS - 1) / MARKS;
    fputs("<path ", out);
    mark_class(out, s);
    fputs(" d=\"", out);
    for (size_t k = 0; k < s->count; k++) {
        double x, y;
        bool wanted = (k + turn * stride / 5) % stride == stride / 2 || k + 1 == s->count || is_alone(f, s, k);
        if (wanted && at(f, s, k, &x, &y))
            fprintf(out, "M%.1f %.1f%s", x, y, shapes[s->mark % SHAPES]);
    }
    fputs("\"/>\n", out);
}

static void put_mark(FILE *out, const Series *series, double x, double y)
{
    fputs("<path ", out);
    mark_class(out, series);
    fprintf(out, " d=\"M%.1f %.1f%s\"/>", x, y, shapes[series->mark % SHAPES]);
}

void reluopt_plot_key(FILE *out, const Series *series)
{
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"key\" viewBox=\"0 0 20 12\" aria-hidden=\"true\">"
        "<path class=\"line %c%zu\" d=\"M1 6h18\"/>",
        series->family, colour(series));
    put_mark(out, series, 10, 6);
    fputs("</svg>", out);
}

/* Names at the ends of lines, moved apart where they would overlap. */

static bool find_end(const Frame *f, Series *s)
{
    for (size_t k = s->count; k-- > 0;)
        if (at(f, s, k, &s->end_x, &s->end_y))
            return true;
    return false;
}

static int compare_ends(const void *a, const void *b)
{
    double x = (*(Series *const *)a)->end_y, y = (*(Series *const *)b)->end_y;
    return (x > y) - (x < y);
}

/* The lines to name, from top to bottom: all, or every second, third ... where there is no room. */
static size_t choose_labels(const Plot *plot, const Frame *f, Series *list[LABEL_MOST])
{
    size_t all = 0, count = 0, room = (size_t)(f->bottom - TOP) / LABEL_GAP + 1;
    for (Series *s = plot->series; s < plot->series + plot->count; s++)
        all += s->label && find_end(f, s);
    room = room < LABEL_MOST ? room : LABEL_MOST;
    if (all == 0)
        return 0;
    size_t stride = (all + room - 1) / room, i = 0;
    for (Series *s = plot->series; s < plot->series + plot->count; s++)
        if (s->label && find_end(f, s) && i++ % stride == 0)
            list[count++] = s;
    // cppcheck-suppress uninitvar ; its first `count` are set
    qsort(list, count, sizeof *list, compare_ends); // NOLINT(bugprone-sizeof-expression) ; pointers are sorted
    return count;
}

static void place_labels(const Frame *f, Series *list[], size_t count)
{
    double least = TOP, most = f->bottom;
    for (size_t i = 0; i < count; i++) {
        list[i]->label_y = fmax(list[i]->end_y, least);
        least = list[i]->label_y + LABEL_GAP;
    }
    for (size_t i = count; i-- > 0; most -= LABEL_GAP) {
        if (list[i]->label_y <= most)
            break;
        list[i]->label_y = most;
    }
}

/* From the ends of lines to their names. */
static void put_leads(FILE *out, const Frame *f, Series *const list[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "<path class=\"lead\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", list[i]->end_x, list[i]->end_y,
                f->right + 2, list[i]->label_y);
}

/* Is some name not right beside the end of its line, so that marks must tell which is whose? */
static bool need_marks(const Frame *f, Series *const list[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fabs(list[i]->label_y - list[i]->end_y) > 3 || list[i]->end_x < f->right - MARGIN - 1)
            return true;
    return false;
}

static void put_labels(FILE *out, const Plot *plot, const Frame *f, Series *const list[], size_t count)
{
    size_t characters = (size_t)((plot->width - f->right - 6 - mark_room) / character + 0.5);
    bool marks = need_marks(f, list, count);
    for (size_t i = 0; i < count; i++) {
        const Series *s = list[i];
        double x = f->right + 7;
        if (marks)
            put_mark(out, s, x, s->label_y);
        fprintf(out, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\">", x + 7, s->label_y + 4);
        reluopt_markup_short(out, s->label, characters < 3 ? 3 : characters);
        fputs("</text>\n", out);
    }
}

/* Columns that list the values of all lines. */

/* The longest series: its points are the columns. */
static const Series *longest(const Plot *plot)
{
    const Series *found = plot->series;
    for (const Series *s = plot->series; s < plot->series + plot->count; s++)
        found = s->count > found->count ? s : found;
    return found;
}

static void put_values(FILE *out, const Plot *plot, double x, size_t k)
{
    fprintf(out, "<title>epoch %.0f", x);
    for (const Series *s = plot->series; s < plot->series + plot->count; s++)
        if (k < s->count && s->x(s, k) == x && isfinite(s->y(s, k))) {
            fputc('\n', out);
            reluopt_markup_text(out, s->name);
            fprintf(out, "%s%s  %.4g", s->part ? ", " : "", s->part ? s->part : "", s->y(s, k));
        }
    fputs("</title>", out);
}

/* A line at x with a dot on each curve; shown while the column is pointed at. */
static void put_guide(FILE *out, const Plot *plot, const Frame *f, double value, size_t k)
{
    double x = reluopt_scale_at(&f->x, value), y;
    fprintf(out, "<path class=\"guide\" d=\"M%.1f %dV%.1f\"/><path class=\"dots\" d=\"", x, TOP, f->bottom);
    for (const Series *s = plot->series; s < plot->series + plot->count; s++)
        if (k < s->count && s->x(s, k) == value && at(f, s, k, &x, &y))
            fprintf(out, "M%.1f %.1fh0", x, y);
    fputs("\"/>", out);
}

static void put_columns(FILE *out, const Plot *plot, const Frame *f)
{
    const Series *s = longest(plot);
    size_t most = (size_t)((f->right - LEFT) / COLUMN), stride = (s->count + most - 1) / most;
    for (size_t k = 0; k < s->count; k += stride) {
        double value = s->x(s, k), x = reluopt_scale_at(&f->x, value);
        double width =
            s->count == 1 ? f->right - LEFT : fabs(reluopt_scale_at(&f->x, value + (double)stride) - x);
        fprintf(out, "<g class=\"column\"><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>",
                x - width / 2, TOP, width, f->bottom - TOP);
        put_guide(out, plot, f, value, k);
        put_values(out, plot, value, k);
        fputs("</g>\n", out);
    }
}

/* Whole plots. */

void reluopt_plot_put(FILE *out, Plot *plot, bool alone)
{
    Frame frame = make_frame(plot);
    Series *named[LABEL_MOST];
    size_t names = choose_labels(plot, &frame, named);
    place_labels(&frame, named, names);
    reluopt_svg_begin(out, plot->width, plot->height, plot->title, plot->unit, alone);
    put_axes(out, plot, &frame);
    if (plot->hover && !alone)
        put_columns(out, plot, &frame);
    put_leads(out, &frame, named, names);
    for (size_t i = plot->count; i-- > 0;)
        put_line(out, &frame, &plot->series[i]);
    for (size_t i = plot->count; i-- > 0;)
        put_marks(out, &frame, &plot->series[i], i);
    put_labels(out, plot, &frame, named, names);
    reluopt_svg_end(out);
}
