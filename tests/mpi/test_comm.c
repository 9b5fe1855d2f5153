/* test_comm.c - who owns which rows; gather, sums, minimum, sharing, feed, agreement, at any number of ranks.
 */
#include "mpi_cmocka.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "reluopt/comm.h"

static Comm world;

/* The group starts and stops MPI through the module under test. */
#define MPI_Init(argc, argv) reluopt_comm_start(&world, argc, argv)
#define MPI_Finalize() reluopt_comm_stop(&world)

static const size_t row_counts[] = {0, 1, 2, 3, 5, 7, 8, 9, 64, 501};
enum { ROW_COUNTS = sizeof row_counts / sizeof row_counts[0] };

/* Dedicated or not, where there are ranks enough. */
static bool set_dedicated(int dedicated)
{
    world.dedicated = dedicated != 0;
    return !dedicated || world.size > 1;
}

static void start_fills_in_rank_and_size(void **state)
{
    (void)state;
    assert_all(world.rank == mt_rank && world.size == mt_size && !world.dedicated);
    int same, like_feed;
    MPI_Comm_compare(world.world, MPI_COMM_WORLD, &same);
    MPI_Comm_compare(world.world, world.feed, &like_feed);
    assert_all(same == MPI_CONGRUENT && like_feed == MPI_CONGRUENT); /* own communicators, not the world's */
}

/* Consecutive, complete, whole blocks but for the last, as even as possible, larger shards first; without
 * messages. */
static void assert_partition(const Comm *comm, size_t n)
{
    size_t next = 0, owners = (size_t)comm->neurons.size - comm->dedicated, before = SIZE_MAX;
    size_t blocks = (n + comm->block - 1) / comm->block;
    for (int rank = 0; rank < comm->neurons.size; rank++) {
        Rows rows = reluopt_comm_rows(comm, n, rank);
        if (comm->dedicated && rank == 0) {
            assert_int_equal(rows.count, 0);
            continue;
        }
        size_t own = (rows.count + comm->block - 1) / comm->block;
        assert_int_equal(rows.first, next);
        assert_true(own == blocks / owners || own == (blocks + owners - 1) / owners);
        assert_true(rows.count % comm->block == 0 || rows.first + rows.count == n);
        assert_true(rows.count <= before);
        before = rows.count;
        next += rows.count;
    }
    assert_int_equal(next, n);
}

static void rows_are_a_partition(void **state)
{
    (void)state;
    for (int size = 1; size <= 40; size++)
        for (int dedicated = 0; dedicated <= (size > 1); dedicated++)
            for (size_t n = 0; n <= 300; n++)
                assert_partition(&(Comm){.neurons.size = size, .dedicated = dedicated, .block = 1 + n % 12}, n);
    for (int dedicated = 0; dedicated <= 1; dedicated++)
        assert_partition(&(Comm){.neurons.size = 7, .dedicated = dedicated, .block = 4}, (size_t)1 << 40);
    Rows own = reluopt_comm_own_rows(&world, 23), same = reluopt_comm_rows(&world, 23, world.rank);
    assert_all(own.first == same.first && own.count == same.count);
}

static float value(size_t row, size_t column)
{
    return (float)(row * 100 + column) + 0.5f;
}

/* Each rank fills its own rows, the rest is NaN; afterwards all is there, and nothing behind. */
static void check_gather(size_t n, size_t columns)
{
    float *x = malloc((n * columns + 1) * sizeof *x);
    Rows own = reluopt_comm_own_rows(&world, n);
    assert_all(x);
    for (size_t i = 0; i < n * columns; i++)
        x[i] = i / columns - own.first < own.count ? value(i / columns, i % columns) : NAN;
    x[n * columns] = 12345;
    reluopt_comm_gather_rows(&world, x, n, columns);
    bool good = x[n * columns] == 12345;
    for (size_t i = 0; i < n * columns; i++)
        good = good && x[i] == value(i / columns, i % columns);
    assert_all(good);
    free(x);
}

/* Rank r contributes value * 2^r: exact sums; each rank gets its own rows. */
static void check_sum_rows(size_t n, size_t columns)
{
    Rows rows = reluopt_comm_own_rows(&world, n);
    float *part = malloc((n * columns + 1) * sizeof *part),
          *own = malloc((rows.count * columns + 1) * sizeof *own);
    assert_all(part && own);
    for (size_t i = 0; i < n * columns; i++)
        part[i] = ldexpf((float)(i % 97), world.rank);
    own[rows.count * columns] = 12345;
    reluopt_comm_sum_rows(&world, part, own, n, columns);
    bool good = own[rows.count * columns] == 12345;
    for (size_t i = 0; i < rows.count * columns; i++)
        good = good && own[i] == (float)((i + rows.first * columns) % 97) * (ldexpf(1, world.size) - 1);
    assert_all(good);
    free(part);
    free(own);
}

