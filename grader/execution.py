"""Run a submission's notebook: the step of `nbgrader autograde` that this course replaces.

The student's cells run in a kernel behind walls (grader.sandbox), the tests here, on stand-ins
(grader.judge). A question that crashes, loops or eats the memory scores 0 and is named; the cells
before it run again in a fresh kernel, and grading goes on. Lecture cells that no answer needs are
left out, which is most of the time.
"""

import os
import time
from copy import deepcopy
from functools import cache
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool, Enum, Float, Integer

from grader.course import Course, read_exercises
from grader.inspection import look_at
from grader.judge import Instructor, Namespace, names, run_test
from grader.sandbox.provisioner import SandboxKernelManager
from grader.sandbox.stand_in import SAYS, Student
from grader.sandbox.zygote import zygote
from grader.seeds import seeds_of, student_key
from grader.withholding import utils_without, withheld_names

OVER = "the time for the whole notebook was over before this question came up."


class RestoreCells(NbGraderPreprocessor):
    """Put back the set-up, answer and check cells that a submission lost.

    nbgrader's own `OverwriteCells.add_missing_cells` fails where the first of them is gone, and
    with it the submission.
    """

    def preprocess(self, nb, resources):
        released = read_release(self.parent.parent.coursedir, resources)
        place = 0
        for cell in released.cells:
            if "nbgrader" not in cell.metadata:
                continue
            ids = [own.metadata.get("nbgrader", {}).get("grade_id") for own in nb.cells]
            if cell.metadata.nbgrader.grade_id in ids:
                place = ids.index(cell.metadata.nbgrader.grade_id) + 1
            else:
                nb.cells.insert(place, cell)
                place += 1
        return nb, resources


class GradingExecute(Execute):
    """Execute the cells that the grades depend on; survive what each of them does."""

    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate")
    interrupt_on_timeout = Bool(False)  # a loop may swallow an interrupt; a new kernel is sure
    notebook_seconds = Float(120, help="for all cells of one notebook together").tag(config=True)
    output_bytes = Integer(1_000_000, help="that one cell may print and draw").tag(config=True)

    def preprocess(self, nb, resources, km=None):
        for cell in nb.cells:
            cell.metadata.pop("tags", None)  # `skip-execution` on a check would pass it unseen
        self.released = read_release(self.coursedir, resources)
        self.instructor = Instructor(self.released)
        self.outcomes = resources["nbgrader"]["outcomes"] = {}
        self.end = time.monotonic() + self.notebook_seconds
        self.done, self.student = [], None
        self.files = submitted_files(self.coursedir, resources)
        exercises = unit_exercises(Path(self.files[0]))
        self.withheld = withheld_names(exercises)
        resources["nbgrader"]["remarks"] = look_at(
            nb, {cell.source for cell in self.released.cells}, exercises
        )
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        key = student_key(Course(self.coursedir.root).classroom, resources["nbgrader"]["student"])
        here = {"COURSE_PROGRESS": "off", "CUDA_VISIBLE_DEVICES": ""}
        try:
            with seeds_of(key), patch.dict(os.environ, here):
                for index in needed_cells(nb, lecture_sources(self.released)):
                    self.run(nb, index)
        finally:
            self.close_kernel()
        return nb, resources

    @property
    def coursedir(self):
        return self.parent.parent.coursedir  # preprocessor -> exporter -> converter

    def run(self, nb, index):
        cell = nb.cells[index]
        if is_test(cell):
            self.judge(nb, cell)
        elif self.alive(nb) and self.execute(cell, index):
            self.done.append(index)

    def judge(self, nb, cell):
        if self.alive(nb):
            left = self.end - time.monotonic()
            cell.outputs, outcome = run_test(cell.source, self.namespace, min(self.timeout, left))
        else:
            cell.outputs, outcome = [fault_output("timeout", OVER)], "timeout"
        grade_id = cell.metadata.nbgrader.grade_id
        if outcome in ("wrong", "error") and self.untouched(nb, cell):
            outcome = "not attempted"
        self.outcomes[grade_id] = outcome

    def untouched(self, nb, test):
        """Whether the answer cells before this test are still as they were released."""
        before = nb.cells[: nb.cells.index(test)]
        last = next((c for c in reversed(before) if is_solution(c)), None)
        return last and last.source == self.instructor.stubs.get(last.metadata.nbgrader.grade_id)

    def execute(self, cell, index):
        """Run a cell of the student's; False where the kernel did not survive it."""
        self.printed = 0
        try:
            self.execute_cell(cell, index)
        except CellTimeoutError:
            outcome = "timeout"
        except DeadKernelError:
            outcome = "out of memory" if self.km.tenant.poll() == "memory" else "crashed"
        else:
            return True
        sentence = "this cell " + SAYS[outcome].format(seconds=self.timeout)
        cell.outputs = [fault_output(outcome, sentence)]
        self.close_kernel()
        return False

    def alive(self, nb):
        """A kernel in which the cells so far have run; False when the time is over."""
        if self.student and self.student.fault:
            self.close_kernel()
        while not self.student and time.monotonic() < self.end:
            self.open_kernel(nb)
            for index in list(self.done):
                cell = deepcopy(nb.cells[index])  # what it printed the first time stays
                if not self.execute(cell, index):
                    self.done.remove(index)
                    nb.cells[index].outputs = cell.outputs
                    break
        return time.monotonic() < self.end

    def open_kernel(self, nb):
        NotebookClient.__init__(self, nb)
        self.km = SandboxKernelManager(
            files=self.files, utils=utils_without(self.withheld, zygote().run)
        )
        self.start_new_kernel()
        self.start_new_kernel_client()
        self.student = Student(self.km.tenant)
        self.namespace = Namespace(self.instructor, self.student)

    def close_kernel(self):
        if self.student:
            self._cleanup_kernel()
        self.student = None

    def process_message(self, msg, cell, cell_index):
        """A flood of output is cut where it begins to hurt."""
        self.printed += len(str(msg["content"]))
        if self.printed > self.output_bytes and msg["msg_type"] != "status":
            return None
        return super().process_message(msg, cell, cell_index)


