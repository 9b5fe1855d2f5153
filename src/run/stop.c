/* stop.c - requests to end a run early: signals, a file in the run folder, the clock. */
#include "reluopt/stop.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

static const double patience = 1; /* seconds between two looks for the file */

static volatile sig_atomic_t noted; /* the last signal; 0: none */
static double start;                /* of the process */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void note(int signal)
{
    noted = signal;
}

void reluopt_stop_listen(void)
{
    const int signals[] = {SIGUSR1, SIGTERM, SIGINT};
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    start = now();
}

/* Would another step and a checkpoint after it end too late?  A checkpoint may take twice as long as the last
 * one; before the first, a tenth of the whole time is kept for it, up to half a minute. */
static bool time_is_up(const Run *run)
{
    double limit = 60 * run->config.max_time;
    double save = run->save_seconds > 0 ? 2 * run->save_seconds : fmin(limit / 10, 30);
    return limit > 0 && now() - start + run->longest_step + save >= limit;
}

static bool file_is_there(const Run *run)
{
    static double looked;
    static bool found;
    char path[RELUOPT_RUN_PATH];
    if (!found && now() - looked >= patience) {
        run_path(run, "stop", path);
        found = access(path, F_OK) == 0;
        looked = now();
    }
    return found;
}

StopReason reluopt_stop_asked(const Run *run)
{
    if (noted)
        return noted == SIGUSR1 ? STOP_USR1 : noted == SIGTERM ? STOP_TERM : STOP_INT;
    if (run->comm->rank != 0)
        return STOP_NONE;
    return file_is_there(run) ? STOP_FILE : time_is_up(run) ? STOP_TIME : STOP_NONE;
}

void run_heed_stop(const Run *run)
{
    char path[RELUOPT_RUN_PATH];
    run_path(run, "stop", path);
    if (run->comm->rank == 0)
        unlink(path);
}

/* Note the stop, after the checkpoint. */
int run_stopped(const Run *run, int reason, Error *error)
{
    static const char *const name[] = {[STOP_TIME] = "max_time",
                                       [STOP_FILE] = "the file stop",
                                       [STOP_INT] = "signal INT",
                                       [STOP_TERM] = "signal TERM",
                                       [STOP_USR1] = "signal USR1"};
    const char *quote = reluopt_run_quote(run);
    run_heed_stop(run); /* the run may go on */
    return reluopt_fail(
        error, RELUOPT_STOPPED,
        "stopped by %s in epoch %lld after step %lld, with a checkpoint; to go on: reluopt-mpi train --resume "
        "%s%s%s",
        name[reason], (long long)run->epoch + 1, (long long)run->steps, quote, run->folder, quote);
}
