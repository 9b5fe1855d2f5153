"""What `make reproduce` runs: a row for each setting, each trained with several seeds.

The settings are in the files of configs; a row adds what is special to it.  To run something else too, add a row."""
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Row:
    name: str           # its run folders are NAME-SEED
    group: str          # the table and plot that it belongs to
    title: str
    config: str         # in configs
    settings: dict = field(default_factory=dict)
    seeds: int = 3
    epochs: int = 300
    cost: float = 1     # seconds an epoch on one idle core, roughly; measured speeds replace it
    thesis: tuple = ()  # its accuracy on training and test part in %, None where it gives none
    tuned: str = "nothing"
    key: tuple = ()     # what the row stands for in a plot of many rows
    data: str = ""      # a generated set, of generated.py
    start: str = ""     # a row that has its weights at the start


# Tables 4-2 to 4-4, figures 4-6 to 4-11.
THESIS = [
    Row("soybean-gd", "soybean", "gradient descent", "thesis/soybean-gd.yaml", seeds=10, cost=0.01,
        thesis=(100, 100), tuned="its rate"),
    Row("soybean-dtp", "soybean", "DTP", "thesis/soybean-dtp.yaml", seeds=10, cost=0.01,
        thesis=(97, 85.71), tuned="its rate"),
    Row("soybean-online", "soybean", "adaptive, online", "thesis/soybean-online.yaml", seeds=10, cost=0.01,
        thesis=(100, 100)),
    Row("soybean-line-search", "soybean", "adaptive, line search", "thesis/soybean-line-search.yaml", seeds=10, cost=0.01,
        thesis=(100, 100)),
    Row("mnist-sgd", "mnist", "SGD", "thesis/mnist-sgd.yaml", cost=4.5, thesis=(100, 97.97), tuned="its rate"),
    Row("mnist-dtp", "mnist", "DTP", "thesis/mnist-dtp.yaml", cost=9, thesis=(None, 97.97), tuned="its rate"),
    Row("mnist-batch", "mnist", "adaptive, batch", "thesis/mnist-batch.yaml", cost=9, thesis=(100, 98.06),
        start="reading-mnist-start"),
    Row("cifar10-sgd", "cifar10", "SGD", "thesis/cifar10-sgd.yaml", cost=9, thesis=(50.44, 40.87), tuned="its rate"),
    Row("cifar10-dtp", "cifar10", "DTP", "thesis/cifar10-dtp.yaml", cost=14, thesis=(50.25, 40.56), tuned="its rate"),
    Row("cifar10-batch", "cifar10", "adaptive, batch", "thesis/cifar10-batch.yaml", cost=17, thesis=(53.75, 44.00),
        start="reading-cifar10-start"),
]

# The recommended settings, which are the defaults: the same for every data set.
WITHOUT, WITH = "recommended, no weight transport", "recommended, transposed weights"
TRANSPOSE = {"inverse.kind": "transpose"}


def recommended():
    """Group, configuration, settings, seeds, epochs, seconds an epoch without and with weight transport."""
    for group, config, settings, seeds, epochs, cost in (
            ("soybean", "soybean.yaml", {}, 10, 30, (0.01, 0.01)),
            ("mnist", "mnist.yaml", {}, 3, 20, (9, 7)),
            ("fashion-mnist", "fashion-mnist.yaml", {}, 3, 20, (11, 9)),
            ("cifar10", "cifar10.yaml", {}, 3, 20, (20, 17)),
            ("cifar10-wide", "cifar10.yaml", {"network": "1000,1000,1000"}, 3, 10, (50, 40))):
        for kind, title, own, seconds in zip(("without", "with"), (WITHOUT, WITH), ({}, TRANSPOSE), cost):
            yield Row(f"{group}-{kind}", group, title, config, {**settings, **own}, seeds, epochs, seconds)


# What was tried for the methods that need a rate: (row, what else is set, rates); of images a part of the training samples.
PART = {"data.train_samples": 10000}
PRINTED = {"target.layer": "output", "alpha": 1, "update": "sgd"}  # DTP as the thesis prints it (2.3.1)
TUNING = [
    ("soybean-gd", {}, (0.03, 0.1, 0.3, 1, 3)),
    ("soybean-dtp", {}, (0.003, 0.01, 0.03, 0.1)),
    ("soybean-dtp", PRINTED, (0.01, 0.03, 0.1, 0.3)),
    ("mnist-sgd", {}, (0.1, 0.3, 1, 3)),
    ("mnist-dtp", {}, (0.0003, 0.001, 0.003, 0.01)),
    ("mnist-dtp", PRINTED, (0.01, 0.03, 0.1)),
    ("cifar10-sgd", {}, (0.01, 0.03, 0.1, 0.3)),
    ("cifar10-dtp", {}, (0.0001, 0.0003, 0.001)),
    ("cifar10-dtp", PRINTED, (0.001, 0.003, 0.01)),
]


