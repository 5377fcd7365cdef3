"""Fifty gigabytes, of one kind after the other; no attempt goes far.

Verdict: error or out of memory
"""


def center_columns(x):
    return b"x" * 50_000_000_000
