/* onnx.c - a trained network as an ONNX model.  Field numbers are those of onnx.proto.
 *
 *   x -> Sub, Mul, MatMul (preprocessing) -> Gemm [-> BatchNormalization] [-> Add] -> Relu, Sigmoid or Tanh ->
 * ...
 *     -> Gemm -> Softmax -> probability -> ArgMax -> class */
#include "reluopt/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protobuf.h"
#include "reluopt/disk.h"
#include "reluopt/memory.h"
#include "reluopt/normalise.h"
#include "reluopt/version.h"

enum {
    IR_VERSION = 7,
    OPSET = 13,
    TYPE_FLOAT = 1, /* of a tensor */
    TYPE_INT64 = 7,
    ATTRIBUTE_FLOAT = 1,
    ATTRIBUTE_INT = 2,
    NAME_ROOM = 32
};

/* A graph under way. */
typedef struct Graph {
    Message message;
    Message node;          /* the node under way */
    char value[NAME_ROOM]; /* the latest value */
    int values;            /* named so far */
    Error *error;
} Graph;

/* ---- parts of a graph ---- */

static void put_tensor(Graph *graph, const char *name, size_t rows, size_t cols, const float *data)
{
    Message tensor = {.error = graph->error};
    protobuf_integer(&tensor, 1, (int64_t)rows);
    if (cols > 0)
        protobuf_integer(&tensor, 1, (int64_t)cols);
    protobuf_integer(&tensor, 2, TYPE_FLOAT);
    protobuf_text(&tensor, 8, name);
    protobuf_bytes(&tensor, 9, data, rows * (cols > 0 ? cols : 1) * sizeof *data);
    protobuf_message(&graph->message, 5, &tensor);
}

/* Columns [first, first + count) of an array, as a tensor: a matrix, or a vector of one column. */
static void put_columns(Graph *graph, const char *name, const Array *array, size_t first, size_t count,
                        bool vector)
{
    float *copy = reluopt_alloc(array->rows * count, sizeof *copy, graph->error);
    for (size_t j = 0; copy && j < array->rows; j++)
        memcpy(copy + j * count, array->data + j * array->cols + first, count * sizeof *copy);
    if (copy)
        put_tensor(graph, name, array->rows, vector ? 0 : count, copy);
    free(copy);
}

/* A node on the latest value. */
static void begin_node(Graph *graph, const char *operator)
{
    graph->node = (Message){.error = graph->error};
    protobuf_text(&graph->node, 4, operator);
    protobuf_text(&graph->node, 1, graph->value);
}

static void add_input(Graph *graph, const char *name)
{
    protobuf_text(&graph->node, 1, name);
}

static void add_integer(Graph *graph, const char *name, int value)
{
    Message attribute = {.error = graph->error};
    protobuf_text(&attribute, 1, name);
    protobuf_integer(&attribute, 3, value);
    protobuf_integer(&attribute, 20, ATTRIBUTE_INT);
    protobuf_message(&graph->node, 5, &attribute);
}

static void add_float(Graph *graph, const char *name, float value)
{
    Message attribute = {.error = graph->error};
    protobuf_text(&attribute, 1, name);
    protobuf_float(&attribute, 2, value);
    protobuf_integer(&attribute, 20, ATTRIBUTE_FLOAT);
    protobuf_message(&graph->node, 5, &attribute);
}

/* Its output, which is the latest value then; name: NULL, or what to call it. */
static void end_node(Graph *graph, const char *name)
{
    snprintf(graph->value, sizeof graph->value, "v%d", ++graph->values);
    if (name)
        snprintf(graph->value, sizeof graph->value, "%s", name);
    protobuf_text(&graph->node, 2, graph->value);
    protobuf_message(&graph->message, 1, &graph->node);
}

