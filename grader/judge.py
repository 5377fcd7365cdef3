"""Run a test cell here, in the grader's own process, against answers that live in the sandbox.

The names that a test takes from the notebook come from three places. What the instructor's own
cells define is computed here, from the release; what an answer cell was to define, and whatever
else the student has, is a stand-in from the sandbox; Python's own names stay Python's. The
student's code never runs here, and the student's copy of a locked cell never runs at all.
"""

import ast
import builtins
import contextlib
import importlib
import io
import linecache
import os
import symtable
import sys
import tempfile
import traceback
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_output
from nbgrader.utils import is_grade, is_solution

from grader.checking import CheckFailed, RemoteError
from grader.sandbox.inside.wire import WireError

OUTCOMES = ("ok", "wrong", "error", "timeout", "out of memory", "crashed", "not attempted")
RUNNING = ("time", "timeit", "capture", "prun")  # magics that run what is behind them
USUAL = {"np": "numpy", "plt": "matplotlib.pyplot", "mpl": "matplotlib", "pd": "pandas"}
USUAL |= {"sp": "scipy", "F": "torch.nn.functional", "nn": "torch.nn"}


class Instructor:
    """What the release says: the cells that may run here, and the names that it asks for."""

    def __init__(self, released):
        code = [cell for cell in released.cells if cell.cell_type == "code"]
        self.own = [c.source for c in code if not is_grade(c) and not is_solution(c)]
        self.asked = set().union(*(names(c.source)[0] for c in code if is_solution(c)), set())
        self.stubs = {
            cell.metadata.nbgrader.grade_id: cell.source for cell in code if is_solution(cell)
        }
        self.before, number = {}, 0  # {test: how many of the own cells come before it}
        for cell in code:
            if is_grade(cell):
                self.before[cell.metadata.nbgrader.grade_id] = number
            elif not is_solution(cell):
                number += 1

    @cached_property
    def defines(self):
        """The names that each of the own cells defines."""
        return [names(source)[0] - self.asked for source in self.own]

    @cached_property
    def closed(self):
        """Numbers of the own cells that need nothing of the student's, not even through others."""
        known, numbers = set(dir(builtins)) | {"get_ipython"}, []
        for number, source in enumerate(self.own):
            own, uses = names(source)
            if not uses - own - known and not (uses | own) & self.asked:
                known |= own
                numbers.append(number)
        return numbers


class Namespace(dict):
    """The global names of the test cells of one notebook."""

    def __init__(self, instructor, student):
        shell = NoShell(self)
        super().__init__(__name__="__main__", __builtins__=builtins, get_ipython=lambda: shell)
        self.instructor, self.student = instructor, student
        self.ran = set()
        self.taken = set()  # names of the student's that a test has deleted
        self.reached = len(instructor.own)
        self.testing = True  # or one of the instructor's own cells is running

    def reach(self, test, all_cells):
        """From here on it is as it was when the student's notebook came to this test.

        all_cells: whether the instructor's cells before it have run, or only those that it needs
        """
        self.reached = self.instructor.before.get(test, self.reached)
        for number in self.instructor.closed if all_cells else ():
            if number < self.reached:
                with contextlib.suppress(Exception, SystemExit):  # a notebook goes on
                    self.run_own(number)

    def run_own(self, number):
        """Run one of the instructor's cells, once; what it prints is not the test's."""
        if number in self.ran:
            return
        self.ran.add(number)
        nowhere = io.StringIO()
        self.testing = False
        try:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                run_cell(self.instructor.own[number], self)
        finally:
            self.testing = True
            for name in self.instructor.asked & self.keys():
                super().__delitem__(name)  # what is asked for is the student's

    def __missing__(self, name):
        """A name that no test cell has defined yet."""
        if name not in self.instructor.asked:
            if hasattr(builtins, name):
                raise KeyError(name)
            for number in reversed(range(self.reached)):
                if name in self.instructor.defines[number] and number not in self.ran:
                    self.run_own(number)
                    return self[name]
        if not self.student.has(name):
            raise KeyError(name)
        value = self.student.get(name)
        if type(value).__name__ == "module":
            return usual_module(name)
        return value

    def __setitem__(self, name, value):
        """A test that replaces an answer by a mock replaces it for the student's code, too.

        Data stays here: it may be what the test compares with.
        """
        mock = name in self.instructor.asked and callable(value)
        if self.testing and (mock or name in self.taken):
            with contextlib.suppress(WireError):  # what cannot go there is for the test alone
                self.student.put(name, value)
                self.pop(name, None)
                return
        super().__setitem__(name, value)

    def __delitem__(self, name):
        """A test that deletes an answer wants to see who still calls it."""
        if name in self:
            super().__delitem__(name)
        elif self.testing and self.student.has(name):
            self.taken.add(name)
            self.student.delete(name)
        else:
            raise KeyError(name)


