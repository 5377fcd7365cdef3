"""Run a test cell here, in the grader's own process, against answers that live in the sandbox.

The names that a test takes from the notebook come from three places. What the instructor's own
cells define is computed here, from the release; what an answer cell was to define, and whatever
else the student has, is a stand-in from the sandbox; Python's own names stay Python's. The
student's code never runs here, and the student's copy of a locked cell never runs at all.
"""

import ast
import builtins
import contextlib
import io
import linecache
import symtable
import traceback
from functools import cached_property

from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_output
from nbgrader.utils import is_grade, is_solution

from grader.checking import CheckFailed, RemoteError

OUTCOMES = ("ok", "wrong", "error", "timeout", "out of memory", "crashed", "not attempted")


class Instructor:
    """What the release says: the cells that may run here, and the names that it asks for."""

    def __init__(self, released):
        code = [cell for cell in released.cells if cell.cell_type == "code"]
        self.own = [c.source for c in code if not is_grade(c) and not is_solution(c)]
        self.asked = set().union(*(names(c.source)[0] for c in code if is_solution(c)), set())
        self.stubs = {
            cell.metadata.nbgrader.grade_id: cell.source for cell in code if is_solution(cell)
        }

    @cached_property
    def defined(self):
        """{name: number of the last of the instructor's cells that defines it}"""
        return {
            name: number
            for number, source in enumerate(self.own)
            for name in names(source)[0] - self.asked
        }


class Namespace(dict):
    """The global names of the test cells of one notebook."""

    def __init__(self, instructor, student):
        super().__init__(__name__="__main__", __builtins__=builtins, get_ipython=NoShell)
        self.instructor, self.student = instructor, student
        self.ran = set()

    def __missing__(self, name):
        """A name that no test cell has defined yet."""
        if name not in self.instructor.asked:
            if hasattr(builtins, name):
                raise KeyError(name)
            number = self.instructor.defined.get(name)
            if number is not None and number not in self.ran:
                self.ran.add(number)
                run_cell(self.instructor.own[number], self)
                return self[name]
        if not self.student.has(name):
            raise KeyError(name)
        value = self.student.get(name)
        if type(value).__name__ == "module":
            raise KeyError(name)  # a test that needs a module imports it: the student's may be any
        return value


class NoShell:
    """Stands for IPython in the instructor's cells: magics do nothing here."""

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
    printed, outputs, outcome = io.StringIO(), [], "ok"
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            value = run_cell(source, namespace)
        if type(value) in (int, float):  # nbgrader reads it as points
            outputs = [new_output("execute_result", {"text/plain": repr(value)})]
    except Exception as error:
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


def run_cell(source, namespace):
    """Execute the source of a cell; returns the value of its last line, if that is one."""
    source = TransformerManager().transform_cell(source)
    name = f"<cell {hash(source):x}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        return eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    return None


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
