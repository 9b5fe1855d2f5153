/* catalogue.c - from a configuration to a data set: known sets, files, splits, generated sets. */
#include "reluopt/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "reluopt/memory.h"
#include "reluopt/random.h"

enum { MAX_FOLDERS = 4, GENERATED_TRAIN = 2000, GENERATED_TEST = 1000 };

static const char *const mnist_train[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", NULL};
static const char *const mnist_test[] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", NULL};
static const char *const cifar_train[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                          "data_batch_4.bin", "data_batch_5.bin", NULL};
static const char *const cifar_test[] = {"test_batch.bin", NULL};
static const char *const soybean_train[] = {"soybean-small.data", NULL};
static const char *const no_files[] = {NULL};

/* The known sets.  Folders are in data.dir, or absolute; the first that has the first file is taken.  Any file
 * may also end in .gz. */
static const struct Set {
    const char *name;
    Format format;
    const char *folder[MAX_FOLDERS + 1];
    const char *const *train, *const *test;
    int holdout; /* where data.holdout leaves it open */
    const char *source;
} sets[] = {
    {.name = "soybean",
     .format = FORMAT_CSV,
     .folder = {"soybean"},
     .train = soybean_train,
     .test = no_files,
     .holdout = 7,
     .source = "launch/get-data.sh soybean"},
    {.name = "mnist",
     .format = FORMAT_IDX,
     .folder = {"mnist"},
     .train = mnist_train,
     .test = mnist_test,
     .source = "launch/get-data.sh mnist"},
    {.name = "fashion-mnist",
     .format = FORMAT_IDX,
     .folder = {"fashion-mnist", "/usr/share/datasets/fashion-mnist"},
     .train = mnist_train,
     .test = mnist_test,
     .source = "apt-get install dataset-fashion-mnist, or launch/get-data.sh fashion-mnist"},
    {.name = "cifar-10",
     .format = FORMAT_CIFAR10,
     .folder = {"cifar10", "cifar-10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"},
     .train = cifar_train,
     .test = cifar_test,
     .source = "launch/get-data.sh cifar-10"},
};

enum { SETS = sizeof sets / sizeof *sets };

/* Looking for the files of a known set. */

static const char *data_folder(const Config *config)
{
    const char *variable = getenv("RELUOPT_DATA");
    if (config->data.dir[0])
        return config->data.dir;
    return variable && *variable ? variable : "data";
}

static Path join(const char *root, const char *folder, const char *file, const char *suffix)
{
    Path path;
    bool absolute = folder[0] == '/';
    int length = snprintf(path.text, sizeof path.text, "%s%s%s/%s%s", absolute ? "" : root, absolute ? "" : "/",
                          folder, file, suffix);
    if (length < 0 || (size_t)length >= sizeof path.text)
        path.text[0] = '\0'; /* no such file can exist */
    return path;
}

static bool find_file(const char *root, const char *folder, const char *file, Path *path)
{
    *path = join(root, folder, file, "");
    if (access(path->text, F_OK) == 0)
        return true;
    *path = join(root, folder, file, ".gz");
    return access(path->text, F_OK) == 0;
}

static int missing_set(const struct Set *set, const char *root, Error *error)
{
    char looked[512] = "";
    size_t used = 0;
    for (size_t i = 0; set->folder[i] && used < sizeof looked; i++) {
        bool absolute = set->folder[i][0] == '/';
        used += (size_t)snprintf(looked + used, sizeof looked - used, "%s%s%s%s", i ? ", " : "",
                                 absolute ? "" : root, absolute ? "" : "/", set->folder[i]);
    }
    return reluopt_fail(
        error, RELUOPT_DATA,
        "data set %s not found: looked for %s and %s.gz in %s; get it (%s) and put it there, or set "
        "RELUOPT_DATA or --data.dir to the folder that holds %s/",
        set->name, set->train[0], set->train[0], looked, set->source, set->folder[0]);
}

static int find_files(const struct Set *set, const char *root, const char *folder, const char *const *names,
                      Files *files, Error *error)
{
    *files = (Files){.format = set->format};
    for (size_t i = 0; names[i]; i++)
        if (!find_file(root, folder, names[i], &files->path[files->count++]))
            return reluopt_fail(
                error, RELUOPT_DATA,
                "data set %s is not complete: neither %s nor %s.gz in %s%s%s: get it there (%s)", set->name,
                names[i], names[i], folder[0] == '/' ? "" : root, folder[0] == '/' ? "" : "/", folder,
                set->source);
    return RELUOPT_OK;
}

static int find_set(const struct Set *set, const char *root, Files *train, Files *test, Error *error)
{
    Path path;
    for (size_t i = 0; set->folder[i]; i++)
        if (find_file(root, set->folder[i], set->train[0], &path)) {
            if (find_files(set, root, set->folder[i], set->train, train, error))
                return error->code;
            return find_files(set, root, set->folder[i], set->test, test, error);
        }
    return missing_set(set, root, error);
}

/* Files that the configuration names. */

static int named_files(const Config *config, Files *train, Files *test, Error *error)
{
    *test = (Files){0};
    if (files_list(train, config->data.train, "data.train", true, error))
        return error->code;
    return config->data.test[0] ? files_list(test, config->data.test, "data.test", true, error) : RELUOPT_OK;
}

/* Reading. */

/* Both parts from files; the test part stays empty where there is none. */
static int read_files(Dataset *data, const Files *train, const Files *test, const char *label, int header,
                      Error *error)
{
    if (files_read(train, label, header, &data->train, &data->schema, error) || test->count == 0)
        return error->code;
    return files_read(test, label, header, &data->test, &data->schema, error);
}

static int read_named_files(Dataset *data, const Config *config, Error *error)
{
    Files train = {0}, test = {0};
    if (named_files(config, &train, &test, error))
        return error->code;
    int header = config->data.header > 1 ? -1 : config->data.header; /* -1: the reader decides */
    return read_files(data, &train, &test, config->data.label, header, error);
}

static int read_set(Dataset *data, const struct Set *set, const Config *config, Error *error)
{
    Files train = {0}, test = {0};
    if (find_set(set, data_folder(config), &train, &test, error))
        return error->code;
    return read_files(data, &train, &test, "last", 0, error);
}

/* Splits. */

/* The first N samples of the training file. */
static int keep_first(Samples *train, int count, Error *error)
{
    if (count <= 0)
        return RELUOPT_OK;
    if ((size_t)count > train->count)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "data.train_samples = %d, but the training data has %zu samples: lower it", count,
                            train->count);
    train->count = (size_t)count;
    return RELUOPT_OK;
}

