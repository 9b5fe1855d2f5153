"""Run reluopt-mpi in tests: every run in a fresh folder, under a time limit, at a given number of ranks."""
import json
import os
import subprocess
import tempfile
import unittest

import h5py

BUILD = os.environ.get("BUILD", "build")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(TOP, BUILD, "reluopt-mpi")
UNDER = os.environ.get("UNDER", "").split()  # what runs the program: see tests/run.sh
PATIENCE = int(os.environ.get("PATIENCE", "1"))  # how many times longer it may take then


class ProgramTest(unittest.TestCase):
    """A test case with a folder of its own, self.folder, and self.run_program."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def command(self, *arguments, np=1):
        launcher = ["mpirun", "-np", str(np)] if np > 1 else []
        return launcher + UNDER + [PROGRAM] + [str(a) for a in arguments]

    def start_program(self, *arguments, np=1, **environment):
        """Run in the background, without output; ended with the test at the latest."""
        process = subprocess.Popen(self.command(*arguments, np=np), cwd=self.folder,
                                   env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        return process

    def run_program(self, *arguments, np=1, code=0, seconds=120, command=None, folder=None, **environment):
        """Run (the given command instead, if any), in the folder; expect the exit code; return (standard output,
        error)."""
        done = subprocess.run(
            command or self.command(*arguments, np=np),
            cwd=folder or self.folder, env={**os.environ, **environment}, timeout=seconds * PATIENCE, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, f"{arguments} at np {np}:\n{done.stdout}\n{done.stderr}")
        return done.stdout, done.stderr

    def refused(self, *arguments, code, says, np=1, **environment):
        """Expect the exit code and one error line that holds each of `says`."""
        _, errors = self.run_program(*arguments, np=np, code=code, **environment)
        return self.one_line(errors, says)

    def one_line(self, errors, says):
        lines = [line for line in errors.splitlines() if line.startswith("reluopt-mpi: ")]
        self.assertEqual(len(lines), 1, errors)
        for part in says:
            self.assertIn(part, lines[0])
        return lines[0]

    def train(self, *arguments, out="run", np=1, **environment):
        """Train into self.folder/out; return the summary."""
        self.run_program("train", *arguments, "--out", out, np=np, **environment)
        with open(self.path(out + "/summary.json")) as file:
            return json.load(file)

    def curve(self, name, out="run"):
        with h5py.File(self.path(out + "/curves.h5"), "r") as file:
            return file[name][...]


class SharedTest(ProgramTest):
    """Tests that share one folder, which `prepare` fills before the first of them."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls("prepare").prepare()

    def setUp(self):
        pass


def main():
    unittest.main(verbosity=2)
