/* test_catalogue.c - known sets, named files, splits, generated sets, and the messages where something is
 * missing. The real sets are looked for as the program does: $RELUOPT_DATA, else data; tests of absent ones are
 * skipped. */
#include "scratch.h"

#include <math.h>
#include <unistd.h>

#include "reluopt/catalogue.h"

static Error error;
static Dataset data;

static Config configure(const char *name)
{
    Config config = {.seed = 1, .data = {.label = "last", .header = 2, .holdout = -1}};
    snprintf(config.data.name, sizeof config.data.name, "%s", name);
    return config;
}

static Config configure_files(const char *train, const char *test)
{
    Config config = configure("file");
    snprintf(config.data.train, sizeof config.data.train, "%s", train);
    snprintf(config.data.test, sizeof config.data.test, "%s", test);
    return config;
}

static int load(const Config *config)
{
    return reluopt_dataset_load(&data, config, NULL, &error);
}

static void load_good(const Config *config)
{
    if (load(config) != RELUOPT_OK)
        fail_msg("%s", error.message);
}

static void check_counts(size_t train, size_t test, size_t features, size_t classes)
{
    assert_int_equal(data.train.count, train);
    assert_int_equal(data.test.count, test);
    assert_int_equal(data.train.features, features);
    assert_int_equal(data.schema.features, features);
    assert_int_equal(data.schema.classes, classes);
}

static void check_nothing_left(void)
{
    assert_null(data.train.x);
    assert_null(data.test.x);
    assert_int_equal(data.schema.classes, 0);
}

static size_t members(const Samples *samples, int class)
{
    size_t count = 0;
    for (size_t i = 0; i < samples->count; i++)
        count += samples->y[i] == class;
    return count;
}

/* A CSV file of `count` samples: x = 1, 2, ..., classes by turns weighted 5 : 3 : 2. */
static const char *numbered_csv(size_t count)
{
    const char *path = scratch_path("numbered.csv");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%zu,%c\n", i + 1, "aaaaabbbcc"[i % 10]);
    fclose(out);
    return path;
}

/* IDX files of `count` images of 2 pixels and labels 0 1 0 1 ... */
static void write_idx(const char *images, const char *labels, unsigned char count, bool packed)
{
    unsigned char x[12 + 2 * 255] = {0, 0, 8, 2, 0, 0, 0, count, 0, 0, 0, 2};
    unsigned char y[8 + 255] = {0, 0, 8, 1, 0, 0, 0, count};
    for (size_t i = 0; i < count; i++) {
        x[12 + 2 * i] = (unsigned char)i;
        y[8 + i] = i % 2;
    }
    const char *(*write)(const char *, const void *, size_t) = packed ? scratch_gzip : scratch_write;
    write(images, x, 12 + 2u * count);
    write(labels, y, 8u + count);
}

/* Files of named paths. */

static void test_csv_with_test_file(void **state)
{
    (void)state;
    const char *test = scratch_text("t.csv", "7,c\n8,a\n");
    Config config = configure_files(numbered_csv(20), test);
    load_good(&config);
    check_counts(20, 2, 1, 3);
    assert_float_equal(data.train.x[19], 20, 0);
    assert_float_equal(data.test.x[0], 7, 0);
    assert_int_equal(data.test.y[0], 2);
    reluopt_dataset_free(&data);

    config.data.holdout = 0;
    load_good(&config);
    check_counts(20, 2, 1, 3);
    reluopt_dataset_free(&data);

    config.data.holdout = 5;
    assert_failure(&error, load(&config), RELUOPT_USAGE, "data.holdout = 5", "test file", NULL);
    check_nothing_left();
}

static void test_csv_without_test_file(void **state)
{
    (void)state;
    Config config = configure_files(numbered_csv(20), "");
    load_good(&config);
    check_counts(20, 0, 1, 3);
    assert_null(data.test.x);
    reluopt_dataset_free(&data);
}

