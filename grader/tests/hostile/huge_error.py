"""An error of a hundred megabytes, with terminal codes and a script, and a repr to match.

Verdict: wrong or error or out of memory
"""


class Huge(ValueError):
    __repr__ = __str__ = lambda self: "<script>\x1b[31m" * 7_000_000


def center_columns(x):
    raise Huge
