"""The thesis's claims, each held against the runs: verdicts and numbers of results/README.md are made here."""
import numpy

import complexity
import experiments
from outcome import spread
from page import table

HOLDS, PARTLY, NOT, UNKNOWN = "holds", "in part", "does not hold", "not known yet"


def verdict(parts):
    parts = list(parts)
    return HOLDS if all(parts) else PARTLY if any(parts) else NOT


def accuracy(outcome):
    return 100 * outcome.last("test_accuracy").mean()


def accuracies(outcomes):
    return "test %: " + "; ".join(
        f"{o.row.title} {spread(100 * o.last('test_accuracy'))} at epoch {o.epochs}" for o in outcomes)


def all_right(online, search):
    right = [(o.last("test_accuracy") >= 1) & (o.train_accuracy() >= 1) for o in (online, search)]
    text = "; ".join(f"{o.row.title}: {r.sum()} of {o.seeds} seeds" for o, r in zip((online, search), right))
    return verdict(r.all() for r in right), text


def full_train(outcomes):
    first = [o.first_full_train() for o in outcomes]
    text = "; ".join(f"{o.row.title} {numpy.nanmedian(f):g} ({numpy.nanmax(f):g})" for o, f in zip(outcomes, first))
    return first, f"median (latest) epoch with all training samples right: {text}"


def early(*outcomes):
    first, text = full_train(outcomes)
    return verdict((f <= 76).all() for f in first), text


def ahead(*outcomes):
    (*first, descent), text = full_train(outcomes)
    return verdict(numpy.nanmedian(f) < numpy.nanmedian(descent) for f in first), text


def reaches(batch):
    return verdict([accuracy(batch) >= batch.row.thesis[1] - 0.2]), accuracies([batch])


def best(batch, *others):
    return verdict(accuracy(batch) >= accuracy(o) for o in others), accuracies([batch, *others])


def faster(mark):
    """Fewer epochs to `mark` % of the test samples."""
    def judge(*outcomes):
        first = [o.first_test(mark / 100).mean() for o in outcomes]  # nan where a seed does not get there
        text = "; ".join(f"{o.row.title} {'never' if numpy.isnan(f) else f'{f:.3g}'}" for o, f in zip(outcomes, first))
        sooner = [not numpy.isnan(first[0]) and not first[0] > f for f in first[1:]]
        return verdict(sooner), f"mean epochs to {mark} %: {text}"
    return judge


def powers(value):
    return "m^{:.2f} n^{:.2f}".format(*value)


def step_is_r(*balls):
    points = complexity.measured(balls)
    r, step = (complexity.exponents(points, column) for column in (2, 4))
    if r is None or step is None:
        return UNKNOWN, ""
    return verdict([abs(r - step).max() < 0.2]), f"step about {powers(step)}, r about {powers(r)}"


def steps_are_1_over_r(*balls):
    points = complexity.measured(balls)
    r, steps = (complexity.exponents(points, column) for column in (2, 5))
    if r is None or steps is None:
        return UNKNOWN, ""
    return verdict([(steps < 0.2 - r).all()]), f"steps to half the loss about {powers(steps)}, 1/r about {powers(-r)}"


def steps_at_most_m(*balls):
    points = complexity.measured(balls)
    steps = complexity.exponents(points, 5)
    if steps is None:
        return UNKNOWN, ""
    most = max(v[5] / v[0] for v in points if not numpy.isnan(v[5]))
    return verdict([steps[0] < 1.2]), f"at most {most:.2g} steps a sample, about m^{steps[0]:.2f}"


SOYBEAN = "soybean-online", "soybean-line-search"
MNIST, CIFAR = (tuple(f"{data}-{method}" for method in ("batch", "sgd", "dtp")) for data in ("mnist", "cifar10"))
BALLS = tuple(row.name for row in experiments.ball())
CLAIMS = [
    ("4.3", "Soybean: online and line search get all training and test samples right", SOYBEAN, all_right),
    ("4.3", "... both by epoch 76", SOYBEAN, early),
    ("4.3", "... both before gradient descent", (*SOYBEAN, "soybean-gd"), ahead),
    ("4.4", "MNIST: 98.06 % in 300 epochs", MNIST[:1], reaches),
    ("4.4", "... at least as much as SGD and DTP", MNIST, best),
    ("4.4", "... in fewer epochs than these", MNIST, faster(95)),
    ("4.5", "CIFAR-10: 44.00 % in 300 epochs", CIFAR[:1], reaches),
    ("4.5", "... more than SGD and DTP", CIFAR, best),
    ("4.5", "... in fewer epochs than these", CIFAR, faster(40)),
    ("3.5", "The mean step is r = (1 - 2^(-1/m))^(1/n): the more neurons, the longer", BALLS, step_is_r),
    ("3.5", "... the steps needed are O(1/r)", BALLS, steps_are_1_over_r),
    ("3.5", "... and O(m) at worst", BALLS, steps_at_most_m),
]


def claims(by_name):
    lines = []
    for section, claim, names, judge in CLAIMS:
        used = [by_name[name] for name in names if name in by_name]
        judged, evidence = judge(*used) if all(o.seeds for o in used) else (UNKNOWN, "")
        so_far = " so far" if judged != UNKNOWN and not all(o.whole for o in used) else ""
        lines.append([section, claim, f"**{judged}{so_far}**", evidence])
    return table(["", "the thesis says", "here", "measured"], lines)
