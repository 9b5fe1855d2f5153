#!/usr/bin/python3
"""Grids of ranks: training, resuming on another one, what they do not go with, and the one that is chosen."""
import json
import os

import numpy

import program
from resume import ResumeTest

USAGE = 2
DIVIDED = ["--reproducible", "no"]
TRAINED = ["--inverse.kind", "trained", "--direction", "centred"]
METHODS = {
    "adaptive": [],
    "trained": TRAINED,
    "noisy, averaged": ["--average", 0.5, "--augment.noise", 0.1, "--direction", "centred"],
    "whole set": ["--variant", "online", "--direction", "whitened"],
    "adam": ["--method", "adam", "--batch_norm", "yes"],
}


class Training(ResumeTest):
    def assert_near(self, run, whole, about):
        with self.checkpoint(run) as one, self.checkpoint(whole) as other:
            self.assertEqual(set(one["arrays"]), set(other["arrays"]))
            for name, array in one["arrays"].items():
                expected = other["arrays"][name][...]
                distance = numpy.abs(array[...] - expected).max(initial=0)
                self.assertLessEqual(distance, 0.01 * numpy.abs(expected).max(initial=1e-6), f"{about}: {name}")
        for name in "train_loss", "test_loss", "alpha":
            numpy.testing.assert_allclose(self.curve(name, run), self.curve(name, whole), rtol=1e-2, err_msg=about)

    def test_every_grid_is_near(self):
        for name, settings in METHODS.items():
            self.whole(*DIVIDED, *settings, "--epochs", 1, out=name)
            for grid in "2x2", "4x1":
                run = name + grid
                self.whole(*DIVIDED, *settings, "--epochs", 1, "--grid", grid, out=run, np=4)
                self.assert_near(run, name, run)

    def test_kernels_that_differ(self):
        """Copies of weights would differ, too: no division of batches, and none by default."""
        def ranks(*arguments):
            first, second = (["-np", "1", "env", "OPENBLAS_CORETYPE=" + kernel, *program.UNDER, program.PROGRAM, "train",
                              "--epochs", "1", *DIVIDED, *arguments] for kernel in ("Prescott", "Nehalem"))
            return ["mpirun", *first, ":", *second]
        _, errors = self.run_program(command=ranks("--grid", "2x1"), code=USAGE)
        self.one_line(errors, ["grid: 2x1", "OPENBLAS_CORETYPE"])
        self.run_program(command=ranks("--out", "run"))
        with self.checkpoint("run") as file:
            self.assertEqual(file.attrs["ranks"], 2)

    def test_resumed_on_the_same_grid_exactly(self):
        self.whole(*DIVIDED, "--grid", "2x2", np=4)
        self.one_step(*self.SMALL, *DIVIDED, "--grid", "2x2", "--out", "cut", out="cut", np=4)
        self.resume("cut", np=4)
        self.assert_same("cut", "whole")

    def test_resumed_on_others(self):
        small = [*DIVIDED, "--epochs", 1]
        self.whole(*small)
        self.one_step(*self.SMALL, *small, "--grid", "2x2", "--out", "cut", out="cut", np=4)
        self.refused("train", "--resume", "cut", code=USAGE, says=["grid: 2x2 is for 4 ranks, and there are 3"], np=3)
        self.one_step("--resume", "cut", "--grid", "3x1", out="cut", np=3)
        self.one_step("--resume", "cut", "--grid", "1x2", out="cut", np=2)
        self.resume("cut", "--grid", "auto", np=4)
        self.assert_near("cut", "whole", "from grid to grid")

    def test_network_is_used_anywhere(self):
        self.whole(*DIVIDED, "--grid", "2x2", "--epochs", 1, np=4)
        outputs = {self.run_program("eval", "whole/checkpoint.h5", np=np)[0] for np in (1, 3)}
        self.assertEqual(len(outputs), 1)
        self.run_program("report", "whole", np=2)
        self.run_program("info", "--verify", "whole/checkpoint.h5", np=3)


