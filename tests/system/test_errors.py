#!/usr/bin/python3
"""Bad input: one clear line from rank 0, the documented exit code, no hang at any number of ranks."""
import gzip
import os
import re
import struct

import h5py
import numpy

import program

USAGE, DATA, STORAGE, NUMERIC = 2, 3, 4, 5


class Errors(program.ProgramTest):
    def test_unknown_command(self):
        self.refused("trian", code=USAGE, says=["'trian'", "--help"])

    def test_unknown_key_suggests(self):
        for np in 1, 3:
            self.refused("train", "--inverse.stepz", "1", code=USAGE, says=["inverse.stepz", "inverse.steps"], np=np)

    def test_options_that_a_command_does_not_take(self):
        self.train("--epochs", 1)
        for np in 1, 2:
            self.refused("eval", "run/checkpoint.h5", "--epochs", 5, code=USAGE, says=["--epochs"], np=np)
            self.refused("info", "run/curves.h5", "--foo", 1, code=USAGE, says=["--foo"], np=np)
        self.refused("eval", "run/checkpoint.h5", "--out=there", code=USAGE, says=["--out is no option"])
        self.refused("eval", "run/checkpoint.h5", "--data.lable", "first", code=USAGE, says=["data.label"])
        self.refused("info", "run/curves.h5", "--foo", code=USAGE, says=["--foo is no option"])
        for command in ["train"], ["eval", "run/checkpoint.h5"], ["info", "run/curves.h5"]:
            for option in "-x", "-":
                self.refused(*command, option, code=USAGE, says=[f"'{option}'"])
        self.refused("-x", code=USAGE, says=["'-x'"])

    def test_what_is_no_checkpoint(self):
        self.train("--epochs", 1)
        for np in 1, 2:
            self.refused("eval", "run", code=STORAGE, says=["run: is a folder", "checkpoint.h5"], np=np)
            self.refused("eval", "run/curves.h5", code=STORAGE, says=["learning curves", "checkpoint.h5"], np=np)

    def test_options_of_eval(self):
        self.train("--epochs", 1)
        for np, coordinator in (1, "shared"), (2, "dedicated"):
            out, _ = self.run_program("eval", "run/checkpoint.h5", "--data.holdout", 0, "--data.train_samples=100",
                                      "--coordinator", coordinator, np=np)
            self.assertIn("of 100 samples", out)
            self.assertNotIn("test", out)

    def test_bad_value_in_file_has_line_and_column(self):
        path = self.write("bad.yaml", "epochs: 3\nbatch: many\n")
        for np in 1, 4:
            self.refused("train", path, code=USAGE, says=["bad.yaml:2:8", "batch"], np=np)

    def test_settings_that_do_not_go_together(self):
        self.refused("train", "--variant", "online", "--batch", "10", code=USAGE, says=["online", "batch"])
        self.refused("train", "--coordinator", "dedicated", code=USAGE, says=["dedicated"])

    def test_moves_need_images(self):
        for np in 1, 2:
            self.refused("train", "--augment.shift", 1, code=USAGE, says=["augment.shift", "rings-xor"], np=np)

    def test_unknown_method(self):
        self.refused("train", "--method", "magic", code=USAGE, says=["magic", "adaptive"])

    def test_missing_data(self):
        for np in 1, 2, 8:
            self.refused("train", "--data.name", "mnist", "--data.dir", self.path("nowhere"), code=DATA, np=np,
                         says=["nowhere", "mnist"])

    def test_truncated_images(self):
        images = struct.pack(">IIII", 0x803, 10, 4, 4) + bytes(100)
        labels = struct.pack(">II", 0x801, 10) + bytes(range(10))
        self.write("images", gzip.compress(images))
        self.write("labels", labels)
        for np in 1, 3:
            self.refused("train", "--data.name", "file", "--data.train", "images,labels", code=DATA,
                         says=["images"], np=np)

    def test_nan_in_data(self):
        path = self.write("x.csv", "1,2,a\n3,nan,b\n" * 5)
        self.refused("train", "--data.name", "file", "--data.train", path, code=DATA, says=["x.csv", "line 2"])

    def test_labels_that_are_no_classes(self):
        lines = [f"{k},{k % 7},{0.1 * k:.1f}\n" for k in range(40)]
        self.write("one.csv", "".join(line.rsplit(",", 1)[0] + ",iris\n" for line in lines))
        for np in 1, 2:
            self.refused("train", "--data.name", "file", "--data.train", "one.csv", code=DATA,
                         says=["one.csv", "class iris", "data.label"], np=np)
        self.write("quantity.csv", "".join(lines))
        _, errors = self.run_program("train", "--data.name", "file", "--data.train", "quantity.csv", "--epochs", 1)
        self.assertIn("warning: 40 classes in 40 training samples", errors)
        numpy.save(self.path("x.npy"), numpy.eye(20, dtype=numpy.float32))
        numpy.save(self.path("y.npy"), [0, 5] * 10)
        _, errors = self.run_program("train", "--data.name", "file", "--data.train", "x.npy,y.npy", "--epochs", 1, "--out", "gap")
        self.assertIn("warning: 4 of 6 classes have no sample, such as 1", errors)

    def test_features_of_unusual_size(self):
        for size, word in (1e9, "large"), (1e-9, "small"), (1, None):
            numpy.save(self.path("x.npy"), numpy.float32(size) * numpy.eye(20, dtype=numpy.float32))
            numpy.save(self.path("y.npy"), [0, 1] * 10)
            for preprocess in "none", "standardise":
                _, errors = self.run_program("train", "--data.name", "file", "--data.train", "x.npy,y.npy", "--epochs", 1,
                                             "--preprocess", preprocess, "--out", f"{size}-{preprocess}")
                warned = re.findall(r"^warning: features of size \S+ may be too (\w+) to train with", errors, re.M)
                self.assertEqual(warned, [word] if word and preprocess == "none" else [])

    def test_what_is_no_data_file(self):
        self.write("x.npy", "")
        for name, says in ("none.xyz", "is not there"), (".", "is a folder"), ("x.npy", "lacks its labels"):
            self.refused("train", "--data.name", "file", "--data.train", name, code=USAGE, says=[name, says])

    def test_input_is_not_overwritten(self):
        self.write("x.csv", "1,2,a\n3,4,b\n" * 5)
        self.train("--epochs", 1, "--data.name", "file", "--data.train", "x.csv")
        checkpoint = "run/checkpoint.h5"
        for np in 1, 2:
            self.refused("predict", checkpoint, "x.csv", "--out", "./x.csv", code=USAGE, says=["x.csv is the input"], np=np)
            self.refused("predict", checkpoint, "x.csv", "--out", checkpoint, code=USAGE, says=["is the input"], np=np)
            self.refused("export", checkpoint, "--out", checkpoint, code=USAGE, says=["is the input"], np=np)
        self.run_program("eval", checkpoint)

    def test_data_changed_since(self):
        self.write("x.csv", "1,2,a\n3,4,b\n" * 5)
        self.train("--epochs", 1, "--data.name", "file", "--data.train", "x.csv")
        self.assertEqual(self.run_program("eval", "run/checkpoint.h5")[1], "")
        self.write("x.csv", "1,2,a\n3,5,b\n" * 5)
        for np in 1, 2:
            self.assertIn("not those of the training", self.run_program("eval", "run/checkpoint.h5", np=np)[1])
            self.refused("train", "--resume", "run", "--epochs", 2, code=DATA, says=["not those that the run began with"],
                         np=np)

    def test_configuration_is_checked_without_data(self):
        for key, value in ("method", "adm"), ("data.name", "mnsit"):
            self.refused("config", "--" + key, value, code=USAGE, says=[value, key])
        self.refused("config", "--method", "adam", "--alpha", 2, "--gate", "no", code=USAGE, says=["alpha: not used", "only by adaptive"])

    def test_run_folder_is_not_overwritten(self):
        self.train("--epochs", 1)
        self.refused("train", "--epochs", "1", "--out", "run", code=USAGE, says=["run", "--resume", "--out"])
        self.refused("train", "--method", "sgd", "--learning_rate", 1e6, "--out", "far", code=NUMERIC, says=["learning_rate"])
        self.refused("train", "--method", "sgd", "--out", "far", code=USAGE, says=["far", "without a checkpoint", "remove"])

    def test_resume_of_something_else(self):
        self.train("--epochs", 1)
        for np in 1, 2:
            self.refused("train", "--resume", "none", code=USAGE, says=["none holds no run"], np=np)
            self.refused("train", "--resume", "run/checkpoint.h5", code=STORAGE, says=["folder of the run"], np=np)
        os.remove(self.path("run/checkpoint.h5"))
        self.assertIn("begins anew", self.run_program("train", "--resume", "run")[1])

    def test_unwritable_folder(self):
        self.write("file", "")
        for np in 1, 2:
            self.refused("train", "--epochs", "1", "--out", "file/run", code=STORAGE, says=["file"], np=np)

    def test_loss_not_finite(self):
        path = self.write("huge.csv", "1e30,3e30,a\n-2e30,1e30,b\n" * 50)
        for np in 1, 3:
            self.refused("train", "--data.name", "file", "--data.train", path, "--preprocess", "none",
                         "--inverse.kind", "trained", "--out", f"run{np}", code=NUMERIC, says=["not finite", "step"], np=np)

    def test_eval_of_something_else(self):
        path = self.write("checkpoint.h5", "not a checkpoint")
        for np in 1, 2:
            self.refused("eval", path, code=STORAGE, says=["checkpoint.h5"], np=np)
            self.refused("info", path, code=STORAGE, says=["checkpoint.h5"], np=np)
            self.refused("eval", self.path("none.h5"), code=STORAGE, says=["none.h5"], np=np)
        self.refused("eval", code=USAGE, says=["CHECKPOINT"])

    def test_info_of_something_else(self):
        with h5py.File(self.path("data.h5"), "w") as file:
            file["x"] = [1.0]
        for np in 1, 2:
            self.refused("info", "data.h5", code=STORAGE, says=["data.h5", "neither"], np=np)
            self.refused("info", "none.h5", code=STORAGE, says=["none.h5", "No such file"], np=np)

    def test_eval_data_that_do_not_fit(self):
        self.train("--epochs", 1)
        path = self.write("three.csv", "1,2,3,0\n4,5,6,1\n")
        self.refused("eval", "run/checkpoint.h5", path, code=DATA, says=["three.csv"])


if __name__ == "__main__":
    program.main()
