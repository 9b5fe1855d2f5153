/* bench_report.c - what a benchmark found, as text and as JSON. */
#include "reluopt/bench.h"
#include "reluopt/dense.h"
#include "reluopt/version.h"

static double total_flops(const Bench *bench)
{
    double sum = 0;
    for (int i = 0; i < PHASES; i++)
        sum += bench->flops[i];
    return sum;
}

static double share_of_peak(const Bench *bench)
{
    return total_flops(bench) / bench->median / bench->peak;
}

static void print_heading(FILE *out, const Run *run, const Bench *bench)
{
    const Config *config = &run->config;
    const Comm *comm = run->comm;
    fprintf(out, "%s: method %s (%s), np %d, grid %dx%d, BLAS kernel %s\n", RELUOPT_PROGRAM, config->method,
            reluopt_config_choice("variant", config->variant), comm->size, comm->data.size, comm->neurons.size,
            reluopt_dense_kernel());
    fprintf(out, "network %zu", run->features);
    for (int i = 0; i < config->hidden; i++)
        fprintf(out, "-%d", config->network[i]);
    fprintf(out, "-%zu, batch %zu, data %s; %d steps after %d\n\n", run->classes, run->feed.room,
            config->data.name, bench->steps, RELUOPT_BENCH_WARM);
}

void reluopt_bench_print(FILE *out, const Run *run, const Bench *bench)
{
    print_heading(out, run, bench);
    fprintf(out, "step        %.3f ms median, %.3f ms least; %.0f samples/s\n", 1e3 * bench->median,
            1e3 * bench->least, (double)run->feed.room / bench->median);
    fprintf(out, "work        %.3f GFLOP, %.1f GFLOP/s: %.1f%% of the FMA peak, %.1f GFLOP/s\n",
            1e-9 * total_flops(bench), 1e-9 * total_flops(bench) / bench->median, 100 * share_of_peak(bench),
            1e-9 * bench->peak);
    for (int i = 0; i < TRAFFICS; i++)
        if (bench->calls[i] > 0)
            fprintf(out, "%-10s  %.1f calls a step, %.3f MB on all ranks\n", reluopt_traffic_name((Traffic)i),
                    bench->calls[i], 1e-6 * bench->bytes[i]);
    fprintf(out,
            "memory      %.1f to %.1f MB a rank for network, method and batches; %.1f MB resident at most\n",
            1e-6 * bench->allocated.least, 1e-6 * bench->allocated.most, 1e-6 * bench->resident.most);
    fprintf(out, "evaluation  %.0f samples/s\n\n", bench->evaluated);
    reluopt_times_print(out, &bench->times, 1e3 / bench->steps, "ms a step");
}

/* The member "grid": [DATA, NEURONS]. */
static void put_grid(Json *json, const Comm *comm)
{
    reluopt_json_list(json, "grid");
    reluopt_json_integer(json, NULL, comm->data.size);
    reluopt_json_integer(json, NULL, comm->neurons.size);
    reluopt_json_close(json);
}

static void put_setting(Json *json, const Run *run)
{
    const Config *config = &run->config;
    reluopt_json_text(json, "program", RELUOPT_PROGRAM);
    reluopt_json_text(json, "kernel", reluopt_dense_kernel());
    reluopt_json_text(json, "method", config->method);
    reluopt_json_text(json, "variant", reluopt_config_choice("variant", config->variant));
    reluopt_json_integer(json, "np", run->comm->size);
    put_grid(json, run->comm);
    reluopt_json_text(json, "data", config->data.name);
    reluopt_json_list(json, "network");
    reluopt_json_integer(json, NULL, (int64_t)run->features);
    for (int i = 0; i < config->hidden; i++)
        reluopt_json_integer(json, NULL, config->network[i]);
    reluopt_json_integer(json, NULL, (int64_t)run->classes);
    reluopt_json_close(json);
    reluopt_json_integer(json, "batch", (int64_t)run->feed.room);
}

static void put_counts(Json *json, const Bench *bench)
{
    reluopt_json_object(json, "flops_per_step");
    reluopt_json_real(json, "total", total_flops(bench));
    for (int i = 0; i < PHASES; i++)
        if (bench->flops[i] > 0)
            reluopt_json_real(json, reluopt_phase_name((Phase)i), bench->flops[i]);
    reluopt_json_close(json);
    reluopt_json_object(json, "messages_per_step");
    for (int i = 0; i < TRAFFICS; i++) {
        reluopt_json_object(json, reluopt_traffic_name((Traffic)i));
        reluopt_json_real(json, "calls", bench->calls[i]);
        reluopt_json_real(json, "bytes", bench->bytes[i]);
        reluopt_json_close(json);
    }
    reluopt_json_close(json);
}

void reluopt_bench_put(FILE *out, const Run *run, const Bench *bench)
{
    Json json = {.out = out};
    reluopt_json_object(&json, NULL);
    put_setting(&json, run);
    reluopt_json_integer(&json, "steps", bench->steps);
    reluopt_json_real(&json, "median_step_seconds", bench->median);
    reluopt_json_real(&json, "least_step_seconds", bench->least);
    reluopt_json_real(&json, "samples_per_second", (double)run->feed.room / bench->median);
    put_counts(&json, bench);
    reluopt_json_real(&json, "peak_flops_per_second", bench->peak);
    reluopt_json_real(&json, "share_of_peak", share_of_peak(bench));
    reluopt_spread_put(&json, "allocated_bytes", bench->allocated);
    reluopt_spread_put(&json, "resident_bytes", bench->resident);
    reluopt_json_real(&json, "evaluated_samples_per_second", bench->evaluated);
    reluopt_times_put(&json, &bench->times);
    reluopt_json_close(&json);
}
