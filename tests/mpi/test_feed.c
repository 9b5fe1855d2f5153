/* test_feed.c - batches reach every rank: each sample once, in order, with labels and the row of ones. */
#include "mpi_cmocka.h"

#include <stdbool.h>
#include <string.h>

#include "reluopt/feed.h"
#include "reluopt/random.h"

enum { FEATURES = 5, SAMPLES = 103, CLASSES = 7 };

static Comm world;

/* The group starts and stops MPI through the module under test. */
#define MPI_Init(argc, argv) reluopt_comm_start(&world, argc, argv)
#define MPI_Finalize() reluopt_comm_stop(&world)

static float feature(size_t sample, size_t i)
{
    return (float)sample + (float)i / 8;
}

/* Rank 0 holds them; elsewhere there is nothing to look at. */
static Samples *make_samples(void)
{
    if (world.rank != 0)
        return NULL;
    Samples *samples = calloc(1, sizeof *samples);
    samples->count = SAMPLES;
    samples->features = FEATURES;
    samples->x = malloc(SAMPLES * FEATURES * sizeof *samples->x);
    samples->y = malloc(SAMPLES * sizeof *samples->y);
    for (size_t s = 0; s < SAMPLES; s++) {
        samples->y[s] = (int)(s * 3 % CLASSES);
        for (size_t i = 0; i < FEATURES; i++)
            samples->x[s * FEATURES + i] = feature(s, i);
    }
    return samples;
}

static void free_samples(Samples *samples)
{
    if (samples) {
        free(samples->x);
        free(samples->y);
    }
    free(samples);
}

/* A permutation, known to the test on all ranks, given to the feed on rank 0 alone. */
static void make_order(uint32_t order[SAMPLES], uint64_t epoch)
{
    for (uint32_t i = 0; i < SAMPLES; i++)
        order[i] = i;
    Stream stream = reluopt_stream((RandomKey){.seed = 1, .use = RANDOM_ORDER, .step = epoch});
    reluopt_shuffle(&stream, order, SAMPLES);
}

static const uint32_t *on_rank_0(const uint32_t *order)
{
    return world.rank == 0 ? order : NULL;
}

/* Is column k of `columns` the sample? */
static bool holds(const Batch *batch, size_t columns, size_t k, size_t sample)
{
    bool good = batch->label[k] == (int)(sample * 3 % CLASSES) && batch->x[FEATURES * columns + k] == 1;
    for (size_t i = 0; i < FEATURES; i++)
        good = good && batch->x[i * columns + k] == feature(sample, i);
    return good;
}

static bool batch_is(const Batch *batch, const uint32_t *order, size_t first)
{
    bool good = true;
    OwnColumns own = reluopt_comm_own_columns(&world, batch->count);
    for (size_t k = 0; k < own.count; k++) {
        size_t at = first + own.first + k;
        good = good && holds(batch, own.count, k, order ? order[at] : at);
    }
    return good;
}

/* One pass over `count` samples: sizes, order and contents of all batches, also once the next one has had time
 * to arrive. */
static void check_pass(Feed *feed, const uint32_t *order, size_t count, size_t size)
{
    size_t seen = 0;
    Batch batch;
    while (reluopt_feed_next(feed, &batch)) {
        size_t expected = count - seen < size ? count - seen : size;
        assert_all(batch.count == expected);
        assert_all(batch_is(&batch, order, seen));
        reluopt_comm_barrier(&world);
        assert_all(batch_is(&batch, order, seen));
        seen += batch.count;
    }
    assert_all(seen == count);
    assert_all(!reluopt_feed_next(feed, &batch));
}

static void make_feed(Feed *feed, size_t room)
{
    Error error = {0};
    assert_all(reluopt_feed_create(feed, &world, FEATURES, room, &error) == RELUOPT_OK);
}