/* share[c] = how many of the held-out samples class c gives: total * size / count, rounded down, and one more
 * for those with the largest remainders (the lower class where they are equal). */
static void apportion(const size_t *size, size_t classes, size_t count, size_t total, size_t *share)
{
    size_t given = 0;
    for (size_t c = 0; c < classes; c++)
        given += share[c] = total * size[c] / count;
    while (given < total) {
        size_t best = classes;
        for (size_t c = 0; c < classes; c++) {
            bool raised = share[c] > total * size[c] / count;
            if (!raised && (best == classes || total * size[c] % count > total * size[best] % count))
                best = c;
        }
        share[best]++;
        given++;
    }
}

/* Draw `total` samples, class by class: held[i] is set for those drawn. */
static int draw(const Samples *train, size_t classes, size_t total, uint64_t seed, bool *held, Error *error)
{
    size_t *size = reluopt_alloc(classes, sizeof *size, error);
    size_t *share = reluopt_alloc(classes, sizeof *share, error);
    uint32_t *member = reluopt_alloc(train->count, sizeof *member, error);
    if (!error->code) {
        for (size_t i = 0; i < train->count; i++)
            size[train->y[i]]++;
        apportion(size, classes, train->count, total, share);
    }
    for (size_t c = 0; !error->code && c < classes; c++) {
        size_t members = 0;
        for (size_t i = 0; share[c] > 0 && i < train->count; i++)
            if (train->y[i] == (int)c)
                member[members++] = (uint32_t)i;
        Stream stream = reluopt_stream((RandomKey){.seed = seed, .use = RANDOM_SPLIT, .step = c});
        reluopt_shuffle(&stream, member, members);
        for (size_t i = 0; i < share[c]; i++)
            held[member[i]] = true;
    }
    free(member);
    free(share);
    free(size);
    return error->code;
}

