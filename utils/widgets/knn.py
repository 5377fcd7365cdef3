"""Nearest neighbors in the plane."""

import time

import ipywidgets as widgets
import numpy as np

from utils.figures.classification import (
    draw_points,
    draw_regions,
    label_axes,
    plane_grid,
)
from utils.figures.figure import BLACK, Figure, listing, percent, styled

from .learner import ask, takes
from .panel import Panel

# Seconds that coloring the plane may take by all functions together. A vectorized function needs
# far less, so that its stored picture does not depend on the machine.
BUDGET = 0.08
SIDES = (56, 36, 24, 14)  # grids to color, from fine to coarse


def knn_explorer(knn_predict, x, y, *, reference=None, class_names=None, feature_names=None):
    """Decision regions of k nearest neighbors, and what the held-out points say about them.

    knn_predict : (x_train, y_train, x, k=..., [metric=, weighting=]) -> labels; controls for
                  metric ("l1", "l2") and weighting ("uniform", "distance") appear if every
                  function shown takes them
    x, y : (N, 2), (N,) labels; every third point is held out
    reference : drawn beside knn_predict, and alone while that is not written
    """
    held = np.arange(len(x)) % 3 == 2
    train, test = (x[~held], y[~held]), (x[held], y[held])
    classes = np.unique(y)
    rng = np.random.default_rng(0)
    order, shift = rng.permutation(len(train[1])), rng.integers(1, len(classes), len(train[1]))
    functions = {"yours": knn_predict, "reference": reference}
    if reference is None:
        functions = {"": knn_predict}
    sides = {}  # the finest grid that each function colors in time

    def side(name, function):
        if name not in sides:
            sides[name] = _finest(function, train, x, BUDGET / len(functions))
        return sides[name]

    @styled
    def draw(k, noise, **options):
        flipped = order[: round(noise * len(order))]
        labels = train[1].copy()
        index = np.searchsorted(classes, labels)
        labels[flipped] = classes[(index + shift)[flipped] % len(classes)]
        shown, notes = {}, []
        for name, function in functions.items():
            grid, extent = plane_grid(x, side(name, function))
            points = np.concatenate([grid, train[0], test[0]])
            answer = ask(function, train[0], labels, points, k=k, shape=(len(points),), **options)
            if answer.problem:
                notes.append(answer.sentence)
            else:
                shown[name] = np.split(answer.value, [len(grid), len(grid) + len(labels)])
        if not shown:
            raise ValueError(notes[0])
        return _figure(shown, extent, train[0], labels, test[1], flipped, k, noise, options, notes)

    def _figure(shown, extent, points, labels, truth, flipped, k, noise, options, notes):
        fig = Figure(4.9 * len(shown) if len(shown) > 1 else 5.8, 4.2)
        axes = fig.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        said = []
        for ax, (name, (region, on_train, on_test)) in zip(axes, shown.items(), strict=True):
            draw_regions(ax, region, extent, classes)
            draw_points(ax, points, labels, class_names, legend=ax is axes[0])
            ax.scatter(
                *points[flipped].T, s=85, facecolors="none", edgecolors=BLACK, linewidths=1.1,
                zorder=4,
            )  # fmt: skip
            right, kept = np.mean(on_test == truth), np.mean(on_train == labels)
            title = f"k = {k}: {percent(right)} of held-out points right"
            ax.set(xlim=extent[:2], ylim=extent[2:], title=f"{name}, {title}" if name else title)
            label_axes(ax, feature_names)
            said.append(
                f"{name + ': ' if name else ''}{percent(kept)} of the training points and "
                f"{percent(right)} of the {len(truth)} held-out points right"
            )
        how = [f"k = {k}"] + [f"{name} {value}" for name, value in options.items()]
        ringed = f" (ringed: {len(flipped)} flipped labels)" if len(flipped) else ""
        fig.alt = f"Regions of nearest neighbors with {listing(how)}{ringed}; {'; '.join(said)}."
        fig.note = " ".join(notes)
        return fig

    choices = {
        "metric": [("L2, Euclidean", "l2"), ("L1, city block", "l1")],
        "weighting": [("equal votes", "uniform"), ("by 1 / distance", "distance")],
    }
    controls = {
        "k": widgets.IntSlider(5, 1, min(40, len(train[1])), description="k, neighbors asked"),
        "noise": widgets.FloatSlider(
            0.0, min=0, max=0.4, step=0.05, description="labels flipped", readout_format=".0%"
        ),
    }
    for name, options in choices.items():
        if all(takes(function, name) for function in functions.values()):
            controls[name] = widgets.Dropdown(options=options, description=name)
    return Panel(draw, controls)


def _finest(function, train, x, budget):
    """The side of the finest grid that the function labels within the budget."""
    coarse, _ = plane_grid(x, SIDES[-1])
    seconds = []
    for _ in range(2):  # the first call may be a slow one
        start = time.perf_counter()
        ask(function, *train, coarse, k=1)
        seconds.append(time.perf_counter() - start)
    each = min(seconds) / len(coarse)
    return next((side for side in SIDES if each * side**2 <= budget), SIDES[-1])
