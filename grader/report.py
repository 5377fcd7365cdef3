"""The class at a glance: students by exercises, as a table in the terminal and as a picture."""

import numpy as np
from rich.table import Table

from grader.gradebook import exercise_columns, scores
from utils.figures.figure import Figure, styled


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


def class_table(course):
    """Students in rows, units in columns, points of points in the cells."""
    rows = scores(course)
    units = sorted({row.unit for row in rows})
    table = Table(title="The class", title_justify="left")
    table.add_column("student")
    for unit in units:
        table.add_column(unit.split("_")[0], justify="right")
    table.add_column("points", justify="right")
    table.add_column("to read by hand", justify="right")
    for student in sorted({row.student for row in rows}):
        own = [row for row in rows if row.student == student]
        table.add_row(
            student,
            *(total([row for row in own if row.unit == unit]) for unit in units),
            total(own),
            str(sum(row.by_hand for row in own)),
        )
    return table


def total(rows):
    """Points of points; a dash where nothing was handed in."""
    if not rows:
        return "–"
    return f"{sum(row.points for row in rows):g} of {sum(row.most for row in rows):g}"


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
