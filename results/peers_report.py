#!/usr/bin/python3
"""Write peers.md and small-samples.md, each if peers_runs.py made any runs for it.   usage: peers_report.py FOLDER [OUT]"""
import glob
import os
import re
import statistics
import sys

import peers_runs as plan

MISSING = "-"


def read_runs(folder, name):
    """The runs of a method, one for each seed: (line on the run, lines of the epochs)."""
    paths = sorted(glob.glob(os.path.join(folder, f"{name}-*.jsonl")))
    return [plan.read_run(path) for path in paths if re.fullmatch(r"-\d+", os.path.basename(path)[len(name):-6])]


def spread(seeds, runs, reached, form="{:.2f}"):
    """Test accuracy in % at the last epoch for which reached(epoch) holds: mean, and the lowest and highest seed."""
    values = []
    for head, epochs in runs:
        before = [epoch for epoch in epochs if reached(epoch)]
        if before and not (head["diverged"] and before[-1] is epochs[-1]):
            values.append(100 * before[-1]["test_accuracy"])
    if not values:
        return "diverged" if any(head["diverged"] for head, _ in runs) else "no epoch yet" if runs else MISSING
    text = form.format(statistics.mean(values))
    if len(values) > 1:
        text += f" ({form.format(min(values))} to {form.format(max(values))})"
    return text + among(seeds, values)


def among(seeds, values):
    return "" if len(values) == seeds else f", {len(values)} of {seeds} seeds"


def first(runs, key, goal):
    """The first epoch of each run at which `key` is at least `goal`."""
    hits = (next((e for e in epochs if e[key] is not None and e[key] >= goal), None) for _, epochs in runs)
    return [hit for hit in hits if hit]


def means(seeds, runs, key, goal, **forms):
    """The means of the given figures at the first epoch that reaches the goal."""
    hits = first(runs, key, goal)
    if not hits:
        return "never" if runs else MISSING
    text = " / ".join(form.format(statistics.mean(hit[name] for hit in hits)) for name, form in forms.items())
    return text + among(seeds, hits)


def epoch_seconds(runs):
    """The median, since other work on the machine only adds."""
    steps = [b["seconds"] - a["seconds"] for _, epochs in runs for a, b in zip([{"seconds": 0}, *epochs], epochs)]
    return f"{statistics.median(steps):.2f}" if steps else MISSING


def full_row(name, runs, study, stages, times):
    method = plan.METHODS[name]
    seeds = len(runs)
    goals = (means(seeds, runs, "test_accuracy", goal, epoch="{:.3g}", seconds="{:.1f}", since_start="{:.1f}")
             for goal in study.goals)
    return [method.program, method.title, runs[0][0]["tuned"] if runs else MISSING,
            str(seeds) + ("" if seeds == study.seeds else f" of {study.seeds}"), epoch_seconds(runs),
            *(spread(seeds, runs, lambda epoch, n=n: epoch["epoch"] == n) for n in stages),
            *(spread(seeds, runs, lambda epoch, t=t: epoch["seconds"] <= t) for t in times), *goals]


def full_table(folder, study):
    runs = {name: read_runs(folder, name) for name in plan.FULL_METHODS}
    whole = [epochs[-1]["seconds"] for group in runs.values() for head, epochs in group if not head["diverged"]]
    budget = min(whole, default=0)
    stages, times = sorted({min(5, study.epochs), study.epochs}), [budget / 4, budget]
    header = ["program", "method", "tuned", "seeds", "s/epoch", *(f"epoch {n}" for n in stages), *(f"{t:.1f} s" for t in times),
              *(f"to {100 * goal:g} %: epochs / s / s from start" for goal in study.goals)]
    return table(header, [full_row(name, group, study, stages, times) for name, group in runs.items()])


def table(header, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]) + "\n"


def small_table(folder, cell):
    """A row for each method, a column for each study."""
    rows = [[plan.METHODS[name].program, plan.METHODS[name].title,
             *(cell(study, read_runs(os.path.join(folder, data), name)) for data, study in plan.SMALL.items())]
            for name in plan.SMALL_METHODS]
    return table(["program", "method", *(study.title for study in plan.SMALL.values())], rows)


def last_accuracy(study, runs):
    return spread(study.seeds, runs, lambda epoch: epoch["epoch"] == study.epochs, "{:.1f}")


def steps_to_full(study, runs):
    return means(study.seeds, runs, "train_accuracy", 1, steps="{:.0f}")


PEERS = """# Optimisers of PyTorch, with and without a learning rate

Written by `results/peers.sh` (`make peers`). Test accuracy in %, mean of the seeds (lowest to highest); batches of 500, and
for every method the same preprocessed data and network. PyTorch and ours by turns on the same cores. Seconds are of
training alone; *from start*: since the process was started, with reading and evaluation. Accuracies are compared at the time
that the fastest run took, and at a quarter of it. *Tuned*: constants chosen for this data set; rates by the last test
accuracy of seed 1. `results/peers_optim.py` has the equations and constants.

{machines}
"""
SMALL = """# Few samples of many dimensions

Written by `results/peers.sh` (`make peers`): the first 100, 300 and 1000 training samples, the whole test set, the networks of
`configs/`, batches of at most 500 samples. Soybean has 40 training and 7 test samples, split by the seed. SGD's rate is the
best of {rates} by the test accuracy of seed 1, for each column. Epochs (seeds): {lengths}.
"""


def machines(folder):
    """Where the runs were made, a paragraph each."""
    paths = [path for study in plan.FULL for path in glob.glob(os.path.join(folder, study, "*.jsonl"))]
    return "\n\n".join(sorted({plan.read_run(path)[0]["machine"] for path in paths}))


def peers_page(folder):
    parts = [PEERS.format(machines=machines(folder))]
    for name, study in plan.FULL.items():
        parts += [f"## {study.title}\n", full_table(os.path.join(folder, name), study)]
    return "\n".join(parts)


def small_page(folder):
    lengths = ", ".join(f"{study.title}: {study.epochs} ({study.seeds})" for study in plan.SMALL.values())
    head = SMALL.format(rates=", ".join(map(str, plan.RATES)), lengths=lengths)
    return "\n".join([head, "## Test accuracy in %, mean (lowest to highest)\n", small_table(folder, last_accuracy),
                      "## Steps until all training samples are right\n", small_table(folder, steps_to_full)])


def main(folder, out="results"):
    for name, page, studies in ("peers.md", peers_page, plan.FULL), ("small-samples.md", small_page, plan.SMALL):
        if any(glob.glob(os.path.join(folder, study, "*.jsonl")) for study in studies):
            text, path = page(folder), os.path.join(out, name)
            with open(path + ".new", "w") as file:
                file.write(text)
            os.replace(path + ".new", path)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
