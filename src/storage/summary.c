/* summary.c - the outcome of a run in figures, as a small JSON file. */
#include "reluopt/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/disk.h"

static void put_integer(FILE *out, const char *name, int64_t value)
{
    fprintf(out, "  \"%s\": %" PRId64 ",\n", name, value);
}

/* The fewest digits, from 6 on, that read back as the same number. */
static void put_real(FILE *out, const char *name, double value)
{
    char digits[32] = "null";
    for (int precision = 6; isfinite(value) && precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    fprintf(out, "  \"%s\": %s,\n", name, digits);
}

static void put_summary(FILE *out, const Summary *s)
{
    fprintf(out, "{\n");
    put_integer(out, "epochs", s->epochs);
    put_integer(out, "steps", s->steps);
    put_integer(out, "np", s->np);
    put_real(out, "seconds", s->seconds);
    put_real(out, "samples_per_second", s->samples_per_second);
    put_real(out, "train_loss", s->train_loss);
    put_real(out, "train_accuracy", s->train_accuracy);
    put_real(out, "test_loss", s->test_loss);
    put_real(out, "test_accuracy", s->test_accuracy);
    put_real(out, "best_test_accuracy", s->best_test_accuracy);
    if (s->epoch_of_full_train_accuracy > 0)
        fprintf(out, "  \"epoch_of_full_train_accuracy\": %" PRId64 "\n}\n", s->epoch_of_full_train_accuracy);
    else
        fprintf(out, "  \"epoch_of_full_train_accuracy\": null\n}\n");
}

int reluopt_summary_write(const Summary *summary, const char *path, Error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        put_summary(out, summary);
    if (!out || fclose(out) != 0)
        reluopt_fail(error, RELUOPT_MEMORY, "out of memory for %s", path);
    reluopt_storage_replace(path, (Image){text, size}, error);
    free(text);
    return error->code;
}
