/* kernel.c - which of OpenBLAS's kernels computes: the best that this processor has. */
#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include "reluopt/dense.h"

/* OpenBLAS does not know processors that are newer than itself and falls back on kernels of 2004, ten times
 * slower.  These two functions are exported but not declared: absent from builds for one processor only. */
void gotoblas_dynamic_quit(void) __attribute__((weak));
void gotoblas_dynamic_init(void) __attribute__((weak));

/* Kernels by the instructions that they use. */
enum { HASWELL, ZEN, EXCAVATOR, SKYLAKEX, COOPERLAKE, SAPPHIRERAPIDS, KERNELS };
static const struct {
    const char *name;
    int level;    /* 1: AVX2 and FMA, 2: AVX-512 */
    size_t block; /* see reluopt_dense_block */
} kernels[] = {
    [HASWELL] = {"Haswell", 1, 12},      [ZEN] = {"Zen", 1, 12},
    [EXCAVATOR] = {"Excavator", 1, 4},   [SKYLAKEX] = {"SkylakeX", 2, 4},
    [COOPERLAKE] = {"Cooperlake", 2, 4}, [SAPPHIRERAPIDS] = {"SapphireRapids", 2, 4},
};

/* Position in the table; KERNELS: not there. */
static int find(const char *name)
{
    int i = 0;
    while (i < KERNELS && strcmp(kernels[i].name, name) != 0)
        i++;
    return i;
}

/* The kernel that fits the instructions of this processor; KERNELS: no choice to make. */
static int fitting(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return SKYLAKEX;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return HASWELL;
#endif
    return KERNELS;
}

const char *reluopt_dense_better_kernel(void)
{
    int now = find(openblas_get_corename()), fit = fitting();
    bool better = fit < KERNELS && (now == KERNELS || kernels[now].level < kernels[fit].level);
    return better ? kernels[fit].name : NULL;
}

/* Gradients get below 1e-38 once all samples are right, and processors compute with such numbers many times
 * slower. */
static void flush_subnormals(void)
{
#ifdef __SSE__
    enum { RESULTS_TO_ZERO = 0x8000, OPERANDS_ARE_ZERO = 0x0040 };
    _mm_setcsr(_mm_getcsr() | RESULTS_TO_ZERO | OPERANDS_ARE_ZERO);
#endif
}

void reluopt_dense_start(void)
{
    flush_subnormals();
    const char *better = reluopt_dense_better_kernel();
    if (better && !getenv("OPENBLAS_CORETYPE") && gotoblas_dynamic_quit && gotoblas_dynamic_init) {
        setenv("OPENBLAS_CORETYPE", better, 1);
        gotoblas_dynamic_quit();
        gotoblas_dynamic_init();
        unsetenv("OPENBLAS_CORETYPE");
    }
    openblas_set_num_threads(1);
}

const char *reluopt_dense_kernel(void)
{
    return openblas_get_corename();
}

void reluopt_dense_print_library(FILE *out)
{
    fprintf(out, "%s\n", openblas_get_config());
}

size_t reluopt_dense_block(void)
{
    int i = find(openblas_get_corename());
    return i < KERNELS ? kernels[i].block : 4;
}
