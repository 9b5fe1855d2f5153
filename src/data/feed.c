/* feed.c - hands samples to all ranks batch by batch. */
#include "reluopt/feed.h"

#include <stdlib.h>

#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

enum { STRIP = RELUOPT_AUGMENT_ROOM }; /* samples transposed together: one cache line of a row */

int reluopt_feed_create(Feed *feed, Comm *comm, size_t features, size_t room, Error *error)
{
    size_t columns = comm->rank == 0 ? room : reluopt_comm_own_columns(comm, room).count;
    *feed = (Feed){.comm = comm, .features = features, .room = room};
    for (int i = 0; i < 2; i++)
        feed->slot[i] = reluopt_alloc((features + 1) * columns, sizeof(float), error);
    feed->label = reluopt_alloc(room, sizeof(int), error);
    return error->code;
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

void reluopt_feed_free(Feed *feed)
{
    if (feed->sent > feed->arrived)
        reluopt_comm_feed_wait(feed->comm, feed->slot[feed->arrived % 2], feed->features + 1,
                               batch_size(feed, feed->arrived));
    free(feed->slot[0]);
    free(feed->slot[1]);
    free(feed->label);
    *feed = (Feed){0};
}

/* Transpose columns `part` of batch `number`, changed where they are to be, into neuron-major order; the labels
 * go where the ones will be. */
static void pack_part(const Feed *feed, size_t number, OwnColumns part, Stream *moves, float *x)
{
    size_t columns = part.count, n = feed->features, first = number * feed->batch + part.first;
    const Augment *augment = feed->augment;
    for (size_t strip = 0; strip < columns; strip += STRIP) {
        size_t width = columns - strip < STRIP ? columns - strip : STRIP;
        const float *from[STRIP];
        for (size_t k = 0; k < width; k++) {
            size_t at = first + strip + k, sample = feed->order ? feed->order[at] : at;
            from[k] = feed->samples->x + sample * n;
            if (augment)
                from[k] = reluopt_augment_image(augment, from[k], feed->samples->y[sample], moves, k);
            x[n * columns + strip + k] = (float)feed->samples->y[sample];
        }
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < width; k++)
                x[i * columns + strip + k] = from[k][i];
    }
    if (augment)
        reluopt_augment_noise(augment, x, part.first, columns, feed->step + number);
}

/* All of it, part after part. */
static void pack(const Feed *feed, size_t number, float *x)
{
    Stream moves = feed->augment ? reluopt_augment_stream(feed->augment, feed->step + number) : (Stream){0};
    for (int i = 0; i < feed->comm->data.size; i++) {
        OwnColumns part = reluopt_comm_columns(feed->comm, batch_size(feed, number), i);
        pack_part(feed, number, part, &moves, x + part.first * (feed->features + 1));
    }
}

static void send_next(Feed *feed)
{
    if (feed->sent == batches(feed))
        return;
    Phase before = reluopt_phase_enter(PHASE_INPUT);
    float *slot = feed->slot[feed->sent % 2];
    if (feed->comm->rank == 0)
        pack(feed, feed->sent, slot);
    reluopt_comm_feed_start(feed->comm, slot, feed->features + 1, batch_size(feed, feed->sent));
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

/* Wait for the batch under way, of so many columns in all; take the labels of own ones and put the ones in
 * their place. */
static void receive(Feed *feed, float *x, size_t columns)
{
    size_t own = reluopt_comm_own_columns(feed->comm, columns).count;
    float *last = x + feed->features * own;
    Phase before = reluopt_phase_enter(PHASE_INPUT);
    reluopt_comm_feed_wait(feed->comm, x, feed->features + 1, columns);
    for (size_t k = 0; k < own; k++)
        feed->label[k] = (int)last[k];
    reluopt_ones(last, own);
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
