/* checkpoint_meta.h - what a checkpoint says about itself; private to storage/. */
#ifndef RELUOPT_STORAGE_CHECKPOINT_META_H
#define RELUOPT_STORAGE_CHECKPOINT_META_H

#include "hdf5.h"
#include "reluopt/checkpoint.h"

/* Into a file being built, out of an open file; like the functions of hdf5.h.  Not collective. */
void reluopt_meta_put(const Hdf5 *file, const CheckpointMeta *meta);
void reluopt_meta_get(const Hdf5 *file, CheckpointMeta *meta);

/* What rank 0 has, to all.  RELUOPT_MEMORY, agreed.  Collective. */
void reluopt_meta_share(const Comm *comm, CheckpointMeta *meta, Error *error);

#endif
