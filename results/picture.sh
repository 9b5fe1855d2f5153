#!/bin/bash
# Train MNIST by four methods for six epochs and draw docs/mnist.svg, the README's picture.
#
# usage: results/picture.sh           runs stay in runs/picture; those that are there already are not repeated
set -euo pipefail
cd "$(dirname "$0")/.."
runs=runs/picture

run() { # NAME, arguments of train
    local out=$runs/$1
    shift
    [ -e "$out/summary.json" ] || build/reluopt-mpi train "$@" --epochs 6 --out "$out"
}

run adaptive configs/mnist.yaml
run adaptive-transposed configs/mnist.yaml --inverse.kind transpose
run sgd configs/methods/mnist-sgd.yaml
run adam configs/methods/mnist-adam.yaml
plots=$(mktemp -d)
trap 'rm -r "$plots"' EXIT
build/reluopt-mpi report $runs/adaptive $runs/adaptive-transposed $runs/sgd $runs/adam --plots "$plots" >$runs/report.html
cp "$plots/accuracy.svg" docs/mnist.svg
