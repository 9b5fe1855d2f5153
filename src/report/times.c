/* times.c - the table of times of a report. */
#include <math.h>
#include <stdbool.h>

#include "reluopt/markup.h"
#include "reluopt/tables.h"

/* Mean of the ranks, share of the run's total as a bar, and the longest rank's where they differ. */
static void put_phase(FILE *out, const Phases *phases, const PhaseTime *phase)
{
    if (!phase || !(phase->most > 0)) {
        fputs("<td class=\"phase\">–</td>", out);
        return;
    }
    double share = 100 * phase->mean / phases->total;
    fprintf(out, "<td class=\"phase\"><span class=\"bar\" style=\"width:%.1f%%\"></span>", share);
    reluopt_put_seconds(out, phase->mean);
    fprintf(out, " <span class=\"extra\">%.1f %%", share);
    if (phase->most > 1.001 * phase->least) {
        fputs(", longest ", out);
        reluopt_put_seconds(out, phase->most);
    }
    fputs("</span></td>", out);
}

static bool is_spent(const Report *report, const char *name)
{
    for (size_t r = 0; r < report->count; r++) {
        const PhaseTime *phase = reluopt_phases_find(&report->run[r].phases, name);
        if (phase && phase->most > 0)
            return true;
    }
    return false;
}

static void put_total(FILE *out, const Report *report)
{
    fputs("<tr><th>total</th>", out);
    for (size_t r = 0; r < report->count; r++) {
        fputs("<td class=\"phase\">", out);
        if (report->run[r].phases.count)
            reluopt_put_seconds(out, report->run[r].phases.total);
        else
            fputs("–", out);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void put_head(FILE *out, const Report *report)
{
    fputs("<thead><tr><th>Phase</th>", out);
    for (size_t r = 0; r < report->count; r++) {
        fputs("<th>", out);
        reluopt_put_run_name(out, &report->run[r]);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

/* All programs write the same phases in the same order; take the first run that has them. */
static const Phases *first_phases(const Report *report)
{
    for (size_t r = 0; r < report->count; r++)
        if (report->run[r].phases.count)
            return &report->run[r].phases;
    return NULL;
}

void reluopt_table_times(FILE *out, const Report *report)
{
    const Phases *phases = first_phases(report);
    if (!phases) {
        fputs("<p>Not known: the summary of a finished run has it.</p>\n", out);
        return;
    }
    fputs("<div class=\"scroll\"><table>\n", out);
    put_head(out, report);
    fputs("<tbody>\n", out);
    for (size_t i = 0; i < phases->count; i++) {
        const char *name = phases->phase[i].name;
        if (!is_spent(report, name))
            continue;
        fputs("<tr><th>", out);
        reluopt_markup_text(out, name);
        fputs("</th>", out);
        for (size_t r = 0; r < report->count; r++)
            put_phase(out, &report->run[r].phases, reluopt_phases_find(&report->run[r].phases, name));
        fputs("</tr>\n", out);
    }
    put_total(out, report);
    fputs("</tbody></table></div>\n", out);
}
