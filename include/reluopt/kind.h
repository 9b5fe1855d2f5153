/* kind.h - which of this program's HDF5 files a file is. */
#ifndef RELUOPT_KIND_H
#define RELUOPT_KIND_H

#include <stdio.h>

#include "reluopt/error.h"

typedef enum FileKind { FILE_CHECKPOINT, FILE_CURVES } FileKind;

/* Tell the kind of a file, which may yet be incomplete or damaged in its contents.  RELUOPT_STORAGE when it
 * cannot be opened or is neither.  Rank 0; not collective. */
int reluopt_file_kind(const char *path, FileKind *kind, Error *error);

#endif