class Settings(program.ProgramTest):
    def test_refused(self):
        for arguments, part in [
            (["--grid", "2x1"], "set reproducible: no, or grid: 1x2"),
            ([*DIVIDED, "--grid", "3x1"], "grid: 3x1 is for 3 ranks, and there are 2"),
            ([*DIVIDED, "--grid", "2"], "grid: 2: must be auto"),
            ([*DIVIDED, "--grid", "2x1", "--method", "mgbdt"], "not used by method: mgbdt"),
            ([*DIVIDED, "--grid", "2x1", "--coordinator", "dedicated"], "coordinator: dedicated"),
            ([*DIVIDED, "--grid", "2x1", "--rate.rule", "exact"], "rate.rule: exact of a neuron"),
        ]:
            self.refused("train", *arguments, code=USAGE, says=[part], np=2)
        self.run_program("train", "--grid", "1x2", "--epochs", 1, "--out", "run", np=2)

    def grid(self, *arguments, np):
        return json.loads(self.run_program("bench", "--steps", 1, "--json", *arguments, np=np)[0])["grid"]

    def test_chosen(self):
        """Reproducible runs divide no batch; others where that is less to send."""
        wide, long = ["--layers", "20,200,200,4", "--batch", 20], ["--layers", "20,16,16,4", "--batch", 1000]
        self.assertEqual(self.grid(*long, np=4), [1, 4])
        self.assertEqual(self.grid(*long, *DIVIDED, np=4), [4, 1])
        self.assertEqual(self.grid(*wide, *DIVIDED, np=4), [1, 4])


class Scaling(program.ProgramTest):
    SCRIPT = os.path.join(program.TOP, "results", "scaling.py")

    def script(self, *arguments):
        return self.run_program(command=[self.SCRIPT, *map(str, arguments)])[0]

    def test_messages_are_those_of_the_program(self):
        """Widths of whole blocks, so that all ranks have as many rows."""
        network = ["--layers", "20,48,96,24", "--batch", 40]
        for grid in "1x2", "2x1", "2x2":
            data, neurons = map(int, grid.split("x"))
            out, _ = self.run_program("bench", *network, "--grid", grid, *DIVIDED, *TRAINED, "--alpha", 1, "--steps", 1, "--json",
                                      np=data * neurons)
            sent = json.loads(out)["messages_per_step"]
            gather, reduction = sent["gather"], sent["reduction"]
            ranks = data * neurons
            self.assertIn(f"gather {gather['calls']} calls, {gather['bytes'] / ranks:.0f} bytes; reduction "
                          f"{reduction['calls']} calls, {reduction['bytes'] / ranks:.0f} bytes",
                          self.script(*network, "--ranks", ranks, "--grid", grid))

    def test_auto_is_that_of_the_program(self):
        network = ["--layers", "20,48,96,24", "--batch", 100]
        out, _ = self.run_program("bench", *network, *DIVIDED, *TRAINED, "--steps", 1, "--json", np=4)
        data, neurons = json.loads(out)["grid"]
        self.assertIn(f"grid {data}x{neurons}: ", self.script(*network, "--ranks", 4))

    def test_usage(self):
        """A grid of another number of ranks, of more parts than samples; what is no number of ranks."""
        for wrong in (8, "3x1"), (8, "8x1"), (0, "1x1"), (2, "2"):
            _, errors = self.run_program(command=[self.SCRIPT, "--layers", "20,48,24", "--batch", "4", "--ranks", str(wrong[0]),
                                                  "--grid", wrong[1]], code=2)
            self.assertRegex(errors, "error: (argument )?--(grid|ranks): ")

    def test_tables_of_the_documentation(self):
        with open(os.path.join(program.TOP, "docs", "performance.md")) as file:
            page = file.read()
        for line in self.script().splitlines():
            if "---" not in line:
                self.assertTrue(line in page, line)


if __name__ == "__main__":
    program.main()
