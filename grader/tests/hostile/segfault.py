"""Address zero is read.

Verdict: crashed
"""

import ctypes


def center_columns(x):
    return ctypes.string_at(0)
