"""Examine one notebook: the student's cells behind walls, the tests here, a verdict on each.

A question that crashes, loops or eats the memory scores 0 and is named; the cells before it run
again in a fresh kernel, and the examination goes on. Lecture cells that no answer needs are left
out, which is most of the time. All that comes in and goes out is plain data, so an examination may
take place in any process of any machine.
"""

import logging
import os
import time
from copy import deepcopy
from dataclasses import dataclass, field
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbclient.client import CellExecutionComplete
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.utils import is_solution

from grader.cells import identity, is_test
from grader.inspection import look_at
from grader.judge import Instructor, Namespace, at_the_instructors_desk, names, run_test
from grader.sandbox.provisioner import SandboxKernelManager
from grader.sandbox.stand_in import PATIENCE, SAYS, Student, outcome_of
from grader.sandbox.zygote import zygote
from grader.seeds import seeds_of
from grader.withholding import utils_without, withheld_names

# The tasks of a kernel that was killed tell so when they are collected, at any moment; to format
# that, Python 3.11 parses source, and if it was parsing just then, it fails with a SystemError.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)

NOT_REACHED = "the time for the whole notebook was over before this question came up."


@dataclass(frozen=True)
class Paper:
    """Everything that a verdict depends on, but for the code of the course."""

    submission: str  # the notebook, mended, as JSON
    released: str  # the notebook as students were given it, as JSON
    key: str  # the student's: hidden tests draw by it
    exercises: tuple[str, ...]  # of the unit: what they ask for is withheld from utils
    tests: dict[str, str]  # {grade_id: source}, the instructor's: the only cells that run here
    timeout: float  # seconds for a cell whose reference is not known
    notebook_seconds: float  # for all cells together
    output_bytes: int  # that one cell may print and draw
    files: dict[str, bytes] = field(default_factory=dict)  # beside the notebook, by relative path
    given: dict[str, bytes] = field(default_factory=dict)  # of these, the instructor's own
    reference: dict[str, float] = field(default_factory=dict)  # seconds a cell takes when right


def examine(paper):
    """The verdict on a notebook, plain data.

    returns: {"outputs": {index of a cell: its outputs}, "outcomes": {test: one of OUTCOMES},
             "seconds": {cell: seconds of the student's code}, "remarks": see grader.inspection}
    """
    return Examination(paper).hold()


