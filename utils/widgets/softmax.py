"""Scores to move, and the probabilities made of them."""

import ipywidgets as widgets
import numpy as np

from utils.figures import softmax_bars

from .learner import ask
from .panel import Panel


def naive_softmax(scores):
    """exp / sum as the formula says, which overflows: for the picture only."""
    with np.errstate(all="ignore"):
        exponentials = np.exp(scores)
        return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_explorer(softmax, reference=None, *, scores=(3.0, 1.0, -3.0), class_names=None):
    """Three or more scores, their temperature, and a shift that should change nothing.

    softmax : (N, C) -> (N, C), the learner's;  reference : shown beside it
    The naive form stands beside both and turns to nan when the scores are large.
    """
    names = class_names or [f"class {i}" for i in range(len(scores))]

    def draw(temperature, shift, **values):
        z = np.array(list(values.values())) / temperature + (1000.0 if shift else 0.0)
        shown, note = {"exp / sum, naive": naive_softmax(z)}, ""
        for name, function in (("yours", softmax), ("reference", reference)):
            if name == "reference" and function is None:
                continue
            answer = ask(function, z[None], shape=(1, len(z)))
            if answer.problem:
                note = answer.sentence
            else:
                label = name if reference is not None else "shifted"
                shown[label] = answer.value[0]
        fig = softmax_bars(z, shown, class_names=names, title=_title(shown, z))
        fig.note = note
        return fig

    controls = {
        f"score_{i}": widgets.FloatSlider(
            float(score), min=-10, max=10, step=0.5, description=f"score of {names[i]}"
        )
        for i, score in enumerate(scores)
    }
    controls["temperature"] = widgets.FloatLogSlider(
        1.0, base=10, min=-1, max=1, step=0.1, description="temperature", readout_format=".2f"
    )
    controls["shift"] = widgets.Checkbox(False, description="add 1000 to every score", indent=False)
    return Panel(draw, controls)


def _title(shown, z):
    p = list(shown.values())[-1]
    if not np.isfinite(p).all():
        return "exp overflows: inf / inf is not a number"
    with np.errstate(all="ignore"):
        entropy = -np.sum(np.where(p > 0, p * np.log(p), 0))
    return f"probabilities (entropy {entropy:.2f} of at most {np.log(len(z)):.2f} nats)"
