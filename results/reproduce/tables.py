"""The tables of results/README.md."""
import csv

import numpy

from outcome import epoch_seconds, spread
from page import table


def reached(outcome):
    """Seeds and epochs, with what was wanted where it is more."""
    seeds = str(outcome.seeds) if outcome.seeds == outcome.wanted else f"{outcome.seeds} of {outcome.wanted}"
    epochs = str(outcome.epochs) if outcome.epochs == outcome.row.epochs else f"{outcome.epochs} of {outcome.row.epochs}"
    return seeds, epochs


def figure(value):
    return "-" if value is None else f"{value:g}"


def full_train(outcome):
    first = outcome.first_full_train()
    there = numpy.sort(first[numpy.isfinite(first)])
    if not len(there):
        return "-"
    some = "" if len(there) == len(first) else f", {len(there)} of {len(first)} seeds"
    return f"{numpy.median(there):g} ({there[-1]:.0f}){some}"


def thesis(outcomes):
    """Tables 4-2 to 4-4: rows of one data set."""
    head = ["method", "thesis: training, test %", "ours: training %", "test %", "seeds", "epochs", "steps", "minutes",
            "100 % of training by epoch: median (latest)", "tuned"]
    lines = []
    for outcome in outcomes:
        row = outcome.row
        printed = ", ".join(map(figure, row.thesis)) or "-"
        if not outcome.seeds:
            ours = ["diverged" if outcome.failures else "missing", "", f"0 of {outcome.wanted}", "", "", "", ""]
        else:
            ours = [spread(100 * outcome.train_accuracy()), spread(100 * outcome.last("test_accuracy")), *reached(outcome),
                    f"{outcome.last('steps')[0]:.0f}", spread(outcome.minutes(), "{:.2g}"), full_train(outcome)]
        lines.append([row.title, printed, *ours, row.tuned])
    return table(head, lines)


# ---- what the recommended settings must reach ----

def final(outcome):
    return 100 * outcome.last("test_accuracy")


def to_98(outcome):
    return outcome.first_test(0.98)


def to_full(outcome):
    return outcome.first_full_train()


# What is measured, thesis, PyTorch's Adam (1e-3), published, {row: (must, aim)}; higher is better for accuracies only.
GOALS = [
    ("soybean: test %", final, "100", "-", "-", {"soybean-without": (100, 100), "soybean-with": (100, 100)}),
    ("soybean: epochs to 100 % of training", to_full, "76", "-", "-", {"soybean-without": (10, 5), "soybean-with": (6, 3)}),
    ("MNIST: test %", final, "98.06", "98.1 (20 epochs)", "98.17 (DTP, 5x256)",
     {"mnist-without": (98.1, 98.5), "mnist-with": (98.4, 98.8)}),
    ("MNIST: epochs to 98.0 %", to_98, "-", "15 to 20", "-", {"mnist-without": (15, 5), "mnist-with": (4, 2)}),
    ("Fashion-MNIST: test %", final, "-", "89.2", "88.58 (CCL)",
     {"fashion-mnist-without": (89.0, 90.5), "fashion-mnist-with": (90.0, 91.0)}),
    ("CIFAR-10, 3x500: test %", final, "44.00", "55.2", "-", {"cifar10-without": (52, 57), "cifar10-with": (55, 60)}),
    ("CIFAR-10, 3x1000: test %", final, "-", "-", "57.68 (DTP, 3x1024)",
     {"cifar10-wide-without": (54, 59), "cifar10-wide-with": (57, 62)}),
]


def judged(outcome, measure, must, aim):
    """Mean (least to greatest) of the seeds, and whether it is what it must be; of runs under way, what they have so far."""
    if not outcome.seeds:
        return "missing"
    values, form = measure(outcome), "{:.2f}" if measure is final else "{:.3g}"
    missed = "**not met**" if outcome.whole else "not yet met"
    note = f" at epoch {outcome.epochs}" if measure is final or not outcome.whole else ""
    note += "" if outcome.whole else f", {reached(outcome)[0]} seeds"
    if numpy.isnan(values).any():
        return f"not reached by {numpy.isnan(values).sum()} of {len(values)}{note}: {missed}"
    short_of = [sign * (goal - values.mean()) > 0 for sign in [1 if measure is final else -1] for goal in (must, aim)]
    return f"{spread(values, form)}{note}: {missed if short_of[0] else 'met' if short_of[1] else 'aim met'}"


def goals(by_name):
    head = ["", "thesis, 300 epochs", "PyTorch Adam", "published", "without weight transport: must / aim", "ours",
            "with: must / aim", "ours"]
    lines = []
    for what, measure, printed, adam, published, rows in GOALS:
        cells = [what, printed, adam, published]
        for name, (must, aim) in rows.items():
            cells += [f"{must:g} / {aim:g}", judged(by_name[name], measure, must, aim)]
        lines.append(cells)
    return table(head, lines)


COMPARED = [
    ("MNIST, 50,000 training samples", "mnist", "784-500-500-500-10"),
    ("Fashion-MNIST", "fashion-mnist", "784-500-500-500-10"),
    ("CIFAR-10", "cifar10", "3072-500-500-500-10"),
    ("CIFAR-10", "cifar10-wide", "3072-1000-1000-1000-10"),
    ("soybean, 40 training, 7 test samples", "soybean", "35-100-100-4"),
]


def few(outcome):
    return "" if outcome.seeds == outcome.wanted else f", {reached(outcome)[0]} seeds"


def compare(by_name):
    """For the project's own README: both recommended settings, test accuracy after the last epoch."""
    lines = []
    for data, name, network in COMPARED:
        pair = [by_name[f"{name}-{setting}"] for setting in ("without", "with")]
        cells = [f"{spread(final(o), '{:.1f}')} after {o.epochs}{few(o)}" if o.seeds else "missing" for o in pair]
        if any(o.seeds for o in pair):
            lines.append([data, network, *cells])
    head = ["data", "network", "no weight transport: test % after epochs", "transposed weights"]
    return table(head, lines) if lines else "The runs are not made yet."


# ---- what was tried for the rates ----

def tuning(outcomes):
    """A line for each method: test accuracy (and, where it is equal, training loss) decide."""
    lines = []
    for method in dict.fromkeys(o.row.key[:2] for o in outcomes):
        cells = []
        for outcome in (o for o in outcomes if o.row.key[:2] == method):
            value = "diverged" if outcome.failures else "missing"
            if outcome.seeds and not outcome.failures:
                value = f"{100 * outcome.last('test_accuracy')[0]:.2f} ({outcome.last('train_loss')[0]:.2g})"
            cells.append(f"{outcome.row.key[2]:g}: {value}")
        name, form = method
        lines.append([name + (", as printed (2.3.1)" if form else ""), "; ".join(cells)])
    return table(["run", "rate: test % (training loss)"], lines)


# ---- all figures ----

COLUMNS = "train_loss", "train_accuracy", "test_loss", "test_accuracy"


def write_runs(outcomes, path):
    """A line for each run."""
    with open(path, "w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["run", "seed", "epochs", "steps", "epoch_seconds", *COLUMNS, "best_test_accuracy"])
        for outcome in outcomes:
            for run in outcome.seen:
                curves = run.curves
                values = [curves[c][-1] if c in curves else numpy.nan for c in COLUMNS]
                best = numpy.max(curves.get("test_accuracy", numpy.nan))
                lines.writerow([run.row.name, run.seed, run.epochs(), curves["steps"][-1], f"{epoch_seconds(curves):.4g}",
                                *("" if numpy.isnan(v) else f"{v:.6g}" for v in (*values, best))])
