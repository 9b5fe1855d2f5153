/* test_augment.c - images moved and mirrored against a plain version on the raw pixels; what is drawn; noise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/augment.h"

enum { PLANES = 3, HEIGHT = 7, WIDTH = 6, PIXELS = PLANES * HEIGHT * WIDTH, SAMPLES = 50, CLASSES = 2 };

static Config config;
static Preprocess pre;
static Samples train;
static float raw[SAMPLES * PIXELS];
static Error error;

/* Raw pixels 0..255, and a preprocessing with a shift and scale for each. */
static int make_images(void **state)
{
    (void)state;
    Stream stream = reluopt_stream((RandomKey){.seed = 3, .use = RANDOM_GENERATED});
    reluopt_config_default(&config);
    if (reluopt_samples_alloc(&train, SAMPLES, PIXELS, &error))
        return -1;
    train.height = HEIGHT;
    train.width = WIDTH;
    for (size_t k = 0; k < SAMPLES * PIXELS; k++)
        train.x[k] = raw[k] = (float)reluopt_stream_below(&stream, 256);
    reluopt_preprocess_fit(&pre, PREPROCESS_STANDARDISE, &train, &error);
    return reluopt_preprocess_apply(&pre, &train, &error);
}

static int free_images(void **state)
{
    (void)state;
    reluopt_samples_free(&train);
    reluopt_preprocess_free(&pre);
    return 0;
}

static Augment create(int shift, Flip flip, double noise)
{
    Augment augment;
    config.augment.shift = shift;
    config.augment.flip = flip;
    config.augment.noise = noise;
    if (reluopt_augment_create(&augment, &config, &pre, &train, CLASSES, &error))
        fail_msg("%s", error.message);
    return augment;
}

static int clamp(int at, int n)
{
    return at < 0 ? 0 : at < n ? at : n - 1;
}

/* Pixel (i, j) of a raw plane that was moved. */
static float moved_pixel(const float *plane, int i, int j, Move move)
{
    int column = clamp(j + move.right, WIDTH);
    return plane[clamp(i + move.down, HEIGHT) * WIDTH + (move.mirrored ? WIDTH - 1 - column : column)];
}

/* Is `out` sample 0, moved so and then preprocessed? */
static bool is_moved(const float *out, Move move)
{
    bool good = true;
    for (int p = 0; p < PLANES; p++)
        for (int i = 0; i < HEIGHT; i++)
            for (int j = 0; j < WIDTH; j++) {
                int k = (p * HEIGHT + i) * WIDTH + j;
                float pixel = moved_pixel(raw + p * HEIGHT * WIDTH, i, j, move);
                good = good && fabsf(out[k] - (pixel - pre.shift[k]) * pre.scale[k]) < 1e-4f;
            }
    return good;
}

static void moved_images_are_raw_images_moved(void **state)
{
    (void)state;
    Augment augment = create(1, FLIP_YES, 0);
    float out[PIXELS];
    for (int down = -HEIGHT - 1; down <= HEIGHT + 1; down++)
        for (int right = -WIDTH - 1; right <= WIDTH + 1; right++)
            for (int mirrored = 0; mirrored < 2; mirrored++) {
                Move move = {down, right, mirrored};
                reluopt_move_image(&augment, train.x, move, out);
                assert_true(is_moved(out, move));
            }
    reluopt_augment_free(&augment);
}

/* Every move up to the shift comes about equally often, and no other. */
static void check_draws(int shift, bool flip)
{
    enum { DRAWS = 4000, MOST = 2 };
    int count[2 * MOST + 1][2 * MOST + 1][2] = {{{0}}}, side = 2 * shift + 1,
                                       kinds = side * side * (flip ? 2 : 1);
    Augment augment = create(shift, flip ? FLIP_YES : FLIP_NO, 0);
    Stream stream = reluopt_augment_stream(&augment, 7);
    for (int draw = 0; draw < DRAWS; draw++) {
        const float *out =
            reluopt_augment_image(&augment, train.x, 0, &stream, (size_t)draw % RELUOPT_AUGMENT_ROOM);
        int found = 0;
        for (int down = -shift; down <= shift; down++)
            for (int right = -shift; right <= shift; right++)
                for (int mirrored = 0; mirrored <= flip; mirrored++)
                    if (is_moved(out, (Move){down, right, mirrored})) {
                        count[down + shift][right + shift][mirrored]++;
                        found++;
                    }
        assert_int_equal(found, 1);
    }
    double expected = (double)DRAWS / kinds, spread = sqrt(expected);
    for (int i = 0; i < side * side; i++)
        for (int mirrored = 0; mirrored <= flip; mirrored++)
            assert_true(fabs(count[i / side][i % side][mirrored] - expected) < 5 * spread);
    reluopt_augment_free(&augment);
}

static void draws_are_uniform(void **state)
{
    (void)state;
    check_draws(1, false);
    check_draws(0, true);
    check_draws(2, true);
}

/* The first draw of a step as one number. */
static uint32_t first_draw(int64_t seed, uint64_t step)
{
    config.seed = seed;
    Augment augment = create(1, FLIP_NO, 0);
    Stream stream = reluopt_augment_stream(&augment, step);
    reluopt_augment_free(&augment);
    config.seed = 1;
    return reluopt_stream_below(&stream, UINT32_MAX);
}

static void draws_follow_seed_and_step(void **state)
{
    (void)state;
    assert_int_equal(first_draw(1, 5), first_draw(1, 5));
    assert_int_not_equal(first_draw(1, 5), first_draw(1, 6));
    assert_int_not_equal(first_draw(1, 5), first_draw(2, 5));
}

