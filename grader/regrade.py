"""Grade again after a check was mended: first say who changes and by how much, then write it.

New verdicts are kept in class/regraded/, beside those that count, until they are applied; so a run
that was stopped goes on where it was, looking or writing. What a person graded stays.
"""

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

import nbformat
from nbgrader.utils import determine_grade
from rich.table import Table
from rich.text import Text

from grader.cells import identity, is_test
from grader.crew import Crew
from grader.files import write_whole
from grader.gradebook import mark_read, read_by_hand, scores, source_cells
from grader.grading import Graded, grade_one, is_done, paper_of, papers_of, reference_run, spread
from grader.verdicts import known_verdict, verdict_path


@dataclass(frozen=True)
class Change:
    """What a new verdict does to one score."""

    student: str
    unit: str
    exercise: str
    before: float
    after: float
    outcome: str  # the new one


def look(course, todo, workers=None):
    """Find new verdicts where anything changed that they stand on; yield a Graded for each.

    Nothing that counts is touched.

    todo: [(student, unit)]; what came in since the last grading is left to `make grade`
    """
    known = [place for place in todo if is_done(course, *place)]
    for place in sorted(set(todo) - set(known)):
        shutil.rmtree(side_folder(course, *place), ignore_errors=True)
        yield Graded(*place)
    with Crew(workers) as crew:
        reference_run(course, sorted({unit for _, unit in known}), crew)
        papers, place = partial(changed_papers, course), partial(side_path, course)
        for (student, unit), seconds, problem in spread(course, known, crew, papers, place):
            yield Graded(student, unit, problem, seconds)


def changed_papers(course, student, unit, sources):
    """{notebook: Paper} where the kept verdict stands on something else, and none is aside."""
    papers = {}
    for notebook, paper in papers_of(course, student, unit, sources):
        aside = side_path(course, student, unit, notebook)
        if known_verdict(paper, verdict_path(course, student, unit, notebook)):
            aside.unlink(missing_ok=True)
        elif not known_verdict(paper, aside):
            papers[notebook] = paper
    return papers


def side_path(course, student, unit, notebook):
    return side_folder(course, student, unit) / f"{notebook}.json"


def changes(course, todo):
    """Every Change that the verdicts in class/regraded/ would bring to these submissions."""
    now = {(row.student, row.unit, row.exercise): row.points for row in scores(course)}
    found = []
    for student, unit in todo:
        verdicts = side_verdicts(course, student, unit)
        if not verdicts:
            continue
        sources = source_cells(course, unit)
        most = {exercise.name: exercise.points for exercise in course.exercises(unit)}
        by_hand = {exercise for _, exercise in read_by_hand(course, student, unit)}
        for path in verdicts:
            verdict = json.loads(path.read_text(encoding="utf-8"))
            handed_in = course.submitted / student / unit / f"{path.stem}.ipynb"
            paper = paper_of(course, student, unit, handed_in, sources[path.stem])
            for exercise, after in points_of(paper.submission, verdict, most).items():
                before = now.get((student, unit, exercise), 0.0)
                if after != before and exercise not in by_hand:
                    outcome = verdict["outcomes"][exercise]
                    found.append(Change(student, unit, exercise, before, after, outcome))
    return found


def points_of(submission, verdict, most):
    """{test: points} that nbgrader will give for this verdict.

    most: {exercise: points}, the release's: a submission may claim others
    """
    nb = nbformat.reads(submission, as_version=4)
    for index, outputs in verdict["outputs"].items():
        nb.cells[int(index)].outputs = [nbformat.from_dict(output) for output in outputs]
    points = {}
    for cell in filter(is_test, nb.cells):
        exercise = identity(cell)
        if exercise in verdict["outcomes"] and exercise in most:
            cell.metadata.nbgrader.points = most[exercise]
            right = verdict["outcomes"][exercise] == "ok"
            points[exercise] = determine_grade(cell)[0] if right else 0.0
    return points


def apply(course, todo):
    """Make the new verdicts count; yield a Graded for each submission that has any.

    todo: [(student, unit)]
    """
    for student, unit in todo:
        folder = side_folder(course, student, unit)
        if folder.exists():
            yield Graded(student, unit, apply_one(course, student, unit, folder))


def apply_one(course, student, unit, folder):
    """Stopped at any line, it can be called again."""
    note = folder / "graded-by-hand"  # no verdict: those end in .json
    if not note.exists():
        write_whole(note, json.dumps(read_by_hand(course, student, unit)))
    for path in side_verdicts(course, student, unit):
        path.replace(verdict_path(course, student, unit, path.stem))
    if problem := grade_one(course, student, unit):
        return problem
    mark_read(course, student, unit, json.loads(note.read_text(encoding="utf-8")))
    shutil.rmtree(folder)
    return ""


def pending(course, todo):
    """Those of todo that have a new verdict, or whose writing was stopped half way."""
    return [place for place in todo if side_folder(course, *place).exists()]


def side_folder(course, student, unit):
    return course.classroom / "regraded" / student / unit


def side_verdicts(course, student, unit):
    return sorted(side_folder(course, student, unit).glob("*.json"))


def change_table(found):
    """Who changes, exercise by exercise, and the sum for each student."""
    table = Table(title="What changes", title_justify="left")
    for name in ("student", "unit", "exercise", "before", "after", "outcome"):
        table.add_column(name, justify="right" if name in ("before", "after") else "left")
    sums = defaultdict(float)
    for change in found:
        sums[change.student] += change.after - change.before
    for student, total in sorted(sums.items()):
        for change in (change for change in found if change.student == student):
            table.add_row(
                Text(student),
                change.unit.split("_")[0],
                Text(change.exercise),
                f"{change.before:g}",
                f"{change.after:g}",
                change.outcome,
            )
        table.add_row("", "", "", "together", f"{total:+g}", "", end_section=True, style="bold")
    return table
