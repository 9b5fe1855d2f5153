/* test_random.c - Philox against known answers and a scalar version; noise, streams, shuffles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "reluopt/random.h"

enum { ROWS = 1000, COLUMNS = 1000, N = ROWS * COLUMNS };

static const RandomKey base_key = {.seed = 0x123456789abcdef0u, .use = RANDOM_NOISE, .layer = 3, .step = 17};

/* Philox 4x32-10 written down from the paper: one counter, one round after the other. */
static void scalar_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c[0], p1 = UINT64_C(0xCD9E8D57) * c[2];
        uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k[0], (uint32_t)p1,
                            (uint32_t)(p0 >> 32) ^ c[3] ^ k[1], (uint32_t)p0};
        memcpy(c, next, sizeof c);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    memcpy(out, c, sizeof c);
}

/* Published with the generator (Random123, kat_vectors). */
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4], scalar[4];
        reluopt_philox(known[i].counter, known[i].key, out);
        scalar_philox(known[i].counter, known[i].key, scalar);
        assert_memory_equal(scalar, known[i].out, sizeof scalar);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void philox_equals_the_scalar_version(void **state)
{
    (void)state;
    uint32_t word[6] = {1, 2, 3, 4, 5, 6};
    for (int i = 0; i < 1000; i++) {
        uint32_t out[4], expected[4];
        scalar_philox(word, word + 4, expected);
        reluopt_philox(word, word + 4, out);
        assert_memory_equal(out, expected, sizeof out);
        memmove(word, word + 4, 2 * sizeof *word);
        memcpy(word + 2, out, sizeof out);
    }
}

/* A value depends on its row and column alone: any block of rows, any number of columns gives the same bits. */
static void noise_does_not_depend_on_blocking(void **state)
{
    (void)state;
    enum { ALL_ROWS = 13, ALL_COLUMNS = 200 };
    static const float zero[ALL_ROWS * ALL_COLUMNS];
    static float all[ALL_ROWS * ALL_COLUMNS], part[ALL_ROWS * ALL_COLUMNS];
    reluopt_add_normal(all, zero, ALL_ROWS, ALL_COLUMNS, 0, 1, base_key);
    static const size_t columns[] = {1, 3, 4, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200};
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        for (size_t first = 0; first < ALL_ROWS; first++)
            for (size_t rows = 1; first + rows <= ALL_ROWS; rows += 3) {
                reluopt_add_normal(part, zero, rows, columns[c], first, 1, base_key);
                for (size_t j = 0; j < rows; j++)
                    assert_memory_equal(part + j * columns[c], all + (first + j) * ALL_COLUMNS,
                                        columns[c] * sizeof *part);
            }
}

/* Nor on the column at which a block begins. */
static void noise_and_signs_begin_anywhere(void **state)
{
    (void)state;
    enum { ALL = 4300, LINES = 2 };
    static const size_t first[] = {1, 15, 16, 63, 64, 65, 100, 2047, 2048, 2100, 4160};
    static const float zero[LINES * ALL];
    static float normal[LINES * ALL], sign[LINES * ALL], part[LINES * ALL];
    reluopt_add_normal(normal, zero, LINES, ALL, 0, 1, base_key);
    reluopt_signs(sign, LINES, ALL, base_key);
    for (size_t c = 0; c < sizeof first / sizeof first[0]; c++) {
        RandomKey key = base_key;
        size_t count = ALL - first[c];
        key.column = first[c];
        reluopt_add_normal(part, zero, LINES, count, 0, 1, key);
        for (size_t j = 0; j < LINES; j++)
            assert_memory_equal(part + j * count, normal + j * ALL + first[c], count * sizeof *part);
        reluopt_signs(part, LINES, count, key);
        for (size_t j = 0; j < LINES; j++)
            assert_memory_equal(part + j * count, sign + j * ALL + first[c], count * sizeof *part);
    }
}

static void noise_is_added_in_place_and_within_bounds(void **state)
{
    (void)state;
    enum { SIZE = 5 * 70 };
    float in[SIZE], apart[SIZE + 1], place[SIZE + 1], one[SIZE];
    for (int i = 0; i < SIZE; i++)
        in[i] = place[i] = (float)i * 0.25f - 30;
    apart[SIZE] = place[SIZE] = 12345;
    reluopt_add_normal(apart, in, 5, 70, 2, 0.5f, base_key);
    reluopt_add_normal(place, place, 5, 70, 2, 0.5f, base_key);
    assert_memory_equal(apart, place, sizeof apart);
    assert_true(apart[SIZE] == 12345);
    static const float zero[SIZE];
    reluopt_add_normal(one, zero, 5, 70, 2, 1, base_key);
    for (int i = 0; i < SIZE; i++)
        assert_true(fabsf(apart[i] - (in[i] + 0.5f * one[i])) <= 1e-5f);
    reluopt_add_normal(apart, in, 5, 70, 2, 0, base_key);
    assert_memory_equal(apart, in, sizeof in);
    reluopt_add_normal(apart, in, 0, 70, 2, 1, base_key);
    reluopt_add_normal(apart, in, 5, 0, 2, 1, base_key);
    assert_memory_equal(apart, in, sizeof in);
}

