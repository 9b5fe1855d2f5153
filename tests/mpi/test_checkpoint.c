/* test_checkpoint.c - checkpoints written and read by any number of ranks. */
#include "checkpoint_small.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { MAX_ARRAYS = 8 };

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void reads_what_was_written_with_any_split(void **state)
{
    (void)state;
    const Dims dims[MAX_ARRAYS] = {{1, 1},     {1, 7},    {2, 3},     {(size_t)mt_size + 1, 5},
                                   {500, 785}, {10, 501}, {70001, 3}, {13, 70001}};
    const char *path = scratch_path("c.h5");
    Array arrays[MAX_ARRAYS];
    Error error = {0};
    for (int from = 0; from < SPLITS; from++) {
        CheckpointMeta meta = make_meta(PREPROCESS_NONE);
        make_arrays(arrays, dims, MAX_ARRAYS, (Split)from);
        fill(arrays, MAX_ARRAYS);
        assert_all(reluopt_checkpoint_write(&comm, path, 1, &meta, arrays, MAX_ARRAYS, &error) == RELUOPT_OK);
        free_arrays(arrays, MAX_ARRAYS);
        for (int to = 0; to < SPLITS; to++) {
            make_arrays(arrays, dims, MAX_ARRAYS, (Split)to);
            assert_all(reluopt_checkpoint_read_arrays(&comm, path, NULL, arrays, MAX_ARRAYS, &error) ==
                       RELUOPT_OK);
            assert_all(is_filled(arrays, MAX_ARRAYS));
            free_arrays(arrays, MAX_ARRAYS);
        }
    }
    assert_all(!is_there(scratch_path("c.h5.tmp")));
}

static void keeps_what_a_checkpoint_says_about_itself(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    Error error = {0};
    for (int kind = PREPROCESS_NONE; kind <= PREPROCESS_ZCA; kind++) {
        bool same = false;
        assert_all(write_small(path, (PreprocessKind)kind, &error) == RELUOPT_OK);
        assert_all(read_small(path, (PreprocessKind)kind, &same, &error) == RELUOPT_OK);
        assert_all(same);
    }
}

static void keeps_empty_and_long_texts(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    Error error = {0};
    CheckpointMeta meta = make_meta(PREPROCESS_NONE), found;
    char *text = reluopt_alloc(1000001, 1, &error);
    for (size_t i = 0; i < 1000000; i++)
        text[i] = (char)('a' + i * i % 23);
    meta.config = text;
    meta.schema = "";
    assert_all(reluopt_checkpoint_write(&comm, path, 1, &meta, NULL, 0, &error) == RELUOPT_OK);
    assert_all(reluopt_checkpoint_read_meta(&comm, path, &found, &error) == RELUOPT_OK);
    assert_all(same_meta(&meta, &found));
    reluopt_checkpoint_meta_free(&found);
    free(text);
}

static void lists_arrays_in_the_order_written(void **state)
{
    (void)state;
    Dims dims[MAX_ARRAYS];
    Array arrays[MAX_ARRAYS], *listed;
    size_t count;
    Error error = {0};
    CheckpointMeta meta = make_meta(PREPROCESS_NONE);
    for (size_t k = 0; k < MAX_ARRAYS; k++)
        dims[k] = (Dims){k + 1, 2 * k + 1};
    make_arrays(arrays, dims, MAX_ARRAYS, EVEN);
    assert_all(reluopt_checkpoint_write(&comm, scratch_path("c.h5"), 1, &meta, arrays, MAX_ARRAYS, &error) ==
               0);
    assert_all(reluopt_checkpoint_list(scratch_path("c.h5"), &listed, &count, &error) == RELUOPT_OK);
    bool same = count == MAX_ARRAYS;
    for (size_t k = 0; k < count && same; k++)
        same = strcmp(listed[k].name, arrays[k].name) == 0 && listed[k].rows == dims[k].rows &&
               listed[k].cols == dims[k].cols;
    assert_all(same);
    free(listed);
    free_arrays(arrays, MAX_ARRAYS);
}

