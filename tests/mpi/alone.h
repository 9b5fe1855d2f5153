/* alone.h - for a test that compares all ranks with one: include it after mpi_cmocka.h, before the tests. */
#ifndef ALONE_H
#define ALONE_H

#include "reluopt/comm.h"
#include "reluopt/dense.h"

static Comm world, self; /* all ranks; this rank alone */

static void start_alone(void)
{
    static int table[2];
    reluopt_dense_start();
    self = reluopt_comm_alone();
    self.world = self.feed = MPI_COMM_SELF; /* to write checkpoints with */
    self.counts = table;
    self.offsets = table + 1;
}

/* The group starts and stops MPI through the module under test. */
#define MPI_Init(argc, argv) (reluopt_comm_start(&world, argc, argv), start_alone())
#define MPI_Finalize() reluopt_comm_stop(&world)

#endif
