/* predict.c - classes and probabilities of samples that come and go a block at a time. */
#include <math.h>
#include <stdlib.h>

#include "reluopt/memory.h"
#include "reluopt/run.h"

enum { BLOCK = 1024 }; /* samples of a block */

/* Rank 0: read and preprocess the next block. */
static int read_block(Source *source, const Preprocess *pre, Samples *block, Error *error)
{
    block->count = 0;
    if (reluopt_source_read(source, block->x, BLOCK, &block->count, error) == RELUOPT_OK)
        reluopt_preprocess_apply(pre, block, error);
    return error->code;
}

/* Predict a block, probabilities of all of it to p (count x classes, rank 0).  Collective. */
static void predict_block(Run *run, const Samples *block, size_t count, float *p)
{
    Batch batch;
    size_t done = 0;
    reluopt_feed_begin(&run->evaluation, block, NULL, count, run->evaluation.room);
    while (reluopt_feed_next(&run->evaluation, &batch)) {
        const float *h = run->method->predict(run->state, &batch);
        if (run->comm->rank == 0)
            reluopt_probabilities((Loss)run->config.loss, p + done * run->classes, h, run->classes,
                                  batch.count);
        done += batch.count;
    }
}

/* p: count x classes. */
static int check_finite(const float *p, size_t count, size_t classes, size_t before, Error *error)
{
    for (size_t k = 0; k < count * classes; k++)
        if (!isfinite(p[k]))
            return reluopt_fail(
                error, RELUOPT_NUMERIC,
                "sample %zu: an output of the network is not finite: are its values in the units "
                "of the training?",
                before + k / classes);
    return RELUOPT_OK;
}

int reluopt_run_predict(Run *run, Source *source, const Preprocess *pre, Predictions *predictions, Error *error)
{
    Samples block = {0};
    float *p = NULL;
    size_t count = 1, before = 0;
    if (run->comm->rank == 0 && !reluopt_samples_alloc(&block, BLOCK, run->features, error))
        p = reluopt_alloc(BLOCK, run->classes * sizeof *p, error);
    while (reluopt_comm_agree(run->comm, error) == RELUOPT_OK && count > 0) {
        if (run->comm->rank == 0)
            read_block(source, pre, &block, error);
        if (reluopt_comm_agree(run->comm, error))
            break;
        count = block.count;
        reluopt_comm_share(run->comm, &count, sizeof count);
        if (count > 0)
            predict_block(run, &block, count, p);
        if (p && count > 0 && check_finite(p, count, run->classes, before, error) == RELUOPT_OK)
            reluopt_predictions_add(predictions, p, count, error);
        before += count;
    }
    free(p);
    reluopt_samples_free(&block);
    return error->code;
}
