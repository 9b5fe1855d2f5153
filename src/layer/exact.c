/* exact.c - the step at which the loss along the ray is least, through all kinks; docs/algorithm.md derives it.
 *
 * Half the slope of the loss sum_k (f(z - rho d) - t)^2 is a rho - b, with a = sum d^2 and b = sum d (z - t)
 * over the samples active at rho.  Samples that leave and samples that enter are summed apart, so that sums
 * only grow and the slope is exactly 0 where none is active. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "reluopt/anchor.h"
#include "reluopt/rates.h"

/* No minimiser lies beyond this step if the loss is `least` somewhere: beyond it, the samples that stay active
 * from 0 on, with those that never are, lose more. */
static float reach(const float *z, const float *d, const float *t, size_t columns, double least)
{
    double a = 0, b = 0, c = 0;
#pragma omp simd reduction(+ : a, b, c)
    for (size_t k = 0; k < columns; k++) {
        bool active = z[k] > 0, changes = (active & (d[k] > 0)) | (!active & (d[k] < 0));
        double speed = (active & !changes) ? d[k] : 0, e = (double)(active ? z[k] : 0) - t[k];
        a += speed * speed;
        b += speed * e;
        c += changes ? 0 : e * e;
    }
    double far = (b + sqrt(fmax(0, b * b + a * (1.000001 * least - c)))) / a;
    return far < FLT_MAX ? (float)far : FLT_MAX;
}

/* Does the sample leave (z > 0) or enter the Pos set at a step in [from, end)? */
static inline bool has_kink(float z, float d, float from, float end)
{
    bool moves = ((z > 0) & (d > 0)) | ((z <= 0) & (d < 0));
    float size = fabsf(z), speed = fabsf(d);
    return moves & (size >= from * speed) & (size < end * speed);
}

/* Is the sample active at every step in [from, end)? */
static inline bool is_active(float z, float d, float from, float end)
{
    float size = fabsf(z), speed = fabsf(d);
    return ((z > 0) & ((d <= 0) | (size >= end * speed))) | ((z <= 0) & (d < 0) & (size < from * speed));
}

/* a and b of the samples active at every step in [from, end), as steps from `from`. */
static void sum_active(const float *z, const float *d, const float *t, bool linear, size_t columns, float from,
                       float end, double sum[2])
{
    double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
    for (size_t k = 0; k < columns; k++) {
        double speed = (linear | is_active(z[k], d[k], from, end)) ? d[k] : 0;
        a += speed * speed;
        b += speed * (z[k] - (double)from * d[k] - t[k]);
    }
    sum[0] = a;
    sum[1] = b;
}

/* The kinks in [from, end), in the order of the samples; how many. */
static size_t find_kinks(const float *z, const float *d, size_t columns, float from, float end, Kink *kinks)
{
    enum { BLOCK = 64 };
    size_t count = 0;
    for (size_t first = 0; first < columns; first += BLOCK) {
        bool found[BLOCK];
        size_t n = columns - first < BLOCK ? columns - first : BLOCK;
        for (size_t k = 0; k < n; k++)
            found[k] = has_kink(z[first + k], d[first + k], from, end);
        for (size_t k = 0; k < n; k++) {
            kinks[count].sample = (uint32_t)(first + k);
            count += found[k];
        }
    }
    for (size_t i = 0; i < count; i++)
        kinks[i].at = fabsf(z[kinks[i].sample] / d[kinks[i].sample]);
    return count;
}

/* Floats >= 0 sort as their bits do. */
static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline uint32_t digit(Kink kink, int place)
{
    return bits_of(kink.at) >> 8 * place & 255;
}

