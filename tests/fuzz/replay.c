/* replay.c - run each target over the inputs that are kept for it: seeds/TARGET/.  No libFuzzer is needed.
 *
 * usage: replay SEEDS-FOLDER */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { LARGEST = 1 << 20 };

static void replay_file(FuzzTarget *target, const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *bytes = malloc(LARGEST);
    size_t size = in && bytes ? fread(bytes, 1, LARGEST, in) : 0;
    fuzz_expect(in && size < LARGEST && fclose(in) == 0);
    fprintf(stderr, "%s\n", path); /* the last one is that which fails */
    target(bytes, size);
    free(bytes);
}

static int replay_folder(const char *seeds, const char *name)
{
    char path[2048];
    struct dirent *entry;
    int count = 0;
    FuzzTarget *target = fuzz_find(name);
    snprintf(path, sizeof path, "%s/%s", seeds, name);
    DIR *folder = opendir(path);
    fuzz_expect(target && folder);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", seeds, name, entry->d_name);
        replay_file(target, path);
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    struct dirent *entry;
    int count = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    fuzz_expect(folder);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            count += replay_folder(argv[1], entry->d_name);
    closedir(folder);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
