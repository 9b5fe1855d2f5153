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

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STOPPED, NO_DATA, NUMERIC = 75, 3, 5  # exit codes of reluopt-mpi
# A run is one process or a few; what it would do for every short epoch is done by the clock.
ALWAYS = {"checkpoint.every": 0, "checkpoint.minutes": 5, "checkpoint.keep": 1}


class Run:
    """One row with one seed, in a folder of its own."""

    def __init__(self, row, seed, folder):
        self.row, self.seed = row, seed
        self.name = f"{row.name}-{seed}"
        self.folder = os.path.join(folder, self.name)
        self.notes = self.folder + ".txt"  # what it was started with; the program's output and errors follow
        self.target = row.epochs

    def limit(self, epochs):
        self.target = min(self.row.epochs, epochs or self.row.epochs)

    def description(self):
        """All that decides how the run goes, but for the epochs: a folder made with anything else is another run."""
        with open(os.path.join(TOP, "configs", self.row.config)) as file:
            lines = [line for line in file.read().splitlines() if not re.match(r"#|epochs:|\s*$", line)]
        return lines + [f"{key}: {value}" for key, value in sorted(self.row.settings.items())]

    def read_notes(self):
        try:
            with open(self.notes) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def begun(self):
        """Its folder is there and was made with the row's present settings."""
        mark = "\n".join(self.description()) + "\n---\n"
        return os.path.exists(os.path.join(self.folder, "config.yaml")) and self.read_notes().startswith(mark)

    def failure(self):
        """The error of a run that cannot go on, such as one that diverged."""
        found = re.search(r"^failed: (.*)$", self.read_notes(), re.M)
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


def all_runs(folder, quick=False):
    return [Run(row, seed, folder) for row in experiments.rows(quick) for seed in range(1, row.seeds + 1)]


class Driver:
    """Brings runs to their end, the most valuable first, a few at a time."""

    def __init__(self, runs, folder, jobs, ranks, environment):
        self.folder, self.jobs, self.ranks = folder, jobs, ranks
        self.environment = environment
        self.all, self.lock = runs, threading.Lock()
        self.queue, self.children, self.errors, self.no_data = [], {}, [], set()
        self.stopping = False

    def seconds(self, run):
        """What is left of a run, by its own speed, that of another seed, or the table."""
        for other in [run, *(r for r in self.all if r.row.name == run.row.name)]:
            curves = other.curves()
            if curves and len(curves["seconds"]) > 0:
                return (run.target - run.epochs()) * float(curves["seconds"][-1]) / len(curves["seconds"])
        return (run.target - run.epochs()) * run.row.cost + 1

    def plan(self):
        """Runs to be made, in their order: what takes below a minute, then seed by seed, cheap before expensive."""
        left = [(self.seconds(run), run) for run in self.all if not run.finished() and not run.failure()]
        self.queue = [run for _, run in sorted(left, key=lambda e: (e[1].seed if e[0] > 60 else 0, e[0], e[1].name))]
        return sum(seconds for seconds, _ in left)

    def work(self):
        """Return 0, STOPPED, or 1 where runs failed for a reason that is not theirs."""
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
        return 1 if self.errors else STOPPED if self.stopping else 0

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
                print(f"{time.strftime('%H:%M:%S')} {run.name}: {run.target - run.epochs()} epochs, about "
                      f"{duration(self.seconds(run))}; then {len(self.queue)} runs, about {duration(left)}", flush=True)
                self.train(run)

    def command(self, run):
        program = os.environ.get("RELUOPT_MPI", os.path.join(TOP, os.environ.get("BUILD", "build"), "reluopt-mpi"))
        launcher = [] if self.ranks == 1 else ["mpirun", "-np", str(self.ranks), "--bind-to", "none"]
        settings = {**ALWAYS, "epochs": run.target}
        if run.begun():
            how = ["--resume", run.folder]
        else:
            self.set_aside(run)
            how = [os.path.join(TOP, "configs", run.row.config), "--out", run.folder]
            settings |= {**generated.settings(run.row, self.folder), **run.row.settings, "seed": run.seed}
        return launcher + [program, "train", *how, *(str(w) for k, v in settings.items() for w in ("--" + k, v))]

    def set_aside(self, run):
        """What was made with other settings goes to FOLDER/stale."""
        for path in run.folder, run.notes:
            if os.path.exists(path):
                stale = os.path.join(self.folder, "stale", time.strftime("%Y%m%d-%H%M%S"))
                os.makedirs(stale, exist_ok=True)
                os.rename(path, os.path.join(stale, os.path.basename(path)))

    def train(self, run):
        command = self.command(run)
        if not run.read_notes():
            with open(run.notes, "w") as notes:
                notes.write("\n".join(run.description()) + "\n---\n")
        with open(run.notes, "a") as notes:
            child = subprocess.Popen(command, stdout=notes, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                     env={**os.environ, **self.environment})
            self.children[child] = run
            if self.stopping:
                child.send_signal(signal.SIGUSR1)
            errors = child.communicate()[1]
            del self.children[child]
            notes.write(errors)
            line = (errors.strip().splitlines() or [""])[-1]
            if child.returncode == NUMERIC:
                notes.write(f"failed: {line}\n")
        self.judge(run, child.returncode, line)

    def judge(self, run, code, line):
        if code == NO_DATA:
            self.no_data.add(run.row.config)
            print(f"{run.name}, and others with this data set, left out: {line}", flush=True)
        elif code == NUMERIC:
            print(f"{run.name} diverged: {line}", flush=True)
        elif code not in (0, STOPPED):
            self.errors.append(run)
            print(f"{run.name}: exit code {code}: {line}", flush=True)


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