class Examination(NotebookClient):
    """One sitting: runs cells with nbclient, tests with grader.judge."""

    def __init__(self, paper):
        notebook = nbformat.reads(paper.submission, as_version=4)
        super().__init__(
            notebook,
            kernel_manager_class=SandboxKernelManager,
            allow_errors=True,
            interrupt_on_timeout=False,  # a loop may swallow an interrupt; a new kernel is sure
            shutdown_kernel="immediate",
            resources={"metadata": {"path": ""}},
        )
        self.paper = paper
        self.timeout_func = lambda cell: PATIENCE * self.seconds_for(cell)
        self.released = nbformat.reads(paper.released, as_version=4)
        self.instructor = Instructor(self.released)
        # our own units promise that no answer needs a lecture cell but for the names it defines
        self.foreign = not paper.exercises
        self.end = time.monotonic() + paper.notebook_seconds
        self.student = None  # the kernel's namespace, while there is a kernel
        self.done = []  # indices of the cells that ran, to run again in a fresh kernel
        self.outcomes, self.seconds = {}, {}

    def hold(self):
        given = {cell.source for cell in self.released.cells}
        lecture = {c.source for c in self.released.cells if "nbgrader" not in c.metadata}
        for cell in self.nb.cells:
            cell.metadata.pop("tags", None)  # `skip-execution` on a check would pass it unseen
            if is_test(cell) and identity(cell) not in self.paper.tests:
                del cell.metadata["nbgrader"]  # a test by its own word only: the student's code
        here = {"COURSE_PROGRESS": "off", "CUDA_VISIBLE_DEVICES": "", "MPLBACKEND": "agg"}
        here["NBGRADER_EXECUTION"] = "autograde"
        needed = needed_cells(self.nb, set() if self.foreign else lecture)
        desk = at_the_instructors_desk(self.paper.given)
        try:
            with seeds_of(self.paper.key), patch.dict(os.environ, here), desk:
                for index in needed:
                    self.take(self.nb.cells[index], index)
        finally:
            self.close_kernel()
        return {
            "outputs": {str(index): self.nb.cells[index].outputs for index in needed},
            "outcomes": self.outcomes,
            "seconds": self.seconds,
            "remarks": look_at(self.nb, given, self.paper.exercises),
        }

    def take(self, cell, index):
        """Run one cell, in the place where it belongs."""
        if is_test(cell):
            self.judge(cell)
        elif self.alive():
            tenant = self.km.tenant
            start = tenant.cpu_seconds()
            if self.run(cell, index):
                self.done.append(index)
            self.seconds[identity(cell, index)] = tenant.cpu_seconds() - start

    def judge(self, cell):
        grade_id = cell.metadata.nbgrader.grade_id
        if not self.alive():
            cell.outputs, outcome = [fault_output("timeout", NOT_REACHED)], "timeout"
        else:
            tenant = self.km.tenant
            start = tenant.cpu_seconds()
            self.namespace.reach(grade_id, all_cells=self.foreign)
            source = self.paper.tests[grade_id]
            cell.outputs, outcome = run_test(source, self.namespace, self.seconds_for(cell))
            self.seconds[grade_id] = tenant.cpu_seconds() - start
        if outcome in ("wrong", "error") and self.untouched(cell):
            outcome = "not attempted"
        self.outcomes[grade_id] = outcome

    def untouched(self, test):
        """Whether the answer cell before this test is still as it was released."""
        before = self.nb.cells[: self.nb.cells.index(test)]
        answers = [cell for cell in before if is_solution(cell)]
        stubs = self.instructor.stubs
        return bool(answers) and answers[-1].source == stubs.get(identity(answers[-1]))

    def seconds_for(self, cell):
        """What an honest answer takes, ten times over, and some patience."""
        grade_id = identity(cell)
        if grade_id in self.paper.reference:
            return 3 + 10 * self.paper.reference[grade_id]
        return self.paper.timeout

    def run(self, cell, index):
        """Run a cell of the student's; False where the kernel did not survive it."""
        self.printed = 0
        self.km.tenant.allow(self.seconds_for(cell))
        try:
            self.execute_cell(cell, index)
            return True
        except CellTimeoutError:
            outcome = "timeout"
        except DeadKernelError:
            outcome = outcome_of(self.km.tenant.poll())
        except Exception:  # what the kernel sent is no message: it is not itself any more
            outcome = "crashed"
        sentence = "this cell " + SAYS[outcome].format(seconds=self.seconds_for(cell))
        cell.outputs = [fault_output(outcome, sentence)]
        self.close_kernel()
        return False

    def alive(self):
        """Make sure of a kernel in which the cells so far have run; False if the time is over."""
        if self.student and self.student.fault:
            self.close_kernel()
        while not self.student and time.monotonic() < self.end:
            self.open_kernel()
            for index in list(self.done):
                again = deepcopy(self.nb.cells[index])  # what it printed the first time stays
                if not self.run(again, index):
                    self.done.remove(index)
                    self.nb.cells[index].outputs = again.outputs
                    break
        return time.monotonic() < self.end

    def open_kernel(self):
        utils = utils_without(withheld_names(self.paper.exercises), zygote().run)
        self.km = SandboxKernelManager(files=self.paper.files, utils=utils)
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
        self.printed += len(str(msg["content"])) + sum(map(len, msg["buffers"]))
        if self.printed > self.paper.output_bytes and msg["msg_type"] != "status":
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:  # a message that says nothing: the kernel is the student's
            return None


def fault_output(outcome, sentence):
    ename = outcome.title().replace(" ", "")
    return new_output("error", ename=ename, evalue=sentence, traceback=[f"{ename}: {sentence}"])


def needed_cells(nb, lecture):
    """Indices of the code cells to run, in order.

    Everything that the student wrote or changed runs, and every check. A lecture cell as it was
    released runs only where a cell that runs uses a name that it defines.

    lecture: sources of the ungraded cells of the release
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
