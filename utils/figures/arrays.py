"""Shapes of arrays, drawn as cells."""

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from .figure import BLUE, GREEN, GREY, ORANGE, VERMILLION, Figure, listing, styled, tint

RULE = (
    "Line the shapes up from the right.\n"
    "Equal sizes go together; a size 1, or a missing one (–),\n"
    "is stretched: the same numbers read again (hatched)."
)
LARGEST = 8  # cells drawn along an axis; a longer one is cut and marked


@styled
def broadcasting(a_shape, b_shape):
    """How two shapes are lined up from the right and stretched to one, as NumPy does for a + b.

    a_shape, b_shape : tuples of ints. A solid cell is stored, a pale hatched one is the same
    number read again. Shapes that do not fit are drawn too, with the axis that is to blame.
    """
    a_shape, b_shape = tuple(a_shape), tuple(b_shape)
    fits, result, clashes = _align(a_shape, b_shape)
    fig = Figure(9.0, 4.1)
    fig.set_layout_engine("none")  # every place is set by hand
    fig.alt = _alt(a_shape, b_shape, result, clashes)
    verdict = f"broadcast to {result}" if fits else "do not broadcast"
    fig.suptitle(f"{a_shape} and {b_shape} {verdict}", x=0.03, ha="left", size=12.5)

    table = fig.add_axes((0.02, 0.68, 0.96, 0.22))
    _table(table, a_shape, b_shape, result, clashes)
    blocks = [("a", a_shape, BLUE), ("b", b_shape, ORANGE)]
    full = result if fits else None
    if fits:
        blocks.append(("a + b", result, GREEN))
    for i, (name, shape, color) in enumerate(blocks):
        ax = fig.add_axes((0.02 + 0.33 * i, 0.02, 0.29, 0.58))
        _block(ax, shape, full or shape, color)
        ax.set_title(f"{name}: {shape}", loc="center", pad=4)
    if fits:
        for x, sign in ((0.325, "+"), (0.655, "=")):
            fig.text(x, 0.29, sign, size=20, ha="center", va="center", color=GREY)
    else:
        said = [f"{m} against {n} at place {place} from the right." for place, m, n in clashes]
        fig.text(
            0.67,
            0.3,
            "Cannot be lined up:\n" + "\n".join(said) + "\nSizes must be equal, or one of them 1.",
            size=9.5,
            color=VERMILLION,
            va="center",
        )
    return fig


def _align(a_shape, b_shape):
    """(fits, result or None, [(place from the right, size in a, size in b)])"""
    length = max(len(a_shape), len(b_shape))
    a, b = _padded(a_shape, length), _padded(b_shape, length)
    pairs = list(zip(a, b, strict=True))
    clashes = [(length - i, m, n) for i, (m, n) in enumerate(pairs) if m != n and 1 not in (m, n)]
    result = tuple(n if m == 1 else m for m, n in pairs)
    return not clashes, None if clashes else result, clashes


def _padded(shape, length):
    return (1,) * (length - len(shape)) + shape


def _alt(a_shape, b_shape, result, clashes):
    if clashes:
        said = [f"place {place} from the right has {m} against {n}" for place, m, n in clashes]
        return (
            f"Shapes {a_shape} and {b_shape} do not broadcast: {listing(said)}, "
            "and neither size is 1."
        )
    said = []
    for name, shape in (("a", a_shape), ("b", b_shape)):
        padded = _padded(shape, len(result))
        axes = [str(i) for i in range(len(result)) if padded[i] != result[i]]
        if axes:
            noun = "axis" if len(axes) == 1 else "axes"
            said.append(f"{name} is stretched along {noun} {listing(axes)}")
    how = "; ".join(said) if said else "nothing is stretched"
    return f"Shapes {a_shape} and {b_shape} broadcast to {result}: {how}."


def _table(ax, a_shape, b_shape, result, clashes):
    """The shapes written under each other, lined up from the right."""
    ax.set_axis_off()
    ax.set(xlim=(0, 10), ylim=(0, 3))
    length = max(len(a_shape), len(b_shape), 1)
    bad = {length - place for place, _, _ in clashes}
    full = result or ()
    for row, (name, shape, color) in enumerate(
        [("a", a_shape, BLUE), ("b", b_shape, ORANGE), ("a + b", full, GREEN)]
    ):
        y = 2.5 - row
        if name == "a + b" and clashes:
            ax.text(0.1, y, "no result", va="center", color=VERMILLION)
            continue
        ax.text(0.1, y, name, va="center", weight="bold", color="#222222")
        for i in range(length):
            j = i - (length - len(shape))
            x = 1.0 + 0.62 * i
            stretched = result is not None and (j < 0 or shape[j] != result[i])
            ax.add_patch(
                Rectangle(
                    (x, y - 0.4),
                    0.52,
                    0.8,
                    facecolor=tint(color, 0.12 if stretched else 0.45),
                    edgecolor=VERMILLION if i in bad else color,
                    hatch="////" if stretched else None,
                    linewidth=2.5 if i in bad else 1,
                )
            )
            text = str(shape[j]) if j >= 0 else "–"
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2} if stretched else None
            ax.text(x + 0.26, y, text, ha="center", va="center", bbox=box)
    if length <= 6:  # beside more there is no room
        ax.text(1.35 + 0.62 * length, 1.5, RULE, va="center", color=GREY, size=9.5)


def _block(ax, shape, full, color):
    """The cells of `shape` stretched to `full`: two axes as a grid, the third as layers."""
    ax.set_axis_off()
    ax.set_aspect("equal")
    padded = _padded(shape, len(full))
    sizes = (1,) * max(0, 3 - len(full)) + tuple(full[-3:])
    own = (1,) * max(0, 3 - len(full)) + tuple(padded[-3:])
    layers, rows, columns = (min(n, LARGEST) for n in sizes)
    shift = 0.32
    for layer in reversed(range(layers)):
        cells = {True: [], False: []}  # by whether the cell is stored or read again
        for row in range(rows):
            for column in range(columns):
                at = (layer, row, column)
                stored = all(i == 0 or own[d] == sizes[d] for d, i in enumerate(at))
                corner = (column + shift * layer, -row - 1 + shift * layer)
                cells[stored].append(Rectangle(corner, 1, 1))
        for stored, patches in sorted(cells.items()):  # the stored ones on top
            style = {"facecolor": tint(color, 0.6), "edgecolor": color}
            if not stored:
                style = {"facecolor": tint(color, 0.12), "edgecolor": tint(color, 0.7)}
                style["hatch"] = "////"
            if patches:
                ax.add_collection(PatchCollection(patches, linewidth=1.0, **style))
    width, height = columns + shift * (layers - 1), rows + shift * (layers - 1)
    cut = [n for n in sizes if n > LARGEST]
    more = int(np.prod(full[:-3])) if len(full) > 3 else 1
    words = [f"drawn up to {LARGEST} cells per axis"] if cut else []
    words += [f"and {more} such blocks"] if more > 1 else []
    if words:
        ax.text(0, -rows - 0.25, ", ".join(words), size=8.5, color=GREY, va="top")
    ax.set(xlim=(-0.1, width + 0.1), ylim=(-rows - (0.9 if words else 0.1), height - rows + 0.1))
    ax.set_anchor("C")
