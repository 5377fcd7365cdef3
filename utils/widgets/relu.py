"""Relus that add up to a curve: how many are enough?"""

import ipywidgets as widgets
import numpy as np

from utils.figures import relu_fit

from .learner import Unfit, ask
from .panel import Panel

UNITS = 40
POINTS = 601


def relu_approximator(targets, relu_approximation, *, reference=None, low=0.0, high=1.0, units=6):
    """A network of one hidden layer of relus, made by hand, against the function it should be.

    targets : {name: function (G,) -> (G,)} on [low, high]
    relu_approximation : (targets (K,), knots (K,)) -> (w1, b1, w2, b2), the learner's, so that
                         w2 relu(w1 x + b1) + b2 goes through (knots, targets)
    reference : drawn while relu_approximation is not written
    """
    x = np.linspace(low, high, POINTS)
    runs, notes = {}, {}

    def fits(name):
        """The sums for every number of units, or why there are none: computed once."""
        if name not in runs:
            y = np.asarray(targets[name](x), dtype=float)
            answer = ask(_sums, relu_approximation, targets[name], x, blame=relu_approximation)
            notes[name] = answer.sentence
            if answer.problem and reference is not None:
                notes[name] += " The reference is drawn."
                answer = ask(_sums, reference, targets[name], x, blame=reference)
            runs[name] = y, answer.value
        return runs[name]

    def draw(target, units):
        y, sums = fits(target)
        if sums is None:
            raise ValueError(notes[target])
        count, approximation, knots = sums[units]
        errors = {n: float(np.abs(s - y).max()) for n, s, _ in sums.values()}
        fig = relu_fit(x, y, approximation, knots, count, errors, name=target)
        fig.note = notes[target]
        return fig

    for name in targets:
        fits(name)
    controls = {
        "units": widgets.IntSlider(units, 1, UNITS, description="hidden units"),
        "target": widgets.Dropdown(
            options=[(name, name) for name in targets], description="target function"
        ),
    }
    return Panel(draw, controls)


def _sums(relu_approximation, target, x):
    """{n: (units, values along x, knots)} for networks through n + 1 knots."""
    sums = {}
    for n in range(1, UNITS + 1):
        knots = np.linspace(x[0], x[-1], n + 1)
        parts = relu_approximation(np.asarray(target(knots), dtype=float), knots.copy())
        if parts is None:
            raise NotImplementedError
        if not (isinstance(parts, (tuple, list)) and len(parts) == 4):
            raise Unfit("return the four arrays (w1, b1, w2, b2)")
        w1, b1, w2, b2 = (np.asarray(part, dtype=float).ravel() for part in parts)
        if not (w1.shape == b1.shape == w2.shape and b2.shape == (1,) and len(w1)):
            raise Unfit(
                "return one number of w1, b1 and w2 for each unit and one b2, it returned "
                f"{len(w1)}, {len(b1)}, {len(w2)} and {len(b2)} numbers"
            )
        values = np.maximum(x[:, None] * w1 + b1, 0) @ w2 + b2
        if not np.isfinite(values).all():
            raise Unfit("return finite weights")
        sums[n] = len(w1), values, knots
    return sums