/* A column of each type, by rows, and one number that all ranks have. */
static void keeps_all_types_and_what_ranks_share(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    size_t n = 2 * (size_t)mt_size + 1, bytes;
    Rows own = split_rows(EVEN, n), other = split_rows(REVERSED, n);
    double *reals = reluopt_alloc(n, sizeof *reals, &none), *read = reluopt_alloc(n, sizeof *read, &none);
    int64_t number = INT64_MIN + 7, read_number = 0;
    Error error = {0};
    CheckpointMeta meta = make_meta(PREPROCESS_NONE);
    for (size_t j = 0; j < n; j++)
        reals[j] = 1 / (double)(j + 3);
    Array arrays[] = {{.name = "sums",
                       .type = ARRAY_DOUBLE,
                       .rows = n,
                       .cols = 1,
                       .first = own.first,
                       .count = own.count,
                       .doubles = reals + own.first},
                      {.name = "steps",
                       .type = ARRAY_INTEGER,
                       .shared = true,
                       .rows = 1,
                       .cols = 1,
                       .count = 1,
                       .integers = &number}};
    assert_all(reluopt_checkpoint_write(&comm, path, 1, &meta, arrays, 2, &error) == RELUOPT_OK);
    arrays[0].first = other.first;
    arrays[0].count = other.count;
    arrays[0].doubles = read;
    arrays[1].integers = &read_number;
    assert_all(reluopt_checkpoint_read_arrays(&comm, path, NULL, arrays, 2, &error) == RELUOPT_OK);
    assert_all(read_number == number && memcmp(read, reals + other.first, other.count * sizeof *read) == 0);
    assert_all(reluopt_checkpoint_verify(&comm, path, &bytes, &error) == RELUOPT_OK);
    assert_all(bytes == (n + 1) * 8);
    arrays[0].type = ARRAY_INTEGER;
    assert_agreed(&error, reluopt_checkpoint_read_arrays(&comm, path, NULL, arrays, 2, &error), RELUOPT_STORAGE,
                  "/arrays/sums has a wrong type");
    free(reals);
    free(read);
}

/* Which files are there, and which configuration they hold: "new old -". */
static void look_at_kept(const char *path, int count, char *found, size_t room)
{
    found[0] = '\0';
    for (int k = 0; k < count; k++) {
        Error error = {0};
        CheckpointMeta meta;
        char *name = reluopt_checkpoint_older(path, k, &error);
        int code = reluopt_checkpoint_read_meta(&comm, name, &meta, &error);
        size_t length = strlen(found);
        snprintf(found + length, room - length, "%s ", code ? "-" : meta.config);
        if (!code)
            reluopt_checkpoint_meta_free(&meta);
        free(name);
    }
}

static void keeps_the_last_files(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    const struct {
        char *config;
        int keep;
        const char *found;
    } writes[] = {{"a", 3, "a - - - "}, {"b", 3, "b a - - "}, {"c", 3, "c b a - "},
                  {"d", 3, "d c b - "}, {"e", 1, "e c b - "}, {"f", 2, "f e b - "}};
    CheckpointMeta meta = make_meta(PREPROCESS_NONE);
    char found[64];
    Error error = {0};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        meta.config = writes[i].config;
        assert_all(reluopt_checkpoint_write(&comm, path, writes[i].keep, &meta, NULL, 0, &error) == RELUOPT_OK);
        look_at_kept(path, 4, found, sizeof found);
        assert_all(strcmp(found, writes[i].found) == 0);
    }
    char *older = reluopt_checkpoint_older("a.b/c", 12, &error);
    assert_all(strcmp(older, "a.b/c-12") == 0);
    free(older);
}

