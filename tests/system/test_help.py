#!/usr/bin/python3
"""Help on a screen, the manual page and the completion, all from the same tables; the command config."""
import os
import pty
import re
import select
import subprocess

import program

USAGE = 2
COMMANDS = ["train", "eval", "info", "config", "help"]
ROWS, COLUMNS = 24, 80
PATIENCE = 60  # seconds
MANUAL = os.path.join(program.TOP, program.BUILD, "man/reluopt-mpi.1")
COMPLETION = os.path.join(program.TOP, program.BUILD, "completion/reluopt-mpi")


class Help(program.ProgramTest):
    def test_fits_a_screen(self):
        out, _ = self.run_program("--help")
        listed = re.findall(r"^  (\w+) ", out, re.M)
        for command in COMMANDS:
            self.assertIn(command, listed)
        for arguments in [[]] + [[command] for command in listed]:
            out, _ = self.run_program(*arguments, "--help")
            lines = out.splitlines()
            self.assertTrue(out.startswith("usage: "), out)
            self.assertLessEqual(len(lines), ROWS, out)
            self.assertLess(max(map(len, lines)), COLUMNS, out)
            if arguments:
                self.assertIn("\nExamples:\n", out)
                self.assertEqual(self.run_program("help", *arguments)[0], out)

    def test_explains_a_key(self):
        for arguments in ["help", "inverse.kind"], ["train", "--help", "inverse.kind"]:
            out, _ = self.run_program(*arguments, np=2)
            self.assertIn("one of trained, fixed, transpose, mirror, auto (default auto)", out)
        self.assertEqual(len(re.findall("^data", self.run_program("help", "data")[0], re.M)), 8)
        self.assertIn("mgbdt", self.run_program("help", "method")[0])
        self.refused("help", "invers.kind", code=USAGE, says=["inverse.kind"], np=2)

    def test_misuse(self):
        self.refused("help", "a", "b", code=USAGE, says=["'b'", "too many"])
        self.refused("help", "--man=yes", code=USAGE, says=["--man takes no value"])
        self.refused("eval", code=USAGE, says=["CHECKPOINT"])
        self.refused("train", "--epochs", code=USAGE, says=["--epochs", "value"])


class Manual(program.ProgramTest):
    def test_has_no_warnings(self):
        done = subprocess.run(["man", "-l", "--warnings", MANUAL], capture_output=True, text=True,
                              env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for part in COMMANDS + ["mgbdt", "inverse.kind", "EXIT STATUS", "70"]:
            self.assertIn(part, done.stdout)
        lint = subprocess.run(["mandoc", "-T", "lint", MANUAL], capture_output=True, text=True)
        # No date: the page is the same whenever it is built.
        self.assertEqual([line for line in lint.stdout.splitlines() if "missing date" not in line], [])


class Completion(program.ProgramTest):
    def offered(self, *words):
        """What is offered for the last word."""
        script = (f'. {COMPLETION}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_reluopt_mpi reluopt-mpi "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; '
                  'echo "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-uc", script, "bash", "reluopt-mpi", *words], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout.split()

    def test_offers(self):
        for words, offered in {
            ("tr",): ["train"],
            ("info", "--"): ["--help", "--verify"],
            ("train", "--inverse.ki"): ["--inverse.kind"],
            ("train", "--inverse.kind", "t"): ["trained", "transpose"],
            ("train", "--inverse.kind", "=", "f"): ["fixed"],
            ("train", "--gate", "="): ["yes", "no"],
            ("train", "--method", "ad"): ["adaptive", "adagrad", "adadelta", "adam"],
            ("train", "--help", "data.t"): ["data.train", "data.test", "data.train_samples"],
            ("help", "ev"): ["eval", "eval.train"],
            ("help", "--man", "--c"): ["--completion"],
            ("eval", "--epo"): [],       # a key that eval does not take
            ("train", "--out", ""): [],  # files
            ("eval", ""): [],
        }.items():
            self.assertEqual(self.offered(*words), offered, words)
        self.assertEqual(set(COMMANDS) - set(self.offered("")), set())

    def test_in_an_interactive_shell(self):
        self.write("a-long-name.h5", "")
        master, slave = pty.openpty()
        shell = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave,
                                 cwd=self.folder, env={**os.environ, "PS1": "$ ", "TERM": "dumb"},
                                 start_new_session=True)
        os.close(slave)
        self.addCleanup(os.close, master)
        self.addCleanup(shell.wait)
        self.addCleanup(shell.kill)
        typed = (f". {COMPLETION}; reluopt-mpi() {{ printf '<%s>' \"$@\"; }}\n"
                 "reluopt-mpi ev\ta-lo\t--data.tes\ta-\t\n")
        os.write(master, typed.encode())
        expected = b"<eval><a-long-name.h5><--data.test><a-long-name.h5>"
        shown = b""
        while expected not in shown and select.select([master], [], [], PATIENCE)[0]:
            shown += os.read(master, 4096)
        self.assertIn(expected, shown)


class Config(program.ProgramTest):
    def test_default_is_a_configuration(self):
        out, _ = self.run_program("config", np=2)
        self.assertIn("\nmethod: ", "\n" + out)
        self.assertIn("default auto", out)
        resolved, _ = self.run_program("config", self.write("mine.yaml", out))
        self.assertIn("\nbatch: 100\n", resolved)
        self.assertEqual(self.run_program("config", self.write("resolved.yaml", resolved))[0], resolved)

    def test_is_what_train_uses(self):
        arguments = ["--method", "adam", "--epochs", "1", "--data.train_samples", "200"]
        self.train(*arguments)
        with open(self.path("run/config.yaml")) as file:
            echoed = file.read()
        printed, _ = self.run_program("config", *arguments)
        other = [line for line in echoed.splitlines() if line not in printed.splitlines()]
        self.assertEqual([line for line in other if not line.startswith("data.")], ["preprocess: standardise"])
        self.assertIn("preprocess: auto", printed.splitlines())

    def test_refuses_what_train_refuses(self):
        path = self.write("bad.yaml", "epochs: 3\nbatch: many\n")
        self.refused("config", path, code=USAGE, says=["bad.yaml:2:8", "batch"], np=2)
        self.refused("config", "--variant", "online", "--batch", 10, code=USAGE, says=["online", "batch"])
        self.refused("config", self.path("none.yaml"), code=USAGE, says=["none.yaml"])


if __name__ == "__main__":
    program.main()
