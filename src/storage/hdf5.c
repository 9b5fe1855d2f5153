/* hdf5.c - what the HDF5 files of this program have in common. */
#include "hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reluopt/memory.h"

/* HDF5 would read an existing file of the name into memory, so this one cannot exist. */
static const char NOWHERE[] = "/dev/null/image";

enum {
    CHUNK_BYTES = 256 << 10, /* several chunks for a large matrix, so that ranks share the compression */
    CHUNK_OVERHEAD = 128,    /* checksum and index entry */
    DEFLATE_RATIO = 1032,    /* deflate cannot compress better */
    TEXT_LIMIT = 64 << 20,   /* bytes of a text */
    IMAGE_STEP = 512         /* unit of size of a file in memory */
};

Shape reluopt_hdf5_vector(size_t n)
{
    return (Shape){1, {n, 1}};
}

Shape reluopt_hdf5_matrix(size_t rows, size_t cols)
{
    return (Shape){2, {rows, cols}};
}

/* Messages */

static herr_t keep_innermost(unsigned n, const H5E_error2_t *record, void *reason)
{
    if (n == 0)
        snprintf(reason, 256, "%s", record->desc ? record->desc : "");
    return 0;
}

int reluopt_hdf5_fail(const Hdf5 *file, const char *what)
{
    char reason[256] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, reason);
    return reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s: %s", file->path, what,
                        reason[0] ? reason : "HDF5 failed");
}

static int fail_errno(const char *path, const char *what, Error *error)
{
    return reluopt_fail(error, RELUOPT_STORAGE, "%s: %s: %s", path, what, strerror(errno));
}

/* Files */

hid_t reluopt_hdf5_access(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0)
        return access;
    if (H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 || H5Pset_file_locking(access, false, true) < 0 ||
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0) {
        H5Pclose(access);
        return H5I_INVALID_HID;
    }
    return access;
}

Hdf5 reluopt_hdf5_open(const char *path, Error *error)
{
    Hdf5 file = {H5I_INVALID_HID, path, error, {NULL, 0}};
    if (error->code)
        return file;
    int probe = open(path, O_RDONLY | O_CLOEXEC);
    if (probe < 0) {
        fail_errno(path, "cannot open", error);
        return file;
    }
    close(probe);
    hid_t access = reluopt_hdf5_access();
    if (H5Fis_hdf5(path) <= 0)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: not an HDF5 file, or damaged at its start", path);
    else if ((file.id = H5Fopen(path, H5F_ACC_RDONLY, access)) < 0)
        reluopt_hdf5_fail(&file, "cannot open");
    H5Pclose(access);
    return file;
}

static void *grow_image(void *bytes, size_t size, H5FD_file_image_op_t op, void *image)
{
    (void)op;
    void *grown = realloc(bytes, size);
    if (grown)
        *(Image *)image = (Image){grown, size};
    return grown;
}

/* On closing, the bytes stay with their Image. */
static herr_t keep_image(void *bytes, H5FD_file_image_op_t op, void *image)
{
    (void)bytes, (void)op, (void)image;
    return 0;
}

static void *same_image(void *image)
{
    return image;
}

static herr_t forget_image(void *image)
{
    (void)image;
    return 0;
}

/* H5Fget_file_image() of HDF5 1.10.8 gives a superblock with a wrong checksum, so the bytes are taken from the
 * memory driver itself. */
void reluopt_hdf5_build(Hdf5 *file, const char *path, Error *error)
{
    *file = (Hdf5){H5I_INVALID_HID, path, error, {NULL, 0}};
    if (error->code)
        return;
    H5FD_file_image_callbacks_t calls = {.image_realloc = grow_image,
                                         .image_free = keep_image,
                                         .udata_copy = same_image,
                                         .udata_free = forget_image,
                                         .udata = &file->image};
    hid_t access = reluopt_hdf5_access();
    if (H5Pset_fapl_core(access, IMAGE_STEP, false) < 0 || H5Pset_file_image_callbacks(access, &calls) < 0 ||
        (file->id = H5Fcreate(NOWHERE, H5F_ACC_TRUNC, H5P_DEFAULT, access)) < 0)
        reluopt_hdf5_fail(file, "cannot lay out");
    H5Pclose(access);
}

void reluopt_hdf5_close(Hdf5 *file)
{
    if (file->id >= 0)
        H5Fclose(file->id);
    file->id = H5I_INVALID_HID;
}

