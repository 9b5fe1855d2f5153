"""Runs that are interrupted and resumed, in tests."""
import os
import shlex
import time

import h5py

import program

STOPPED = 75


class ResumeTest(program.ProgramTest):
    SMALL = ["--network", "12,7", "--data.train_samples", 500, "--epochs", 3]  # 15 steps

    def checkpoint(self, run, name="checkpoint.h5"):
        return h5py.File(self.path(f"{run}/{name}"), "r")

    def content(self, run):
        """What must not depend on interruptions: arrays, position and curves, but for times."""
        content = {}
        with self.checkpoint(run) as file:
            for name, array in file["arrays"].items():
                content[name] = array[...].tobytes()
            for name, value in file["position"].attrs.items():
                content[name] = value.tobytes()
        with h5py.File(self.path(run + "/curves.h5"), "r") as file:
            for name, column in file.items():
                content["/" + name] = column[...].tobytes()
        return {name: value for name, value in content.items() if "seconds" not in name and name != "/time"}

    def assert_same(self, run, whole, about=""):
        one, other = self.content(run), self.content(whole)
        self.assertEqual(one.keys(), other.keys(), about)
        self.assertEqual([name for name in one if one[name] != other[name]], [], about)

    def whole(self, *settings, out="whole", np=1):
        self.run_program("train", *self.SMALL, *settings, "--out", out, np=np)

    def one_step(self, *arguments, out, np=1):
        """Train or resume for one step: a file asks the run to stop from the start."""
        os.makedirs(self.path(out), exist_ok=True)
        self.write(out + "/stop", "")
        self.refused("train", *arguments, code=STOPPED, says=["stopped by the file stop", f"--resume {shlex.quote(out)}"], np=np)
        self.assertFalse(os.path.exists(self.path(out + "/stop")))

    def resume(self, run, *arguments, np=1):
        return self.run_program("train", "--resume", run, *arguments, np=np)

    def wait_for(self, process, name):
        end = time.monotonic() + 60
        while not os.path.exists(self.path(name)):
            self.assertIsNone(process.poll(), "ended early")
            self.assertLess(time.monotonic(), end, f"no {name}")
            time.sleep(0.02)
