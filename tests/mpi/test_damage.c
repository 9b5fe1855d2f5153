/* test_damage.c - what damage to a checkpoint, or another file in its place, does when it is read. */
#include "checkpoint_small.h"

/* Rank 0 writes an attribute of the root, past the library under test. */
static void set_attribute(const char *path, const char *name, int64_t number)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t id = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(H5Awrite(id, H5T_NATIVE_INT64, &number) >= 0);
    H5Aclose(id);
    H5Fclose(file);
}

static void replace_dataset_by_integers(const char *path, const char *name)
{
    hsize_t dims[2] = {3, 4};
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(2, dims, NULL);
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    hid_t id = H5Dcreate2(file, name, H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dclose(id) >= 0);
    H5Sclose(space);
    H5Fclose(file);
}

/* One case of damage: `harm` changes the file on rank 0, reading it says `part`. */
static void assert_harmed(void (*harm)(const char *path), const char *part)
{
    const char *path = scratch_path("c.h5");
    bool same;
    Error error = {0};
    assert_all(write_small(path, PREPROCESS_NONE, &error) == RELUOPT_OK);
    if (mt_rank == 0)
        harm(path);
    MPI_Barrier(MPI_COMM_WORLD);
    assert_agreed(&error, read_small(path, PREPROCESS_NONE, &same, &error), RELUOPT_STORAGE, part);
}

static void another_format(const char *path)
{
    set_attribute(path, "format", 1);
}

static void incomplete(const char *path)
{
    set_attribute(path, "complete", 0);
}

static void other_type(const char *path)
{
    replace_dataset_by_integers(path, "/arrays/W20");
}

static void numbers_for_text(const char *path)
{
    replace_dataset_by_integers(path, "/config");
}

/* In place of a part of the file, a link to the same part of a copy, and a dataset whose values are in it. */

static void copy_file(const char *path, char copy[256])
{
    static char bytes[1 << 16];
    size_t size = scratch_read(path, bytes, sizeof bytes);
    snprintf(copy, 256, "%s", scratch_write("copy.h5", bytes, size));
}

static void link_elsewhere(const char *path, const char *name)
{
    char copy[256];
    copy_file(path, copy);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external(copy, name, file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Fclose(file);
}

static void linked_array(const char *path)
{
    link_elsewhere(path, "/arrays/W20");
}

static void linked_group(const char *path)
{
    link_elsewhere(path, "/arrays");
}

static void linked_attributes(const char *path)
{
    link_elsewhere(path, "/position");
}

static void virtual_array(const char *path)
{
    char copy[256];
    copy_file(path, copy);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), plan = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(2, (hsize_t[]){3, 4}, NULL);
    assert_true(H5Pset_virtual(plan, space, copy, "/arrays/W20", space) >= 0);
    assert_true(H5Ldelete(file, "/arrays/W20", H5P_DEFAULT) >= 0);
    hid_t id = H5Dcreate2(file, "/arrays/W20", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    assert_true(H5Dclose(id) >= 0);
    H5Sclose(space);
    H5Pclose(plan);
    H5Fclose(file);
}

static void not_hdf5(const char *path)
{
    scratch_text(strrchr(path, '/') + 1, "# a text\n");
}

static void empty(const char *path)
{
    scratch_text(strrchr(path, '/') + 1, "");
}

static void removed(const char *path)
{
    unlink(path);
}

static void a_folder(const char *path)
{
    unlink(path);
    scratch_folder_in(strrchr(path, '/') + 1);
}

static void says_what_is_wrong_with_a_file(void **state)
{
    (void)state;
    assert_harmed(another_format, "checkpoint format 1; this program reads format 2");
    assert_harmed(incomplete, "incomplete");
    assert_harmed(other_type, "/arrays/W20 has a wrong type");
    assert_harmed(numbers_for_text, "/config");
    assert_harmed(linked_array, "/arrays/W20: traversal operator failed");
    assert_harmed(linked_group, "/arrays/W20: traversal operator failed");
    assert_harmed(linked_attributes, "epoch: traversal operator failed");
    assert_harmed(virtual_array, "/arrays/W20 has an impossible shape, or is in another file");
    assert_harmed(not_hdf5, "not an HDF5 file");
    assert_harmed(empty, "not an HDF5 file");
    assert_harmed(removed, "No such file or directory");
    assert_harmed(a_folder, "is a folder");
}

static void detects_truncation(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    static char bytes[1 << 16];
    Error error = {0};
    bool same;
    assert_all(write_small(path, PREPROCESS_ZCA, &error) == RELUOPT_OK);
    size_t size = scratch_read(path, bytes, sizeof bytes);
    assert_all(size > 1000 && size < sizeof bytes);
    for (size_t cut = 1; cut < size; cut = 2 * cut + 1) {
        MPI_Barrier(MPI_COMM_WORLD);
        if (mt_rank == 0)
            scratch_write("c.h5", bytes, size - cut);
        MPI_Barrier(MPI_COMM_WORLD);
        assert_agreed(&error, read_small(path, PREPROCESS_ZCA, &same, &error), RELUOPT_STORAGE, "c.h5");
    }
}

/* A flipped bit is found, or it is where nothing is (between the parts of the file). */
static void detects_damage(void **state)
{
    (void)state;
    const char *path = scratch_path("c.h5");
    static char bytes[1 << 16];
    Error error = {0};
    size_t size_read, found = 0, tried = 0, every = getenv("RELUOPT_EVERY_BYTE") ? 1 : 7 * (size_t)mt_size;
    assert_all(write_small(path, PREPROCESS_ZCA, &error) == RELUOPT_OK);
    size_t size = scratch_read(path, bytes, sizeof bytes);
    assert_all(size > 1000 && size < sizeof bytes);
    for (size_t i = 0; i < size; i += every, tried++) {
        bool same;
        MPI_Barrier(MPI_COMM_WORLD);
        if (mt_rank == 0) {
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
            scratch_write("c.h5", bytes, size);
            bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        int code = read_small(path, PREPROCESS_ZCA, &same, &error);
        assert_all(code == RELUOPT_STORAGE || (code == RELUOPT_OK && same));
        error = (Error){0};
        assert_all(reluopt_checkpoint_verify(&comm, path, &size_read, &error) == code);
        found += code != RELUOPT_OK;
        error = (Error){0};
    }
    assert_all(2 * found > tried);
    if (mt_rank == 0)
        print_message("%zu of %zu flipped bits found, the others harmless\n", found, tried);
}
static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(says_what_is_wrong_with_a_file, setup, teardown),
    cmocka_unit_test_setup_teardown(detects_truncation, setup, teardown),
    cmocka_unit_test_setup_teardown(detects_damage, setup, teardown),
};

mpi_cmocka_main("damage", tests)
