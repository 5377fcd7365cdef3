"""What threshold networks can separate: half-spaces, convex regions, unions of them."""

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from .classification import draw_line
from .figure import BLACK, BLUE, GREEN, GREY, ORANGE, Figure, percent, plural, styled, tint

SIDE = 241


@styled
def threshold_regions(regions, *, limits=(-1, 1, -1, 1), target=None):
    """Three layers of threshold neurons: half-spaces, their intersections, a union of those.

    regions : list of (w (2, K), b (K,)), each the convex set where all of x w + b >= 0
    target : function (N, 2) -> (N,) bool, an outline to draw on top of the union
    """
    grid = _grid(limits)
    scores = [grid @ np.asarray(w, dtype=float) + np.asarray(b, dtype=float) for w, b in regions]
    held = [s >= 0 for s in scores]
    counts = held[0].sum(axis=1)
    convex = held[0].all(axis=1)
    union = np.any([h.all(axis=1) for h in held], axis=0)
    n_half, total = held[0].shape[1], sum(h.shape[1] for h in held)
    fig = Figure(9.6, 3.9)
    axes = fig.subplots(1, 3, sharex=True, sharey=True)
    shades = [
        [tint(BLUE, 0.6 * (c / n_half) ** 1.5) for c in range(n_half + 1)],
        [(1, 1, 1), tint(BLUE, 0.6)],
        [(1, 1, 1), tint(GREEN, 0.5)],
    ]
    for ax, values, colors in zip(axes, (counts, convex, union), shades, strict=True):
        _fill(ax, values.astype(int), colors, limits)
    for ax in axes[:2]:
        for w, b in zip(np.transpose(regions[0][0]), regions[0][1], strict=True):
            style = {"linewidth": 1.4} if ax is axes[0] else {"linewidth": 0.8, "linestyle": "--"}
            draw_line(ax, w, b, color=BLACK, **style)
    outline = []
    for s in scores:
        lowest = _square(s.min(axis=1))
        axes[2].contour(lowest, levels=[0], extent=limits, colors=[GREY], linewidths=1.2)
    if target is not None:
        inside = np.asarray(target(grid), dtype=bool)
        axes[2].contour(
            _square(inside), levels=[0.5], extent=limits, colors=[BLACK], linewidths=1.8
        )
        right = float((inside == union).mean())
        outline.append(f" and agrees with the outlined set on {percent(right)} of the picture")
    axes[0].set_title(f"layer 1: {plural(n_half, 'half-space')}")
    axes[1].set_title("layer 2: all of them, a convex set")
    axes[2].set_title(f"layer 3: any of {plural(len(regions), 'convex set')}")
    below = (
        "darker: in more of them",
        f"{percent(convex.mean())} of the picture",
        f"{percent(union.mean())} of the picture",
    )
    for ax, words in zip(axes, below, strict=True):
        ax.set_xlabel(f"x1\n{words}")
    axes[0].set_ylabel("x2")
    fig.alt = (
        f"{plural(n_half, 'half-space')}; the points that lie in all of them, a convex set, "
        f"{percent(convex.mean())} of the picture; and the union of {len(regions)} such sets from "
        f"{plural(total, 'half-space')}, which covers {percent(union.mean())}{''.join(outline)}."
    )
    return fig


@styled
def box_approximation(inside, cells=(5, 11, 25), *, limits=(-1, 1, -1, 1), name="the set"):
    """A set of the plane, covered by ever smaller boxes: four threshold neurons and an AND each.

    inside : function (N, 2) -> (N,) bool;  cells : boxes along each side, one panel for each
    A box is taken if its center lies in the set.
    """
    grid = _grid(limits)
    wanted = np.asarray(inside(grid), dtype=bool)
    left, right, bottom, top = limits
    fig = Figure(9.6, 3.7)
    axes = fig.subplots(1, len(cells), sharex=True, sharey=True, squeeze=False)[0]
    said = []
    for ax, n in zip(axes, cells, strict=True):
        across = left + (np.arange(n) + 0.5) * (right - left) / n
        up = bottom + (np.arange(n) + 0.5) * (top - bottom) / n
        centers = np.stack([c.ravel() for c in np.meshgrid(across, up)], axis=1)
        taken = np.asarray(inside(centers), dtype=bool).reshape(n, n)
        column = ((grid[:, 0] - left) / (right - left) * n).astype(int).clip(0, n - 1)
        row = ((grid[:, 1] - bottom) / (top - bottom) * n).astype(int).clip(0, n - 1)
        agree = float((taken[row, column] == wanted).mean())
        width, height = (right - left) / n, (top - bottom) / n
        boxes = [
            Rectangle((x - width / 2, y - height / 2), width, height)
            for x, y in centers[taken.ravel()]
        ]
        paint = {"facecolor": tint(ORANGE, 0.45), "edgecolor": ORANGE, "linewidth": 0.8}
        ax.add_collection(PatchCollection(boxes, **paint))
        ax.contour(_square(wanted), levels=[0.5], extent=limits, colors=[BLACK], linewidths=1.6)
        ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        ax.locator_params(nbins=5)
        ax.set_title(f"{len(boxes)} box{'es' * (len(boxes) != 1)}: {percent(agree)} right")
        ax.set_xlabel(f"x1\n{4 * len(boxes)} neurons in the first layer")
        said.append(f"{len(boxes)} boxes ({4 * len(boxes)} first-layer neurons) {percent(agree)}")
    axes[0].set_ylabel("x2")
    fig.alt = f"{name} of the plane covered by boxes; right on the picture: {'; '.join(said)}."
    return fig


def _grid(limits):
    left, right, bottom, top = limits
    across, up = np.meshgrid(np.linspace(left, right, SIDE), np.linspace(bottom, top, SIDE))
    return np.stack([across.ravel(), up.ravel()], axis=1)


def _square(values):
    return np.asarray(values, dtype=float).reshape(SIDE, SIDE)


def _fill(ax, index, colors, limits):
    paint = (255 * np.array(colors)).astype(np.uint8)[index].reshape(SIDE, SIDE, 3)
    ax.imshow(paint, extent=limits, origin="lower", interpolation="nearest", zorder=0)
    ax.set(xlim=limits[:2], ylim=limits[2:], aspect="equal", xlabel="x1")
    ax.locator_params(nbins=5)
