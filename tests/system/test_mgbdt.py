#!/usr/bin/python3
"""Multi-layered boosted trees end to end: tables that no linear model fits, soybean, any number of ranks, checkpoints,
settings that are refused."""
import math
import os
import random
import unittest

import h5py
import numpy

import program

SOYBEAN = os.path.join(os.environ.get("RELUOPT_DATA", os.path.join(program.TOP, "data")), "soybean")
STORAGE = 4
TREES = "--method", "mgbdt", "--network", "8,8"


def table(seed, count):
    """Rows of a CSV: two numbers, a category, a number that says nothing.  The class is the ring that the numbers lie
    in, inside out where the category is 'turned'."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        ring, turned = draw.randrange(3), draw.randrange(2)
        radius, angle = 1 + ring + draw.uniform(-0.4, 0.4), draw.uniform(0, 2 * math.pi)
        rows.append((radius * math.cos(angle), radius * math.sin(angle), ("plain", "turned")[turned],
                     draw.gauss(0, 1), "abc"[2 - ring if turned else ring]))
    return rows


def linear_accuracy(train, test):
    """Least squares onto the classes."""
    def features(rows):
        return numpy.array([[x, y, c == "turned", n, 1] for x, y, c, n, _ in rows], dtype=float)
    onto = numpy.array([[row[-1] == c for c in "abc"] for row in train], dtype=float)
    weights = numpy.linalg.lstsq(features(train), onto, rcond=None)[0]
    guess = (features(test) @ weights).argmax(axis=1)
    return numpy.mean(guess == ["abc".index(row[-1]) for row in test])


class Learns(program.ProgramTest):
    def test_table_that_no_linear_model_fits(self):
        train, test = table(1, 600), table(2, 300)
        for name, rows in ("train.csv", train), ("test.csv", test):
            self.write(name, "".join(",".join(map(str, row)) + "\n" for row in rows))
        figures = self.train(*TREES, "--epochs", 30, "--data.name", "file", "--data.train", "train.csv",
                             "--data.test", "test.csv", np=2)
        self.assertLess(linear_accuracy(train, test), 0.5)
        self.assertGreater(figures["train_accuracy"], 0.9)
        self.assertGreater(figures["test_accuracy"], 0.8)
        out, _ = self.run_program("eval", "run/checkpoint.h5", "test.csv", np=3)
        self.assertIn(f"{100 * figures['test_accuracy']:.2f}", out)

    def test_rings_and_xor(self):
        figures = self.train(*TREES, "--epochs", 20)
        self.assertGreater(figures["test_accuracy"], 0.95)

    @unittest.skipUnless(os.path.isdir(SOYBEAN), "no soybean data in $RELUOPT_DATA")
    def test_soybean(self):
        config = os.path.join(program.TOP, "configs/methods/mgbdt.yaml")
        for seed in 1, 2, 3:
            figures = self.train(config, "--seed", seed, out=str(seed))
            self.assertEqual(figures["train_accuracy"], 1)
            self.assertGreater(figures["test_accuracy"], 0.8)


class Ranks(program.ProgramTest):
    def test_same_bits_on_any_number(self):
        first = None
        for np in 1, 2, 3, 4, 8:
            self.train(*TREES, "--epochs", 2, out=str(np), np=np)
            curves = [list(self.curve(c, str(np))) for c in ("train_loss", "test_loss")]
            first = first or curves
            self.assertEqual(curves, first, f"np {np}")
        self.train(*TREES, "--epochs", 2, "--coordinator", "dedicated", out="dedicated", np=3)
        self.assertEqual([list(self.curve(c, "dedicated")) for c in ("train_loss", "test_loss")], first)

    def test_eval_repeats_the_figures_at_any_np(self):
        figures = self.train(*TREES, "--epochs", 3, np=2)
        for np in 1, 3:
            out, _ = self.run_program("eval", "run/checkpoint.h5", np=np)
            line = next(line for line in out.splitlines() if line.startswith("test"))
            self.assertAlmostEqual(float(line.split()[2]), figures["test_loss"], places=4)


class Files(program.ProgramTest):
    def test_curves_and_checkpoint(self):
        self.train(*TREES, "--epochs", 2, "--trees.shrinkage", 0.25)
        self.assertEqual(self.curve("steps")[-1], 2)  # the whole training set in each
        self.assertTrue((self.curve("rate") == 0.25).all())
        self.assertTrue(numpy.isnan(self.curve("active")).all())
        out, _ = self.run_program("info", "run/checkpoint.h5")
        for part in "F1", "F3", "G2", "G3", f"8 x {11 * 15 * 3}", f"8 x {2 * 15 * 3}":
            self.assertIn(part, out)

    def test_impossible_trees(self):
        self.train(*TREES, "--epochs", 1)
        with h5py.File(self.path("run/checkpoint.h5"), "r+") as file:
            nodes = file["arrays/F1"][...]
            nodes[7, 1] = 1e8  # the feature at the root of the last output's first tree
            file["arrays/F1"][...] = nodes
        for np in 1, 2:
            for command in ["eval"], ["predict", "x.csv"], ["train", "--resume", "run"]:
                self.write("x.csv", "1,2\n")
                checkpoint = ["run/checkpoint.h5"] if command[0] != "train" else []
                self.refused(command[0], *checkpoint, *command[1:], code=STORAGE, says=["checkpoint.h5", "its trees"], np=np)


class Refused(program.ProgramTest):
    def test_settings(self):
        for settings, says in [
                (("--batch", 50), "mgbdt grows its trees on the whole training set"),
                (("--variant", "batch"), "mgbdt grows its trees on the whole training set"),
                (("--variant", "line-search"), "mgbdt grows its trees on the whole training set"),
                (("--inverse.kind", "fixed"), "inverse.kind: not used by method: mgbdt"),
                (("--rate.rule", "min"), "rate.rule: not used by method: mgbdt"),
                (("--inverse.steps", 0), "mgbdt needs inverse.steps"),
                (("--trees.leaves", 1), "--trees.leaves 1: must be an integer from 2"),
                (("--trees.shrinkage", 1.5), "--trees.shrinkage 1.5: must be a number")]:
            for np in 1, 2:
                self.refused("train", *TREES, *settings, code=2, says=[says], np=np)
        self.refused("train", "--trees.depth", 4, code=2, says=["trees.depth: not used by method: adaptive"])


if __name__ == "__main__":
    program.main()
