"""Pictures: examples, weights seen as pictures, and gray levels."""

import numpy as np
from matplotlib.patches import Rectangle

from .figure import BLUE, GREY, ORANGE, VERMILLION, Figure, listing, number, plural, styled


def _show(ax, image, **style):
    ax.imshow(image, cmap="gray_r" if image.ndim == 2 else None, **style)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _frame(ax, paint, dashed=False):
    style = {"transform": ax.transAxes, "fill": False, "clip_on": False}
    ax.add_patch(
        Rectangle(
            (0, 0), 1, 1, edgecolor=paint, linewidth=2.6, linestyle="--" if dashed else "-", **style
        )
    )


@styled
def image_grid(images, titles=None, *, columns=10, marked=None, suptitle="", alt=None):
    """Small pictures in rows, dark ink on white.

    images : (N, H, W) gray or (N, H, W, 3)
    titles : N strings, or None;  marked : (N,) bool, which get a dashed frame
    alt : replaces the sentence made from the titles
    """
    images = np.asarray(images)
    n = len(images)
    columns = min(columns, n)
    rows = -(-n // columns)
    tall = 1.22 if titles is not None else 1.0
    fig = Figure(max(0.92 * columns, 3.0), 0.86 * tall * rows + (0.4 if suptitle else 0.1))
    fig.photographic = images.ndim == 4
    axes = fig.subplots(rows, columns, squeeze=False)
    low, high = (images.min(), images.max()) if images.ndim == 3 else (None, None)
    for i, ax in enumerate(axes.flat):
        if i >= n:
            ax.set_axis_off()
            continue
        _show(ax, images[i], vmin=low, vmax=high)
        if titles is not None:
            ax.set_title(str(titles[i]), loc="center", size=9, pad=4)
        if marked is not None and marked[i]:
            _frame(ax, VERMILLION, dashed=True)
    if suptitle:
        fig.suptitle(suptitle, x=0.01, ha="left", size=11.5)
    said = f": {', '.join(str(title) for title in titles)}" if titles is not None else ""
    what = f"{suptitle}: " if suptitle else ""
    height, width = images.shape[1:3]
    fig.alt = alt or f"{what}{n} pictures of {height} by {width} pixels{said}."
    return fig


@styled
def neighbor_rows(queries, neighbors, query_labels, neighbor_labels, *, title=None):
    """Each row: a query, then its nearest neighbors, nearest first.

    queries : (Q, H, W);  neighbors : (Q, k, H, W);  labels : (Q,) and (Q, k)
    A solid frame has the label of the query, a dashed one another.
    """
    n, k = np.shape(neighbor_labels)
    fig = Figure(1.0 * (k + 1) + 1.2, 1.05 * n + 0.5)
    axes = fig.subplots(n, k + 1, squeeze=False)
    same = np.asarray(neighbor_labels) == np.asarray(query_labels)[:, None]
    for row in range(n):
        _show(axes[row, 0], queries[row])
        axes[row, 0].set_xlabel(" ", size=8.5)  # keeps the rows evenly spaced
        axes[row, 0].set_ylabel(
            f"label {query_labels[row]}", rotation=0, ha="right", va="center", labelpad=8
        )
        for j in range(k):
            ax = axes[row, j + 1]
            _show(ax, neighbors[row][j])
            _frame(ax, BLUE if same[row, j] else VERMILLION, dashed=not same[row, j])
            if not same[row, j]:
                ax.set_xlabel(f"label {neighbor_labels[row][j]}", size=8.5, color=VERMILLION)
    axes[0, 0].set_title("query", loc="center", size=10)
    axes[0, 1].set_title("nearest", loc="center", size=10)
    if k > 1:
        axes[0, k].set_title(f"{k}th" if k > 3 else ("2nd", "3rd")[k - 2], loc="center", size=10)
    if title:
        fig.suptitle(title, x=0.01, ha="left", size=11.5)
    each = listing(f"{int(row.sum())} of {k}" for row in same)
    fig.alt = (
        f"{plural(n, 'picture')} with {plural(k, 'nearest neighbor')} each; "
        f"neighbors with the picture's own label: {each}."
    )
    return fig


@styled
def templates(w, image_shape, class_names, *, columns=5, title=None):
    """The weights of a linear classifier as pictures, one per class.

    w : (D, C) with D = H * W;  image_shape : (H, W)
    Red pixels vote for the class, blue ones against; all pictures share one symmetric scale.
    """
    w = np.asarray(w, dtype=float)
    fig, limit = _weight_pictures(w, image_shape, class_names, columns, title)
    height, width = image_shape
    fig.alt = (
        f"Weights of {w.shape[1]} classes as pictures of {height} by {width} pixels, "
        f"on one scale from {number(-limit, 2)} (against) to {number(limit, 2)} (for the class)."
    )
    return fig


@styled
def hidden_units_as_images(
    w, image_shape, *, outputs=None, class_names=None, columns=5, title=None
):
    """What each hidden unit looks for: its incoming weights as a picture.

    w : (D, H) with D = H * W, one column for each unit;  image_shape : (H, W)
    outputs : (H, C), the weights that carry a unit to the classes; the class each unit speaks
              for most is named, with class_names
    Red pixels excite the unit, blue ones inhibit it; all pictures share one symmetric scale.
    """
    w = np.asarray(w, dtype=float)
    names = [f"unit {i + 1}" for i in range(w.shape[1])]
    said = ""
    if outputs is not None:
        best = np.asarray(outputs).argmax(axis=1)
        known = class_names if class_names is not None else range(np.shape(outputs)[1])
        votes = [f"for {known[i]}" for i in best]
        names = [f"{name}, {vote}" for name, vote in zip(names, votes, strict=True)]
        said = f"; the units speak most {listing(votes)}"
    fig, limit = _weight_pictures(w, image_shape, names, columns, title)
    height, width = image_shape
    fig.alt = (
        f"Incoming weights of {plural(w.shape[1], 'hidden unit')} as pictures of {height} by "
        f"{width} pixels, on one scale from {number(-limit, 2)} (inhibits) to "
        f"{number(limit, 2)} (excites){said}."
    )
    return fig


def _weight_pictures(w, image_shape, names, columns, title):
    """(figure, end of the scale): one picture for each column of w."""
    n = w.shape[1]
    columns = min(columns, n)
    rows = -(-n // columns)
    fig = Figure(1.45 * columns + 1.1, 1.62 * rows + 0.4)
    fig.photographic = True  # reduced to 256 colors, the ends of the scale would be lost
    axes = fig.subplots(rows, columns, squeeze=False)
    limit = np.abs(w).max() or 1.0
    for i, ax in enumerate(axes.flat):
        if i >= n:
            ax.set_axis_off()
            continue
        picture = ax.imshow(w[:, i].reshape(image_shape), cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set(xticks=[], yticks=[])
        ax.set_title(str(names[i]), loc="center", size=10, pad=4)
        ax.spines[:].set_visible(True)
        ax.spines[:].set_color("#bbbbbb")
    bar = fig.colorbar(picture, ax=axes, shrink=0.85, pad=0.02)
    bar.set_label("weight of the pixel")
    bar.outline.set_visible(False)
    if title:
        fig.suptitle(title, x=0.01, ha="left", size=11.5)
    return fig, limit


def _smaller(image, width=320):
    """Means of square blocks: a picture no wider than it is shown keeps notebooks light."""
    block = -(-image.shape[1] // width)
    rows, columns = (n // block * block for n in image.shape)
    return image[:rows, :columns].reshape(rows // block, block, -1, block).mean(axis=(1, 3))


@styled
def histogram_equalization(before, after, *, levels=256):
    """A gray picture and its histogram, before and after equalization.

    before, after : (H, W), gray levels in [0, levels)
    """
    fig = Figure(8.4, 5.0)
    axes = fig.subplots(2, 2, width_ratios=(1, 1.25))
    said = []
    for (left, right), image, name, paint in zip(
        axes, (before, after), ("before", "after"), (BLUE, ORANGE), strict=True
    ):
        left.imshow(_smaller(image), cmap="gray", vmin=0, vmax=levels - 1)
        left.set(xticks=[], yticks=[], title=name)
        left.spines[:].set_visible(False)
        counts, edges = np.histogram(image, bins=64, range=(0, levels))
        right.stairs(counts / image.size * 100, edges, fill=True, color=paint, alpha=0.55)
        right.set(xlim=(0, levels), ylabel="% of pixels")
        share = right.twinx()
        cumulative = np.cumsum(np.histogram(image, bins=levels, range=(0, levels))[0]) / image.size
        share.plot(np.arange(levels), 100 * cumulative, color="#222222", linewidth=1.4)
        share.set(ylim=(0, 103), ylabel="% at most as bright", yticks=[0, 50, 100])
        share.spines["right"].set(visible=True, color=GREY)
        low, high = np.percentile(image, [5, 95])
        right.set_title(f"nine pixels in ten lie from {low:.0f} to {high:.0f}")
        said.append(f"{name} from {low:.0f} to {high:.0f}")
    axes[1, 1].set_xlabel(f"gray level, 0 to {levels - 1}")
    fig.alt = (
        "A picture and its histogram before and after equalization; nine pixels in ten lie "
        f"{listing(said)}, of gray levels 0 to {levels - 1}."
    )
    return fig
