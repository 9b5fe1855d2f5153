"""What is kept of the runs, in RESULTS/curves: a file for each table, in it ROW/settings and ROW/SEED, a table of curves.

Tables and figures are made from it alone: they can be made again, and added to, where the folders of the runs are no more."""
import os
import shutil
from dataclasses import dataclass

import h5py
import numpy

import settings
from runs import stale

CURVES = ("epoch", "steps", "seconds", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "rate", "online_bound", "active")
LEFT_OUT = {"ball": ("test_loss", "test_accuracy", "online_bound", "active")}  # many long runs of which no more is shown
WHOLE = "epoch", "steps"  # kept as integers
INDEX = 4096  # bytes, about, that HDF5 takes to find what it packed


@dataclass
class Kept:
    """A run as far as it got."""
    row: object
    seed: int
    curves: dict           # name: values by epoch, among them "epoch"
    train_accuracy: float  # of the whole training part after the last epoch, nan where that was not measured
    failure: str           # the error of a run that diverged
    moved: list            # by layer: distance of the weights from their start, as a part of its length; empty: not known
    config: str            # the resolved configuration

    def epochs(self):
        return len(self.curves["epoch"])


def gather(runs, folder):
    """{run name: Kept} of what the file has and of the folders of these runs, whichever has more epochs; kept from now on."""
    os.makedirs(folder, exist_ok=True)
    kept = {}
    for group in dict.fromkeys(run.row.group for run in runs):
        of_group = [run for run in runs if run.row.group == group]
        path = os.path.join(folder, group + ".h5")
        found = load(path, of_group)
        for run in of_group:
            new = of_folder(run, runs)
            if new and new.epochs() >= (found[run.name].epochs() if run.name in found else 0):
                found[run.name] = new
        found = {run.name: found[run.name] for run in of_group if run.name in found}
        if found:
            set_aside(path, found, os.path.dirname(of_group[0].folder))
            save(path, found)
        kept |= found
    return kept


def set_aside(path, found, folder):
    """A file with more runs than these, of other settings or of a plan of before, goes to FOLDER/stale."""
    if not os.path.exists(path):
        return
    with h5py.File(path, "r") as file:
        lost = [f"{row}-{seed}" for row in file for seed in file[row] if seed != "settings" and f"{row}-{seed}" not in found]
    if lost:
        print(f"{', '.join(lost)}: not of the present plan and settings, now in {shutil.copy(path, stale(folder))}")


def of_folder(run, runs):
    curves, failure = run.curves(), run.failure()
    if not curves and not failure:
        return None
    curves = curves or {"epoch": numpy.zeros(0)}
    chosen = [name for name in CURVES if name in curves and name not in LEFT_OUT.get(run.row.group, ())]
    curves = {name: curves[name].astype(numpy.int32 if name in WHOLE else numpy.float32) for name in chosen}
    config = "".join(f"{key}: {value}\n" for key, value in settings.parse(run.config()).items())
    kept = Kept(run.row, run.seed, curves, numpy.nan, failure or "", moved(run, runs), config)
    summary = run.summary()
    if summary and summary["epochs"] == kept.epochs():
        kept.train_accuracy = summary["train_accuracy"]
    return kept


def moved(run, runs):
    """From the run that is this one's start."""
    start = next((other for other in runs if other.name == f"{run.row.start}-{run.seed}"), None)
    now, then = run.weights(), start.weights() if start else []
    return [numpy.linalg.norm(w - w0) / numpy.linalg.norm(w0) for w, w0 in zip(now, then)]


def load(path, runs):
    """{run name: Kept}: those made with their row's present settings."""
    if not os.path.exists(path):
        return {}
    found, same = {}, {}
    with h5py.File(path, "r") as file:
        for run in (r for r in runs if f"{r.row.name}/{r.seed}" in file):
            row = file[run.row.name]
            config = bytes(row["settings"][:]).decode()
            if run.row.name not in same:
                same[run.row.name] = settings.same(run.row, config)
            if same[run.row.name]:
                found[run.name] = of_file(run, row[str(run.seed)], config)
    return found


def of_file(run, data, config):
    table = data[:run.row.epochs]
    curves = {name: table[name] for name in table.dtype.names}
    return Kept(run.row, run.seed, curves, data.attrs["train_accuracy"], data.attrs["failure"].decode(), list(data.attrs["moved"]), config)


def table_of(curves, epochs):
    """A line for each epoch, a column for each curve."""
    table = numpy.empty(epochs, [(name, values.dtype, values.shape[1:]) for name, values in curves.items()])
    for name, values in curves.items():
        table[name] = values
    return table


def save(path, kept):
    """The file anew: equal bytes for equal runs."""
    with h5py.File(path + ".new", "w") as file:
        for of_run in kept.values():
            row = file.require_group(of_run.row.name)
            if "settings" not in row:
                row.create_dataset("settings", data=numpy.frombuffer(of_run.config.encode(), numpy.uint8))
            table = table_of(of_run.curves, of_run.epochs())
            packing = {"compression": 9, "shuffle": True} if table.nbytes > INDEX else {}
            data = row.create_dataset(str(of_run.seed), data=table, **packing)
            data.attrs.update(train_accuracy=of_run.train_accuracy, moved=numpy.array(of_run.moved),
                              failure=numpy.bytes_(of_run.failure.encode()))
    os.replace(path + ".new", path)
