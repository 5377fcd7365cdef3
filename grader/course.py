"""Where the course lies on disk, and what its units and exercises are."""

import json
import os
import re
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
STUDENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@-]{0,63}")


class CourseError(Exception):
    """Something the user can put right: one sentence that says what to do."""


@dataclass(frozen=True)
class Exercise:
    """One graded question, as the metadata of its check cell describes it."""

    name: str  # what the student writes; also nbgrader's grade_id
    unit: str
    notebook: str
    points: float
    kind: str  # np, torch, think or essay
    difficulty: int  # of 5
    importance: int  # of 5
    minutes: int
    needs: tuple[str, ...] = field(default=())  # exercises whose answers this one calls


class Course:
    """The folders of one course: the checkout, or a copy such as the demo's."""

    def __init__(self, root=CHECKOUT):
        self.root = Path(root).resolve()
        self.solutions = self.root / "solutions"
        self.release = self.root / "course"
        self.classroom = self.root / "class"
        self.submitted = self.classroom / "submitted"
        self.autograded = self.classroom / "autograded"
        self.feedback = self.classroom / "feedback"
        self.roster = self.classroom / "students.csv"

    @cached_property
    def config(self):
        """nbgrader's configuration, with this course's folder as its root."""
        from unittest.mock import patch

        from traitlets.config.loader import PyFileConfigLoader

        # nbgrader calls `alembic` by its bare name: it lies beside our interpreter
        beside = os.path.dirname(sys.executable)
        if beside not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] = beside + os.pathsep + os.environ["PATH"]
        with patch.dict(os.environ, COURSE_ROOT=str(self.root)):
            return PyFileConfigLoader("nbgrader_config.py", path=str(CHECKOUT)).load_config()

    @property
    def units(self):
        """Names of the units that students have, in order."""
        folders = self.release.glob("[0-9][0-9]_*")
        return sorted(folder.name for folder in folders if any(folder.glob("*.ipynb")))

    def unit(self, words, among=None):
        """The unit that `words` names: "01", "1" or "01_neighbors_and_linear_classifiers"."""
        units = self.units if among is None else among
        number = words.zfill(2) if words.isdigit() else words
        found = [unit for unit in units if unit == words or unit.split("_")[0] == number]
        if not found:
            known = ", ".join(units) or f"none; {self.release} is empty"
            raise CourseError(f"There is no unit {words!r}. The units are: {known}.")
        return found[0]

    def source_of(self, unit):
        return self.solutions / unit

    def release_of(self, unit):
        return self.release / unit

    def submission_of(self, student, unit):
        return self.submitted / student / unit

    def notebooks(self, unit):
        """The released notebooks of a unit, in reading order."""
        return sorted((self.release / unit).glob("*.ipynb"))

    def exercises(self, unit=None):
        """Every exercise of a unit, or of the course, in reading order."""
        units = [unit] if unit else self.units
        return [
            exercise
            for name in units
            for path in self.notebooks(name)
            for exercise in read_exercises(path)
        ]


def printable(text):
    """Without the characters that steer a terminal: a student may have chosen them."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def unit_title(unit):
    """As people read it: 01_neighbors_and_more becomes "01 Neighbors and more"."""
    number, *words = unit.split("_")
    return f"{number} {' '.join(words).capitalize()}"


def read_exercises(path):
    """The exercises of one notebook file, source or release."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return [
        Exercise(
            name=cell["metadata"]["nbgrader"]["grade_id"],
            unit=Path(path).parent.name,
            notebook=Path(path).stem,
            points=cell["metadata"]["nbgrader"]["points"],
            **{
                **cell["metadata"]["exercise"],
                "needs": tuple(cell["metadata"]["exercise"]["needs"]),
            },
        )
        for cell in cells
        if "exercise" in cell["metadata"]
    ]
