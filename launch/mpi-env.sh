# Source before mpirun or srun on a machine with fewer cores than ranks, in a container, or as root (Open MPI 4.1).
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1     # more ranks than cores are welcome
export OMPI_MCA_hwloc_base_binding_policy=none # else every small mpirun binds its first rank to the same core
export OMPI_MCA_mpi_yield_when_idle=1          # a waiting rank gives way; mpirun sets it only when it knows
export OPENBLAS_NUM_THREADS=1                  # one BLAS thread a rank
