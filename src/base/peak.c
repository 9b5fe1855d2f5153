/* peak.c - multiply-adds in registers, as fast as the processor can. */
#include "reluopt/peak.h"

#if defined __AVX512F__
enum { WIDTH = 64 };
#elif defined __AVX__
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif

typedef float Vector __attribute__((vector_size(WIDTH)));

/* CHAINS sums that do not wait for each other: more than latency times units (4 x 2), few enough for 16
 * registers with the two constants. */
enum { CHAINS = 12, ROUNDS = 500000 };

static volatile float start = 1, factor = 0.999f, term = 0.001f, sink; /* unknown to the compiler */

uint64_t reluopt_peak_work(void)
{
    Vector sum[CHAINS], a = {0}, b = {0};
    a += factor;
    b += term;
    for (int i = 0; i < CHAINS; i++)
        sum[i] = b + start;
    for (int k = 0; k < ROUNDS; k++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * a + b; /* fused: -ffp-contract=fast */
    for (int i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    sink = sum[0][0];
    return (uint64_t)ROUNDS * CHAINS * (WIDTH / sizeof(float)) * 2;
}
