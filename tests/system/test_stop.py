#!/usr/bin/python3
"""Runs that are asked to stop, or killed: a checkpoint is there, and the run goes on as if nothing had happened.

RELUOPT_KILLS=100 kills so many times."""
import os
import random
import shlex
import signal
import time

import program
from resume import ResumeTest

NUMERIC, STOPPED = 5, 75
LONG = ["--network", "12,7", "--epochs", 1000000]
KILLS = int(os.environ.get("RELUOPT_KILLS", 20))


class Stops(ResumeTest):
    def children(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            return [int(rank) for rank in file.read().split()]

    def assert_stopped(self, process, by):
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, STOPPED, errors)
        self.one_line(errors, [f"stopped by {by}", "--resume run"])
        out, _ = self.run_program("info", "--verify", "run/checkpoint.h5")
        self.assertIn("good", out)

    def start(self, np, *settings):
        process = self.start_program("train", *LONG, *settings, "--out", "run", np=np)
        self.wait_for(process, "run/checkpoint.h5")
        return process

    def test_signals(self):
        for name in "USR1", "TERM", "INT":
            process = self.start(1)
            process.send_signal(getattr(signal, "SIG" + name))
            self.assert_stopped(process, "signal " + name)
            os.rename(self.path("run"), self.path(name))

    def test_signal_before_the_first_step(self):
        process = self.start_program("train", *LONG, "--out", "run")
        while process.poll() is None and not self.catches(process.pid):
            time.sleep(0.001)
        process.send_signal(signal.SIGUSR1)
        self.assert_stopped(process, "signal USR1")

    def catches(self, pid):
        with open(f"/proc/{pid}/status") as file:
            caught = next(line for line in file if line.startswith("SigCgt"))
        return int(caught.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1

    def test_signal_to_all_ranks_or_one(self):
        process = self.start(3)
        process.send_signal(signal.SIGUSR1)  # mpirun passes it on
        self.assert_stopped(process, "signal USR1")
        os.rename(self.path("run"), self.path("all"))
        for rank in 0, 2:
            process = self.start(3)
            os.kill(self.children(process)[rank], signal.SIGUSR1)
            self.assert_stopped(process, "signal USR1")
            os.rename(self.path("run"), self.path(f"rank{rank}"))

    def test_many_signals(self):
        process = self.start(1)
        for _ in range(50):
            process.send_signal(random.choice([signal.SIGUSR1, signal.SIGTERM, signal.SIGINT]))
        self.assert_stopped(process, "signal")

    def test_stop_file(self):
        for np in 1, 2:
            process = self.start(np)
            self.write("run/stop", "")
            self.assert_stopped(process, "the file stop")
            os.rename(self.path("run"), self.path(f"np{np}"))

    def test_printed_commands_can_be_copied(self):
        out = "my run"
        os.makedirs(self.path(out))
        self.write(out + "/stop", "")
        line = self.refused("train", "--epochs", 2, "--out", out, code=STOPPED, says=["reluopt-mpi train --resume 'my run'"])
        command = [program.PROGRAM, *shlex.split(line[line.index("train --resume"):])]
        text, _ = self.run_program(command=command)
        for next_line in text[text.index("next:"):].splitlines()[1:]:
            self.run_program(command=["sh", "-c", next_line])

    def test_stop_file_after_the_end(self):
        self.run_program("train", "--epochs", 1, "--out", "run")
        self.write("run/stop", "")
        self.run_program("train", "--resume", "run")  # nothing to do, and nothing stopped
        self.assertFalse(os.path.exists(self.path("run/stop")))

    def test_time_limit(self):
        for np in 1, 2:
            start = time.monotonic()
            self.refused("train", *LONG, "--max_time", 0.05, "--out", f"run{np}", code=STOPPED, np=np,
                         says=["stopped by max_time"])
            self.assertGreater(time.monotonic() - start, 1)
            self.assertTrue(os.path.exists(self.path(f"run{np}/checkpoint.h5")))

    def test_accuracy_goal(self):
        self.run_program("train", "--epochs", 1000, "--stop.accuracy", 0.9, "--out", "run")
        accuracy = list(self.curve("test_accuracy"))
        self.assertGreaterEqual(accuracy[-1], 0.9)
        self.assertLess(max(accuracy[:-1], default=0), 0.9)
        self.run_program("train", "--resume", "run")
        self.assertEqual(list(self.curve("test_accuracy")), accuracy)
        self.run_program("train", "--resume", "run", "--stop.accuracy", 0, "--epochs", len(accuracy) + 1)
        self.assertEqual(len(self.curve("test_accuracy")), len(accuracy) + 1)


class Numbers(ResumeTest):
    """A huge learning rate: the weights are not finite after some steps, long before the loss is measured."""

    def test_weights_not_finite(self):
        settings = ["--method", "momentum", "--learning_rate", 1000000, "--loss", "mse", "--activation", "relu"]
        found = set()
        for np in 1, 3:
            line = self.refused("train", *settings, "--checkpoint.steps", 1, "--out", f"run{np}", code=NUMERIC, np=np,
                                says=["step ", "layer ", "not finite", "learning_rate = 1e+06", "is kept"])
            found.add(line[line.index("step "):].split(":")[0])
            self.run_program("info", "--verify", f"run{np}/checkpoint.h5")
            with self.checkpoint(f"run{np}") as file:
                for name, array in file["arrays"].items():
                    self.assertTrue(abs(array[...]).max() < float("inf"), name)
        self.assertEqual(len(found), 1, "the same step at any np")


class Kills(ResumeTest):
    """A rank is killed at a random moment of a run that writes a checkpoint at every step."""

    SETTINGS = ["--epochs", 3, "--checkpoint.steps", 1]

    def finish(self, np):
        """As a script would: go on if there is a run, else begin; ended by a kill or done."""
        there = os.path.exists(self.path("run/config.yaml"))
        rest = ["--resume", "run"] if there else [*self.SMALL, *self.SETTINGS, "--out", "run"]
        return self.start_program("train", *rest, np=np, OMPI_MCA_btl_vader_backing_directory=self.folder)

    def victim(self, process, np):
        if np == 1:
            return process.pid
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            ranks = file.read().split()
        return int(random.choice(ranks)) if len(ranks) == np else None

    def test_killed_at_any_moment(self):
        self.run_program("train", *self.SMALL, *self.SETTINGS, "--out", "whole")
        killed = runs = 0
        while killed < KILLS:
            runs += 1
            np = random.choice([1, 1, 2, 3])
            process = self.finish(np)
            self.wait_for_step(process, random.randrange(16))
            time.sleep(random.uniform(0, 0.03))
            victim = self.victim(process, np) if process.poll() is None else None
            if victim:
                os.kill(victim, signal.SIGKILL)
            process.communicate(timeout=60)
            killed += process.returncode not in (0, 75)
            process = self.finish(random.choice([1, np]))
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, f"run {runs}: {errors}")
            self.assertNotIn("skipped", errors)
            self.assert_same("run", "whole", f"run {runs}")
            os.rename(self.path("run"), self.path(f"run{runs}"))
        print(f"{killed} of {runs} runs were killed before their end")

    def wait_for_step(self, process, steps):
        """Wait until about so many checkpoints were written, which is so many steps, or the end of the run."""
        seen, last = 0, None
        while process.poll() is None and seen < steps:
            try:
                now = os.stat(self.path("run/checkpoint.h5")).st_ino
            except FileNotFoundError:
                now = None
            seen += now != last
            last = now
            time.sleep(0.001)


if __name__ == "__main__":
    program.main()
