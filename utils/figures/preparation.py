"""What the preparation of data does to a cloud of points."""

import numpy as np

from .figure import Figure, color, number, styled


@styled
def whitening_stages(stages, *, labels=None, limits=None):
    """The same points after each stage, with their covariance.

    stages : {name: (N, 2)}, or {name: str} to say why there is nothing to draw
    labels : (N,) ints to color the points by, so that one can follow them
    limits : {name: (low, high) of both axes}, where the view must stay while data changes
    """
    fig = Figure(2.6 * len(stages), 3.7)
    axes = fig.subplots(1, len(stages), squeeze=False)[0]
    said = []
    for ax, (name, x) in zip(axes, stages.items(), strict=True):
        ax.set_title(name)
        if isinstance(x, str):
            ax.set_axis_off()
            ax.text(
                0.5, 0.5, x, ha="center", va="center", wrap=True, transform=ax.transAxes,
                parse_math=False,
            )  # fmt: skip
            said.append(f"{name}: {x}")
            continue
        low, high = (limits or {}).get(name) or _view(x)
        for axis in (ax.axhline, ax.axvline):
            axis(0, color="#bbbbbb", linewidth=0.9, zorder=0)
        groups = np.zeros(len(x), int) if labels is None else labels
        for group in np.unique(groups):
            at = groups == group
            ax.scatter(*x[at].T, s=9, c=[color(group)], alpha=0.75, linewidths=0)
        ax.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="first coordinate")
        ax.locator_params(nbins=5)
        (a, b), (_, d) = cov = np.cov(x.T, bias=True)
        rows = [f"{v:8.2f} {u:8.2f}" for v, u in cov.round(2) + 0.0]
        mean = x.mean(axis=0)
        text = f"mean ({_plain(mean[0])}, {_plain(mean[1])})\ncovariance\n" + "\n".join(rows)
        ax.text(
            0.5, -0.27, text, transform=ax.transAxes, ha="center", va="top", size=9,
            family="DejaVu Sans Mono",
        )  # fmt: skip
        said.append(
            f"{name} ({_plain(a)}, {_plain(b)}; {_plain(b)}, {_plain(d)}), "
            f"mean ({_plain(mean[0])}, {_plain(mean[1])})"
        )
    axes[0].set_ylabel("second coordinate")
    fig.alt = f"A cloud of points in stages; covariance by stage: {'; '.join(said)}."
    return fig


def _view(x):
    """Limits that hold the points and the origin."""
    low, high = min(x.min(), 0), max(x.max(), 0)
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _plain(value):
    return number(round(float(value), 2) + 0.0)
