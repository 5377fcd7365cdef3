"""One neuron to turn and push, and three of them that together compute XOR."""

import time

import ipywidgets as widgets
import numpy as np

from utils.figures import neuron_plane, threshold_network
from utils.figures.neurons import boolean_plane

from .learner import Unfit, ask
from .panel import Panel

BUDGET, COARSE = 0.03, 31  # seconds that a learner's neuron may take, or fewer points are asked
XOR = ([[2.0, -2.0], [2.0, -2.0]], [-1.0, 3.0], [1.0, 1.0], -2.0)  # one of many


def neuron_explorer(activations, neuron=None, *, w=(1.0, 1.0), b=-1.5):
    """One neuron over the plane: its boundary, its output, and the four Boolean inputs.

    activations : {name: function of the potential (N,) -> (N,)}
    neuron : (x (N, 2), w (2,), b) -> (N,), the learner's; the first choice if it is given
    """
    functions = {name: _applied(f) for name, f in activations.items()}
    note, slow = "", False
    if neuron is not None:
        grid, start = boolean_plane(), time.perf_counter()
        answer = ask(neuron, grid, np.array([1.0, -1.0]), 0.5, shape=(len(grid),))
        slow = time.perf_counter() - start > BUDGET
        note = answer.sentence
        if not note:
            functions = {"yours": neuron, **functions}

    def draw(w1, w2, b, activation):
        sides = {"side": COARSE} if slow and activation == "yours" else {}
        fig = neuron_plane(functions[activation], (w1, w2), b, name=activation, **sides)
        fig.note = note
        return fig

    def slider(value, name):
        return widgets.FloatSlider(value, min=-3, max=3, step=0.25, description=name)

    controls = {
        "w1": slider(w[0], "w1"),
        "w2": slider(w[1], "w2"),
        "b": slider(b, "bias b"),
        "activation": widgets.Dropdown(
            options=[(name, name) for name in functions], description="activation"
        ),
    }
    return Panel(draw, controls)


def _applied(activation):
    return lambda x, w, b: activation(x @ w + b)


def xor_explorer(xor_network=None):
    """A network of three threshold neurons with every weight to move.

    xor_network : () -> (w1 (2, 2), b1 (2,), w2, b2), the learner's weights to start from
    """
    start, note = XOR, ""
    if xor_network is not None:
        answer = ask(_four_arrays, xor_network, blame=xor_network)
        start, note = answer.value or XOR, answer.sentence
        if note:
            note += " The weights of the lecture are shown."
    w1, b1, w2, b2 = (np.array(part, dtype=float) for part in start)
    reach = max(4.0, float(np.ceil(max(np.abs(part).max() for part in (w1, b1, w2, b2)))))

    def draw(**values):
        a, b, c, d, e, f, g, h, i = values.values()
        fig = threshold_network([[a, d], [b, e]], [c, f], [g, h], i)
        fig.note = note
        return fig

    names = {
        "h1_w1": w1[0, 0], "h1_w2": w1[1, 0], "h1_b": b1[0],
        "h2_w1": w1[0, 1], "h2_w2": w1[1, 1], "h2_b": b1[1],
        "y_w1": w2[0], "y_w2": w2[1], "y_b": b2,
    }  # fmt: skip
    said = {"w1": "weight of {}1", "w2": "weight of {}2", "b": "bias"}
    controls = {}
    for name, value in names.items():
        neuron, part = name.split("_")
        words = said[part].format("h" if neuron == "y" else "x")
        controls[name] = widgets.FloatSlider(
            float(value), min=-reach, max=reach, step=0.5, description=f"{neuron}: {words}"
        )
        controls[name].layout.width = "290px"
    return Panel(draw, controls)


def _four_arrays(xor_network):
    """The learner's weights, or a sentence that says which part has another form."""
    parts = xor_network()
    if parts is None:
        raise NotImplementedError
    if not (isinstance(parts, (tuple, list)) and len(parts) == 4):
        raise Unfit("return the four arrays (w1, b1, w2, b2)")
    shapes = ((2, 2), (2,), (2,), ())
    arrays = []
    for part, shape, name in zip(parts, shapes, ("w1", "b1", "w2", "b2"), strict=True):
        array = np.asarray(part, dtype=float)
        if array.size != np.prod(shape, dtype=int):
            raise Unfit(f"return weights of two hidden neurons, its {name} has shape {array.shape}")
        arrays.append(array.reshape(shape))
    return arrays