/* Move the held samples to the test part; both keep their order. */
static void move_held(Samples *train, Samples *test, const bool *held)
{
    size_t n = train->features, kept = 0, moved = 0;
    for (size_t i = 0; i < train->count; i++) {
        Samples *to = held[i] ? test : train;
        size_t place = held[i] ? moved++ : kept++;
        memmove(to->x + place * n, train->x + i * n, n * sizeof *to->x);
        to->y[place] = train->y[i];
    }
    train->count = kept;
}

static int hold_out(Dataset *data, int holdout, uint64_t seed, Error *error)
{
    if (holdout <= 0)
        return RELUOPT_OK;
    size_t total = (size_t)holdout;
    if (data->test.count != 0)
        return reluopt_fail(
            error, RELUOPT_USAGE,
            "data.holdout = %d, but there is a test file: set data.holdout to 0 or leave out the test "
            "file",
            holdout);
    if (total >= data->train.count)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "data.holdout = %d leaves none of the %zu samples to train on: lower it", holdout,
                            data->train.count);
    bool *held = reluopt_alloc(data->train.count, sizeof *held, error);
    if (held && !draw(&data->train, data->schema.classes, total, seed, held, error) &&
        !reluopt_samples_alloc(&data->test, total, data->train.features, error))
        move_held(&data->train, &data->test, held);
    free(held);
    return error->code;
}

/* The data set. */

static const struct Set *known_set(const char *name)
{
    for (size_t i = 0; i < SETS; i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}

static int generate(Dataset *data, const Config *config, Error *error)
{
    const char *name = config->data.name;
    uint64_t seed = (uint64_t)config->seed;
    reluopt_generate(name, seed, 0, GENERATED_TRAIN, &data->train, error);
    if (config->data.holdout < 0 && !error->code)
        reluopt_generate(name, seed, 1, GENERATED_TEST, &data->test, error);
    return error->code ? error->code
                       : reluopt_schema_numbers(&data->schema, &data->train, 0, name, name, error);
}

int reluopt_dataset_known(const char *name, Error *error)
{
    if (known_set(name) || reluopt_is_generated(name) || strcmp(name, "file") == 0)
        return RELUOPT_OK;
    return reluopt_fail(error, RELUOPT_USAGE,
                        "data.name = %s: no such data set: use soybean, mnist, fashion-mnist, cifar-10, rings, "
                        "xor, rings-xor or file",
                        name);
}

static int load(Dataset *data, const Config *config, Error *error)
{
    const char *name = config->data.name;
    const struct Set *set = known_set(name);
    if (reluopt_dataset_known(name, error))
        return error->code;
    if (strcmp(name, "file") == 0)
        read_named_files(data, config, error);
    else if (set)
        read_set(data, set, config, error);
    else
        generate(data, config, error);
    if (error->code || keep_first(&data->train, config->data.train_samples, error))
        return error->code;
    int holdout = config->data.holdout < 0 && set ? set->holdout : config->data.holdout;
    return hold_out(data, holdout, (uint64_t)config->seed, error);
}

/* Training data that leave nothing to tell apart. */
static int one_class(const Dataset *data, const Config *config, Error *error)
{
    if (data->schema.classes != 1)
        return RELUOPT_OK;
    return reluopt_fail(error, RELUOPT_DATA,
                        "%s: all samples are of class %.64s: check the labels, or data.label of a CSV file",
                        config->data.train[0] ? config->data.train : config->data.name,
                        data->schema.class_name[0]);
}

int reluopt_dataset_load(Dataset *data, const Config *config, const Schema *schema, Error *error)
{
    *data = (Dataset){0};
    if ((schema && reluopt_schema_copy(&data->schema, schema, error)) || load(data, config, error) ||
        (!schema && one_class(data, config, error)))
        reluopt_dataset_free(data);
    return error->code;
}
