/* whitening.c - the covariance of a layer's inputs, and the inverse that the whitened direction takes from it.
 *
 * Every rank keeps its rows of C and the whole of P.  docs/algorithm.md, "Whitened direction". */
#include "reluopt/whitening.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/dense.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"
#include "reluopt/random.h"

enum {
    INTERVAL = 4,         /* steps between two batches that C takes */
    FIXED_SAMPLES = 20000 /* enough of them for a distribution that does not change */
};
static const float newest = 0.1855f;   /* weight of a batch in C: 1 - 0.95^INTERVAL */
static const double drift_limit = 0.2; /* of C since P was made: ||C - factored|| / ||C|| */

/* Form and size of P. */
static Symmetric form_of(size_t n, double lambda)
{
    if (n > RELUOPT_WHITENING_WIDEST)
        return (Symmetric){.form = SYMMETRIC_DIAGONAL, .n = n, .c = 1};
    if (n > RELUOPT_WHITENING_WIDE && lambda >= 1)
        return (Symmetric){.form = SYMMETRIC_LOW_RANK, .n = n, .c = n / 8};
    return (Symmetric){.form = SYMMETRIC_WHOLE, .n = n, .c = n};
}

int reluopt_whitening_create(Whitening *s, size_t n, bool fixed, double lambda, const Comm *comm, Error *error)
{
    *s = (Whitening){.n = n, .fixed = fixed, .stale = true, .lambda = lambda, .inverse = form_of(n, lambda)};
    s->c = s->inverse.form == SYMMETRIC_DIAGONAL ? 1 : n;
    s->own = reluopt_comm_own_rows(comm, n);
    size_t own = s->own.count * s->c;
    const struct {
        float **at;
        size_t count;
    } need[] = {{&s->covariance, own}, {&s->factored, own}, {&s->inverse.part, n * s->inverse.c},
                {&s->batch, own},      {&s->mean, n},       {&s->drift, 2 * n}};
    for (size_t i = 0; i < sizeof need / sizeof need[0]; i++)
        if (!(*need[i].at = reluopt_alloc(need[i].count, sizeof(float), error)))
            return error->code;
    s->whole =
        s->inverse.form == SYMMETRIC_LOW_RANK ? reluopt_alloc(n * n, sizeof(float), error) : s->inverse.part;
    return error->code;
}

void reluopt_whitening_free(Whitening *s)
{
    float *owned[] = {s->covariance, s->factored, s->batch, s->mean, s->drift, s->inverse.part};
    if (s->whole != s->inverse.part)
        free(s->whole);
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    *s = (Whitening){0};
}

void reluopt_whitening_arrays(const Whitening *s, size_t layer, Array list[2])
{
    Array array = {.rows = s->n, .cols = s->c, .first = s->own.first, .count = s->own.count};
    list[0] = list[1] = array;
    list[0].data = s->covariance;
    list[1].data = s->factored;
    snprintf(list[0].name, sizeof list[0].name, "C%zu", layer);
    snprintf(list[1].name, sizeof list[1].name, "F%zu", layer);
}

/* Own rows of (H - mu 1') (H - mu 1')', or of its diagonal; centred: n x B.  Collective. */
static void batch_covariance(Whitening *s, const float *h, size_t batch, float *centred, const Comm *comm)
{
    size_t columns = reluopt_comm_own_columns(comm, batch).count;
    reluopt_row_sums(s->mean, h, s->n, columns);
    reluopt_comm_data_sum(comm, s->mean, s->n);
    for (size_t j = 0; j < s->n; j++)
        s->mean[j] /= (float)batch;
    for (size_t j = 0; j < s->n; j++)
        for (size_t k = 0; k < columns; k++)
            centred[j * columns + k] = h[j * columns + k] - s->mean[j];
    const float *own = centred + s->own.first * columns;
    if (s->c > 1)
        reluopt_product_nt(s->batch, s->n, own, centred, s->own.count, s->n, columns);
    else
        for (size_t j = 0; j < s->own.count; j++)
            reluopt_product_nt(s->batch + j, 1, own + j * columns, own + j * columns, 1, 1, columns);
    reluopt_comm_data_sum(comm, s->batch, s->own.count * s->c);
}

/* Move row j of C toward the batch's covariance by `weight`, and sum the squares for its drift. */
static void move_row(Whitening *s, size_t j, float weight, size_t batch)
{
    float *c = s->covariance + j * s->c, scale = 1 / (float)batch, change = 0, size = 0;
    const float *taken = s->batch + j * s->c, *factored = s->factored + j * s->c;
#pragma omp simd reduction(+ : change, size)
    for (size_t i = 0; i < s->c; i++) {
        c[i] += weight * (scale * taken[i] - c[i]);
        change += (c[i] - factored[i]) * (c[i] - factored[i]);
        size += c[i] * c[i];
    }
    float *drift = s->drift + 2 * (s->own.first + j);
    drift[0] = change;
    drift[1] = size;
}

