/* folder.c - the folder of a run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "reluopt/disk.h"

void run_path(const Run *run, const char *name, char path[RELUOPT_RUN_PATH])
{
    snprintf(path, RELUOPT_RUN_PATH, "%s/%s", run->folder, name);
}

const char *reluopt_run_quote(const Run *run)
{
    return strpbrk(run->folder, " \t\"$&();<>|*?") ? "'" : "";
}

/* mkdir -p */
static int make_folder(const char *folder, Error *error)
{
    char path[RELUOPT_TEXT];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        char *end = strchr(slash + 1, '/');
        if (end)
            *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return reluopt_fail(error, RELUOPT_STORAGE, "cannot create the folder %s: %s", path,
                                strerror(errno));
        if (!end)
            break;
        *end = '/';
    }
    return RELUOPT_OK;
}

/* One process trains a run at a time.  The lock goes with the process, however that ends; file systems that
 * have none are trusted. */
static int lock_folder(Run *run, Error *error)
{
    run->lock = open(run->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->lock < 0)
        return reluopt_fail(error, RELUOPT_STORAGE, "cannot open the folder %s: %s%s", run->folder,
                            strerror(errno), errno == ENOTDIR ? ": name the folder of the run" : "");
    if (flock(run->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        reluopt_fail(error, RELUOPT_USAGE, "%s: another process is training this run", run->folder);
    return error->code;
}

int reluopt_run_lock(Run *run, Error *error)
{
    if (run->comm->rank == 0 && !error->code && access(run->folder, F_OK) == 0)
        lock_folder(run, error);
    return reluopt_comm_agree(run->comm, error);
}

/* Rank 0. */
static int enter_folder(Run *run, Error *error)
{
    char path[RELUOPT_RUN_PATH], checkpoint[RELUOPT_RUN_PATH];
    run_path(run, "config.yaml", path);
    run_path(run, "checkpoint.h5", checkpoint);
    if (!run->resumes && access(path, F_OK) == 0)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "%s holds a run already%s: %s, choose another --out, or move it away", run->folder,
                            access(checkpoint, F_OK) == 0 ? "" : ", without a checkpoint",
                            access(checkpoint, F_OK) == 0 ? "train --resume it" : "remove it");
    if (make_folder(run->folder, error) || (run->lock == 0 && lock_folder(run, error)))
        return error->code;
    char *text = reluopt_config_text(&run->config, true, error);
    if (text)
        reluopt_storage_replace(path, (Image){text, strlen(text)}, error);
    free(text);
    return error->code;
}

int reluopt_run_folder(Run *run, Error *error)
{
    if (run->comm->rank == 0)
        enter_folder(run, error);
    reluopt_comm_share(run->comm, run->folder, sizeof run->folder);
    return reluopt_comm_agree(run->comm, error);
}
