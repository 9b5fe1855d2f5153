#!/usr/bin/python3
"""reluopt-mpi bench: its report; work and messages of a step against stored figures; memory against the formula.

usage: test_bench.py            compare with counts.csv
       test_bench.py --update   write the counts of this build there; look at the difference before you commit it
"""
import csv
import json
import os
import sys
import unittest

import program

STORED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.csv")
SMALL = ["--layers", "24,50,40,10", "--batch", 32, "--steps", 4]
CENTRED = ["--direction", "centred", "--average", 0, "--alpha", 1]
TRAINED = [*CENTRED, "--inverse.kind", "trained"]
RUNS = {
    "adaptive": TRAINED,
    "adaptive, layer": [*TRAINED, "--rate.scope", "layer", "--inverse.steps", 2],
    "adaptive, transpose": [*CENTRED, "--inverse.kind", "transpose"],
    "adaptive, transpose, not reproducible": [*CENTRED, "--inverse.kind", "transpose", "--reproducible", "no"],
    "dtp": ["--method", "dtp"],
    "adam": ["--method", "adam"],
    "fa": ["--method", "fa"],
    "dfa": ["--method", "dfa"],
}
RANKS = {name: [1, 2, 3] if name in ("adaptive", "adam") else [3] for name in RUNS}
KINDS = "gather", "reduction", "broadcast", "feed"
COLUMNS = ["flops"] + [f"{kind}_{what}" for kind in KINDS for what in ("calls", "bytes")]


class BenchTest(program.ProgramTest):
    def bench(self, *arguments, np=1):
        out, _ = self.run_program("bench", *arguments, "--json", np=np)
        return json.loads(out)

    def counts(self, name, np):
        """Per step: operations; calls of each rank and bytes of all ranks for each kind of message."""
        report = self.bench(*SMALL, *RUNS[name], np=np)
        messages = report["messages_per_step"]
        return [report["flops_per_step"]["total"]] + [messages[kind][what] for kind in KINDS
                                                      for what in ("calls", "bytes")]


class Report(BenchTest):
    def test_json(self):
        report = self.bench(*SMALL, np=2)
        self.assertEqual((report["np"], report["network"], report["batch"]), (2, [24, 50, 40, 10], 32))
        self.assertLessEqual(report["least_step_seconds"], report["median_step_seconds"])
        self.assertGreater(report["share_of_peak"], 0)
        time = report["time"]
        self.assertAlmostEqual(time["total"], sum(part["mean"] for phase, part in time.items() if phase != "total"),
                               places=6)
        self.assertEqual(time["checkpoint"]["most"], 0)

    def test_text(self):
        for arguments in ["--steps", 2], [*SMALL, "--method", "mgbdt", "--batch", 0]:  # the generated set; layers alone
            out, errors = self.run_program("bench", *arguments)
            self.assertEqual(errors, "")
            for part in "ms median", "of the FMA peak", "MB a rank", "samples/s", "ms a step":
                self.assertIn(part, out)
        self.assertEqual(os.listdir(self.folder), [])

    def test_bad_arguments(self):
        for arguments, part in [(["--steps", 0], "--steps 0"), (["--steps", "3x"], "--steps 3x"),
                                (["--layers", "784"], "--layers 784"), (["--layers", "784,10"], "--layers 784,10"),
                                (["--layers", "784,,10"], "--layers 784,,10"), (["--layers", "784,5x,10"], "5x"),
                                (["--layers", "0,5,10"], "--layers 0,5,10"), (["--gate", "perhaps"], "gate")]:
            self.refused("bench", *arguments, code=2, says=[part])
        self.refused("bench", "--steps", 0, code=2, says=["--steps"], np=3)


def work(n, batch):
    """docs/performance.md, "Work": operations of a step of `adaptive` with one step of the inverses."""
    w = [n[i] * (n[i - 1] + 1) for i in range(1, len(n))]
    v = [n[i - 1] * (n[i] + 1) for i in range(2, len(n))]
    targets = sum(n[i - 1] * n[i] for i in range(2, len(n)))
    return 2 * batch * (3 * sum(w) + targets + sum(w[1:]) + 3 * sum(v))


class Counts(BenchTest):
    def test_stored_counts(self):
        with open(STORED, newline="") as file:
            rows = list(csv.reader(file))[1:]
        stored = {(row[0], int(row[1])): [float(x) for x in row[2:]] for row in rows}
        self.assertEqual(set(stored), {(name, np) for name in RUNS for np in RANKS[name]})
        self.assertEqual(stored["adaptive", 1][0], work([24, 50, 40, 10], 32))
        for (name, np), counts in stored.items():
            self.assertEqual(self.counts(name, np), counts, f"{name} at np {np}: {COLUMNS}")


def allocated(floats):
    """Bytes of a buffer: see reluopt_alloc."""
    unit = 2 << 20 if 4 * floats >= 2 << 20 else 64
    return (4 * int(floats) + unit) // unit * unit


def memory(method, n, batch, np, states=0):
    """docs/performance.md, "Memory": bytes of a rank."""
    top, columns = len(n) - 1, max(batch, 256)
    m = [width / np for width in n]
    widest = (max(n[1:]) + 1) * columns
    floats = 2 * [(n[0] + 1) * batch] + 2 * [(n[0] + 1) * columns]
    if np > 1:
        floats += [max(n[i] * (n[i - 1] + 1) for i in range(2, top + 1))]
    for i in range(1, top + 1):
        weights = m[i] * (n[i - 1] + 1)
        floats += (2 + states) * [weights] + [m[i] * columns, (n[i] + 1) * columns]
        floats += [weights] if method == "adaptive" else []
        floats += {"adaptive": 2 * [m[i] * columns] + [(n[i] + 1) * columns]}.get(method, [(n[i] + 1) * columns])
    if method == "adam":
        return sum(map(allocated, floats + [widest]))
    floats += (4 if method == "dtp" else 3) * [widest]
    for i in range(2, top + (method == "adaptive")):
        floats += (2 + states) * [m[i - 1] * (n[i] + 1)] + [m[i - 1] * columns, (n[i - 1] + 1) * columns]
        floats += 2 * [m[i - 1] * columns] if method == "adaptive" else []
    return sum(map(allocated, floats))


class Memory(BenchTest):
    def test_formula(self):
        n = [784, 300, 250, 200, 10]
        for method, states, settings in ("adaptive", 0, [*TRAINED, "--alpha", "auto"]), ("dtp", 2, []), ("adam", 2, []):
            for batch, np in (500, 1), (100, 3):
                report = self.bench("--method", method, *settings, "--layers", ",".join(map(str, n)), "--batch", batch,
                                    "--steps", 1, np=np)
                expected, measured = memory(method, n, batch, np, states), report["allocated_bytes"]["mean"]
                self.assertLess(abs(measured / expected - 1), 0.1, f"{method} np {np}: {measured} is not {expected}")


def update():
    test = Counts()
    test.setUp()
    with open(STORED, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["run", "np", *COLUMNS])
        for name in RUNS:
            for np in RANKS[name]:
                table.writerow([name, np, *(f"{x:.15g}" for x in test.counts(name, np))])
    test.doCleanups()


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        program.main()
