"""The way down: where gradient descent walks on a loss of two weights."""

import numpy as np

from .figure import BLACK, BLUE, GREY, ORANGE, Figure, number, styled, tint


@styled
def descent_paths(
    panels, *, limits=None, labels=("first weight", "second weight"), levels=12, title=None
):
    """Contours of a loss of two weights, and the steps that gradient descent took on it.

    panels : {name: (loss, path)}; loss is a function of weights (K, 2) -> (K,), path (T, 2) the
             weights after 0, 1, ..., T - 1 steps
    limits : (left, right, bottom, top) of every panel; each fits its own path by default
    Both axes have one scale, so that every step is seen to leave its contour at a right angle.
    """
    fig = Figure(1.0 + 2.6 * len(panels), 3.5)
    axes = fig.subplots(1, len(panels), squeeze=False)[0]
    said = []
    for ax, (name, (loss, path)) in zip(axes, panels.items(), strict=True):
        path = np.asarray(path, dtype=float)
        left, right, bottom, top = limits or _square(path)
        first, second = np.meshgrid(np.linspace(left, right, 121), np.linspace(bottom, top, 121))
        heights = loss(np.stack([first.ravel(), second.ravel()], axis=1)).reshape(first.shape)
        at = heights.min() + np.ptp(heights) * np.linspace(0.02, 1, levels) ** 2
        ax.contour(first, second, heights, levels=at, colors=[tint(GREY, 0.55)], linewidths=0.9)
        ax.plot(*path.T, "-", color=BLUE, linewidth=1.2)
        ax.plot(*path.T, "o", color=BLUE, ms=3.2)
        ax.plot(*path[0], "o", ms=9, mfc="white", mec=BLUE, mew=1.8)
        ax.plot(*path[-1], "D", ms=7, color=ORANGE, mec=BLACK, mew=0.8)
        ends = loss(path[[0, -1]])
        steps = len(path) - 1
        ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xlabel=labels[0])
        ax.set_title(f"{name}\nloss {number(ends[0])} to {number(ends[1])}")
        ax.locator_params(nbins=4)
        said.append(f"{name}: {number(ends[0])} to {number(ends[1])} in {steps} steps")
    axes[0].set_ylabel(labels[1])
    if title:
        fig.suptitle(title, x=0.01, ha="left", size=11.5)
    fig.alt = f"{title or 'Paths of gradient descent'}; loss: {'; '.join(said)}."
    return fig


def _square(path):
    """A square view that holds the path and some air."""
    low, high = path.min(axis=0), path.max(axis=0)
    middle, half = (low + high) / 2, 0.62 * (high - low).max() or 1.0
    return (*(middle[0] + [-half, half]), *(middle[1] + [-half, half]))
