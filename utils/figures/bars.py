"""Amounts side by side, and how a set is cut into parts."""

import numpy as np
from matplotlib.patches import Patch

from .figure import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    Figure,
    color,
    listing,
    number,
    styled,
    tint,
)

HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\")


@styled
def error_parts(models, *, xlabel="share of examples wrong, in %", title=None):
    """The four errors that add up to what a trained model gets wrong.

    models : {name: {"Bayes": ..., "approximation": ..., "estimation": ..., "optimization": ...}}
             in percent; a part may be left out
    """
    parts = ("Bayes", "approximation", "estimation", "optimization")
    paints = (BLACK, BLUE, ORANGE, GREEN)
    for name, values in models.items():
        if unknown := set(values) - set(parts):
            raise ValueError(f"{name}: unknown part {sorted(unknown)[0]!r}, wanted {parts}")
    fig = Figure(8.0, 1.7 + 0.55 * len(models))
    ax = fig.subplots()
    longest = max(sum(values.values()) for values in models.values())
    said = []
    for row, (name, values) in enumerate(models.items()):
        left = 0.0
        for part, paint, hatch in zip(parts, paints, HATCHES, strict=False):
            value = float(values.get(part, 0))
            if value == 0:
                continue
            ax.barh(
                row, value, left=left, height=0.6, color=tint(paint, 0.55), hatch=hatch,
                edgecolor=paint, linewidth=1,
            )  # fmt: skip
            if value > 0.04 * longest:  # a smaller part has no room for its number
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
                ax.text(left + value / 2, row, number(value), ha="center", va="center", bbox=box)
            left += value
        ax.text(left, row, f"  {number(left)}", va="center", weight="bold")
        each = listing(f"{part} {number(values.get(part, 0))}" for part in parts)
        said.append(f"{name} {number(left)} in all ({each})")
    ax.set_yticks(range(len(models)), list(models))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12 * longest)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(xlabel)
    ax.set_title(title or "Four errors add up")
    patches = [
        Patch(facecolor=tint(paint, 0.55), edgecolor=paint, hatch=hatch, label=part)
        for part, paint, hatch in zip(parts, paints, HATCHES, strict=False)
    ]
    fig.legend(handles=patches, loc="outside lower center", ncols=4)
    fig.alt = f"Parts of the error, {xlabel}: {'; '.join(said)}."
    return fig


@styled
def timing_bars(seconds, *, title="Time for one call"):
    """How long each way took, on a logarithmic axis.

    seconds : {name: seconds}
    The alt text names the ways but not their times, nor their order: both change from run to
    run, and nbval compares the alt text.
    """
    fig = Figure(7.0, 1.3 + 0.5 * len(seconds))
    ax = fig.subplots()
    names, times = list(seconds), np.array(list(seconds.values()), dtype=float)
    ax.barh(names, times, height=0.6, color=tint(BLUE, 0.6), edgecolor=BLUE)
    for row, time in enumerate(times):
        ax.text(time, row, f"  {_duration(time)}", va="center")
    ax.set_xscale("log")
    ax.set_xlim(10 ** np.floor(np.log10(times.min()) - 0.3), times.max() * 6)
    ax.xaxis.set_major_formatter(lambda value, _: _duration(value))
    ax.minorticks_off()
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set(title=title, xlabel="time, logarithmic")
    fig.alt = f"{title}, measured on this machine, on a logarithmic axis: {listing(names)}."
    return fig


def _duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


@styled
def split_strip(sizes, *, title="One shuffled set, cut once"):
    """How many examples go to each part.

    sizes : {"training": n, "validation": n, "test": n}
    """
    fig = Figure(8.0, 1.6)
    ax = fig.subplots()
    total, left = sum(sizes.values()), 0
    for i, (name, n) in enumerate(sizes.items()):
        ax.barh(
            0, n, left=left, height=0.8, color=tint(color(i), 0.4), edgecolor=color(i),
            hatch=HATCHES[i % len(HATCHES)],
        )  # fmt: skip
        box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
        text = f"{name}\n{n} ({100 * n / total:.0f} %)"
        ax.text(left + n / 2, 0, text, ha="center", va="center", bbox=box)
        left += n
    ax.set(xlim=(0, total), ylim=(-0.5, 0.5), title=title, xlabel="number of examples", yticks=[])
    ax.spines["left"].set_visible(False)
    each = listing(f"{name} {n} ({100 * n / total:.0f} %)" for name, n in sizes.items())
    fig.alt = f"{total} examples are cut into {each}."
    return fig


