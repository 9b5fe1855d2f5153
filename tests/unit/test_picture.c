/* test_picture.c - weights as images, and images as PNG files that a library reads back. */
#include "scratch.h"

#include <png.h>
#include <stdbool.h>

#include "reluopt/picture.h"

static Error error;

/* The pixels of a PNG, four bytes each; free them. */
static unsigned char *decode(const Picture *picture)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, picture->png, picture->size));
    image.format = PNG_FORMAT_RGBA;
    assert_int_equal(image.width, picture->width);
    assert_int_equal(image.height, picture->height);
    unsigned char *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    return pixels;
}

static const unsigned char *pixel(const Picture *picture, const unsigned char *pixels, size_t x, size_t y)
{
    return pixels + 4 * (y * picture->width + x);
}

static bool is_image(size_t features, size_t columns, ImageShape *shape)
{
    Schema schema = {.features = features, .columns = columns};
    return reluopt_image_shape(&schema, 0, 0, shape);
}

static void images_are_told_by_their_size(void **state)
{
    (void)state;
    ImageShape shape;
    assert_true(is_image(784, 0, &shape));
    assert_true(shape.width == 28 && shape.height == 28 && shape.channels == 1);
    assert_true(is_image(3072, 0, &shape));
    assert_true(shape.width == 32 && shape.height == 32 && shape.channels == 3);
    assert_false(is_image(784, 784, &shape)); /* columns of a table */
    assert_false(is_image(35, 0, &shape));
    assert_false(is_image(4, 0, &shape)); /* too small to be one */
    Schema schema = {.features = 600};
    assert_true(reluopt_image_shape(&schema, 20, 30, &shape));
    assert_true(shape.width == 30 && shape.height == 20 && shape.channels == 1);
    assert_true(reluopt_image_shape(&schema, 20, 10, &shape) && shape.channels == 3);
    assert_false(reluopt_image_shape(&schema, 20, 15, &shape));
}

/* The weight in column i and row j of the left (0) or right (1) of two images, 29 x 29 pixels a weight: its
 * middle. */
static const unsigned char *weight(const Picture *picture, const unsigned char *pixels, size_t image, size_t i,
                                   size_t j)
{
    return pixel(picture, pixels, 60 * image + 29 * i + 14, 29 * j + 14);
}

/* Two neurons of 2 x 2 pixels and a bias, which has no say: positive orange, negative blue, 0 transparent, each
 * neuron by its own measure. */
static void weights_become_colours(void **state)
{
    (void)state;
    const float rows[] = {1, -1, 0, 0.5f, 99, 0.02f, 0, -0.01f, 0, 99};
    Picture picture;
    assert_int_equal(reluopt_picture(&picture, rows, 2, 5, (ImageShape){2, 2, 1}, &error), RELUOPT_OK);
    assert_true(picture.width == 118 && picture.height == 58 && picture.shown == 2);
    unsigned char *pixels = decode(&picture);
    const unsigned char *plus = weight(&picture, pixels, 0, 0, 0), *minus = weight(&picture, pixels, 0, 1, 0);
    assert_true(plus[0] == 213 && plus[2] == 0 && plus[3] > 250);
    assert_true(minus[0] == 0 && minus[2] == 178 && minus[3] > 250);
    assert_int_equal(weight(&picture, pixels, 0, 0, 1)[3], 0);
    assert_in_range(weight(&picture, pixels, 0, 1, 1)[3], 125, 130);
    assert_int_equal(pixel(&picture, pixels, 58, 0)[3], 0); /* between the neurons */
    assert_true(weight(&picture, pixels, 1, 0, 0)[3] > 250);
    assert_in_range(weight(&picture, pixels, 1, 0, 1)[3], 125, 130);
    free(pixels);
    free(picture.png);
}

static void colours_stay_colours(void **state)
{
    (void)state;
    const float rows[] = {1, 0, -1};
    Picture picture;
    assert_int_equal(reluopt_picture(&picture, rows, 1, 3, (ImageShape){1, 1, 3}, &error), RELUOPT_OK);
    unsigned char *pixels = decode(&picture);
    assert_true(pixels[0] == 255 && pixels[1] == 128 && pixels[2] == 1 && pixels[3] == 255);
    free(pixels);
    free(picture.png);
}

static void neurons_without_weights_are_empty(void **state)
{
    (void)state;
    const float rows[9] = {0};
    Picture picture;
    assert_int_equal(reluopt_picture(&picture, rows, 9, 1, (ImageShape){1, 1, 1}, &error), RELUOPT_OK);
    unsigned char *pixels = decode(&picture);
    for (size_t i = 0; i < picture.width * picture.height; i++)
        assert_int_equal(pixels[4 * i + 3], 0);
    free(pixels);
    free(picture.png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_told_by_their_size),
        cmocka_unit_test(weights_become_colours),
        cmocka_unit_test(colours_stay_colours),
        cmocka_unit_test(neurons_without_weights_are_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
