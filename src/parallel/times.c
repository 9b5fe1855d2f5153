/* times.c - where the time of all ranks went. */
#include "reluopt/times.h"

#include <math.h>

Spread reluopt_spread(const Comm *comm, double value)
{
    float edge[2] = {(float)value, (float)-value}; /* one minimum finds both ends */
    double sum = value;
    reluopt_comm_min(comm, edge, 2);
    reluopt_comm_sum(comm, &sum, 1);
    return (Spread){edge[0], sum / comm->size, -edge[1]};
}

Tally reluopt_times_start(const Comm *comm)
{
    reluopt_comm_settle_waiting(comm);
    return reluopt_tally();
}

Times reluopt_times(const Comm *comm, const Tally *start)
{
    reluopt_comm_settle_waiting(comm);
    Tally tally = reluopt_tally_since(start);
    Times times = {.ranks = comm->size};
    for (int i = 0; i < PHASES; i++) {
        times.phase[i] = reluopt_spread(comm, tally.seconds[i]);
        times.total += times.phase[i].mean;
    }
    return times;
}

static void print_row(FILE *out, const Times *times, Phase phase, double unit)
{
    Spread s = times->phase[phase];
    if (!(s.most > 0))
        return;
    fprintf(out, "%-12s %12.3f %7.1f%%", reluopt_phase_name(phase), unit * s.mean, 100 * s.mean / times->total);
    double imbalance = fmax(s.most / s.mean - 1, 0); /* the mean is rounded */
    if (times->ranks > 1)
        fprintf(out, " %12.3f %12.3f %9.1f%%", unit * s.least, unit * s.most, 100 * imbalance);
    fputc('\n', out);
}

void reluopt_times_print(FILE *out, const Times *times, double unit, const char *name)
{
    fprintf(out, "%-12s %12s %8s%s\n", name, "mean", "share",
            times->ranks > 1 ? "        least         most  imbalance" : "");
    for (int i = 1; i <= PHASES; i++)
        print_row(out, times, (Phase)(i % PHASES), unit); /* "other" comes last */
    fprintf(out, "%-12s %12.3f\n", "total", unit * times->total);
}

void reluopt_spread_put(Json *json, const char *name, Spread spread)
{
    reluopt_json_object(json, name);
    reluopt_json_real(json, "least", spread.least);
    reluopt_json_real(json, "mean", spread.mean);
    reluopt_json_real(json, "most", spread.most);
    reluopt_json_close(json);
}

void reluopt_times_put(Json *json, const Times *times)
{
    reluopt_json_object(json, "time");
    reluopt_json_real(json, "total", times->total);
    for (int i = 1; i <= PHASES; i++) {
        Phase phase = (Phase)(i % PHASES);
        reluopt_spread_put(json, reluopt_phase_name(phase), times->phase[phase]);
    }
    reluopt_json_close(json);
}
