/* progress.c - what a user sees while a run goes on. */
#include "reluopt/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reluopt/dense.h"
#include "reluopt/version.h"

/* Moments by reluopt_clock, for rates and the time left. */
static struct {
    double begun, resumed; /* the run; the present row of steps, without evaluation or files between them */
    double stepped, drawn; /* the last step; the last live line */
    double spent;          /* seconds of the epoch's earlier rows of steps */
    double first;          /* epochs done when the run began; NaN: not known before the first step */
    int64_t done, of;      /* steps of this epoch that were timed, and of a whole one */
} moment;

static int columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Columns of the terminal that standard output goes to; 0: it is none.  Behind mpirun, standard output is
 * always a pseudo-terminal: look at what mpirun itself writes to. */
static int find_terminal(void)
{
    char path[64], target[64] = "";
    if (!getenv("OMPI_COMM_WORLD_SIZE"))
        return isatty(STDOUT_FILENO) ? columns_of(STDOUT_FILENO) : 0;
    snprintf(path, sizeof path, "/proc/%d/fd/1", (int)getppid());
    if (readlink(path, target, sizeof target - 1) < 0 ||
        (strncmp(target, "/dev/pts/", 9) != 0 && strncmp(target, "/dev/tty", 8) != 0))
        return 0;
    int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    int columns = columns_of(fd);
    if (fd >= 0)
        close(fd);
    return columns;
}

/* Columns of the live line; 0: none. */
static int live(const Run *run)
{
    static int columns = -1;
    if (columns < 0)
        columns = find_terminal();
    return run->output == OUTPUT_TEXT ? columns : 0;
}

/* Of the row of steps under way. */
static double row_seconds(void)
{
    return fmax(0, moment.stepped - moment.resumed);
}

/* In this epoch; NaN before its first step. */
static double samples_per_second(const Run *run)
{
    if (moment.done == 0)
        return NAN;
    return (double)moment.done / (double)moment.of * (double)run->train_count / (moment.spent + row_seconds());
}

/* Another row of steps begins, of the same epoch or of a new one. */
static void resume(bool same_epoch)
{
    moment.spent = same_epoch ? moment.spent + row_seconds() : 0;
    moment.done = same_epoch ? moment.done : 0;
    moment.resumed = reluopt_clock();
}

/* At the pace of this start of the program, evaluation and files included. */
static double seconds_left(const Run *run, double share_of_epoch)
{
    double done = (double)run->epoch + share_of_epoch - moment.first;
    double left = (double)run->config.epochs - (double)run->epoch - share_of_epoch;
    return done > 0 ? (reluopt_clock() - moment.begun) / done * left : NAN;
}

void reluopt_progress_begin(const Run *run)
{
    const Config *config = &run->config;
    moment.begun = reluopt_clock();
    moment.first = NAN;
    resume(false);
    if (run->output == OUTPUT_JSON)
        reluopt_event_begin(run);
    if (run->output != OUTPUT_TEXT)
        return;
    if (run->test_count == 0)
        printf("no test samples, so no test figures: data.test or data.holdout give some\n");
    printf("%s: method %s (%s), np %d, ", RELUOPT_PROGRAM, config->method,
           reluopt_config_choice("variant", config->variant), run->comm->size);
    if (run->comm->data.size > 1)
        printf("grid %dx%d, ", run->comm->data.size, run->comm->neurons.size);
    printf("BLAS kernel %s\n", reluopt_dense_kernel());
    printf("data %s: %zu training and %zu test samples; network %zu", config->data.name, run->train_count,
           run->test_count, run->features);
    for (int i = 0; i < config->hidden; i++)
        printf("-%d", config->network[i]);
    printf("-%zu; results in %s\n", run->classes, run->folder);
    if (run->epoch >= config->epochs)
        printf("all %lld epochs are done, nothing is trained; --epochs with more goes on\n",
               (long long)run->epoch);
    else if (run->epoch > 0)
        printf("goes on after epoch %lld\n", (long long)run->epoch);
    fflush(stdout);
}

/* A line that is cut where the terminal ends. */
typedef struct Line {
    char text[512];
    size_t length;
} Line;

__attribute__((format(printf, 2, 3))) static void add(Line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line->text + line->length, sizeof line->text - line->length, format, args);
    va_end(args);
    line->length += more > 0 ? (size_t)more : 0;
    if (line->length >= sizeof line->text)
        line->length = sizeof line->text - 1;
}