@styled
def fold_strips(folds, *, title=None):
    """Which examples each round of cross-validation holds out.

    folds : list of (train, validation) index arrays
    """
    n = max(int(max(train.max(initial=0), held.max())) for train, held in folds) + 1
    fig = Figure(8.0, 1.7 + 0.32 * len(folds))
    ax = fig.subplots()
    width = 1 if n <= 60 else 0
    for row, (train, held) in enumerate(folds):
        for index, paint, hatch in ((train, BLUE, ""), (held, ORANGE, "////")):
            runs = np.split(np.sort(index), np.flatnonzero(np.diff(np.sort(index)) > 1) + 1)
            bars = [(run[0], len(run)) for run in runs if len(run)]
            style = {"facecolor": tint(paint, 0.45), "edgecolor": paint, "linewidth": 0.6 * width}
            ax.broken_barh(bars, (row - 0.38, 0.76), hatch=hatch if width else "", **style)
    ax.set_yticks(range(len(folds)), [f"round {i + 1}" for i in range(len(folds))])
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, n), xlabel="index of the example")
    ax.xaxis.get_major_locator().set_params(integer=True)
    times = np.bincount(np.concatenate([held for _, held in folds]), minlength=n)
    once = "every example is" if (times == 1).all() else "not every example is"
    ax.set_title(title or f"{len(folds)}-fold: {once} held out exactly once")
    patches = [
        Patch(facecolor=tint(BLUE, 0.45), edgecolor=BLUE, label="train"),
        Patch(facecolor=tint(ORANGE, 0.45), edgecolor=ORANGE, hatch="////", label="held out"),
    ]
    fig.legend(handles=patches, loc="outside lower center", ncols=2)
    sizes = listing(len(held) for _, held in folds)
    fig.alt = (
        f"{len(folds)} rounds over {n} examples; held out in each round: {sizes}; "
        f"{once} held out exactly once."
    )
    return fig


@styled
def softmax_bars(scores, probabilities, *, class_names=None, title=None):
    """Scores, and the probabilities that one or more functions make of them.

    scores : (C,);  probabilities : {name: (C,)}; what is not a number is written where its
    bar would be
    """
    scores = np.asarray(scores, dtype=float)
    n_classes = len(scores)
    names = class_names or [f"class {i}" for i in range(n_classes)]
    fig = Figure(8.6, 3.5)
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.5))
    at = np.arange(n_classes)
    left.bar(at, scores, width=0.6, color=tint(BLACK, 0.35), edgecolor=GREY)
    span = max(scores.max(), 0) - min(scores.min(), 0) or 1.0
    for i, score in enumerate(scores):
        left.text(
            i, score + (0.02 if score >= 0 else -0.02) * span, number(score, 6), ha="center",
            va="bottom" if score >= 0 else "top",
        )  # fmt: skip
    left.axhline(0, color=GREY, linewidth=0.8)
    left.set_ylim(min(scores.min(), 0) - 0.14 * span, max(scores.max(), 0) + 0.14 * span)
    left.set(title="scores", yticks=[])  # the numbers stand on the bars
    left.spines[["left", "bottom"]].set_visible(False)

    width = 0.8 / max(len(probabilities), 1)
    said = []
    for j, (name, p) in enumerate(probabilities.items()):
        p = np.asarray(p, dtype=float)
        paint = (BLUE, ORANGE, GREEN, PURPLE)[j % 4]
        place = at + (j - (len(probabilities) - 1) / 2) * width
        right.bar(
            place, np.where(np.isfinite(p), p, 0), width=0.9 * width, color=tint(paint, 0.6),
            edgecolor=paint, hatch=HATCHES[j % len(HATCHES)], label=name,
        )  # fmt: skip
        for x, value in zip(place, p, strict=True):
            text = f"{value:.2f}" if np.isfinite(value) else str(value)
            height = min(value, 1.0) if np.isfinite(value) else 0
            weight = "normal" if np.isfinite(value) else "bold"
            right.text(x, height + 0.015, text, ha="center", va="bottom", size=9, weight=weight)
        said.append(f"{name} ({', '.join(f'{v:.2f}' for v in p)})")
    right.set(ylim=(0, 1.12), title=title or "probabilities", ylabel="probability")
    right.set_xlim(-0.6, n_classes - 0.4)
    right.set_yticks([0, 0.25, 0.5, 0.75, 1])
    for ax in (left, right):
        ax.set_xticks(at, names)
        ax.tick_params(axis="x", length=0)
    if len(probabilities) > 1:
        fig.legend(loc="outside lower right", ncols=len(probabilities))
    each = ", ".join(number(s, 6) for s in scores)
    fig.alt = f"Probabilities of the scores ({each}): {'; '.join(said)}."
    return fig
