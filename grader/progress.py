"""What the learner has passed so far, kept on the learner's own machine.

The file serves the learner alone: grading never reads it, so writing into it earns nothing.
"""

import json
import os
from datetime import datetime
from pathlib import Path

from grader.course import CHECKOUT, Course, unit_title


def progress_file():
    """Where progress is kept: $COURSE_PROGRESS, or .progress/progress.json beside the course."""
    return Path(os.environ.get("COURSE_PROGRESS", CHECKOUT / ".progress" / "progress.json"))


def load():
    """{exercise: {"passed": bool, "tries": int, "last": ISO time}}; {} when nothing was tried."""
    try:
        done = json.loads(progress_file().read_text())
        return {name: entry for name, entry in done.items() if {"passed", "tries"} <= {*entry}}
    except (OSError, ValueError, AttributeError, TypeError):  # none yet, or spoiled
        return {}


def record(exercise, passed):
    """Note one run of a check. What was passed once stays passed."""
    if os.environ.get("COURSE_PROGRESS") == "off":  # while grading
        return
    done = load()
    entry = done.setdefault(exercise, {"passed": False, "tries": 0})
    entry["passed"] = entry["passed"] or passed
    entry["tries"] += 1
    entry["last"] = datetime.now().isoformat(timespec="seconds")
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(done, indent=1, sort_keys=True))
    scratch.replace(path)  # in one step: a crash leaves the old file whole


def board(course=None):
    """The learner's progress in a notebook: every unit with what is passed, tried and untouched."""
    from IPython.display import HTML

    done = load()
    course = course or Course()
    lines = []
    for unit in course.units:
        exercises = [e for e in course.exercises(unit) if e.kind != "essay"]
        marks = "".join(
            f'<span title="{e.name}: {words}" role="img" aria-label="{e.name}: {words}" '
            f'style="font-size:1.3em;color:{color}">{mark}</span> '
            for e in exercises
            for mark, words, color in [state(done, e.name)]
        )
        passed = sum(done.get(e.name, {}).get("passed", False) for e in exercises)
        lines.append(
            f"<tr><td style='text-align:left'>{unit_title(unit)}</td>"
            f"<td style='text-align:left'>{marks}</td><td>{passed} of {len(exercises)}</td></tr>"
        )
    return HTML(f"<table>{''.join(lines)}</table>")


def print_board(course, console):
    """The same in the terminal, with the names of what is left to do."""
    from rich.table import Table

    done = load()
    table = Table(title="Your progress", title_justify="left")
    for column in ("unit", "passed", "tried, not yet passed", "not tried"):
        table.add_column(column)
    for unit in course.units:
        names = [e.name for e in course.exercises(unit) if e.kind != "essay"]
        passed = [name for name in names if done.get(name, {}).get("passed")]
        tried = [name for name in names if name in done and name not in passed]
        new = [name for name in names if name not in done]
        row = f"{len(passed)} of {len(names)}", ", ".join(tried), ", ".join(new)
        table.add_row(unit_title(unit), *row)
    console.print(table)


def state(done, exercise):
    """(mark, words, color) of one exercise on the board."""
    if done.get(exercise, {}).get("passed"):
        return "●", "passed", "#0072B2"
    if exercise in done:
        return "◐", "tried, not yet passed", "#D55E00"
    return "○", "not tried", "#767676"
