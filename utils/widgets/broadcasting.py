"""Two shapes to type, and how they are stretched to one."""

import ast

import ipywidgets as widgets

from utils.figures import broadcasting

from .panel import Panel

SHAPES = ("()", "(3,)", "(4, 1)", "(4, 3)", "(1, 3)", "(2, 4, 3)", "(2, 1, 3)", "(8, 1, 6)",
          "(7, 1)", "(4,)")  # fmt: skip


def broadcasting_explorer(a="(4, 1)", b="(3,)"):
    """Type or choose two shapes; see whether and how they broadcast."""

    def draw(a, b):
        return broadcasting(read_shape(a), read_shape(b))

    style = {"options": SHAPES, "ensure_option": False, "continuous_update": False}
    controls = {
        "a": widgets.Combobox(value=a, description="shape of a", **style),
        "b": widgets.Combobox(value=b, description="shape of b", **style),
    }
    return Panel(draw, controls)


def read_shape(text):
    """The tuple that a person means by (4, 1), 4, 1 or 4."""
    try:
        shape = ast.literal_eval(text.strip() or "()")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"Write a shape as (4, 1) or (3,), not as {text!r}.") from None
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if not all(type(n) is int and 1 <= n <= 999 for n in shape) or len(shape) > 6:
        raise ValueError(f"A shape here is up to six whole numbers from 1 to 999, not {text!r}.")
    return shape
