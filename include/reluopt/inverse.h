/* inverse.h - approximate inverses g_i of the layers of a network, and the targets that they pass down.
 *
 * g_i(h) = f(V[i] h) takes outputs of layer i to outputs of layer i-1 (2-36); f is the activation of the hidden
 * layers, or nothing where inverse.activation is linear.  Every rank owns the rows of V[i] that belong to its
 * neurons of layer i-1; targets are whole on every rank after a gather. */
#ifndef RELUOPT_INVERSE_H
#define RELUOPT_INVERSE_H

#include "reluopt/network.h"

/* How T[i-1] comes from T[i]. */
typedef enum TargetForm {
    FORM_PLAIN,      /* g_i(T[i]): target propagation */
    FORM_DIFFERENCE, /* H[i-1] + g_i(T[i]) - g_i(H[i]) (3-7) */
    FORM_GATED       /* H[i-1] + V[i] (T[i] - H[i]) where H[i-1] > 0 */
} TargetForm;

typedef struct Inverses {
    Network *net;
    TargetForm form;
    size_t last;                    /* g_2 .. g_last */
    Weights v[RELUOPT_NODES];       /* V[2..last]; none where inverse.kind is transpose */
    float *t[RELUOPT_NODES];        /* (n[i] + 1) x B  T[1..L], last row ones */
    float *noisy[RELUOPT_NODES];    /* (n[i-1] + 1) x B  H[i-1] + noise, for V[i] */
    float deviation[RELUOPT_NODES]; /* standard deviation of H[i-1], of the whole batch */
    float *image;                   /* (n[i] + 1) x B  f_i(noisy) */
    float *a, *b;                   /* n[i] x B  scratch, free for use between the calls below */
    float *sums;                    /* n[i] x 2  of the rows of V[i+1], for inverse.kind mirror */
} Inverses;

/* Initial V[2..last], and room for the targets of layers 1..L.  Errors: RELUOPT_MEMORY, RELUOPT_NUMERIC; free
 * it then too.  Not collective; net must outlive it. */
int reluopt_inverse_create(Inverses *inverses, Network *net, TargetForm form, size_t last, Error *error);
void reluopt_inverse_free(Inverses *inverses);

/* T[1..last-1] from T[last].  Whole on every rank are those that another inverse needs, T[2..last-1]; of T[1]
 * (inverse.kind transpose: of all) the own rows.  Collective. */
void reluopt_inverse_targets(Inverses *inverses);

/* The deviations of H[1..last-1], for reconstructions on this batch.  Collective. */
void reluopt_inverse_measure(Inverses *inverses);

/* noisy[i] = H[i-1] + e, e normal with deviation inverse.noise times that of H[i-1], number `draw` of this
 * layer; image = f_i(noisy[i]); v[i].z = V[i] image, own rows: what V[i] is trained on (3-8).  Collective. */
void reluopt_inverse_reconstruct(Inverses *inverses, size_t i, uint64_t draw);

/* Move V[i] toward W[i]' without its bias, by round `draw` of noise (docs/algorithm.md, "Weight mirror"):
 *
 *     V += gain (M - V),   M = E P' / B,   P = W[i] E,   E = n[i-1] x B random signs,
 * with B the columns of the whole batch.
 *
 * Collective. */
void reluopt_inverse_mirror(Inverses *inverses, size_t i, uint64_t draw);

/* That gain, 1 - R / distance, or 0 where it is negative: R is the part of `squares` that is noise.
 *   squares   in  ||M||^2
 *   distance  in  ||M - V||^2
 *   n         in  rows of E, neurons that the noise is given to; > 0
 *   columns   in  its columns; > 0
 */
float reluopt_mirror_gain(double squares, double distance, size_t n, size_t columns);

/* h = f(z), n values, for z = V[i] x; delta *= f'(z), from h.  Not collective. */
void reluopt_inverse_activate(const Inverses *inverses, float *h, const float *z, size_t n);
void reluopt_inverse_slope(const Inverses *inverses, float *delta, const float *h, size_t n);

/* Are own rows of V[2..last] not finite any more? */
bool reluopt_inverse_spoilt(const Inverses *inverses);

/* V[2..last] for the checkpoint: returns how many, fills `list` unless NULL. */
size_t reluopt_inverse_arrays(const Inverses *inverses, Array *list);
/* What is remembered of their steps, see Method.memory. */
size_t reluopt_inverse_memory(Inverses *inverses, Array *list);

#endif