/* ||C - factored|| / ||C||, the same bits on any number of ranks: sums of rows, then all of them in order.
 * Collective. */
static double drift(Whitening *s, const Comm *comm)
{
    double change = 0, size = 0;
    reluopt_comm_gather_rows(comm, s->drift, s->n, 2);
    for (size_t j = 0; j < s->n; j++) {
        change += s->drift[2 * j];
        size += s->drift[2 * j + 1];
    }
    return size > 0 ? sqrt(change / size) : 0;
}

void reluopt_whitening_follow(Whitening *s, const float *h, size_t batch, size_t usual, uint64_t step,
                              float *scratch, const Comm *comm)
{
    uint64_t interval = s->fixed ? 1 : INTERVAL, taken = step / interval;
    uint64_t enough = (FIXED_SAMPLES + usual - 1) / usual; /* batches */
    if (step % interval != 0 || (s->fixed && step >= enough))
        return;
    float mean = 1 / (float)(taken + 1); /* the weight that makes C the mean of all so far */
    bool complete = s->fixed && step + 1 == enough;
    batch_covariance(s, h, batch, scratch, comm);
    for (size_t j = 0; j < s->own.count; j++)
        move_row(s, j, s->fixed ? mean : fmaxf(mean, newest), batch);
    if (drift(s, comm) > drift_limit || complete) {
        memcpy(s->factored, s->covariance, s->own.count * s->c * sizeof *s->factored);
        s->stale = true;
    }
}

/* whole: holds `factored`, becomes P.  Inputs that do not vary get 0 where the ridge is 0 too. */
static void invert_whole(Whitening *s, float ridge)
{
    size_t along = s->c > 1 ? s->n + 1 : 1; /* from one diagonal element to the next */
    float *p = s->whole, *variance = s->mean;
    for (size_t j = 0; j < s->n; j++)
        p[j * along] = variance[j] = p[j * along] + ridge;
    if (s->c > 1 && reluopt_invert(p, s->n))
        return;
    memset(p, 0, s->n * s->c * sizeof *p);
    for (size_t j = 0; j < s->n; j++)
        p[j * along] = variance[j] > 0 ? 1 / variance[j] : 0;
}

/* From `whole`, the part of P of low rank; 0 where it cannot be had. */
static void invert_low_rank(Whitening *s, float ridge)
{
    Error error = {0};
    float *part = s->inverse.part;
    size_t floats = s->n * s->inverse.c;
    memset(part, 0, floats * sizeof *part);
    reluopt_add_normal(part, part, s->n, s->inverse.c, 0, 1, (RandomKey){.use = RANDOM_SKETCH});
    if (!(ridge > 0) || reluopt_invert_low_rank(s->whole, s->n, ridge, part, s->inverse.c, &error))
        memset(part, 0, floats * sizeof *part);
}

/* lambda mean(eig C) of the C in `whole`. */
static float ridge_of(const Whitening *s)
{
    size_t along = s->c > 1 ? s->n + 1 : 1;
    double trace = 0;
    for (size_t j = 0; j < s->n; j++)
        trace += s->whole[j * along];
    return (float)(s->lambda * trace / (double)s->n);
}

/* From `whole`: what all ranks need, and, if this rank is to, the part of P. */
static void invert(Whitening *s, bool part)
{
    float ridge = ridge_of(s);
    s->inverse.scale = ridge > 0 ? 1 / ridge : 0;
    if (part && s->inverse.form == SYMMETRIC_LOW_RANK)
        invert_low_rank(s, ridge);
    else if (part)
        invert_whole(s, ridge);
}

void reluopt_whitening_refresh(Whitening *list, size_t count, const Comm *comm)
{
    for (size_t i = 0; i < count; i++) {
        Whitening *s = &list[i];
        if (!s->stale)
            continue;
        memcpy(s->whole + s->own.first * s->c, s->factored, s->own.count * s->c * sizeof *s->factored);
        reluopt_comm_gather_rows(comm, s->whole, s->n, s->c);
    }
    for (size_t i = 0; i < count; i++)
        if (list[i].stale)
            invert(&list[i], comm->rank == (int)(i % (size_t)comm->size));
    for (size_t i = 0; i < count; i++) {
        Whitening *s = &list[i];
        if (s->stale)
            reluopt_comm_share_from(comm, (int)(i % (size_t)comm->size), s->inverse.part,
                                    s->n * s->inverse.c * sizeof *s->inverse.part);
        s->stale = false;
    }
}