static void for_all_shapes(void (*check)(size_t n, size_t columns))
{
    static const size_t columns[] = {1, 3, 500};
    for (int dedicated = 0; dedicated <= 1; dedicated++)
        for (int i = 0; set_dedicated(dedicated) && i < ROW_COUNTS; i++)
            for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
                check(row_counts[i], columns[c]);
    world.dedicated = false;
}

static void gather_brings_all_rows(void **state)
{
    (void)state;
    for_all_shapes(check_gather);
}

static void sum_rows_adds_over_ranks(void **state)
{
    (void)state;
    for_all_shapes(check_sum_rows);
}

/* Element k is smallest on rank k mod size; infinities take part like any number. */
static void min_is_over_ranks(void **state)
{
    (void)state;
    float x[20];
    for (int k = 0; k < 20; k++)
        x[k] = (float)(k + (k + world.rank) % world.size);
    x[18] = world.rank == world.size - 1 ? -3 : INFINITY;
    x[19] = INFINITY;
    reluopt_comm_min(&world, x, 20);
    bool good = x[18] == -3 && x[19] == INFINITY;
    for (int k = 0; k < 18; k++)
        good = good && x[k] == (float)k;
    assert_all(good);
    reluopt_comm_min(&world, x, 0);
}

static void sum_is_over_ranks(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    double x[COUNT];
    for (int k = 0; k < COUNT; k++)
        x[k] = k + 1e-9 * world.rank;
    reluopt_comm_sum(&world, x, COUNT);
    bool good = true;
    double ranks = world.size, below = ranks * (ranks - 1) / 2;
    for (int k = 0; k < COUNT; k++)
        good = good && fabs(x[k] - (k * ranks + 1e-9 * below)) < 1e-11 * ranks;
    assert_all(good);
    reluopt_comm_sum(&world, x, 0);
}

/* Sums decide what the ranks do next: they have to be the same bits everywhere. */
static void sums_are_equal_on_all_ranks(void **state)
{
    (void)state;
    enum { COUNT = 257 };
    double x[COUNT], first[COUNT];
    for (int k = 0; k < COUNT; k++)
        x[k] = sin(k + 100.0 * world.rank) * pow(10, k % 13);
    reluopt_comm_sum(&world, x, COUNT);
    memcpy(first, x, sizeof x);
    MPI_Bcast(first, COUNT, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    assert_all(memcmp(first, x, sizeof x) == 0);
}

static unsigned char byte(size_t i)
{
    return (unsigned char)(i * 2654435761u >> 13);
}

static void share_reaches_all(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 17, 4096, 5000003};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t size = sizes[s];
        unsigned char *x = malloc(size + 1);
        assert_all(x);
        for (size_t i = 0; i < size; i++)
            x[i] = world.rank == 0 ? byte(i) : 0xee;
        x[size] = 0xaa;
        reluopt_comm_share(&world, x, size);
        bool good = x[size] == 0xaa;
        for (size_t i = 0; i < size; i++)
            good = good && x[i] == byte(i);
        assert_all(good);
        free(x);
    }
}

static void check_text(const char *text)
{
    Error error = {0};
    char *copy = world.rank == 0 && text ? strdup(text) : NULL;
    assert_all(reluopt_comm_share_text(&world, &copy, &error) == RELUOPT_OK && error.code == RELUOPT_OK);
    assert_all(text ? copy && strcmp(copy, text) == 0 : !copy);
    free(copy);
}

static void texts_are_shared(void **state)
{
    (void)state;
    enum { LONG = 3000000 };
    char *text = malloc(LONG + 1);
    assert_all(text);
    memset(text, 'x', LONG);
    text[LONG] = '\0';
    check_text(NULL);
    check_text("");
    check_text("a: 1\nb: \xc3\xa9\n");
    check_text(text);
    free(text);
}

/* An earlier failure on any rank stops the sharing on all. */
static void share_text_agrees_on_failure(void **state)
{
    (void)state;
    Error error = {0};
    char *text = world.rank == 0 ? strdup("text") : NULL;
    if (world.rank == world.size - 1)
        reluopt_fail(&error, RELUOPT_MEMORY, "planted");
    assert_all(reluopt_comm_share_text(&world, &text, &error) == RELUOPT_MEMORY);
    assert_all(strstr(error.message, "planted"));
    free(text);
}