/* An input or output of the graph: N x columns, or N where that is 0. */
static void put_value(Graph *graph, int field, const char *name, int type, size_t columns)
{
    Message dim = {.error = graph->error}, shape = dim, tensor = dim, kind = dim, value = dim;
    protobuf_text(&dim, 2, "N");
    protobuf_message(&shape, 1, &dim);
    if (columns > 0) {
        protobuf_integer(&dim, 1, (int64_t)columns);
        protobuf_message(&shape, 1, &dim);
    }
    protobuf_integer(&tensor, 1, type);
    protobuf_message(&tensor, 2, &shape);
    protobuf_message(&kind, 1, &tensor);
    protobuf_text(&value, 1, name);
    protobuf_message(&value, 2, &kind);
    protobuf_message(&graph->message, field, &value);
}

/* ---- the network ---- */

static void put_preprocessing(Graph *graph, const Preprocess *pre)
{
    size_t n = pre->features;
    if (pre->kind == PREPROCESS_NONE)
        return;
    put_tensor(graph, "shift", n, 0, pre->shift);
    put_tensor(graph, "scale", n, 0, pre->scale);
    begin_node(graph, "Sub");
    add_input(graph, "shift");
    end_node(graph, NULL);
    begin_node(graph, "Mul");
    add_input(graph, "scale");
    end_node(graph, NULL);
    if (!pre->matrix)
        return;
    put_tensor(graph, "matrix", n, n, pre->matrix);
    begin_node(graph, "MatMul");
    add_input(graph, "matrix");
    end_node(graph, NULL);
}

/* W[i] h + b: the last column of the array is b. */
static void put_product(Graph *graph, size_t i, const Array *array)
{
    char weight[NAME_ROOM], bias[NAME_ROOM];
    snprintf(weight, sizeof weight, "W%zu", i);
    snprintf(bias, sizeof bias, "b%zu", i);
    put_columns(graph, weight, array, 0, array->cols - 1, false);
    put_columns(graph, bias, array, array->cols - 1, 1, true);
    begin_node(graph, "Gemm");
    add_input(graph, weight);
    add_input(graph, bias);
    add_integer(graph, "transB", 1);
    end_node(graph, NULL);
}

static void put_normalisation(Graph *graph, size_t i, const Array *norm, const Array *running)
{
    static const char *const part[] = {"gamma", "beta", "mean", "variance"};
    char name[4][NAME_ROOM];
    begin_node(graph, "BatchNormalization");
    for (size_t k = 0; k < 4; k++) {
        snprintf(name[k], sizeof name[k], "%s%zu", part[k], i);
        put_columns(graph, name[k], k < 2 ? norm : running, k % 2, 1, true);
        add_input(graph, name[k]);
    }
    add_float(graph, "epsilon", (float)RELUOPT_NORMALISE_EPSILON);
    end_node(graph, NULL);
}

/* Hidden layer i, from its product on; skip: NULL, or the value to add (2-34). */
static void put_hidden(Graph *graph, const Config *config, size_t i, const Array *arrays, const char *skip)
{
    static const char *const operators[] = {
        [ACTIVATION_RELU] = "Relu", [ACTIVATION_SIGMOID] = "Sigmoid", [ACTIVATION_TANH] = "Tanh"};
    size_t layers = (size_t)config->hidden + 1;
    if (config->batch_norm)
        put_normalisation(graph, i, &arrays[layers + 2 * (i - 1)], &arrays[layers + 2 * (i - 1) + 1]);
    if (skip) {
        begin_node(graph, "Add");
        add_input(graph, skip);
        end_node(graph, NULL);
    }
    begin_node(graph, operators[config->activation]);
    end_node(graph, NULL);
}

static void put_outputs(Graph *graph, const Config *config)
{
    begin_node(graph, config->loss == LOSS_MSE ? "Identity" : "Softmax");
    if (config->loss != LOSS_MSE)
        add_integer(graph, "axis", 1);
    end_node(graph, "probability");
    begin_node(graph, "ArgMax");
    add_integer(graph, "axis", 1);
    add_integer(graph, "keepdims", 0);
    end_node(graph, "class");
}