/* Two keys share nothing: no value in the same place, and no correlation. */
static void assert_apart(RandomKey a, RandomKey b)
{
    enum { SIZE = 4096 };
    static const float zero[SIZE];
    static float x[SIZE], y[SIZE];
    reluopt_add_normal(x, zero, 4, SIZE / 4, 0, 1, a);
    reluopt_add_normal(y, zero, 4, SIZE / 4, 0, 1, b);
    double product = 0;
    int same = 0;
    for (int i = 0; i < SIZE; i++) {
        product += (double)x[i] * y[i];
        same += x[i] == y[i];
    }
    assert_true(same <= 2);
    assert_true(fabs(product / SIZE) < 5 / sqrt(SIZE));
}

static void every_part_of_the_key_counts(void **state)
{
    (void)state;
    RandomKey low = base_key, high = base_key, use = base_key, layer = base_key, step = base_key;
    low.seed ^= 1;
    high.seed ^= UINT64_C(1) << 63;
    use.use = RANDOM_INIT_FORWARD;
    layer.layer++;
    step.step++;
    const RandomKey other[] = {low, high, use, layer, step};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_apart(base_key, other[i]);
    layer = base_key;
    layer.layer = (1u << 24) - 1;
    step.step = UINT32_MAX;
    assert_apart(layer, step);
}

static const float *million_normals(void)
{
    static const float zero[N];
    static float x[N];
    reluopt_add_normal(x, zero, ROWS, COLUMNS, 0, 1, base_key);
    return x;
}

/* Five standard errors for each of the first four moments; the share within one deviation. */
static void noise_is_normal(void **state)
{
    (void)state;
    const float *x = million_normals();
    double moment[5] = {0}, inside = 0, largest = 0;
    for (int i = 0; i < N; i++) {
        double power = 1;
        for (int p = 1; p <= 4; p++)
            moment[p] += (power *= x[i]) / N;
        inside += (fabsf(x[i]) < 1) / (double)N;
        largest = fmax(largest, fabs(x[i]));
    }
    assert_true(fabs(moment[1]) < 5 / sqrt(N));
    assert_true(fabs(moment[2] - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(moment[3]) < 5 * sqrt(15.0 / N));
    assert_true(fabs(moment[4] - 3) < 5 * sqrt(96.0 / N));
    assert_true(fabs(inside - erf(sqrt(0.5))) < 5 * sqrt(0.217 / N));
    assert_true(largest > 4.3 && largest < 6.5);
}

/* Neighbours in a row, in a column, and the two numbers of a Box-Muller pair are independent: so are squares.
 */
static void noise_is_not_correlated(void **state)
{
    (void)state;
    const float *x = million_normals();
    for (int lag = 1; lag <= 130; lag++) {
        double product = 0, squares = 0;
        int at = lag <= 129 ? lag : COLUMNS; /* the last one: down a column */
        for (int i = 0; i + at < N; i++) {
            product += (double)x[i] * x[i + at];
            squares += ((double)x[i] * x[i] - 1) * ((double)x[i + at] * x[i + at] - 1);
        }
        assert_true(fabs(product / N) < 5 / sqrt(N));
        assert_true(fabs(squares / N) < 5 * 2 / sqrt(N));
    }
}

/* A sign depends on its row and column alone: the bits of the generator, word by word. */
static void signs_are_bits_of_the_generator(void **state)
{
    (void)state;
    enum { LONG = 5000, LANES = 16, BITS = 32, WORDS = 4 * LANES };
    static float all[3 * LONG], part[3 * LONG];
    const uint32_t key[2] = {(uint32_t)base_key.seed, (uint32_t)(base_key.seed >> 32)};
    reluopt_signs(all, 3, LONG, base_key);
    for (uint32_t i = 0; i < 3 * LONG; i++) {
        uint32_t k = i % LONG, word = k % WORDS, block = k / WORDS, out[4];
        uint32_t first = (uint32_t)base_key.use << 24 | base_key.layer;
        uint32_t counter[4] = {block / BITS * LANES + word % LANES, i / LONG, first, (uint32_t)base_key.step};
        scalar_philox(counter, key, out);
        assert_true(all[i] == ((out[word / LANES] >> block % BITS) & 1 ? 1 : -1));
    }
    static const size_t columns[] = {1, 63, 64, 65, 2047, 2048, 2049};
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        part[3 * columns[c]] = 12345;
        reluopt_signs(part, 3, columns[c], base_key);
        for (size_t j = 0; j < 3; j++)
            assert_memory_equal(part + j * columns[c], all + j * LONG, columns[c] * sizeof *part);
        assert_true(part[3 * columns[c]] == 12345);
    }
}

/* Five standard errors: as many of either; rows, and neighbours in a row, are independent. */
static void signs_are_even_and_not_correlated(void **state)
{
    (void)state;
    static float x[N];
    double sum = 0;
    reluopt_signs(x, ROWS, COLUMNS, base_key);
    for (int i = 0; i < N; i++)
        sum += x[i];
    assert_true(fabs(sum) < 5 * sqrt(N));
    for (int lag = 1; lag <= 66; lag++) {
        double product = 0;
        int at = lag <= 65 ? lag : COLUMNS; /* the last one: down a column */
        for (int i = 0; i + at < N; i++)
            product += x[i] * x[i + at];
        assert_true(fabs(product) < 5 * sqrt(N));
    }
}

