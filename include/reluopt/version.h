/* version.h - the program's name and version, from one place. */
#ifndef RELUOPT_VERSION_H
#define RELUOPT_VERSION_H

#define RELUOPT_VERSION "0.1.0"
#define RELUOPT_PROGRAM "reluopt-mpi " RELUOPT_VERSION

#endif
