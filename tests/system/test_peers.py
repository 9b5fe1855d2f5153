#!/usr/bin/python3
"""results/peers*.py: the optimisers against their formulas, by hand and on least squares; tables from made-up runs."""
import importlib.util
import json
import os
import sys
import unittest

import program

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "results"))
HAS_TORCH = importlib.util.find_spec("torch") is not None
SOYBEAN = os.path.join(os.environ.get("RELUOPT_DATA", os.path.join(program.TOP, "data")), "soybean")
if HAS_TORCH:
    import torch

    import peers_optim as optim
import peers_report as report
import peers_runs as runs


@unittest.skipUnless(HAS_TORCH, "no PyTorch (python3-torch)")
class ByHand(unittest.TestCase):
    """f(w) = w^2 / 2 at w = 2: f = 2, g = 2, |g|^2 = 4."""

    def setUp(self):
        self.w = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)

    def half_square(self):
        return (self.w**2).sum() / 2

    def expect(self, optimiser, *values, loss=None):
        for value in values:
            optimiser.step(loss or self.half_square)
            self.assertAlmostEqual(self.w.item(), value, places=6)

    def test_adam_is_that_of_pytorch(self):
        twin = self.w.detach().clone().requires_grad_()
        optimiser, rule = optim.Rule([self.w], torch.optim.Adam, lr=0.1), torch.optim.Adam([twin], lr=0.1)
        for _ in range(3):
            self.assertAlmostEqual(optimiser.step(self.half_square), twin.item()**2 / 2)
            rule.zero_grad()
            ((twin**2).sum() / 2).backward()
            rule.step()
            self.assertEqual(self.w.item(), twin.item())

    def test_polyak(self):
        # 2 / (0.2 * 4) = 2.5 is above 2 * 1: w = 2 - 2 * 2; then 2.5 is below 2 * 2: w = -2 + 2.5 * 2
        self.expect(optim.Polyak([self.w], share=1), -2, 3)

    def test_cocob(self):
        # f = -w, g = -1: L = 1; G = 1, 2; R = 0, 0.01; theta = 1, 2; w - 2 = 1 / 100 * 1, 2 / 100 * 1.01
        self.expect(optim.Cocob([self.w]), 2.01, 2.0202, loss=lambda: -self.w.sum())

    def test_cocob_stays_without_gradient(self):
        self.expect(optim.Cocob([self.w]), 2, 2, loss=lambda: 0 * self.w.sum())

    def test_dog(self):
        # r = 0.3: eta = 0.3 / 2, w = 1.7; moved 0.3, squares 4 + 1.7^2: w = 1.7 (1 - 0.3 / sqrt(6.89))
        optimiser = optim.Dog([self.w], relative=0.1)
        second = 1.7 * (1 - 0.3 / 6.89**0.5)
        self.expect(optimiser, 1.7, second)
        with optimiser.evaluated():
            self.assertAlmostEqual(self.w.item(), 0.1 * 1.7 + 0.9 * second, places=6)
        self.assertAlmostEqual(self.w.item(), second, places=6)

    def test_armijo_takes_the_first_step_that_will_do(self):
        # f(2 - 2 eta) <= 2 - 0.4 eta holds up to eta = 1.8; the trials are 2, then 2 * 0.89
        optimiser = optim.Armijo([self.w], share=1, beta=0.89)
        self.expect(optimiser, 2 - 2 * 1.78)
        self.assertEqual(optimiser.rate, 1.78)

    def test_armijo_stays_where_no_step_will_do(self):
        losses = iter(range(1000))
        self.expect(optim.Armijo([self.w], share=1), 2, loss=lambda: next(losses) + 0 * self.w.sum())


@unittest.skipUnless(HAS_TORCH, "no PyTorch (python3-torch)")
class LeastSquares(unittest.TestCase):
    """Batches of 20 of 40 equations in 10 unknowns, which a solution meets exactly."""

    def descend(self, make, steps, goal, check=lambda optimiser, before, loss: None):
        torch.manual_seed(1)
        a, x = torch.randn(40, 10), torch.randn(10, 2)
        w = [torch.zeros(10, 1, requires_grad=True), torch.zeros(10, 1, requires_grad=True)]

        def loss(rows=slice(None)):
            return ((a[rows] @ (torch.cat(w, 1) - x))**2).mean()

        optimiser, first = make(w), loss().item()
        for step in range(steps):
            rows = torch.arange(20) + 20 * (step % 2)
            before = [p.detach().clone() for p in w]
            optimiser.step(lambda: loss(rows))
            check(optimiser, before, lambda: loss(rows))
        with optimiser.evaluated():
            self.assertLess(loss().item(), goal * first)

    def check_armijo(self, optimiser, before, loss):
        after = [p.detach().clone() for p in optimiser.parameters]
        value = loss().item()
        with torch.no_grad():
            for p, start in zip(optimiser.parameters, before):
                p.copy_(start)
        start = loss()
        slope = optim.squared_norm(torch.autograd.grad(start, optimiser.parameters))
        self.assertLessEqual(value, start.item() - 0.1 * optimiser.rate * slope)
        self.assertLessEqual(optimiser.rate, 10)
        with torch.no_grad():
            for p, end in zip(optimiser.parameters, after):
                p.copy_(end)

    def test_armijo(self):
        self.descend(lambda w: optim.Armijo(w, share=0.5), 60, 1e-6, self.check_armijo)

    def test_polyak(self):
        self.descend(lambda w: optim.Polyak(w, share=0.5, c=0.5), 200, 1e-6)

    def test_cocob(self):
        self.descend(optim.Cocob, 1000, 1e-3)

    def test_dog(self):
        self.descend(optim.Dog, 1000, 1e-3)

    def test_adam(self):
        self.descend(lambda w: optim.Rule(w, torch.optim.Adam, lr=0.03), 500, 1e-3)


