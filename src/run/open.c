/* open.c - from a configuration to data in place and a network ready to train or evaluate. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reluopt/catalogue.h"
#include "reluopt/grid.h"
#include "reluopt/memory.h"
#include "reluopt/run.h"

enum {
    EVALUATION_BATCH = 256,
    MANY = 20
}; /* samples evaluated at a time, at least; whose labels are looked at */

/* Is the run opened for training, or for evaluation alone? */
static bool trains(const Run *run, const CheckpointMeta *meta)
{
    return !meta || run->resumes;
}

/* Rank 0: labels that look like no classes. */
static int warn_of_labels(const Dataset *data, Error *error)
{
    size_t classes = data->schema.classes, empty = 0, first = 0,
           *size = reluopt_alloc(classes, sizeof *size, error);
    const Samples *part[] = {&data->train, &data->test};
    for (size_t k = 0; k < 2 && size; k++)
        for (size_t i = 0; i < part[k]->count; i++)
            size[part[k]->y[i]]++;
    for (size_t c = classes; c > 0 && size; c--)
        if (size[c - 1] == 0) {
            first = c - 1;
            empty++;
        }
    free(size);
    if (empty > 0)
        fprintf(stderr, "warning: %zu of %zu classes have no sample, such as %.64s: are the labels right?\n",
                empty, classes, data->schema.class_name[first]);
    else if (data->train.count >= MANY && 2 * classes > data->train.count)
        fprintf(stderr,
                "warning: %zu classes in %zu training samples: are the labels classes, and not quantities?\n",
                classes, data->train.count);
    return error->code;
}

/* Rank 0: features whose squares leave what single precision can add up, which stops steps without a word. */
static void warn_of_size(const Samples *train)
{
    const double largest = 1e5, least = 1e-5;
    size_t count = train->count * train->features;
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += (double)train->x[i] * train->x[i];
    double size = sqrt(squares / (double)count);
    if (size > largest || (size > 0 && size < least))
        fprintf(stderr,
                "warning: features of size %.0e may be too %s to train with: set preprocess: standardise\n",
                size, size > 1 ? "large" : "small");
}

/* Rank 0: load and split, where that has not been done; preprocess. */
static int load(Run *run, const CheckpointMeta *meta, Error *error)
{
    Schema schema = {0};
    if (meta && reluopt_schema_from_text(meta->schema, &schema, error))
        return error->code;
    if (run->data.train.count > 0 ||
        reluopt_dataset_load(&run->data, &run->config, meta ? &schema : NULL, error) == RELUOPT_OK) {
        const Preprocess *pre = meta ? &meta->pre : &run->pre;
        run->checksum = reluopt_dataset_checksum(&run->data);
        reluopt_config_resolve_data(&run->config, run->data.train.height > 0);
        if (!meta && warn_of_labels(&run->data, error) == RELUOPT_OK)
            reluopt_preprocess_fit(&run->pre, (PreprocessKind)run->config.preprocess, &run->data.train, error);
        if (!error->code && reluopt_preprocess_apply(pre, &run->data.train, error) == RELUOPT_OK)
            reluopt_preprocess_apply(pre, &run->data.test, error);
        if (!meta && !error->code && pre->kind == PREPROCESS_NONE)
            warn_of_size(&run->data.train);
        if (trains(run, meta) && !error->code)
            reluopt_augment_create(&run->augment, &run->config, pre, &run->data.train, run->data.schema.classes,
                                   error);
    }
    reluopt_schema_free(&schema);
    return error->code;
}

/* Arrange the ranks for batches of training, or for evaluation alone, which divides none; shape->columns, of
 * the largest batch, becomes a rank's share.  The same on every rank; collective. */
static int arrange(Run *run, Shape *shape, size_t batch, bool training, Error *error)
{
    int data = 1;
    if (reluopt_shape_check(shape, error) ||
        (training && reluopt_config_grid(&run->config, run->comm->size, &data, error)))
        return error->code;
    if (data > 1 && !run->comm->alike)
        return reluopt_fail(error, RELUOPT_USAGE,
                            "grid: %s: BLAS kernels differ between ranks, and so would copies of weights: set "
                            "OPENBLAS_CORETYPE to one for all processors, or grid: 1x%d",
                            run->config.grid, run->comm->size);
    if (data == 0)
        data = run->comm->alike ? reluopt_grid_choose(&run->config, shape, batch, run->comm->size) : 1;
    reluopt_comm_grid(run->comm, data);
    shape->columns = (shape->columns + (size_t)data - 1) / (size_t)data;
    return RELUOPT_OK;
}

