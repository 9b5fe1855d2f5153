/* fuzz.c - the table of targets, and what they share. */
#include "fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    FuzzTarget *target;
} targets[] = {
    {"idx", fuzz_idx},       {"cifar10", fuzz_cifar10},
    {"csv", fuzz_csv},       {"libsvm", fuzz_libsvm},
    {"npy", fuzz_npy},       {"npz", fuzz_npz},
    {"hdf5", fuzz_hdf5},     {"yaml", fuzz_yaml},
    {"schema", fuzz_schema}, {"checkpoint", fuzz_checkpoint},
    {"curves", fuzz_curves},
};

FuzzTarget *fuzz_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i].name, name) == 0)
            return targets[i].target;
    return NULL;
}

static char folder[32];

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        perror(folder);
}

static void make_folder(void)
{
    strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz-XXXXXX" : "/tmp/fuzz-XXXXXX");
    fuzz_expect(mkdtemp(folder) && atexit(remove_folder) == 0);
}

const char *fuzz_file(const char *name, const void *bytes, size_t size)
{
    static char path[8][PATH_MAX];
    static size_t turn;
    char *p = path[turn++ % 8];
    if (!*folder)
        make_folder();
    snprintf(p, PATH_MAX, "%s/%s", folder, name);
    FILE *out = fopen(p, "wb");
    fuzz_expect(out && fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
    return p;
}

void fuzz_expect_at(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

void fuzz_expect_failure(const Error *error, int code, int documented)
{
    if (error->code != documented)
        fprintf(stderr, "code %d: %s\n", error->code, error->message);
    fuzz_expect(code == documented && error->code == documented);
    fuzz_expect(*error->message != '\0' && !strchr(error->message, '\n'));
}

/* In place of zlib's: buffers stay small, else most of the time would go into memory for them. */

int gzbuffer(void *file, unsigned size);

int gzbuffer(void *file, unsigned size)
{
    (void)file, (void)size;
    return 0;
}

/* What libFuzzer calls; $RELUOPT_FUZZ: which target. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static FuzzTarget *target;
    target = target ? target : fuzz_find(getenv("RELUOPT_FUZZ"));
    fuzz_expect(target);
    target(bytes, size);
    return 0;
}
