"""Run a submission's notebook: the step of `nbgrader autograde` that this course replaces.

It differs from nbgrader's own `Execute` in what one bad answer costs. There, a kernel that dies
drops the whole submission, and an endless loop that swallows the interrupt takes every question
after it along. Here the question that did it scores 0 and is named, and the rest is graded in a
fresh kernel. Lecture cells that no answer needs are left out, which is most of the time.
"""

import ast
import os
import symtable
from copy import deepcopy

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool, Enum, List

from grader.course import Course
from grader.seeds import VARIABLE, student_key

SAYS = {
    DeadKernelError: (
        "Crashed",
        "this cell ended Python itself, so nothing after it could run here. "
        "Look for exit(), for recursion without end, or for arrays larger than the memory.",
    ),
    CellTimeoutError: (
        "Timeout",
        "this cell was stopped after {timeout} seconds. Look for a loop that never ends.",
    ),
}


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
    extra_arguments = List(["--log-level=ERROR"])
    interrupt_on_timeout = Bool(False)  # a loop may swallow an interrupt; a new kernel is sure

    def preprocess(self, nb, resources, km=None):
        for cell in nb.cells:
            cell.metadata.pop("tags", None)  # `skip-execution` on a check would pass it unseen
        todo = needed_cells(nb, lecture_sources(self.coursedir, resources))
        done = []
        while todo:
            self.start_afresh(nb, resources)
            with self.setup_kernel(env=grading_environment(self.coursedir, resources)):
                for index in done:
                    self.replay(nb.cells[index], index)
                try:
                    while todo:
                        index = todo[0]
                        self.preprocess_cell(nb.cells[index], resources, index)
                        todo.pop(0)
                        if not is_grade(nb.cells[index]):
                            done.append(index)
                except (DeadKernelError, CellTimeoutError) as fault:
                    self.name_fault(nb.cells[todo.pop(0)], fault)
        return nb, resources

    @property
    def coursedir(self):
        return self.parent.parent.coursedir  # preprocessor -> exporter -> converter

    def start_afresh(self, nb, resources):
        """As ExecutePreprocessor.preprocess does before it starts its kernel."""
        NotebookClient.__init__(self, nb)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)

    def replay(self, cell, index):
        """Run an earlier cell again in a fresh kernel, for what it defines; its outputs stay."""
        self.execute_cell(deepcopy(cell), index)
        self.nb.cells[index] = cell

    def name_fault(self, cell, fault):
        ename, evalue = SAYS[type(fault)]
        evalue = evalue.format(timeout=self.timeout)
        cell.outputs.append(
            new_output("error", ename=ename, evalue=evalue, traceback=[f"{ename}: {evalue}"])
        )


def grading_environment(coursedir, resources):
    """The environment variables of a grading kernel."""
    key = student_key(Course(coursedir.root).classroom, resources["nbgrader"]["student"])
    return os.environ | {
        VARIABLE: key,
        "COURSE_PROGRESS": "off",
        "OMP_NUM_THREADS": "1",  # kernels run side by side
        "PYTHONSAFEPATH": "1",  # a submitted utils/ must not stand before ours
    }


def read_release(coursedir, resources):
    """The notebook that is being graded, as it was released."""
    where = resources["nbgrader"]
    folder = coursedir.format_path(coursedir.release_directory, ".", where["assignment"])
    return nbformat.read(f"{folder}/{where['notebook']}.ipynb", as_version=4)


def lecture_sources(coursedir, resources):
    """The ungraded code cells of the notebook as it was released."""
    return {
        cell.source
        for cell in read_release(coursedir, resources).cells
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


def names(source):
    """(names a cell defines at its top level, names it takes from other cells)."""
    try:
        ast.parse(source)
        top = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError):
        return set(), set()  # it will say so itself when it runs
    defines = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    scopes = list(top.get_children())
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        uses |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return defines, uses
