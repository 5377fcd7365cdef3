"""What every score stands on: submission, release, checks, seed, versions, outcome, seconds."""

from rich.table import Table
from rich.text import Text

from grader.course import CourseError
from grader.gradebook import scores
from grader.grading import is_done
from grader.records import records


def print_trace(course, console, student, unit=None):
    """Print, for each notebook, the kept verdict and the points that the gradebook has for it."""
    found = records(course, unit, student)
    if not found:
        raise CourseError(f"There is no verdict on {student}{f' in {unit}' if unit else ''} yet.")
    rows = {(r.unit, r.notebook, r.exercise): r for r in scores(course) if r.student == student}
    for record in found:
        console.print(trace_table(record, rows))
        for name, value in foundations(course, record).items():
            console.print(f"  {name:12}{value}", highlight=False)
        console.print()


def trace_table(record, rows):
    title = f"{record.student}, {record.unit}, {record.notebook}"
    table = Table(title=Text(title), title_justify="left")
    for name in ("exercise", "points", "outcome", "seconds", "what the check said"):
        table.add_column(name, justify="right" if name in ("points", "seconds") else "left")
    for exercise, outcome in record.verdict["outcomes"].items():
        row = rows.get((record.unit, record.notebook, exercise))
        seconds = record.verdict["seconds"].get(exercise)
        table.add_row(
            Text(exercise),
            f"{row.points:g} of {row.most:g}" if row else "not in the gradebook",
            outcome,
            "" if seconds is None else f"{seconds:.2f}",
            Text(record.said.get(exercise, "")),  # a student's words may look like markup
        )
    return table


def foundations(course, record):
    """{name: value} of all that decided this verdict; nothing of it gives a seed away."""
    verdict = record.verdict
    current = is_done(course, record.student, record.unit)
    return {
        "graded": f"{verdict['graded']}, in {verdict['took']:.1f} s",
        "handed in": "as it lies in class/submitted" if current else "has changed: `make grade`",
        "submission": verdict["submission"],
        "release": verdict["release"],
        "checks": verdict["checks"],
        "seed": f"{verdict['seed']} (a digest of it)",
        "versions": ", ".join(
            f"{name} {number}" for name, number in verdict["environment"].items()
        ),
    }
