/* kind.c - which of this program's HDF5 files a file is. */
#include "reluopt/kind.h"

#include "hdf5.h"

int reluopt_file_kind(const char *path, FileKind *kind, Error *error)
{
    Hdf5 file = reluopt_hdf5_open(path, error);
    bool curves = reluopt_hdf5_exists(&file, "/rate");
    bool checkpoint = reluopt_hdf5_exists(&file, "/arrays");
    if (curves == checkpoint)
        reluopt_fail(error, RELUOPT_STORAGE, "%s: neither a checkpoint nor learning curves of this program",
                     path);
    *kind = curves ? FILE_CURVES : FILE_CHECKPOINT;
    reluopt_hdf5_close(&file);
    return error->code;
}
