/* progress.c - what a user sees while a run goes on. */
#include "reluopt/progress.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reluopt/dense.h"
#include "reluopt/version.h"

/* Behind mpirun, standard output is always a pseudo-terminal: look at what mpirun itself writes to. */
bool reluopt_progress_live(void)
{
    if (!getenv("OMPI_COMM_WORLD_SIZE"))
        return isatty(STDOUT_FILENO);
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/%d/fd/1", (int)getppid());
    if (readlink(path, target, sizeof target - 1) < 0)
        return false;
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}

void reluopt_progress_begin(const Run *run)
{
    const Config *config = &run->config;
    printf("%s: method %s (%s), np %d, BLAS kernel %s\n", RELUOPT_PROGRAM, config->method,
           reluopt_config_choice("variant", config->variant), run->comm->size, reluopt_dense_kernel());
    printf("data %s: %zu training and %zu test samples; network %zu", config->data.name, run->train_count,
           run->test_count, run->features);
    for (int i = 0; i < config->hidden; i++)
        printf("-%d", config->network[i]);
    printf("-%zu; results in %s\n", run->classes, run->folder);
    fflush(stdout);
}

void reluopt_progress_step(const Run *run, int64_t step, int64_t steps, const Score *score)
{
    static double drawn;
    double now = reluopt_clock();
    if (!reluopt_progress_live() || now - drawn < 0.1)
        return;
    drawn = now;
    printf("\repoch %lld/%d  step %lld/%lld  loss %.4f  accuracy %.2f%%\033[K", (long long)run->epoch + 1,
           run->config.epochs, (long long)step, (long long)steps, reluopt_score_loss(score),
           100 * reluopt_score_accuracy(score));
    fflush(stdout);
}

void reluopt_progress_clear(void)
{
    if (reluopt_progress_live())
        printf("\r\033[K");
    fflush(stdout);
}

void reluopt_progress_epoch(const Run *run, const CurvePoint *point)
{
    reluopt_progress_clear();
    printf("epoch %*lld/%d  train loss %.4f acc %6.2f%%", run->config.epochs > 99 ? 3 : 2,
           (long long)point->epoch, run->config.epochs, point->train_loss, 100 * point->train_accuracy);
    if (!isnan(point->test_loss))
        printf("  test loss %.4f acc %6.2f%%", point->test_loss, 100 * point->test_accuracy);
    printf("  %.1f s\n", point->seconds);
    fflush(stdout);
}

void reluopt_progress_end(const Run *run, const Summary *summary)
{
    printf("\nreached after %lld epochs (%lld steps, %.1f s, %.0f samples/s): train accuracy %.2f%%",
           (long long)summary->epochs, (long long)summary->steps, summary->seconds, summary->samples_per_second,
           100 * summary->train_accuracy);
    if (!isnan(summary->test_accuracy))
        printf(", test accuracy %.2f%% (best %.2f%%)", 100 * summary->test_accuracy,
               100 * summary->best_test_accuracy);
    printf("\n  curves      %s/curves.h5\n  checkpoint  %s/checkpoint.h5\n  summary     %s/summary.json\n",
           run->folder, run->folder, run->folder);
    printf("next:\n  %s eval %s/checkpoint.h5\n  %s info %s/curves.h5\n", program_invocation_name, run->folder,
           program_invocation_name, run->folder);
    fflush(stdout);
}
