/* score.c - what a batch costs, from the columns of all ranks. */
#include "reluopt/method.h"

void reluopt_score_sum(const Comm *comm, const Score *before, Score *score)
{
    double grown[] = {score->loss - before->loss, (double)(score->right - before->right),
                      (double)(score->count - before->count)};
    if (comm->data.size == 1)
        return;
    reluopt_comm_data_sum_doubles(comm, grown, sizeof grown / sizeof *grown);
    *score =
        (Score){before->loss + grown[0], before->right + (size_t)grown[1], before->count + (size_t)grown[2]};
}
