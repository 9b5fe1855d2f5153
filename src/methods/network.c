/* network.c - the sharded network that methods share: widths, weights, activations, forward pass. */
#include "reluopt/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/init.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/tally.h"

/* Every rank makes the whole initial matrix and keeps its rows. */
static int initial_weights(Network *net, size_t i, Error *error)
{
    Weights *w = &net->weights[i];
    RandomKey key = {(uint64_t)net->config->seed, RANDOM_INIT_FORWARD, (uint32_t)i, 0, 0};
    float *whole = reluopt_initial_matrix((Init)net->config->init.forward, w->outputs, w->inputs, key, error);
    for (size_t j = 0; whole && j < w->own.count; j++)
        memcpy(w->w + j * (w->inputs + 1), whole + (w->own.first + j) * w->inputs, w->inputs * sizeof *whole);
    reluopt_free(whole, w->outputs * w->inputs, sizeof *whole);
    return error->code;
}

static int create_average(Weights *w, Error *error)
{
    size_t values = w->own.count * (w->inputs + 1);
    w->average = reluopt_alloc(values, sizeof *w->average, error);
    if (w->average)
        memcpy(w->average, w->w, values * sizeof *w->w);
    return error->code;
}

int reluopt_network_create(Network *net, const Config *config, const Shape *shape, const Comm *comm,
                           Error *error)
{
    *net = (Network){.config = config, .comm = comm, .shape = *shape};
    size_t largest = 0;
    for (size_t i = 2; i <= shape->layers; i++) {
        size_t values = shape->width[i] * (shape->width[i - 1] + 1);
        largest = values > largest ? values : largest;
    }
    if (config->reproducible && comm->neurons.size > 1 &&
        !(net->whole = reluopt_alloc(largest, sizeof(float), error)))
        return error->code;
    for (size_t i = 1; i <= shape->layers; i++) {
        size_t n = shape->width[i], columns = shape->columns;
        if (reluopt_weights_create(&net->weights[i], n, shape->width[i - 1], i == shape->layers, columns, comm,
                                   error) ||
            initial_weights(net, i, error) ||
            (config->average > 0 && create_average(&net->weights[i], error)) ||
            (config->batch_norm && i < shape->layers &&
             reluopt_normalisation_create(&net->norm[i], net->weights[i].own.count, error)) ||
            !(net->h[i] = reluopt_alloc((n + 1) * columns, sizeof(float), error)))
            return error->code;
    }
    return RELUOPT_OK;
}

void reluopt_network_free(Network *net)
{
    for (size_t i = 1; i < RELUOPT_NODES; i++) {
        reluopt_weights_free(&net->weights[i]);
        reluopt_normalisation_free(&net->norm[i]);
        free(net->h[i]);
    }
    free(net->whole);
}

size_t reluopt_network_room(const Network *net)
{
    size_t widest = 0;
    for (size_t i = 1; i <= net->shape.layers; i++)
        widest = net->shape.width[i] > widest ? net->shape.width[i] : widest;
    return (widest + 1) * net->shape.columns;
}

float *reluopt_network_own(const Network *net, float *x, size_t i)
{
    return x + net->weights[i].own.first * net->columns;
}

void reluopt_network_gather(const Network *net, float *x, size_t i)
{
    size_t n = net->shape.width[i];
    reluopt_comm_gather_rows(net->comm, x, n, net->columns);
    reluopt_ones(x + n * net->columns, net->columns);
}

bool reluopt_network_skips(const Network *net, size_t i)
{
    return net->config->residual && i < net->shape.layers && net->shape.width[i] == net->shape.width[i - 1];
}

/* out = BN(z), own rows, m x B.  Collective. */
static void normalise(Network *net, Normalisation *norm, float *z, float *out)
{
    if (!net->training) {
        reluopt_normalise(norm, out, z, net->columns);
        return;
    }
    reluopt_normalise_sums(norm, z, net->columns);
    reluopt_comm_data_sum_doubles(net->comm, norm->sums, norm->rows);
    reluopt_normalise_squares(norm, z, net->columns, net->batch);
    reluopt_comm_data_sum_doubles(net->comm, norm->sums, norm->rows);
    reluopt_normalise_batch(norm, out, z, net->columns, net->batch);
}

/* out = f(z), or f(BN(z) + h) (2-33), (2-34): own rows, of z and out m x B, inside h.  Collective. */
static void hidden_output(Network *net, size_t i, const float *h, float *z, float *out)
{
    size_t values = net->weights[i].own.count * net->columns;
    const float *x = z;
    if (net->config->batch_norm) {
        normalise(net, &net->norm[i], z, out);
        x = out;
    }
    if (reluopt_network_skips(net, i)) {
        const float *skip = h + net->weights[i].own.first * net->columns;
        for (size_t k = 0; k < values; k++)
            out[k] = x[k] + skip[k];
        x = out;
    }
    reluopt_activate((Activation)net->config->activation, out, x, values);
}

void reluopt_network_layer(Network *net, size_t i, const float *h, float *z, float *out)
{
    const Weights *w = &net->weights[i];
    reluopt_weights_apply(w, h, z, net->columns);
    if (w->linear)
        memcpy(reluopt_network_own(net, out, i), z, w->own.count * net->columns * sizeof *out);
    else
        hidden_output(net, i, h, z, reluopt_network_own(net, out, i));
    reluopt_network_gather(net, out, i);
}

