"""The class: a table in the terminal, and class/report.html, a page that stands by itself."""

import base64
import statistics
from collections import defaultdict

from jinja2 import Environment, PackageLoader
from rich.table import Table

from grader.course import unit_title
from grader.gradebook import people, scores
from grader.pictures import class_picture, outcome_bars, score_spread
from grader.records import common_mistakes, outcome_counts, records

MOST_BARS = 15  # exercises in the picture of the hardest
MOST_SENTENCES = 4  # of one exercise
MOST_OPEN = 12  # exercises whose mistakes are unfolded


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


def write_report(course):
    """Write the page from the gradebook and the kept verdicts; returns its path."""
    rows, found = scores(course), records(course)
    pages = Environment(loader=PackageLoader("grader"), autoescape=True, trim_blocks=True)
    page = pages.get_template("class.html").render(
        **summary(rows, found),
        pictures=pictures(course, rows, found),
        mistakes=(named := mistakes(found))[:MOST_OPEN],
        more_mistakes=named[MOST_OPEN:],
        remarks=by_student(found, remarks_of),
        findings=by_student(found, findings_of),
        people=people(course),
        unit_title=unit_title,
    )
    path = course.classroom / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def summary(rows, found):
    """The numbers at the head of the page, and the table of the grading time."""
    took = defaultdict(lambda: defaultdict(float))
    for record in found:
        took[record.unit][record.student] += record.verdict["took"]
    shares = student_shares(rows)
    return {
        "students": len(shares),
        "handed_in": len({(row.student, row.unit) for row in rows}),
        "median": statistics.median(shares.values()) if shares else 0,
        "to_read": sum(row.by_hand for row in rows),
        "graded": max((record.verdict["graded"] for record in found), default=""),
        "seconds": sum(sum(unit.values()) for unit in took.values()),
        "times": [
            {
                "unit": unit,
                "submissions": len(times),
                "sum": sum(times.values()),
                "median": statistics.median(times.values()),
                "slowest": max(times, key=times.get),
                "longest": max(times.values()),
            }
            for unit, times in took.items()
        ],
    }


def student_shares(rows, unit=None):
    """{student: share of the points of what is graded}"""
    got, most = defaultdict(float), defaultdict(float)
    for row in rows:
        if not row.by_hand and unit in (None, row.unit):
            got[row.student] += row.points
            most[row.student] += row.most
    return {student: got[student] / most[student] for student in most if most[student]}


def pictures(course, rows, found):
    """What the page shows of each section; empty where there is nothing to draw."""
    units = sorted({row.unit for row in rows})
    by_unit = {unit[:2]: list(student_shares(rows, unit).values()) for unit in units}
    by_unit = {f"unit {number}": shares for number, shares in by_unit.items() if shares}
    counts = outcome_counts(found)
    hardest = sorted(counts, key=lambda place: share_right(counts[place]))[:MOST_BARS]
    bars = {f"{unit[:2]}  {name}": counts[unit, name] for unit, name in hardest}
    return {
        "spread": [embedded(score_spread(list(student_shares(rows).values()), by_unit))]
        if by_unit
        else [],
        "hardest": [embedded(outcome_bars(bars))] if bars else [],
        "grid": {unit: embedded(class_picture(course, unit)) for unit in units},
    }


def share_right(counter):
    return counter["ok"] / counter.total()


def embedded(figure):
    """What the page needs of a Figure: the picture itself, its words, its size."""
    width, height = figure.size()
    data = base64.b64encode(figure.png()).decode("ascii")
    return {"data": data, "alt": figure.alt, "width": width, "height": height}


def mistakes(found):
    """[{unit, exercise, sentences}], the exercise with the most mistakes first."""
    return [
        {
            "unit": unit,
            "exercise": exercise,
            "sentences": named[:MOST_SENTENCES],
            "others": sum(n for _, n in named[MOST_SENTENCES:]),
        }
        for (unit, exercise), named in common_mistakes(found).items()
    ]


def by_student(found, lines_of):
    """{student: [(unit, notebook, lines)]}, of those about whom there is something to say."""
    told = defaultdict(list)
    for record in found:
        if lines := lines_of(record):
            told[record.student].append((record.unit, record.notebook, lines))
    return dict(told)


def remarks_of(record):
    """What the static look found, remarks of one line together: [(place, words)]."""
    places = defaultdict(list)
    for cell, line, remark in record.verdict["remarks"]:
        places[cell, line].append(remark)
    return [(f"cell {cell}, line {line}", "; ".join(said)) for (cell, line), said in places.items()]


def findings_of(record):
    return record.verdict.get("findings", [])
