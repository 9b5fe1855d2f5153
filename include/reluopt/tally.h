/* tally.h - where this process's time goes, and exact counts of what it does.  Always on: entering and leaving
 * a phase reads the clock once each.  One tally a process; no function fails. */
#ifndef RELUOPT_TALLY_H
#define RELUOPT_TALLY_H

#include <stdint.h>

/* A phase entered inside one that stands later in this list counts as the later one: products inside the
 * training of inverses are inverses, gathers there are gathers, all that an evaluation does is evaluation. */
typedef enum Phase {
    PHASE_OTHER,      /* outside all others */
    PHASE_FORWARD,    /* activations of a training step (3-1) */
    PHASE_TARGETS,    /* loss and targets; of back-propagation: errors */
    PHASE_GRADIENT,   /* directions G and what they do, D; of mgbdt: growing trees */
    PHASE_RATES,      /* step sizes */
    PHASE_UPDATE,     /* of weights, and of inverses together with weights */
    PHASE_INVERSES,   /* their training, but for rates and update of method adaptive */
    PHASE_GATHER,     /* gathers and broadcasts: as long as the fastest rank is in the call */
    PHASE_REDUCTION,  /* sums, minima, agreements: the same */
    PHASE_INPUT,      /* packing batches, and waiting for them */
    PHASE_EVALUATION, /* with its input and messages */
    PHASE_CHECKPOINT, /* files of the run, with their messages */
    PHASE_WAITING,    /* in gathers and reductions, beyond the fastest rank's time in the same call */
    PHASES
} Phase;

/* Kinds of messages: collective calls. */
typedef enum Traffic {
    TRAFFIC_GATHER, /* bytes: of the other ranks' rows, received here */
    TRAFFIC_REDUCE, /* bytes: of the vector that is reduced */
    TRAFFIC_SHARE,  /* broadcasts; bytes: received here */
    TRAFFIC_FEED,   /* batches, broadcast while the one before is used; bytes: received here */
    TRAFFICS
} Traffic;

/* Sums since the process started. */
typedef struct Tally {
    double seconds[PHASES];
    uint64_t flops[PHASES]; /* of the BLAS and LAPACK calls made in training and evaluation */
    uint64_t calls[TRAFFICS], bytes[TRAFFICS];
} Tally;

/* From now on time and operations belong to `phase`.  Returns what to give to reluopt_phase_leave. */
Phase reluopt_phase_enter(Phase phase);
void reluopt_phase_leave(Phase before);

/* Seconds of a phase, up to the last change of phase. */
double reluopt_phase_seconds(Phase phase);

/* "forward", "targets", ...; "gather", ... */
const char *reluopt_phase_name(Phase phase);
const char *reluopt_traffic_name(Traffic kind);

void reluopt_count_flops(uint64_t flops);
void reluopt_count_traffic(Traffic kind, uint64_t bytes);

/* Time spent in phase `from` turns out to belong to another. */
void reluopt_tally_move(Phase from, Phase to, double seconds);

/* Sums so far, and since an earlier moment. */
Tally reluopt_tally(void);
Tally reluopt_tally_since(const Tally *earlier);

#endif