/* All of W[i], n[i] x (n[i-1] + 1), on every rank.  Collective. */
static const float *whole_weights(const Network *net, size_t i)
{
    const Weights *w = &net->weights[i];
    size_t k = w->inputs + 1;
    if (net->comm->neurons.size == 1)
        return w->w;
    memcpy(net->whole + w->own.first * k, w->w, w->own.count * k * sizeof *w->w);
    reluopt_comm_gather_rows(net->comm, net->whole, w->outputs, k);
    return net->whole;
}

void reluopt_network_transpose(const Network *net, size_t i, float *x, float *part, float *out)
{
    const Weights *w = &net->weights[i];
    if (net->config->reproducible) {
        Rows below = net->weights[i - 1].own;
        reluopt_comm_gather_rows(net->comm, x, w->outputs, net->columns);
        reluopt_product_tn(out, whole_weights(net, i) + below.first, w->inputs + 1, x, below.count,
                           net->columns, w->outputs);
        return;
    }
    reluopt_product_tn(part, w->w, w->inputs + 1, reluopt_network_own(net, x, i), w->inputs, net->columns,
                       w->own.count);
    reluopt_comm_sum_rows(net->comm, part, out, w->inputs, net->columns);
}

static void forward(Network *net, const Batch *batch, bool training)
{
    OwnColumns own = reluopt_comm_own_columns(net->comm, batch->count);
    net->training = training;
    net->batch = batch->count;
    net->first = own.first;
    net->columns = own.count;
    net->h[0] = (float *)batch->x;
    for (size_t i = 1; i <= net->shape.layers; i++)
        reluopt_network_layer(net, i, net->h[i - 1], net->weights[i].z, net->h[i]);
}

void reluopt_network_forward(Network *net, const Batch *batch)
{
    Phase before = reluopt_phase_enter(PHASE_FORWARD);
    forward(net, batch, true);
    reluopt_phase_leave(before);
}

void reluopt_network_average(Network *net, const Batch *batch, uint64_t step)
{
    if (!(net->config->average > 0))
        return;
    double share = (double)batch->count / (double)batch->total / net->config->average;
    float weight = (float)fmin(1, fmax(share, 3 / (double)(step + 3)));
    Phase before = reluopt_phase_enter(PHASE_UPDATE);
    for (size_t i = 1; i <= net->shape.layers; i++) {
        const Weights *w = &net->weights[i];
        for (size_t k = 0; k < w->own.count * (w->inputs + 1); k++)
            w->average[k] += weight * (w->w[k] - w->average[k]);
    }
    reluopt_phase_leave(before);
}

/* What the weights are and what they are on average change places. */
static void exchange_average(Network *net)
{
    for (size_t i = 1; net->config->average > 0 && i <= net->shape.layers; i++) {
        Weights *w = &net->weights[i];
        float *swap = w->w;
        w->w = w->average;
        w->average = swap;
    }
}

const float *reluopt_network_predict(Network *net, const Batch *batch)
{
    exchange_average(net);
    forward(net, batch, false);
    exchange_average(net);
    return net->h[net->shape.layers];
}

Array reluopt_network_norm_array(const Network *net, const char *name, size_t i, float *data)
{
    Array array = reluopt_weights_array(&net->weights[i], name, i);
    array.cols = 2;
    array.data = data;
    return array;
}

bool reluopt_network_spoilt(const Network *net)
{
    bool spoilt = false;
    for (size_t i = 1; i <= net->shape.layers; i++)
        spoilt |= net->weights[i].spoilt;
    return spoilt;
}

size_t reluopt_network_memory(Network *net, Array *list)
{
    size_t count = 0;
    for (size_t i = 1; i <= net->shape.layers; i++)
        count += reluopt_weights_memory(&net->weights[i], "W", i, net->config, list ? list + count : NULL);
    return count;
}

size_t reluopt_network_arrays(const Network *net, Array *list)
{
    size_t count = 0;
    for (size_t i = 1; i <= net->shape.layers; i++, count++)
        if (list)
            list[count] = reluopt_weights_array(&net->weights[i], "W", i);
    for (size_t i = 1; net->config->average > 0 && i <= net->shape.layers; i++, count++)
        if (list) {
            list[count] = reluopt_weights_array(&net->weights[i], "A", i);
            list[count].data = net->weights[i].average;
        }
    for (size_t i = 1; net->config->batch_norm && i < net->shape.layers; i++, count += 2)
        if (list) {
            list[count] = reluopt_network_norm_array(net, "norm", i, net->norm[i].scale);
            list[count + 1] = reluopt_network_norm_array(net, "running", i, net->norm[i].running);
        }
    return count;
}

void reluopt_network_measures(Network *net, Measures *out)
{
    out->alpha = net->config->alpha == RELUOPT_AUTO ? NAN : net->config->alpha;
    for (size_t i = 0; i < net->shape.layers; i++) {
        WeightsMeans means = reluopt_weights_means(&net->weights[i + 1], net->comm);
        out->rate[i] = means.rate;
        out->online_bound[i] = means.online;
        out->active[i] = means.active;
        out->inverse_rate[i] = NAN;
    }
}