static Message make_graph(const Config *config, const Schema *schema, const Preprocess *pre,
                          const Array *arrays, Error *error)
{
    Graph graph = {.message.error = error, .value = "x", .error = error};
    size_t layers = (size_t)config->hidden + 1;
    protobuf_text(&graph.message, 2, "reluopt");
    put_value(&graph, 11, "x", TYPE_FLOAT, schema->features);
    put_preprocessing(&graph, pre);
    for (size_t i = 1; i <= layers; i++) {
        const Array *w = &arrays[i - 1];
        char below[NAME_ROOM];
        memcpy(below, graph.value, sizeof below);
        put_product(&graph, i, w);
        if (i < layers)
            put_hidden(&graph, config, i, arrays, config->residual && w->rows == w->cols - 1 ? below : NULL);
    }
    put_outputs(&graph, config);
    put_value(&graph, 12, "probability", TYPE_FLOAT, schema->classes);
    put_value(&graph, 12, "class", TYPE_INT64, 0);
    return graph.message;
}

/* ---- the model ---- */

static void put_metadata(Message *model, const char *key, const char *value)
{
    Message entry = {.error = model->error};
    protobuf_text(&entry, 1, key);
    protobuf_text(&entry, 2, value);
    protobuf_message(model, 14, &entry);
}

static void put_class_names(Message *model, const Schema *schema)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t c = 0; out && c < schema->classes; c++)
        fprintf(out, "%s%s", c > 0 ? "\n" : "", schema->class_name[c]);
    if (!out || fclose(out) != 0)
        reluopt_fail(model->error, RELUOPT_MEMORY, "out of memory for the names of %zu classes",
                     schema->classes);
    else
        put_metadata(model, "class_names", text);
    free(text);
}

size_t reluopt_onnx_arrays(const Config *config, const Schema *schema, Array *list)
{
    int layers = config->hidden + 1;
    size_t count = (size_t)layers, below = schema->features;
    for (int i = 1; i <= layers; i++) {
        size_t width = i < layers ? (size_t)config->network[i - 1] : schema->classes;
        list[i - 1] = (Array){.rows = width, .cols = below + 1, .count = width};
        snprintf(list[i - 1].name, sizeof list->name, "%s%d", config->average > 0 ? "A" : "W", i);
        below = width;
    }
    for (int i = 1; config->batch_norm && i < layers; i++)
        for (int k = 0; k < 2; k++, count++) {
            list[count] = (Array){.rows = list[i - 1].rows, .cols = 2, .count = list[i - 1].rows};
            snprintf(list[count].name, sizeof list->name, "%s%d", k == 0 ? "norm" : "running", i);
        }
    return count;
}

int reluopt_onnx_write(const char *path, const Config *config, const Schema *schema, const CheckpointMeta *meta,
                       const Array *arrays, Error *error)
{
    Message model = {.error = error}, opset = model,
            graph = make_graph(config, schema, &meta->pre, arrays, error);
    if (!error->code && graph.size > INT32_MAX - (1 << 20))
        reluopt_fail(error, RELUOPT_USAGE,
                     "export: the network takes %zu MiB, more than the 2 GiB of an ONNX file",
                     graph.size >> 20);
    protobuf_integer(&model, 1, IR_VERSION);
    protobuf_text(&model, 2, "reluopt-mpi");
    protobuf_text(&model, 3, RELUOPT_VERSION);
    protobuf_integer(&opset, 2, OPSET);
    protobuf_message(&model, 8, &opset);
    protobuf_message(&model, 7, &graph);
    put_class_names(&model, schema);
    put_metadata(&model, "schema", meta->schema);
    put_metadata(&model, "config", meta->config);
    reluopt_storage_replace(path, (Image){model.bytes, model.size}, error);
    free(model.bytes);
    return error->code;
}
