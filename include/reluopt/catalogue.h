/* catalogue.h - from a configuration to a data set: known sets, files, splits, generated sets. */
#ifndef RELUOPT_CATALOGUE_H
#define RELUOPT_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "reluopt/config.h"
#include "reluopt/samples.h"

/* Load data.name and split it:
 *   data.train_samples > 0: only the first so many of the training file;
 *   a test file, where the set has one (or data.test), is the test part;
 *   else data.holdout samples of those, drawn class by class in proportion (stratified, largest remainder,
 *   seeded by config->seed), are the test part; the rest keeps its order;
 *   data.holdout = RELUOPT_AUTO: the set's own, which is 7 for soybean, separately generated samples for a
 *   generated set, else 0.
 * The test part may have no samples; then test.x is NULL.
 * Known names: rings, xor, rings-xor (generated from the seed, thesis fig. 2-5: 2 features, 2 classes),
 * soybean, mnist, fashion-mnist, cifar-10, file.
 * `schema`: NULL, or the schema that the file has to agree with (a checkpoint's).
 * Errors: RELUOPT_DATA (says where it looked and how to get the set; also where, without a schema, all samples
 * are of one class), RELUOPT_USAGE, RELUOPT_MEMORY.
 * Rank 0; not collective. */
int reluopt_dataset_load(Dataset *data, const Config *config, const Schema *schema, Error *error);

/* There is a data set of that name.  RELUOPT_USAGE.  Not collective. */
int reluopt_dataset_known(const char *name, Error *error);

/* There is a generated set of that name.  Not collective. */
bool reluopt_is_generated(const char *name);

/* The generated part (0: training, 1: test) of the set `name`: `count` samples, classes in equal shares.  Class
 * 0 is the inner ring, or the squares on the diagonal from lower left to upper right.  False when no generated
 * set has that name (nothing is allocated then, nor after RELUOPT_MEMORY).  Not collective. */
bool reluopt_generate(const char *name, uint64_t seed, uint32_t part, size_t count, Samples *samples,
                      Error *error);

/* A training part of `count` samples of independent N(0, 1) values, classes by turns; no test part.
 * RELUOPT_MEMORY.  Not collective. */
int reluopt_generate_noise(Dataset *data, uint64_t seed, size_t features, size_t classes, size_t count,
                           Error *error);

#endif