/* Sort by position in O(count), digit by digit from the lowest; `spare` has room for as many. */
static void sort_kinks(Kink *kinks, Kink *spare, size_t count)
{
    uint32_t start[257][4] = {{0}};
    for (size_t i = 0; i < count; i++)
        for (int place = 0; place < 4; place++)
            start[digit(kinks[i], place) + 1][place]++;
    for (int i = 0; i < 256; i++)
        for (int place = 0; place < 4; place++)
            start[i + 1][place] += start[i][place];
    for (int place = 0; place < 4; place++) {
        for (size_t i = 0; i < count; i++)
            spare[start[digit(kinks[i], place)][place]++] = kinks[i];
        Kink *other = kinks;
        kinks = spare;
        spare = other;
    }
}

/* Leave in each kink its place in double and the a and b of all samples that leave there or later. */
static void sum_leavers(const float *z, const float *d, const float *t, Kink *kinks, size_t count)
{
    double a = 0, b = 0;
    for (size_t i = count; i-- > 0;) {
        size_t k = kinks[i].sample;
        double speed = d[k] > 0 ? d[k] : 0;
        a += speed * speed;
        b += speed * ((double)z[k] - t[k]);
        kinks[i].place = fabs(z[k] / (double)d[k]);
        kinks[i].a = a;
        kinks[i].b = b;
    }
}

/* The least loss on the way from kink to kink, with the minimum of each piece; a and b belong to what is active
 * all the way to `end`.  kinks[count] ends the list.  Smallest step where several are least. */
static double walk(const float *z, const float *d, const float *t, const Kink *kinks, size_t count, double a,
                   double b)
{
    double at = 0, loss = 0, best = 0, rate = 0; /* losses minus that at 0 */
    for (size_t i = 0; i <= count; i++) {
        double sum_a = a + kinks[i].a, sum_b = b + kinks[i].b, next = kinks[i].place;
        double slope = sum_a * at - sum_b, slope_next = sum_a * next - sum_b;
        if (slope < 0 && slope_next > 0 && loss + slope * (sum_b / sum_a - at) < best) {
            rate = sum_b / sum_a;
            best = loss + slope * (rate - at);
        }
        loss += (slope + slope_next) * (next - at);
        if (loss < best) {
            rate = next;
            best = loss;
        }
        at = next;
        size_t k = kinks[i].sample;
        double speed = d[k] < 0 ? d[k] : 0;
        a += speed * speed;
        b += speed * ((double)z[k] - t[k]);
    }
    return rate;
}

float reluopt_rate_exact(const float *z, const float *d, const float *t, bool linear, size_t columns, float opt,
                         Kink *kinks)
{
    if (linear)
        return opt;
    double at_0 = reluopt_loss_at(z, d, t, linear, columns, 0);
    double at_opt = reluopt_loss_at(z, d, t, linear, columns, opt), least = fmin(at_0, at_opt);
    float end = reach(z, d, t, columns, least);
    size_t count = find_kinks(z, d, columns, 0, end, kinks);
    sort_kinks(kinks, kinks + columns + 1, count);
    sum_leavers(z, d, t, kinks, count);
    kinks[count] = (Kink){.place = end};
    double active[2];
    sum_active(z, d, t, linear, columns, 0, end, active);
    double exact = walk(z, d, t, kinks, count, active[0], active[1]);
    float rate = (float)exact;
    if (rate < exact)
        rate = nextafterf(rate, INFINITY); /* upwards, so that a sample that was to leave does */
    if (reluopt_loss_at(z, d, t, linear, columns, rate) <= least)
        return rate;
    return at_opt < at_0 ? opt : 0; /* what is gained is less than the rounding of the rate */
}

