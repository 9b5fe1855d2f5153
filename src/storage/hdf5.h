/* hdf5.h - what the HDF5 files of this program have in common; private to storage/.
 *
 * Files are laid out in memory and written by plain system calls (disk.h), so that a full disk is an error like
 * any other and never leaves a half-closed file inside HDF5.  They use the file format of HDF5 1.10, in which
 * all metadata (attributes included) carry checksums; datasets are chunked and carry Fletcher32: a damaged byte
 * is found.
 *
 * Functions do nothing once `error` holds a failure, so a sequence of calls needs one check, at its end.
 * Nothing here is collective. */
#ifndef RELUOPT_STORAGE_HDF5_H
#define RELUOPT_STORAGE_HDF5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reluopt/disk.h"
#include "reluopt/error.h"

/* Extents of a dataset: a vector (rank 1) or a matrix (rank 2), nowhere 0. */
typedef struct Extent {
    int rank;
    hsize_t dim[2];
} Extent;

/* An open file and where its failures go. */
typedef struct Hdf5 {
    hid_t id;
    const char *path; /* for messages */
    Error *error;
    Image image; /* of a file being built */
} Hdf5;

Extent reluopt_hdf5_vector(size_t n);
Extent reluopt_hdf5_matrix(size_t rows, size_t cols);

/* Note "PATH: what: reason", the reason being the innermost record of HDF5's error stack: call it right after
 * the HDF5 call that failed. */
int reluopt_hdf5_fail(const Hdf5 *file, const char *what);

/* A file access list: no locks (files are replaced, never changed), everything closed with the file.  Negative
 * on failure.  From now on HDF5 itself prints nothing. */
hid_t reluopt_hdf5_access(void);

/* How to reach datasets, groups and attributes by name: never through a link to another file.  To be left open.
 */
hid_t reluopt_hdf5_inside(void);

/* Open for reading. */
Hdf5 reluopt_hdf5_open(const char *path, Error *error);
void reluopt_hdf5_close(Hdf5 *file);

/* Start a new file in memory (`path` is where it will go; *file must not move); close it and take its bytes,
 * which are void after a failure, but to be freed in any case. */
void reluopt_hdf5_build(Hdf5 *file, const char *path, Error *error);
Image reluopt_hdf5_finish(Hdf5 *file);

/* Attributes of `object` ("/" or a group): an integer, a real number, a text of fewer than `room` bytes. */
void reluopt_hdf5_put_integer(const Hdf5 *file, const char *object, const char *name, int64_t value);
int64_t reluopt_hdf5_get_integer(const Hdf5 *file, const char *object, const char *name);
void reluopt_hdf5_put_real(const Hdf5 *file, const char *object, const char *name, double value);
double reluopt_hdf5_get_real(const Hdf5 *file, const char *object, const char *name);
void reluopt_hdf5_put_label(const Hdf5 *file, const char *object, const char *name, const char *value);
void reluopt_hdf5_get_label(const Hdf5 *file, const char *object, const char *name, char *value, size_t room);

/* Is `type` of that class?  Strings only of fixed length: those of variable length live where there is no
 * checksum. */
bool reluopt_hdf5_is_plain(hid_t type, H5T_class_t class);
/* Strings of `size` bytes; close it with H5Tclose. */
hid_t reluopt_hdf5_string(size_t size);

/* A text of any length, as a dataset of one string; get: malloc'ed. */
void reluopt_hdf5_put_text(const Hdf5 *file, const char *name, const char *text);
char *reluopt_hdf5_get_text(const Hdf5 *file, const char *name);

/* A group that remembers the order in which its members came; the name of member k. */
void reluopt_hdf5_put_group(const Hdf5 *file, const char *name);
size_t reluopt_hdf5_members(const Hdf5 *file, const char *group);
void reluopt_hdf5_member(const Hdf5 *file, const char *group, size_t k, char *name, size_t room);
bool reluopt_hdf5_exists(const Hdf5 *file, const char *name);

/* Create a dataset of native `type`: chunks, shuffle, deflate, Fletcher32.  data NULL: to be written later. */
void reluopt_hdf5_put(const Hdf5 *file, const char *name, hid_t type, Extent shape, const void *data);
/* Is there such a dataset of that type?  Notes nothing. */
bool reluopt_hdf5_holds(const Hdf5 *file, const char *name, hid_t type);
/* Extents of a dataset, after a check that it holds `type` and is no larger than the file can hold. */
Extent reluopt_hdf5_shape(const Hdf5 *file, const char *name, hid_t type);
/* Read rows [first, first + count) of a dataset that must have this type and shape. */
void reluopt_hdf5_get(const Hdf5 *file, const char *name, hid_t type, Extent shape, size_t first, size_t count,
                      void *data);

/* The two selections of a transfer of rows [first, first + count): in a file of `shape`, and in memory.  False
 * on failure; close both with H5Sclose when true. */
bool reluopt_hdf5_select_rows(Extent shape, size_t first, size_t count, hid_t *in_file, hid_t *in_memory);

/* Upper bound of the disk space that the chunks of a dataset take. */
size_t reluopt_hdf5_room(Extent shape, size_t element);

#endif
