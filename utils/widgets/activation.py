"""Activations one at a time, each with its derivative."""

import inspect

import ipywidgets as widgets
import numpy as np

from utils.figures import activation_curve

from .learner import Answer, ask, takes
from .panel import Panel

REACH = 6.0
X = np.linspace(-REACH, REACH, 601)
PARAMETERS = {"steepness": (0.25, 5.0), "slope": (0.0, 1.0), "alpha": (0.1, 3.0)}


def activation_gallery(functions, *, reference=None, at=1.0):
    """Choose an activation, its steepness, slope or alpha where it has one, and an input.

    functions : {name: (f, f_backward)}, f(x, [steepness=, slope=, alpha=]) -> values and
                f_backward(dout, x, [...]) -> dx; functions of the learner are welcome
    reference : such a dictionary, drawn where a function of the learner is not written
    The slider of a parameter that the chosen function does not take is switched off.
    """

    def draw(function, at, **parameters):
        values, slopes = _curves(*functions[function], parameters)
        note = values.sentence or slopes.sentence
        if note and function in (reference or {}):
            note += " The reference is drawn."
            values, slopes = _curves(*reference[function], parameters)
        if values.problem:
            raise ValueError(note)
        if slopes.problem:
            note += " The derivative is drawn by differences."
            slopes = Answer(np.gradient(values.value, X))
        fig = activation_curve(function, X, values.value, slopes.value, at=at)
        fig.note = note
        return fig

    controls = {
        "function": widgets.Dropdown(
            options=[(name, name) for name in functions], description="activation"
        ),
        "at": widgets.FloatSlider(at, min=-REACH, max=REACH, step=0.25, description="input x"),
    }
    for key, (low, high) in PARAMETERS.items():
        default = _default([*functions.values(), *(reference or {}).values()], key)
        if default is not None:
            controls[key] = widgets.FloatSlider(
                default, min=low, max=high, step=0.01 if key == "slope" else 0.05, description=key
            )

    def switch(_change=None):
        name = controls["function"].value
        pairs = [table[name] for table in (functions, reference or {}) if name in table]
        for key in PARAMETERS.keys() & controls.keys():
            controls[key].disabled = not any(callable(f) and takes(f, key) for f, _ in pairs)

    controls["function"].observe(switch, names="value")
    switch()
    return Panel(draw, controls)


def _curves(f, f_backward, parameters):
    """(values, slopes) along X, each an Answer."""
    options = {key: v for key, v in parameters.items() if callable(f) and takes(f, key)}
    slopes = _curve(f_backward, np.ones_like(X), X, **options)
    return _curve(f, X, **options), slopes


def _curve(f, *args, **options):
    """Values along X, finite."""
    answer = ask(f, *args, shape=X.shape, **options)
    if not answer.problem and not np.isfinite(answer.value).all():
        return Answer(problem="the result is not finite")
    return answer


def _default(pairs, key):
    """The default of a parameter in the first function that has it, None where none has."""
    for f, _ in pairs:
        if callable(f) and takes(f, key):
            parameter = inspect.signature(f).parameters.get(key)
            value = parameter.default if parameter else inspect.Parameter.empty
            low, high = PARAMETERS[key]
            if isinstance(value, (int, float)):
                return float(np.clip(value, low, high))
            if parameter is not None and value is inspect.Parameter.empty:
                return 0.25  # prelu: its slope is learned, and starts there
    return None