static void batches_of_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 10, 15, 16, 17, 51, 52, 102, 103};
    Samples *samples = make_samples();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Feed feed;
        make_feed(&feed, sizes[i]);
        reluopt_feed_begin(&feed, samples, NULL, SAMPLES, sizes[i]);
        check_pass(&feed, NULL, SAMPLES, sizes[i]);
        reluopt_feed_free(&feed);
    }
    free_samples(samples);
}

static void the_order_is_kept(void **state)
{
    (void)state;
    Samples *samples = make_samples();
    uint32_t order[SAMPLES];
    Feed feed;
    make_feed(&feed, 10);
    for (uint64_t epoch = 1; epoch <= 4; epoch++) { /* the same feed again and again */
        make_order(order, epoch);
        reluopt_feed_begin(&feed, samples, on_rank_0(order), SAMPLES, 10);
        check_pass(&feed, order, SAMPLES, 10);
    }
    reluopt_feed_free(&feed);
    free_samples(samples);
}

/* Other counts and batch sizes within the room; fewer samples than there are; none. */
static void a_feed_serves_passes_of_any_size(void **state)
{
    (void)state;
    static const struct {
        size_t count, size;
    } passes[] = {{103, 20}, {7, 20}, {20, 20}, {21, 20}, {1, 1}, {0, 20}, {40, 20}, {50, 7}, {103, 1}};
    Samples *samples = make_samples();
    uint32_t order[SAMPLES];
    Feed feed;
    make_order(order, 9);
    make_feed(&feed, 20);
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        reluopt_feed_begin(&feed, samples, on_rank_0(order), passes[i].count, passes[i].size);
        check_pass(&feed, order, passes[i].count, passes[i].size);
    }
    reluopt_feed_free(&feed);
    free_samples(samples);
}

/* With one batch that never changes, later passes hand out what has arrived: nothing is sent again. */
static void a_fixed_batch_is_sent_once(void **state)
{
    (void)state;
    Samples *samples = make_samples();
    Feed feed;
    make_feed(&feed, SAMPLES);
    feed.fixed = true;
    reluopt_feed_begin(&feed, samples, NULL, SAMPLES, SAMPLES);
    check_pass(&feed, NULL, SAMPLES, SAMPLES);
    if (samples) /* gone: would show, were it read again */
        memset(samples->x, 0, SAMPLES * FEATURES * sizeof *samples->x);
    for (int pass = 0; pass < 3; pass++) {
        reluopt_feed_begin(&feed, samples, NULL, SAMPLES, SAMPLES);
        check_pass(&feed, NULL, SAMPLES, SAMPLES);
    }
    assert_all(feed.sent == 1 && feed.arrived == 1);
    reluopt_feed_free(&feed);
    free_samples(samples);
}

/* The step's own messages between two batches do not meet those of the feed. */
static void other_messages_go_beside_it(void **state)
{
    (void)state;
    Samples *samples = make_samples();
    Feed feed;
    Batch batch;
    size_t seen = 0;
    make_feed(&feed, 10);
    reluopt_feed_begin(&feed, samples, NULL, SAMPLES, 10);
    while (reluopt_feed_next(&feed, &batch)) {
        double sum = 1;
        float rows[64];
        Rows own = reluopt_comm_own_rows(&world, 64);
        reluopt_comm_sum(&world, &sum, 1);
        for (size_t i = own.first; i < own.first + own.count; i++)
            rows[i] = (float)i;
        reluopt_comm_gather_rows(&world, rows, 64, 1);
        bool good = sum == world.size;
        for (int i = 0; i < 64; i++)
            good = good && rows[i] == (float)i;
        assert_all(good && batch_is(&batch, NULL, seen));
        seen += batch.count;
    }
    reluopt_feed_free(&feed);
    free_samples(samples);
}

