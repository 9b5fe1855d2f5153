/* random.h - counter-based random numbers: a value is a function of its address, so it depends neither on the
 * number of ranks nor on the order of the calls.  Generator: Philox 4x32-10 (Salmon et al., SC 2011). */
#ifndef RELUOPT_RANDOM_H
#define RELUOPT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a stream of numbers is for: part of every address, so that no two uses share numbers. */
typedef enum RandomUse {
    RANDOM_ORDER = 1,    /* order of the samples in an epoch */
    RANDOM_SPLIT,        /* hold-out split */
    RANDOM_GENERATED,    /* generated data sets */
    RANDOM_INIT_FORWARD, /* initial W */
    RANDOM_INIT_INVERSE, /* initial V */
    RANDOM_NOISE,        /* noise of the inverse training */
    RANDOM_FEEDBACK,     /* fixed matrices of feedback alignment */
    RANDOM_MOVES,        /* how images of a batch are moved */
    RANDOM_INPUT_NOISE,  /* on training inputs */
    RANDOM_SKETCH        /* matrices that a covariance is multiplied by, to approximate it */
} RandomUse;

/* The address of a two-dimensional block of numbers; row and column are added by the functions below. */
typedef struct RandomKey {
    uint64_t seed;
    RandomUse use;
    uint32_t layer; /* < 2^24 */
    uint64_t step;  /* < 2^32 */
    size_t column;  /* where the columns wanted begin */
} RandomKey;

/* The bare generator: 4 random words from a counter and a key. */
void reluopt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* out[j * columns + k] = in[j * columns + k] + sigma * N(0, 1), the normal number addressed by
 * (key, first_row + j, key.column + k); `in` may be `out`.  Not collective. */
void reluopt_add_normal(float *out, const float *in, size_t rows, size_t columns, size_t first_row, float sigma,
                        RandomKey key);

/* out[j * columns + k] = 1 or -1, by the random bit addressed by (key, j, key.column + k).  Not collective. */
void reluopt_signs(float *out, size_t rows, size_t columns, RandomKey key);

/* A sequence of numbers at one address.  Start with reluopt_stream. */
typedef struct Stream {
    uint32_t counter[4], key[2], word[4];
    int used;
} Stream;

Stream reluopt_stream(RandomKey key);
uint32_t reluopt_stream_below(Stream *stream, uint32_t n); /* uniform in 0 .. n-1, unbiased; n > 0 */
double reluopt_stream_uniform(Stream *stream);             /* uniform in [0, 1) */

/* Shuffle `index` (Fisher and Yates). */
void reluopt_shuffle(Stream *stream, uint32_t *index, size_t count);

#endif