Image reluopt_hdf5_finish(Hdf5 *file)
{
    if (file->id >= 0 && H5Fclose(file->id) < 0)
        reluopt_hdf5_fail(file, "cannot lay out");
    file->id = H5I_INVALID_HID;
    return file->image;
}

/* Attributes */

static void put_attribute(const Hdf5 *file, const char *object, const char *name, hid_t type, const void *value)
{
    if (file->error->code)
        return;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate_by_name(file->id, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, type, value) < 0)
        reluopt_hdf5_fail(file, name);
    H5Aclose(id);
    H5Sclose(space);
}

/* Strings of fixed length only: those of variable length live where there is no checksum. */
static bool is_plain(hid_t type, H5T_class_t class)
{
    return H5Tget_class(type) == class && (class != H5T_STRING || H5Tis_variable_str(type) == 0);
}

static void get_attribute(const Hdf5 *file, const char *object, const char *name, hid_t type, void *value)
{
    if (file->error->code)
        return;
    hid_t id = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) {
        reluopt_hdf5_fail(file, name);
        return;
    }
    hid_t stored = H5Aget_type(id), space = H5Aget_space(id);
    if (!is_plain(stored, H5Tget_class(type)) || H5Sget_simple_extent_npoints(space) != 1)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: attribute %s has a wrong type", file->path, name);
    else if (H5Aread(id, type, value) < 0)
        reluopt_hdf5_fail(file, name);
    H5Sclose(space);
    H5Tclose(stored);
    H5Aclose(id);
}

void reluopt_hdf5_put_integer(const Hdf5 *file, const char *object, const char *name, int64_t value)
{
    put_attribute(file, object, name, H5T_NATIVE_INT64, &value);
}

int64_t reluopt_hdf5_get_integer(const Hdf5 *file, const char *object, const char *name)
{
    int64_t value = 0;
    get_attribute(file, object, name, H5T_NATIVE_INT64, &value);
    return value;
}

static hid_t string_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    return type;
}

void reluopt_hdf5_put_label(const Hdf5 *file, const char *object, const char *name, const char *value)
{
    hid_t type = string_type(strlen(value) + 1);
    put_attribute(file, object, name, type, value);
    H5Tclose(type);
}

void reluopt_hdf5_get_label(const Hdf5 *file, const char *object, const char *name, char *value, size_t room)
{
    hid_t type = string_type(room);
    memset(value, 0, room);
    get_attribute(file, object, name, type, value);
    H5Tclose(type);
}

/* Groups */

void reluopt_hdf5_put_group(const Hdf5 *file, const char *name)
{
    if (file->error->code)
        return;
    hid_t plist = H5Pcreate(H5P_GROUP_CREATE), id = H5I_INVALID_HID;
    if (H5Pset_link_creation_order(plist, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) < 0 ||
        (id = H5Gcreate2(file->id, name, H5P_DEFAULT, plist, H5P_DEFAULT)) < 0)
        reluopt_hdf5_fail(file, name);
    H5Gclose(id);
    H5Pclose(plist);
}

size_t reluopt_hdf5_members(const Hdf5 *file, const char *group)
{
    H5G_info_t info = {.nlinks = 0};
    if (!file->error->code && H5Gget_info_by_name(file->id, group, &info, H5P_DEFAULT) < 0)
        reluopt_hdf5_fail(file, group);
    return file->error->code ? 0 : info.nlinks;
}

void reluopt_hdf5_member(const Hdf5 *file, const char *group, size_t k, char *name, size_t room)
{
    if (file->error->code)
        return;
    ssize_t length =
        H5Lget_name_by_idx(file->id, group, H5_INDEX_CRT_ORDER, H5_ITER_INC, k, name, room, H5P_DEFAULT);
    if (length < 0)
        reluopt_hdf5_fail(file, group);
    else if ((size_t)length >= room)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s: the name %s... is too long", file->path, group,
                     name);
}

bool reluopt_hdf5_exists(const Hdf5 *file, const char *name)
{
    htri_t found = file->error->code ? 0 : H5Lexists(file->id, name, H5P_DEFAULT);
    if (found < 0)
        reluopt_hdf5_fail(file, name);
    return found > 0;
}

/* Datasets */

static hsize_t divide_up(hsize_t a, hsize_t b)
{
    return (a + b - 1) / b;
}

