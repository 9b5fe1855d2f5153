/* stream.c - the bytes of a file from front to back: plain, gzip (zlib), or a member of a zip archive (libzip).
 */
#include "reluopt/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

#include "reluopt/file.h"

enum { GZIP_BUFFER = 1 << 18, MAX_PACKING = 1032 }; /* deflate packs no better */

int reluopt_stream_open(Stream *stream, const char *path, Error *error)
{
    size_t size;
    *stream = (Stream){.size = SIZE_MAX};
    snprintf(stream->name, sizeof stream->name, "%s", path);
    if (reluopt_file_size(path, &size, error))
        return error->code;
    gzFile in = gzopen(path, "rb");
    if (!in)
        return reluopt_fail(error, RELUOPT_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    stream->file = in;
    gzbuffer(in, GZIP_BUFFER);
    if (gzdirect(in)) /* no gzip */
        stream->size = size;
    return RELUOPT_OK;
}

/* Find the member, and check that it can be as large as it claims. */
static int open_member(Stream *stream, const char *path, const char *member, size_t on_disk, Error *error)
{
    zip_t *archive = stream->archive;
    zip_stat_t about;
    if (zip_stat(archive, member, ZIP_FL_UNCHANGED, &about) != 0)
        return reluopt_fail(error, RELUOPT_DATA,
                            "%s: has no member %s: write it with numpy.savez(file, x=, y=)", path, member);
    if (!(about.valid & ZIP_STAT_SIZE) || !(about.valid & ZIP_STAT_COMP_SIZE) || about.comp_size > on_disk ||
        about.size / MAX_PACKING > about.comp_size)
        return reluopt_fail(error, RELUOPT_DATA, "%s: claims a size that it cannot have: get the file again",
                            stream->name);
    stream->size = about.size;
    stream->member = zip_fopen_index(archive, about.index, ZIP_FL_UNCHANGED);
    if (!stream->member)
        return reluopt_fail(error, RELUOPT_DATA, "%s: cannot be unpacked (%s): write it without encryption",
                            stream->name, zip_strerror(archive));
    return RELUOPT_OK;
}

int reluopt_stream_open_member(Stream *stream, const char *path, const char *member, Error *error)
{
    size_t size;
    int problem;
    *stream = (Stream){.size = SIZE_MAX};
    snprintf(stream->name, sizeof stream->name, "%s, %s", path, member);
    if (reluopt_file_size(path, &size, error))
        return error->code;
    stream->archive = zip_open(path, ZIP_RDONLY, &problem);
    if (stream->archive)
        return open_member(stream, path, member, size, error);
    zip_error_t reason;
    zip_error_init_with_code(&reason, problem);
    reluopt_fail(error, RELUOPT_DATA, "%s: no zip archive, or truncated (%s): get the file again", path,
                 zip_error_strerror(&reason));
    zip_error_fini(&reason);
    return error->code;
}

static size_t read_member(Stream *stream, void *bytes, size_t size, Error *error)
{
    zip_int64_t got = zip_fread(stream->member, bytes, size);
    if (got < 0)
        reluopt_fail(error, RELUOPT_DATA,
                     "%s: truncated or damaged after %zu unpacked bytes (%s): get the file "
                     "again",
                     stream->name, stream->at, zip_file_strerror(stream->member));
    return got > 0 ? (size_t)got : 0;
}

static size_t read_file(Stream *stream, void *bytes, size_t size, Error *error)
{
    int status, got = gzread(stream->file, bytes, size < INT_MAX ? (unsigned)size : INT_MAX);
    if (got > 0)
        return (size_t)got;
    const char *problem = gzerror(stream->file, &status);
    if (status == Z_ERRNO)
        reluopt_fail(error, RELUOPT_DATA, "%s: cannot be read at byte %zu: %s", stream->name, stream->at,
                     strerror(errno));
    else if (status != Z_OK && status != Z_STREAM_END)
        reluopt_fail(error, RELUOPT_DATA,
                     "%s: gzip data truncated or damaged after %zu unpacked bytes (%s): get the file again",
                     stream->name, stream->at, problem);
    return 0;
}

size_t reluopt_stream_read(Stream *stream, void *bytes, size_t size, Error *error)
{
    size_t total = 0, got = 1;
    while (total < size && got > 0) {
        char *to = (char *)bytes + total;
        got = stream->member ? read_member(stream, to, size - total, error)
                             : read_file(stream, to, size - total, error);
        total += got;
        stream->at += got;
    }
    return total;
}

void reluopt_stream_close(Stream *stream)
{
    if (stream->member)
        zip_fclose(stream->member);
    if (stream->archive)
        zip_discard(stream->archive);
    if (stream->file)
        gzclose(stream->file);
    stream->file = stream->archive = stream->member = NULL;
}