static void test_csv_options(void **state)
{
    (void)state;
    Config config = configure_files(scratch_text("h.csv", "kind,x\nb,p\na,q\n"), "");
    strcpy(config.data.label, "kind");
    config.data.header = 1;
    load_good(&config);
    check_counts(2, 0, 2, 2);
    assert_int_equal(data.train.y[0], 1);
    reluopt_dataset_free(&data);
    strcpy(config.data.label, "first");
    config.data.header = 0;
    load_good(&config);
    check_counts(3, 0, 3, 3);
    reluopt_dataset_free(&data);
}

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        const char *train;
        int code;
        const char *problem;
    } cases[] = {
        {"absent.csv", RELUOPT_DATA, "absent.csv: No such file"},
        {"absent.csv.gz", RELUOPT_DATA, "absent.csv.gz: No such file"},
        {"absent.data", RELUOPT_DATA, "absent.data: No such file"},
        {"absent.txt", RELUOPT_DATA, "absent.txt: No such file"},
        {"absent.h5", RELUOPT_DATA, "absent.h5: No such file"},
        {"absent.hdf5", RELUOPT_DATA, "absent.hdf5: No such file"},
        {"absent.bin", RELUOPT_DATA, "absent.bin: No such file"},
        {"absent-images,labels", RELUOPT_DATA, "absent-images: No such file"},
        {"images", RELUOPT_USAGE, "data.train: images is not there"},
        {"a.csv,b.csv", RELUOPT_USAGE, "a.csv needs fewer files after it"},
        {"a,b,c", RELUOPT_USAGE, "a needs fewer files after it"},
        {"a,,c", RELUOPT_USAGE, "an empty path"},
        {"a.bin,", RELUOPT_USAGE, "an empty path"},
        {"1.bin,2.bin,3.bin,4.bin,5.bin,6.bin,7.bin,8.bin,9.bin", RELUOPT_USAGE, "more than 8"},
        {"", RELUOPT_USAGE, "an empty path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Config config = configure_files(cases[i].train, "");
        assert_failure(&error, load(&config), cases[i].code, cases[i].problem, NULL);
        check_nothing_left();
    }
}

static void test_idx_files(void **state)
{
    (void)state;
    write_idx("x", "y", 10, false);
    write_idx("tx.gz", "ty.gz", 4, true);
    char train[1024], test[1024];
    snprintf(train, sizeof train, "%s,%s", scratch_path("x"), scratch_path("y"));
    snprintf(test, sizeof test, "%s,%s", scratch_path("tx.gz"), scratch_path("ty.gz"));
    Config config = configure_files(train, test);
    load_good(&config);
    check_counts(10, 4, 2, 2);
    reluopt_dataset_free(&data);
}

static void test_cifar_files(void **state)
{
    (void)state;
    unsigned char record[2 * 3073] = {3};
    char train[1024];
    record[3073] = 9;
    snprintf(train, sizeof train, "%s,%s", scratch_write("1.bin", record, 3073),
             scratch_write("2.bin", record, sizeof record));
    Config config = configure_files(train, scratch_path("1.bin"));
    load_good(&config);
    check_counts(3, 1, 3072, 10);
    assert_int_equal(data.train.y[2], 9);
    reluopt_dataset_free(&data);
}

/* Splits. */

static void test_first_samples(void **state)
{
    (void)state;
    Config config = configure_files(numbered_csv(20), "");
    config.data.train_samples = 12;
    load_good(&config);
    check_counts(12, 0, 1, 3);
    assert_float_equal(data.train.x[11], 12, 0);
    reluopt_dataset_free(&data);
    config.data.train_samples = 20;
    load_good(&config);
    check_counts(20, 0, 1, 3);
    reluopt_dataset_free(&data);
    config.data.train_samples = 21;
    assert_failure(&error, load(&config), RELUOPT_USAGE, "data.train_samples = 21", "has 20 samples", NULL);
    check_nothing_left();
}

/* Shares by largest remainder: 7 of 100 at 50 : 30 : 20 is 3.5, 2.1, 1.4 - so 4, 2, 1. */
static void test_stratified(void **state)
{
    (void)state;
    Config config = configure_files(numbered_csv(100), "");
    config.data.holdout = 7;
    load_good(&config);
    check_counts(93, 7, 1, 3);
    assert_int_equal(members(&data.test, 0), 4);
    assert_int_equal(members(&data.test, 1), 2);
    assert_int_equal(members(&data.test, 2), 1);
    int seen[101] = {0};
    for (size_t part = 0; part < 2; part++) { /* each sample once, with its label, in the file's order */
        const Samples *samples = part ? &data.test : &data.train;
        for (size_t i = 0; i < samples->count; i++) {
            int number = (int)samples->x[i];
            seen[number]++;
            assert_int_equal(samples->y[i], "aaaaabbbcc"[(number - 1) % 10] - 'a');
            assert_true(i == 0 || samples->x[i] > samples->x[i - 1]);
        }
    }
    for (int number = 1; number <= 100; number++)
        assert_int_equal(seen[number], 1);
    reluopt_dataset_free(&data);
}

