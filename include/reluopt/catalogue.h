/* catalogue.h - from a configuration to a data set: known sets, files, splits, generated sets. */
#ifndef RELUOPT_CATALOGUE_H
#define RELUOPT_CATALOGUE_H

#include "reluopt/config.h"
#include "reluopt/samples.h"

/* Load data.name and split it:
 *   a test file, where the set has one (or data.test), is the test part;
 *   else data.holdout samples, drawn class by class in proportion (stratified, largest remainder, seeded by
 *   config->seed), are the test part;
 *   data.train_samples > 0: only the first so many of the training file.
 * Known names: rings, xor, rings-xor (generated from the seed, thesis fig. 2-5: 2 features, 2 classes),
 * soybean, mnist, fashion-mnist, cifar-10, file.
 * `schema`: NULL, or the schema that the file has to agree with (a checkpoint's).
 * Errors: RELUOPT_DATA (says where it looked and how to get the set), RELUOPT_USAGE, RELUOPT_MEMORY.
 * Rank 0; not collective. */
int reluopt_dataset_load(Dataset *data, const Config *config, const Schema *schema, Error *error);

#endif
