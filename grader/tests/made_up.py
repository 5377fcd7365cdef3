"""A class made of numbers: rows in the gradebook and files of verdicts, without any grading."""

import json

import nbformat
import numpy as np

from grader.gradebook import open_gradebook

SENTENCES = {
    "wrong": "off by {:.3f} in one place.",
    "error": "stopped with ValueError: <b>shapes</b>",
    "timeout": "took longer than 3 seconds.",
}


def fill(course, unit, outcomes):
    """Give students results in a unit.

    outcomes: {student: {exercise: outcome}}; what is not named is ok, an essay waits to be read
    """
    rng = np.random.default_rng(0)
    for student, own in outcomes.items():
        with open_gradebook(course) as gradebook:
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(unit, student)
            for notebook in submission.notebooks:
                told = {}
                for grade in notebook.grades:
                    grade.needs_manual_grade = grade.cell.cell_type == "markdown"
                    if not grade.needs_manual_grade:
                        told[grade.name] = own.get(grade.name, "ok")
                        grade.auto_score = (told[grade.name] == "ok") * grade.max_score
                write_verdict(course, student, unit, notebook.name, told, rng)
            gradebook.db.commit()


def write_verdict(course, student, unit, notebook, outcomes, rng):
    """The verdict's file, and the graded notebook with what the checks said."""
    verdict = {
        "key": "k" * 64,
        "submission": "a1" * 32,
        "release": "b2" * 32,
        "seed": "c3" * 8,
        "checks": "d4" * 8,
        "environment": {"python": "3.11.7", "numpy": "2.4.6"},
        "outputs": {},
        "outcomes": outcomes,
        "seconds": {name: float(rng.exponential(0.2)) for name in outcomes},
        "remarks": [[3, 1, "imports os"], [3, 4, "uses open"]] if student == "eve" else [],
        "findings": ["the cell x was missing"] if student == "eve" else [],
        "took": float(rng.exponential(3)),
        "graded": "2026-01-01 00:00:00",
    }
    path = course.classroom / "verdicts" / student / unit / f"{notebook}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(verdict))
    cells = []
    for name, outcome in outcomes.items():
        cell = nbformat.v4.new_code_cell(metadata={"nbgrader": {"grade": True, "grade_id": name}})
        if outcome in SENTENCES:
            said = SENTENCES[outcome].format(rng.normal())
            cell.outputs = [nbformat.v4.new_output("error", ename="CheckFailed", evalue=said)]
        cells.append(cell)
    graded = course.autograded / student / unit / f"{notebook}.ipynb"
    graded.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), graded)