static double chi_square(const int *count, size_t cells, double expected)
{
    double sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += (count[i] - expected) * (count[i] - expected) / expected;
    return sum;
}

/* Mean cells - 1, variance twice that; five deviations. */
static void assert_even(const int *count, size_t cells, double expected)
{
    double freedom = (double)cells - 1;
    assert_true(chi_square(count, cells, expected) < freedom + 5 * sqrt(2 * freedom) + 1e-9);
}

static void below_is_even(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 3, 7, 10, 64, 1000};
    static int count[1000];
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        Stream stream = reluopt_stream(base_key);
        memset(count, 0, sizeof count);
        for (int draw = 0; draw < 200000; draw++) {
            uint32_t value = reluopt_stream_below(&stream, limits[i]);
            assert_true(value < limits[i]);
            count[value]++;
        }
        assert_even(count, limits[i], 200000.0 / limits[i]);
    }
}

/* For 3 * 2^30 of 2^32 words, taking the remainder favours the low third; scaling favours one residue mod 3. */
static void below_is_even_for_large_limits(void **state)
{
    (void)state;
    static const uint32_t limits[] = {3u << 30, (1u << 31) + 1, (1u << 31) + (1u << 29), UINT32_MAX};
    enum { DRAWS = 300000 };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        Stream stream = reluopt_stream(base_key);
        int third[3] = {0}, residue[2][5] = {{0}};
        for (int draw = 0; draw < DRAWS; draw++) {
            uint32_t value = reluopt_stream_below(&stream, limits[i]);
            assert_true(value < limits[i]);
            third[(uint64_t)value * 3 / limits[i]]++;
            residue[0][value % 3]++;
            residue[1][value % 5]++;
        }
        assert_even(third, 3, DRAWS / 3.0);
        assert_even(residue[0], 3, DRAWS / 3.0);
        assert_even(residue[1], 5, DRAWS / 5.0);
    }
}

static void uniform_is_uniform(void **state)
{
    (void)state;
    Stream stream = reluopt_stream(base_key);
    int count[100] = {0};
    for (int i = 0; i < 1000000; i++) {
        double u = reluopt_stream_uniform(&stream);
        assert_true(u >= 0 && u < 1);
        count[(int)(u * 100)]++;
    }
    assert_even(count, 100, 10000);
}

static void streams_repeat_and_differ_by_key(void **state)
{
    (void)state;
    RandomKey other = base_key;
    other.step++;
    Stream a = reluopt_stream(base_key), again = reluopt_stream(base_key), b = reluopt_stream(other);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        double u = reluopt_stream_uniform(&a);
        assert_true(u == reluopt_stream_uniform(&again));
        same += u == reluopt_stream_uniform(&b);
    }
    assert_true(same <= 1);
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 10, 1000};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t index[1000], again[1000], moved = 0;
        int seen[1000] = {0};
        for (uint32_t i = 0; i < counts[c]; i++)
            index[i] = again[i] = i;
        Stream one = reluopt_stream(base_key), two = reluopt_stream(base_key);
        reluopt_shuffle(&one, index, counts[c]);
        reluopt_shuffle(&two, again, counts[c]);
        assert_memory_equal(index, again, counts[c] * sizeof *index);
        for (uint32_t i = 0; i < counts[c]; i++) {
            assert_true(index[i] < counts[c]);
            assert_int_equal(seen[index[i]]++, 0);
            moved += index[i] != i;
        }
        assert_true(counts[c] < 1000 || moved > 900);
    }
}

/* All 24 orders of four come up equally often. */
static void shuffle_is_even(void **state)
{
    (void)state;
    int count[256] = {0}, orders[24], found = 0;
    Stream stream = reluopt_stream(base_key);
    for (int i = 0; i < 240000; i++) {
        uint32_t index[4] = {0, 1, 2, 3};
        reluopt_shuffle(&stream, index, 4);
        count[index[0] << 6 | index[1] << 4 | index[2] << 2 | index[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (count[i] > 0 && found < 24)
            orders[found++] = count[i];
    assert_int_equal(found, 24);
    assert_even(orders, 24, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(philox_equals_the_scalar_version),
        cmocka_unit_test(noise_does_not_depend_on_blocking),
        cmocka_unit_test(noise_and_signs_begin_anywhere),
        cmocka_unit_test(noise_is_added_in_place_and_within_bounds),
        cmocka_unit_test(every_part_of_the_key_counts),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(noise_is_not_correlated),
        cmocka_unit_test(signs_are_bits_of_the_generator),
        cmocka_unit_test(signs_are_even_and_not_correlated),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(below_is_even_for_large_limits),
        cmocka_unit_test(uniform_is_uniform),
        cmocka_unit_test(streams_repeat_and_differ_by_key),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(shuffle_is_even),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
