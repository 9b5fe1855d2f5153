/* hdf5.c - what the HDF5 files of this program have in common. */
#include "hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* HDF5 would read an existing file of the name into memory, so this one cannot exist. */
static const char NOWHERE[] = "/dev/null/image";

enum { IMAGE_STEP = 512 }; /* unit of size of a file in memory */

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

/* A link to another file is not followed. */
static herr_t refuse_link(const char *file, const char *group, const char *other, const char *object,
                          unsigned *flags, hid_t access, void *data)
{
    (void)file, (void)group, (void)other, (void)object, (void)flags, (void)access, (void)data;
    return -1;
}

hid_t reluopt_hdf5_inside(void)
{
    static hid_t access = H5I_INVALID_HID;
    if (H5Iis_valid(access) > 0)
        return access;
    access = H5Pcreate(H5P_DATASET_ACCESS);
    if (H5Pset_elink_cb(access, refuse_link, NULL) < 0) {
        H5Pclose(access);
        access = H5I_INVALID_HID;
    }
    return access;
}

Hdf5 reluopt_hdf5_open(const char *path, Error *error)
{
    Hdf5 file = {H5I_INVALID_HID, path, error, {NULL, 0}};
    if (error->code)
        return file;
    struct stat status;
    int probe = open(path, O_RDONLY | O_CLOEXEC);
    if (probe < 0) {
        reluopt_fail(error, RELUOPT_STORAGE, "%s: cannot open: %s", path, strerror(errno));
        return file;
    }
    bool folder = fstat(probe, &status) == 0 && S_ISDIR(status.st_mode);
    close(probe);
    if (folder) {
        reluopt_fail(error, RELUOPT_STORAGE, "%s: is a folder: name a file in it, such as checkpoint.h5", path);
        return file;
    }
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

bool reluopt_hdf5_is_plain(hid_t type, H5T_class_t class)
{
    return H5Tget_class(type) == class && (class != H5T_STRING || H5Tis_variable_str(type) == 0);
}

static void get_attribute(const Hdf5 *file, const char *object, const char *name, hid_t type, void *value)
{
    if (file->error->code)
        return;
    hid_t id = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, reluopt_hdf5_inside());
    if (id < 0) {
        reluopt_hdf5_fail(file, name);
        return;
    }
    hid_t stored = H5Aget_type(id), space = H5Aget_space(id);
    if (!reluopt_hdf5_is_plain(stored, H5Tget_class(type)) || H5Sget_simple_extent_npoints(space) != 1)
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

void reluopt_hdf5_put_real(const Hdf5 *file, const char *object, const char *name, double value)
{
    put_attribute(file, object, name, H5T_NATIVE_DOUBLE, &value);
}

double reluopt_hdf5_get_real(const Hdf5 *file, const char *object, const char *name)
{
    double value = 0;
    get_attribute(file, object, name, H5T_NATIVE_DOUBLE, &value);
    return value;
}

hid_t reluopt_hdf5_string(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    return type;
}

void reluopt_hdf5_put_label(const Hdf5 *file, const char *object, const char *name, const char *value)
{
    hid_t type = reluopt_hdf5_string(strlen(value) + 1);
    put_attribute(file, object, name, type, value);
    H5Tclose(type);
}

void reluopt_hdf5_get_label(const Hdf5 *file, const char *object, const char *name, char *value, size_t room)
{
    hid_t type = reluopt_hdf5_string(room);
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
    if (!file->error->code && H5Gget_info_by_name(file->id, group, &info, reluopt_hdf5_inside()) < 0)
        reluopt_hdf5_fail(file, group);
    return file->error->code ? 0 : info.nlinks;
}

void reluopt_hdf5_member(const Hdf5 *file, const char *group, size_t k, char *name, size_t room)
{
    if (file->error->code)
        return;
    ssize_t length = H5Lget_name_by_idx(file->id, group, H5_INDEX_CRT_ORDER, H5_ITER_INC, k, name, room,
                                        reluopt_hdf5_inside());
    if (length < 0)
        reluopt_hdf5_fail(file, group);
    else if ((size_t)length >= room)
        reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s: the name %s... is too long", file->path, group,
                     name);
}

bool reluopt_hdf5_exists(const Hdf5 *file, const char *name)
{
    htri_t found = file->error->code ? 0 : H5Lexists(file->id, name, reluopt_hdf5_inside());
    if (found < 0)
        reluopt_hdf5_fail(file, name);
    return found > 0;
}
