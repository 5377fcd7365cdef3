"""A boundary to turn and push, and what it costs."""

import ipywidgets as widgets
import numpy as np

from utils.figures.classification import margin_losses, plane_grid

from .learner import NOT_WRITTEN, Answer, ask
from .panel import Panel

MARGINS = np.linspace(-3, 3, 601)


def linear_explorer(losses, x, y, *, angle=None, offset=0.0, scale=1.0, feature_names=None):
    """A linear classifier w.x + b of two classes, by three sliders, and its losses.

    losses : {name: function (scores (N,), signs (N,)) -> mean loss, or (mean loss, dscores)}
             at most three of them; one not written yet is left out, and the status says so
    x, y : (N, 2), (N,) two values, of which the larger is the side of positive score
    feature_names : of the two axes; x1 and x2 by default

    angle turns w (by default it starts 65 degrees off a good one), scale is its length, offset
    is how far the boundary lies from the middle of the points along w:
    b = -scale * (direction . middle + offset).
    """
    signs = np.where(y == np.max(y), 1, -1)
    middle = x.mean(axis=0)
    reach = float(np.abs(x - middle).max())
    view = plane_grid(x, 2, margin=0.12)[1]
    if angle is None:
        apart = x[signs == 1].mean(axis=0) - x[signs == -1].mean(axis=0)
        towards = np.degrees(np.arctan2(apart[1], apart[0])) + 65
        angle = int(5 * np.round(((towards + 180) % 360 - 180) / 5))
    curves, problems = {}, {}
    for name, loss in losses.items():
        answer = _mean(loss, x @ np.ones(2), signs)
        if answer.problem:
            problems[name] = answer.problem
            continue
        one = np.ones(1, dtype=int)
        curves[name] = (MARGINS, np.array([_mean(loss, m[None], one).value for m in MARGINS]))

    def draw(angle, offset, scale):
        if not curves:
            raise ValueError(_sentence(problems))
        direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        w, b = scale * direction, -scale * (direction @ middle + offset)
        means = {name: float(_mean(losses[name], x @ w + b, signs).value) for name in curves}
        fig = margin_losses(w, b, x, signs, means, curves, view=view, feature_names=feature_names)
        fig.note = _sentence(problems)
        return fig

    controls = {
        "angle": widgets.IntSlider(angle, -180, 180, 5, description="angle of w, degrees"),
        "offset": widgets.FloatSlider(
            offset, min=-round(reach, 1), max=round(reach, 1), step=0.1, description="offset"
        ),
        "scale": widgets.FloatSlider(
            scale, min=0.1, max=3.0, step=0.1, description="length of w"
        ),
    }  # fmt: skip
    return Panel(draw, controls)


def _mean(loss, scores, signs):
    """The loss alone, whether or not its gradient comes with it."""
    answer = ask(loss, scores, signs)
    if answer.problem:
        return answer
    value = answer.value[0] if isinstance(answer.value, tuple) else answer.value
    if value is None:
        return Answer(problem=NOT_WRITTEN)
    if np.shape(value) != ():
        return Answer(problem=f"should be one number, it has shape {np.shape(value)}")
    try:
        return Answer(float(value))
    except (TypeError, ValueError):
        return Answer(problem=f"should be a number, it is of type {type(value).__name__}")


def _sentence(problems):
    return " ".join(f"{name}: {problem}." for name, problem in problems.items())
