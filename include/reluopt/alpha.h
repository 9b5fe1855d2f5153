/* alpha.h - the target step alpha, chosen from what the steps taken with it brought on other samples: alpha:
 * auto. docs/algorithm.md, "Self-chosen target step". */
#ifndef RELUOPT_ALPHA_H
#define RELUOPT_ALPHA_H

#include "reluopt/network.h"

/* Sums over the measured steps: with alpha = s their losses would have fallen by slope s - curvature s^2. */
typedef struct AlphaState {
    float alpha, slope, curvature;
} AlphaState;

typedef struct Alpha {
    AlphaState state;             /* the same on all ranks */
    double relaxation;            /* alpha in units of the s at which the sums gain most */
    double loss[2];               /* of the present batch, with none and half of the measured step */
    float *before[RELUOPT_NODES]; /* as W[1..L], own rows: weights before the measured step */
} Alpha;

/* alpha = 1, nothing measured.  RELUOPT_MEMORY; free it then too.  Not collective. */
int reluopt_alpha_create(Alpha *alpha, const Network *net, Error *error);
void reluopt_alpha_free(Alpha *alpha, const Network *net);

/* Before the forward pass of training step number `step`: its batch's losses with none and half of the step
 * before it, where that was measured.  Two forward passes; changes what they change in net.  Collective. */
void reluopt_alpha_measure(Alpha *alpha, Network *net, const Batch *batch, uint64_t step);

/* After it, with `loss` its sum over the whole batch: choose alpha where the step before was measured; keep the
 * weights where this one will be.  Not collective. */
void reluopt_alpha_choose(Alpha *alpha, const Network *net, double loss, uint64_t step);

/* Take the losses with none, half and all of a step into the sums, `weight` times; alpha becomes
 * relaxation slope / (2 curvature), at most twice and at least half of what it was; twice or half where the
 * sums know no such s.  Losses that are not finite change nothing. */
void reluopt_alpha_follow(AlphaState *state, const double loss[3], double weight, double relaxation);

/* For the checkpoint: "alpha" (1 x 3, on every rank) and the weights before the measured step, "B1", ...:
 * returns how many, fills `list` unless NULL. */
size_t reluopt_alpha_memory(Alpha *alpha, const Network *net, Array *list);

#endif
