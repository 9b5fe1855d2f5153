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
        x = numpy.random.default_rng(6).normal(1, 2, (40, 3))
        numpy.savez(self.path("mine.npz"), x=x, y=(x[:, 0] > x[:, 1]).astype(int))
        numpy.savetxt(self.path("new.csv"), x, delimiter=",")
        numpy.save(self.path("new.npy"), x)
        self.train("--data.name", "file", "--data.train", "mine.npz", "--method", "momentum", "--epochs", 5, "--batch",
                   10, out="runs/mine")
        out, _ = self.run_program("predict", "runs/mine/checkpoint.h5", "new.npy")
        type(self).expected = [line.split(",")[0] for line in out.splitlines()[1:]]
        self.assertEqual(len(set(self.expected)), 2)

    def classes(self, code):
        done = subprocess.run([sys.executable, "-c", code], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return re.findall(r"\d+", done.stdout)

    def test_h5py(self):
        self.assertLessEqual(len([line for line in WITH_NUMPY.splitlines() if line]), 10)
        self.assertEqual(self.classes(WITH_NUMPY), self.expected)

    def test_pytorch(self):
        if not importlib.util.find_spec("torch"):
            self.skipTest("PyTorch is not installed")
        self.assertEqual(self.classes(WITH_TORCH + CLASSES), self.expected)


if __name__ == "__main__":
    program.main()
