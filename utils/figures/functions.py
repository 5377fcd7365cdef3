"""Functions of one number: activations with their slopes, and sums of relus that follow a curve."""

import numpy as np

from .figure import BLACK, BLUE, GREY, ORANGE, VERMILLION, Figure, number, plural, styled, tint

FLAT = 0.05  # a slope below this counts as saturated: little is learned through it


@styled
def activation_curve(name, x, values, slopes, *, at=None):
    """An activation and its derivative; where the derivative is next to zero is shaded.

    x : (G,), ascending;  values, slopes : (G,), f(x) and f'(x)
    at : the input to mark, with its value and slope
    """
    x, values, slopes = (np.asarray(a, dtype=float) for a in (x, values, slopes))
    fig = Figure(7.6, 4.3)
    ax = fig.subplots()
    flat = np.abs(slopes) < FLAT
    low = min(values.min(), slopes.min(), -0.2)
    high = max(values.max(), slopes.max(), 1.1)
    pad = 0.06 * (high - low)
    ax.fill_between(
        x, low - pad, high + pad, where=flat, step="mid", facecolor="#f0f0f0", edgecolor="#cccccc",
        hatch="//", linewidth=0, label=f"saturated: slope below {FLAT}", zorder=0,
    )  # fmt: skip
    for axis in (ax.axhline, ax.axvline):
        axis(0, color="#aaaaaa", linewidth=0.9, zorder=1)
    ax.plot(x, values, color=BLUE, label=f"{name}(x)")
    ax.plot(x, slopes, color=ORANGE, linestyle="--", label="its derivative")
    fig.alt = f"{name} and its derivative for x from {number(x[0])} to {number(x[-1])}: "
    if at is not None:
        value, slope = (float(np.interp(at, x, line)) for line in (values, slopes))
        ax.plot(at, value, "o", color=BLUE, mec="white", ms=10, zorder=4)
        ax.plot(at, slope, "s", color=ORANGE, mec="white", ms=9, zorder=4)
        reach = np.array([-1, 1]) * 0.07 * (x[-1] - x[0])
        ax.plot(at + reach, value + slope * reach, color=BLACK, linewidth=1.3, zorder=3)
        said = f"at x = {number(at)}, value {value:.3f}, derivative {slope:.3f}"
        ax.set_title(said)
        fig.alt += f"{said}; "
    steepest = int(np.abs(slopes).argmax())
    share = float(flat.mean())
    fig.alt += (
        f"the steepest slope is {number(round(float(slopes[steepest]), 3))}, and "
        f"{100 * share:.0f} % of the range is saturated (slope below {FLAT})."
    )
    ax.set(xlim=(x[0], x[-1]), ylim=(low - pad, high + pad), xlabel="potential x", ylabel="output")
    fig.legend(loc="outside lower center", ncols=3)
    return fig


