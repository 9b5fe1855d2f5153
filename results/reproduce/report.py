"""Write the results of a folder of runs: figures, runs.csv and the made parts of README.md."""
import glob
import os
import re

import claims
import complexity
import figures
import page
import readings
import tables
from outcome import outcomes

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "README.md")
FRONT = os.path.join(os.path.dirname(os.path.dirname(PAGE)), "README.md")
TITLES = {"soybean": "Soybean", "mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "cifar10": "CIFAR-10",
          "cifar10-wide": "CIFAR-10, 3x1000"}

COURSE = "soybean-online", "soybean-line-search", "mnist-batch", "cifar10-batch"  # as the thesis writes it


def write(runs, out, quick):
    by_name = outcomes(runs)

    def group(name):
        return [o for o in by_name.values() if o.row.group == name]

    os.makedirs(out, exist_ok=True)
    ball = complexity.measured(group("ball"))
    tables.write_runs(by_name.values(), os.path.join(out, "runs.csv"))
    draw(os.path.join(out, "figures"), group, ball)
    page.fill(PAGE, os.path.join(out, "README.md"), parts(by_name, group, ball, quick))
    if os.path.realpath(out) == os.path.dirname(PAGE) and not quick:
        page.fill(FRONT, FRONT, {"compare": tables.compare(by_name)})


def draw(folder, group, ball):
    for name, title in TITLES.items():
        for kind in "accuracy", "loss":
            figures.curves(folder, name, title, group(name), kind)
    for data in "mnist", "cifar10":
        readings.readings_plot(folder, f"readings-{data}", group(f"readings-{data}"))
    readings.scaling_plot(folder, group("scaling"))
    complexity.plot(folder, ball)


def parts(by_name, group, ball, quick):
    """{place: text} for page.fill."""
    return {
        "state": state(by_name, quick),
        "claims": claims.claims(by_name),
        "goals": tables.goals(by_name),
        "table-4-2": tables.thesis(group("soybean")),
        "table-4-3": tables.thesis(group("mnist")),
        "table-4-4": tables.thesis(group("cifar10")),
        "others": tables.thesis(group("fashion-mnist") + group("cifar10-wide")),
        "tuning": tables.tuning(group("tuning")),
        "readings-mnist": readings.readings_table(group("readings-mnist"), "98.06"),
        "readings-cifar10": readings.readings_table(group("readings-cifar10"), "44.00"),
        "course": readings.course_table([by_name[name] for name in COURSE]),
        "scaling": readings.scaling_table(group("scaling")),
        "peers": peers(),
        "complexity": complexity.ball_table(ball) + "\n\n" + complexity.verdict(ball),
    }


def peers():
    """Links to the pages about other methods, with their titles."""
    folder = os.path.dirname(PAGE)
    lines = []
    for path in sorted(glob.glob(os.path.join(folder, "peers*.md"))):
        with open(path) as file:
            title = re.match(r"# (.*)", file.readline())
        lines.append(f"- [{title[1] if title else os.path.basename(path)}]({os.path.basename(path)})")
    return "\n".join(lines) or "None yet."


def state(by_name, quick):
    wanted = sum(o.wanted for o in by_name.values())
    done = sum(o.seeds for o in by_name.values() if o.epochs == o.row.epochs)
    text = f"{done} of {wanted} runs have all their epochs; what is missing is shown so."
    return ("**`QUICK=1`: small runs on generated data, to see that all works. The figures mean nothing.**\n\n" if quick
            else "") + text
