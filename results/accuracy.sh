#!/bin/bash
# Train the configurations of the README's table over several seeds and write results/accuracy.md.
#
# usage: results/accuracy.sh [FOLDER]      FOLDER (default runs/accuracy) keeps the runs; finished ones are not repeated
#        NP=2 sets the number of ranks, RELUOPT_DATA where the data are; about half an hour on 2 cores
set -eu
cd "$(dirname "$0")/.."
. launch/mpi-env.sh
folder=${1:-runs/accuracy}
np=${NP:-2}

run() { # name, seeds, configuration and settings...
    local name=$1 seeds=$2 seed
    shift 2
    for seed in $seeds; do
        [ -e "$folder/$name-$seed/summary.json" ] && continue
        rm -rf "$folder/$name-$seed"
        mpirun -np "$np" build/reluopt-mpi train "$@" --seed "$seed" --out "$folder/$name-$seed" >"$folder/$name-$seed.log" ||
            { tail -n 3 "$folder/$name-$seed.log" >&2; exit 1; }
    done
}

mkdir -p "$folder"
run thesis-online "$(seq 10)" configs/thesis/soybean-online.yaml
run thesis-line-search "$(seq 10)" configs/thesis/soybean-line-search.yaml
for inverse in mirror transpose; do
    run soybean-$inverse "$(seq 10)" configs/soybean.yaml --inverse.kind $inverse
    run mnist-$inverse "1 2 3" configs/mnist.yaml --inverse.kind $inverse --epochs 5
    run fashion-mnist-$inverse "1 2 3" configs/fashion-mnist.yaml --inverse.kind $inverse --epochs 5
    run cifar10-$inverse "1 2 3" configs/cifar10.yaml --inverse.kind $inverse --epochs 3
done
/usr/bin/python3 results/accuracy.py "$folder" >results/accuracy.md