def is_test(cell):
    """Whether it is a cell that tests, rather than an answer that a person grades."""
    return is_grade(cell) and not is_solution(cell)


def fault_output(outcome, sentence):
    ename = outcome.title().replace(" ", "")
    return new_output("error", ename=ename, evalue=sentence, traceback=[f"{ename}: {sentence}"])


def read_release(coursedir, resources):
    """The notebook that is being graded, as it was released."""
    where = resources["nbgrader"]
    folder = coursedir.format_path(coursedir.release_directory, ".", where["assignment"])
    return nbformat.read(f"{folder}/{where['notebook']}.ipynb", as_version=4)


def submitted_files(coursedir, resources):
    """Folders whose files an answer may read: the release's, over them the student's."""
    where = resources["nbgrader"]
    return [
        coursedir.format_path(coursedir.release_directory, ".", where["assignment"]),
        coursedir.format_path(coursedir.submitted_directory, where["student"], where["assignment"]),
    ]


@cache
def unit_exercises(release):
    """Names of the exercises of the unit that was released to this folder."""
    return frozenset(e.name for path in release.glob("*.ipynb") for e in read_exercises(path))


def lecture_sources(released):
    """The ungraded code cells of the notebook as it was released."""
    return {
        cell.source
        for cell in released.cells
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata
    }


def needed_cells(nb, lecture):
    """Indices of the code cells to run, in order.

    Everything that the student wrote or changed runs, and every check. A lecture cell as it was
    released runs only where a cell that runs uses a name that it defines.
    """
    needed, used = [], set()
    for index in reversed(range(len(nb.cells))):
        cell = nb.cells[index]
        if cell.cell_type != "code":
            continue
        defines, uses = names(cell.source)
        if cell.source not in lecture or defines & used:
            needed.insert(0, index)
            used |= uses
    return needed
