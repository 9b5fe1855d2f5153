#!/usr/bin/python3
"""launch/train.slurm on a private Slurm of two nodes: early warning, requeue, node failure, scancel, stop file.

Skipped where that cannot be started: it needs root, name spaces, munge, slurmctld, slurmd and slurm-client."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import program
from resume import ResumeTest

NEEDED = "munged", "slurmctld", "slurmd", "srun", "sbatch", "unshare"
SCRIPTS = os.path.join(program.TOP, "tests/slurm")
SETTINGS = ["--network", "100,100", "--checkpoint.every", 5]


def missing():
    found = os.environ["PATH"] + ":/usr/sbin:/sbin"
    lacking = [name for name in NEEDED if not shutil.which(name, path=found)]
    if lacking:
        return "no " + ", ".join(lacking)
    if os.geteuid() != 0 or subprocess.run(["unshare", "-u", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        return "only root with name spaces can start several nodes"
    return None


@unittest.skipIf(missing(), f"Slurm cannot be started here: {missing()}")
class Slurm(ResumeTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = tempfile.mkdtemp(prefix="slurm-")
        cls.addClassCleanup(shutil.rmtree, cls.cluster, ignore_errors=True)
        cls.addClassCleanup(subprocess.run, [SCRIPTS + "/down.sh", cls.cluster])
        environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        done = subprocess.run([SCRIPTS + "/up.sh", cls.cluster], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise unittest.SkipTest("Slurm did not come up: " + done.stdout + done.stderr)

    def slurm(self, *command):
        environment = {**os.environ, "SLURM_CONF": self.cluster + "/slurm.conf", "RELUOPT_MPI": program.PROGRAM}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def submit(self, *arguments, limit=("-t", "60")):
        command = ["sbatch", "--parsable", "-N", "2", "--ntasks-per-node=1", *limit,
                   os.path.join(program.TOP, "launch/train.slurm"), *arguments]
        job = self.slurm(*[str(part) for part in command])
        self.job = job
        return job

    def log(self, job):
        try:
            with open(self.path(f"reluopt-{job}.out")) as file:
                return "".join(line for line in file if not line.startswith("epoch "))
        except FileNotFoundError:
            return ""

    def wait_until(self, is_so, what, seconds=120):
        end = time.monotonic() + seconds
        while not is_so():
            self.assertLess(time.monotonic(), end, f"not in {seconds} s: {what}\n{self.log(self.job)}")
            time.sleep(0.2)

    def state(self, job):
        fields = dict(field.split("=", 1) for field in self.slurm("scontrol", "-o", "show", "job", job).split()
                      if "=" in field)
        return fields["JobState"], fields["ExitCode"]

    def wait_for_start(self, job, count):
        """The job's start number `count`, and a checkpoint after it."""
        self.wait_until(lambda: f"start {count}:" in self.log(job), f"start {count}")
        since = time.time()
        path = self.path("run/checkpoint.h5")
        self.wait_until(lambda: os.path.exists(path) and os.path.getmtime(path) > since, "a checkpoint")

    def wait_for_end(self, job, state, code):
        self.wait_until(lambda: self.state(job)[0] not in ("RUNNING", "PENDING", "COMPLETING"), "the end")
        self.assertEqual(self.state(job), (state, code), self.log(job))

    def test_until_done(self):
        job = self.submit("run", *SETTINGS, "--epochs", 1000000, limit=("-t", "1", "--signal=B:USR1@45"))
        self.wait_for_start(job, 1)
        self.wait_for_start(job, 2)  # after the warning
        self.assertIn("stopped by signal USR1", self.log(job))
        self.slurm("scontrol", "update", "jobid=" + job, "timelimit=60")  # no more warnings
        self.slurm("scontrol", "update", "nodename=n1", "state=down", "reason=test")
        self.wait_for_start(job, 3)
        self.slurm("scancel", job)
        self.wait_for_end(job, "CANCELLED", "75:0")
        self.assertIn("stopped by signal TERM", self.log(job))
        with self.checkpoint("run") as file:
            epochs = file["position"].attrs["epoch"] + 2
        job = self.submit("run", *SETTINGS, "--epochs", epochs)
        self.wait_for_end(job, "COMPLETED", "0:0")
        self.assertEqual(list(self.curve("epoch")), list(range(1, epochs + 1)))
        self.run_program("train", *SETTINGS, "--epochs", epochs, "--out", "whole")
        self.assert_same("run", "whole")

    def test_stop_file_is_not_requeued(self):
        job = self.submit("run", *SETTINGS, "--epochs", 1000000)
        self.wait_for_start(job, 1)
        self.write("run/stop", "")
        self.wait_for_end(job, "FAILED", "75:0")

    def test_grids_over_both_nodes(self):
        """Two ranks a node: batches divided between the nodes, or over all ranks."""
        settings = ["--reproducible", "no", "--epochs", 1]
        self.whole(*settings)
        for grid in "2x2", "4x1":
            self.slurm("srun", "--mpi=pmix", "-N", "2", "--ntasks-per-node=2", program.PROGRAM, "train",
                       *map(str, self.SMALL + settings), "--grid", grid, "--out", grid)
            with self.checkpoint(grid) as one, self.checkpoint("whole") as other:
                for name, array in other["arrays"].items():
                    distance = abs(one["arrays"][name][...] - array[...]).max()
                    self.assertLessEqual(distance, 1e-3 * max(abs(array[...]).max(), 1e-6), f"{grid}: {name}")


if __name__ == "__main__":
    program.main()
