"""Write the results of runs: their curves, figures, runs.csv and the made parts of README.md."""
import glob
import os
import re

import archive
import claims
import complexity
import figures
import page
import readings
import tables
from outcome import outcomes

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "README.md")
FRONT = os.path.join(os.path.dirname(os.path.dirname(PAGE)), "README.md")
GROUPS = {  # title, and the lowest accuracy that its plots show
    "soybean": ("Soybean", 20), "mnist": ("MNIST", 85), "fashion-mnist": ("Fashion-MNIST", 75), "cifar10": ("CIFAR-10", 15),
    "cifar10-wide": ("CIFAR-10, 3x1000", 15)}
COURSE = "soybean-online", "soybean-line-search", "mnist-batch", "cifar10-batch"  # as the thesis writes it


def write(runs, out, quick):
    rows = {run.row.name: run.row for run in runs}.values()
    by_name = outcomes(rows, archive.gather(runs, os.path.join(out, "curves")).values())

    def group(name):
        return [o for o in by_name.values() if o.row.group == name]

    ball = complexity.measured(group("ball"))
    tables.write_runs(by_name.values(), os.path.join(out, "runs.csv"))
    draw(os.path.join(out, "figures"), group, ball)
    page.fill(PAGE, os.path.join(out, "README.md"), parts(by_name, group, ball, quick))
    if os.path.realpath(out) == os.path.dirname(PAGE) and not quick:
        page.fill(FRONT, FRONT, {"compare": tables.compare(by_name)})


def draw(folder, group, ball):
    """What there are runs for."""
    for name, (title, lowest) in GROUPS.items():
        if anything(group(name)):
            figures.curves(folder, name, title, group(name), "accuracy", lowest)
            figures.curves(folder, name, title, group(name), "loss")
    for name in "readings-mnist", "readings-cifar10":
        if anything(group(name)):
            readings.readings_plot(folder, name, group(name))
    if anything(group("scaling")):
        readings.scaling_plot(folder, group("scaling"))
    if ball:
        complexity.plot(folder, ball)


def anything(outcomes_of_group):
    return any(o.seeds for o in outcomes_of_group)


def parts(by_name, group, ball, quick):
    """{place: text} for page.fill."""
    def curves(name):
        figures_of = [(f"{what} on {GROUPS[name][0]}, by epoch", f"{name}-{what.lower()}") for what in ("Accuracy", "Loss")]
        return tables.thesis(group(name)) + (images(*figures_of) if anything(group(name)) else "")

    def of_readings(name, printed):
        image = (f"Test accuracy of each reading on {name}", "readings-" + name)
        of_group = group("readings-" + name)
        return readings.readings_table(of_group, printed) + (images(image) if anything(of_group) else "")

    scaling = group("scaling")
    return {
        "state": state(by_name, quick),
        "claims": claims.claims(by_name),
        "goals": tables.goals(by_name),
        "table-4-2": curves("soybean"),
        "table-4-3": curves("mnist"),
        "table-4-4": curves("cifar10"),
        "fashion-mnist": curves("fashion-mnist"),
        "cifar10-wide": curves("cifar10-wide"),
        "tuning": tables.tuning(group("tuning")),
        "readings-mnist": of_readings("mnist", "98.06"),
        "readings-cifar10": of_readings("cifar10", "44.00"),
        "course": readings.course_table([by_name[name] for name in COURSE]),
        "scaling": readings.scaling_table(scaling) + (images(STEPS) if anything(scaling) else ""),
        "peers": peers(),
        "complexity": complexity.text(ball) + images(COMPLEXITY) if ball else "missing",
    }


STEPS = "Mean step of each layer by samples and by neurons", "steps"
COMPLEXITY = "Step against r and against the distance to a plane, steps needed against 1/r", "complexity"


def images(*named):
    return "\n\n" + "\n\n".join(f"![{text}](figures/{name}.svg)" for text, name in named)


def peers():
    """Links to the pages about other methods, with their titles."""
    folder = os.path.dirname(PAGE)
    lines = []
    for path in sorted(glob.glob(os.path.join(folder, "peers*.md")) + glob.glob(os.path.join(folder, "small-samples.md"))):
        with open(path) as file:
            title = re.match(r"# (.*)", file.readline())
        lines.append(f"- [{title[1] if title else os.path.basename(path)}]({os.path.basename(path)})")
    return "\n".join(lines) or "Not measured yet: `make peers`."


def state(by_name, quick):
    wanted = sum(o.wanted for o in by_name.values())
    done = sum(o.seeds for o in by_name.values() if o.epochs == o.row.epochs)
    diverged = sum(len(o.failures) for o in by_name.values())
    text = f"{done} of {wanted} runs have all their epochs, {diverged} diverged"
    text += "." if done + diverged == wanted else "; where seeds or epochs are missing, the tables say how many there are."
    return ("**`QUICK=1`: small runs on generated data, to see that all works. The figures mean nothing.**\n\n" if quick
            else "") + text
