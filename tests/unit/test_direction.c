/* test_direction.c - the centred and whitened directions against the explicit steps in such coordinates, done
 * in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../uniform.h"
#include "reluopt/dense.h"
#include "reluopt/direction.h"
#include "reluopt/layer.h"

enum { M = 5, N = 11, B = 23 };

/* h: (N + 1) x B with its row of ones; r: residuals, some of them 0 (off the Pos set). */
typedef struct Problem {
    float h[(N + 1) * B], r[M * B], w[M * (N + 1)];
    float mean[N], g[M * (N + 1)], d[M * B];
} Problem;

static void make_problem(Problem *p, double offset)
{
    for (int i = 0; i < N * B; i++)
        p->h[i] = (float)(uniform() + offset);
    reluopt_ones(p->h + N * B, B);
    for (int i = 0; i < M * B; i++)
        p->r[i] = (float)fmax(-0.5, uniform());
    for (int i = 0; i < M * (N + 1); i++)
        p->w[i] = (float)uniform();
}

static void means(Problem *p)
{
    reluopt_row_sums(p->mean, p->h, N, B);
    for (int i = 0; i < N; i++)
        p->mean[i] /= B;
}

/* As the method does it: G = R [H; 1]', centred, D = G [H; 1]. */
static void centred_direction(Problem *p)
{
    reluopt_product_nt(p->g, N + 1, p->r, p->h, M, N + 1, B);
    means(p);
    reluopt_centre(p->g, p->mean, M, N);
    reluopt_product(p->d, p->g, N + 1, p->h, M, B, N + 1);
}

/* The step of algorithm.md, "Direction": G = R (H - mu 1')', g_b = R 1, D = G (H - mu 1') + g_b 1'. */
typedef struct Explicit {
    double mu[N], g[M][N], bias[M], d[M][B];
} Explicit;

static double centred_input(const Problem *p, const Explicit *e, int i, int k)
{
    return p->h[i * B + k] - e->mu[i];
}

static void explicit_direction(const Problem *p, Explicit *e)
{
    memset(e, 0, sizeof *e);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < B; k++)
            e->mu[i] += (double)p->h[i * B + k] / B;
    for (int j = 0; j < M; j++) {
        for (int k = 0; k < B; k++) {
            e->bias[j] += p->r[j * B + k];
            for (int i = 0; i < N; i++)
                e->g[j][i] += p->r[j * B + k] * centred_input(p, e, i, k);
        }
        for (int k = 0; k < B; k++) {
            e->d[j][k] = e->bias[j];
            for (int i = 0; i < N; i++)
                e->d[j][k] += e->g[j][i] * centred_input(p, e, i, k);
        }
    }
}

static void assert_close(double x, double expected, double tolerance)
{
    if (!(fabs(x - expected) <= tolerance))
        print_error("%.9g, expected %.9g within %.1e\n", x, expected, tolerance);
    assert_true(fabs(x - expected) <= tolerance);
}

/* W -= rho G and b -= rho g_b - rho G mu, for any rho, is W - rho (what reluopt_centre made).  Rounding grows
 * with the offset of the inputs, which the step has to cancel. */
static void step_equals_the_explicit_one(void **state)
{
    (void)state;
    static Problem p;
    static Explicit e;
    for (double offset = 0; offset <= 4; offset += 1) {
        make_problem(&p, offset);
        centred_direction(&p);
        explicit_direction(&p, &e);
        for (int j = 0; j < M; j++) {
            double carried = 0;
            for (int i = 0; i < N; i++) {
                assert_close(p.g[j * (N + 1) + i], e.g[j][i], 3e-5);
                carried += e.g[j][i] * e.mu[i];
            }
            assert_close(p.g[j * (N + 1) + N], e.bias[j] - carried, 1e-4 * (1 + offset));
        }
    }
}

static void d_is_that_of_centred_coordinates(void **state)
{
    (void)state;
    static Problem p;
    static Explicit e;
    for (double offset = 0; offset <= 4; offset += 1) {
        make_problem(&p, offset);
        centred_direction(&p);
        explicit_direction(&p, &e);
        for (int j = 0; j < M; j++)
            for (int k = 0; k < B; k++)
                assert_close(p.d[j * B + k], e.d[j][k], 2e-4 * (1 + offset));
    }
}

/* The network after the step is the one whose centred form z = w (h - mu) + b' moved by (G, g_b). */
static void outputs_move_as_in_centred_coordinates(void **state)
{
    (void)state;
    static Problem p;
    static Explicit e;
    const double rho = 0.01;
    make_problem(&p, 2);
    centred_direction(&p);
    explicit_direction(&p, &e);
    for (int j = 0; j < M; j++)
        for (int k = 0; k < B; k++) {
            double moved = 0, centred = p.w[j * (N + 1) + N] - rho * e.bias[j];
            for (int i = 0; i < N; i++) { /* b' = b + w mu */
                double w = p.w[j * (N + 1) + i];
                centred += (w - rho * e.g[j][i]) * centred_input(&p, &e, i, k) + w * e.mu[i];
            }
            for (int i = 0; i <= N; i++)
                moved += (p.w[j * (N + 1) + i] - rho * p.g[j * (N + 1) + i]) * p.h[i * B + k];
            assert_close(moved, centred, 1e-5);
        }
}

