/* anchor.h - sums with the same bits in any order, and so on any number of ranks.
 *
 * Every addend is rounded to a whole multiple of a unit, which is so large that no sum of them is ever rounded
 * again.  Adding 1.5 2^e and taking it away rounds to a multiple of 2^(e - 52): 1.5 2^e is the anchor.  What is
 * lost is at most 2^-52 of the bound of the sum for each addend. */
#ifndef RELUOPT_ANCHOR_H
#define RELUOPT_ANCHOR_H

#include <math.h>
#include <stddef.h>

/* The anchor for sums of up to `count` addends of sizes up to `bound`; all who add must agree on both.  Where
 * that is no finite number, 0: addends stay as they are. */
static inline double reluopt_anchor(double bound, size_t count)
{
    int e;
    double most = bound * (double)count;
    if (!isfinite(most) || most == 0)
        return 0;
    (void)frexp(most, &e); /* most <= 2^e */
    return ldexp(1.5, e);
}

static inline double reluopt_anchored(double x, double anchor)
{
    return x + anchor - anchor;
}

#endif
