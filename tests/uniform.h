/* uniform.h - numbers between -1 and 1, the same in every run of a test: xorshift64 (Marsaglia 2003), nothing
 * that the program uses. */
#ifndef UNIFORM_H
#define UNIFORM_H

#include <stdint.h>

/* The next of the sequence that *x, not 0, has come to. */
static inline double uniform_next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (double)(*x >> 11) * 0x1p-53 * 2 - 1;
}

static inline double uniform(void)
{
    static uint64_t x = 88172645463325252u;
    return uniform_next(&x);
}

#endif
