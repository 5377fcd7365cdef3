"""The grader as notebooks name it, without anything of the grader in it.

A set-up cell may import the board, and a student may call a check in a cell of their own: both do
nothing here, and what stands below them in the cell runs.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

NAMED = ("grader", "grader.progress", "grader.checks")


class Nothing:
    """Stands for any function or module, and does nothing."""

    def __call__(self, *args, **kwargs):
        return None

    def __getattr__(self, name):
        return attribute(name)


def attribute(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Nothing()


class Silent(MetaPathFinder, Loader):
    def find_spec(self, name, path=None, target=None):
        if name in NAMED or name.startswith("grader.checks."):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__getattr__ = attribute


def install():
    sys.meta_path.insert(0, Silent())
