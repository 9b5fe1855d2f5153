/* onnx.h - a trained network as an ONNX model, from raw features to class probabilities. */
#ifndef RELUOPT_ONNX_H
#define RELUOPT_ONNX_H

#include "reluopt/array.h"
#include "reluopt/checkpoint.h"
#include "reluopt/config.h"
#include "reluopt/samples.h"

/* Names and shapes of the arrays that an ONNX model is made of, whole (data is not set): W[1..L] or their
 * running means A[1..L], with batch_norm norm[1..L-1] and running[1..L-1].  Returns how many.  Not collective.
 */
size_t reluopt_onnx_arrays(const Config *config, const Schema *schema, Array *list);

/* Write the model to `path`, atomically: opset 13, input x (N x features floats, after categories are spread
 * out), outputs probability (N x classes; see reluopt_probabilities) and class (N).  Its metadata hold the
 * schema, the class names (one a line) and the configuration.  arrays: as above, with data.  RELUOPT_STORAGE,
 * RELUOPT_MEMORY; RELUOPT_USAGE when it would be larger than ONNX allows.  Rank 0; not collective. */
int reluopt_onnx_write(const char *path, const Config *config, const Schema *schema, const CheckpointMeta *meta,
                       const Array *arrays, Error *error);

#endif
