#!/bin/bash
# Compare with optimisers of PyTorch, some of them without a learning rate, on the same data, networks and batches; write
# results/peers.md and results/small-samples.md.
#
# usage: results/peers.sh [FOLDER]      FOLDER (default runs/peers) keeps the runs; finished ones are not repeated
#        NP=2 ranks and threads, ONLY=REGEX the runs to make, QUICK=1 a small version with its tables in runs/peers-quick
# Nothing else should run on the machine, since times are compared.
set -eu
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
folder=${1:-runs/peers${QUICK:+-quick}}
out=${QUICK:+$folder}
/usr/bin/python3 results/peers_runs.py "$folder"
/usr/bin/python3 results/peers_report.py "$folder" "${out:-results}"
