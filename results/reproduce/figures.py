"""Curves and plots as SVG and PNG: the same bytes from the same runs; told apart in print by dashes and marks."""
import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy  # noqa: E402

matplotlib.rcParams.update({
    "svg.hashsalt": "reluopt", "svg.fonttype": "none", "path.simplify": True, "font.family": "DejaVu Sans", "font.size": 9,
    "axes.grid": True, "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "lines.linewidth": 1.5, "lines.markersize": 5, "savefig.bbox": "tight"})

# From dark to light, so that prints without colour keep an order.
STYLES = [("#000000", "-", "o"), ("#0072b2", "--", "s"), ("#d55e00", "-.", "^"), ("#009e73", ":", "D"),
          ("#cc79a7", (0, (5, 1, 1, 1, 1, 1)), "v"), ("#e69f00", (0, (8, 2)), "P"), ("#56b4e9", (0, (1, 1)), "X")]


def save(figure, folder, name):
    os.makedirs(folder, exist_ok=True)
    figure.savefig(os.path.join(folder, name + ".svg"), metadata={"Date": None, "Creator": None})
    figure.savefig(os.path.join(folder, name + ".png"), dpi=130, metadata={"Software": None})
    plt.close(figure)


def legend(figure, axes):
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=min(3, len(labels)))


def marks(epochs):
    """Places of about ten marks, evenly on the logarithmic axis."""
    return sorted({int(e) - 1 for e in numpy.geomspace(1, epochs, 10).round()})


def draw(axes, outcome, column, scale, style):
    """Mean over seeds, and from the least to the greatest as a band."""
    colour, dashes, mark = style
    epochs = numpy.arange(1, outcome.epochs + 1)
    values = scale * outcome.curve(column)
    seeds = f"{outcome.seeds} seed" + "s" * (outcome.seeds != 1)
    axes.fill_between(epochs, values.min(0), values.max(0), color=colour, alpha=0.18, linewidth=0)
    axes.plot(epochs, values.mean(0), color=colour, linestyle=dashes, marker=mark, markevery=marks(outcome.epochs),
              markerfacecolor="white", label=f"{outcome.row.title} ({seeds})")


def curves(folder, name, title, outcomes, kind):
    """Test and training part side by side.  kind: accuracy (%) or loss."""
    scale, unit = (100, "accuracy, %") if kind == "accuracy" else (1, "loss")
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, constrained_layout=True)
    for axes, part in zip(panels, ("test", "train")):
        for outcome, style in zip(outcomes, STYLES):
            if outcome.seeds:
                draw(axes, outcome, f"{part}_{kind}", scale, style)
        axes.set(title=f"{title}: {'test' if part == 'test' else 'training'}", xscale="log", xlabel="epoch",
                 yscale="linear" if kind == "accuracy" else "log")
    panels[0].set_ylabel(unit)
    seen = [o for o in outcomes if o.seeds]
    if kind == "accuracy" and seen:
        low = min(100 * o.last("test_accuracy").min() for o in seen)
        panels[0].set_ylim(bottom=max(0, low - 0.5 * (100 - low) - 1), top=100.5 if low > 60 else None)
    legend(figure, panels[0])
    save(figure, folder, f"{name}-{kind}")


def scatter(axes, points, style, label):
    """points: (x, y) pairs."""
    colour, _, mark = style
    if points:
        x, y = zip(*points)
        axes.plot(x, y, color=colour, linestyle="none", marker=mark, markerfacecolor="white", label=label)
