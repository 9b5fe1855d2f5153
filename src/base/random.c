/* random.c - counter-based random numbers (Philox 4x32-10).
 * Built with relaxed floating-point rules, so that logf, sinf and cosf vectorise. */
#include "reluopt/random.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, WORDS = 4, BLOCK = LANES * WORDS, ROUNDS = 10 };

static const uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t weyl[2] = {0x9E3779B9u, 0xBB67AE85u};

/* LANES independent generators at once: x[word][lane] holds counters, then results. */
static void philox_lanes(uint32_t x[WORDS][LANES], uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < ROUNDS; round++) {
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            uint64_t a = (uint64_t)multiplier[0] * x[0][i];
            uint64_t b = (uint64_t)multiplier[1] * x[2][i];
            uint32_t x1 = x[1][i], x3 = x[3][i];
            x[0][i] = (uint32_t)(b >> 32) ^ x1 ^ key0;
            x[1][i] = (uint32_t)b;
            x[2][i] = (uint32_t)(a >> 32) ^ x3 ^ key1;
            x[3][i] = (uint32_t)a;
        }
        key0 += weyl[0];
        key1 += weyl[1];
    }
}

void reluopt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t x[WORDS][LANES];
    for (int w = 0; w < WORDS; w++)
        for (int i = 0; i < LANES; i++)
            x[w][i] = counter[w];
    philox_lanes(x, key[0], key[1]);
    for (int w = 0; w < WORDS; w++)
        out[w] = x[w][0];
}

/* Counter words 1..3 and the key words of an address; word 0 counts within it. */
static void address(const RandomKey *key, uint32_t row, uint32_t counter[4], uint32_t words[2])
{
    counter[0] = 0;
    counter[1] = row;
    counter[2] = ((uint32_t)key->use << 24) | key->layer;
    counter[3] = (uint32_t)key->step;
    words[0] = (uint32_t)key->seed;
    words[1] = (uint32_t)(key->seed >> 32);
}

/* Two pairs of words to four normal numbers (Box and Muller), in place of the words. */
static void normals(uint32_t x[WORDS][LANES], float z[WORDS][LANES])
{
    const float unit = 0x1p-24f, turn = 0x1p-24f * 6.28318530718f, quarter = 1.57079632679f;
    for (int w = 0; w < WORDS; w += 2) {
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            float u = (float)(int32_t)((x[w][i] >> 8) + 1) * unit; /* (0, 1] */
            float v = (float)(int32_t)(x[w + 1][i] >> 8) * turn;
            float radius = sqrtf(-2.0f * logf(u));
            z[w][i] = radius * cosf(v);
            z[w + 1][i] =
                radius * cosf(v - quarter); /* = sin v; a call of sinf beside cosf does not vectorise */
        }
    }
}

/* x = the words of the LANES counters from `first` on, at an address. */
static void draw(uint32_t x[WORDS][LANES], const uint32_t counter[4], const uint32_t words[2], size_t first)
{
    for (int i = 0; i < LANES; i++) {
        x[0][i] = (uint32_t)first + (uint32_t)i;
        x[1][i] = counter[1];
        x[2][i] = counter[2];
        x[3][i] = counter[3];
    }
    philox_lanes(x, words[0], words[1]);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void reluopt_add_normal(float *out, const float *in, size_t rows, size_t columns, size_t first_row, float sigma,
                        RandomKey key)
{
    uint32_t counter[4], words[2], x[WORDS][LANES];
    float z[WORDS][LANES];
    for (size_t j = 0; j < rows; j++) {
        address(&key, (uint32_t)(first_row + j), counter, words);
        for (size_t k = 0, n; k < columns; k += n) {
            size_t at = key.column + k, skip = at % BLOCK;
            const float *flat = &z[0][0] + skip;
            draw(x, counter, words, (at - skip) / WORDS);
            normals(x, z);
            n = smaller(columns - k, BLOCK - skip);
            for (size_t i = 0; i < n; i++)
                out[j * columns + k + i] = in[j * columns + k + i] + sigma * flat[i];
        }
    }
}

void reluopt_signs(float *out, size_t rows, size_t columns, RandomKey key)
{
    enum { BITS = 32 }; /* signs from a word: column k has bit k / BLOCK % BITS of one of BLOCK words */
    uint32_t counter[4], words[2], x[WORDS][LANES];
    for (size_t j = 0; j < rows; j++) {
        address(&key, (uint32_t)j, counter, words);
        for (size_t k = 0, n; k < columns; k += n) {
            size_t block = (key.column + k) / BLOCK, skip = (key.column + k) % BLOCK;
            const uint32_t *flat = &x[0][0] + skip;
            if (k == 0 || block % BITS == 0)
                draw(x, counter, words, block / BITS * LANES);
            n = smaller(columns - k, BLOCK - skip);
            for (size_t i = 0; i < n; i++)
                out[j * columns + k + i] = (flat[i] >> block % BITS) & 1 ? 1.0f : -1.0f;
        }
    }
}

Stream reluopt_stream(RandomKey key)
{
    Stream stream = {.used = WORDS};
    address(&key, 0, stream.counter, stream.key);
    return stream;
}

static uint32_t next(Stream *stream)
{
    if (stream->used == WORDS) {
        reluopt_philox(stream->counter, stream->key, stream->word);
        stream->used = 0;
        if (++stream->counter[0] == 0)
            stream->counter[1]++;
    }
    return stream->word[stream->used++];
}

uint32_t reluopt_stream_below(Stream *stream, uint32_t n)
{
    uint32_t threshold = -n % n; /* 2^32 mod n: rejecting below it leaves a whole number of cycles */
    for (;;) {
        uint64_t product = (uint64_t)next(stream) * n;
        if ((uint32_t)product >= threshold)
            return (uint32_t)(product >> 32);
    }
}

double reluopt_stream_uniform(Stream *stream)
{
    return next(stream) * 0x1p-32;
}

void reluopt_shuffle(Stream *stream, uint32_t *index, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        uint32_t j = reluopt_stream_below(stream, (uint32_t)i);
        uint32_t swap = index[i - 1];
        index[i - 1] = index[j];
        index[j] = swap;
    }
}
