/* readers.h - one function per file format.  Each reads a whole file into `samples` and completes `schema`.
 *
 * Called on rank 0 alone; not collective.  Sizes in headers are checked against the file's real size before
 * anything is allocated.  On failure nothing is left allocated, and one line is noted that names the file,
 * the place in it and what to do:
 *   RELUOPT_DATA    missing, truncated, wrong magic number, label outside the classes, NaN or infinity,
 *                   trailing bytes, different numbers of columns, ...
 *   RELUOPT_MEMORY  does not fit
 *
 * `schema` in:  all zero - classes (and categories) are found in the file;
 *               filled   - features, classes and categories must agree with it, else RELUOPT_DATA.
 *        out:   describes the file. */
#ifndef RELUOPT_READERS_H
#define RELUOPT_READERS_H

#include <stdbool.h>

#include "reluopt/samples.h"
#include "reluopt/source.h"

/* IDX (MNIST family), plain or gzip: unsigned-byte images (any number of dimensions >= 2, flattened) and
 * unsigned-byte labels in a second file.  Values stay 0..255.  classes = largest label + 1. */
int reluopt_read_idx(const char *images, const char *labels, Samples *samples, Schema *schema, Error *error);

/* CIFAR-10 binary: records of 1 label byte (0..9) and 3072 bytes (planes R, G, B of 32 x 32); the files are
 * concatenated in the given order. */
int reluopt_read_cifar10(const char *const *paths, size_t count, Samples *samples, Schema *schema,
                         Error *error);

/* CSV: comma separated, plain or gzip, LF or CRLF, optional double quotes; blank lines and blanks around cells
 * are skipped.
 *   label    "first", "last", or a column's header name
 *   header   0 no, 1 yes, -1 decide (yes for a label given by name, or where a column has a text in the first
 *            line and a number in the next)
 * A column whose every value is a number is a number column; any other is a category column and becomes
 * 0/1 features, one per category (at most 1024).  An empty cell or "?" is refused among numbers, and is a
 * category among texts.  Labels are text. */
int reluopt_read_csv(const char *path, const char *label, int header, Samples *samples, Schema *schema,
                     Error *error);

/* HDF5: /x (count x anything, flattened; integers or floats) and /y (count integers, 0 to 65535),
 * both wholly stored in this file.  HDF5 prints no errors of its own. */
int reluopt_read_hdf5(const char *path, Samples *samples, Schema *schema, Error *error);

/* NumPy: .npy arrays of samples (count x anything, flattened) and of labels (count integers, 0 to 65535), or
 * both as x and y in one .npz archive.  Integers, booleans, floats of 4 or 8 bytes, either byte order, C order.
 */
int reluopt_read_npy(const char *x, const char *y, Samples *samples, Schema *schema, Error *error);
int reluopt_read_npz(const char *path, Samples *samples, Schema *schema, Error *error);

/* LIBSVM text, plain or gzip: "LABEL INDEX:VALUE ..." a line, integer labels, ascending indices from 1; #
 * begins a comment.  features = largest index. */
int reluopt_read_libsvm(const char *path, Samples *samples, Schema *schema, Error *error);

/* The same formats some samples at a time, labels passed over: see source.h.  Close the source also after a
 * failure.  `schema` must stay until then.  archive: .npz. */
int reluopt_open_idx(Source *source, const char *images, const Schema *schema, Error *error);
int reluopt_open_cifar10(Source *source, const char *path, const Schema *schema, Error *error);
int reluopt_open_csv(Source *source, const char *path, const char *label, int header, const Schema *schema,
                     Error *error);
int reluopt_open_hdf5(Source *source, const char *path, const Schema *schema, Error *error);
int reluopt_open_npy(Source *source, const char *path, bool archive, const Schema *schema, Error *error);
int reluopt_open_libsvm(Source *source, const char *path, const Schema *schema, Error *error);

#endif