/* Equal remainders go to the lower class. */
static void test_equal_remainders(void **state)
{
    (void)state;
    Config config = configure_files(scratch_text("even.csv", "1,a\n2,a\n3,b\n4,b\n5,c\n6,c\n"), "");
    config.data.holdout = 2;
    load_good(&config);
    assert_int_equal(members(&data.test, 0), 1);
    assert_int_equal(members(&data.test, 1), 1);
    assert_int_equal(members(&data.test, 2), 0);
    reluopt_dataset_free(&data);
}

static void test_split_seed(void **state)
{
    (void)state;
    Config config = configure_files(numbered_csv(100), "");
    float first[20];
    config.data.holdout = 20;
    load_good(&config);
    memcpy(first, data.test.x, sizeof first);
    reluopt_dataset_free(&data);
    load_good(&config);
    assert_memory_equal(first, data.test.x, sizeof first);
    reluopt_dataset_free(&data);
    config.seed = 2;
    load_good(&config);
    assert_memory_not_equal(first, data.test.x, sizeof first);
    reluopt_dataset_free(&data);
}

static void test_holdout_too_large(void **state)
{
    (void)state;
    Config config = configure_files(numbered_csv(20), "");
    config.data.holdout = 20;
    assert_failure(&error, load(&config), RELUOPT_USAGE, "data.holdout = 20", "none of the 20", NULL);
    check_nothing_left();
    config.data.holdout = 19;
    load_good(&config);
    check_counts(1, 19, 1, 3);
    reluopt_dataset_free(&data);
    config.data.train_samples = 10;
    config.data.holdout = 10;
    assert_failure(&error, load(&config), RELUOPT_USAGE, "none of the 10", NULL);
}

/* Known sets, from small files under their names. */

static void test_known_idx(void **state)
{
    (void)state;
    Config config = configure("mnist");
    strcpy(config.data.dir, scratch_path("root"));
    mkdir(scratch_path("root"), 0700);
    assert_failure(&error, load(&config), RELUOPT_DATA, "data set mnist not found", scratch_path("root/mnist"),
                   "train-images-idx3-ubyte", "RELUOPT_DATA", "--data.dir", NULL);
    check_nothing_left();
    mkdir(scratch_path("root/mnist"), 0700);
    write_idx("root/mnist/train-images-idx3-ubyte", "root/mnist/train-labels-idx1-ubyte", 10, false);
    assert_failure(&error, load(&config), RELUOPT_DATA, "mnist is not complete", "t10k-images-idx3-ubyte",
                   scratch_path("root/mnist"), NULL);
    check_nothing_left();
    write_idx("root/mnist/t10k-images-idx3-ubyte.gz", "root/mnist/t10k-labels-idx1-ubyte.gz", 4, true);
    load_good(&config);
    check_counts(10, 4, 2, 2);
    reluopt_dataset_free(&data);
    config.data.holdout = 3;
    assert_failure(&error, load(&config), RELUOPT_USAGE, "data.holdout = 3", "test file", NULL);
}

static void test_known_cifar(void **state)
{
    (void)state;
    Config config = configure("cifar-10");
    unsigned char record[3073] = {0};
    strcpy(config.data.dir, scratch_folder_in("c"));
    assert_failure(&error, load(&config), RELUOPT_DATA, "cifar-10 not found", "c/cifar10,", "c/cifar-10,",
                   "c/cifar-10-batches-bin,", "c/cifar10/cifar-10-batches-bin", NULL);
    scratch_folder_in("c/cifar-10-batches-bin");
    const char *names[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
    for (size_t i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "c/cifar-10-batches-bin/%s", names[i]);
        record[0] = (unsigned char)i;
        scratch_write(name, record, sizeof record);
    }
    load_good(&config);
    check_counts(5, 1, 3072, 10);
    assert_int_equal(data.train.y[4], 4);
    assert_int_equal(data.test.y[0], 5);
    reluopt_dataset_free(&data);
}

