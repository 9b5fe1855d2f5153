#!/bin/bash
# Measure training steps and write results/performance.md.
#
# usage: results/performance.sh [FOLDER]     FOLDER (default runs/performance) keeps the reports
#        RANKS="1 2" numbers of ranks, STEPS=20, REPEAT=5 runs of each setting (by turns: noise meets all alike),
#        ONLY=REGEX settings to measure, OUT=results/performance.md,
#        PEER=COMMAND something to compare with: runs once, its output is quoted
# The machine should have nothing else to do.
set -eu
cd "$(dirname "$0")/.."
. launch/mpi-env.sh
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
folder=${1:-runs/performance}
mkdir -p "$folder"
rm -f "$folder"/*.json

bench() { # name, settings...
    local name=$1 np
    shift
    [[ $name =~ ${ONLY:-.} ]] || return 0
    for np in ${RANKS:-1 2}; do
        mpirun -np "$np" build/reluopt-mpi bench --json --steps "${STEPS:-20}" "$@" >>"$folder/$name-np$np.json"
    done
}

settings() {
    local mnist="--layers 784,500,500,500,10 --batch 500" cifar="--layers 3072,500,500,500,10 --batch 500"
    local centred="--direction centred --average 0" trained="--direction centred --average 0 --inverse.kind trained"
    bench adaptive-784 $mnist $trained
    bench adaptive-3072 $cifar $trained
    bench adaptive-transpose-784 $mnist $centred --inverse.kind transpose
    bench adaptive-exact-784 $mnist $trained --rate.rule exact
    bench adaptive-whitened-784 $mnist --average 0 --inverse.kind transpose
    bench adaptive-recommended-784 $mnist
    bench adaptive-recommended-3072 $cifar
    bench dtp-784 $mnist --method dtp
    bench adam-784 $mnist --method adam
    bench adam-3072 $cifar --method adam
}

machine() {
    echo "- Processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
    echo "- System: $(uname -sr); $(mpirun --version | head -n 1); OpenBLAS $(pkg-config --modversion openblas)"
    echo "- Program: $(build/reluopt-mpi --version | head -n 1), $(git describe --always --dirty 2>/dev/null || echo 'not from git')"
    echo "- Load of the machine before and after: $load, $(cut -d' ' -f1 /proc/loadavg)"
    echo "- Command: \`RANKS=\"${RANKS:-1 2}\" STEPS=${STEPS:-20} REPEAT=${REPEAT:-5} results/performance.sh\`, $(date -u +%F)"
}

load=$(cut -d' ' -f1 /proc/loadavg)
for _ in $(seq "${REPEAT:-5}"); do
    settings
done
{
    printf '# Performance\n\nWritten by `results/performance.sh` (`make bench`).\n\n'
    machine
    echo
    /usr/bin/python3 results/performance.py "$folder"
    if [ -n "${PEER:-}" ]; then
        printf '\nFor comparison, `%s`:\n\n' "$PEER"
        $PEER | sed 's/^/    /'
    fi
} >"$folder/performance.md"
mv "$folder/performance.md" "${OUT:-results/performance.md}"
