/* confusion.c - which classes the present network takes for which. */
#include "reluopt/layer.h"
#include "reluopt/run.h"

void reluopt_run_confusion(Run *run, const Samples *samples, size_t count, uint64_t *matrix)
{
    Batch batch;
    size_t done = 0;
    if (count > 0)
        reluopt_feed_begin(&run->evaluation, samples, NULL, count, run->evaluation.room);
    while (done < count && reluopt_feed_next(&run->evaluation, &batch)) {
        const float *h = run->method->predict(run->state, &batch);
        for (size_t k = 0; matrix && k < batch.count; k++) {
            size_t predicted = reluopt_largest(h, run->classes, batch.count, k);
            matrix[(size_t)batch.label[k] * run->classes + predicted]++;
        }
        done += batch.count;
    }
}
