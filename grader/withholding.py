"""The `utils` of the sandbox: the course's own, without what a unit asks the student to write.

The functions are taken out of the source itself, so there is nothing to find, whichever way it is
imported or read. What is built on them fails with the same words.
"""

import ast
import hashlib
import shutil
from pathlib import Path

from grader.checks import checks

UTILS = Path(__file__).resolve().parents[1] / "utils"
LEFT_OUT = shutil.ignore_patterns("tests", "benchmarks", "__pycache__")


def withheld_names(exercises):
    """The names in utils that these exercises ask for: their own, and what their checks add."""
    known = checks()
    names = set()
    for exercise in exercises:
        names.add(exercise.removesuffix("_torch"))
        names.update(getattr(known.get(exercise), "withholds", ()))
    return names


def utils_without(names, folder):
    """Write utils without these functions and classes below `folder`, once.

    returns: the name of the folder there in which it lies as `utils`
    """
    name = "utils-" + hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:12]
    target = folder / name
    if not target.exists():
        half_done = folder / f"{name}.part"
        shutil.copytree(UTILS, half_done / "utils", ignore=LEFT_OUT)
        for path in half_done.rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            emptied = Emptied(names)
            tree = emptied.visit(tree)
            if emptied.found:
                path.write_text(ast.unparse(tree), encoding="utf-8")
        half_done.rename(target)
    return name


class Emptied(ast.NodeTransformer):
    """Replace what the named functions and classes do by an error that says so."""

    def __init__(self, names):
        self.names, self.found = names, False

    def visit_FunctionDef(self, node):
        if node.name in self.names:
            self.empty(node, node.name)
        return node

    def visit_ClassDef(self, node):
        if node.name in self.names:
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    self.empty(method, node.name)
        return node

    def empty(self, function, name):
        self.found = True
        words = f"the course's own {name} is withheld while grading: the answer must be yours"
        function.body = ast.parse(f"raise RuntimeError({words!r})").body
