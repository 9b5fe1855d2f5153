#!/bin/bash
# Stop what tests/slurm/up.sh started, by its process ids.
#
# usage: tests/slurm/down.sh FOLDER
set -u
export SLURM_CONF=$1/slurm.conf
stop() { # file of the process id; TERM, 8 s, KILL
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill -TERM "$pid" 2>/dev/null
    for _ in $(seq 80); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid"
}
if squeue -h -o %A 2>/dev/null | xargs -r scancel; then # else the processes that run jobs are left over
    for _ in $(seq 200); do
        [ -z "$(squeue -h 2>/dev/null)" ] && break
        sleep 0.1
    done
fi
for file in "$1"/run/slurmd.*.pid "$1/run/slurmctld.pid" "$1/run/munged.pid"; do
    stop "$file"
done
