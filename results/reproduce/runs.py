"""Start, resume and skip the runs of a folder."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import h5py

import experiments
import generated
import settings
from outcome import epoch_seconds

STOPPED, NO_DATA, NUMERIC = 75, 3, 5  # exit codes of reluopt-mpi
NOT_BEGUN = -signal.SIGUSR1  # stopped while its libraries were being loaded
# A run is one process or a few; what it would do for every short epoch is done by the clock.
ALWAYS = {"checkpoint.every": 0, "checkpoint.minutes": 5, "checkpoint.keep": 1}


class Run:
    """One row with one seed, in a folder of its own."""

    def __init__(self, row, seed, folder):
        self.row, self.seed = row, seed
        self.name = f"{row.name}-{seed}"
        self.folder = os.path.join(folder, self.name)
        self.log, self.made_with = self.folder + ".log", self.folder + ".settings"
        self.target, self.done = row.epochs, 0  # epochs
        self.other = None  # made with other settings, once that was looked at

    def limit(self, epochs):
        self.target = min(self.row.epochs, epochs or self.row.epochs)

    def begun(self):
        """Its folder is there and was made with the row's present settings."""
        if not self.config():
            return False
        if read(self.made_with) == settings.describe(self.row):
            return True
        if self.other is None:
            self.other = not settings.same(self.row, self.config())
            if not self.other:
                self.note_settings()
        return not self.other

    def config(self):
        """The resolved configuration, empty where there is none."""
        return read(os.path.join(self.folder, "config.yaml"))

    def note_settings(self):
        with open(self.made_with, "w") as file:
            file.write(settings.describe(self.row))

    def failure(self):
        """The error of a run that cannot go on, such as one that diverged."""
        found = re.search(r"^failed: (.*)$", read(self.log), re.M)
        return found.group(1) if found and self.begun() else None

    def curves(self):
        """{name: values} by epoch, at most the row's epochs of them; None where there are none yet."""
        path = os.path.join(self.folder, "curves.h5")
        if not self.begun() or not os.path.exists(path):
            return None
        with h5py.File(path, "r") as file:
            return {name: file[name][:self.row.epochs] for name in file}

    def epochs(self):
        curves = self.curves()
        return len(curves["epoch"]) if curves else 0

    def finished(self):
        return self.epochs() >= self.target and self.summary() is not None

    def summary(self):
        path = os.path.join(self.folder, "summary.json")
        if not self.begun() or not os.path.exists(path):
            return None
        with open(path) as file:
            return json.load(file)

    def weights(self):
        """[W1, W2, ...] as its checkpoint has them; none before there is one."""
        path = os.path.join(self.folder, "checkpoint.h5")
        if not self.begun() or not os.path.exists(path):
            return []
        with h5py.File(path, "r") as file:
            arrays = file["arrays"]
            return [arrays[name][:] for name in sorted(n for n in arrays if re.fullmatch(r"W\d", n))]


def read(path):
    """The text of a file, empty where there is none."""
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def all_runs(folder, quick=False):
    return [Run(row, seed, folder) for row in experiments.rows(quick) for seed in range(1, row.seeds + 1)]


