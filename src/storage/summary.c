/* summary.c - the outcome of a run in figures, as a small JSON file. */
#include "reluopt/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reluopt/disk.h"

void reluopt_summary_put(Json *json, const Summary *s)
{
    reluopt_json_integer(json, "epochs", s->epochs);
    reluopt_json_integer(json, "steps", s->steps);
    reluopt_json_integer(json, "np", s->np);
    reluopt_json_real(json, "seconds", s->seconds);
    reluopt_json_real(json, "samples_per_second", s->samples_per_second);
    reluopt_json_real(json, "train_loss", s->train_loss);
    reluopt_json_real(json, "train_accuracy", s->train_accuracy);
    reluopt_json_real(json, "test_loss", s->test_loss);
    reluopt_json_real(json, "test_accuracy", s->test_accuracy);
    reluopt_json_real(json, "best_test_accuracy", s->best_test_accuracy);
    if (s->epoch_of_full_train_accuracy > 0)
        reluopt_json_integer(json, "epoch_of_full_train_accuracy", s->epoch_of_full_train_accuracy);
    else
        reluopt_json_real(json, "epoch_of_full_train_accuracy", NAN);
    reluopt_times_put(json, &s->times);
}

static void put_file(FILE *out, const Summary *summary)
{
    Json json = {.out = out, .lines = true};
    reluopt_json_object(&json, NULL);
    reluopt_summary_put(&json, summary);
    reluopt_json_close(&json);
}

int reluopt_summary_write(const Summary *summary, const char *path, Error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        put_file(out, summary);
    if (!out || fclose(out) != 0)
        reluopt_fail(error, RELUOPT_MEMORY, "out of memory for %s", path);
    reluopt_storage_replace(path, (Image){text, size}, error);
    free(text);
    return error->code;
}