/* Chunks of about CHUNK_BYTES, all nearly full. */
static Shape chunk_shape(Shape shape, size_t element)
{
    hsize_t room = CHUNK_BYTES / element;
    Shape chunk = shape;
    for (int i = shape.rank - 1; i >= 0; i--) {
        hsize_t most = room > 1 ? room : 1;
        chunk.dim[i] = divide_up(shape.dim[i], divide_up(shape.dim[i], most));
        room /= chunk.dim[i];
    }
    return chunk;
}

size_t reluopt_hdf5_room(Shape shape, size_t element)
{
    Shape chunk = chunk_shape(shape, element);
    size_t chunks = 1, bytes = element;
    for (int i = 0; i < shape.rank; i++) {
        chunks *= divide_up(shape.dim[i], chunk.dim[i]);
        bytes *= chunk.dim[i];
    }
    return chunks * (bytes + CHUNK_OVERHEAD);
}

void reluopt_hdf5_put(const Hdf5 *file, const char *name, hid_t type, Shape shape, const void *data)
{
    if (file->error->code)
        return;
    Shape chunk = chunk_shape(shape, H5Tget_size(type));
    hid_t space = H5Screate_simple(shape.rank, shape.dim, NULL);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), id = H5I_INVALID_HID;
    if (H5Pset_chunk(plist, chunk.rank, chunk.dim) < 0 || H5Pset_shuffle(plist) < 0 ||
        H5Pset_deflate(plist, 1) < 0 || H5Pset_fletcher32(plist) < 0 ||
        (id = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT)) < 0 ||
        (data && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        reluopt_hdf5_fail(file, name);
    H5Dclose(id);
    H5Pclose(plist);
    H5Sclose(space);
}

/* Can the file hold that much, however well it is compressed? */
static bool is_plausible(const Hdf5 *file, Shape shape, size_t element)
{
    hsize_t size = 0;
    if (H5Fget_filesize(file->id, &size) < 0)
        return false;
    hsize_t room = size * DEFLATE_RATIO / element;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] == 0 || shape.dim[i] > room)
            return false;
        room /= shape.dim[i];
    }
    return true;
}

/* Open a dataset and take its type and shape; negative after noting a failure. */
static hid_t open_dataset(const Hdf5 *file, const char *name, hid_t *type, Shape *shape)
{
    if (file->error->code)
        return H5I_INVALID_HID;
    hid_t id = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (id < 0) {
        reluopt_hdf5_fail(file, name);
        return id;
    }
    hid_t space = H5Dget_space(id);
    *type = H5Dget_type(id);
    *shape = (Shape){H5Sget_simple_extent_ndims(space), {1, 1}};
    if (shape->rank >= 1 && shape->rank <= 2)
        H5Sget_simple_extent_dims(space, shape->dim, NULL);
    H5Sclose(space);
    if (shape->rank >= 1 && shape->rank <= 2 && is_plausible(file, *shape, H5Tget_size(*type)))
        return id;
    reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s has an impossible shape", file->path, name);
    H5Tclose(*type);
    H5Dclose(id);
    return H5I_INVALID_HID;
}

static hid_t open_numbers(const Hdf5 *file, const char *name, hid_t type, Shape *shape)
{
    hid_t stored, id = open_dataset(file, name, &stored, shape);
    if (id < 0)
        return id;
    bool same = H5Tget_class(stored) == H5Tget_class(type) && H5Tget_size(stored) == H5Tget_size(type);
    H5Tclose(stored);
    if (same)
        return id;
    reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s has a wrong type", file->path, name);
    H5Dclose(id);
    return H5I_INVALID_HID;
}

Shape reluopt_hdf5_shape(const Hdf5 *file, const char *name, hid_t type)
{
    Shape shape = {0};
    hid_t id = open_numbers(file, name, type, &shape);
    if (id < 0)
        return (Shape){0};
    H5Dclose(id);
    return shape;
}

bool reluopt_hdf5_select_rows(Shape shape, size_t first, size_t count, hid_t *in_file, hid_t *in_memory)
{
    hsize_t start[2] = {first, 0}, part[2] = {count, shape.dim[1]};
    *in_file = H5Screate_simple(shape.rank, shape.dim, NULL);
    *in_memory = H5Screate_simple(shape.rank, count ? part : shape.dim, NULL);
    herr_t done = count ? H5Sselect_hyperslab(*in_file, H5S_SELECT_SET, start, NULL, part, NULL)
                        : (H5Sselect_none(*in_file) < 0 ? -1 : H5Sselect_none(*in_memory));
    if (*in_memory >= 0 && done >= 0)
        return true;
    H5Sclose(*in_file);
    H5Sclose(*in_memory);
    return false;
}