@styled
def activation_grid(functions, *, reach=4.0, columns=4):
    """Activations side by side, each with its derivative.

    functions : {name: (f, f_backward)}, f (G,) -> (G,), f_backward (dout, x) -> dx
    """
    x = np.linspace(-reach, reach, 401)
    columns = min(columns, len(functions))
    rows = -(-len(functions) // columns)
    fig = Figure(2.35 * columns, 2.15 * rows + 0.45)
    axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    said = []
    for ax, (name, (f, f_backward)) in zip(axes.flat, functions.items(), strict=False):
        slopes = np.asarray(f_backward(np.ones_like(x), x), dtype=float)
        ax.axhline(0, color="#aaaaaa", linewidth=0.8, zorder=0)
        ax.axvline(0, color="#aaaaaa", linewidth=0.8, zorder=0)
        (curve,) = ax.plot(x, f(x), color=BLUE)
        (slope,) = ax.plot(x, slopes, color=ORANGE, linestyle="--", linewidth=1.7)
        flat = np.abs(slopes) < FLAT
        shade = ax.fill_between(
            x, -2, 2.6, where=flat, step="mid", facecolor="#f0f0f0", edgecolor="#cccccc",
            hatch="//", linewidth=0, zorder=-1,
        )  # fmt: skip
        ax.set(xlim=(-reach, reach), ylim=(-2, 2.6), title=name)
        said.append(f"{name} {number(round(float(np.abs(slopes).max()), 3))}")
    for ax in axes.flat[len(functions) :]:
        ax.set_axis_off()
    names = ["value", "derivative", f"saturated: slope below {FLAT}"]
    fig.legend([curve, slope, shade], names, loc="outside lower center", ncols=3)
    fig.alt = (
        f"{plural(len(functions), 'activation')} with derivative for x from {number(-reach)} to "
        f"{number(reach)}; the steepest slope of each: {', '.join(said)}."
    )
    return fig


@styled
def relu_fit(x, target, approximation, knots, units, errors, *, name="target"):
    """A sum of relus beside the curve it should follow, and how its error falls with the units.

    x, target, approximation : (G,);  knots : (K,), where the sum may bend
    units : how many relus are drawn;  errors : {number of units: largest error}
    """
    fig = Figure(9.0, 3.8)
    left, right = fig.subplots(1, 2, width_ratios=(1.7, 1))
    left.plot(x, target, color=ORANGE, linewidth=5, alpha=0.55, label=name)
    left.plot(x, approximation, color=BLUE, label=f"sum of {plural(units, 'relu')}")
    left.plot(
        knots, np.interp(knots, x, approximation), "o", ms=5, color="white", mec=BLUE, mew=1.3,
        label="knots, where it may bend", clip_on=False,
    )  # fmt: skip
    gap = np.abs(approximation - target)
    worst = int(gap.argmax())
    left.plot([x[worst]] * 2, [target[worst], approximation[worst]], color=VERMILLION, zorder=4)
    spread = np.ptp(target)
    left.set(
        xlim=(x[0], x[-1]), ylim=(target.min() - 0.15 * spread, target.max() + 0.15 * spread),
        xlabel="x", title=f"largest error {number(gap[worst])}",
    )  # fmt: skip
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    counts, sizes = np.array(list(errors)), np.maximum(list(errors.values()), 1e-12)
    right.loglog(counts, sizes, color=tint(BLACK, 0.6), marker=".", linewidth=1.2)
    right.loglog(units, max(gap[worst], 1e-12), "D", color=VERMILLION, mec=BLACK, ms=8, zorder=4)
    ticks = [n for n in (1, 2, 5, 10, 20, 50) if n <= counts.max()]
    right.set_xticks(ticks, ticks)
    powers = np.arange(np.floor(np.log10(sizes.min())), np.ceil(np.log10(sizes.max())) + 1)
    right.set_yticks(10**powers, [f"{10**p:g}" for p in powers])
    right.minorticks_off()
    right.grid(axis="y")
    right.set(xlabel="number of units", title="largest error")
    fig.alt = (
        f"{name} and the sum of {plural(units, 'relu')} through {len(knots)} of its points: the "
        f"largest error is {number(gap[worst])}, at x = {number(x[worst], 2)}; with "
        f"{counts[0]} it is {number(sizes[0])}, with {counts[-1]} {number(sizes[-1])}."
    )
    return fig


@styled
def output_gradients(losses, *, target=1, at=-5.0, reach=8.0):
    """What a logistic output learns from each loss, by how wrong it is.

    losses : {name: function of the potentials (G,) -> (loss (G,), derivative by potential (G,))}
    target : what the output should be, 0 or 1;  at : the potential at which to compare
    """
    xi = np.linspace(-reach, reach, 401)
    fig = Figure(9.0, 3.9)
    left, right = fig.subplots(1, 2)
    said, sizes = [], []
    for i, (name, loss) in enumerate(losses.items()):
        style = {"color": (BLUE, ORANGE)[i % 2], "linestyle": ("-", "--")[i % 2]}
        values, slopes = loss(xi)
        left.plot(xi, values, label=name, **style)
        right.plot(xi, np.abs(slopes), **style)
        slope = float(loss(np.array([at]))[1][0])
        sizes.append(abs(slope))
        right.plot(at, abs(slope), ("o", "s")[i % 2], color=style["color"], mec=BLACK, zorder=4)
        place = {"textcoords": "offset points", "ha": "left", "va": "top"}
        right.annotate(number(slope), (at, abs(slope)), (7, -5), **place)
        said.append(f"{name} {number(slope)}")
    ratio = max(sizes) / min(sizes)
    for ax in (left, right):
        ax.axvline(at, color=GREY, linewidth=0.9, linestyle=":", zorder=0)
        ax.set(xlim=(-reach, reach), xlabel=f"potential ξ (target {target})")
        ax.grid(axis="y")
    left.set(title="loss", ylim=(0, None))
    right.set(
        yscale="log", title=f"size of the gradient: {ratio:.0f} times apart at ξ = {number(at)}"
    )
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(losses))
    fig.alt = (
        f"Losses of a logistic output that should be {target}, against its potential, and their "
        f"derivatives; at potential {number(at)} the derivative is {'; '.join(said)}: "
        f"{ratio:.0f} times apart."
    )
    return fig
