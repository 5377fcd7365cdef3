"""Backpropagation one node at a time, over the graph of a small expression."""

import math

import ipywidgets as widgets

from utils.figures import computation_graph
from utils.figures.figure import number

from .learner import Unfit, ask
from .panel import Panel


def backprop_stepper(expressions, value, *, reference=None):
    """Step forward through the values of an expression, then back through its gradients.

    expressions : {name: (function of numbers, {"x": 2.0, ...})}; the function is called with
                  the inputs by name and uses + - * / ** and .relu(), .exp(), .log(), .tanh()
    value : class of numbers that differentiate themselves, Value(data) with data, grad and
            backward(); the learner's own is welcome: nothing else is asked of it
    reference : such a class too, used while value is not written
    Where a gradient is not the sum over the edges that leave its node, the status says so.
    """
    runs, notes = {}, {}
    for name, (function, inputs) in expressions.items():
        answer = ask(_run, function, inputs, value, blame=value)
        notes[name] = answer.sentence
        if answer.problem and reference is not None:
            notes[name] += " The reference is drawn."
            answer = ask(_run, function, inputs, reference, blame=reference)
        runs[name] = answer.value
    longest = max((_steps(nodes) for nodes in runs.values() if nodes), default=2)

    def draw(step, expression):
        nodes = runs[expression]
        if nodes is None:
            raise ValueError(notes[expression])
        shown, at, title = _at_step(nodes, min(step, _steps(nodes)))
        fig = computation_graph(shown, at=at, title=title)
        fig.alt = f"{title}. {fig.alt}"
        fig.note = " ".join(filter(None, (notes[expression], _disagreement(nodes, shown))))
        return fig

    first = next(iter(runs.values()))
    start = _steps(first) if first else 1
    step = widgets.IntSlider(start, 0, longest, description="step")
    play = widgets.Play(value=start, min=0, max=longest, interval=900, description="play")
    widgets.link((play, "value"), (step, "value"))
    names = widgets.Dropdown(options=[(name, name) for name in runs], description="expression")
    return Panel(draw, {"step": step, "expression": names}, helpers=[play])


class Traced:
    """A number of the learner's class, and a line in the list of all that was computed."""

    def __init__(self, inner, nodes, make, label, inputs=(), operate=None):
        self.inner, self.nodes, self.make, self.place = inner, nodes, make, len(nodes)
        slopes = _slopes(operate, [nodes[i]["inner"] for i in inputs], make)
        nodes.append(
            {"label": label, "inner": inner, "inputs": list(inputs), "slopes": slopes}
        )  # fmt: skip

    def _apply(self, label, operate, *others):
        operands = [self, *(self._traced(other) for other in others)]
        inner = operate(*(operand.inner for operand in operands))
        places = [operand.place for operand in operands]
        return Traced(inner, self.nodes, self.make, label, places, operate)

    def _traced(self, other):
        if isinstance(other, Traced):
            return other
        return Traced(self.make(other), self.nodes, self.make, "constant")

    def __add__(self, other):
        return self._apply("+", lambda a, b: a + b, other)

    def __sub__(self, other):
        return self._apply("−", lambda a, b: a - b, other)

    def __mul__(self, other):
        return self._apply("×", lambda a, b: a * b, other)

    def __truediv__(self, other):
        return self._apply("/", lambda a, b: a / b, other)

    def __radd__(self, other):
        return self._traced(other) + self

    def __rsub__(self, other):
        return self._traced(other) - self

    def __rmul__(self, other):
        return self._traced(other) * self

    def __rtruediv__(self, other):
        return self._traced(other) / self

    def __neg__(self):
        return self._apply("−", lambda a: -a)

    def __pow__(self, power):
        return self._apply(f"^{power:g}", lambda a: a**power)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda: self._apply(name, lambda a: getattr(a, name)())


def _slopes(operate, operands, make):
    """d result / d operand of this operation alone, by the learner's class, on fresh numbers."""
    fresh = [make(operand.data) for operand in operands]
    if not fresh:
        return []
    operate(*fresh).backward()
    return [float(number.grad) for number in fresh]


def _run(function, inputs, make):
    """Every node with its value, gradient, inputs and slopes, in the order of computing."""
    nodes = []

    def made(data):
        number = make(float(data))
        if number is None:
            raise NotImplementedError
        return number

    leaves = {name: Traced(made(v), nodes, made, name) for name, v in inputs.items()}
    result = function(**leaves)
    result.inner.backward()
    for node in nodes:
        inner = node.pop("inner")
        if inner.grad is None:
            raise Unfit(f"set the grad of {node['label']} when backward runs, it is None")
        node.update(value=float(inner.data), gradient=float(inner.grad))
    return nodes


def _steps(nodes):
    """Forward through the operations, then back through everything."""
    return sum(bool(node["inputs"]) for node in nodes) + len(nodes)


def _at_step(nodes, step):
    """(nodes as known at this step, the place to mark, what happens there)."""
    operations = [i for i, node in enumerate(nodes) if node["inputs"]]
    backward = list(reversed(range(len(nodes))))
    n = len(operations)
    valued = {*range(len(nodes))} - {*operations[step:]} if step < n else {*range(len(nodes))}
    graded = set(backward[: max(step - n, 0)])
    shown = [
        node
        | {"value": node["value"] if i in valued else None}
        | {"slopes": node["slopes"] if i in valued else None}
        | {"gradient": node["gradient"] if i in graded else None}
        for i, node in enumerate(nodes)
    ]
    head = f"Step {step} of {_steps(nodes)}"
    if step == 0:
        return shown, None, f"{head}: the inputs are known"
    if step <= n:
        i = operations[step - 1]
        said = f"value of {nodes[i]['label']} = {number(nodes[i]['value'])}"
        return shown, i, f"{head}, forward: {said}"
    i = backward[step - n - 1]
    parts = _parts(nodes, i)
    said = f"gradient of {nodes[i]['label']} = "
    said += " + ".join(f"{_signed(slope)} · {_signed(g)}" for slope, g in parts) or "1, by itself"
    if parts:
        said += f" = {number(sum(slope * g for slope, g in parts))}"
    return shown, i, f"{head}, backward: {said}"


def _parts(nodes, i):
    """(slope, gradient at the other end) of every edge that leaves node i."""
    return [
        (slope, node["gradient"])
        for node in nodes
        for source, slope in zip(node["inputs"], node["slopes"], strict=True)
        if source == i
    ]


def _disagreement(nodes, shown):
    for i, node in enumerate(shown):
        parts = _parts(nodes, i)
        total = sum(slope * gradient for slope, gradient in parts) if parts else 1.0
        if node["gradient"] is not None and not math.isclose(
            node["gradient"], total, rel_tol=1e-6, abs_tol=1e-9
        ):
            return (
                f"The grad of {node['label']} is {number(node['gradient'])}, but the edges that "
                f"leave it add up to {number(total)}."
            )
    return ""


def _signed(x):
    return f"({number(x)})" if x < 0 else number(x)
