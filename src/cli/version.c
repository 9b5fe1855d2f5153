/* version.c - what --version prints: the program, its libraries as they are at run time (libdeflate: as it
 * was when this was built; it does not tell), the BLAS kernel. */
#include <libdeflate.h>
#include <yaml.h>
#include <zlib.h>

#include "reluopt/checkpoint.h"
#include "reluopt/cli.h"
#include "reluopt/comm.h"
#include "reluopt/dense.h"
#include "reluopt/version.h"

void reluopt_cli_version(FILE *out)
{
    char text[256];
    fprintf(out, "%s (BLAS kernel %s)\n", RELUOPT_PROGRAM, reluopt_dense_kernel());
    fprintf(out, "%s\n", reluopt_comm_library(text, sizeof text));
    fprintf(out, "%s\n", reluopt_checkpoint_library(text, sizeof text));
    reluopt_dense_print_library(out);
    fprintf(out, "libyaml %s\nzlib %s\nlibdeflate %s\n", yaml_get_version_string(), zlibVersion(),
            LIBDEFLATE_VERSION_STRING);
}
