"""Curves and plots as SVG and PNG: the same bytes from the same runs; told apart in print by dashes and marks."""
import os

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
import numpy

from experiments import WITH, WITHOUT

matplotlib.use("Agg")

matplotlib.rcParams.update({
    "svg.hashsalt": "reluopt", "svg.fonttype": "none", "path.simplify": True, "font.family": "DejaVu Sans", "font.size": 9,
    "axes.grid": True, "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "lines.linewidth": 1.5, "lines.markersize": 5})

# Told apart without colour by dashes and marks.
STYLES = [("#000000", "-", "o"), ("#0072b2", "--", "s"), ("#d55e00", "-.", "^"), ("#009e73", ":", "D"),
          ("#e69f00", (0, (8, 2)), "P"), ("#cc79a7", (0, (5, 1, 1, 1, 1, 1)), "v")]
PLACE = {"gradient descent": 0, "SGD": 0, "DTP": 1, "adaptive, online": 2, "adaptive, batch": 2, WITHOUT: 3, WITH: 4}


def panels(count, width, height, **options):
    """A figure with room for a legend above, in inches; its axes in a list.  (Automatic layouts draw it several times.)"""
    figure, axes = plt.subplots(1, count, figsize=(width, height), squeeze=False, **options)
    figure.subplots_adjust(left=0.8 / width, right=1 - 0.1 / width, bottom=0.5 / height, top=1 - 0.65 / height,
                           wspace=0.08 if options.get("sharey") else 0.4)
    return figure, list(axes[0])


def plain(axis):
    """A logarithmic axis with numbers such as 0.01, and no marks between them."""
    low, high = axis.get_view_interval()
    if high < 100 * low:
        axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(matplotlib.ticker.NullLocator())


def save(figure, folder, name):
    os.makedirs(folder, exist_ok=True)
    figure.savefig(os.path.join(folder, name + ".svg"), metadata={"Date": None, "Creator": None})
    figure.savefig(os.path.join(folder, name + ".png"), dpi=130, metadata={"Software": None})
    plt.close(figure)


def legend(figure, axes):
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="upper center", ncol=min(3, len(labels)))


def marks(epochs):
    """Places of about ten marks, evenly on the logarithmic axis."""
    return sorted({int(e) - 1 for e in numpy.geomspace(1, epochs, 10).round()})


def draw(axes, outcome, column, scale):
    """Mean over seeds, and from the least to the greatest as a band."""
    colour, dashes, mark = STYLES[PLACE.get(outcome.row.title, -1)]
    epochs = numpy.arange(1, outcome.epochs + 1)
    values = scale * outcome.curve(column)
    seeds = f"{outcome.seeds} seed" + "s" * (outcome.seeds != 1)
    if outcome.seeds > 1:
        axes.fill_between(epochs, values.min(0), values.max(0), color=colour, alpha=0.18, linewidth=0)
    axes.plot(epochs, values.mean(0), color=colour, linestyle=dashes, marker=mark, markevery=marks(outcome.epochs),
              markerfacecolor="white", label=f"{outcome.row.title} ({seeds})")


def curves(folder, name, title, outcomes, kind, lowest=None):
    """Test and training part side by side.  kind: accuracy (%), shown from `lowest` on, or loss."""
    scale, unit = (100, "accuracy, %") if kind == "accuracy" else (1, "loss")
    figure, both = panels(2, 9, 3.9, sharey=True)
    for axes, part, name_of_part in zip(both, ("test", "train"), ("test", "training")):
        for outcome in (o for o in outcomes if o.seeds):
            draw(axes, outcome, f"{part}_{kind}", scale)
        axes.set(xscale="log", yscale="linear" if kind == "accuracy" else "log", xlabel=f"epoch ({title}, {name_of_part} part)")
        plain(axes.xaxis)
    both[0].set_ylabel(unit)
    if kind == "loss":
        plain(both[0].yaxis)
    else:
        low, high = both[0].get_ylim()
        low = low if lowest is None else lowest
        both[0].set_ylim(low, min(high, 100 + (100 - low) / 50))
    legend(figure, both[0])
    save(figure, folder, f"{name}-{kind}")


def scatter(axes, points, style, label):
    """points: (x, y) pairs."""
    colour, _, mark = style
    if points:
        x, y = zip(*points)
        axes.plot(x, y, color=colour, linestyle="none", marker=mark, markerfacecolor="white", label=label)
