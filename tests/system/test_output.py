#!/usr/bin/python3
"""What a run says while it goes on: lines for a log, a live line on a terminal, nothing, JSON events; the time table."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import program

PHASES = ["forward", "targets", "gradient", "rates", "update", "inverses", "gather", "reduction", "input", "evaluation",
          "checkpoint", "waiting", "other"]


class Output(program.ProgramTest):
    def events(self, *arguments, **options):
        out, errors = self.run_program("train", *arguments, "--json", **options)
        return [json.loads(line) for line in out.splitlines()], errors

    def test_one_line_an_epoch(self):
        out, _ = self.run_program("train", "--epochs", 3, "--out", "run")
        lines = [line for line in out.splitlines() if line.startswith("epoch ")]
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"train loss [\d.]+ acc +[\d.]+%  test loss .* samples/s  rate( \d\.\de[+-]\d\d){3}$")
        self.assertNotIn("\033", out)

    def test_quiet(self):
        out, errors = self.run_program("train", "--epochs", 1, "--quiet", "--out", "run", np=2)
        self.assertEqual(out + errors, "")
        self.refused("train", "--quiet", "--json", code=2, says=["--quiet and --json"])

    def test_rates_leave_checkpoints_out(self):
        """Also those inside an epoch: the rate is that of all its steps, not of the last one."""
        plain, _ = self.events("--epochs", 3, "--batch", 20, "--out", "plain")
        saving, _ = self.events("--epochs", 3, "--batch", 20, "--checkpoint.steps", 1, "--out", "saving")
        rates = [max(e["samples_per_second"] for e in events if e["event"] == "epoch") for events in (plain, saving)]
        self.assertLess(rates[1], 20 * rates[0])

    def test_events(self):
        folder = 'a "run" \\ with a\ttab'
        for np in 1, 3:
            events, errors = self.events("--epochs", 2, "--out", f"{folder}{np}", np=np)
            self.assertEqual(errors, "")
            kinds = [event["event"] for event in events]
            self.assertEqual(kinds, ["start", "epoch", "checkpoint", "epoch", "checkpoint", "end"])
            start, epoch, checkpoint, end = events[0], events[3], events[4], events[5]
            self.assertEqual((start["folder"], start["np"]), (f"{folder}{np}", np))
            self.assertEqual(start["network"], [2, 100, 100, 2])
            self.assertEqual((epoch["epoch"], len(epoch["rate"]), len(epoch["inverse_rate"])), (2, 3, 2))
            self.assertEqual(epoch["test_loss"], self.curve("test_loss", f"{folder}{np}")[1])
            self.assertEqual(checkpoint["path"], f"{folder}{np}/checkpoint.h5")
            with open(self.path(f"{folder}{np}/summary.json")) as file:
                self.assertEqual({"event": "end", **json.load(file)}, end)

    def test_error_event(self):
        for arguments in ["--epoch", 3], ["--data.name", "mnist", "--data.dir", "nowhere"]:
            out, errors = self.run_program("train", "--json", *arguments, code=3 if "mnist" in arguments else 2)
            event = json.loads(out.splitlines()[-1])
            self.assertEqual(event["event"], "error")
            self.assertEqual("reluopt-mpi: " + event["message"], self.one_line(errors, []))

    def test_time_table(self):
        for np in 1, 2:
            out, _ = self.run_program("train", "--epochs", 2, "--out", f"run{np}", np=np)
            with open(self.path(f"run{np}/summary.json")) as file:
                time = json.load(file)["time"]
            self.assertEqual(list(time), ["total", *PHASES])
            self.assertAlmostEqual(time["total"], sum(time[phase]["mean"] for phase in PHASES), places=6)
            for phase in PHASES:
                self.assertTrue(0 <= time[phase]["least"] <= time[phase]["most"], phase)
                shown = re.search(rf"^{phase} .*%", out, re.MULTILINE)
                self.assertEqual(shown is not None, time[phase]["most"] > 0, phase)
            for phase in "forward", "gradient", "inverses", "evaluation", "checkpoint":
                self.assertGreater(time[phase]["least"], 0)
            self.assertEqual(time["gather"]["most"] > 0, np > 1)
            self.assertEqual("imbalance" in out, np > 1)

    def live(self, columns, *arguments):
        """What a terminal of that width gets."""
        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with subprocess.Popen(self.command("train", *arguments, "--out", f"run{columns}"), cwd=self.folder,
                              stdout=terminal) as process:
            os.close(terminal)
            text = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
                text += part
                if not part:
                    break
        os.close(master)
        self.assertEqual(process.returncode, 0)
        return text.decode()

    def test_live_line(self):
        slow = ["--epochs", 6, "--network", "300,300", "--batch", 20]  # long enough for many lines
        for columns in 60, 150:
            lines = re.findall(r"\r(epoch [^\r\n\033]*)\033\[K", self.live(columns, *slow))
            self.assertGreater(len(lines), 1)
            self.assertLess(max(map(len, lines)), columns)
        self.assertRegex(lines[-1], r"epoch [2-6]/6 +\d+%  loss [\d.]+  train [\d.]+%  test [\d.]+%  \d+ samples/s  "
                                    r"\d+:\d\d left  rate( \d\.\de[+-]\d\d){3}$")


if __name__ == "__main__":
    program.main()
