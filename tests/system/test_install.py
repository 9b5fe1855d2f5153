#!/usr/bin/python3
"""Installed files: complete, gone after uninstalling, packed for Debian; the library, used through pkg-config."""
import glob
import math
import os
import re
import subprocess
import tempfile
import unittest

import numpy

import program

SAMPLES = 700  # more than the library predicts at a time


def make(*settings):
    done = subprocess.run(["make", "-s", "BUILD=" + program.BUILD, *settings], cwd=program.TOP, capture_output=True,
                          text=True)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def files(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names)


@unittest.skipUnless(program.BUILD == "build", "the library of other builds needs their libraries")
class Installed(program.ProgramTest):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.prefix = scratch.name + "/prefix"
        make("install", "PREFIX=" + cls.prefix)
        cls.samples = numpy.random.default_rng(1).normal(size=(SAMPLES, 3)).astype("f4")
        cls.labels = (numpy.abs(cls.samples).sum(1) > 2.3).astype(int)

    def run_program(self, *arguments, **settings):
        return super().run_program(*arguments, **settings, LD_LIBRARY_PATH=self.prefix + "/lib")

    def train_on_samples(self, *settings):
        """A checkpoint, the path of its data, and what `eval` says of them: loss, and how many are right."""
        rows = ["%.9g,%.9g,%.9g,%s" % (*x, ("near", "far")[y]) for x, y in zip(self.samples, self.labels)]
        data = self.write("samples.csv", "\n".join(rows) + "\n")
        self.train("--data.name", "file", "--data.train", data, "--network", "12", "--epochs", 3, *settings)
        out, _ = self.run_program("eval", "run/checkpoint.h5", data)
        words = out.split()
        return self.path("run/checkpoint.h5"), float(words[2]), int(words[5].strip("("))

    def flags(self, *options):
        return self.run_program(command=["pkg-config", *options, "reluopt"],
                                PKG_CONFIG_PATH=self.prefix + "/lib/pkgconfig")[0].split()

    def compile(self, source, *flags):
        self.run_program(command=["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", source, "-o", "example",
                                  *(flags or self.flags("--cflags", "--libs"))])

    def predict(self, checkpoint, samples, code=0):
        text = "\n".join(" ".join(map(str, sample)) for sample in samples)
        done = subprocess.run([self.path("example"), checkpoint], input=text, text=True, capture_output=True,
                              env={**os.environ, "LD_LIBRARY_PATH": self.prefix + "/lib"})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout, done.stderr

    def test_example(self):
        """Shared and static, it gives the classes that `eval` counts."""
        checkpoint, _, right = self.train_on_samples()
        example = program.TOP + "/docs/examples/predict.c"
        static = [self.prefix + "/lib/libreluopt.a" if flag == "-lreluopt" else flag
                  for flag in self.flags("--static", "--cflags", "--libs")]
        for flags in [], static:
            self.compile(example, *flags)
            needed, _ = self.run_program(command=["ldd", "example"])
            self.assertEqual("libreluopt.so.0 =>" in needed, not flags)
            out, _ = self.predict(checkpoint, self.samples)
            names = [line.split()[0] for line in out.splitlines()]
            self.assertEqual(sum(n == ("near", "far")[y] for n, y in zip(names, self.labels)), right)

    def test_probabilities(self):
        """All samples in one call: the loss that `eval` prints, also for batch normalisation and for trees."""
        self.compile(self.write("all.c", ALL_AT_ONCE))
        for settings in (), ("--method", "sgd", "--batch_norm", "yes"), ("--method", "mgbdt", "--network", 4):
            with self.subTest(settings=settings):
                checkpoint, loss, _ = self.train_on_samples(*settings)
                out, _ = self.predict(checkpoint, self.samples)
                words = out.split()
                values = numpy.array([float(v) for v in words[2:]]).reshape(SAMPLES, 2)
                self.assertTrue(numpy.allclose(values.sum(1), 1, atol=1e-5))
                truth = [words[:2].index(("near", "far")[y]) for y in self.labels]
                cost = -numpy.log(values[range(SAMPLES), truth]).mean()
                self.assertAlmostEqual(cost, loss, delta=2e-5)
                os.rename(self.path("run"), self.path("run-%s" % "-".join(map(str, settings[:2]))))

    def test_errors(self):
        checkpoint, _, _ = self.train_on_samples()
        self.compile(program.TOP + "/docs/examples/predict.c")
        self.assertIn("cannot open", self.predict(self.path("missing.h5"), [], code=4)[1])
        self.assertIn("samples.csv", self.predict(self.path("samples.csv"), [], code=4)[1])
        self.assertIn("sample 0, feature 1: nan", self.predict(checkpoint, [[1, math.nan, 2]], code=3)[1])
        self.assertIn("not finite", self.predict(checkpoint, [[3e38, -3e38, 3e38]], code=5)[1])
        self.assertIn("has 2 numbers, not 3", self.predict(checkpoint, [[1, 2]], code=3)[1])
        self.assertIn("has 0 numbers, not 3", self.predict(checkpoint, [["abc"]], code=3)[1])
        with open(checkpoint, "r+b") as file:
            file.truncate(4000)
        self.predict(checkpoint, [], code=4)

    def test_only_the_interface_is_exported(self):
        for options, library in (["-D"], "so"), (["-g"], "a"):
            symbols = subprocess.run(["nm", *options, "--defined-only", "%s/lib/libreluopt.%s" % (self.prefix, library)],
                                     capture_output=True, text=True, check=True).stdout
            names = [line.split()[2].split("@")[0] for line in symbols.splitlines() if len(line.split()) == 3]
            self.assertIn("reluopt_model_load", names)
            self.assertEqual([n for n in names if not n.startswith("reluopt_model_") and n != "LIBRELUOPT_0"], [])

    def test_version_in_one_place(self):
        with open(program.TOP + "/include/reluopt/version.h") as file:
            version = file.read().split('RELUOPT_VERSION "')[1].split('"')[0]
        out, _ = self.run_program(command=[self.prefix + "/bin/reluopt-mpi", "--version"])
        self.assertTrue(out.startswith("reluopt-mpi %s (BLAS kernel " % version), out)
        for library in "Open MPI v", "HDF5 1.", "OpenBLAS ", "libyaml ", "zlib ", "libdeflate ":
            self.assertEqual(sum(line.startswith(library) for line in out.splitlines()), 1, out)
        self.assertTrue(os.path.exists("%s/lib/libreluopt.so.%s" % (self.prefix, version)))
        with open(self.prefix + "/lib/pkgconfig/reluopt.pc") as file:
            self.assertIn("Version: %s\n" % version, file.read())

    def test_pages_link_to_what_is_there(self):
        links = []
        for page in glob.glob(self.prefix + "/share/doc/reluopt-mpi/**/*.md", recursive=True):
            with open(page) as file:
                links += [os.path.join(os.path.dirname(page), link)
                          for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", file.read())]
        self.assertGreater(len(links), 20)
        self.assertEqual([link for link in links if not os.path.exists(link)], [])

    def test_uninstall_leaves_what_was_there(self):
        kept = ["opt/share/doc/other/README", "opt/lib/libother.so"]
        for name in kept:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            self.write(name, "")
        settings = ["DESTDIR=" + self.folder, "PREFIX=/opt"]
        make("install", *settings)
        self.assertIn("opt/bin/reluopt-mpi", files(self.folder))
        with open(self.path("opt/lib/pkgconfig/reluopt.pc")) as file:
            self.assertNotIn(self.folder, file.read())
        make("uninstall", *settings)
        self.assertEqual(files(self.folder), sorted(kept))
        self.assertEqual(os.listdir(self.path("opt/share/doc")), ["other"])

    def test_packages(self):
        """Of the present build: installed, run, and removed without a trace."""
        out = self.path("deb")
        built = make("deb", "DEBBUILD=" + program.BUILD, "DEBOUT=" + out).split()
        self.assertEqual(len(glob.glob(out + "/*.deb")), 3)
        packages = [p for p in built if p.endswith(".deb")]
        fields = {p: self.run_program(command=["dpkg-deb", "-f", p])[0] for p in packages}
        program_package, = [p for p in packages if "/reluopt-mpi_" in p]
        for library in "libhdf5-openmpi", "libopenmpi", "libopenblas", "libyaml", "openmpi-bin":
            self.assertIn(library, fields[program_package])
        root = self.path("root")
        os.makedirs(root)
        dpkg = ["dpkg", "--root=" + root, "--force-not-root", "--force-depends", "--log=/dev/null"]
        os.makedirs(root + "/var/lib/dpkg/updates")
        os.makedirs(root + "/var/lib/dpkg/info")
        self.write("root/var/lib/dpkg/status", "")
        self.run_program(command=[*dpkg, "--no-triggers", "-i", *packages])
        there = files(root + "/usr")
        for name in ("bin/reluopt-mpi", "include/reluopt/model.h", "share/reluopt-mpi/configs/mnist.yaml",
                     "share/doc/libreluopt0/copyright"):
            self.assertIn(name, there)
        self.run_program(command=[root + "/usr/bin/reluopt-mpi", "train", "--epochs", "1", "--out", "packaged"])
        self.run_program(command=[*dpkg, "--no-triggers", "-r", "reluopt-mpi", "libreluopt-dev", "libreluopt0"])
        self.assertFalse(os.path.exists(root + "/usr") and files(root + "/usr"))


ALL_AT_ONCE = r"""
#include <reluopt/model.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    enum { ROOM = 1000, FEATURES = 3, CLASSES = 2 };
    static float x[ROOM * FEATURES], probability[ROOM * CLASSES];
    ReluoptModel *model;
    size_t count = 0;
    if (argc != 2 || reluopt_model_load(&model, argv[1], NULL) || reluopt_model_features(model) != FEATURES ||
        reluopt_model_classes(model) != CLASSES || reluopt_model_class_name(model, CLASSES))
        return 1;
    printf("%s %s\n", reluopt_model_class_name(model, 0), reluopt_model_class_name(model, 1));
    while (count < ROOM * FEATURES && scanf("%f", &x[count]) == 1)
        count++;
    for (int again = 0; again < 2; again++) /* nothing of the first call is left in the second */
        if (reluopt_model_predict(model, x, count / FEATURES, probability, NULL))
            return 2;
    for (size_t i = 0; i < count / FEATURES * CLASSES; i++)
        printf("%.9g\n", probability[i]);
    reluopt_model_free(model);
    reluopt_model_free(NULL);
    return 0;
}
"""

if __name__ == "__main__":
    program.main()
