# Source me (bash): how to start ranks here, inside Slurm or not.
#
#   launcher NP               sets launch=(mpirun ...) or (srun ...): "${launch[@]}" "$program" ... starts NP ranks on this
#                             machine, or in a job those that Slurm was asked for (NP is left out)
#   program                   reluopt-mpi: $RELUOPT_MPI, or built beside this folder, installed with it, or in PATH
#
# One BLAS thread a rank.  Ranks are bound to cores when they fill all of them, each to one; fewer ranks are left to
# the kernel, so that two small jobs do not meet on the same core; more ranks than cores give way while they wait
# (Open MPI's own guess is right only under mpirun, and for ranks that it bound itself).
# shellcheck shell=bash

launch_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=launch/mpi-env.sh
. "$launch_folder/mpi-env.sh"

find_program() {
    local candidate
    for candidate in "${RELUOPT_MPI:-}" "$launch_folder/../build/reluopt-mpi" "$launch_folder/../../../bin/reluopt-mpi"; do
        [ ! -x "$candidate" ] || { echo "$candidate" && return; }
    done
    command -v reluopt-mpi || { echo "reluopt-mpi is not built: make, or set RELUOPT_MPI" >&2 && return 1; }
}

# Physical cores that this process may use; nproc alone would heed limits of threads.
cores() {
    local allowed physical
    allowed=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
    physical=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
    echo $((physical > 0 && physical < allowed ? physical : allowed))
}

# Without looking for networks, a run starts 0.2 s sooner.
this_machine_alone() {
    export OMPI_MCA_pml=${OMPI_MCA_pml:-ob1} OMPI_MCA_btl=${OMPI_MCA_btl:-self,vader}
}

yield() { # RANKS, CORES of a node
    export OMPI_MCA_mpi_yield_when_idle=$(($1 > $2 ? 1 : 0))
}

launcher() { # NP, looked at outside of Slurm
    local ranks=${1:-1} cores
    if [ -z "${SLURM_JOB_ID:-}" ]; then
        cores=$(cores)
        this_machine_alone
        yield "$ranks" "$cores"
        launch=(mpirun -np "$ranks" --bind-to none)
        [ "$ranks" != "$cores" ] || launch=(mpirun -np "$ranks" --map-by core --bind-to core)
        return
    fi
    ranks=${SLURM_NTASKS_PER_NODE:-${SLURM_TASKS_PER_NODE:-1}} # "4" or "4(x2)": the largest comes first
    cores=${SLURM_CPUS_ON_NODE:-1}
    yield "${ranks%%[!0-9]*}" "$cores"
    if srun --mpi=list 2>&1 | grep -qw pmix; then
        launch=(srun --mpi=pmix)
        [ "$OMPI_MCA_mpi_yield_when_idle" = 1 ] || launch+=(--cpu-bind=cores)
    else
        launch=(mpirun)
    fi
}

program=$(find_program) || exit 2
