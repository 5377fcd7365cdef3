"""How whole networks behave: a cyclic one in time, one that loses units, one that overfits."""

import numpy as np
from matplotlib.patches import Rectangle

from .figure import (
    BLUE,
    GREY,
    ORANGE,
    Figure,
    color,
    line,
    listing,
    marker,
    number,
    percent,
    styled,
    tint,
)


@styled
def state_trace(traces, names, updated, *, title="One neuron is updated at a time"):
    """The states of a cyclic network of threshold neurons, step by step.

    traces : {name: (T, K) states, 0 or 1}, from the initial state on
    names : of the K neurons
    updated : {name: (T - 1,) which neuron was computed before each later state}
    """
    longest = max(len(states) for states in traces.values())
    fig = Figure(1.7 + 0.52 * longest, 0.75 + (0.42 * len(names) + 0.8) * len(traces))
    axes = fig.subplots(len(traces), 1, squeeze=False)[:, 0]
    said = []
    for ax, (name, states) in zip(axes, traces.items(), strict=True):
        states = np.asarray(states, dtype=int)
        for t, state in enumerate(states):
            for k, on in enumerate(state):
                now = t > 0 and updated[name][t - 1] == k
                box = Rectangle(
                    (t - 0.42, k - 0.42), 0.84, 0.84, facecolor=tint(BLUE, 0.6) if on else "white",
                    edgecolor=ORANGE if now else "#bbbbbb", linewidth=2.8 if now else 0.9,
                    zorder=2 if now else 1,
                )  # fmt: skip
                ax.add_patch(box)
                ax.text(t, k, str(on), ha="center", va="center", zorder=3)
        ax.set(xlim=(-0.6, longest - 0.4), ylim=(len(names) - 0.4, -0.6), aspect="equal")
        ax.set_xticks(range(longest))
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        end = _ending(states, len(names))
        ax.set_title(f"{name}: {end}")
        words = ["".join(map(str, state)) for state in states]
        said.append(f"{name}: {', '.join(words)}; {end}")
    axes[-1].set_xlabel("step; the neuron just computed is framed")
    fig.alt = f"{title}; states {', '.join(names)}. {'. '.join(said)}."
    return fig


def _ending(states, n_neurons):
    """Whether a trace stands still for a whole round, or comes back to where it was."""
    if len(states) > n_neurons and (states[-n_neurons - 1 :] == states[-1]).all():
        first = int(np.flatnonzero((states != states[-1]).any(axis=1)).max(initial=-1)) + 1
        return f"stops, nothing changes after step {first}"
    for period in range(n_neurons, len(states), n_neurons):  # whole rounds: the same neuron's turn
        if (states[period:] == states[:-period]).all():
            return f"never stops, the states repeat every {period} steps"
    return "goes on"


@styled
def graceful_degradation(shares, accuracies, *, chance=None, title=None):
    """Accuracy of a network with more and more of its hidden units silenced.

    shares : (S,) of the units that are silent, in [0, 1]
    accuracies : {name: (S, R)}, R random choices of the silent units
    chance : accuracy of guessing, as a line
    """
    shares = np.asarray(shares, dtype=float)
    fig = Figure(7.0, 4.1)
    ax = fig.subplots()
    said = []
    for i, (name, runs) in enumerate(accuracies.items()):
        runs = np.asarray(runs, dtype=float)
        mean, deviation = runs.mean(axis=1), runs.std(axis=1)
        shift = 0.006 * (i - (len(accuracies) - 1) / 2)  # or the bars would hide each other
        ax.errorbar(
            shares + shift, mean, deviation, color=color(i), linestyle=line(i), marker=marker(i),
            capsize=4, elinewidth=1.3, label=name,
        )  # fmt: skip
        at = [0, len(shares) // 2, len(shares) - 1]
        each = listing(f"{percent(mean[j])} with {100 * shares[j]:.0f} % silent" for j in at)
        said.append(f"{name} {each}")
    if chance is not None:
        ax.axhline(chance, color=GREY, linestyle=":", label=f"guessing, {percent(chance)}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    ax.grid(axis="y")
    repeats = next(iter(accuracies.values())).shape[1]
    ax.set(xlabel="silenced hidden units", ylabel="accuracy", ylim=(None, 1.03))
    ax.set_title(title or f"Damage costs little at first (mean ± deviation, {repeats} draws)")
    fig.legend(loc="outside lower center", ncols=3)
    fig.alt = f"Accuracy against the share of silenced hidden units: {'; '.join(said)}."
    return fig


@styled
def overfit_small_batch(histories, *, n_classes, xlabel="step"):
    """The first test of a training loop: a few examples must be learned by heart.

    histories : {name: (losses (T,), accuracies (T,))}
    """
    fig = Figure(9.0, 3.8)
    left, right = fig.subplots(1, 2)
    start = np.log(n_classes)
    said = []
    for i, (name, (losses, accuracies)) in enumerate(histories.items()):
        losses, accuracies = np.asarray(losses, float), np.asarray(accuracies, float)
        style = {"color": color(i), "linestyle": line(i)}
        at = np.arange(1, len(losses) + 1)
        left.semilogy(at, losses, label=name, **style)
        right.plot(at, accuracies, **style)
        perfect = np.flatnonzero(accuracies >= 1)
        when = f"all right from {xlabel} {perfect[0] + 1}" if len(perfect) else (
            f"{percent(accuracies[-1])} right at the end"
        )  # fmt: skip
        said.append(f"{name}: loss {number(losses[0])} to {number(losses[-1])}, {when}")
    left.axhline(start, color=GREY, linestyle=":", linewidth=1.4)
    place = {"textcoords": "offset points", "ha": "right", "va": "top", "color": GREY}
    left.annotate(f"guessing: log {n_classes} = {start:.2f}", (1, start), (-2, -5),
                  xycoords=left.get_yaxis_transform(), size=9, **place)  # fmt: skip
    right.axhline(1 / n_classes, color=GREY, linestyle=":", linewidth=1.4)
    right.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    right.set(title="accuracy on the same examples", xlabel=xlabel, ylim=(-0.02, 1.04))
    left.set(title="training loss", xlabel=xlabel)
    for ax in (left, right):
        ax.grid(axis="y")
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    fig.alt = (
        f"Loss and accuracy on a few examples to be learned by heart; {'; '.join(said)}; "
        f"guessing costs {start:.2f}."
    )
    return fig
