#!/usr/bin/python3
"""Predictions: the same in every format, for any input and on any number of ranks, in memory that does not grow."""
import csv
import os
import subprocess
import unittest

import h5py
import numpy

import program

USAGE, DATA, STORAGE, NUMERIC = 2, 3, 4, 5
MEGABYTE = 1024  # of ru_maxrss, in KiB


def npy(path, array):
    numpy.save(path, array)
    return path


class Predict(program.SharedTest):
    x = numpy.random.default_rng(3).integers(0, 50, (1100, 4)).astype(numpy.float32)
    y = (x[:, 0] > x[:, 1]).astype(int) + (x[:, 2] > 25)

    def prepare(self):
        numpy.savez(self.path("train.npz"), x=self.x, y=self.y)
        self.train("--data.name", "file", "--data.train", "train.npz", "--epochs", 1, "--network", "9,7")

    def predicted(self, *inputs, np=1):
        out, _ = self.run_program("predict", "run/checkpoint.h5", *inputs, np=np)
        rows = list(csv.reader(out.splitlines()))
        self.assertEqual(rows[0], ["class", "p_0", "p_1", "p_2"])
        return numpy.array(rows[1:], dtype=numpy.float32)

    def test_agrees_with_eval(self):
        rows = self.predicted("train.npz")
        right = (rows[:, 0] == self.y).sum()
        out, _ = self.run_program("eval", "run/checkpoint.h5", "train.npz")
        self.assertIn(f"({right} of 1100 samples right)", out)
        numpy.testing.assert_allclose(rows[:, 1:].sum(1), 1, atol=1e-5)
        numpy.testing.assert_array_equal(rows[:, 1:].argmax(1), rows[:, 0])

    def test_formats(self):
        """Labels, formats, and several inputs at once make no difference; nor do ranks."""
        expected = self.predicted("train.npz")
        integers = self.x.astype(int)
        libsvm = "".join(" ".join(f"{j + 1}:{v}" for j, v in enumerate(row)) + "\n" for row in integers)
        npy(self.path("x.npy"), self.x)
        npy(self.path("first.npy"), self.x[:1000])
        npy(self.path("last.npy"), self.x[1000:].astype(">f8"))
        self.write("plain.svm", libsvm)
        self.write("plain.csv", "".join(",".join(map(str, row)) + "\n" for row in integers))
        self.write("named.csv", "a,b,c,d\n" + "".join(",".join(map(str, row)) + "\n" for row in integers))
        self.write("labelled.csv", "".join(",".join(map(str, (*row, 0))) + "\n" for row in integers))
        self.write("images", bytes([0, 0, 8, 2, 0, 0, 4, 76, 0, 0, 0, 4]) + integers.astype("u1").tobytes())
        with h5py.File(self.path("x.h5"), "w") as file:
            file["x"] = integers
        for inputs in ["x.npy"], ["plain.csv"], ["named.csv"], ["labelled.csv"], ["plain.svm"], ["images"], ["x.h5"], ["first.npy", "last.npy"]:
            numpy.testing.assert_array_equal(self.predicted(*inputs), expected)
        numpy.testing.assert_array_equal(self.predicted("first.npy", "plain.svm", np=3)[:1000], expected[:1000])

    def test_not_finite(self):
        numpy.savez(self.path("small.npz"), x=1e-3 * self.x, y=self.y)
        self.train("--data.name", "file", "--data.train", "small.npz", "--epochs", 1, out="small")
        x = 1e-3 * self.x
        x[1050] = 3e36, -3e36, 3e36, -3e36
        npy(self.path("large.npy"), x)
        for np in 1, 2:
            self.refused("predict", "small/checkpoint.h5", "large.npy", code=NUMERIC,
                         says=["sample 1050", "not finite"], np=np)

    def test_files(self):
        expected = self.predicted("train.npz")
        for np in 1, 2:
            self.run_program("predict", "run/checkpoint.h5", "train.npz", "--out", "p.h5", np=np)
            self.run_program("predict", "run/checkpoint.h5", "train.npz", "--out", "p.csv", np=np)
            with h5py.File(self.path("p.h5"), "r") as file:
                numpy.testing.assert_array_equal(file["class"][:], expected[:, 0])
                numpy.testing.assert_array_equal(file["probability"][:], expected[:, 1:])
                self.assertEqual([name.decode() for name in file["class_name"]], ["0", "1", "2"])
            saved = numpy.loadtxt(self.path("p.csv"), delimiter=",", skiprows=1, dtype=numpy.float32)
            numpy.testing.assert_array_equal(saved, expected)
            self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".tmp")], [])

    def test_texts(self):
        """Categories, names with commas and quotes, and class names come and go as they are."""
        rows = ["a,size,kind"] + ['red,1,"x, ""y"""', "blue,2,z"] * 20
        self.write("train.csv", "\n".join(rows) + "\n")
        self.train("--data.name", "file", "--data.train", "train.csv", "--epochs", 5, "--batch", 8, out="texts")
        for text in "a,size\nred,1\nblue,2\n", "red,1\nblue,2\n", "red,1,?\nblue,2,other\n":
            out, _ = self.run_program("predict", "texts/checkpoint.h5", self.write("new.csv", text))
            table = list(csv.reader(out.splitlines()))
            self.assertEqual(table[0], ["class", 'p_x, "y"', "p_z"])
            self.assertEqual([row[0] for row in table[1:]], ['x, "y"', "z"])
        self.refused("predict", "texts/checkpoint.h5", self.write("bad.csv", "red,1\ngreen,2\n"), code=DATA,
                     says=["bad.csv, line 2", "green"], np=3)

    def test_refused(self):
        checkpoint = "run/checkpoint.h5"
        npy(self.path("narrow.npy"), self.x[:, :3])
        npy(self.path("good.npy"), self.x)
        for np in 1, 3:
            self.refused("predict", checkpoint, "narrow.npy", code=DATA, says=["narrow.npy", "3 features"], np=np)
            self.refused("predict", checkpoint, "good.npy", "none.csv", code=DATA, says=["none.csv"], np=np)
            self.refused("predict", checkpoint, "good.npy", "--out", "none/p.csv", code=STORAGE, says=["none/p.csv"],
                         np=np)
            self.refused("predict", checkpoint, "good.npy", "--out", "none/p.h5", code=STORAGE, says=["none/p.h5"],
                         np=np)
        self.refused("predict", checkpoint, code=USAGE, says=["INPUT"])
        self.write("p.csv", "before")
        self.refused("predict", checkpoint, "good.npy", "narrow.npy", "--out", "p.csv", code=DATA, says=["narrow"])
        with open(self.path("p.csv")) as file:  # not touched
            self.assertEqual(file.read(), "before")

    def memory(self, *arguments):
        """The most memory that a run takes, in KiB."""
        process = subprocess.Popen(self.command(*arguments), cwd=self.folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, arguments)
        return usage.ru_maxrss

    @unittest.skipIf(program.PATIENCE > 1, "sanitizers and Valgrind keep memory that was freed")
    def test_memory_does_not_grow(self):
        wide = 784
        rng = numpy.random.default_rng(4)
        numpy.savez(self.path("wide.npz"), x=rng.random((20, wide), dtype="f4"), y=numpy.arange(20) % 2)
        self.train("--data.name", "file", "--data.train", "wide.npz", "--epochs", 1, "--network", "4", "--batch", 10,
                   out="wide")
        few, many = (npy(self.path(f"{count}.npy"), numpy.zeros((count, wide), "f4")) for count in (1024, 64 * 1024))
        for out in "p.csv", "p.h5":
            more = (self.memory("predict", "wide/checkpoint.h5", many, "--out", out) -
                    self.memory("predict", "wide/checkpoint.h5", few, "--out", out))
            self.assertLess(more, 20 * MEGABYTE)  # of input: 192 MiB


@unittest.skipIf(os.geteuid() != 0, "only root can mount a small disk")
class FullDisk(program.ProgramTest):
    def test_is_reported(self):
        self.train("--epochs", 1, "--network", 5)
        disk = self.path("disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("no mount here")
        self.addCleanup(subprocess.run, ["umount", disk])
        npy(self.path("x.npy"), numpy.random.default_rng(5).random((20000, 2)))
        for np in 1, 2:
            for out in "disk/p.csv", "disk/p.h5":
                self.refused("predict", "run/checkpoint.h5", "x.npy", "--out", out, code=STORAGE, says=[out], np=np)
                self.assertEqual(os.listdir(disk), [])


if __name__ == "__main__":
    program.main()
