"""Neurons over the plane: where they are on, where they are off, and what two layers make of it."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .classification import draw_arrow, draw_line
from .figure import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    VERMILLION,
    Figure,
    listing,
    number,
    plural,
    styled,
    tint,
)

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
NAMES = ("00", "01", "10", "11")
VIEW = (-0.75, 1.75)
SIDE = 101  # points of the plane along each axis
SHADES = LinearSegmentedColormap.from_list(
    "off to on", [tint(ORANGE, 0.55), (0.985, 0.985, 0.985), tint(BLUE, 0.55)]
)
FUNCTIONS = {  # by the outputs at 00, 01, 10, 11
    (0, 0, 0, 1): "AND",
    (0, 1, 1, 1): "OR",
    (1, 1, 1, 0): "NAND",
    (1, 0, 0, 0): "NOR",
    (0, 1, 1, 0): "XOR",
    (1, 0, 0, 1): "XNOR",
    (0, 0, 1, 1): "x1",
    (0, 1, 0, 1): "x2",
    (1, 1, 0, 0): "NOT x1",
    (1, 0, 1, 0): "NOT x2",
    (0, 0, 0, 0): "the constant 0",
    (1, 1, 1, 1): "the constant 1",
}


def boolean_plane(view=VIEW, side=SIDE):
    """Points that cover the plane around the four Boolean inputs: (side^2, 2)."""
    at = np.linspace(*view, side)
    across, up = np.meshgrid(at, at)
    return np.stack([across.ravel(), up.ravel()], axis=1)


@styled
def neuron_plane(neuron, w, b, *, name="activation", activation=None, side=SIDE):
    """What one neuron gives at every point of the plane, and by which curve.

    neuron : function (x (N, 2), w (2,), b) -> (N,)
    activation : function of the potential alone, for the curve; made from neuron by default
    side : points along each axis of the plane, fewer for a slow neuron
    """
    w, b = np.asarray(w, dtype=float), float(b)
    activation = activation or (lambda xi: neuron(xi[:, None] * [1.0, 0.0], np.array([1.0, 0]), 0))
    plane = np.asarray(neuron(boolean_plane(side=side), w, b), dtype=float)
    potentials = CORNERS @ w + b
    outputs = np.asarray(neuron(CORNERS, w, b), dtype=float)
    reach = max(4.0, 1.15 * np.abs(potentials).max())
    xi = np.linspace(-reach, reach, 401)
    curve = np.asarray(activation(xi), dtype=float)
    low, high = min(plane.min(), curve.min(), 0), max(plane.max(), curve.max(), 1)

    fig = Figure(8.8, 3.9)
    fig.get_layout_engine().set(wspace=0.05)
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.2))
    _shade(left, plane, low, high)
    draw_line(left, w, b, color=BLACK)
    draw_arrow(left, w, b, avoid=CORNERS)
    _label_corners(left, [number(round(v, 2)) for v in outputs])
    _plane_axes(left)
    binary = np.isin(outputs, (0, 1)).all()
    said = FUNCTIONS.get(tuple(outputs.astype(int)), "") if binary else ""
    left.set_title(f"the neuron computes {said}" if said else "output at every point")

    pad = 0.07 * (high - low)
    ramp = np.linspace(low - pad, high + pad, 64)[:, None]
    right.imshow(
        ramp, cmap=SHADES, vmin=low, vmax=high, origin="lower", aspect="auto", zorder=0,
        extent=(-reach, reach, low - pad, high + pad),
    )  # fmt: skip
    right.axvline(0, color=BLACK, linewidth=2)
    right.plot(xi, curve, color="#333333")
    for p, y, text in _grouped(potentials, outputs):
        right.plot(p, y, "o", color="white", mec=BLACK, mew=1.4, ms=9, zorder=4)
        right.annotate(text, (p, y), (0, 9 if y < (low + high) / 2 else -9), ha="center",
                       textcoords="offset points", size=9,
                       va="bottom" if y < (low + high) / 2 else "top")  # fmt: skip
    right.set(xlim=(-reach, reach), ylim=(low - pad, high + pad), title=f"{name} of the potential")
    right.set(xlabel="potential w1 x1 + w2 x2 + b", ylabel="output")
    right.locator_params(nbins=4)  # every tick costs a millisecond
    each = listing(f"{number(round(v, 2))} at {n}" for n, v in zip(NAMES, outputs, strict=True))
    fig.alt = (
        f"One neuron, {name}, with w = ({number(w[0])}, {number(w[1])}), b = {number(b)}: its "
        f"output is {each}" + (f", which is {said}." if said else ".")
    )
    return fig


@styled
def threshold_network(w1, b1, w2, b2, *, target=(0, 1, 1, 0), target_name="XOR"):
    """Two threshold neurons, each a half-plane, and a third that combines them.

    w1 : (2, 2), column j the weights of hidden neuron j;  b1 : (2,);  w2 : (2,);  b2 : number
    target : wanted outputs at 00, 01, 10 and 11
    """
    w1, b1 = np.asarray(w1, dtype=float), np.asarray(b1, dtype=float)
    w2, b2 = np.asarray(w2, dtype=float).ravel(), float(np.asarray(b2).item())
    grid = boolean_plane()
    hidden = (grid @ w1 + b1 >= 0).astype(float)
    at_corners = (CORNERS @ w1 + b1 >= 0).astype(float)
    outputs = (at_corners @ w2 + b2 >= 0).astype(int)
    right = int((outputs == np.asarray(target)).sum())
    fig = Figure(9.3, 3.8)
    axes = fig.subplots(1, 3)
    for j, ax in enumerate(axes[:2]):
        _shade(ax, hidden[:, j], 0, 1)
        draw_line(ax, w1[:, j], b1[j], color=BLACK)
        draw_arrow(ax, w1[:, j], b1[j], avoid=CORNERS)
        _label_corners(ax, at_corners[:, j].astype(int))
        ax.set_title(f"h{j + 1} = [{_formula(w1[:, j], b1[j], 'x')} ≥ 0]", size=10.5)
    _shade(axes[2], (hidden @ w2 + b2 >= 0).astype(float), 0, 1)
    for j in (0, 1):
        draw_line(axes[2], w1[:, j], b1[j], color=GREY, linestyle="--", linewidth=1.2)
    _label_corners(axes[2], outputs, wrong=outputs != np.asarray(target))
    axes[2].set_title(f"y = [{_formula(w2, b2, 'h')} ≥ 0]", size=10.5)
    for ax in axes:
        _plane_axes(ax)
    for ax in axes[1:]:
        ax.set(ylabel="", yticks=[])  # every tick costs a millisecond
    axes[2].set_xlabel(f"x1\n{target_name}: {right} of 4 right")
    axes[0].set_xlabel("x1\nfirst hidden neuron")
    axes[1].set_xlabel("x1\nsecond hidden neuron")
    fig.alt = (
        f"A network of three threshold neurons, h1 = [{_formula(w1[:, 0], b1[0], 'x')} ≥ 0], "
        f"h2 = [{_formula(w1[:, 1], b1[1], 'x')} ≥ 0], y = [{_formula(w2, b2, 'h')} ≥ 0]: "
        f"its output at 00, 01, 10 and 11 is {listing(outputs)}; "
        f"{plural(right, 'output')} of 4 as {target_name} wants."
    )
    return fig


def _shade(ax, values, low, high):
    side = round(np.sqrt(len(values)))
    shades = (255 * SHADES((values - low) / (high - low))[:, :3]).astype(np.uint8)
    ax.imshow(
        shades.reshape(side, side, 3), extent=(*VIEW, *VIEW), origin="lower",
        interpolation="bilinear", zorder=0,
    )  # fmt: skip
    ax.set(xlim=VIEW, ylim=VIEW)


def _label_corners(ax, texts, wrong=(False,) * 4):
    for (x1, x2), text, bad in zip(CORNERS, texts, wrong, strict=True):
        style = {"mec": VERMILLION if bad else BLACK, "mew": 2.6 if bad else 1.4}
        ax.plot(x1, x2, "o", ms=9, color="white", zorder=4, **style)
        where = (-9 if x1 == 0 else 9, -9 if x2 == 0 else 9)
        ax.annotate(
            f"{text}" + (" ✗" if bad else ""), (x1, x2), where, textcoords="offset points",
            ha="right" if x1 == 0 else "left", va="top" if x2 == 0 else "bottom", zorder=5,
            weight="bold", color=VERMILLION if bad else BLACK,
        )  # fmt: skip


def _plane_axes(ax):
    ax.set(xlabel="x1", ylabel="x2", xticks=[0, 1], yticks=[0, 1], aspect="equal")


def _grouped(potentials, outputs):
    """(potential, output, names of the inputs that lie there)."""
    seen = {}
    for p, y, name in zip(potentials.round(6), outputs.round(6), NAMES, strict=True):
        seen.setdefault((p, y), []).append(name)
    return [(p, y, ", ".join(names)) for (p, y), names in seen.items()]


def _formula(w, b, letter):
    """ "2 x1 − 0.5 x2 + 1", as one writes it."""
    said = ""
    for value, term in [(w[0], f" {letter}1"), (w[1], f" {letter}2"), (b, "")]:
        sign = "−" if value < 0 else "+"
        size = number(abs(value))
        size, term = ("", term[1:]) if size == "1" and term else (size, term)
        lead = f" {sign} " if said else ("−" if value < 0 else "")
        said += f"{lead}{size}{term}"
    return said
