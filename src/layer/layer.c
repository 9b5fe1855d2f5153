/* layer.c - activations, targets and residuals of one layer. */
#include "reluopt/layer.h"

#include <math.h>

void reluopt_relu(float *h, const float *z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h[i] = z[i] < 0 ? 0 : z[i];
}

void reluopt_activate(Activation activation, float *h, const float *z, size_t n)
{
    switch (activation) {
    case ACTIVATION_RELU:
        reluopt_relu(h, z, n);
        break;
    case ACTIVATION_SIGMOID:
        for (size_t i = 0; i < n; i++)
            h[i] = 1 / (1 + expf(-z[i]));
        break;
    case ACTIVATION_TANH:
        for (size_t i = 0; i < n; i++)
            h[i] = tanhf(z[i]);
        break;
    }
}

size_t reluopt_slope(Activation activation, float *delta, const float *h, size_t n)
{
    size_t active = 0;
    for (size_t i = 0; i < n; i++) {
        float slope = h[i] > 0 ? 1 : 0;
        if (activation == ACTIVATION_SIGMOID)
            slope = h[i] * (1 - h[i]);
        if (activation == ACTIVATION_TANH)
            slope = 1 - h[i] * h[i];
        active += slope != 0;
        delta[i] *= slope;
    }
    return active;
}

bool reluopt_is_finite(const float *x, size_t n)
{
    float sum = 0; /* x - x is 0 or NaN */
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i] - x[i];
    return sum == 0;
}

void reluopt_ones(float *x, size_t columns)
{
    for (size_t k = 0; k < columns; k++)
        x[k] = 1;
}

size_t reluopt_largest(const float *h, size_t classes, size_t columns, size_t k)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (h[c * columns + k] > h[best * columns + k])
            best = c;
    return best;
}

void reluopt_cross_entropy(const float *h, const int *label, size_t classes, size_t columns, Score *score,
                           float *delta)
{
    for (size_t k = 0; k < columns; k++) {
        size_t best = reluopt_largest(h, classes, columns, k), y = (size_t)label[k];
        double top = h[best * columns + k], sum = 0;
        for (size_t c = 0; c < classes; c++)
            sum += exp(h[c * columns + k] - top);
        for (size_t c = 0; delta && c < classes; c++)
            delta[c * columns + k] = (float)(exp(h[c * columns + k] - top) / sum) - (c == y ? 1.0f : 0.0f);
        score->loss += log(sum) - (h[y * columns + k] - top);
        score->right += best == y;
    }
    score->count += columns;
}

void reluopt_probabilities(Loss loss, float *p, const float *h, size_t classes, size_t columns)
{
    for (size_t k = 0; k < columns; k++) {
        double top = h[reluopt_largest(h, classes, columns, k) * columns + k], sum = 0;
        for (size_t c = 0; c < classes; c++)
            sum += exp(h[c * columns + k] - top);
        for (size_t c = 0; c < classes; c++) {
            float output = h[c * columns + k];
            p[k * classes + c] = loss == LOSS_MSE ? output : (float)(exp(output - top) / sum);
        }
    }
}

void reluopt_squared_error(const float *h, const int *label, size_t classes, size_t columns, Score *score,
                           float *delta)
{
    for (size_t k = 0; k < columns; k++) {
        size_t y = (size_t)label[k];
        for (size_t c = 0; c < classes; c++) {
            float e = h[c * columns + k] - (c == y ? 1.0f : 0.0f);
            score->loss += (double)e * e;
            if (delta)
                delta[c * columns + k] = 2 * e;
        }
        score->right += reluopt_largest(h, classes, columns, k) == y;
    }
    score->count += columns;
}

void reluopt_loss(Loss loss, const float *h, const int *label, size_t classes, size_t columns, Score *score,
                  float *delta)
{
    if (loss == LOSS_MSE)
        reluopt_squared_error(h, label, classes, columns, score, delta);
    else
        reluopt_cross_entropy(h, label, classes, columns, score, delta);
}

void reluopt_output_target(float *t, const float *h, const float *delta, float alpha, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t[i] = h[i] - alpha * delta[i];
}

void reluopt_difference_target(float *t, const float *h, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t[i] = h[i] + a[i] - b[i];
}

void reluopt_gated_target(float *t, const float *h, const float *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t[i] = h[i] + (h[i] > 0 ? a[i] : 0);
}

size_t reluopt_residual(float *r, const float *z, const float *t, bool linear, size_t n)
{
    if (linear) {
        for (size_t i = 0; i < n; i++)
            r[i] = z[i] - t[i];
        return n;
    }
    size_t active = 0;
    for (size_t i = 0; i < n; i++) {
        r[i] = z[i] > 0 ? z[i] - t[i] : 0;
        active += z[i] > 0;
    }
    return active;
}

void reluopt_row_sums(float *sums, const float *h, size_t n, size_t columns)
{
    for (size_t j = 0; j < n; j++) {
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t k = 0; k < columns; k++)
            sum += h[j * columns + k];
        sums[j] = sum;
    }
}

void reluopt_moments(const float *h, size_t n, double moments[2])
{
    double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum, squares)
    for (size_t i = 0; i < n; i++) {
        sum += h[i];
        squares += (double)h[i] * h[i];
    }
    moments[0] = sum;
    moments[1] = squares;
}

float reluopt_deviation_of(const double moments[2], size_t n)
{
    double mean = moments[0] / (double)n, variance = moments[1] / (double)n - mean * mean;
    return variance > 0 ? (float)sqrt(variance) : 0;
}

float reluopt_deviation(const float *h, size_t n)
{
    double moments[2];
    reluopt_moments(h, n, moments);
    return reluopt_deviation_of(moments, n);
}
