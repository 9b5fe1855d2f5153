#!/usr/bin/python3
"""A run that was interrupted ends like one that was not: the same bytes of all arrays and curves.

RELUOPT_PAIRS=all resumes with every number of ranks from every other, RELUOPT_BYTES=500 damages so many bytes of a
checkpoint, one at a time."""
import fcntl
import os
import random
import shutil
import unittest

import h5py

import program
from resume import ResumeTest

USAGE, DATA, STORAGE = 2, 3, 4
METHODS = {
    "neuron": [],
    "layer": ["--rate.scope", "layer", "--rate.rule", "min", "--direction", "plain", "--gate", "no"],
    "exact": ["--rate.rule", "exact"],
    "whitened": ["--direction", "whitened", "--inverse.kind", "transpose"],
    "line search": ["--variant", "line-search", "--batch", 100],
    "line search, layer": ["--variant", "line-search", "--batch", 100, "--rate.scope", "layer"],
    "whole set": ["--variant", "online"],
    "tp": ["--method", "tp", "--inverse.warmup", 1],
    "dtp": ["--method", "dtp", "--inverse.alternate", "yes", "--update", "momentum"],
    "normalised": ["--method", "adam", "--batch_norm", "yes"],
    "adadelta": ["--method", "adadelta", "--activation", "tanh"],
    "adagrad": ["--method", "adagrad"],
    "fa": ["--method", "fa", "--update", "rmsprop"],
    "dfa": ["--method", "dfa"],
    "mgbdt": ["--method", "mgbdt"],
    "mirror": ["--inverse.kind", "mirror"],
    "averaged, noise": ["--average", 1, "--augment.noise", 0.1],
}


class Exact(ResumeTest):
    def test_every_method(self):
        for name, settings in METHODS.items():
            self.whole(*settings, out=name)
            run = name + ", cut"
            self.one_step(*self.SMALL, *settings, "--out", run, out=run)
            self.resume(run)
            self.assert_same(run, name, name)

    def test_ten_pieces(self):
        self.whole(np=2)
        self.one_step(*self.SMALL, "--out", "ten", out="ten", np=2)
        for epochs in 1, 2, 3:
            for _ in range(2):
                self.one_step("--resume", "ten", "--epochs", 3, out="ten", np=2)
            self.resume("ten", "--epochs", epochs, np=2)
        self.assert_same("ten", "whole")
        self.assertEqual(list(self.curve("epoch", "ten")), [1, 2, 3])

    def test_finished_run(self):
        self.whole()
        shutil.copytree(self.path("whole"), self.path("again"))
        self.resume("again")
        self.assert_same("again", "whole")
        out, _ = self.run_program("train", "--resume", "again")
        self.assertIn("all 3 epochs are done, nothing is trained", out)

    def test_checkpoint_by_steps_and_by_time(self):
        self.whole("--checkpoint.every", 0, "--checkpoint.steps", 4, "--checkpoint.keep", 3, out="steps")
        steps = [self.steps("steps", name) for name in ("checkpoint.h5", "checkpoint-1.h5", "checkpoint-2.h5")]
        self.assertEqual(steps, [15, 12, 8])
        self.assertFalse(os.path.exists(self.path("steps/checkpoint-3.h5")))
        self.whole("--checkpoint.every", 0, "--checkpoint.minutes", 1e-9, "--checkpoint.keep", 15, out="time")
        self.assertEqual(self.steps("time", "checkpoint-14.h5"), 2)

    def steps(self, run, name):
        with self.checkpoint(run, name) as file:
            return file["position"].attrs["steps"]


class Elastic(ResumeTest):
    PAIRS = [(1, 8), (8, 1), (2, 3), (3, 5), (5, 2)]

    def test_any_number_of_ranks(self):
        self.whole()
        nps = (1, 2, 3, 5, 8)
        pairs = [(a, b) for a in nps for b in nps] if os.environ.get("RELUOPT_PAIRS") == "all" else self.PAIRS
        for first in nps:
            self.one_step(*self.SMALL, "--out", f"from{first}", out=f"from{first}", np=first)
        for first, second in pairs:
            run = f"{first}-{second}"
            shutil.copytree(self.path(f"from{first}"), self.path(run))
            self.resume(run, np=second)
            self.assert_same(run, "whole", run)

    def test_other_coordinator(self):
        self.whole()
        self.one_step(*self.SMALL, "--out", "run", "--coordinator", "dedicated", out="run", np=3)
        self.one_step("--resume", "run", "--coordinator", "shared", out="run", np=1)
        self.resume("run", "--coordinator", "dedicated", np=2)
        self.assert_same("run", "whole")


