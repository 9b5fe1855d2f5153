/* scratch.h - for tests of file readers: a temporary folder, small files in it, checks of the one error line.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "reluopt/error.h"

static char scratch_folder[64];

static inline int scratch_make(void **state)
{
    (void)state;
    strcpy(scratch_folder, "/tmp/reluopt-test-XXXXXX");
    return mkdtemp(scratch_folder) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static inline int scratch_remove(void **state)
{
    (void)state;
    return nftw(scratch_folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file in the folder; valid for the next 15 calls. */
static inline const char *scratch_path(const char *name)
{
    static char path[16][256];
    static size_t turn;
    char *p = path[turn++ % 16];
    snprintf(p, sizeof path[0], "%s/%s", scratch_folder, name);
    return p;
}

static inline const char *scratch_folder_in(const char *name)
{
    const char *path = scratch_path(name);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

static inline const char *scratch_write(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    return path;
}

static inline const char *scratch_text(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

static inline const char *scratch_gzip(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    gzFile out = gzopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(gzwrite(out, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(out), Z_OK);
    return path;
}

/* The file's bytes, at most `room` of them. */
static inline size_t scratch_read(const char *path, void *bytes, size_t room)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t size = fread(bytes, 1, room, in);
    fclose(in);
    return size;
}

/* `code` and the record are that of a failure whose one line holds the NULL-ended parts; the record is cleared.
 */
static inline void assert_failure(Error *error, int code, int expected, ...)
{
    va_list parts;
    if (code != expected || error->code != expected)
        fail_msg("code %d, noted %d, not %d: %s", code, error->code, expected, error->message);
    va_start(parts, expected);
    for (const char *part; (part = va_arg(parts, const char *));)
        if (!strstr(error->message, part))
            fail_msg("\"%s\" is not in: %s", part, error->message);
    va_end(parts);
    assert_null(strchr(error->message, '\n'));
    *error = (Error){0};
}

#endif
