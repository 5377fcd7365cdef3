"""The function calls itself without end, with the interpreter's own limit taken away.

Verdict: error or crashed or out of memory or timeout
"""

import sys

sys.setrecursionlimit(2**31 - 1)


def center_columns(x):
    return sorted([x], key=center_columns)
