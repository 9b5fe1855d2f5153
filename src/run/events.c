/* events.c - what happens in a run as JSON on standard output, one object a line. */
#include <stdio.h>

#include "reluopt/dense.h"
#include "reluopt/progress.h"
#include "reluopt/version.h"

static Json begin(const char *event)
{
    Json json = {.out = stdout};
    reluopt_json_object(&json, NULL);
    reluopt_json_text(&json, "event", event);
    return json;
}

static void end(Json *json)
{
    reluopt_json_close(json);
    fflush(stdout);
}

void reluopt_event_begin(const Run *run)
{
    const Config *config = &run->config;
    Json json = begin("start");
    reluopt_json_text(&json, "program", RELUOPT_PROGRAM);
    reluopt_json_text(&json, "method", config->method);
    reluopt_json_text(&json, "variant", reluopt_config_choice("variant", config->variant));
    reluopt_json_integer(&json, "np", run->comm->size);
    reluopt_json_text(&json, "kernel", reluopt_dense_kernel());
    reluopt_json_text(&json, "data", config->data.name);
    reluopt_json_integer(&json, "training_samples", (int64_t)run->train_count);
    reluopt_json_integer(&json, "test_samples", (int64_t)run->test_count);
    reluopt_json_list(&json, "network");
    reluopt_json_integer(&json, NULL, (int64_t)run->features);
    for (int i = 0; i < config->hidden; i++)
        reluopt_json_integer(&json, NULL, config->network[i]);
    reluopt_json_integer(&json, NULL, (int64_t)run->classes);
    reluopt_json_close(&json);
    reluopt_json_integer(&json, "epoch", run->epoch);
    reluopt_json_integer(&json, "epochs", config->epochs);
    reluopt_json_text(&json, "folder", run->folder);
    end(&json);
}

void reluopt_event_epoch(const Run *run, const CurvePoint *point, double samples_per_second,
                         double seconds_left)
{
    size_t layers = run->curves.layers;
    Json json = begin("epoch");
    reluopt_json_integer(&json, "epoch", point->epoch);
    reluopt_json_integer(&json, "steps", point->steps);
    reluopt_json_real(&json, "seconds", point->seconds);
    reluopt_json_real(&json, "seconds_left", seconds_left);
    reluopt_json_real(&json, "samples_per_second", samples_per_second);
    reluopt_json_real(&json, "train_loss", point->train_loss);
    reluopt_json_real(&json, "train_accuracy", point->train_accuracy);
    reluopt_json_real(&json, "test_loss", point->test_loss);
    reluopt_json_real(&json, "test_accuracy", point->test_accuracy);
    reluopt_json_real(&json, "alpha", point->alpha);
    reluopt_json_reals(&json, "rate", point->rate, layers);
    reluopt_json_reals(&json, "online_bound", point->online_bound, layers);
    reluopt_json_reals(&json, "active", point->active, layers);
    reluopt_json_reals(&json, "inverse_rate", point->inverse_rate, layers - 1);
    end(&json);
}

void reluopt_event_checkpoint(const Run *run, const char *path)
{
    Json json = begin("checkpoint");
    reluopt_json_integer(&json, "epoch", run->epoch);
    reluopt_json_text(&json, "path", path);
    end(&json);
}

void reluopt_event_end(const Summary *summary)
{
    Json json = begin("end");
    reluopt_summary_put(&json, summary);
    end(&json);
}

void reluopt_event_error(const Error *error)
{
    Json json = begin("error");
    reluopt_json_integer(&json, "code", error->code);
    reluopt_json_text(&json, "message", error->message);
    end(&json);
}
