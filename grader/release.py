"""solutions/ -> course/: nbgrader's own generate_assignment, with three small steps of ours."""

import shutil
import time

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor
from nbgrader.utils import compute_checksum, is_grade, is_solution

from grader.course import CourseError


class ClearAnswers(ClearSolutions):
    """Take the solutions out; what is left of a `think` answer is its first line, `name = None`."""

    def preprocess_cell(self, cell, resources, cell_index):
        stub = self.code_stub
        if cell.cell_type == "code" and "\n### BEGIN SOLUTION" in cell.source:
            self.code_stub = {"python": ""}  # at the margin there is no function body to stub
        try:
            cell, resources = super().preprocess_cell(cell, resources, cell_index)
        finally:
            self.code_stub = stub
        cell.source = cell.source.rstrip()
        return cell, resources


class ClearAnswerOutputs(NbGraderPreprocessor):
    """Clear what answers and checks printed; a lecture keeps its figures, as code hosts show them.

    `nbgrader.preprocessors.ClearOutput` would clear both.
    """

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code":
            cell.execution_count = None
            if is_grade(cell) or is_solution(cell):
                cell.outputs = []
        return cell, resources


class LetRunAllPassFailingChecks(NbGraderPreprocessor):
    """Tag the checks so that "Run All" in JupyterLab goes on where an answer is still missing."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and (is_grade(cell) or is_solution(cell)):
            tags = cell.metadata.setdefault("tags", [])
            cell.metadata["tags"] = sorted({*tags, "raises-exception"})
        return cell, resources


def source_units(course):
    units = sorted(p.name for p in course.solutions.glob("[0-9][0-9]_*") if any(p.glob("*.ipynb")))
    if not units:
        raise CourseError(
            f"There are no notebooks in {course.solutions}: a release is made by the instructor, "
            "in a checkout that has the solutions."
        )
    return units


def make_release(course, units=None):
    """Write course/ from solutions/ and the exercises into the gradebook; yield each unit done.

    Work done in course/ is not lost: a notebook that holds answers is first copied into
    class/before_release/.
    """
    course.classroom.mkdir(parents=True, exist_ok=True)
    api = NbGraderAPI(config=course.config)
    kept = course.classroom / "before_release" / time.strftime("%Y-%m-%d_%H%M%S")
    for unit in units or source_units(course):
        for path in filter(holds_answers, course.notebooks(unit)):
            (kept / unit).mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, kept / unit)
        result = api.generate_assignment(unit)
        if not result["success"]:
            raise CourseError(f"nbgrader could not release {unit}:\n{result['log']}")
        yield unit


def holds_answers(path):
    """Has somebody written into an answer cell of this released notebook?"""
    cells = nbformat.read(path, as_version=4).cells
    return any(
        cell.metadata.nbgrader.get("checksum") != compute_checksum(cell)
        for cell in cells
        if is_solution(cell)
    )