static void test_where_it_looks(void **state)
{
    (void)state;
    const char *variable = getenv("RELUOPT_DATA");
    char *saved = variable ? strdup(variable) : NULL;
    Config config = configure("soybean");
    setenv("RELUOPT_DATA", "/nowhere/else", 1);
    assert_failure(&error, load(&config), RELUOPT_DATA, "/nowhere/else/soybean;", "soybean-small.data.gz",
                   "launch/get-data.sh soybean", NULL);
    strcpy(config.data.dir, "/nowhere/given"); /* the configuration comes first */
    assert_failure(&error, load(&config), RELUOPT_DATA, "/nowhere/given/soybean;", NULL);
    config.data.dir[0] = '\0';
    setenv("RELUOPT_DATA", "", 1);
    if (access("data/soybean", F_OK) != 0)
        assert_failure(&error, load(&config), RELUOPT_DATA, " in data/soybean;", NULL);
    if (saved)
        setenv("RELUOPT_DATA", saved, 1);
    else
        unsetenv("RELUOPT_DATA");
    free(saved);
}

static void test_fashion_message(void **state)
{
    (void)state;
    if (access("/usr/share/datasets/fashion-mnist", F_OK) == 0) {
        print_message("skipped: Fashion-MNIST is installed, so it is not missing\n");
        skip();
    }
    Config config = configure("fashion-mnist");
    strcpy(config.data.dir, scratch_folder);
    assert_failure(&error, load(&config), RELUOPT_DATA, "/usr/share/datasets/fashion-mnist",
                   "apt-get install dataset-fashion-mnist", NULL);
}

static void test_names(void **state)
{
    (void)state;
    Config config = configure("irises");
    assert_failure(&error, load(&config), RELUOPT_USAGE, "data.name = irises", "use soybean", NULL);
    check_nothing_left();
}

static void test_checkpoint_schema(void **state)
{
    (void)state;
    Config config = configure_files(numbered_csv(20), "");
    load_good(&config);
    Schema schema = data.schema;
    data.schema = (Schema){0};
    reluopt_dataset_free(&data);

    config = configure_files(scratch_text("two.csv", "5,c\n6,b\n"), "");
    assert_int_equal(reluopt_dataset_load(&data, &config, &schema, &error), RELUOPT_OK);
    check_counts(2, 0, 1, 3); /* classes are those of the schema */
    assert_int_equal(data.train.y[0], 2);
    assert_ptr_not_equal(data.schema.class_name, schema.class_name);
    reluopt_dataset_free(&data);

    config = configure_files(scratch_text("other.csv", "5,d\n6,b\n"), "");
    assert_failure(&error, reluopt_dataset_load(&data, &config, &schema, &error), RELUOPT_DATA,
                   "other.csv, line 1", "label \"d\"", NULL);
    check_nothing_left();
    config = configure("rings");
    assert_failure(&error, reluopt_dataset_load(&data, &config, &schema, &error), RELUOPT_DATA, "rings", NULL);
    check_nothing_left();
    reluopt_schema_free(&schema);
}

/* Generated sets. */

static void test_generated(void **state)
{
    (void)state;
    const char *names[] = {"rings", "xor", "rings-xor"};
    for (size_t s = 0; s < 3; s++) {
        Config config = configure(names[s]);
        load_good(&config);
        check_counts(2000, 1000, 2, 2);
        assert_int_equal(members(&data.train, 0), 1000);
        assert_int_equal(members(&data.test, 1), 500);
        for (size_t i = 0; i < 4000; i++)
            assert_true(fabsf(data.train.x[i]) < 1.1f);
        assert_memory_not_equal(data.train.x, data.test.x, 1000 * sizeof(float));
        Samples train = data.train;
        data.train = (Samples){0};
        reluopt_dataset_free(&data);

        load_good(&config); /* a function of the seed */
        assert_memory_equal(train.x, data.train.x, 4000 * sizeof(float));
        reluopt_dataset_free(&data);
        config.seed = 2;
        config.data.holdout = 0;
        load_good(&config);
        check_counts(2000, 0, 2, 2);
        assert_memory_not_equal(train.x, data.train.x, 4000 * sizeof(float));
        reluopt_dataset_free(&data);
        reluopt_samples_free(&train);
    }
    Config config = configure("xor");
    config.data.train_samples = 500;
    config.data.holdout = 100;
    load_good(&config);
    check_counts(400, 100, 2, 2);
    assert_int_equal(members(&data.test, 0), 50);
    reluopt_dataset_free(&data);
}

