/* model.c - the library: loads a checkpoint and predicts in one process, with the program's own parts. */
#include "reluopt/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reluopt/checkpoint.h"
#include "reluopt/feed.h"
#include "reluopt/layer.h"
#include "reluopt/memory.h"

enum { COLUMNS = 256 }; /* samples predicted at a time */

struct ReluoptModel {
    Comm comm;
    Config config;
    Preprocess pre;
    Schema schema;
    const Method *method;
    void *state;
    Feed feed;
    Samples samples; /* room for COLUMNS of them, and how many there are now */
};

static int report(const Error *error, char *message)
{
    if (error->code && message)
        snprintf(message, RELUOPT_MODEL_MESSAGE, "%s", error->message);
    return error->code;
}

/* Take what the checkpoint says about itself; its preprocessing becomes the model's. */
static int describe(ReluoptModel *model, const char *path, CheckpointMeta *meta, Error *error)
{
    reluopt_config_default(&model->config);
    if (reluopt_config_parse(&model->config, meta->config, strlen(meta->config), path, error) ||
        reluopt_schema_from_text(meta->schema, &model->schema, error))
        return error->code;
    reluopt_config_resolve(&model->config);
    reluopt_config_spare_training(&model->config);
    model->pre = meta->pre;
    meta->pre = (Preprocess){0};
    return RELUOPT_OK;
}

/* Build the network and fill in its weights. */
static int build(ReluoptModel *model, const char *path, const CheckpointMeta *meta, Error *error)
{
    Array arrays[RELUOPT_MAX_ARRAYS];
    Schema *schema = &model->schema;
    Shape shape = reluopt_shape(&model->config, schema->features, schema->classes, COLUMNS);
    model->method = reluopt_method_find(model->config.method, error);
    if (!model->method || reluopt_shape_check(&shape, error) ||
        reluopt_samples_alloc(&model->samples, COLUMNS, schema->features, error) ||
        reluopt_feed_create(&model->feed, &model->comm, schema->features, COLUMNS, error) ||
        model->method->create(&model->state, &model->config, &shape, &model->comm, error))
        return error->code;
    size_t count = model->method->arrays(model->state, arrays);
    return reluopt_checkpoint_read_arrays(&model->comm, path, meta, arrays, count, error)
               ? error->code
               : reluopt_method_check(model->method, model->state, path, error);
}

int reluopt_model_load(ReluoptModel **result, const char *path, char *message)
{
    Error error = {0};
    CheckpointMeta meta = {0};
    ReluoptModel *model = reluopt_alloc(1, sizeof *model, &error);
    *result = NULL;
    if (!model)
        return report(&error, message);
    model->comm = reluopt_comm_alone();
    if (!reluopt_checkpoint_read_meta(&model->comm, path, &meta, &error) &&
        !describe(model, path, &meta, &error) && !build(model, path, &meta, &error))
        *result = model;
    else
        reluopt_model_free(model);
    reluopt_checkpoint_meta_free(&meta);
    return report(&error, message);
}

void reluopt_model_free(ReluoptModel *model)
{
    if (!model)
        return;
    if (model->state)
        model->method->destroy(model->state);
    reluopt_feed_free(&model->feed);
    reluopt_samples_free(&model->samples);
    reluopt_schema_free(&model->schema);
    reluopt_preprocess_free(&model->pre);
    free(model);
}

size_t reluopt_model_features(const ReluoptModel *model)
{
    return model->schema.features;
}

size_t reluopt_model_classes(const ReluoptModel *model)
{
    return model->schema.classes;
}

const char *reluopt_model_class_name(const ReluoptModel *model, size_t class_index)
{
    return class_index < model->schema.classes ? model->schema.class_name[class_index] : NULL;
}

/* Index of the first value that is not finite; `count` where all are. */
static size_t first_bad(const float *x, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(x[i]))
        i++;
    return i;
}

/* Samples first .. first + model->samples.count - 1, which lie in model->samples. */
static int predict_batch(ReluoptModel *model, size_t first, float *probability, Error *error)
{
    Batch batch;
    Samples *s = &model->samples;
    size_t classes = model->schema.classes, bad = first_bad(s->x, s->count * s->features);
    if (bad < s->count * s->features)
        return reluopt_fail(error, RELUOPT_DATA, "sample %zu, feature %zu: %g is not a number to predict from",
                            first + bad / s->features, bad % s->features, (double)s->x[bad]);
    if (reluopt_preprocess_apply(&model->pre, s, error))
        return error->code;
    reluopt_feed_begin(&model->feed, s, NULL, s->count, s->count);
    reluopt_feed_next(&model->feed, &batch);
    const float *h = model->method->predict(model->state, &batch);
    bad = first_bad(h, s->count * classes);
    if (bad < s->count * classes)
        return reluopt_fail(
            error, RELUOPT_NUMERIC,
            "sample %zu: an output of the network is not finite: are its values in the units of "
            "the training?",
            first + bad % s->count);
    reluopt_probabilities((Loss)model->config.loss, probability, h, classes, s->count);
    return RELUOPT_OK;
}

int reluopt_model_predict(ReluoptModel *model, const float *x, size_t count, float *probability, char *message)
{
    Error error = {0};
    Samples *s = &model->samples;
    size_t first = 0;
    while (first < count && !error.code) {
        s->count = count - first < COLUMNS ? count - first : COLUMNS;
        memcpy(s->x, x + first * s->features, s->count * s->features * sizeof *x);
        predict_batch(model, first, probability + first * model->schema.classes, &error);
        first += s->count;
    }
    return report(&error, message);
}
