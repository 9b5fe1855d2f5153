"""The thesis's 3.5: step sizes and steps to a loss against r = (1 - 2^(-1/m))^(1/n), on samples uniform in a ball."""
import numpy

import figures
import generated
from page import table

GOAL = 0.5 * numpy.log(2)  # half of the loss of a coin


def r(samples, dimensions):
    """(3-25)"""
    return (1 - 2 ** (-1 / samples)) ** (1 / dimensions)


def nearest(samples, dimensions, layers=20):
    """Distance from the nearest of n random planes through the centre, a layer's neurons, to a sample on its positive side;
    median over layers."""
    points, _ = generated.ball(samples, dimensions)
    random = numpy.random.default_rng(1)
    least = []
    for _ in range(layers):
        normals = random.standard_normal((dimensions, dimensions)).astype(numpy.float32)
        distance = points @ (normals / numpy.linalg.norm(normals, axis=0))
        least.append(numpy.where(distance > 0, distance, numpy.inf).min())
    return float(numpy.median(least))


def step(outcome):
    """Mean step of the first layer over the steps up to the goal and over seeds; nan where one does not get there."""
    rate, steps = outcome.curve("rate")[:, :, 0], steps_to_goal(outcome)
    return float(numpy.mean([r[:int(s)].mean() for r, s in zip(rate, steps)])) if numpy.isfinite(steps).all() else numpy.nan


def steps_to_goal(outcome):
    """By seed; nan where it does not get there."""
    return outcome.first(lambda c: c["train_loss"] <= GOAL)


def measured(outcomes):
    """(samples, dimensions, r, distance, step, steps), means over seeds, of the runs there are."""
    return [(m, n, r(m, n), nearest(m, n), step(o), steps_to_goal(o).mean())
            for o in outcomes if o.seeds for m, n in [o.row.key]]


def cell(values, column, form):
    value = values[column]
    return "-" if numpy.isnan(value) else form.format(value)


def ball_table(points):
    head = ["samples m", "dimensions n", "r (3-25)", "distance to the nearest plane", "mean step, layer 1",
            "steps to half the loss"]
    return table(head, [[m, n, f"{v[2]:.3f}", f"{v[3]:.2g}", cell(v, 4, "{:.2g}"), cell(v, 5, "{:.3g}")]
                        for v in points for m, n in [v[:2]]])


def exponents(points, column):
    """Of a column in m and in n, by least squares on logarithms of both; None where the runs do not tell."""
    rows = [(1, numpy.log(v[0]), numpy.log(v[1]), numpy.log(v[column])) for v in points if v[column] > 0]
    a = numpy.array(rows)
    if len(rows) < 4 or numpy.linalg.matrix_rank(a[:, :3]) < 3:
        return None
    return numpy.linalg.lstsq(a[:, :3], a[:, 3], rcond=None)[0][1:]


def correlation(points, x, y):
    """Of ranks (Spearman); None for fewer than four points."""
    pairs = [(v[x], v[y]) for v in points if not numpy.isnan(v[y])]
    if len(pairs) < 4:
        return None
    ranks = numpy.argsort(numpy.argsort(numpy.array(pairs), axis=0), axis=0)
    return float(numpy.corrcoef(ranks.T)[0, 1])


def text(points):
    """The table, and sentences with the measured exponents."""
    lines = []
    for column, name in enumerate(("r as the thesis has it", "distance to the nearest plane", "step", "steps needed"), 2):
        found = exponents(points, column)
        if found is not None:
            lines.append(f"- {name}: about m^{found[0]:.2f} n^{found[1]:.2f}")
    found = correlation(points, 2, 4)
    if found is not None:
        lines.append(f"- rank correlation of the step with r: {found:.2f}; with the distance to the nearest plane: "
                     f"{correlation(points, 3, 4):.2f}")
    found = correlation([(*v[:2], 1 / v[2], *v[3:]) for v in points], 2, 5)
    if found is not None:
        lines.append(f"- rank correlation of the steps needed with 1/r: {found:.2f}")
    within = [v[5] / v[0] for v in points if not numpy.isnan(v[5])]
    if within:
        lines.append(f"- steps needed per sample (the bound O(m) says: bounded): {min(within):.2g} to {max(within):.2g}")
    return ball_table(points) + "\n\n" + "\n".join(lines)


def plot(folder, points):
    figure, panels = figures.panels(3, 10, 3.7)
    for n, style in zip(sorted({v[1] for v in points}), figures.STYLES):
        of_n = [v for v in points if v[1] == n]
        figures.scatter(panels[0], [(v[2], v[4]) for v in of_n], style, f"n = {n}")
        figures.scatter(panels[1], [(v[3], v[4]) for v in of_n], style, None)
        figures.scatter(panels[2], [(1 / v[2], v[5]) for v in of_n if not numpy.isnan(v[5])], style, None)
    for axes, x, y in zip(panels, ("r (3-25)", "distance to the nearest plane", "1/r"),
                          ("mean step, layer 1", "mean step, layer 1", "steps to half the loss")):
        axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
        figures.plain(axes.xaxis)
        figures.plain(axes.yaxis)
    figures.legend(figure, panels[0])
    figures.save(figure, folder, "complexity")
