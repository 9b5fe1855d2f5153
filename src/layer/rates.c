/* rates.c - Pos sets and the step sizes of a layer's neurons. */
#include "reluopt/rates.h"

#include <math.h>

#include "reluopt/layer.h"

/* r is 0 off the Pos set, d is not. */
static void sums_of_opt(const float *z, const float *d, const float *r, bool linear, size_t columns,
                        float sums[2])
{
    float up = 0, down = 0, edge = linear ? -INFINITY : 0;
#pragma omp simd reduction(+ : up, down)
    for (size_t k = 0; k < columns; k++) {
        float moved = z[k] > edge ? d[k] : 0;
        up += r[k] * moved;
        down += moved * moved;
    }
    sums[0] = up;
    sums[1] = down;
}

/* Of the samples that move towards the edge of the Pos set. */
static float fastest_of(const float *z, const float *d, size_t columns)
{
    float fastest = 0;
#pragma omp simd reduction(max : fastest)
    for (size_t k = 0; k < columns; k++) {
        float speed = z[k] > 0 ? d[k] / z[k] : 0;
        fastest = speed > fastest ? speed : fastest;
    }
    return fastest;
}

void reluopt_rate_sums(const float *z, const float *d, const float *r, bool linear, size_t rows, size_t columns,
                       float *sums, float *fastest)
{
    for (size_t j = 0; j < rows; j++) {
        size_t at = j * columns;
        sums_of_opt(z + at, d + at, r + at, linear, columns, sums + 2 * j);
        fastest[j] = linear ? 0 : fastest_of(z + at, d + at, columns);
    }
}

/* The sign of rho_opt makes a descent step positive. */
void reluopt_rate_bounds(const float *sums, const float *fastest, size_t rows, float *opt, float *online)
{
    for (size_t j = 0; j < rows; j++) {
        float up = sums[2 * j], down = sums[2 * j + 1];
        opt[j] = up > 0 && down > 0 ? up / down : INFINITY;
        online[j] = fastest[j] > 0 ? 1 / fastest[j] : INFINITY;
    }
}

float reluopt_rate(RateRule rule, float opt, float online)
{
    float rate = opt;
    if (rule == RATE_MIN)
        rate = fminf(opt, online);
    if (rule == RATE_ONLINE && isfinite(online))
        rate = online;
    return isfinite(rate) ? rate : 0;
}

/* sum_k (f(z - rho d) - t)^2 */
double reluopt_loss_at(const float *z, const float *d, const float *t, bool linear, size_t columns, float rho)
{
    double loss = 0;
    double floor = linear ? -INFINITY : 0;
#pragma omp simd reduction(+ : loss)
    for (size_t k = 0; k < columns; k++) {
        double moved = z[k] - (double)rho * d[k], e = (moved > floor ? moved : floor) - t[k];
        loss += e * e;
    }
    return loss;
}

void reluopt_trial_losses(const float *z, const float *d, const float *t, bool linear, size_t columns,
                          float start, int trials, double *loss)
{
    loss[0] += reluopt_loss_at(z, d, t, linear, columns, 0);
    for (int i = 0; i < trials; i++)
        loss[1 + i] += reluopt_loss_at(z, d, t, linear, columns, ldexpf(start, -i));
}

bool reluopt_step_rows(float *w, const float *g, const float *rate, size_t rows, size_t columns)
{
    bool finite = true;
    for (size_t j = 0; j < rows; j++) {
        for (size_t k = 0; k < columns; k++)
            w[j * columns + k] -= rate[j] * g[j * columns + k];
        finite &= reluopt_is_finite(w + j * columns, columns); /* while the row is in the cache */
    }
    return finite;
}