static void add_left(Line *line, double seconds)
{
    if (!(seconds < 1e7))
        return;
    long left = lround(seconds);
    if (left >= 3600)
        add(line, "  %ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
    else
        add(line, "  %ld:%02ld left", left / 60, left % 60);
}

static void add_rates(Line *line, const CurvePoint *point, size_t layers)
{
    add(line, "  rate");
    for (size_t i = 0; i < layers; i++)
        add(line, " %.1e", point->rate[i]);
}

void reluopt_progress_step(const Run *run, int64_t step, int64_t steps, const Score *score)
{
    moment.stepped = reluopt_clock();
    moment.done++;
    moment.of = steps;
    if (isnan(moment.first))
        moment.first = (double)run->epoch + (double)(step - 1) / (double)steps;
    int columns = live(run);
    if (columns == 0 || moment.stepped - moment.drawn < 0.1)
        return;
    moment.drawn = moment.stepped;
    Line line = {.length = 0};
    double share = (double)step / (double)steps;
    add(&line, "epoch %lld/%d %3.0f%%  loss %.4f  train %.2f%%", (long long)run->epoch + 1, run->config.epochs,
        100 * share, reluopt_score_loss(score), 100 * reluopt_score_accuracy(score));
    size_t known = run->curves.count;
    CurvePoint last =
        known ? reluopt_curves_point(&run->curves, known - 1) : (CurvePoint){.test_accuracy = NAN};
    if (!isnan(last.test_accuracy))
        add(&line, "  test %.2f%%", 100 * last.test_accuracy);
    add(&line, "  %.0f samples/s", samples_per_second(run));
    add_left(&line, seconds_left(run, share));
    if (known)
        add_rates(&line, &last, run->curves.layers);
    printf("\r%.*s\033[K", columns - 1, line.text);
    fflush(stdout);
}

void reluopt_progress_clear(const Run *run)
{
    if (live(run) > 0)
        printf("\r\033[K");
    fflush(stdout);
}

void reluopt_progress_epoch(const Run *run, const CurvePoint *point)
{
    double rate = samples_per_second(run);
    if (run->output == OUTPUT_JSON)
        reluopt_event_epoch(run, point, rate, seconds_left(run, 0));
    resume(false);
    if (run->output != OUTPUT_TEXT)
        return;
    Line line = {.length = 0};
    add(&line, "epoch %*lld/%d  train loss %.4f acc %6.2f%%", run->config.epochs > 99 ? 3 : 2,
        (long long)point->epoch, run->config.epochs, point->train_loss, 100 * point->train_accuracy);
    if (!isnan(point->test_loss))
        add(&line, "  test loss %.4f acc %6.2f%%", point->test_loss, 100 * point->test_accuracy);
    add(&line, "  %.1f s", point->seconds);
    if (!isnan(rate))
        add(&line, "  %.0f samples/s", rate);
    add_rates(&line, point, run->curves.layers);
    reluopt_progress_clear(run);
    printf("%s\n", line.text);
    fflush(stdout);
}

void reluopt_progress_checkpoint(const Run *run, const char *path)
{
    if (run->output == OUTPUT_JSON)
        reluopt_event_checkpoint(run, path);
    resume(true);
}

void reluopt_progress_end(const Run *run, const Summary *summary)
{
    if (run->output == OUTPUT_JSON)
        reluopt_event_end(summary);
    if (run->output != OUTPUT_TEXT)
        return;
    printf("\n");
    reluopt_times_print(stdout, &summary->times, 1, "seconds");
    printf("\nreached after %lld epochs (%lld steps, %.1f s, %.0f samples/s): train accuracy %.2f%%",
           (long long)summary->epochs, (long long)summary->steps, summary->seconds, summary->samples_per_second,
           100 * summary->train_accuracy);
    if (!isnan(summary->test_accuracy))
        printf(", test accuracy %.2f%% (best %.2f%%)", 100 * summary->test_accuracy,
               100 * summary->best_test_accuracy);
    printf("\n  curves      %s/curves.h5\n  checkpoint  %s/checkpoint.h5\n  summary     %s/summary.json\n",
           run->folder, run->folder, run->folder);
    const char *quote = reluopt_run_quote(run);
    printf("next:\n  %s eval %s%s/checkpoint.h5%s\n  %s report %s%s%s > report.html\n", program_invocation_name, quote,
           run->folder, quote, program_invocation_name, quote, run->folder, quote);
    fflush(stdout);
}
