"""The wrong answers that people really give, one mistake each, and what the check must say.

A mutant is written as a student would: it uses np or torch and nothing else from here.
"""

import importlib
import pkgutil
from dataclasses import dataclass

MUTANTS = {}  # {exercise: [Mutant]}, filled as the modules are imported: see mutants()


@dataclass(frozen=True)
class Mutant:
    """One wrong answer: a function, or the value given to a question."""

    exercise: str
    wrong: object
    says: str  # part of the check's message

    @property
    def name(self):
        return getattr(self.wrong, "__name__", repr(self.wrong))


def mutant(exercise, says):
    """Register what it decorates, or mutant(...)(value), as a wrong answer to the exercise."""

    def register(wrong):
        MUTANTS.setdefault(exercise, []).append(Mutant(exercise, wrong, says))
        return wrong

    return register


def mutants():
    """{exercise: [Mutant]} of all modules here."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return MUTANTS
