/* scale.c - the axes of plots: from values to positions, and where the ticks are. */
#include "reluopt/scale.h"

#include <math.h>
#include <stdio.h>

Range reluopt_range_empty(void)
{
    return (Range){INFINITY, -INFINITY};
}

static bool can_show(ScaleKind kind, double value)
{
    return isfinite(value) && (kind != SCALE_LOG || value > 0);
}

void reluopt_range_add(Range *range, ScaleKind kind, double value)
{
    if (!can_show(kind, value))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

static Range widen(Range range, ScaleKind kind)
{
    if (range.low > range.high)
        return kind == SCALE_LOG ? (Range){1, 10} : (Range){0, 1};
    if (range.high - range.low > 1e-9 * fmax(fabs(range.high), fabs(range.low)))
        return range;
    double margin = kind == SCALE_WHOLE ? 0.5 : range.low != 0 ? 0.05 * fabs(range.low) : 1;
    return kind == SCALE_LOG ? (Range){range.low / 2, range.high * 2}
                             : (Range){range.low - margin, range.high + margin};
}

/* The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`, and the decimals it needs. */
static double round_step(double least, int *decimals)
{
    static const double digit[] = {1, 2, 2.5, 5, 10};
    int exponent = (int)floor(log10(least) + 1e-9), k = 0;
    while (digit[k] * pow(10, exponent) < least * (1 - 1e-9))
        k++;
    *decimals = (digit[k] == 2.5) + (digit[k] == 10 ? -1 : 0) - exponent;
    if (*decimals < 0)
        *decimals = 0;
    return digit[k] * pow(10, exponent);
}

/* The ends become multiples of the step, but for whole numbers; ticks are all multiples between them. */
static void linear_ticks(Scale *scale, int wanted)
{
    double step = round_step((scale->high - scale->low) / wanted, &scale->decimals);
    if (scale->kind == SCALE_WHOLE && scale->decimals > 0) {
        step = 1;
        scale->decimals = 0;
    }
    double first = floor(scale->low / step + 1e-6), last = ceil(scale->high / step - 1e-6);
    if (scale->kind == SCALE_LOG && first == 0)
        first = 1;
    if (scale->kind != SCALE_WHOLE) {
        scale->low = step * first;
        scale->high = step * last;
    }
    for (double m = first; m <= last && scale->ticks < RELUOPT_MAX_TICKS; m++)
        if (m * step >= scale->low - 1e-6 * step && m * step <= scale->high + 1e-6 * step)
            scale->tick[scale->ticks++] = m * step + 0.0; /* no -0 */
}

/* Over few powers of ten: 1, 2, 5, 10, 20, 50, ... */
static void log_ticks_125(Scale *scale)
{
    static const double digit[] = {1, 2, 5};
    int first = (int)floor(log10(scale->low) - 1e-9) - 1;
    double all[64];
    size_t count = 0;
    for (int i = 0; i < 15; i++) { /* five decades, from below the range on */
        int decade = first + i / 3;
        all[count++] = digit[i % 3] * pow(10, decade);
    }
    size_t a = 0, b = count - 1;
    while (all[a + 1] <= scale->low * (1 + 1e-9))
        a++;
    while (all[b - 1] >= scale->high * (1 - 1e-9))
        b--;
    for (size_t i = a; i <= b && scale->ticks < RELUOPT_MAX_TICKS; i++)
        scale->tick[scale->ticks++] = all[i];
    scale->low = all[a];
    scale->high = all[b];
}

static void log_ticks_decades(Scale *scale, int wanted)
{
    int first = (int)floor(log10(scale->low) + 1e-9), last = (int)ceil(log10(scale->high) - 1e-9);
    int step = (last - first + wanted - 1) / wanted;
    for (int e = first; e <= last && scale->ticks < RELUOPT_MAX_TICKS; e += step)
        scale->tick[scale->ticks++] = pow(10, e);
    scale->low = pow(10, first);
    scale->high = pow(10, last);
}

Scale reluopt_scale(ScaleKind kind, Range range, int wanted, double from, double to)
{
    range = widen(range, kind);
    Scale scale = {.kind = kind, .low = range.low, .high = range.high, .from = from, .to = to};
    if (kind != SCALE_LOG || range.high / range.low < 4)
        linear_ticks(&scale, wanted);
    else if (range.high / range.low < 80)
        log_ticks_125(&scale);
    else
        log_ticks_decades(&scale, wanted);
    return scale;
}

double reluopt_scale_at(const Scale *scale, double value)
{
    if (!can_show(scale->kind, value))
        return NAN;
    double share = scale->kind == SCALE_LOG ? log(value / scale->low) / log(scale->high / scale->low)
                                            : (value - scale->low) / (scale->high - scale->low);
    return scale->from + share * (scale->to - scale->from);
}

/* "10" and the exponent in superscript digits. */
static void power_text(int exponent, char text[RELUOPT_TICK_TEXT])
{
    static const char *const digit[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[8];
    snprintf(plain, sizeof plain, "%d", exponent);
    int length = snprintf(text, RELUOPT_TICK_TEXT, "10");
    for (const char *c = plain; *c != '\0'; c++)
        length += snprintf(text + length, (size_t)(RELUOPT_TICK_TEXT - length), "%s",
                           *c == '-' ? "⁻" : digit[*c - '0']);
}

void reluopt_scale_text(const Scale *scale, size_t k, char text[RELUOPT_TICK_TEXT])
{
    double value = scale->tick[k];
    int exponent = value > 0 ? (int)lround(log10(value)) : 0;
    if (scale->kind != SCALE_LOG)
        snprintf(text, RELUOPT_TICK_TEXT, "%.*f", scale->decimals, value);
    else if (value >= 0.99e-4 && value < 1.01e4)
        snprintf(text, RELUOPT_TICK_TEXT, "%.4g", value);
    else if (fabs(value / pow(10, exponent) - 1) < 1e-6)
        power_text(exponent, text);
    else
        snprintf(text, RELUOPT_TICK_TEXT, "%.0e", value);
}