class Driver:
    """Brings runs to their end, the most valuable first, a few at a time."""

    def __init__(self, runs, folder, jobs, ranks, environment):
        self.folder, self.jobs, self.ranks = folder, jobs, ranks
        self.environment = environment
        self.all, self.lock = runs, threading.Lock()
        self.queue, self.children, self.errors, self.no_data = [], set(), [], set()
        self.speed, self.stopping = {}, False  # speed: seconds an epoch by row

    def measure(self, run):
        """How far it is, and how fast its row is."""
        curves = run.curves()
        run.done = len(curves["epoch"]) if curves else 0
        if run.done:
            self.speed[run.row.name] = epoch_seconds(curves)

    def seconds(self, run):
        """What is left of a run, by the speed of one of its row, or the table."""
        return max(0, run.target - run.done) * self.speed.get(run.row.name, run.row.cost) + 1

    def plan(self):
        """Runs to be made, in their order: what takes below a minute, then seed by seed, cheap before expensive."""
        for run in self.all:
            self.measure(run)
        left = [(self.seconds(run), run) for run in self.all if not run.finished() and not run.failure()]
        self.queue = [run for _, run in sorted(left, key=lambda e: (e[1].seed if e[0] > 60 else 0, e[0], e[1].name))]
        return sum(seconds for seconds, _ in left)

    def work(self):
        """Return 0, STOPPED, NO_DATA, or 1 where runs failed for a reason that is not theirs."""
        os.makedirs(self.folder, exist_ok=True)
        generated.make(self.all, self.folder)
        before = {s: signal.signal(s, lambda *_: self.stop()) for s in (signal.SIGINT, signal.SIGTERM)}
        workers = [threading.Thread(target=self.take) for _ in range(self.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.2)  # signals are handled in between
        for number, handler in before.items():
            signal.signal(number, handler)
        return 1 if self.errors else STOPPED if self.stopping else NO_DATA if self.no_data else 0

    def stop(self):
        """No more runs; those under way save a checkpoint and end."""
        self.stopping = True
        for child in list(self.children):
            child.send_signal(signal.SIGUSR1)

    def take(self):
        while True:
            with self.lock:
                if not self.queue or self.stopping or self.errors:
                    return
                run = self.queue.pop(0)
                left = sum(map(self.seconds, self.queue)) / self.jobs
            if run.row.config not in self.no_data:
                print(f"{time.strftime('%H:%M:%S')} {run.name}: {run.target - run.done} epochs, about "
                      f"{duration(self.seconds(run))}; then {len(self.queue)} runs, about {duration(left)}", flush=True)
                try:
                    self.train(run)
                except Exception as error:  # which would end only this thread
                    self.errors.append(run)
                    print(f"{run.name}: {error}", flush=True)

    def command(self, run):
        launcher = [] if self.ranks == 1 else ["mpirun", "-np", str(self.ranks), "--bind-to", "none"]
        options = {**ALWAYS, "epochs": run.target}
        if run.begun():
            how = ["--resume", run.folder]
        else:
            self.set_aside(run)
            how = [settings.config(run.row), "--out", run.folder]
            options |= {**generated.settings(run.row, self.folder), **run.row.settings, "seed": run.seed}
        return launcher + [settings.program(), "train", *how, *settings.words(options)]

    def set_aside(self, run):
        """What was made with other settings goes to FOLDER/stale."""
        for path in run.folder, run.log:
            if os.path.exists(path):
                os.rename(path, os.path.join(stale(self.folder), os.path.basename(path)))

    def train(self, run):
        command = self.command(run)
        run.note_settings()
        with open(run.log, "a") as log:
            child = subprocess.Popen(command, stdout=log, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                     env={**os.environ, **self.environment})
            self.children.add(child)
            if self.stopping:
                child.send_signal(signal.SIGUSR1)
            errors = child.communicate()[1]
            self.children.remove(child)
            line = reason(errors)
            log.write(errors + (f"failed: {line}\n" if child.returncode == NUMERIC else ""))
        self.measure(run)
        self.judge(run, child.returncode, line)

    def judge(self, run, code, line):
        if code == NO_DATA:
            self.no_data.add(run.row.config)
            print(f"{run.name}, and others with this data set, left out: {line}", flush=True)
        elif code == NUMERIC:
            print(f"{run.name} diverged: {line}", flush=True)
        elif code not in (0, STOPPED, NOT_BEGUN):
            self.errors.append(run)
            print(f"{run.name}: exit code {code}: {line}", flush=True)


def reason(errors):
    """The last line of the program, which a launcher may follow with its own."""
    lines = errors.strip().splitlines() or [""]
    return next((line for line in reversed(lines) if line.startswith("reluopt-mpi: ")), lines[-1])


def stale(folder):
    """A folder for what was made with other settings and is in the way."""
    path = os.path.join(folder, "stale", time.strftime("%Y%m%d-%H%M%S"))
    os.makedirs(path, exist_ok=True)
    return path


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
