/* dataset.c - datasets of the HDF5 files of this program: vectors, matrices and texts. */
#include <stdlib.h>
#include <string.h>

#include "hdf5.h"
#include "reluopt/memory.h"

enum {
    CHUNK_BYTES = 256 << 10, /* several chunks for a large matrix, so that ranks share the compression */
    CHUNK_OVERHEAD = 128,    /* checksum and index entry */
    DEFLATE_RATIO = 1032,    /* deflate cannot compress better */
    TEXT_LIMIT = 64 << 20    /* bytes of a text */
};

Extent reluopt_hdf5_vector(size_t n)
{
    return (Extent){1, {n, 1}};
}

Extent reluopt_hdf5_matrix(size_t rows, size_t cols)
{
    return (Extent){2, {rows, cols}};
}

static hsize_t divide_up(hsize_t a, hsize_t b)
{
    return (a + b - 1) / b;
}

/* Chunks of about CHUNK_BYTES, all nearly full. */
static Extent chunk_shape(Extent shape, size_t element)
{
    hsize_t room = CHUNK_BYTES / element;
    Extent chunk = shape;
    for (int i = shape.rank - 1; i >= 0; i--) {
        hsize_t most = room > 1 ? room : 1;
        chunk.dim[i] = divide_up(shape.dim[i], divide_up(shape.dim[i], most));
        room /= chunk.dim[i];
    }
    return chunk;
}

size_t reluopt_hdf5_room(Extent shape, size_t element)
{
    Extent chunk = chunk_shape(shape, element);
    size_t chunks = 1, bytes = element;
    for (int i = 0; i < shape.rank; i++) {
        chunks *= divide_up(shape.dim[i], chunk.dim[i]);
        bytes *= chunk.dim[i];
    }
    return chunks * (bytes + CHUNK_OVERHEAD);
}

void reluopt_hdf5_put(const Hdf5 *file, const char *name, hid_t type, Extent shape, const void *data)
{
    if (file->error->code)
        return;
    Extent chunk = chunk_shape(shape, H5Tget_size(type));
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
static bool is_plausible(const Hdf5 *file, Extent shape, size_t element)
{
    hsize_t size = 0;
    if (element == 0 || H5Fget_filesize(file->id, &size) < 0)
        return false;
    hsize_t room = size * DEFLATE_RATIO / element;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] == 0 || shape.dim[i] > room)
            return false;
        room /= shape.dim[i];
    }
    return true;
}

/* Are the values in this file, and not in others that it names? */
static bool is_whole(hid_t id)
{
    hid_t plist = H5Dget_create_plist(id);
    bool whole = H5Pget_layout(plist) != H5D_VIRTUAL && H5Pget_external_count(plist) == 0;
    H5Pclose(plist);
    return whole;
}

/* Extents of at most two dimensions; rank 0 where there are more. */
static Extent get_extent(hid_t id)
{
    hid_t space = H5Dget_space(id);
    Extent shape = {H5Sget_simple_extent_ndims(space), {1, 1}};
    if (shape.rank >= 1 && shape.rank <= 2)
        H5Sget_simple_extent_dims(space, shape.dim, NULL);
    else
        shape.rank = 0;
    H5Sclose(space);
    return shape;
}

/* Open a dataset and take its type and shape; negative after noting a failure. */
static hid_t open_dataset(const Hdf5 *file, const char *name, hid_t *type, Extent *shape)
{
    if (file->error->code)
        return H5I_INVALID_HID;
    hid_t id = H5Dopen2(file->id, name, reluopt_hdf5_inside());
    if (id < 0) {
        reluopt_hdf5_fail(file, name);
        return id;
    }
    *type = H5Dget_type(id);
    *shape = is_whole(id) ? get_extent(id) : (Extent){0};
    if (shape->rank > 0 && is_plausible(file, *shape, H5Tget_size(*type)))
        return id;
    reluopt_fail(file->error, RELUOPT_STORAGE, "%s: %s has an impossible shape, or is in another file",
                 file->path, name);
    H5Tclose(*type);
    H5Dclose(id);
    return H5I_INVALID_HID;
}

static hid_t open_numbers(const Hdf5 *file, const char *name, hid_t type, Extent *shape)
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

bool reluopt_hdf5_holds(const Hdf5 *file, const char *name, hid_t type)
{
    Error other = {0};
    const Hdf5 probe = {file->id, file->path, &other, {NULL, 0}};
    Extent shape;
    hid_t id = file->error->code ? H5I_INVALID_HID : open_numbers(&probe, name, type, &shape);
    if (id < 0)
        return false;
    H5Dclose(id);
    return true;
}

Extent reluopt_hdf5_shape(const Hdf5 *file, const char *name, hid_t type)
{
    Extent shape = {0};
    hid_t id = open_numbers(file, name, type, &shape);
    if (id < 0)
        return (Extent){0};
    H5Dclose(id);
    return shape;
}

bool reluopt_hdf5_select_rows(Extent shape, size_t first, size_t count, hid_t *in_file, hid_t *in_memory)
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

void reluopt_hdf5_get(const Hdf5 *file, const char *name, hid_t type, Extent shape, size_t first, size_t count,
                      void *data)
{
    Extent stored;
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
    hid_t type = reluopt_hdf5_string(strlen(text) + 1);
    reluopt_hdf5_put(file, name, type, reluopt_hdf5_vector(1), text);
    H5Tclose(type);
}

char *reluopt_hdf5_get_text(const Hdf5 *file, const char *name)
{
    char *text = NULL;
    Extent shape;
    hid_t type, id = open_dataset(file, name, &type, &shape);
    if (id < 0)
        return NULL;
    if (!reluopt_hdf5_is_plain(type, H5T_STRING) || shape.rank != 1 || shape.dim[0] != 1 ||
        H5Tget_size(type) > TEXT_LIMIT)
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
