/* meter.h - times and counts the collective calls of src/parallel. */
#ifndef RELUOPT_PARALLEL_METER_H
#define RELUOPT_PARALLEL_METER_H

#include "reluopt/comm.h"
#include "reluopt/tally.h"

/* A collective call under way. */
typedef struct Call {
    Phase phase, before;
    double seconds; /* of the phase, before the call */
} Call;

/* Around a collective call of kind TRAFFIC_GATHER or TRAFFIC_SHARE (phase gather), or TRAFFIC_REDUCE (phase
 * reduction).  Nothing is counted on a single rank.  Collective. */
Call meter_start(const Comm *comm, Traffic kind, size_t bytes);
void meter_stop(const Comm *comm, Call call);

#endif
