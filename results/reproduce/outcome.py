"""What the runs of a row reached, over its seeds."""
import numpy


def epoch_seconds(curves):
    """Of the median epoch: pauses, and what else the machine did, only add to some."""
    return float(numpy.median(numpy.diff(curves["seconds"], prepend=0)))


class Outcome:
    """The runs of one row that have all epochs behind them; as long as there is none, those with at least one."""

    def __init__(self, row, kept):
        self.row = row
        self.wanted = row.seeds
        self.failures = [run.failure for run in kept if run.failure]
        begun = [run for run in kept if run.epochs() > 0]
        self.seen = [run for run in begun if run.epochs() == row.epochs] or begun
        self.seeds = len(self.seen)
        self.epochs = min((run.epochs() for run in self.seen), default=0)
        self.whole = self.seeds == self.wanted and self.epochs == self.row.epochs

    def curve(self, name):
        """seeds x epochs that all of them have."""
        return numpy.array([run.curves[name][:self.epochs] for run in self.seen])

    def last(self, name):
        """By seed, after the last epoch that all have."""
        return self.curve(name)[:, -1]

    def minutes(self):
        """By seed, if each epoch took as long as the median one."""
        return numpy.array([self.epochs * epoch_seconds(run.curves) / 60 for run in self.seen])

    def train_accuracy(self):
        """By seed: of the whole training part where the run is over, else of its last epoch, batch by batch."""
        def of(run):
            ended = run.epochs() == self.epochs and not numpy.isnan(run.train_accuracy)
            return run.train_accuracy if ended else run.curves["train_accuracy"][self.epochs - 1]
        return numpy.array([of(run) for run in self.seen])

    def first(self, reached):
        """By seed: the first epoch in which reached(curves) is true; nan where there is none."""
        def of(curves):
            at = numpy.flatnonzero(reached(curves))
            return curves["epoch"][at[0]] if len(at) else numpy.nan
        return numpy.array([of(run.curves) for run in self.seen], float)

    def first_test(self, accuracy):
        return self.first(lambda c: c["test_accuracy"] >= accuracy - 1e-6)

    def first_full_train(self):
        return self.first(lambda c: c["train_accuracy"] >= 1)


def outcomes(rows, kept):
    """{row name: Outcome} of what is kept of their runs."""
    return {row.name: Outcome(row, [run for run in kept if run.row.name == row.name]) for row in rows}


def spread(values, form="{:.2f}"):
    """Mean (least to greatest)."""
    values = numpy.asarray(values, float)
    if not len(values) or numpy.isnan(values).any():
        return "-"
    low, mean, high = (form.format(v) for v in (values.min(), values.mean(), values.max()))
    return mean if low == high else f"{mean} ({low} to {high})"
