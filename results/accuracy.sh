#!/bin/bash
# Train the configurations of the README's table over several seeds and write results/accuracy.md.
#
# usage: results/accuracy.sh [FOLDER]      FOLDER (default runs/accuracy) keeps the runs; finished ones are not repeated
#        NP=2 sets the number of ranks, RELUOPT_DATA where the data are; about an hour on 2 cores
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
run soybean "$(seq 10)" configs/soybean.yaml
run mnist "1 2 3" configs/mnist.yaml
run mnist-transpose "1 2 3" configs/mnist.yaml --inverse.kind transpose
plain=(--average 0 --augment.shift 0 --augment.flip no)
run mnist-mirror "1 2 3" configs/mnist.yaml --inverse.kind mirror --init.inverse orthogonal --epochs 3 "${plain[@]}"
run mnist-whitened "1 2 3" configs/mnist.yaml --inverse.kind transpose --direction whitened --alpha 1 --epochs 4 "${plain[@]}"
run fashion-mnist "1 2 3" configs/fashion-mnist.yaml
run fashion-mnist-transpose "1 2 3" configs/fashion-mnist.yaml --inverse.kind transpose --epochs 8
run cifar10 "1 2 3" configs/cifar10.yaml --epochs 4
run cifar10-transpose "1 2 3" configs/cifar10.yaml --inverse.kind transpose --average 1 --augment.shift 2 --augment.flip auto \
    --epochs 10
/usr/bin/python3 results/accuracy.py "$folder" >results/accuracy.md
