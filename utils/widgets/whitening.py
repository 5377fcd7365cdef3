"""A cloud to stretch and tilt, and what each stage of preparation makes of it."""

import ipywidgets as widgets
import numpy as np

from utils.figures import whitening_stages

from .learner import NOT_WRITTEN, ask
from .panel import Panel


def whitening_explorer(stages, *, n=200, seed=0):
    """Raw points of a chosen correlation, and the same points after each stage.

    stages : {name: function (x_train, x) -> x}, for example centered, decorrelated, whitened
    """
    rng = np.random.default_rng(seed)
    white = rng.normal(size=(n, 2))
    white -= white.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(white.T, bias=True)), white.T).T
    groups = (white[:, 0] > 0).astype(int)  # two colors, so that one can follow the points

    def draw(correlation, spread, center):
        mix = np.array([[1.0, 0.0], [correlation, np.sqrt(1 - correlation**2)]])
        x = (white @ mix.T) * [spread, 1.0] + center
        shown, notes = {"raw": x}, []
        for name, stage in stages.items():
            answer = ask(stage, x, x, shape=x.shape)
            problem = answer.problem
            if not problem and not np.isfinite(answer.value).all():
                problem = "the result is not finite"
            shown[name] = _short(problem) if problem else answer.value
            if problem:
                notes.append(f"{name}: {problem}.")
        limits = {name: (-11.5, 11.5) if name == "raw" else None for name in shown}
        fig = whitening_stages(shown, labels=groups, limits=limits)
        fig.note = " ".join(notes)
        return fig

    controls = {
        "correlation": widgets.FloatSlider(
            0.8, min=-0.95, max=0.95, step=0.05, description="correlation"
        ),
        "spread": widgets.FloatSlider(
            2.0, min=0.5, max=3.0, step=0.1, description="deviation of the first coordinate"
        ),
        "center": widgets.FloatSlider(2.0, min=-3, max=3, step=0.5, description="mean of both"),
    }
    return Panel(draw, controls)


def _short(problem):
    return "not written yet" if problem == NOT_WRITTEN else "see the line below"
