/* evaluate.c - loss and accuracy of the present network. */
#include <math.h>

#include "reluopt/run.h"
#include "reluopt/tally.h"

Score reluopt_run_evaluate(Run *run, const Samples *samples, size_t count)
{
    Score score = {0};
    Batch batch;
    size_t done = 0;
    Phase before = reluopt_phase_enter(PHASE_EVALUATION);
    if (count > 0)
        reluopt_feed_begin(&run->evaluation, samples, NULL, count, run->evaluation.room);
    while (done < count && reluopt_feed_next(&run->evaluation, &batch)) {
        size_t columns = reluopt_comm_own_columns(run->comm, batch.count).count;
        const float *h = run->method->predict(run->state, &batch);
        reluopt_loss((Loss)run->config.loss, h, batch.label, run->classes, columns, &score, NULL);
        done += batch.count;
    }
    reluopt_score_sum(run->comm, &(Score){0}, &score);
    reluopt_phase_leave(before);
    return score;
}

double reluopt_score_loss(const Score *score)
{
    return score->count ? score->loss / (double)score->count : NAN;
}

double reluopt_score_accuracy(const Score *score)
{
    return score->count ? (double)score->right / (double)score->count : NAN;
}
