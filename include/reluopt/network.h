/* network.h - the sharded network that methods share: widths, weights, activations, forward pass. */
#ifndef RELUOPT_NETWORK_H
#define RELUOPT_NETWORK_H

#include "reluopt/method.h"
#include "reluopt/normalise.h"
#include "reluopt/weights.h"

enum { RELUOPT_NODES = RELUOPT_MAX_LAYERS + 2 }; /* layers 0..L */

/* Every rank owns the rows own.first .. own.first + own.count - 1 of each W[i]; of its columns of a batch,
 * activations are whole on every rank after a gather.  B is the number of its columns. */
typedef struct Network {
    const Config *config;
    const Comm *comm;
    Shape shape;
    size_t batch;                      /* columns of the present batch, of all ranks */
    size_t first, columns;             /* own ones: columns = B from `first` on */
    bool training;                     /* batch normalisation by the batch's own statistics */
    Weights weights[RELUOPT_NODES];    /* W[1..L] */
    Normalisation norm[RELUOPT_NODES]; /* of layers 1..L-1, with batch_norm */
    float *whole;            /* room for the largest W[2..L], gathered; NULL where that is not needed */
    float *h[RELUOPT_NODES]; /* (n[i] + 1) x B  activations, last row ones; h[0] is the batch's */
} Network;

/* Initial weights W[1..L] with zero bias, and room for batches of up to shape->columns samples.  Errors:
 * RELUOPT_MEMORY, RELUOPT_NUMERIC; free it then too.  Not collective; config and comm must outlive the network.
 */
int reluopt_network_create(Network *net, const Config *config, const Shape *shape, const Comm *comm,
                           Error *error);
void reluopt_network_free(Network *net);

/* Values of the largest (n[i] + 1) x B matrix, i = 1..L: what scratch memory needs. */
size_t reluopt_network_room(const Network *net);

/* Own rows of layer i inside an n[i] x B matrix x. */
float *reluopt_network_own(const Network *net, float *x, size_t i);

/* Own rows of x, (n[i] + 1) x B, become those of all ranks, with the row of ones below.  Collective. */
void reluopt_network_gather(const Network *net, float *x, size_t i);

/* With `residual`: layer i adds its input to what its activation is applied to (2-34); where widths agree. */
bool reluopt_network_skips(const Network *net, size_t i);

/* z = W[i] h, own rows (m x B); out = f_i(z), gathered, with the row of ones: (n[i] + 1) x B.  f_i is the
 * configured activation, nothing for i = L.  h is (n[i-1] + 1) x B.  With batch_norm and residual
 * out = f_i(BN(z) + h), and z becomes what reluopt_normalise leaves.  Collective. */
void reluopt_network_layer(Network *net, size_t i, const float *h, float *z, float *out);

/* out = own rows of W[i]' x without the bias, n[i-1] x B, of x (n[i] x B, own rows filled).  The sum over the
 * neurons of layer i runs over ranks: part (n[i-1] x B scratch) holds this rank's share of it; where the
 * configuration asks for reproducible results, W[i] and x are gathered instead, so that every sum has the same
 * order on any number of ranks.  Collective. */
void reluopt_network_transpose(const Network *net, size_t i, float *x, float *part, float *out);

/* H[i] = f_i(W[i] H[i-1]), i = 1..L (3-1), in training; weights[i].z keeps the pre-activations.  Collective. */
void reluopt_network_forward(Network *net, const Batch *batch);

/* With `average`: move the running means of W[1..L] toward what they became in step number `step`, taken on
 * `batch`.  They are means over about the last `average` epochs; a step of the first ones counts by its number
 * squared. Not collective. */
void reluopt_network_average(Network *net, const Batch *batch, uint64_t step);

/* The same as forward for evaluation, with the running means where they are kept; returns H[L].  Collective. */
const float *reluopt_network_predict(Network *net, const Batch *batch);

/* Are own weights not finite any more? */
bool reluopt_network_spoilt(const Network *net);

/* W[1..L], with `average` also their running means ("A1"), with batch_norm also gamma and beta ("norm1") and
 * running statistics ("running1"), for the checkpoint: returns how many, fills `list` unless NULL. */
size_t reluopt_network_arrays(const Network *net, Array *list);
/* What is remembered of their steps, see Method.memory. */
size_t reluopt_network_memory(Network *net, Array *list);

/* The n[i] x 2 array `data` of a normalised layer, for the checkpoint. */
Array reluopt_network_norm_array(const Network *net, const char *name, size_t i, float *data);

/* Means of rates, bounds and shares of active neurons since the last call; inverse_rate NaN; alpha as
 * configured, else NaN.  Collective. */
void reluopt_network_measures(Network *net, Measures *out);

#endif
