"""A perceptron that learns, one mistake at a time."""

import ipywidgets as widgets
import numpy as np

from utils.figures.classification import draw_perceptron_frame, label_axes, perceptron_run
from utils.figures.figure import Figure, number, plural, styled

from .learner import ask
from .panel import Panel

ORDERS = 5


def perceptron_player(perceptron_step, x, y, *, reference=None, max_updates=40, feature_names=None):
    """Play or step through the updates of a perceptron; the order of the examples matters.

    perceptron_step : (w (D,), b, x (D,), y in {-1, +1}) -> (w, b)
    x, y : (N, 2), (N,) in {-1, +1};  reference : used while perceptron_step is not written
    feature_names : of the two axes; x1 and x2 by default
    """
    orders = [np.arange(len(x))]
    orders += [np.random.default_rng(i).permutation(len(x)) for i in range(1, ORDERS)]
    runs, note = _runs(perceptron_step, x, y, orders, max_updates)
    if runs is None and reference is not None:
        note += " The reference is drawn."
        runs, _ = _runs(reference, x, y, orders, max_updates)
    longest = max((len(updates) for updates, _ in runs), default=1) if runs else 1

    @styled
    def draw(step, order):
        if not runs:
            raise ValueError(note)
        updates, finished = runs[order]
        if not updates:
            raise ValueError("The step never changed w or b, though every point was wrong.")
        step = min(step, len(updates))
        fig = Figure(6.4, 4.8)
        ax = fig.subplots()
        update = updates[step - 1]
        wrong = draw_perceptron_frame(ax, update, x, y, legend=True)
        label_axes(ax, feature_names)
        last = step == len(updates)
        ax.set_title(f"update {step}, after {plural(update[0], 'visit')}: {wrong} wrong")
        w, b = update[3]
        end = ""
        if last:
            end = " It was the last: an epoch passed without a mistake." if finished else (
                f" Stopped after {len(updates)} updates; it would go on."
            )  # fmt: skip
        fig.alt = (
            f"Perceptron after update {step} of {len(updates)}, {plural(update[0], 'visit')}: "
            f"w = ({number(w[0])}, {number(w[1])}), b = {number(b)}, "
            f"{wrong} of {len(x)} points wrong.{end}"
        )
        fig.note = note
        return fig

    step = widgets.IntSlider(1, 1, max(2, longest), description="update")
    play = widgets.Play(value=1, min=1, max=max(2, longest), interval=600, description="play")
    widgets.link((play, "value"), (step, "value"))
    options = [("as they come", 0)] + [(f"shuffle {i}", i) for i in range(1, ORDERS)]
    order = widgets.Dropdown(options=options, description="order of the examples")
    return Panel(draw, {"step": step, "order": order}, helpers=[play])


def _runs(step, x, y, orders, max_updates):
    """The updates for every order, or None and a line that says why not."""
    first = ask(step, np.zeros(x.shape[1]), 0.0, x[0], int(y[0]))
    if first.problem:
        return None, first.sentence
    if not (isinstance(first.value, tuple) and len(first.value) == 2):
        return None, "Yours should return the pair (w, b)."
    answers = [
        ask(perceptron_run, step, x, y, order=order, max_updates=max_updates, blame=step)
        for order in orders
    ]
    broken = [answer for answer in answers if answer.problem]
    if broken:
        return None, broken[0].sentence
    return [answer.value for answer in answers], ""
