/* scale.h - the axes of plots: from values to positions, and where the ticks are.  Not collective. */
#ifndef RELUOPT_SCALE_H
#define RELUOPT_SCALE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ScaleKind { SCALE_LINEAR, SCALE_WHOLE, SCALE_LOG } ScaleKind; /* WHOLE: ticks are whole numbers */

enum { RELUOPT_MAX_TICKS = 16, RELUOPT_TICK_TEXT = 24 };

typedef struct Scale {
    ScaleKind kind;
    double low, high; /* values at the ends */
    double from, to;  /* positions of these */
    size_t ticks;     /* at most RELUOPT_MAX_TICKS */
    double tick[RELUOPT_MAX_TICKS];
    int decimals; /* of the ticks' texts; SCALE_LOG: not used */
} Scale;

/* Least and largest of the values seen that the kind of scale can show. */
typedef struct Range {
    double low, high; /* low > high: none */
} Range;

Range reluopt_range_empty(void);
void reluopt_range_add(Range *range, ScaleKind kind, double value);

/* A scale over `range` with about `wanted` ticks (2 or more).  LINEAR and LOG: the ends are round numbers;
 * WHOLE: the ends of the range.  A range without extent is widened, an empty one is 0..1 (LOG: 1..10). */
Scale reluopt_scale(ScaleKind kind, Range range, int wanted, double from, double to);

/* Position of a value; NaN where the scale cannot show it (not finite; LOG: not above 0). */
double reluopt_scale_at(const Scale *scale, double value);

/* Tick k as text: "0.25", "300"; LOG: "0.01", "10⁻⁶". */
void reluopt_scale_text(const Scale *scale, size_t k, char text[RELUOPT_TICK_TEXT]);

#endif
