"""exit(), and an error that cannot tell what it is.

Verdict: wrong or error
"""


class Mute(SystemExit):
    def __str__(self):
        raise KeyboardInterrupt


Mute.__name__ = "AssertionError" * 1_000_000


def center_columns(x):
    raise Mute
