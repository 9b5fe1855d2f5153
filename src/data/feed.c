/* feed.c - hands samples to all ranks batch by batch. */
#include "reluopt/feed.h"

#include <stdlib.h>
#include <string.h>

#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

enum { STRIP = RELUOPT_AUGMENT_ROOM }; /* samples transposed together: one cache line of a row */

int reluopt_feed_create(Feed *feed, Comm *comm, size_t features, size_t room, Error *error)
{
    *feed = (Feed){.comm = comm, .features = features, .room = room};
    for (int i = 0; i < 2; i++)
        feed->slot[i] = reluopt_alloc((features + 1) * room, sizeof(float), error);
    feed->label = reluopt_alloc(room, sizeof(int), error);
    return error->code;
}

void reluopt_feed_free(Feed *feed)
{
    if (feed->sent > feed->arrived)
        reluopt_comm_feed_wait(feed->comm);
    free(feed->slot[0]);
    free(feed->slot[1]);
    free(feed->label);
    *feed = (Feed){0};
}

static size_t batches(const Feed *feed)
{
    return (feed->count + feed->batch - 1) / feed->batch;
}

static size_t batch_size(const Feed *feed, size_t number)
{
    size_t left = feed->count - number * feed->batch;
    return left < feed->batch ? left : feed->batch;
}

/* Transpose the samples of a batch, changed where they are to be, into neuron-major order; the labels go where
 * the ones will be. */
static void pack(const Feed *feed, size_t number, float *x)
{
    size_t columns = batch_size(feed, number), n = feed->features, first = number * feed->batch;
    const Augment *augment = feed->augment;
    uint64_t step = feed->step + number;
    Stream moves = augment ? reluopt_augment_stream(augment, step) : (Stream){0};
    for (size_t strip = 0; strip < columns; strip += STRIP) {
        size_t width = columns - strip < STRIP ? columns - strip : STRIP;
        const float *from[STRIP];
        for (size_t k = 0; k < width; k++) {
            size_t at = first + strip + k, sample = feed->order ? feed->order[at] : at;
            from[k] = feed->samples->x + sample * n;
            if (augment)
                from[k] = reluopt_augment_image(augment, from[k], feed->samples->y[sample], &moves, k);
            x[n * columns + strip + k] = (float)feed->samples->y[sample];
        }
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < width; k++)
                x[i * columns + strip + k] = from[k][i];
    }
    if (augment)
        reluopt_augment_noise(augment, x, columns, step);
}

static void send_next(Feed *feed)
{
    if (feed->sent == batches(feed))
        return;
    Phase before = reluopt_phase_enter(PHASE_INPUT);
    float *slot = feed->slot[feed->sent % 2];
    if (feed->comm->rank == 0)
        pack(feed, feed->sent, slot);
    reluopt_comm_feed_start(feed->comm, slot, (feed->features + 1) * batch_size(feed, feed->sent));
    feed->sent++;
    reluopt_phase_leave(before);
}

void reluopt_feed_begin(Feed *feed, const Samples *samples, const uint32_t *order, size_t count, size_t batch)
{
    feed->taken = 0;
    if (feed->fixed && feed->sent > 0)
        return;
    feed->samples = samples;
    feed->order = order;
    feed->count = count;
    feed->batch = batch;
    feed->sent = feed->arrived = feed->taken = feed->skip;
    feed->skip = 0;
    send_next(feed);
}

/* Wait for the batch under way, of so many columns; keep own ones, take their labels and put ones in their
 * place. */
static void receive(Feed *feed, float *x, size_t columns)
{
    OwnColumns own = reluopt_comm_own_columns(feed->comm, columns);
    float *last = x + feed->features * own.count;
    Phase before = reluopt_phase_enter(PHASE_INPUT);
    reluopt_comm_feed_wait(feed->comm);
    for (size_t i = 0; own.count < columns && i <= feed->features; i++)
        memmove(x + i * own.count, x + i * columns + own.first, own.count * sizeof *x);
    for (size_t k = 0; k < own.count; k++)
        feed->label[k] = (int)last[k];
    reluopt_ones(last, own.count);
    feed->arrived++;
    reluopt_phase_leave(before);
}

bool reluopt_feed_next(Feed *feed, Batch *batch)
{
    if (feed->taken == batches(feed))
        return false;
    size_t columns = batch_size(feed, feed->taken);
    float *x = feed->slot[feed->taken % 2];
    if (feed->arrived == feed->taken)
        receive(feed, x, columns);
    *batch = (Batch){.count = columns, .x = x, .label = feed->label, .total = feed->count};
    feed->taken++;
    send_next(feed);
    return true;
}
