#!/usr/bin/python3
"""The Python examples of docs/file-formats.md, run as they stand."""
import importlib.util
import os
import re
import subprocess
import sys

import numpy

import program

with open(os.path.join(program.TOP, "docs/file-formats.md")) as text:
    WITH_NUMPY, WITH_TORCH = re.findall(r"^```python\n(.*?)^```", text.read(), re.M | re.S)

# After the PyTorch example: what its model makes of the preprocessed samples.
CLASSES = """
import numpy
with h5py.File("runs/mine/checkpoint.h5") as file:
    x = (numpy.loadtxt("new.csv", delimiter=",") - file["preprocess/shift"][:]) * file["preprocess/scale"][:]
print(model(torch.tensor(x, dtype=torch.float32)).argmax(1).numpy())
"""


class Examples(program.SharedTest):
    def prepare(self):
        x = numpy.random.default_rng(6).normal(1, 2, (400, 3))
        numpy.savez(self.path("mine.npz"), x=x, y=(x[:, 0] > x[:, 1]).astype(int))
        numpy.savetxt(self.path("new.csv"), x, delimiter=",")
        numpy.save(self.path("new.npy"), x)
        type(self).expected = {way: self.predictions(way, *settings) for way, settings in
                               {"averaged": ["--epochs", 1], "plain": ["--method", "momentum", "--epochs", 5]}.items()}

    def predictions(self, way, *settings):
        os.mkdir(self.path(way))
        os.symlink("../new.csv", self.path(way + "/new.csv"))
        run = way + "/runs/mine"
        self.train("--data.name", "file", "--data.train", "mine.npz", "--batch", 10, *settings, out=run)
        out, _ = self.run_program("predict", run + "/checkpoint.h5", "new.npy")
        classes = [line.split(",")[0] for line in out.splitlines()[1:]]
        self.assertEqual(len(set(classes)), 2)
        return classes

    def check_classes(self, code):
        for way, expected in self.expected.items():
            done = subprocess.run([sys.executable, "-c", code], cwd=self.path(way), capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(re.findall(r"\d+", done.stdout), expected, way)

    def test_h5py(self):
        self.check_classes(WITH_NUMPY)

    def test_pytorch(self):
        if not importlib.util.find_spec("torch"):
            self.skipTest("PyTorch is not installed")
        self.check_classes(WITH_TORCH + CLASSES)


if __name__ == "__main__":
    program.main()