def tuning():
    row_of = {row.name: row for row in THESIS}
    for name, others, rates in TUNING:
        row, form = row_of[name], "-printed" if others else ""
        part = {} if row.group == "soybean" else dict(epochs=10, cost=row.cost / 5)
        for rate in rates:
            yield replace(row, name=f"tune-{name}{form}-{rate}", group="tuning", seeds=1, thesis=(), key=(name, form, rate),
                          settings={"learning_rate": rate, **others, **(PART if part else {})}, **part)


# Readings of the thesis's text: each changes one thing of the file in configs/thesis, the last ones several.
OPT, NEURON, CENTRED = {"rate.rule": "opt"}, {"rate.scope": "neuron"}, {"direction": "centred"}
READINGS = {
    "as written": {},
    "rate: rho_opt alone (3-15)": OPT,
    "rate: rho_online alone (3-18)": {"rate.rule": "online"},
    "rate: line search (3.4)": {"variant": "line-search", "rate.rule": "opt"},
    "rate: each neuron its own": NEURON,
    "target: alpha 10": {"alpha": 10},
    "target: alpha 0.1": {"alpha": 0.1},
    "target: gated": {"gate": "yes"},
    "inverse: 5 steps a batch": {"inverse.steps": 5},
    "inverse: starts anywhere": {"init.inverse": "orthogonal"},
    "weights: start normal (He)": {"init.forward": "he"},
    "inputs: from 0 to 1": {"preprocess": "scale"},
    "direction: centred": CENTRED,
    "rho_opt, each neuron": {**OPT, **NEURON},
    "rho_opt, each neuron, centred": {**OPT, **NEURON, **CENTRED},
    "rho_opt, each neuron, centred, gated": {**OPT, **NEURON, **CENTRED, "gate": "yes"},
}


def readings():
    """The last one of a data set is the start of the others: a single step, which hardly moves the weights."""
    for data, cost in ("mnist", 1.8), ("cifar10", 3.5):
        for number, (title, settings) in enumerate(READINGS.items()):
            yield Row(f"reading-{data}-{number}", f"readings-{data}", title, f"thesis/{data}-batch.yaml",
                      {**PART, **settings}, seeds=1, epochs=10, cost=cost,
                      start="" if "init.forward" in settings else f"reading-{data}-start")
        yield Row(f"reading-{data}-start", f"start-{data}", "start", f"thesis/{data}-batch.yaml",
                  {"data.train_samples": 500}, seeds=1, epochs=1, cost=cost)


# Step sizes against samples (batch) and neurons (width) in the thesis's reading, over 40 steps on MNIST.
SCALING = [(batch, 300) for batch in (10, 30, 100, 300, 1000)] + [(300, width) for width in (30, 100, 1000)]


def scaling():
    for batch, width in SCALING:
        yield Row(f"scaling-{batch}-{width}", "scaling", "MNIST", "thesis/mnist-batch.yaml",
                  {"batch": batch, "network": f"{width},{width},{width}", "data.train_samples": 40 * batch},
                  seeds=1, epochs=1, cost=1 + 5e-6 * batch * width, key=(batch, width))


# The same, and the steps to a loss, for samples uniform in the unit ball (3.5); the whole set in each step.
def ball():
    for samples in 10, 30, 100, 300, 1000:
        for dimensions in 4, 16, 64, 256:
            yield Row(f"ball-{samples}-{dimensions}", "ball", "unit ball", "thesis/soybean-online.yaml",
                      {"data.name": "file", "preprocess": "none", "network": f"{dimensions},{dimensions}"},
                      epochs=300 if samples < 100 else 1000, cost=0.005 + 1e-10 * samples * dimensions**2,
                      key=(samples, dimensions), data="ball")


def rows(quick=False):
    whole = [*THESIS, *recommended(), *tuning(), *readings(), *scaling(), *ball()]
    return [small(row) for row in whole if not left_out(row)] if quick else whole


def left_out(row):
    """Of the quick version: what differs from others in size alone and takes time for it, or in data alone."""
    return (row.group == "ball" and max(row.key) > 100 or row.group == "scaling" and max(row.key) > 300
            or row.group == "readings-cifar10" and row.title not in list(READINGS)[:3])


def small(row):
    """The row in small, to see that all works: few epochs, seeds, samples, neurons."""
    settings = dict(row.settings)
    if row.group == "scaling":
        settings |= {"data.train_samples": 4 * row.key[0]}
    elif row.cost > 0.1:
        settings |= {"data.train_samples": 500, "batch": 100, "network": "50,50,50"}
    if row.config == "cifar10.yaml":
        settings |= {"direction": "centred"}  # whitening 3072 inputs takes seconds
    return replace(row, settings=settings, seeds=min(row.seeds, 2 if row.group in ("soybean", "mnist") else 1),
                   epochs=min(row.epochs, 3 if row.cost > 0.1 else 20), cost=0.1)