static void zero_mean_inputs_change_nothing(void **state)
{
    (void)state;
    static Problem p;
    float plain[M * (N + 1)];
    make_problem(&p, 0);
    for (int i = 0; i < N; i++) { /* pairs of opposite samples, the last one 0 */
        for (int k = 0; k + 1 < B; k += 2)
            p.h[i * B + k + 1] = -p.h[i * B + k];
        p.h[i * B + B - 1] = 0;
    }
    reluopt_product_nt(plain, N + 1, p.r, p.h, M, N + 1, B);
    centred_direction(&p);
    for (int i = 0; i < M * (N + 1); i++)
        assert_close(p.g[i], plain[i], 1e-5);
}

/* Moving all inputs by a constant does not change how outputs move (the plain direction lacks this). */
static void offset_of_the_inputs_does_not_matter(void **state)
{
    (void)state;
    static Problem p, shifted;
    make_problem(&p, 0.5);
    shifted = p;
    for (int i = 0; i < N * B; i++)
        shifted.h[i] += 3;
    centred_direction(&p);
    centred_direction(&shifted);
    for (int i = 0; i < M * B; i++)
        assert_close(shifted.d[i], p.d[i], 1e-3);
}

/* ---- Whitened: the centred step in coordinates x = A (h - mu), with P = A' A ---- */

/* P = A' A in float, from a random A (or a diagonal one). */
static void make_inverse(double a[N][N], bool diagonal, float *inverse)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            a[i][k] = diagonal && i != k ? 0 : uniform() + (i == k);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            double p = 0;
            for (int l = 0; l < N; l++)
                p += a[l][i] * a[l][k];
            if (!diagonal)
                inverse[i * N + k] = (float)p;
            else if (i == k)
                inverse[i] = (float)p;
        }
}

/* The gradient for v in z = v x + b' is R x'; a step of v moves w = v A.  D is what x and the bias make of it.
 */
static void explicit_whitened(const Problem *p, double a[N][N], Explicit *e)
{
    explicit_direction(p, e);
    for (int j = 0; j < M; j++) {
        double v[N] = {0};
        for (int i = 0; i < N; i++)
            for (int l = 0; l < N; l++)
                v[i] += a[i][l] * e->g[j][l];
        for (int i = 0; i < N; i++) {
            e->g[j][i] = 0;
            for (int l = 0; l < N; l++)
                e->g[j][i] += v[l] * a[l][i];
        }
        for (int k = 0; k < B; k++) {
            e->d[j][k] = e->bias[j];
            for (int i = 0; i < N; i++)
                e->d[j][k] += e->g[j][i] * centred_input(p, e, i, k);
        }
    }
}

static void assert_whitened(const Problem *p, const Explicit *e, double tolerance)
{
    for (int j = 0; j < M; j++) {
        double carried = 0;
        for (int i = 0; i < N; i++) {
            assert_close(p->g[j * (N + 1) + i], e->g[j][i], tolerance);
            carried += e->g[j][i] * e->mu[i];
        }
        assert_close(p->g[j * (N + 1) + N], e->bias[j] - carried, 10 * tolerance);
        for (int k = 0; k < B; k++)
            assert_close(p->d[j * B + k], e->d[j][k], 10 * tolerance);
    }
}

static void whitened_step_is_the_centred_one_in_other_coordinates(void **state)
{
    (void)state;
    static Problem p;
    static Explicit e;
    float inverse[N * N], scratch[M * N];
    double a[N][N];
    for (int c = 0; c < 20; c++) {
        bool diagonal = c % 2;
        make_problem(&p, c % 3);
        make_inverse(a, diagonal, inverse);
        reluopt_product_nt(p.g, N + 1, p.r, p.h, M, N + 1, B);
        means(&p);
        Symmetric symmetric = {.form = diagonal ? SYMMETRIC_DIAGONAL : SYMMETRIC_WHOLE,
                               .n = N,
                               .c = diagonal ? 1 : N,
                               .part = inverse};
        reluopt_whiten(p.g, p.mean, &symmetric, M, scratch);
        reluopt_product(p.d, p.g, N + 1, p.h, M, B, N + 1);
        explicit_whitened(&p, a, &e);
        assert_whitened(&p, &e, 3e-4);
    }
}

static void no_rows_and_no_inputs(void **state)
{
    (void)state;
    float g[3] = {1, 2, 3};
    const float mean[2] = {5, 5};
    reluopt_centre(g, mean, 0, 2);
    reluopt_centre(g, mean, 3, 0); /* bias only */
    for (SymmetricForm form = SYMMETRIC_WHOLE; form <= SYMMETRIC_LOW_RANK; form++)
        reluopt_whiten(g, mean, &(Symmetric){.form = form, .n = 2, .c = 1}, 0, NULL);
    assert_true(g[0] == 1 && g[1] == 2 && g[2] == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_equals_the_explicit_one),
        cmocka_unit_test(d_is_that_of_centred_coordinates),
        cmocka_unit_test(outputs_move_as_in_centred_coordinates),
        cmocka_unit_test(zero_mean_inputs_change_nothing),
        cmocka_unit_test(offset_of_the_inputs_does_not_matter),
        cmocka_unit_test(whitened_step_is_the_centred_one_in_other_coordinates),
        cmocka_unit_test(no_rows_and_no_inputs),
    };
    return cmocka_run_group_tests_name("direction", tests, NULL, NULL);
}