class Tables(program.ProgramTest):
    def put(self, name, seed, accuracies, diverged=False):
        """A run of an epoch every 2 seconds."""
        with open(self.path(f"{name}-{seed}.jsonl"), "w") as file:
            file.write(json.dumps({"machine": f"machine {seed}", "tuned": "none", "diverged": diverged}) + "\n")
            for i, accuracy in enumerate(accuracies, 1):
                file.write(json.dumps({"epoch": i, "steps": 100 * i, "seconds": 2 * i, "since_start": 3 * i,
                                       "train_accuracy": accuracy, "test_accuracy": accuracy}) + "\n")

    def rows(self, text):
        return {cells[2]: cells[3:-1] for cells in ([c.strip() for c in line.split("|")] for line in text.splitlines())}

    def test_full(self):
        study = runs.FULL["mnist"]._replace(epochs=8, seeds=2, goals=(0.97, 0.98))
        self.put("torch-adam", 1, [0.9, 0.96, 0.96, 0.96, 0.97, 0.96, 0.96, 0.98])
        self.put("torch-adam", 2, [0.9, 0.96, 0.96, 0.97, 0.97, 0.97, 0.97, 0.97])
        self.put("torch-dog", 1, 8 * [0.1])
        self.put("torch-dog", 2, 8 * [0.2])
        self.put("torch-armijo", 1, 8 * [0.5])
        self.put("torch-cocob", 1, [0.5], diverged=True)
        rows = self.rows(report.full_table(self.folder, study))
        self.assertEqual(rows["method"][3:7], ["epoch 5", "epoch 8", "4.0 s", "16.0 s"])
        self.assertEqual(rows["Adam"], ["none", "2", "2.00", "97.00 (97.00 to 97.00)", "97.50 (97.00 to 98.00)",
                                        "96.00 (96.00 to 96.00)", "97.50 (97.00 to 98.00)", "4.5 / 9.0 / 13.5",
                                        "8 / 16.0 / 24.0, 1 of 2 seeds"])
        self.assertEqual([rows["Armijo line search"][i] for i in (1, 3)], ["1 of 2", "50.00"])
        self.assertIn("no epoch yet", report.spread(2, report.read_runs(self.folder, "torch-dog"), lambda epoch: False))
        self.assertEqual(rows["DoG, averaged"][-2:], ["never", "never"])
        self.assertEqual(rows["COCOB"][3:5], ["diverged", "diverged"])
        self.assertEqual(rows["Polyak steps, SPS_max"], ["-", "0 of 2", *7 * ["-"]])

    def test_small(self):
        study = runs.SMALL["soybean"]._replace(epochs=2, seeds=2)
        self.put("sgd", 1, [0.5, 1])
        self.put("sgd", 2, [1, 0.5])
        group = report.read_runs(self.folder, "sgd")
        self.assertEqual(report.last_accuracy(study, group), "75.0 (50.0 to 100.0)")
        self.assertEqual(report.steps_to_full(study, group), "150")


    def test_page(self):
        """It names the machines of the runs, and stays as it was if it cannot be made."""
        os.makedirs(self.path("mnist"))
        self.put("mnist/sgd", 1, [0.5, 0.9])
        self.put("mnist/sgd", 2, [0.5, 0.9])
        report.main(self.folder, self.folder)
        with open(self.path("peers.md")) as file:
            page = file.read()
        self.assertIn("\nmachine 1\n\nmachine 2\n", page)
        self.write("mnist/sgd-3.jsonl", "no JSON")
        self.assertRaises(ValueError, report.main, self.folder, self.folder)
        with open(self.path("peers.md")) as file:
            self.assertEqual(file.read(), page)


@unittest.skipUnless(HAS_TORCH and os.path.isdir(SOYBEAN), "no PyTorch (python3-torch), or no soybean data")
class Runs(program.ProgramTest):
    def test_both_programs(self):
        command = [os.path.join(program.TOP, "results/peers.sh"), self.folder]
        chosen = {"QUICK": "1", "NP": "1", "ONLY": "soybean/(adaptive|torch-adam)-1"}
        out, _ = self.run_program(command=command, RELUOPT_MPI=program.PROGRAM, **chosen)
        self.assertEqual(len(out.splitlines()), 2)
        with open(self.path("small-samples.md")) as file:
            self.assertRegex(file.read(), r"no weight transport \| [0-9.]+ \|")
        again, _ = self.run_program(command=command, RELUOPT_MPI=program.PROGRAM, **chosen)
        self.assertEqual(again, "")


if __name__ == "__main__":
    program.main()
