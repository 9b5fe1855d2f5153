/* disk.c - files put in place by plain system calls. */
#include "reluopt/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reluopt/memory.h"
#include "reluopt/tally.h"

static int fail_errno(const char *path, const char *what, Error *error)
{
    return reluopt_fail(error, RELUOPT_STORAGE, "%s: %s: %s", path, what, strerror(errno));
}

char *reluopt_storage_aside(const char *path, Error *error)
{
    size_t room = strlen(path) + sizeof ".tmp";
    char *aside = reluopt_alloc(room, 1, error);
    if (aside)
        snprintf(aside, room, "%s.tmp", path);
    return aside;
}

static bool write_all(int fd, Image image)
{
    for (size_t done = 0; done < image.size;) {
        ssize_t n = write(fd, (const char *)image.bytes + done, image.size - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool reserve_room(int fd, size_t from, size_t room)
{
    if (room == 0)
        return true;
    do
        errno = posix_fallocate(fd, (off_t)from, (off_t)room);
    while (errno == EINTR);
    return errno == 0;
}

void reluopt_storage_write(const char *path, Image image, size_t reserve, Error *error)
{
    if (error->code)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        fail_errno(path, "cannot create", error);
        return;
    }
    if (!write_all(fd, image))
        fail_errno(path, "cannot write", error);
    else if (!reserve_room(fd, image.size, reserve))
        fail_errno(path, "cannot reserve disk space", error);
    if (close(fd) != 0)
        fail_errno(path, "cannot write", error);
}

static void sync_folder(const char *path, Error *error)
{
    char *copy = reluopt_copy_text(path, error);
    if (!copy)
        return;
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) /* EINVAL: this file system has no such thing */
        fail_errno(folder, "cannot sync", error);
    if (fd >= 0)
        close(fd);
    free(copy);
}

void reluopt_storage_sync(const char *path, Error *error)
{
    if (error->code)
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        fail_errno(path, "cannot sync", error);
    if (fd >= 0 && close(fd) != 0)
        fail_errno(path, "cannot sync", error);
}

void reluopt_storage_publish(const char *aside, const char *path, Error *error)
{
    reluopt_storage_sync(aside, error);
    if (error->code)
        return;
    if (rename(aside, path) != 0)
        fail_errno(path, "cannot replace", error);
    else
        sync_folder(path, error);
}

void reluopt_storage_replace(const char *path, Image image, Error *error)
{
    char *aside = error->code ? NULL : reluopt_storage_aside(path, error);
    if (!aside)
        return;
    Phase before = reluopt_phase_enter(PHASE_CHECKPOINT);
    reluopt_storage_write(aside, image, 0, error);
    reluopt_storage_publish(aside, path, error);
    if (error->code)
        unlink(aside);
    free(aside);
    reluopt_phase_leave(before);
}
