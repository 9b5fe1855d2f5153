/* times.c - the table of times of a report. */
#include <stdbool.h>

#include "reluopt/tables.h"

/* Mean of the ranks, share of the run's total as a bar, and the longest rank's where they differ. */
static void put_phase(FILE *out, const Times *times, Phase phase)
{
    Spread spread = times->phase[phase];
    if (!(spread.most > 0)) {
        fputs("<td class=\"phase\">–</td>", out);
        return;
    }
    double share = 100 * spread.mean / times->total;
    fprintf(out, "<td class=\"phase\"><span class=\"bar\" style=\"width:%.1f%%\"></span>", share);
    reluopt_put_seconds(out, spread.mean);
    fprintf(out, " <span class=\"extra\">%.1f %%", share);
    if (times->ranks > 1) {
        fputs(", longest ", out);
        reluopt_put_seconds(out, spread.most);
    }
    fputs("</span></td>", out);
}

static bool is_spent(const Report *report, Phase phase)
{
    for (size_t r = 0; r < report->count; r++)
        if (report->run[r].curves.times.phase[phase].most > 0)
            return true;
    return false;
}

static void put_row(FILE *out, const Report *report, Phase phase)
{
    if (!is_spent(report, phase))
        return;
    fprintf(out, "<tr><th>%s</th>", reluopt_phase_name(phase));
    for (size_t r = 0; r < report->count; r++)
        put_phase(out, &report->run[r].curves.times, phase);
    fputs("</tr>\n", out);
}

static void put_total(FILE *out, const Report *report)
{
    fputs("<tr><th>total</th>", out);
    for (size_t r = 0; r < report->count; r++) {
        const Times *times = &report->run[r].curves.times;
        fputs("<td class=\"phase\">", out);
        if (times->ranks > 0)
            reluopt_put_seconds(out, times->total);
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

static bool are_known(const Report *report)
{
    for (size_t r = 0; r < report->count; r++)
        if (report->run[r].curves.times.ranks > 0)
            return true;
    return false;
}

void reluopt_table_times(FILE *out, const Report *report)
{
    if (!are_known(report)) {
        fputs("<p>Not recorded by the program that trained here.</p>\n", out);
        return;
    }
    fputs("<div class=\"scroll\"><table>\n", out);
    put_head(out, report);
    fputs("<tbody>\n", out);
    for (int i = 1; i <= PHASES; i++)
        put_row(out, report, (Phase)(i % PHASES)); /* "other" comes last */
    put_total(out, report);
    fputs("</tbody></table></div>\n", out);
}
