"""What the runs of a row reached, over its seeds."""
import os
import re

import h5py
import numpy


def epoch_seconds(curves):
    """Of the median epoch: pauses, and what else the machine did, only add to some."""
    return float(numpy.median(numpy.diff(curves["seconds"], prepend=0)))


class Outcome:
    """The runs of one row that have all epochs behind them; as long as there is none, those with at least one."""

    def __init__(self, runs):
        self.row = runs[0].row
        self.wanted = len(runs)
        self.failures = [run.failure() for run in runs if run.failure()]
        seen = [(run, run.curves()) for run in runs]
        begun = [(run, curves) for run, curves in seen if curves and len(curves["epoch"]) > 0]
        self.seen = [(run, curves) for run, curves in begun if len(curves["epoch"]) == self.row.epochs] or begun
        self.seeds = len(self.seen)
        self.epochs = min((len(curves["epoch"]) for _, curves in self.seen), default=0)
        self.whole = self.seeds == self.wanted and self.epochs == self.row.epochs

    def curve(self, name):
        """seeds x epochs that all of them have."""
        return numpy.array([curves[name][:self.epochs] for _, curves in self.seen])

    def last(self, name):
        """By seed, after the last epoch that all have."""
        return self.curve(name)[:, -1]

    def minutes(self):
        """By seed, if each epoch took as long as the median one."""
        return numpy.array([self.epochs * epoch_seconds(curves) / 60 for _, curves in self.seen])

    def train_accuracy(self):
        """By seed: of the whole training part where the run is over, else of its last epoch, batch by batch."""
        def of(run, curves):
            summary = run.summary()
            ended = summary and summary["epochs"] == self.epochs
            return summary["train_accuracy"] if ended else curves["train_accuracy"][self.epochs - 1]
        return numpy.array([of(run, curves) for run, curves in self.seen])

    def weights(self):
        """[W1, W2, ...] of the first seed, as its checkpoint has them; none before there is one."""
        path = os.path.join(self.seen[0][0].folder, "checkpoint.h5")
        if not os.path.exists(path):
            return []
        with h5py.File(path, "r") as file:
            arrays = file["arrays"]
            return [arrays[name][:] for name in sorted(n for n in arrays if re.fullmatch(r"W\d", n))]

    def first(self, reached):
        """By seed: the first epoch in which reached(curves) is true; nan where there is none."""
        def of(curves):
            at = numpy.flatnonzero(reached(curves))
            return curves["epoch"][at[0]] if len(at) else numpy.nan
        return numpy.array([of(curves) for _, curves in self.seen], float)

    def first_test(self, accuracy):
        return self.first(lambda c: c["test_accuracy"] >= accuracy - 1e-9)

    def first_full_train(self):
        return self.first(lambda c: c["train_accuracy"] >= 1)


def outcomes(runs):
    """{row name: Outcome}"""
    by_row = {}
    for run in runs:
        by_row.setdefault(run.row.name, []).append(run)
    return {name: Outcome(of_row) for name, of_row in by_row.items()}


def spread(values, form="{:.2f}"):
    """Mean (least to greatest)."""
    values = numpy.asarray(values, float)
    if not len(values) or numpy.isnan(values).any():
        return "-"
    low, mean, high = (form.format(v) for v in (values.min(), values.mean(), values.max()))
    return mean if low == high else f"{mean} ({low} to {high})"