/* Training and evaluation use a feed each, one after the other. */
static void two_feeds_take_turns(void **state)
{
    (void)state;
    Samples *samples = make_samples();
    uint32_t order[SAMPLES];
    Feed train, test;
    make_feed(&train, 30);
    make_feed(&test, 64);
    for (uint64_t epoch = 1; epoch <= 3; epoch++) {
        make_order(order, epoch);
        reluopt_feed_begin(&train, samples, on_rank_0(order), SAMPLES, 30);
        check_pass(&train, order, SAMPLES, 30);
        reluopt_feed_begin(&test, samples, NULL, SAMPLES, 64);
        check_pass(&test, NULL, SAMPLES, 64);
    }
    reluopt_feed_free(&train);
    reluopt_feed_free(&test);
    free_samples(samples);
}

/* Every rank gets the images that rank 0 moves and the noise that it adds: other ones for other steps, the same
 * for the same step. */
static void samples_are_augmented(void **state)
{
    (void)state;
    enum { SIZE = 40, PLACES = (FEATURES + 1) * SIZE };
    float x[3][PLACES];
    float zero[FEATURES] = {0}, one[FEATURES] = {1, 1, 1, 1, 1};
    Preprocess pre = {.features = FEATURES, .shift = zero, .scale = one};
    Samples *samples = make_samples();
    Config config;
    Augment augment = {0};
    Error error = {0};
    Feed feed;
    Batch batch;
    reluopt_config_default(&config);
    config.augment.shift = 2;
    config.augment.noise = 0.1;
    make_feed(&feed, SIZE);
    if (samples) {
        samples->height = 1;
        samples->width = FEATURES;
        reluopt_augment_create(&augment, &config, &pre, samples, CLASSES, &error);
        feed.augment = &augment;
    }
    for (int pass = 0; pass < 3; pass++) {
        feed.step = pass < 2 ? 5 : 6;
        reluopt_feed_begin(&feed, samples, NULL, SIZE, SIZE);
        assert_all(reluopt_feed_next(&feed, &batch) && !batch_is(&batch, NULL, 0));
        memcpy(x[pass], batch.x, sizeof x[pass]);
        float root[PLACES];
        memcpy(root, x[pass], sizeof root);
        reluopt_comm_share(&world, root, sizeof root);
        assert_all(memcmp(root, x[pass], sizeof root) == 0);
        assert_all(x[pass][FEATURES * SIZE] == 1 && batch.label[4] == 12 % CLASSES);
    }
    assert_all(memcmp(x[0], x[1], sizeof x[0]) == 0);
    assert_all(memcmp(x[0], x[2], sizeof x[0]) != 0);
    reluopt_augment_free(&augment);
    reluopt_feed_free(&feed);
    free_samples(samples);
}

static void room_for_too_much_is_reported(void **state)
{
    (void)state;
    Feed feed;
    Error error = {0};
    assert_all(reluopt_feed_create(&feed, &world, (size_t)1 << 62, 1, &error) == RELUOPT_MEMORY);
    assert_all(strlen(error.message) > 0);
    reluopt_feed_free(&feed);
}

/* Each rank gets its columns of batches of any size. */
static void every_grid_is_fed(void **state)
{
    for (int data = 2; data <= world.size; data++)
        if (world.size % data == 0) {
            reluopt_comm_grid(&world, data);
            the_order_is_kept(state);
            a_feed_serves_passes_of_any_size(state);
            a_fixed_batch_is_sent_once(state);
            other_messages_go_beside_it(state);
            two_feeds_take_turns(state);
        }
    reluopt_comm_grid(&world, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(batches_of_every_size),
    cmocka_unit_test(the_order_is_kept),
    cmocka_unit_test(a_feed_serves_passes_of_any_size),
    cmocka_unit_test(a_fixed_batch_is_sent_once),
    cmocka_unit_test(other_messages_go_beside_it),
    cmocka_unit_test(two_feeds_take_turns),
    cmocka_unit_test(samples_are_augmented),
    cmocka_unit_test(room_for_too_much_is_reported),
    cmocka_unit_test(every_grid_is_fed),
};

mpi_cmocka_main("feed", tests)
