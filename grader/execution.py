"""The steps of `nbgrader autograde` that this course replaces.

Whether `make grade`, `nbgrader autograde` or the button in JupyterLab asks: the verdict on a
submission is found in one way, by grader.examination, and kept by grader.verdicts.
"""

import json
from functools import cache

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_solution

from grader.course import Course, read_exercises
from grader.doctor import mend
from grader.examination import Paper, fault_output, identity, is_test
from grader.gradebook import source_cells
from grader.seeds import student_key
from grader.verdicts import verdict_on


class Mend(NbGraderPreprocessor):
    """Put right what became of the instructor's cells on their way, before nbgrader looks."""

    def preprocess(self, nb, resources):
        course, where = course_of(self), resources["nbgrader"]
        mend(
            nb,
            read_release(course, where["assignment"], where["notebook"]),
            source_cells(course, where["assignment"])[where["notebook"]],
        )
        return nb, resources


class GradingExecute(NbGraderPreprocessor):
    """In place of nbgrader's Execute: fill in the outputs that the verdict holds."""

    def preprocess(self, nb, resources):
        course, where = course_of(self), resources["nbgrader"]
        place = where["student"], where["assignment"], where["notebook"]
        paper = make_paper(course, nb, *place, self.config.GradingExecute)
        verdict = verdict_on(paper, verdict_path(course, *place))
        for index, outputs in verdict["outputs"].items():
            nb.cells[int(index)].outputs = [nbformat.from_dict(output) for output in outputs]
        for cell in filter(is_test, nb.cells):
            outcome = verdict["outcomes"].get(identity(cell), "crashed")
            failed = any(output.output_type == "error" for output in cell.outputs)
            if outcome != "ok" and not failed:  # no points by silence
                cell.outputs = [fault_output(outcome, "there is no verdict on this question.")]
        where["verdict"] = verdict
        return nb, resources


class SaveVerdicts(SaveAutoGrades):
    """Save scores as nbgrader does, and beside each answer, as a comment, what its test said."""

    def preprocess(self, nb, resources):
        outcomes = resources["nbgrader"]["verdict"]["outcomes"]
        self.words, answer = {}, None
        for cell in nb.cells:
            if is_solution(cell):
                answer = identity(cell)
            elif is_test(cell) and answer and outcomes.get(identity(cell), "ok") != "ok":
                said = next(o.evalue for o in cell.outputs if o.output_type == "error")
                self.words[answer] = f"{outcomes[identity(cell)]}: {said}"
        return super().preprocess(nb, resources)

    def _add_comment(self, cell, resources):
        super()._add_comment(cell, resources)
        where = self.notebook_id, self.assignment_id, self.student_id
        comment = self.gradebook.find_comment(identity(cell), *where)
        if comment.auto_comment is None and identity(cell) in self.words:
            comment.auto_comment = self.words[identity(cell)]
            self.gradebook.db.commit()


def course_of(step):
    return Course(step.parent.parent.coursedir.root)  # preprocessor -> exporter -> converter


def make_paper(course, nb, student, unit, notebook, limits):
    """The paper of a mended submission, or of the instructor's own solution.

    limits: c.GradingExecute of nbgrader_config.py
    """
    release = course.release / unit
    reference = reference_path(course, unit, notebook)
    known = json.loads(reference.read_text(encoding="utf-8")) if reference.exists() else {}
    return Paper(
        submission=nbformat.writes(nb),
        released=(release / f"{notebook}.ipynb").read_text(encoding="utf-8"),
        key=student_key(course.classroom, student),
        exercises=unit_exercises(release),
        files=ordinary_files(release) | ordinary_files(course.submitted / student / unit),
        reference=known.get("seconds", {}),
        **limits,
    )


def verdict_path(course, student, unit, notebook):
    return course.classroom / "verdicts" / student / unit / f"{notebook}.json"


def reference_path(course, unit, notebook):
    return course.classroom / "reference" / unit / f"{notebook}.json"


def read_release(course, unit, notebook):
    return nbformat.read(course.release / unit / f"{notebook}.ipynb", as_version=4)


@cache
def unit_exercises(release):
    """Names of the exercises of the unit that was released to this folder."""
    return tuple(e.name for path in sorted(release.glob("*.ipynb")) for e in read_exercises(path))


def ordinary_files(folder, most_bytes=50_000_000):
    """{relative path: content} of the files below a folder: no notebooks, no links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        linked = any((folder / part).is_symlink() for part in [inner, *inner.parents[:-1]])
        kept = path.suffix != ".ipynb" and path.name != "timestamp.txt"
        if kept and not linked and path.is_file():
            most_bytes -= path.stat().st_size
            if most_bytes < 0:
                break
            found[str(inner)] = path.read_bytes()
    return found
