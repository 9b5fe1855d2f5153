#!/usr/bin/python3
"""What the Makefile would run: the user's flags come in addition to the program's own."""
import subprocess
import unittest

import program


class Build(unittest.TestCase):
    def commands(self, *settings):
        """The compilation of random.c, and the linking of the program."""
        done = subprocess.run(["env", "-i", "PATH=/usr/bin:/bin", "make", "-n", "-B", *settings], cwd=program.TOP,
                              capture_output=True, text=True, check=True)
        lines = [line.split() for line in done.stdout.splitlines()]
        (compilation,) = [line for line in lines if "src/base/random.c" in line]
        (linking,) = [line for line in lines if line[-1:] and line[0] == "mpicc" and "-c" not in line]
        return compilation, linking

    def test_flags(self):
        own = ["-std=c11", "-Werror", "-Iinclude", "-ffast-math"]
        checks = "-fsanitize=address,undefined"
        for sanitize in False, True:
            for given, flags in ((["CFLAGS=-O2"], ["-O2"]), (["CFLAGS="], []),
                                 ([], ["-O1" if sanitize else "-O3", "-g"])):
                compilation, linking = self.commands(*given, *["SANITIZE=1"] * sanitize)
                self.assertLessEqual(set(own + flags), set(compilation))
                self.assertEqual([f for f in compilation if f.startswith("-O")], [f for f in flags if f != "-g"])
                self.assertEqual(checks in compilation, sanitize)
                self.assertEqual(checks in linking, sanitize)

    def test_missing_libraries_are_named(self):
        done = subprocess.run(["make", "-C", program.TOP, "libraries", "PACKAGES=zlib no-such-library"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not find: no-such-library;", done.stderr)

    def test_libraries(self):
        own = self.commands()[1]
        compilation, linking = self.commands("LDLIBS=-lrt", "LDFLAGS=-Wl,-O1", "BUILD=there")
        self.assertIn("there/src/base/random.o", compilation)
        libraries = {part for part in own if part.startswith("-l")}
        self.assertLessEqual({"-lhdf5", "-lopenblas", "-lm"}, libraries)
        self.assertLessEqual(libraries | {"-lrt", "-Wl,-O1"}, set(linking))


if __name__ == "__main__":
    program.main()
