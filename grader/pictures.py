"""Pictures of a class: who solved what, how the points are spread, which exercises are hard."""

import numpy as np

from grader.judge import OUTCOMES
from utils.figures.figure import (
    BLACK,
    BLUE,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Figure,
    listing,
    plural,
    styled,
    tint,
)

PAINTS = dict(zip(OUTCOMES, (BLUE, ORANGE, VERMILLION, PURPLE, SKY, BLACK, None), strict=True))
HATCHES = dict(zip(OUTCOMES, ("", "", "////", "....", "xxxx", "\\\\\\\\", ""), strict=True))


@styled
def score_spread(shares, unit_shares):
    """How the points are spread: the whole class on the left, unit by unit on the right.

    shares     : (S,) every student's share of the points
    unit_shares: {short name of a unit: shares of those who handed it in}
    returns    : a Figure
    """
    figure = Figure(9.6, 3.2 + 0.12 * max(0, len(unit_shares) - 6))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    counts, edges = np.histogram(shares, bins=np.linspace(0, 1, 11))
    left.bar(edges[:-1], counts, width=0.1, align="edge", color=tint(BLUE, 0.6), edgecolor="white")
    left.axvline(np.median(shares), color=ORANGE)
    left.set(title="all units together", xlabel="share of the points", ylabel="students")
    left.yaxis.get_major_locator().set_params(integer=True)
    rng = np.random.default_rng(0)
    for row, own in enumerate(unit_shares.values()):
        height = row + rng.uniform(-0.22, 0.22, len(own)) * (len(own) > 1)
        right.scatter(own, height, s=22, color=BLUE, alpha=0.45, linewidths=0, clip_on=False)
        right.plot([np.median(own)] * 2, [row - 0.36, row + 0.36], color=ORANGE)
    right.set_yticks(range(len(unit_shares)), list(unit_shares))
    right.set(
        title="unit by unit", xlabel="share of the points", ylim=(len(unit_shares) - 0.4, -0.6)
    )
    right.tick_params(axis="y", length=0)
    for ax in (left, right):
        ax.set_xlim(0, 1)
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    right.spines["left"].set_visible(False)
    right.grid(axis="x")
    medians = listing(f"{unit} {100 * np.median(s):.0f} %" for unit, s in unit_shares.items())
    figure.alt = (
        f"Shares of the points of {plural(len(shares), 'student')}: half of them have "
        f"{100 * np.median(shares):.0f} % or more. Medians of the units: {medians}. "
        "An orange line marks each median."
    )
    return figure


@styled
def outcome_bars(counts):
    """What became of each exercise, as shares of those who handed it in.

    counts : {name of an exercise: {outcome: how many}}, from the top down
    returns: a Figure
    """
    figure = Figure(9.6, 1.4 + 0.32 * len(counts))
    ax = figure.subplots()
    seen = [outcome for outcome in OUTCOMES if any(own.get(outcome) for own in counts.values())]
    left = np.zeros(len(counts))
    rows = np.arange(len(counts))
    totals = np.array([sum(own.values()) for own in counts.values()])
    for outcome in seen:
        number = np.array([own.get(outcome, 0) for own in counts.values()])
        paint = PAINTS[outcome]
        ax.barh(
            rows, number / totals, left=left, height=0.7, label=outcome, hatch=HATCHES[outcome],
            color=tint(paint, 0.55) if paint else "0.94", edgecolor=paint or "0.75", linewidth=0.8,
        )  # fmt: skip
        for row in np.flatnonzero(number):
            if number[row] / totals[row] > 0.035:  # a narrower part has no room for its number
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
                middle = left[row] + number[row] / totals[row] / 2
                ax.text(
                    middle, row, f"{number[row]}", ha="center", va="center", fontsize=8, bbox=box
                )
        left += number / totals
    ax.set_yticks(rows, list(counts))
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), ylim=(len(counts) - 0.4, -0.6), xticks=[])
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(seen))
    each = "; ".join(
        f"{name}: " + listing(f"{own[o]} {o}" for o in seen if own.get(o))
        for name, own in counts.items()
    )
    figure.alt = f"What became of the hardest exercises. {each}."
    return figure
