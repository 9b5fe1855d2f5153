#!/usr/bin/python3
"""Print the table of accuracies from the runs that accuracy.sh made.   usage: accuracy.py FOLDER"""
import glob
import os
import re
import sys

import h5py

# run, title, epochs to report
ROWS = [
    ("mnist", "MNIST, `configs/mnist.yaml`: trained inverse", [3, 8]),
    ("mnist-mirror", "MNIST, `configs/mnist.yaml --inverse.kind mirror --init.inverse orthogonal`, neither averaged nor augmented", [3]),
    ("mnist-transpose", "MNIST, `configs/mnist.yaml --inverse.kind transpose`", [3, 8]),
    ("mnist-whitened",
     "MNIST, `configs/mnist.yaml --inverse.kind transpose --direction whitened --alpha 1`, neither averaged nor augmented", [4]),
    ("fashion-mnist", "Fashion-MNIST, `configs/fashion-mnist.yaml`: trained inverse", [5]),
    ("fashion-mnist-transpose", "Fashion-MNIST, `configs/fashion-mnist.yaml --inverse.kind transpose`", [5, 8]),
    ("cifar10", "CIFAR-10, `configs/cifar10.yaml`: trained inverse", [4]),
    ("cifar10-transpose",
     "CIFAR-10, `configs/cifar10.yaml --inverse.kind transpose --average 1 --augment.shift 2 --augment.flip auto`", [8, 10]),
]
SOYBEAN = [
    ("thesis-online", "`configs/thesis/soybean-online.yaml`"),
    ("thesis-line-search", "`configs/thesis/soybean-line-search.yaml`"),
    ("soybean", "`configs/soybean.yaml`"),
]


def curves(folder, run, column):
    """The column of every seed's curve."""
    values = []
    for path in sorted(glob.glob(os.path.join(folder, run + "-*", "curves.h5"))):
        if re.fullmatch(re.escape(run) + r"-\d+", os.path.basename(os.path.dirname(path))):
            with h5py.File(path, "r") as file:
                values.append(file[column][...])
    return values


def main(folder):
    print("# Accuracy\n\nWritten by `results/accuracy.sh`. Test accuracy in %, mean over seeds (lowest to highest).\n")
    print("| data, configuration | epoch | seeds | test accuracy |\n|---|---|---|---|")
    for run, title, epochs in ROWS:
        test = curves(folder, run, "test_accuracy")
        for epoch in epochs:
            at = [100 * t[epoch - 1] for t in test]
            print(f"| {title} | {epoch} | {len(at)} | {sum(at) / len(at):.2f} ({min(at):.2f} to {max(at):.2f}) |")
    print("\nSoybean, 40 training and 7 test samples: the first epoch after which all of both are right.\n")
    print("| configuration | seeds that get there | by epoch: median (latest) |\n|---|---|---|")
    for run, title in SOYBEAN:
        pairs = zip(curves(folder, run, "train_accuracy"), curves(folder, run, "test_accuracy"))
        whole = [(train == 1) & (test == 1) for train, test in pairs]
        first = sorted(int(w.argmax()) + 1 for w in whole if w.any())
        print(f"| {title} | {len(first)} of {len(whole)} | {first[len(first) // 2]} ({first[-1]}) |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
