"""The thesis's claims, each held against the runs: the verdicts and numbers of results/README.md are made here."""
import numpy

import complexity
from outcome import spread
from page import table

HOLDS, PARTLY, NOT, UNKNOWN = "holds", "in part", "does not hold", "not known yet"


def seeds_mean(outcome, column):
    return 100 * outcome.last(column).mean()


def say(outcome, column="test_accuracy"):
    """`adaptive, batch: 97.1 % (300 epochs)`"""
    cut = "" if outcome.whole else f", {outcome.seeds} of {outcome.wanted} seeds"
    return f"{outcome.row.title} {spread(100 * outcome.last(column))} % ({outcome.epochs} epochs{cut})"


def seen(by_name, *names):
    found = [by_name.get(name) for name in names]
    return found if all(o and o.seeds for o in found) else None


def soybean_accuracy(by_name):
    found = seen(by_name, "soybean-online", "soybean-line-search")
    if not found:
        return UNKNOWN, ""
    right = [(o.last("test_accuracy") >= 1) & (o.train_accuracy() >= 1) for o in found]
    verdict = HOLDS if all(r.all() for r in right) else PARTLY if all(r.mean() > 0.5 for r in right) else NOT
    return verdict, "; ".join(f"{o.row.title}: {r.sum()} of {o.seeds} seeds" for o, r in zip(found, right))


def soybean_speed(by_name):
    found = seen(by_name, "soybean-online", "soybean-line-search", "soybean-gd")
    if not found:
        return UNKNOWN, ""
    first = [o.first_full_train() for o in found]
    by_76 = all((f <= 76).all() for f in first[:2])
    ahead = [numpy.nanmedian(f) < numpy.nanmedian(first[2]) for f in first[:2]]
    verdict = HOLDS if by_76 and all(ahead) else PARTLY if by_76 or any(ahead) else NOT
    text = "; ".join(f"{o.row.title}: median {numpy.nanmedian(f):g}, {numpy.isfinite(f).sum()} of {o.seeds} seeds, latest "
                     f"{numpy.nanmax(f):g}" for o, f in zip(found, first))
    return verdict, "first epoch with all training samples right: " + text


def best_of(data):
    def claim(by_name):
        found = seen(by_name, f"{data}-batch", f"{data}-sgd", f"{data}-dtp")
        if not found:
            return UNKNOWN, ""
        batch, *others = found
        mean = seeds_mean(batch, "test_accuracy")
        behind = [mean < seeds_mean(o, "test_accuracy") for o in others]
        text = "; ".join(map(say, found)) + f"; the thesis: {batch.row.thesis[1]:g} %"
        if not all(o.whole for o in found) and any(behind):
            return (NOT if all(behind) else PARTLY) + " so far", text
        return (NOT if all(behind) else PARTLY if any(behind) else HOLDS), text
    return claim


def reaches(data):
    def claim(by_name):
        found = seen(by_name, f"{data}-batch")
        if not found:
            return UNKNOWN, ""
        batch = found[0]
        there = seeds_mean(batch, "test_accuracy") >= batch.row.thesis[1] - 0.2
        return (HOLDS if there else NOT if batch.whole else NOT + " so far"), say(batch)
    return claim


def faster(data, mark):
    """Fewer epochs to `mark` (a fraction of the test samples) than SGD and DTP."""
    def claim(by_name):
        found = seen(by_name, f"{data}-batch", f"{data}-sgd", f"{data}-dtp")
        if not found:
            return UNKNOWN, ""
        first = [o.first_test(mark) for o in found]
        mean = [f.mean() for f in first]  # nan where a seed does not get there
        text = "; ".join(f"{o.row.title}: {'not' if numpy.isnan(m) else f'{m:.3g}'}" for o, m in zip(found, mean))
        ahead = [not numpy.isnan(mean[0]) and not mean[0] > m for m in mean[1:]]
        return (HOLDS if all(ahead) else PARTLY if any(ahead) else NOT), f"mean epochs to {100 * mark:g} %: {text}"
    return claim


def complexity_claim(by_name):
    points = complexity.measured([o for o in by_name.values() if o.row.group == "ball"])
    found = [complexity.exponents(points, column) for column in (2, 4)]
    correlated = complexity.correlation(points, 2, 4)
    if correlated is None or any(f is None for f in found):
        return UNKNOWN, ""
    text = (f"step about m^{found[1][0]:.2f} n^{found[1][1]:.2f}, where r has m^{found[0][0]:.2f} n^{found[0][1]:.2f}; rank "
            f"correlation with r {correlated:.2f}")
    near = abs(found[0] - found[1]).max()
    return (HOLDS if near < 0.2 else NOT), text


CLAIMS = [
    ("4.3", "Soybean: online and line search get all training and test samples right", soybean_accuracy),
    ("4.3", "... both by epoch 76, and earlier than gradient descent", soybean_speed),
    ("4.4", "MNIST: 98.06 % in 300 epochs", reaches("mnist")),
    ("4.4", "... more than SGD and DTP", best_of("mnist")),
    ("4.4", "... in fewer epochs than these", faster("mnist", 0.95)),
    ("4.5", "CIFAR-10: 44.00 % in 300 epochs", reaches("cifar10")),
    ("4.5", "... more than SGD and DTP", best_of("cifar10")),
    ("4.5", "... in fewer epochs, most of all at first", faster("cifar10", 0.40)),
    ("3.5", "The mean step is r = (1 - 2^(-1/m))^(1/n): more neurons, longer steps", complexity_claim),
]


def claims(by_name):
    lines = []
    for section, claim, judge in CLAIMS:
        verdict, evidence = judge(by_name)
        lines.append([section, claim, f"**{verdict}**", evidence])
    return table(["", "the thesis says", "here", "measured"], lines)
