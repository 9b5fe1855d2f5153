"""Why the thesis's reading falls short, and which reading comes closest: tables and plots of steps and bounds."""
import matplotlib.pyplot as plt
import numpy

import complexity
import figures
from page import table

EPOCHS = 1, 3, 10, 30, 100, 300  # of the runs in full that are shown


def numbers(values, form="{:.2g}"):
    return ", ".join("-" if numpy.isnan(v) else form.format(v) for v in values)


def moved(outcome):
    """By layer: how far the weights of the first seed are from their start, in % of its length; nan where that is not known."""
    return [100 * part for part in outcome.seen[0].moved or [numpy.nan] * len(outcome.last("rate")[0])]


def readings_table(outcomes, printed):
    """One line for each reading: accuracy, step size and bound by layer, over the run's last epoch."""
    head = ["reading", "training %", "test %", "mean step by layer", "rho_online smaller, % by layer", "active, % by layer",
            "weights moved, % by layer"]
    lines = []
    for outcome in outcomes:
        cells = ["diverged" if outcome.failures else "missing", "", "", "", "", ""]
        if outcome.seeds and not outcome.failures:
            cells = [f"{100 * outcome.last('train_accuracy')[0]:.1f}", f"{100 * outcome.last('test_accuracy')[0]:.1f}",
                     numbers(outcome.last("rate")[0]), numbers(100 * outcome.last("online_bound")[0], "{:.0f}"),
                     numbers(100 * outcome.last("active")[0], "{:.0f}"), numbers(moved(outcome), "{:.2g}")]
        lines.append([outcome.row.title, *cells])
    return table(head, lines) + f"\n\nThe thesis, all samples, 300 epochs: {printed} % of the test samples."


def over_seeds(outcome, column, epoch):
    """By layer: mean over seeds at that epoch."""
    return outcome.curve(column)[:, epoch - 1].mean(0)


def course_table(outcomes):
    """Steps and bounds of whole runs as they go on."""
    head = ["run", "epoch", "training loss", "test %", "mean step by layer", "rho_online smaller, % by layer",
            "active, % by layer"]
    lines = []
    for outcome in outcomes:
        for epoch in (e for e in EPOCHS if e <= outcome.epochs):
            lines.append([outcome.row.name, epoch, f"{over_seeds(outcome, 'train_loss', epoch):.3g}",
                          f"{100 * over_seeds(outcome, 'test_accuracy', epoch):.2f}",
                          numbers(over_seeds(outcome, "rate", epoch)),
                          numbers(100 * over_seeds(outcome, "online_bound", epoch), "{:.0f}"),
                          numbers(100 * over_seeds(outcome, "active", epoch), "{:.0f}")])
        if not outcome.seeds:
            lines.append([outcome.row.name, "missing", "", "", "", "", ""])
    ended = [f"{o.row.name} {numbers(moved(o))}" for o in outcomes if o.seeds and o.row.start]
    return table(head, lines) + (f"\n\nHow far the weights of seed 1 are from their start then, in % of its length, by layer: "
                                 f"{'; '.join(ended)}." if ended else "")


def exponent(points):
    """Slope of log y over log x by least squares; None for fewer than two points."""
    points = [(x, y) for x, y in points if y > 0]
    if len({x for x, _ in points}) < 2:
        return None
    x, y = numpy.log(numpy.array(points, float)).T
    return numpy.polyfit(x, y, 1)[0]


def scaling_points(outcomes, layer, axis, other, at):
    """(batch or width, mean step of the layer) where the other one is `at`."""
    return [(o.row.key[axis], o.last("rate")[0][layer]) for o in outcomes if o.seeds and o.row.key[other] == at]


def scaling_table(outcomes):
    layers = len(outcomes[0].last("rate")[0]) if outcomes[0].seeds else 0
    head = ["samples (batch)", "neurons a layer", "r (3-25)", "mean step by layer", "rho_online smaller, % by layer"]
    lines = [[*o.row.key, f"{complexity.r(*o.row.key):.3f}", *(
        [numbers(o.last("rate")[0]), numbers(100 * o.last("online_bound")[0], "{:.0f}")] if o.seeds else ["missing", ""])]
        for o in outcomes]
    slopes = []
    for axis, name in (0, "samples"), (1, "neurons"):
        values = [exponent(scaling_points(outcomes, layer, axis, 1 - axis, 300)) for layer in range(layers)]
        if values and None not in values:
            slopes.append(f"{name}: {numbers(values, '{:.2f}')}")
    text = f"\n\nExponents of the step, by layer, in {'; in '.join(slopes)}." if slopes else ""
    return table(head, lines) + text


def scaling_plot(folder, outcomes):
    figure, panels = figures.panels(2, 9, 3.6, sharey=True)
    for axes, axis, name in zip(panels, (0, 1), ("samples in a batch (300 neurons a layer)",
                                                 "neurons a layer (batches of 300)")):
        for layer, (colour, dashes, mark) in enumerate(figures.STYLES[:4]):
            points = sorted(scaling_points(outcomes, layer, axis, 1 - axis, 300))
            if points:
                axes.plot(*zip(*points), color=colour, linestyle=dashes, marker=mark, markerfacecolor="white",
                          label=f"layer {layer + 1}")
        axes.set(xscale="log", yscale="log", xlabel=name)
        figures.plain(axes.xaxis)
    figures.plain(panels[0].yaxis)
    panels[0].set_ylabel("mean step size")
    figures.legend(figure, panels[0])
    figures.save(figure, folder, "steps")


def readings_plot(folder, name, outcomes):
    """Test accuracy of each reading, as bars from the worst to the best."""
    seen = sorted(((100 * o.last("test_accuracy")[0], o.row.title) for o in outcomes if o.seeds and not o.failures))
    figure, axes = plt.subplots(figsize=(7, 3.8))
    figure.subplots_adjust(left=0.4, right=0.97, bottom=0.13, top=0.98)
    for place, (value, title) in enumerate(seen):
        axes.barh(place, value, color="#000000" if title == "as written" else "#b0b0b0")
        axes.text(value + 0.5, place, f"{value:.1f}", va="center", fontsize=8)
    axes.set(yticks=range(len(seen)), yticklabels=[title for _, title in seen], xlabel="test accuracy, % after 10 epochs of "
             "10,000 samples" if len(seen) else "missing")
    axes.grid(axis="y", visible=False)
    figures.save(figure, folder, name)
