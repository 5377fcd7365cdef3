"""The steps of `nbgrader autograde` that this course replaces.

Whether `make grade`, `nbgrader autograde` or the button in JupyterLab asks, and whatever course it
points at: the verdict on a submission is found in one way, by grader.examination.
"""

from functools import cached_property
from pathlib import Path

import nbformat
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_solution
from traitlets import Float, Integer
from traitlets.config import Config

from grader.cells import identity, is_test
from grader.course import Course
from grader.examination import fault_output
from grader.gradebook import source_cells
from grader.papers import make_paper, put_right
from grader.verdicts import verdict_on, verdict_path


class Mend(NbGraderPreprocessor):
    """Put right what became of the instructor's cells on their way, before nbgrader looks."""

    def preprocess(self, nb, resources):
        course, where = course_of(self), resources["nbgrader"]
        place = where["student"], where["assignment"], where["notebook"]
        put_right(course, nb, *place, source_cells(course, place[1])[place[2]])
        return nb, resources


class GradingExecute(Execute):
    """In place of nbgrader's Execute: fill in the outputs that the verdict holds.

    What is set for Execute holds here, too: the timeout, and `--no-execute`.
    """

    timeout = Float(
        30.0,
        allow_none=True,
        help="Seconds for a cell that the instructor's run knows no time of.",
    ).tag(config=True)
    notebook_seconds = Float(300.0, help="Seconds for all cells of a notebook.").tag(config=True)
    output_bytes = Integer(1_000_000, help="What one cell may print and draw.").tag(config=True)

    def preprocess(self, nb, resources):
        course, where = course_of(self), resources["nbgrader"]
        place = where["student"], where["assignment"], where["notebook"]
        sources = source_cells(course, where["assignment"])[where["notebook"]]
        paper = make_paper(course, nb, *place, sources, limits_of(course))
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

    def limits(self):
        """The limits of a Paper; no timeout, or a negative one, is nbgrader's word for none."""
        unlimited = self.timeout is None or self.timeout < 0
        return {
            "timeout": self.notebook_seconds if unlimited else self.timeout,
            "notebook_seconds": self.notebook_seconds,
            "output_bytes": self.output_bytes,
        }


class SaveVerdicts(SaveAutoGrades):
    """Save scores as nbgrader does, and beside each answer, as a comment, what its test said."""

    def preprocess(self, nb, resources):
        outcomes = resources["nbgrader"].get("verdict", {}).get("outcomes")
        if outcomes is None:  # --no-execute: what the student's file shows is no verdict
            for cell in filter(is_test, nb.cells):
                cell.outputs = [fault_output("no verdict", "this question was not graded.")]
            outcomes = {}
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


def limits_of(course):
    """The limits of a Paper that hold in this course."""
    return GradingExecute(config=course.config).limits()


def course_of(step):
    return AnyCourse(step.parent.parent)  # preprocessor -> exporter -> converter


class AnyCourse(Course):
    """The course that a running converter of nbgrader's works on, ours or any other.

    Its folders are where nbgrader's CourseDirectory says.
    """

    def __init__(self, converter):
        self.directory = converter.coursedir
        super().__init__(self.directory.root)
        self.converter = converter
        self.solutions = self.root / self.directory.source_directory
        self.release = self.root / self.directory.release_directory
        self.submitted = self.root / self.directory.submitted_directory
        self.autograded = self.root / self.directory.autograded_directory
        self.feedback = self.root / self.directory.feedback_directory
        self.classroom = self.submitted.parent

    @cached_property
    def config(self):
        config = Config(self.converter.config)
        config.CourseDirectory.db_url = self.directory.db_url
        config.CourseDirectory.course_id = self.directory.course_id
        return config

    def source_of(self, unit):
        return self.folder(self.directory.source_directory, ".", unit)

    def release_of(self, unit):
        return self.folder(self.directory.release_directory, ".", unit)

    def submission_of(self, student, unit):
        return self.folder(self.directory.submitted_directory, student, unit)

    def folder(self, step, student, unit):
        return Path(self.directory.format_path(step, student, unit))
