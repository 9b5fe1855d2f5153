/* rules.h - update rules: from a gradient to a step of the weights.  Thesis 2.2.2, eq. (2-13)..(2-29).
 *
 * They treat every weight by itself, so they need neither a shape nor a message, and work for any method that
 * has a gradient (a direction of ascent).  g is the gradient, t = 1, 2, ... the number of the step:
 *   sgd       w -= eta g                                                             (2-13)..(2-15)
 *   momentum  v = beta v + eta g;  w -= v                                            (2-16), (2-17)
 *   adagrad   s += g^2;  w -= eta g / (sqrt(s) + eps)                                (2-18)..(2-20)
 *   rmsprop   s = gamma s + (1 - gamma) g^2;  w -= eta g / (sqrt(s) + eps)           (2-21)..(2-23)
 *   adadelta  s = gamma s + (1 - gamma) g^2;  d = g sqrt(v + eps) / sqrt(s + eps);
 *             v = gamma v + (1 - gamma) d^2;  w -= eta d                             (Zeiler 2012)
 *   adam      v = beta v + (1 - beta) g;  s = gamma s + (1 - gamma) g^2;
 *             w -= eta v / (1 - beta^t) / (sqrt(s / (1 - gamma^t)) + eps)            (2-24)..(2-29)
 * eps stands outside the root, as in common libraries; the thesis has sqrt(s + eps).
 * eta: learning_rate, beta: momentum, gamma: decay, eps: epsilon of the configuration. */
#ifndef RELUOPT_RULES_H
#define RELUOPT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reluopt/array.h"
#include "reluopt/config.h"

/* What a rule remembers of `count` weights; NULL where it does not. */
typedef struct RuleState {
    Update rule;
    size_t count;
    float *first;  /* count  v */
    float *second; /* count  s */
} RuleState;

/* State of the rule for `count` weights, zero.  RELUOPT_MEMORY; free it then too.  Not collective. */
int reluopt_rule_create(RuleState *state, Update rule, size_t count, Error *error);
void reluopt_rule_free(RuleState *state);

/* Step number t of the weights w along the gradient g (count values each), with the rates of a resolved
 * configuration.  Is all of w finite afterwards?  Not collective. */
bool reluopt_rule_step(RuleState *state, const Config *config, float *w, const float *g, uint64_t t);

/* What the rule remembers, for the checkpoint: up to 2 arrays of the shape of `weights`, called after it
 * ("W1.first", "W1.second").  Returns how many, fills `list` unless NULL. */
size_t reluopt_rule_arrays(const RuleState *state, const Array *weights, Array *list);

#endif
