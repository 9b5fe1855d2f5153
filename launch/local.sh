#!/bin/bash
# Run reluopt-mpi on this machine with a fitting number of ranks, binding and waiting.
#
# usage: launch/local.sh [-n NP] [COMMAND] [ARGUMENT]...
#   -n NP    ranks (default: one for each physical core that this process may use)
#   COMMAND, ARGUMENT: those of reluopt-mpi; local.sh help lists them
#
#   launch/local.sh train configs/mnist.yaml --epochs 3
# For a network of a few hundred neurons a layer, one rank is the fastest for each core: run several seeds side by side,
# each with -n 1.  docs/cluster.md says how to choose.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//p }' "$0" && exit ;; esac
np=
if [ "${1:-}" = -n ]; then
    [ $# -gt 1 ] || { echo "local.sh: -n: the number of ranks must follow" >&2 && exit 2; }
    np=$2
    shift 2
fi
case $np in *[!0-9]* | 0) echo "local.sh: -n $np: must be a number of ranks, such as 4" >&2 && exit 2 ;; esac
# shellcheck source=launch/launcher.sh
. "$(dirname "${BASH_SOURCE[0]}")/launcher.sh"
unset SLURM_JOB_ID SLURM_JOBID # this machine alone, also inside a job
launcher "${np:-$(cores)}"
exec "${launch[@]}" "$program" "$@"
