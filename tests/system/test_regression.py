#!/usr/bin/python3
"""Seeded runs against stored curves, and the same bits on any number of ranks at the width of a real network.

usage: test_regression.py            compare with regression.csv
       test_regression.py --update   write the curves of this build there; look at the difference before you commit it
"""
import csv
import os
import sys
import unittest

import numpy

import program

STORED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "regression.csv")
COLUMNS = ["train_loss", "test_loss", "test_accuracy"]
EPOCHS = 3
THESIS = ["--direction", "plain", "--gate", "no", "--rate.rule", "min", "--rate.scope", "layer",
          "--inverse.kind", "trained", "--init.inverse", "orthogonal", "--average", 0, "--alpha", 1]
CENTRED = ["--direction", "centred", "--average", 0]
TRAINED = [*CENTRED, "--inverse.kind", "trained"]
METHODS = ["gd", "sgd", "momentum", "adagrad", "rmsprop", "adadelta", "adam", "fa", "dfa", "mgbdt"]
RUNS = {  # name: settings, on the generated rings-xor
    "online, thesis": ["--variant", "online", *THESIS],
    "batch, thesis": ["--variant", "batch", "--batch", 500, *THESIS],
    "line-search, thesis": ["--variant", "line-search", "--batch", 500, *THESIS],
    "recommended": [],
    "recommended, transpose": ["--inverse.kind", "transpose"],
    "online": ["--variant", "online", *TRAINED],
    "batch": ["--variant", "batch", "--batch", 500, *TRAINED],
    "line-search": ["--variant", "line-search", "--batch", 500, "--rate.scope", "layer", *TRAINED],
    "fixed inverse": ["--inverse.kind", "fixed", *CENTRED],
    "transpose": ["--inverse.kind", "transpose", *CENTRED],
    "mirror": ["--inverse.kind", "mirror", *CENTRED],
    "tp": ["--method", "tp"],
    "dtp": ["--method", "dtp", "--inverse.steps", 2],
    "dtp, thesis": ["--method", "dtp", "--target.layer", "output", "--alpha", 1, "--update", "sgd"],
    "dtp, tanh": ["--method", "dtp", "--activation", "tanh", "--inverse.alternate", "yes"],
    "exact": ["--rate.rule", "exact", *TRAINED],
    "exact, layer": ["--rate.rule", "exact", "--rate.scope", "layer", *TRAINED],
    "whitened": ["--inverse.kind", "trained", "--average", 0],
    "averaged, noisy": [*TRAINED, "--average", 1, "--augment.noise", 0.3],
    **{method: ["--method", method] for method in METHODS},
    "sgd, normalised, residual": ["--method", "sgd", "--batch", 500, "--batch_norm", "yes", "--residual", "yes"],
    "adam, tanh": ["--method", "adam", "--activation", "tanh", "--loss", "mse"],
}
# Processors and kernels of BLAS differ in the last bits, and training amplifies that: between AVX2 and AVX-512 by 2.1e-3
# at most (the loss of "exact").
TOLERANCE = 5e-3


class Regression(program.ProgramTest):
    def curves(self, name):
        """EPOCHS x COLUMNS"""
        self.train("--seed", 3, "--epochs", EPOCHS, *RUNS[name], out=name)
        return numpy.array([self.curve(column, name) for column in COLUMNS]).T

    def test_stored_curves(self):
        with open(STORED, newline="") as file:
            rows = list(csv.reader(file))[1:]
        self.assertEqual({row[0] for row in rows}, set(RUNS))
        for name in RUNS:
            stored = [[float(x) for x in row[2:]] for row in rows if row[0] == name]
            with self.subTest(name):
                far = abs(self.curves(name) - stored) > TOLERANCE
                self.assertFalse(far.any(), f"epochs and {COLUMNS}: {numpy.argwhere(far).tolist()}")


@unittest.skipUnless(os.path.isdir("/usr/share/datasets/fashion-mnist"), "no package dataset-fashion-mnist")
class RealWidth(program.ProgramTest):
    """784-500-500-500-10, batch 500: the first 20 steps, on 1, 2, 3, 4 and 8 ranks."""

    def curves(self, np, *settings):
        self.train(os.path.join(program.TOP, "configs/fashion-mnist.yaml"), "--data.train_samples", 10000,
                   "--epochs", 1, "--eval.train", "running", *settings, out=str(np), np=np)
        return numpy.array([self.curve(column, str(np)) for column in COLUMNS])

    def check(self, *settings):
        alone = self.curves(1, *settings)
        for np in 2, 3, 4, 8:
            numpy.testing.assert_array_equal(self.curves(np, *settings), alone, err_msg=f"np {np}")

    def test_recommended(self):
        self.check()

    def test_exact_search(self):
        self.check(*TRAINED, "--rate.rule", "exact")

    def test_transpose(self):
        self.check(*CENTRED, "--inverse.kind", "transpose")


def update():
    test = Regression()
    test.setUp()
    with open(STORED, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["run", "epoch", *COLUMNS])
        for name in RUNS:
            for epoch, values in enumerate(test.curves(name), 1):
                table.writerow([name, epoch, *(f"{value:.6f}" for value in values)])
    test.doCleanups()


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        program.main()
