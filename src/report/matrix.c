/* matrix.c - a confusion matrix as SVG. */
#include "reluopt/matrix.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reluopt/markup.h"
#include "reluopt/svg.h"

enum { TOP = 30, NAME_MOST = 12, CELL_MOST = 36, CELL_NUMBER = 26, CELL_NAME = 11 };
static const double character = 6.7, strong = 0.55; /* width; shade from which a number on it must be light */

uint64_t reluopt_matrix_row(const Matrix *m, size_t i)
{
    uint64_t sum = 0;
    for (size_t j = 0; j < m->classes; j++)
        sum += m->count[i * m->classes + j];
    return sum;
}

uint64_t reluopt_matrix_total(const Matrix *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->classes; i++)
        sum += reluopt_matrix_row(m, i);
    return sum;
}

uint64_t reluopt_matrix_right(const Matrix *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->classes; i++)
        sum += m->count[i * m->classes + i];
    return sum;
}

size_t reluopt_matrix_confused(const Matrix *m, Confused *list, size_t most)
{
    size_t found = 0;
    for (size_t i = 0; i < m->classes; i++)
        for (size_t j = 0; j < m->classes; j++) {
            uint64_t count = m->count[i * m->classes + j];
            size_t place = found;
            while (place > 0 && list[place - 1].count < count)
                place--;
            if (i == j || count == 0 || place == most)
                continue;
            found += found < most;
            memmove(&list[place + 1], &list[place], (found - place - 1) * sizeof *list);
            list[place] = (Confused){i, j, count};
        }
    return found;
}

/* Share of class i's samples that are taken for j. */
static double share(const Matrix *m, size_t i, size_t j)
{
    uint64_t row = reluopt_matrix_row(m, i);
    return row ? (double)m->count[i * m->classes + j] / (double)row : 0;
}

static double largest_wrong_share(const Matrix *m)
{
    double largest = 0;
    for (size_t i = 0; i < m->classes; i++)
        for (size_t j = 0; j < m->classes; j++)
            largest = i == j ? largest : fmax(largest, share(m, i, j));
    return largest;
}

/* Where things are. */
typedef struct Frame {
    double left, top, cell;
    size_t longest; /* characters of the longest name shown */
    size_t stride;  /* every how manieth class is named */
    bool numbers, upright;
} Frame;

static Frame make_frame(const Matrix *m, int width)
{
    Frame f = {0};
    for (size_t i = 0; i < m->classes; i++) {
        size_t length = reluopt_markup_length(m->class_name[i]);
        f.longest = length > f.longest ? length : f.longest;
    }
    f.longest = f.longest < NAME_MOST ? f.longest : NAME_MOST;
    f.left = 26 + character * (double)f.longest;
    f.cell = fmin((width - f.left - 4) / (double)m->classes, CELL_MOST);
    f.upright = character * (double)f.longest > f.cell;
    f.top = TOP + 18 + (f.upright ? character * (double)f.longest + 9 : 14);
    f.stride = (size_t)ceil(CELL_NAME / f.cell);
    f.numbers = f.cell >= CELL_NUMBER;
    return f;
}

static void put_name(FILE *out, const Matrix *m, size_t i)
{
    reluopt_markup_short(out, m->class_name[i], NAME_MOST);
    fputs("</text>\n", out);
}

static void put_names(FILE *out, const Matrix *m, const Frame *f)
{
    fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\">predicted</text>\n", f->left, TOP + 10);
    fprintf(out, "<text class=\"tick mid\" transform=\"translate(12 %.1f)rotate(-90)\">true</text>\n",
            f->top + f->cell * (double)m->classes / 2);
    for (size_t i = 0; i < m->classes; i += f->stride) {
        double middle = ((double)i + 0.5) * f->cell;
        fprintf(out, "<text class=\"label end\" x=\"%.1f\" y=\"%.1f\">", f->left - 6, f->top + middle + 4);
        put_name(out, m, i);
        if (f->upright)
            fprintf(out, "<text class=\"label\" transform=\"translate(%.1f %.1f)rotate(-90)\">",
                    f->left + middle + 4, f->top - 5);
        else
            fprintf(out, "<text class=\"label mid\" x=\"%.1f\" y=\"%.1f\">", f->left + middle, f->top - 6);
        put_name(out, m, i);
    }
}

static void put_about(FILE *out, const Matrix *m, size_t i, size_t j)
{
    fputs("<title>", out);
    reluopt_markup_text(out, m->class_name[i]);
    fputs(i == j ? " recognised: " : " taken for ", out);
    if (i != j) {
        reluopt_markup_text(out, m->class_name[j]);
        fputs(": ", out);
    }
    fprintf(out, "%" PRIu64 " of %" PRIu64 " (%.1f %%)</title>", m->count[i * m->classes + j],
            reluopt_matrix_row(m, i), 100 * share(m, i, j));
}

static void put_cell(FILE *out, const Matrix *m, const Frame *f, size_t i, size_t j, double largest)
{
    double x = f->left + (double)j * f->cell, y = f->top + (double)i * f->cell, gap = f->cell > 14 ? 1 : 0.25;
    double part = i == j ? share(m, i, j) : share(m, i, j) / largest, shade = 0.08 + 0.8 * part;
    fprintf(
        out,
        "<g><rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.2f\"/>",
        i == j ? "right" : "wrong", x + gap / 2, y + gap / 2, f->cell - gap, f->cell - gap, shade);
    if (f->numbers)
        fprintf(out, "<text class=\"number mid%s\" x=\"%.1f\" y=\"%.1f\">%" PRIu64 "</text>",
                shade > strong ? " on" : "", x + f->cell / 2, y + f->cell / 2 + 4,
                m->count[i * m->classes + j]);
    put_about(out, m, i, j);
    fputs("</g>\n", out);
}

static void put_cells(FILE *out, const Matrix *m, const Frame *f)
{
    double side = f->cell * (double)m->classes, largest = largest_wrong_share(m);
    fprintf(out, "<rect class=\"ground\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", f->left,
            f->top, side, side);
    for (size_t i = 0; i < m->classes; i++)
        for (size_t j = 0; j < m->classes; j++)
            if (m->count[i * m->classes + j] > 0)
                put_cell(out, m, f, i, j, largest);
}

void reluopt_matrix_put(FILE *out, const Matrix *m, const char *title, int width, bool alone)
{
    char unit[64];
    Frame f = make_frame(m, width);
    uint64_t total = reluopt_matrix_total(m), right = reluopt_matrix_right(m);
    snprintf(unit, sizeof unit, "%" PRIu64 " of %" PRIu64 " right", right, total);
    reluopt_svg_begin(out, width, (int)ceil(f.top + f.cell * (double)m->classes) + 4, title, unit, alone);
    put_names(out, m, &f);
    put_cells(out, m, &f);
    reluopt_svg_end(out);
}