/* A writer that was killed between its two steps leaves the newest file under two names. */
static void keeps_the_last_files_after_an_interruption(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    CheckpointMeta meta = make_meta(PREPROCESS_NONE);
    char found[64];
    Error error = {0};
    for (int i = 0; i < 3; i++) {
        char config[] = {(char)('a' + i), '\0'};
        meta.config = config;
        if (i == 2 && mt_rank == 0)
            assert_int_equal(unlink(scratch_path("c-1.h5")) | link(path, scratch_path("c-1.h5")), 0);
        MPI_Barrier(MPI_COMM_WORLD);
        assert_all(reluopt_checkpoint_write(&comm, path, 3, &meta, NULL, 0, &error) == RELUOPT_OK);
    }
    look_at_kept(path, 4, found, sizeof found);
    assert_all(strcmp(found, "c b b - ") == 0);
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
    (void)state;
    Error error = {0};
    assert_agreed(&error, write_small(scratch_path("missing/c.h5"), PREPROCESS_ZCA, &error), RELUOPT_STORAGE,
                  "No such file or directory");
    if (mt_rank == 0)
        scratch_folder_in("folder");
    assert_agreed(&error, write_small(scratch_path("folder"), PREPROCESS_ZCA, &error), RELUOPT_STORAGE,
                  "Is a directory");
    assert_all(!is_there(scratch_path("folder.tmp")));
}

static void a_failed_write_keeps_the_old_file(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    bool same = false;
    Error error = {0};
    assert_all(write_small(path, PREPROCESS_ZCA, &error) == RELUOPT_OK);
    if (mt_rank == 0)
        scratch_folder_in("c.h5.tmp");
    assert_agreed(&error, write_small(path, PREPROCESS_NONE, &error), RELUOPT_STORAGE, "Is a directory");
    assert_all(read_small(path, PREPROCESS_ZCA, &same, &error) == RELUOPT_OK && same);
}

/* A run under way writes a newer one between the two readings. */
static void arrays_belong_to_what_was_read_before(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    Array arrays[2];
    CheckpointMeta read, newer = make_meta(PREPROCESS_NONE);
    Error error = {0};
    assert_all(write_small(path, PREPROCESS_NONE, &error) == RELUOPT_OK);
    assert_all(reluopt_checkpoint_read_meta(&comm, path, &read, &error) == RELUOPT_OK);
    make_arrays(arrays, small, 2, EVEN);
    assert_all(reluopt_checkpoint_read_arrays(&comm, path, &read, arrays, 2, &error) == RELUOPT_OK);
    newer.at.steps++;
    assert_all(reluopt_checkpoint_write(&comm, path, 1, &newer, arrays, 2, &error) == RELUOPT_OK);
    assert_agreed(&error, reluopt_checkpoint_read_arrays(&comm, path, &read, arrays, 2, &error),
                  RELUOPT_STORAGE, "took its place");
    free_arrays(arrays, 2);
    reluopt_checkpoint_meta_free(&read);
}

/* In place of the library's.  What MPI syncs was opened for writing. */
static bool sync_fails;

