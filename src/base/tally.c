/* tally.c - phase timers and counters of this process. */
#include "reluopt/tally.h"

#include <time.h>

/* Of each thread, since a program may use models of its own in several. */
static _Thread_local Tally sums;
static _Thread_local Phase now; /* the phase that time belongs to */
static _Thread_local double
    since; /* the moment up to which time is in the sums; 0: the clock has not been read yet */

static double seconds_of_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Bring the sums up to date. */
static void settle(void)
{
    double moment = seconds_of_clock();
    if (since > 0)
        sums.seconds[now] += moment - since;
    since = moment;
}

Phase reluopt_phase_enter(Phase phase)
{
    Phase before = now;
    if (phase > now) {
        settle();
        now = phase;
    }
    return before;
}

void reluopt_phase_leave(Phase before)
{
    if (before != now) {
        settle();
        now = before;
    }
}

double reluopt_phase_seconds(Phase phase)
{
    return sums.seconds[phase];
}

const char *reluopt_phase_name(Phase phase)
{
    static const char *const name[PHASES] = {
        [PHASE_OTHER] = "other",       [PHASE_FORWARD] = "forward",       [PHASE_TARGETS] = "targets",
        [PHASE_GRADIENT] = "gradient", [PHASE_RATES] = "rates",           [PHASE_UPDATE] = "update",
        [PHASE_INVERSES] = "inverses", [PHASE_GATHER] = "gather",         [PHASE_REDUCTION] = "reduction",
        [PHASE_INPUT] = "input",       [PHASE_EVALUATION] = "evaluation", [PHASE_CHECKPOINT] = "checkpoint",
        [PHASE_WAITING] = "waiting",
    };
    return name[phase];
}

const char *reluopt_traffic_name(Traffic kind)
{
    static const char *const name[TRAFFICS] = {
        [TRAFFIC_GATHER] = "gather",
        [TRAFFIC_REDUCE] = "reduction",
        [TRAFFIC_SHARE] = "broadcast",
        [TRAFFIC_FEED] = "feed",
    };
    return name[kind];
}

void reluopt_count_flops(uint64_t flops)
{
    sums.flops[now] += flops;
}

void reluopt_count_traffic(Traffic kind, uint64_t bytes)
{
    sums.calls[kind]++;
    sums.bytes[kind] += bytes;
}

void reluopt_tally_move(Phase from, Phase to, double seconds)
{
    sums.seconds[from] -= seconds;
    sums.seconds[to] += seconds;
}

Tally reluopt_tally(void)
{
    settle();
    return sums;
}

Tally reluopt_tally_since(const Tally *earlier)
{
    Tally t = reluopt_tally();
    for (int i = 0; i < PHASES; i++) {
        t.seconds[i] -= earlier->seconds[i];
        t.flops[i] -= earlier->flops[i];
    }
    for (int i = 0; i < TRAFFICS; i++) {
        t.calls[i] -= earlier->calls[i];
        t.bytes[i] -= earlier->bytes[i];
    }
    return t;
}