/* failing[rank]: the code it fails with, 0 for success. */
static void check_agreement(const int *failing)
{
    Error error = {0};
    char expected[200] = "", message[200];
    int first = 0;
    while (first < world.size && !failing[first])
        first++;
    if (failing[world.rank])
        reluopt_fail(&error, failing[world.rank], "failure %d", world.rank);
    int code = first < world.size ? failing[first] : RELUOPT_OK;
    if (first < world.size) {
        snprintf(message, sizeof message, "failure %d", first);
        snprintf(expected, sizeof expected, first ? "rank %d: failure %d" : "failure %d", first, first);
    }
    assert_all(reluopt_comm_agree(&world, &error) == code);
    assert_all(error.code == code && strcmp(error.message, expected) == 0);
}

static void nobody_fails(void **state)
{
    (void)state;
    int *failing = calloc((size_t)world.size, sizeof *failing);
    check_agreement(failing);
    free(failing);
}

static void every_rank_fails_in_turn(void **state)
{
    (void)state;
    int *failing = calloc((size_t)world.size, sizeof *failing);
    for (int rank = 0; rank < world.size; rank++) {
        failing[rank] = RELUOPT_DATA;
        check_agreement(failing);
        failing[rank] = 0;
    }
    free(failing);
}

static void the_lowest_failing_rank_wins(void **state)
{
    (void)state;
    int *failing = calloc((size_t)world.size, sizeof *failing);
    for (int rank = world.size - 1; rank >= 0; rank--) { /* more and more of them, each with its own code */
        failing[rank] = RELUOPT_USAGE + rank % 5;
        check_agreement(failing);
    }
    for (int rank = 0; rank + 1 < world.size; rank++) {
        failing[rank] = 0;
        check_agreement(failing);
    }
    free(failing);
}

static void long_messages_survive(void **state)
{
    (void)state;
    Error error = {0};
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    if (world.rank == world.size - 1)
        reluopt_fail(&error, RELUOPT_STORAGE, "%s", text);
    assert_all(reluopt_comm_agree(&world, &error) == RELUOPT_STORAGE);
    assert_all(strlen(error.message) > 900 && strlen(error.message) < sizeof error.message);
}

/* The feed is under way while the step's own messages go back and forth. */
static void feed_runs_beside_other_messages(void **state)
{
    (void)state;
    enum { COUNT = 300001 };
    float *x = malloc(COUNT * sizeof *x), least = 0;
    assert_all(x);
    for (int turn = 0; turn < 5; turn++) {
        size_t count = turn == 3 ? 0 : turn == 4 ? 1 : COUNT;
        for (size_t i = 0; i < count; i++)
            x[i] = world.rank == 0 ? (float)(i % 1000 + turn) : -1;
        reluopt_comm_feed_start(&world, x, 1, count);
        for (int i = 0; i < 20; i++) {
            least = (float)(world.rank + i);
            reluopt_comm_min(&world, &least, 1);
        }
        reluopt_comm_feed_wait(&world, x, 1, count);
        bool good = least == 19;
        for (size_t i = 0; i < count; i++)
            good = good && x[i] == (float)(i % 1000 + turn);
        assert_all(good);
    }
    free(x);
}

static void waiting_without_a_batch_returns(void **state)
{
    (void)state;
    reluopt_comm_feed_wait(&world, NULL, 1, 0);
    reluopt_comm_barrier(&world);
}

static void clock_does_not_run_backwards(void **state)
{
    (void)state;
    double before = reluopt_clock();
    reluopt_comm_barrier(&world);
    assert_all(reluopt_clock() >= before);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(start_fills_in_rank_and_size),
    cmocka_unit_test(rows_are_a_partition),
    cmocka_unit_test(gather_brings_all_rows),
    cmocka_unit_test(sum_rows_adds_over_ranks),
    cmocka_unit_test(min_is_over_ranks),
    cmocka_unit_test(sum_is_over_ranks),
    cmocka_unit_test(sums_are_equal_on_all_ranks),
    cmocka_unit_test(share_reaches_all),
    cmocka_unit_test(texts_are_shared),
    cmocka_unit_test(share_text_agrees_on_failure),
    cmocka_unit_test(nobody_fails),
    cmocka_unit_test(every_rank_fails_in_turn),
    cmocka_unit_test(the_lowest_failing_rank_wins),
    cmocka_unit_test(long_messages_survive),
    cmocka_unit_test(feed_runs_beside_other_messages),
    cmocka_unit_test(waiting_without_a_batch_returns),
    cmocka_unit_test(clock_does_not_run_backwards),
};

mpi_cmocka_main("comm", tests)
