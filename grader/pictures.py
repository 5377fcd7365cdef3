"""Pictures of a class: who solved what, how the points are spread, which exercises are hard."""

import numpy as np

from grader.gradebook import exercise_columns, scores
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


def score_grid(course, unit=None):
    """(students, exercises, grid) of a unit, or of all.

    grid: (S, E) share of the points, nan where nothing was handed in or a person has to read
    """
    rows = [row for row in scores(course) if unit in (None, row.unit)]
    students = sorted({row.student for row in rows})
    exercises = exercise_columns(rows)
    grid = np.full((len(students), len(exercises)), np.nan)
    at = {name: place for places in (students, exercises) for place, name in enumerate(places)}
    for row in rows:
        if not row.by_hand:
            grid[at[row.student], at[row.unit, row.exercise]] = row.points / row.most
    return students, exercises, grid


@styled
def class_picture(course, unit=None):
    """Students by exercises; dark is solved, pale is not, hatched was not handed in or is by hand.

    unit   : only this one
    returns: a Figure
    """
    students, exercises, grid = score_grid(course, unit)
    tall = len(students) > 30  # closer together, and names where one begins to read
    row = 0.17 if tall else 0.34  # inches
    figure = Figure(max(6.4, 2.5 + 0.36 * len(exercises)), 1.9 + row * len(students))
    ax = figure.subplots()
    ax.set_facecolor("white")
    ax.patch.set(hatch="////", edgecolor="0.8")
    style = {"edgecolors": "white", "linewidth": 1 if tall else 2}
    image = ax.pcolormesh(grid, cmap="Blues", vmin=-0.15, vmax=1, **style)
    ax.invert_yaxis()
    names = [name for _, name in exercises]
    side = "left" if tall else "right"
    ax.xaxis.set_ticks_position("top" if tall else "bottom")
    ax.set_xticks(np.arange(len(exercises)) + 0.5, names, rotation=60, fontsize=8)
    for label in ax.get_xticklabels():
        label.set(horizontalalignment=side, rotation_mode="anchor")
    ax.set_yticks(np.arange(len(students)) + 0.5, students, fontsize=8 if tall else 9.5)
    edge, va = (len(students) + 0.4, "top") if tall else (-0.2, "bottom")
    starts = [i for i, (unit, _) in enumerate(exercises) if i == 0 or exercises[i - 1][0] != unit]
    for start in starts:
        ax.axvline(start, color="0.2", linewidth=1.5)
        ax.text(start + 0.1, edge, f"unit {exercises[start][0][:2]}", va=va, fontsize=9)
    told = "hatched: not handed in, or a person still has to read it"
    ax.text(len(exercises), edge, told, va=va, ha="right", fontsize=8, color="0.35")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=ax, label="share of the points", fraction=0.03, pad=0.02)
    bar.ax.set_ylim(0, 1)  # the scale starts below 0 so that 0 is not white
    solved = int(np.nansum(grid == 1))
    figure.alt = (
        f"{len(students)} students by {len(exercises)} exercises: "
        f"{solved} of {int(np.isfinite(grid).sum())} graded answers have all points."
    )
    return figure


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