int fsync(int fd)
{
    if (!sync_fails || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

/* A file that may not have got to the disk takes no other one's place. */
static void a_failed_sync_keeps_all_files(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    CheckpointMeta meta = make_meta(PREPROCESS_NONE);
    char found[64];
    Error error = {0};
    for (int i = 0; i < 4; i++) {
        char config[] = {(char)('a' + i), '\0'};
        meta.config = config;
        sync_fails = i == 3;
        int code = reluopt_checkpoint_write(&comm, path, 2, &meta, NULL, 0, &error);
        assert_all(i == 3 || code == RELUOPT_OK);
    }
    sync_fails = false;
    assert_agreed(&error, error.code, RELUOPT_STORAGE, "cannot sync");
    look_at_kept(path, 3, found, sizeof found);
    assert_all(strcmp(found, "c b - ") == 0);
}

/* A killed writer leaves its file aside, here larger than the next one. */
static void a_file_left_aside_is_replaced(void **state)
{
    (void)state;
    static char left[1 << 20];
    struct stat status;
    const char *path = scratch_path("c.h5");
    bool same = false;
    Error error = {0};
    if (mt_rank == 0)
        scratch_write("c.h5.tmp", left, sizeof left);
    assert_all(write_small(path, PREPROCESS_ZCA, &error) == RELUOPT_OK);
    assert_all(!is_there(scratch_path("c.h5.tmp")));
    assert_all(read_small(path, PREPROCESS_ZCA, &same, &error) == RELUOPT_OK && same);
    assert_all(stat(path, &status) == 0 && status.st_size < (off_t)sizeof left);
}

/* A limit on the size of files stands in for a full disk. */
static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    bool same = false;
    Error error = {0};
    struct rlimit old, tight;
    assert_all(write_small(path, PREPROCESS_ZCA, &error) == RELUOPT_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (rlim_t size = 512; size < 65536; size *= 16) {
        tight = (struct rlimit){size, old.rlim_max};
        if (mt_rank == 0)
            setrlimit(RLIMIT_FSIZE, &tight);
        int code = write_small(path, PREPROCESS_NONE, &error);
        if (mt_rank == 0)
            setrlimit(RLIMIT_FSIZE, &old);
        assert_agreed(&error, code, RELUOPT_STORAGE, "File too large");
    }
    assert_all(!is_there(scratch_path("c.h5.tmp")));
    assert_all(read_small(path, PREPROCESS_ZCA, &same, &error) == RELUOPT_OK && same);
}

static void one_rank_that_cannot_fails_all(void **state)
{
    (void)state;
    Array arrays[2];
    Error error = {0};
    char prefix[32] = "array W20";
    CheckpointMeta meta = make_meta(PREPROCESS_NONE);
    make_arrays(arrays, small, 2, EVEN);
    if (mt_rank == mt_size - 1)
        arrays[0].first = 4;
    if (mt_size > 1)
        snprintf(prefix, sizeof prefix, "rank %d: array W20", mt_size - 1);
    assert_agreed(&error, reluopt_checkpoint_write(&comm, scratch_path("c.h5"), 1, &meta, arrays, 2, &error),
                  RELUOPT_BUG, prefix);
    assert_all(!is_there(scratch_path("c.h5")) && !is_there(scratch_path("c.h5.tmp")));
    free_arrays(arrays, 2);
}

static void names_an_array_that_is_missing_or_has_another_shape(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    const Dims other[] = {{3, 5}, {1, 2}};
    Array arrays[2];
    Error error = {0};
    assert_all(write_small(path, PREPROCESS_NONE, &error) == RELUOPT_OK);
    make_arrays(arrays, other, 2, EVEN);
    assert_agreed(&error, reluopt_checkpoint_read_arrays(&comm, path, NULL, arrays, 2, &error), RELUOPT_STORAGE,
                  "/arrays/W20 is 3 x 4, not 3 x 5");
    free_arrays(arrays, 2);
    make_arrays(arrays, small, 2, EVEN);
    strcpy(arrays[1].name, "V9");
    assert_agreed(&error, reluopt_checkpoint_read_arrays(&comm, path, NULL, arrays, 2, &error), RELUOPT_STORAGE,
                  "/arrays/V9: object 'V9' doesn't exist");
    free_arrays(arrays, 2);
}
static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(reads_what_was_written_with_any_split, setup, teardown),
    cmocka_unit_test_setup_teardown(keeps_what_a_checkpoint_says_about_itself, setup, teardown),
    cmocka_unit_test_setup_teardown(keeps_empty_and_long_texts, setup, teardown),
    cmocka_unit_test_setup_teardown(lists_arrays_in_the_order_written, setup, teardown),
    cmocka_unit_test_setup_teardown(keeps_all_types_and_what_ranks_share, setup, teardown),
    cmocka_unit_test_setup_teardown(keeps_the_last_files, setup, teardown),
    cmocka_unit_test_setup_teardown(keeps_the_last_files_after_an_interruption, setup, teardown),
    cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing_behind, setup, teardown),
    cmocka_unit_test_setup_teardown(a_failed_write_keeps_the_old_file, setup, teardown),
    cmocka_unit_test_setup_teardown(a_failed_sync_keeps_all_files, setup, teardown),
    cmocka_unit_test_setup_teardown(arrays_belong_to_what_was_read_before, setup, teardown),
    cmocka_unit_test_setup_teardown(a_file_left_aside_is_replaced, setup, teardown),
    cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, setup, teardown),
    cmocka_unit_test_setup_teardown(one_rank_that_cannot_fails_all, setup, teardown),
    cmocka_unit_test_setup_teardown(names_an_array_that_is_missing_or_has_another_shape, setup, teardown),
};

mpi_cmocka_main("checkpoint", tests)