/* What the data say and every rank needs. */
static void share_sizes(Run *run)
{
    size_t sizes[] = {run->data.schema.features, run->data.schema.classes, run->data.train.count,
                      run->data.test.count};
    reluopt_comm_share(run->comm, sizes, sizeof sizes);
    reluopt_comm_share(run->comm, &run->config, sizeof run->config);
    run->features = sizes[0];
    run->classes = sizes[1];
    run->train_count = sizes[2];
    run->test_count = sizes[3];
}

int reluopt_run_open_network(Run *run, Comm *comm, const Schema *schema, Error *error)
{
    run->comm = comm;
    reluopt_config_spare_training(&run->config);
    comm->dedicated = run->config.coordinator == COORDINATOR_DEDICATED;
    reluopt_comm_grid(comm, 1);
    run->method = reluopt_method_find(run->config.method, error);
    size_t sizes[] = {schema->features, schema->classes};
    if (reluopt_comm_agree(comm, error))
        return error->code;
    reluopt_comm_share(comm, sizes, sizeof sizes);
    run->features = sizes[0];
    run->classes = sizes[1];
    Shape shape = reluopt_shape(&run->config, run->features, run->classes, 0);
    shape.columns = reluopt_shape_columns(&shape, EVALUATION_BATCH);
    if (!reluopt_shape_check(&shape, error) &&
        !reluopt_feed_create(&run->evaluation, comm, run->features, shape.columns, error))
        run->method->create(&run->state, &run->config, &shape, comm, error);
    return reluopt_comm_agree(comm, error);
}

int reluopt_run_open(Run *run, Comm *comm, const CheckpointMeta *meta, Error *error)
{
    run->comm = comm;
    run->best_train = run->best_test = NAN;
    comm->dedicated = run->config.coordinator == COORDINATOR_DEDICATED;
    run->method = reluopt_method_find(run->config.method, error);
    if (!error->code && comm->rank == 0)
        load(run, meta, error);
    if (reluopt_comm_agree(comm, error))
        return error->code;
    share_sizes(run);
    if (!trains(run, meta))
        reluopt_config_spare_training(&run->config);
    Shape shape = reluopt_shape(&run->config, run->features, run->classes, 0);
    size_t evaluated = reluopt_shape_columns(&shape, EVALUATION_BATCH);
    size_t batch = !trains(run, meta)  ? evaluated
                   : run->config.batch ? (size_t)run->config.batch
                                       : run->train_count;
    batch = batch < run->train_count ? batch : run->train_count;
    size_t columns = shape.columns = batch > evaluated ? batch : evaluated;
    size_t before = reluopt_allocated();
    if (!arrange(run, &shape, batch, trains(run, meta), error) &&
        !reluopt_feed_create(&run->feed, comm, run->features, batch, error) &&
        !reluopt_feed_create(&run->evaluation, comm, run->features, columns, error))
        run->method->create(&run->state, &run->config, &shape, comm, error);
    run->allocated = reluopt_allocated() - before;
    run->feed.fixed = batch == run->train_count && !reluopt_augments(&run->config);
    run->feed.augment =
        comm->rank == 0 && trains(run, meta) && reluopt_augments(&run->config) ? &run->augment : NULL;
    return reluopt_comm_agree(comm, error);
}

void reluopt_run_close(Run *run)
{
    if (run->state)
        run->method->destroy(run->state);
    reluopt_feed_free(&run->feed);
    reluopt_feed_free(&run->evaluation);
    reluopt_dataset_free(&run->data);
    reluopt_preprocess_free(&run->pre);
    reluopt_augment_free(&run->augment);
    reluopt_curves_free(&run->curves);
    free(run->order);
    if (run->lock > 0)
        close(run->lock);
    memset(run, 0, sizeof *run);
}