static void nothing_to_do_leaves_samples_alone(void **state)
{
    (void)state;
    float x[PIXELS * 4];
    Augment augment = create(0, FLIP_NO, 0);
    Stream stream = reluopt_augment_stream(&augment, 0);
    assert_false(reluopt_augments(&config));
    assert_ptr_equal(reluopt_augment_image(&augment, train.x, 0, &stream, 3), train.x);
    memcpy(x, train.x, sizeof x);
    reluopt_augment_noise(&augment, x, 0, 4, 0);
    assert_memory_equal(x, train.x, sizeof x);
    reluopt_augment_free(&augment);
}

/* Noise has mean 0 and the deviation asked for, in units of that of the data. */
static void noise_is_in_units_of_the_data(void **state)
{
    (void)state;
    enum { COLUMNS = 500, VALUES = PIXELS * COLUMNS };
    for (size_t k = 0; k < SAMPLES * PIXELS; k++)
        train.x[k] *= 3; /* standardised: now of deviation 3 */
    Augment augment = create(0, FLIP_NO, 0.5);
    float *x = calloc(VALUES, sizeof *x), *other = calloc(VALUES, sizeof *x);
    double sum = 0, squares = 0;
    assert_true(x && other && reluopt_augments(&config));
    reluopt_augment_noise(&augment, x, 0, COLUMNS, 4);
    reluopt_augment_noise(&augment, other, 0, COLUMNS, 5);
    for (size_t k = 0; k < VALUES; k++) {
        sum += x[k];
        squares += (double)x[k] * x[k];
        assert_true(x[k] != other[k]);
    }
    assert_float_equal(sum / VALUES, 0, 0.03);
    assert_float_equal(sqrt(squares / VALUES), 1.5, 0.03);
    for (size_t k = 0; k < SAMPLES * PIXELS; k++)
        train.x[k] /= 3;
    free(x);
    free(other);
    reluopt_augment_free(&augment);
}

/* Classes: 0 symmetric but for noise, 1 a wedge, 2 its mirror image, 3 less of a wedge, near nothing else; 4
 * has no samples. */
static void alike_mirrors_symmetric_classes(void **state)
{
    (void)state;
    enum { COUNT = 80, SIDE = 4, FEATURES = SIDE * SIDE, ALL = 5 };
    static const float slope[ALL] = {0, 20, -20, 1, 0}, level[ALL] = {90, 60, 60, 220, 0};
    static const bool expected[ALL] = {true, false, false, true};
    Samples images;
    Preprocess scaled;
    Augment augment;
    assert_int_equal(reluopt_samples_alloc(&images, COUNT, FEATURES, &error), RELUOPT_OK);
    images.height = images.width = SIDE;
    reluopt_add_normal(images.x, images.x, COUNT, FEATURES, 0, 4,
                       (RandomKey){.seed = 1, .use = RANDOM_GENERATED});
    for (size_t j = 0; j < COUNT; j++) {
        images.y[j] = (int)(j % 4);
        for (size_t k = 0; k < FEATURES; k++)
            images.x[j * FEATURES + k] += level[j % 4] + slope[j % 4] * ((float)(k % SIDE) - 1.5f);
    }
    reluopt_preprocess_fit(&scaled, PREPROCESS_STANDARDISE, &images, &error);
    reluopt_preprocess_apply(&scaled, &images, &error);
    config.augment.shift = 0;
    config.augment.flip = FLIP_ALIKE;
    assert_int_equal(reluopt_augment_create(&augment, &config, &scaled, &images, ALL, &error), RELUOPT_OK);
    for (size_t c = 0; c < 4; c++) {
        Stream stream = reluopt_augment_stream(&augment, c);
        int mirrored = 0;
        assert_int_equal(augment.mirrored[c], expected[c]);
        for (int draw = 0; draw < 64; draw++) {
            const float *out = reluopt_augment_image(&augment, images.x + c * FEATURES, (int)c, &stream, 0);
            mirrored += fabsf(out[0] - images.x[c * FEATURES]) > 1e-4f;
        }
        assert_true(expected[c] ? mirrored > 16 && mirrored < 48 : mirrored == 0);
    }
    reluopt_augment_free(&augment);
    reluopt_preprocess_free(&scaled);
    reluopt_samples_free(&images);
}

static void only_images_can_be_moved(void **state)
{
    (void)state;
    Samples flat = train;
    Augment augment;
    Error refused = {0};
    flat.height = flat.width = 0;
    config.augment.shift = 1;
    config.augment.noise = 0;
    assert_int_equal(reluopt_augment_create(&augment, &config, &pre, &flat, CLASSES, &refused), RELUOPT_USAGE);
    assert_non_null(strstr(refused.message, "rings-xor has none"));
    reluopt_augment_free(&augment);
    config.augment.shift = 0;
    config.augment.flip = FLIP_NO;
    config.augment.noise = 1;
    assert_int_equal(reluopt_augment_create(&augment, &config, &pre, &flat, CLASSES, &error), RELUOPT_OK);
    reluopt_augment_free(&augment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moved_images_are_raw_images_moved),
        cmocka_unit_test(draws_are_uniform),
        cmocka_unit_test(draws_follow_seed_and_step),
        cmocka_unit_test(nothing_to_do_leaves_samples_alone),
        cmocka_unit_test(noise_is_in_units_of_the_data),
        cmocka_unit_test(alike_mirrors_symmetric_classes),
        cmocka_unit_test(only_images_can_be_moved),
    };
    return cmocka_run_group_tests_name("augment", tests, make_images, free_images);
}