class Refused(ResumeTest):
    def test_what_may_not_change(self):
        self.whole()
        for key, value in ("--seed", 2), ("--network", "12,8"), ("--batch", 50), ("--alpha", 0.5):
            for np in 1, 2:
                self.refused("train", "--resume", "whole", key, value, code=USAGE, says=[key[2:], "cannot change"], np=np)
        self.refused("train", "config.yaml", "--resume", "whole", code=USAGE, says=["--resume"])
        self.refused("train", "--out", "other", "--resume", "whole", code=USAGE, says=["--resume"])
        self.refused("train", "--resume", "nowhere", code=USAGE, says=["nowhere holds no run"])

    def test_other_data(self):
        sample = "".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(50))
        path = self.write("data.csv", sample)
        self.run_program("train", "--epochs", 1, "--data.name", "file", "--data.train", path, "--out", "run")
        self.write("data.csv", sample.replace("6,", "5,", 1))
        for np in 1, 2:
            self.refused("train", "--resume", "run", "--epochs", 2, code=DATA, says=["data"], np=np)
        self.write("elsewhere.csv", sample)
        self.resume("run", "--epochs", 2, "--data.train", self.path("elsewhere.csv"))

    def test_run_under_way(self):
        process = self.start_program("train", "--epochs", 1000000, "--network", 20, "--out", "run", np=2)
        self.wait_for(process, "run/checkpoint.h5")
        self.refused("train", "--resume", "run", code=USAGE, says=["another process"])

    def test_nothing_is_looked_at_while_another_process_may_write(self):
        """Not even damage, which the other process may be about to replace."""
        self.whole(out="run")
        self.write("run/checkpoint.h5", "damaged")
        before = sorted(os.listdir(self.path("run")))
        folder = os.open(self.path("run"), os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        for np in 1, 2:
            self.refused("train", "--resume", "run", code=USAGE, says=["another process"], np=np)
        self.assertEqual(sorted(os.listdir(self.path("run"))), before)


class Damage(ResumeTest):
    def test_newest_good_checkpoint(self):
        self.whole()
        self.one_step(*self.SMALL, "--out", "run", out="run")
        self.one_step("--resume", "run", out="run")
        self.one_step("--resume", "run", out="run")
        with open(self.path("run/checkpoint.h5"), "r+b") as file:
            file.truncate(1000)
        for np in 2, 1:
            shutil.copytree(self.path("run"), self.path(f"run{np}"))
            _, errors = self.resume(f"run{np}", np=np)
            self.assertIn(f"run{np}/checkpoint.h5.damaged", errors)
            self.assert_same(f"run{np}", "whole")
        self.assertTrue(os.path.exists(self.path("run1/checkpoint.h5.damaged")))
        shutil.copy(self.path("run/checkpoint.h5"), self.path("run/checkpoint-1.h5"))
        self.refused("train", "--resume", "run", code=STORAGE, says=["no good checkpoint"])

    def test_no_checkpoint_yet(self):
        self.whole()
        self.one_step(*self.SMALL, "--out", "run", out="run")
        os.remove(self.path("run/checkpoint.h5"))
        self.resume("run")
        self.assert_same("run", "whole")

    def test_damaged_or_lost_curves(self):
        self.whole()
        for content in b"not curves", None:
            run = "lost" if content is None else "damaged"
            self.run_program("train", *self.SMALL, "--epochs", 2, "--out", run)
            os.remove(self.path(run + "/curves.h5"))
            if content:
                self.write(run + "/curves.h5", content)
            _, errors = self.resume(run, "--epochs", 3)
            self.assertIn("curves begin anew, with epoch 3", errors)
            self.assertEqual(list(self.curve("epoch", run)), [3])

    def test_curves_of_another_network(self):
        self.run_program("train", *self.SMALL, "--epochs", 2, "--network", "12", "--out", "other")
        self.run_program("train", *self.SMALL, "--epochs", 2, "--out", "run")
        shutil.copy(self.path("other/curves.h5"), self.path("run/curves.h5"))
        _, errors = self.resume("run", "--epochs", 3)
        self.assertIn("curves begin anew, with epoch 3: run/curves.h5: of a network with 2 layers", errors)
        self.assertEqual(self.curve("rate").shape, (1, 3))

    def test_flipped_bytes(self):
        """Detected, with the step before taken up, or harmless: never another result."""
        self.whole()
        self.one_step(*self.SMALL, "--out", "run", out="run")
        self.one_step("--resume", "run", out="run")
        with open(self.path("run/checkpoint.h5"), "rb") as file:
            whole = file.read()
        found = 0
        count = int(os.environ.get("RELUOPT_BYTES", 12))
        for byte in random.sample(range(len(whole)), count):
            shutil.copytree(self.path("run"), self.path("flipped"))
            damaged = bytearray(whole)
            damaged[byte] ^= 1 << random.randrange(8)
            self.write("flipped/checkpoint.h5", bytes(damaged))
            _, errors = self.resume("flipped")
            found += "skipped" in errors
            self.assert_same("flipped", "whole", f"byte {byte}: {errors}")
            shutil.rmtree(self.path("flipped"))
        print(f"{found} of {count} flipped bytes found, the others harmless")

    def test_verify(self):
        self.whole()
        for name in "checkpoint.h5", "curves.h5":
            for np in 1, 3:
                out, _ = self.run_program("info", "--verify", "whole/" + name, np=np)
                self.assertIn("good", out)
        with h5py.File(self.path("whole/checkpoint.h5"), "r") as file:
            chunk = file["arrays/W2"].id.get_chunk_info(0).byte_offset
        with open(self.path("whole/checkpoint.h5"), "r+b") as file:
            file.seek(chunk)
            byte = file.read(1)
            file.seek(chunk)
            file.write(bytes([byte[0] ^ 4]))
        for np in 1, 3:
            self.refused("info", "--verify", "whole/checkpoint.h5", code=STORAGE, says=["/arrays/W2"], np=np)


if __name__ == "__main__":
    program.main()
