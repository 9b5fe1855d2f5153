/* fuzz.h - what the fuzzing targets share.
 *
 * A target reads bytes as they would come in a file from outside.  Whatever they are, it must end in one of two
 * ways: one error line with a code that the reader documents, or a result that makes sense.  Everything else
 * ends the process: see fuzz_expect, and the sanitizers. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reluopt/error.h"

typedef void FuzzTarget(const uint8_t *bytes, size_t size);

FuzzTarget fuzz_idx, fuzz_cifar10, fuzz_csv, fuzz_libsvm, fuzz_npy, fuzz_npz, fuzz_hdf5; /* readers.c */
FuzzTarget fuzz_checkpoint, fuzz_curves;                                                 /* storage.c */
FuzzTarget fuzz_yaml, fuzz_schema;                                                       /* text.c */

/* The target of that name, NULL where there is none. */
FuzzTarget *fuzz_find(const char *name);

/* Write a file of a temporary folder, in memory where the system has such a place: its path, valid for good. */
const char *fuzz_file(const char *name, const void *bytes, size_t size);

/* End the process where `holds` is false. */
#define fuzz_expect(holds) fuzz_expect_at(holds, #holds, __FILE__, __LINE__)
void fuzz_expect_at(bool holds, const char *what, const char *file, int line);

/* A failure has the code that the reader documents, in the record too, and one line. */
void fuzz_expect_failure(const Error *error, int code, int documented);

#endif
