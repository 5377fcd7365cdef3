"""A network in training: its decision surface, and how its loss has fallen so far."""

import numpy as np

from .classification import draw_line, draw_points, plane_grid
from .figure import BLUE, GREY, ORANGE, Figure, color, marker, percent, plural, styled, tint

SIDE = 64


def surface_grid(x):
    """The points at which training_surface wants probabilities, and their extent."""
    return plane_grid(x, SIDE, margin=0.1)


@styled
def training_surface(
    probabilities, extent, train, held, losses, *, accuracies, lines=None, n_steps=None
):
    """How sure the network is at every point of the plane, and its losses so far.

    probabilities : (SIDE^2, C) on surface_grid;  extent : of the plane
    train, held : (x, y), filled and hollow points
    losses : (positions (T,), training losses (T,), held-out losses (T,))
    accuracies : (training, held out), now
    lines : (w (2, H), b (H,)), where the first hidden units switch
    n_steps : end of the axis of steps, so that it stays while the network learns
    """
    fig = Figure(9.2, 4.0)
    plane, chart = fig.subplots(1, 2, width_ratios=(1.15, 1))
    paint = np.array([tint(color(i), 0.5) for i in range(probabilities.shape[1])])
    mixed = (255 * (probabilities @ paint)).clip(0, 255).astype(np.uint8)
    plane.imshow(
        mixed.reshape(SIDE, SIDE, 3), extent=extent, origin="lower", aspect="auto",
        interpolation="bilinear", zorder=0,
    )  # fmt: skip
    plane.set(xlim=extent[:2], ylim=extent[2:], xlabel="x1", ylabel="x2")
    if lines is not None:
        for w, b in zip(lines[0].T, lines[1], strict=True):
            draw_line(plane, w, b, color=GREY, linewidth=0.7, linestyle=":", zorder=1)
    draw_points(plane, *train, size=20)
    for i, label in enumerate(np.unique(held[1])):
        at = held[0][held[1] == label]
        plane.plot(*at.T, marker(i), ls="", ms=4, mfc="none", mec=color(i), mew=1.2, zorder=3)
    at, on_train, on_held = losses
    chart.plot(at, on_train, color=BLUE)
    chart.plot(at, on_held, color=ORANGE, linestyle="--")
    chart.plot(at[-1], on_train[-1], "o", color=BLUE, ms=6)
    chart.plot(at[-1], on_held[-1], "s", color=ORANGE, ms=6)
    first = max(on_train[0], on_held[0], 0.1)
    top = min(max(first, *on_train, *on_held), 3 * first)  # a spike need not flatten the rest
    chart.set(xlim=(0, n_steps or max(at[-1], 1)), ylim=(0, 1.15 * top), xlabel="steps")
    now = [f"{value:.3f}" for value in (on_train[-1], on_held[-1])]
    chart.set_title(f"loss {now[0]}, held out (dashed) {now[1]}")
    plane.set_title(f"right: {percent(accuracies[0])}, held out (hollow) {percent(accuracies[1])}")
    chart.grid(axis="y")
    for ax in (plane, chart):
        ax.locator_params(nbins=4)  # every tick costs a millisecond
    fig.alt = (
        f"A network after {plural(int(at[-1]), 'step')} of gradient descent: training loss "
        f"{on_train[-1]:.2f}, held-out loss {on_held[-1]:.2f}; right {percent(accuracies[0])} of "
        f"{len(train[1])} training points and {percent(accuracies[1])} of {len(held[1])} held out."
    )
    return fig
