#!/usr/bin/python3
"""make reproduce QUICK=1: stopped and gone on with, it makes every table and figure, the same from the same runs."""
import filecmp
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

import h5py
import numpy

import program

TOOL = os.path.join(program.TOP, "results", "reproduce")


@unittest.skipIf("sanitize" in program.BUILD, "hundreds of runs of the program, slow under sanitizers")
class Reproduce(program.ProgramTest):
    def tool(self, command, out, runs="runs"):
        return [sys.executable, TOOL, command, "--quick", "--jobs", "2", "--runs", self.path(runs), "--out", self.path(out)]

    def done(self):
        return glob.glob(self.path("runs/*/summary.json"))

    def stopped(self):
        """TERM while runs are under way: exit code 75, and the results of those that are done."""
        process = subprocess.Popen(self.tool("run", "early"), stdout=subprocess.PIPE, text=True)
        while len(self.done()) < 5 and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 75)
        self.assertIn("| missing |", self.read("early/README.md"))
        return len(self.done())

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def test_quick(self):
        early = self.stopped()
        output, _ = self.run_program(
            command=["make", "reproduce", "QUICK=1", "JOBS=2", "BUILD=" + program.BUILD, "RUNS=" + self.path("runs"),
                     "OUT=" + self.path("first")], folder=program.TOP, seconds=550)
        before, every = map(int, re.search(r"^(\d+) of (\d+) runs", output, re.M).groups())
        self.assertGreaterEqual(before, early)
        self.assertGreater(every, 90)
        self.look_at_page(self.read("first/README.md"))
        self.look_at_figures()
        output, _ = self.run_program(command=self.tool("run", "second"))
        self.assertIn(f"{every} of {every} runs are done", output)
        self.same_results("second")
        self.without_runs()
        self.other_settings(every)

    def same_results(self, out):
        self.assertEqual(self.names("first"), self.names(out))
        _, differ, odd = filecmp.cmpfiles(self.path("first"), self.path(out), self.names("first"), shallow=False)
        self.assertEqual((differ, odd), ([], []))

    def without_runs(self):
        """The curves that are kept are enough for the results; those of other settings are not taken."""
        shutil.copytree(self.path("first/curves"), self.path("third/curves"))
        self.run_program(command=self.tool("report", "third", "none"))
        self.same_results("third")
        with h5py.File(self.path("third/curves/soybean.h5"), "r+") as file:
            config = bytes(file["soybean-gd/settings"][:]).replace(b"loss: cross-entropy", b"loss: mse          ")
            file["soybean-gd/settings"][:] = numpy.frombuffer(config, numpy.uint8)
        self.run_program(command=self.tool("report", "third", "none"))
        self.assertRegex(self.read("third/README.md"), r"gradient descent \| 100, 100 \| missing")
        before, = glob.glob(self.path("none/stale/*/soybean.h5"))
        with h5py.File(before, "r") as file:
            self.assertIn("soybean-gd", file)

    def other_settings(self, every):
        """A run is known by its resolved configuration: other words for it do not matter, another value does."""
        with open(self.path("runs/mnist-batch-1.settings"), "a") as file:
            file.write("a comment\n")
        with open(self.path("runs/mnist-batch-2/config.yaml"), "r+") as file:
            text = file.read().replace("alpha: 1\n", "alpha: 2\n")
            file.seek(0)
            file.write(text)
        os.remove(self.path("runs/mnist-batch-2.settings"))
        output, _ = self.run_program(command=self.tool("plan", "second"))
        self.assertIn(f"{every - 1} of {every} runs are done", output)
        self.assertIn("mnist-batch-2: epochs 0 to 3", output)

    def names(self, out):
        return sorted(os.path.relpath(p, self.path(out)) for p in glob.glob(self.path(out + "/**/*.*"), recursive=True))

    def look_at_page(self, text):
        self.assertNotRegex(text, r"(?m)\| missing|^missing")
        self.assertNotIn("not known yet", text)
        for figure in re.findall(r"!\[.*?\]\((.*?)\)", text):
            self.assertIn(figure, self.names("first"))

    def look_at_figures(self):
        names = [n for n in self.names("first") if n.startswith("figures")]
        self.assertEqual({n[:-4] for n in names if n.endswith(".svg")}, {n[:-4] for n in names if n.endswith(".png")})
        self.assertGreaterEqual(len(names), 28)
        for name in names:
            self.assertLess(os.path.getsize(self.path("first/" + name)), 200_000, name)
            if name.endswith(".svg"):
                xml.etree.ElementTree.parse(self.path("first/" + name))


if __name__ == "__main__":
    program.main()
