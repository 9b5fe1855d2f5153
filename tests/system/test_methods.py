#!/usr/bin/python3
"""Methods with update rules end to end: every method learns, on any number of ranks, and its
checkpoint evaluates to the same figures; settings that do not go together are refused."""
import os
import unittest

import numpy

import program

METHODS = "gd", "sgd", "momentum", "adagrad", "rmsprop", "adadelta", "adam", "fa", "dfa", "tp", "dtp"
LAYER_OPTIONS = "--batch_norm", "yes", "--residual", "yes", "--network", "40,40,40"
SOYBEAN = os.path.join(os.environ.get("RELUOPT_DATA", os.path.join(program.TOP, "data")), "soybean")


@unittest.skipUnless(os.path.isdir(SOYBEAN), "no soybean data in $RELUOPT_DATA")
class Soybean(program.ProgramTest):
    def test_every_method_learns_with_its_own_settings(self):
        for method in METHODS:
            for seed in 1, 2, 3:
                figures = self.train("--method", method, "--data.name", "soybean", "--network", "100,100",
                                     "--epochs", 30, "--seed", seed, out=f"{method}-{seed}")
                self.assertGreater(figures["train_accuracy"], 0.6, f"{method}, seed {seed}")

    def test_configurations(self):
        for method in METHODS:
            figures = self.train(os.path.join(program.TOP, f"configs/methods/{method}.yaml"), out=method)
            self.assertGreater(figures["train_accuracy"], 0.6, method)
            self.assertEqual(figures["steps"], 300 if method == "gd" else 4 * 30)

    def test_gd_reaches_everything(self):
        for seed in 1, 2, 3:
            self.train(os.path.join(program.TOP, "configs/methods/gd.yaml"), "--seed", seed, out=str(seed))
            self.assertEqual(self.curve("train_accuracy", str(seed))[-1], 1)
            self.assertEqual(self.curve("test_accuracy", str(seed))[-1], 1)


class Ranks(program.ProgramTest):
    """W' Delta is summed over ranks, so back-propagation agrees up to rounding; feedback alignment bit for bit."""

    def same_on_any_number(self, method, *settings):
        curves = {}
        for np in 1, 2, 3, 4, 8:
            out = f"{method}{np}"
            self.train("--method", method, "--epochs", 1, *settings, out=out, np=np)
            curves[np] = [self.curve(c, out)[-1] for c in ("train_loss", "test_loss")]
            exact = method in ("fa", "dfa")
            numpy.testing.assert_allclose(curves[np], curves[1], rtol=0 if exact else 2e-4,
                                          err_msg=f"{method} at np {np}")

    def test_plain_layers(self):
        for method in "sgd", "adam", "fa", "dfa":
            self.same_on_any_number(method)

    def test_normalised_layers_with_skips(self):
        for method in "adam", "dfa":
            self.same_on_any_number(method, *LAYER_OPTIONS)


class Checkpoints(program.ProgramTest):
    def test_eval_repeats_the_figures_at_any_np(self):
        for settings in [("--method", m) for m in METHODS] + [
                ("--method", "adam", *LAYER_OPTIONS), ("--method", "fa", *LAYER_OPTIONS),
                ("--method", "sgd", "--loss", "mse", "--activation", "tanh"),
                ("--method", "tp", "--inverse.kind", "fixed", "--target.layer", "output"),
                ("--method", "dtp", "--loss", "mse", "--activation", "sigmoid", "--inverse.activation", "linear")]:
            out = "-".join(settings).replace("--", "")
            figures = self.train(*settings, "--epochs", 2, out=out)
            for np in 1, 3:
                text, _ = self.run_program("eval", out + "/checkpoint.h5", np=np)
                line = next(line for line in text.splitlines() if line.startswith("test"))
                self.assertAlmostEqual(float(line.split()[2]), figures["test_loss"], places=4, msg=out)

    def test_echoed_configuration_repeats_the_run(self):
        first = self.train("--method", "rmsprop", "--epochs", 2, "--batch_norm", "yes", out="a")
        second = self.train("a/config.yaml", out="b")
        self.assertEqual(first["test_loss"], second["test_loss"])
        with open(self.path("a/config.yaml")) as file:
            echo = file.read()
        for line in "learning_rate: 0.001", "decay: 0.99", "epsilon: 1e-08", "update: rmsprop", "variant: batch":
            self.assertIn("\n" + line + "\n", echo)


class Refused(program.ProgramTest):
    def test_settings(self):
        self.refused("train", "--method", "gd", "--batch", 50, code=2, says=["batch: 0"], np=2)
        for settings, says in [
                (("gd", "--variant", "batch"), "gd uses the whole training set"),
                (("sgd", "--variant", "line-search"), "line-search is for method: adaptive"),
                (("sgd", "--update", "adam"), "rule of its own"),
                (("sgd", "--momentum", 0.9), "not used by the update rule sgd"),
                (("adam", "--gate", "no"), "gate: not used by method: adam"),
                (("adaptive", "--activation", "sigmoid"), "activation: not used by method: adaptive"),
                (("adaptive", "--batch_norm", "yes"), "batch_norm: not used by method: adaptive"),
                (("adaptive", "--learning_rate", 1), "learning_rate: not used by method: adaptive"),
                (("sgd", "--learning_rate", 0), "must be a number > 0"),
                (("adaptive", "--target.layer", "output"), "target.layer: not used by method: adaptive"),
                (("dtp", "--gate", "no"), "gate: not used by method: dtp"),
                (("dtp", "--batch_norm", "yes"), "batch_norm: not used by method: dtp"),
                (("dtp", "--inverse.warmup", 3, "--epochs", 3), "inverse.warmup leaves no epoch"),
                (("tp", "--inverse.kind", "fixed", "--inverse.alternate", "yes"), "need inverse.kind: trained"),
                (("backprop",), "there are: adaptive, gd")]:
            self.refused("train", "--method", *settings, code=2, says=[says])

    def test_divergence_names_the_rate(self):
        self.refused("train", "--method", "sgd", "--learning_rate", 1e6, "--loss", "mse", code=5,
                     says=["learning_rate = 1e+06 is too large"])


if __name__ == "__main__":
    program.main()