/* The step at the left edge of bin i, or of the bin after the last. */
static float edge(KinkBracket bracket, uint32_t i)
{
    uint32_t bits = bracket.low + (i << bracket.shift), most = bits_of(FLT_MAX);
    float x;
    bits = bits < most ? bits : most;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bin_of(Kink kink, KinkBracket bracket)
{
    uint32_t bits = bits_of(kink.at), bin = bits < bracket.low ? 0 : (bits - bracket.low) >> bracket.shift;
    return bin < RELUOPT_BINS ? bin : RELUOPT_BINS - 1; /* rounding may have moved it past an edge */
}

/* Largest size of an addend of each sum; from speed <= size for kinks, so that size >= |y| too. */
KinkAnchors reluopt_kink_anchors(const double largest[3], KinkBracket bracket, size_t count)
{
    double size = largest[0], speed = largest[1], target = largest[2], moved = edge(bracket, 0) * speed;
    return (KinkAnchors){{reluopt_anchor(speed * speed, count),
                          reluopt_anchor(speed * (size + moved + target), count),
                          reluopt_anchor(size * (size + 2 * target), count)}};
}

void reluopt_bin_kinks(KinkBins *bins, const float *z, const float *d, const float *t, bool linear,
                       size_t columns, KinkBracket bracket, KinkAnchors anchors, Kink *kinks)
{
    float from = edge(bracket, 0), end = edge(bracket, RELUOPT_BINS);
    const double *anchor = anchors.of;
    double active[2];
    sum_active(z, d, t, linear, columns, from, end, active);
    bins->active[0] += reluopt_anchored(active[0], anchor[0]);
    bins->active[1] += reluopt_anchored(active[1], anchor[1]);
    size_t count = linear ? 0 : find_kinks(z, d, columns, from, end, kinks);
    for (size_t i = 0; i < count; i++) {
        size_t k = kinks[i].sample, bin = bin_of(kinks[i], bracket);
        double *sum = d[k] > 0 ? bins->leave[bin] : bins->enter[bin];
        double speed = d[k], y = z[k] - from * speed;
        sum[0] += reluopt_anchored(speed * speed, anchor[0]);
        sum[1] += reluopt_anchored(speed * (y - t[k]), anchor[1]);
        sum[2] += reluopt_anchored(y * (y - 2 * (double)t[k]), anchor[2]);
    }
}

/* Sums over the samples active at each edge: those always active, those yet to leave, those who entered. */
static void sum_bins(const KinkBins *bins, double active[RELUOPT_BINS + 1][3])
{
    for (int s = 0; s < 3; s++) {
        double leave = 0, enter = 0;
        active[RELUOPT_BINS][s] = bins->active[s];
        for (int i = RELUOPT_BINS - 1; i >= 0; i--) {
            leave += bins->leave[i][s];
            active[i][s] = bins->active[s] + leave;
        }
        for (int i = 0; i < RELUOPT_BINS; i++) {
            enter += bins->enter[i][s];
            active[i + 1][s] += enter;
        }
    }
}

/* The bin beside the edge with the least loss, on the side to which the loss falls. */
static uint32_t best_bin(double active[RELUOPT_BINS + 1][3], KinkBracket bracket)
{
    uint32_t best = 0;
    double least = INFINITY;
    for (uint32_t i = 0; i <= RELUOPT_BINS; i++) {
        const double *sum = active[i];
        double on = (double)edge(bracket, i) - edge(bracket, 0), slope = sum[0] * on - sum[1];
        double loss = (slope - sum[1]) * on + sum[2];
        if (loss < least) {
            least = loss;
            best = slope < 0 || i == 0 ? i : i - 1;
        }
    }
    return best < RELUOPT_BINS ? best : RELUOPT_BINS - 1;
}

bool reluopt_narrow(const KinkBins *bins, KinkBracket *bracket, float *rate)
{
    double active[RELUOPT_BINS + 1][3];
    sum_bins(bins, active);
    uint32_t best = best_bin(active, *bracket);
    if (bracket->shift == 0) {
        const double *sum = active[best + 1];
        double bottom = sum[0] > 0 ? edge(*bracket, 0) + sum[1] / sum[0] : 0;
        *rate = (float)fmin(fmax(bottom, edge(*bracket, best)), edge(*bracket, best + 1));
        return false;
    }
    bracket->low += best << bracket->shift;
    bracket->shift = bracket->shift > 8 ? bracket->shift - 8 : 0;
    return true;
}
