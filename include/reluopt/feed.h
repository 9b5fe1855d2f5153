/* feed.h - hands samples to all ranks batch by batch, to each its columns; the next batch is on its way while
 * the present one is used. */
#ifndef RELUOPT_FEED_H
#define RELUOPT_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "reluopt/augment.h"
#include "reluopt/comm.h"
#include "reluopt/method.h"
#include "reluopt/samples.h"

typedef struct Feed {
    Comm *comm;
    size_t features;
    size_t room;            /* largest batch */
    float *slot[2];         /* (features + 1) x own columns each (rank 0: x room): features of the samples, then
                               labels on the way and ones on arrival */
    int *label;             /* room */
    const Samples *samples; /* rank 0 */
    const uint32_t *order;  /* rank 0; NULL: as they are */
    size_t count, batch;    /* samples to hand out, how many at a time */
    size_t sent, arrived, taken; /* batches */
    const Augment *augment;      /* rank 0; NULL: samples as they are */
    uint64_t step;               /* of the run, that the next first batch is for: what is drawn depends on it */
    size_t skip;                 /* batches that the next pass leaves out at its start */
    bool fixed;                  /* one batch holds all samples, always the same: send it once */
} Feed;

/* Buffers for batches of up to `room` samples.  RELUOPT_MEMORY.  Not collective. */
int reluopt_feed_create(Feed *feed, Comm *comm, size_t features, size_t room, Error *error);
/* Also in the middle of an epoch, as long as all ranks are at the same batch.  Collective then. */
void reluopt_feed_free(Feed *feed);

/* Start handing out samples order[0..count-1] (rank 0; NULL: 0..count-1), `batch` at a time, the last batch
 * with what is left.  samples and order are looked at on rank 0 alone and must stay until the last batch.
 * Collective. */
void reluopt_feed_begin(Feed *feed, const Samples *samples, const uint32_t *order, size_t count, size_t batch);

/* The next batch, valid until the call after it; false when there is none left.  Collective. */
bool reluopt_feed_next(Feed *feed, Batch *batch);

#endif
