/* meter.c - times and counts the collective calls of src/parallel, and tells waiting from communication.
 *
 * No clock is shared between ranks, so waiting is found by durations: all ranks make the same calls in the same
 * order, the rank that comes last waits least, and what the others spend beyond it in that call is waiting. The
 * durations of LOG calls are kept and compared in one reduction, which is not counted. */
#include "meter.h"

#include <string.h>

enum { LOG = 1024 };

static struct {
    int count;
    float seconds[LOG];
    Phase phase[LOG];
} kept;

void reluopt_comm_settle_waiting(const Comm *comm)
{
    float fastest[LOG];
    Phase before = reluopt_phase_enter(PHASE_REDUCTION);
    memcpy(fastest, kept.seconds, sizeof fastest);
    if (comm->size > 1)
        MPI_Allreduce(MPI_IN_PLACE, fastest, kept.count, MPI_FLOAT, MPI_MIN, comm->world);
    for (int i = 0; i < kept.count; i++)
        reluopt_tally_move(kept.phase[i], PHASE_WAITING, (double)(kept.seconds[i] - fastest[i]));
    kept.count = 0;
    reluopt_phase_leave(before);
}

Call meter_start(const Comm *comm, Traffic kind, size_t bytes)
{
    Phase phase = kind == TRAFFIC_REDUCE ? PHASE_REDUCTION : PHASE_GATHER;
    Call call = {.phase = phase, .before = reluopt_phase_enter(phase)};
    call.seconds = reluopt_phase_seconds(phase);
    if (comm->size > 1)
        reluopt_count_traffic(kind, bytes);
    return call;
}

/* Where the call counts as part of a later phase, it took no time of its own. */
void meter_stop(const Comm *comm, Call call)
{
    reluopt_phase_leave(call.before);
    if (comm->size == 1)
        return;
    kept.phase[kept.count] = call.phase;
    kept.seconds[kept.count++] = (float)(reluopt_phase_seconds(call.phase) - call.seconds);
    if (kept.count == LOG)
        reluopt_comm_settle_waiting(comm);
}