def usual_module(name):
    """A test may rely on the student's `import numpy as np`: it gets ours of that name."""
    try:
        return importlib.import_module(USUAL.get(name, name))
    except ImportError:
        raise KeyError(name) from None


class NoShell:
    """Stands for IPython in the instructor's cells: what is only for the eye does nothing here."""

    def __init__(self, namespace):
        self.namespace = namespace

    def run_line_magic(self, name, line, *_, **__):
        return run_cell(line, self.namespace) if name in RUNNING else None

    def run_cell_magic(self, name, line, body):
        if name not in RUNNING:  # to pass over the body would pass the test
            raise NotImplementedError(f"%%{name} does not run while grading")
        return run_cell(body, self.namespace)

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def run_test(source, namespace, seconds):
    """Run one test cell.

    source   : the instructor's
    namespace: of its notebook
    seconds  : that the student's code has in all
    returns  : its outputs, as a notebook stores them; one of OUTCOMES
    """
    student = namespace.student
    student.allow(seconds)
    printed, warned, outputs, outcome = io.StringIO(), io.StringIO(), [], "ok"
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(warned):
            value = run_cell(source, namespace)
        if type(value) in (int, float):  # nbgrader reads it as points
            outputs = [new_output("execute_result", {"text/plain": repr(value)})]
        if warned.getvalue():
            raise Warned(warned.getvalue())
    except (Exception, SystemExit) as error:
        outcome = "wrong" if isinstance(error, AssertionError) else "error"
        if any(said in str(error) for said in student.errors):
            outcome = "out of memory" if student.out_of_memory else "error"
        outputs = [error_output(error)]
    if student.fault:
        outcome = student.fault.outcome
        if not outputs or outputs[0].output_type != "error":  # the test has swallowed it
            outputs = [error_output(student.fault)]
    if printed.getvalue():
        outputs.insert(0, new_output("stream", name="stdout", text=printed.getvalue()[:10_000]))
    return outputs, outcome


class Warned(Exception):
    """Something was written to stderr, be it a warning: nbgrader gives no points then."""

    def __init__(self, text):
        super().__init__(f"wrote to stderr, which counts as a failure: {text.strip()[:500]}")


def run_cell(source, namespace):
    """Execute the source of a cell; returns the value of its last line, if that is one."""
    source = TransformerManager().transform_cell(source)
    name = f"<cell {hash(source):x}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
        return None if source.rstrip().endswith(";") else value
    return None


@contextlib.contextmanager
def at_the_instructors_desk(files):
    """While this lasts, test cells find what the instructor gave beside the notebook.

    The folder is the working directory and modules are imported from it; nothing of the student's
    is there.

    files: {relative path: content}
    """
    with tempfile.TemporaryDirectory(prefix=f"desk-{os.getpid()}-") as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sys.path.insert(0, folder)
        nothing = io.StringIO()
        try:
            with contextlib.chdir(folder), patch.object(sys, "stdin", nothing):
                yield
        finally:
            sys.path.remove(folder)
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", None)).startswith(f"{folder}/"):
                    del sys.modules[name]  # another course may have one of the same name


def error_output(error):
    """The error as a notebook stores it: a check's own sentence, or the lines of the cell."""
    if isinstance(error, CheckFailed):
        lines = error._render_traceback_()
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f"---> {frame.line}" for frame in frames if frame.filename.startswith("<cell")]
        lines.append(f"{type(error).__name__}: {error}")
    ename = "RemoteError" if isinstance(error, RemoteError) else type(error).__name__
    return new_output("error", ename=ename, evalue=str(error), traceback=lines)


def names(source):
    """(names a cell defines at its top level, names it takes from other cells)."""
    source = TransformerManager().transform_cell(source)
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