static bool ring_class(float x, float y)
{
    return hypotf(x, y) > .55f;
}

static bool xor_class(float x, float y)
{
    return (x > 0) != (y > 0);
}

/* The classes are where the shapes say, with a gap between them. */
static void test_shapes(void **state)
{
    (void)state;
    Samples s;
    assert_true(reluopt_generate("rings", 3, 0, 2000, &s, &error));
    for (size_t i = 0; i < 2000; i++) {
        float radius = hypotf(s.x[2 * i], s.x[2 * i + 1]);
        assert_true(s.y[i] ? radius > .58f && radius < 1.02f : radius > .08f && radius < .52f);
    }
    reluopt_samples_free(&s);
    assert_true(reluopt_generate("xor", 3, 0, 2000, &s, &error));
    for (size_t i = 0; i < 2000; i++)
        assert_int_equal(s.y[i], xor_class(s.x[2 * i], s.x[2 * i + 1]));
    reluopt_samples_free(&s);
    assert_true(reluopt_generate("rings-xor", 3, 0, 2000, &s, &error));
    size_t left = 0;
    for (size_t i = 0; i < 2000; i++) {
        float x = s.x[2 * i], y = s.x[2 * i + 1];
        assert_int_equal(s.y[i], x < 0 ? ring_class(2 * x + 1, 2 * y) : xor_class(2 * x - 1, 2 * y));
        left += x < 0;
    }
    assert_int_equal(left, 1000);
    reluopt_samples_free(&s);
    assert_false(reluopt_generate("spiral", 3, 0, 2000, &s, &error));
    assert_int_equal(error.code, RELUOPT_OK);
}

/* The real sets. */

static void load_or_skip(const Config *config)
{
    if (load(config) == RELUOPT_DATA && strstr(error.message, "not found")) {
        print_message("skipped: %s\n", error.message);
        error = (Error){0};
        skip();
    }
    if (error.code)
        fail_msg("%s", error.message);
}

static void test_soybean(void **state)
{
    (void)state;
    Config config = configure("soybean");
    load_or_skip(&config);
    check_counts(40, 7, 35, 4);
    assert_int_equal(data.schema.columns, 35);
    assert_string_equal(data.schema.class_name[3], "D4");
    const size_t held[] = {2, 1, 1, 3}, all[] = {10, 10, 10, 17};
    for (int c = 0; c < 4; c++) {
        assert_int_equal(members(&data.test, c), held[c]);
        assert_int_equal(members(&data.train, c), all[c] - held[c]);
    }
    reluopt_dataset_free(&data);
    config.data.holdout = 0;
    load_good(&config);
    check_counts(47, 0, 35, 4);
    assert_float_equal(data.train.x[0], 4, 0);
    assert_float_equal(data.train.x[2], 2, 0);
    reluopt_dataset_free(&data);
}

static void check_mnist_family(const char *name)
{
    Config config = configure(name);
    config.data.train_samples = 50000;
    load_or_skip(&config);
    check_counts(50000, 10000, 784, 10);
    for (int c = 0; c < 10; c++)
        assert_in_range(members(&data.train, c), 4000, 6000);
    reluopt_dataset_free(&data);
}

static void test_mnist(void **state)
{
    (void)state;
    check_mnist_family("mnist");
}

static void test_fashion_mnist(void **state)
{
    (void)state;
    check_mnist_family("fashion-mnist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_with_test_file),
        cmocka_unit_test(test_csv_without_test_file),
        cmocka_unit_test(test_csv_options),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_idx_files),
        cmocka_unit_test(test_cifar_files),
        cmocka_unit_test(test_first_samples),
        cmocka_unit_test(test_stratified),
        cmocka_unit_test(test_equal_remainders),
        cmocka_unit_test(test_split_seed),
        cmocka_unit_test(test_holdout_too_large),
        cmocka_unit_test(test_known_idx),
        cmocka_unit_test(test_known_cifar),
        cmocka_unit_test(test_where_it_looks),
        cmocka_unit_test(test_fashion_message),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_checkpoint_schema),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_soybean),
        cmocka_unit_test(test_mnist),
        cmocka_unit_test(test_fashion_mnist),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