void reluopt_hdf5_get(const Hdf5 *file, const char *name, hid_t type, Shape shape, size_t first, size_t count,
                      void *data)
{
    Shape stored;
    hid_t in_file, in_memory, id = open_numbers(file, name, type, &stored);
    if (id < 0)
        return;
    if (stored.rank != shape.rank ||
        memcmp(stored.dim, shape.dim, sizeof *shape.dim * (size_t)shape.rank) != 0) {
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s is %llu x %llu, not %llu x %llu", file->path, name,
                     stored.dim[0], stored.rank > 1 ? stored.dim[1] : 1, shape.dim[0], shape.dim[1]);
    } else if (!reluopt_hdf5_select_rows(shape, first, count, &in_file, &in_memory)) {
        reluopt_hdf5_fail(file, name);
    } else {
        if (H5Dread(id, type, in_memory, in_file, H5P_DEFAULT, data) < 0)
            reluopt_hdf5_fail(file, name);
        H5Sclose(in_file);
        H5Sclose(in_memory);
    }
    H5Dclose(id);
}

/* Texts */

void reluopt_hdf5_put_text(const Hdf5 *file, const char *name, const char *text)
{
    hid_t type = string_type(strlen(text) + 1);
    reluopt_hdf5_put(file, name, type, reluopt_hdf5_vector(1), text);
    H5Tclose(type);
}

char *reluopt_hdf5_get_text(const Hdf5 *file, const char *name)
{
    char *text = NULL;
    Shape shape;
    hid_t type, id = open_dataset(file, name, &type, &shape);
    if (id < 0)
        return NULL;
    if (!is_plain(type, H5T_STRING) || shape.rank != 1 || shape.dim[0] != 1 || H5Tget_size(type) > TEXT_LIMIT)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s is not a text", file->path, name);
    else
        text = reluopt_alloc(H5Tget_size(type) + 1, 1, file->error);
    if (text && H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
        reluopt_hdf5_fail(file, name);
        free(text);
        text = NULL;
    }
    H5Tclose(type);
    H5Dclose(id);
    return text;
}

/* Plain files */

char *reluopt_storage_aside(const char *path, Error *error)
{
    size_t room = strlen(path) + sizeof ".tmp";
    char *aside = reluopt_alloc(room, 1, error);
    if (aside)
        snprintf(aside, room, "%s.tmp", path);
    return aside;
}

static bool write_all(int fd, Image image)
{
    for (size_t done = 0; done < image.size;) {
        ssize_t n = write(fd, (const char *)image.bytes + done, image.size - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool reserve_room(int fd, size_t from, size_t room)
{
    if (room == 0)
        return true;
    do
        errno = posix_fallocate(fd, (off_t)from, (off_t)room);
    while (errno == EINTR); /* the signal for a graceful stop */
    return errno == 0;
}

void reluopt_storage_write(const char *path, Image image, size_t reserve, Error *error)
{
    if (error->code)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        fail_errno(path, "cannot create", error);
        return;
    }
    if (!write_all(fd, image))
        fail_errno(path, "cannot write", error);
    else if (!reserve_room(fd, image.size, reserve))
        fail_errno(path, "cannot reserve disk space", error);
    if (close(fd) != 0)
        fail_errno(path, "cannot write", error);
}

static void sync_folder(const char *path, Error *error)
{
    char *copy = reluopt_copy_text(path, error);
    if (!copy)
        return;
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) /* EINVAL: this file system has no such thing */
        fail_errno(folder, "cannot sync", error);
    if (fd >= 0)
        close(fd);
    free(copy);
}

void reluopt_storage_publish(const char *aside, const char *path, Error *error)
{
    if (error->code)
        return;
    int fd = open(aside, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        fail_errno(aside, "cannot sync", error);
    if (fd >= 0 && close(fd) != 0)
        fail_errno(aside, "cannot sync", error);
    if (error->code)
        return;
    if (rename(aside, path) != 0)
        fail_errno(path, "cannot replace", error);
    else
        sync_folder(path, error);
}

void reluopt_storage_replace(const char *path, Image image, Error *error)
{
    char *aside = error->code ? NULL : reluopt_storage_aside(path, error);
    if (!aside)
        return;
    reluopt_storage_write(aside, image, 0, error);
    reluopt_storage_publish(aside, path, error);
    if (error->code)
        unlink(aside);
    free(aside);
}
