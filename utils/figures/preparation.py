"""What the preparation of data does to a cloud of points."""

import numpy as np

from .figure import GREY, Figure, color, marker, number, styled


@styled
def whitening_stages(stages, *, labels=None, limits=None):
    """The same points after each stage, with their covariance.

    stages : {name: (N, 2)}, or {name: str} to say why there is nothing to draw
    labels : (N,) ints to color the points by, so that one can follow them
    limits : {name: (low, high) of both axes}, where the view must stay while data changes
    """
    fig = Figure(2.6 * len(stages), 4.0)
    fig.get_layout_engine().set(rect=(0, 0.03, 1, 0.97))  # the words below need air, too
    axes = fig.subplots(1, len(stages), squeeze=False)[0]
    said = []
    for ax, (name, x) in zip(axes, stages.items(), strict=True):
        ax.set_title(name)
        if isinstance(x, str):
            ax.set(xticks=[], yticks=[], xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
            ax.spines[:].set_visible(False)
            ax.text(0, 0, x, ha="center", va="center", color=GREY, parse_math=False)
            _below(ax, "\n\n\n ")
            said.append(f"{name}: {x}")
            continue
        low, high = (limits or {}).get(name) or _view(x)
        for axis in (ax.axhline, ax.axvline):
            axis(0, color="#bbbbbb", linewidth=0.9, zorder=0)
        groups = np.zeros(len(x), int) if labels is None else labels
        for i, group in enumerate(np.unique(groups)):
            at = groups == group
            ax.plot(*x[at].T, marker(i), color=color(i), ms=3.2, mew=0, alpha=0.75)
        ax.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="first coordinate")
        ax.locator_params(nbins=4)
        if ax is not axes[0]:
            ax.set_yticks([])  # both axes have one scale, and every tick costs a millisecond
        (a, b), (_, d) = cov = np.cov(x.T, bias=True)
        rows = [f"{v:8.2f} {u:8.2f}" for v, u in cov.round(2) + 0.0]
        mean = x.mean(axis=0)
        text = f"mean ({_plain(mean[0])}, {_plain(mean[1])})\ncovariance\n" + "\n".join(rows)
        _below(ax, text)
        said.append(
            f"{name} ({_plain(a)}, {_plain(b)}; {_plain(b)}, {_plain(d)}), "
            f"mean ({_plain(mean[0])}, {_plain(mean[1])})"
        )
    axes[0].set_ylabel("second coordinate")
    fig.alt = f"A cloud of points in stages; covariance by stage: {'; '.join(said)}."
    return fig


def _below(ax, text):
    style = {"ha": "center", "va": "top", "size": 9, "family": "DejaVu Sans Mono"}
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(text, (0.5, 0), (0, -42), **place, **style)


def _view(x):
    """Limits that hold the points and the origin."""
    low, high = min(x.min(), 0), max(x.max(), 0)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _plain(value):
    return number(round(float(value), 2) + 0.0)
