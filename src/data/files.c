/* files.c - the file formats: from a list of paths to samples, all at once or some at a time. */
#include "files.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "reluopt/readers.h"
#include "reluopt/source.h"

/* Whether the path ends in one of the extensions, or in one of them and .gz. */
static bool has_extension(const char *path, const char *const *extensions)
{
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0)
        length -= 3;
    for (size_t i = 0; extensions[i]; i++) {
        size_t tail = strlen(extensions[i]);
        if (length > tail && strncasecmp(path + length - tail, extensions[i], tail) == 0)
            return true;
    }
    return false;
}

static int find_format(Files *files, const char *key, bool labels, Error *error)
{
    static const struct {
        Format format;
        const char *extension[4];
        size_t least, most;
    } formats[] = {
        {FORMAT_CSV, {".csv", ".data", ".txt"}, 1, 1},
        {FORMAT_HDF5, {".h5", ".hdf5"}, 1, 1},
        {FORMAT_CIFAR10, {".bin"}, 1, MAX_FILES},
        {FORMAT_LIBSVM, {".libsvm", ".svm"}, 1, 1},
        {FORMAT_NPZ, {".npz"}, 1, 1},
        {FORMAT_NPY, {".npy"}, 2, 2},
    };
    size_t least = 2, most = 2; /* IDX: images and labels */
    struct stat found;
    files->format = FORMAT_IDX;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (has_extension(files->path[0].text, formats[i].extension)) {
            files->format = formats[i].format;
            least = formats[i].least;
            most = formats[i].most;
        }
    if (files->count >= (labels ? least : 1) && files->count <= most)
        return RELUOPT_OK;
    return reluopt_fail(error, RELUOPT_USAGE,
                        "%s: %s %s: give one .csv, .data, .txt, .libsvm, .svm, .npz, .h5 or .hdf5 file, or "
                        "\"A,B\" for IDX or .npy "
                        "samples A and labels B, or a list of CIFAR-10 .bin files",
                        key, files->path[0].text,
                        files->count > most                      ? "needs fewer files after it"
                        : stat(files->path[0].text, &found) != 0 ? "is not there"
                        : S_ISDIR(found.st_mode)                 ? "is a folder"
                        : files->format == FORMAT_IDX            ? "is of no known format, or lacks its labels"
                                                                 : "lacks its labels");
}

int files_list(Files *files, const char *list, const char *key, bool labels, Error *error)
{
    *files = (Files){0};
    for (const char *start = list; start; files->count++) {
        size_t length = strcspn(start, ",");
        if (files->count == MAX_FILES || length == 0 || length >= PATH_MAX)
            return reluopt_fail(error, RELUOPT_USAGE,
                                "%s = %s: an empty path, or more than %d: correct the list", key, list,
                                MAX_FILES);
        memcpy(files->path[files->count].text, start, length);
        start = start[length] ? start + length + 1 : NULL;
    }
    return find_format(files, key, labels, error);
}

int files_read(const Files *files, const char *label, int header, Samples *samples, Schema *schema,
               Error *error)
{
    const char *path[MAX_FILES] = {NULL};
    for (size_t i = 0; i < files->count; i++)
        path[i] = files->path[i].text;
    switch (files->format) {
    case FORMAT_IDX:
        return reluopt_read_idx(path[0], path[1], samples, schema, error);
    case FORMAT_CIFAR10:
        return reluopt_read_cifar10(path, files->count, samples, schema, error);
    case FORMAT_CSV:
        return reluopt_read_csv(path[0], label, header, samples, schema, error);
    case FORMAT_HDF5:
        return reluopt_read_hdf5(path[0], samples, schema, error);
    case FORMAT_LIBSVM:
        return reluopt_read_libsvm(path[0], samples, schema, error);
    case FORMAT_NPY:
        return reluopt_read_npy(path[0], path[1], samples, schema, error);
    case FORMAT_NPZ:
        return reluopt_read_npz(path[0], samples, schema, error);
    }
    return reluopt_fail(error, RELUOPT_BUG, "file format %d", (int)files->format);
}

int reluopt_source_open(Source *source, const char *list, const Config *config, const Schema *schema,
                        Error *error)
{
    Files files;
    *source = (Source){0};
    if (files_list(&files, list, "input", false, error))
        return error->code;
    const char *path = files.path[0].text;
    switch (files.format) {
    case FORMAT_IDX:
        return reluopt_open_idx(source, path, schema, error);
    case FORMAT_CIFAR10:
        return files.count == 1
                   ? reluopt_open_cifar10(source, path, schema, error)
                   : reluopt_fail(error, RELUOPT_USAGE,
                                  "input %s: give CIFAR-10 files one by one, separated by blanks", list);
    case FORMAT_CSV:
        return reluopt_open_csv(source, path, config->data.label,
                                config->data.header > 1 ? -1 : config->data.header, schema, error);
    case FORMAT_HDF5:
        return reluopt_open_hdf5(source, path, schema, error);
    case FORMAT_LIBSVM:
        return reluopt_open_libsvm(source, path, schema, error);
    case FORMAT_NPY:
    case FORMAT_NPZ:
        return reluopt_open_npy(source, path, files.format == FORMAT_NPZ, schema, error);
    }
    return reluopt_fail(error, RELUOPT_BUG, "file format %d", (int)files.format);
}

int reluopt_source_read(Source *source, float *x, size_t room, size_t *count, Error *error)
{
    return source->read(source->state, x, room, count, error);
}

void reluopt_source_close(Source *source)
{
    if (source->state)
        source->close(source->state);
    *source = (Source){0};
}
