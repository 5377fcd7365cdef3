"""Automatic differentiation of numbers, in reverse: the chain rule, applied by a program.

An expression of Values remembers how it was computed: every Value keeps its inputs and its
slope along each of them, the derivative of this one operation. backward() then walks from the
result to the leaves and multiplies slopes along the way, adding up where ways meet:

    x.grad = d result / d x = sum over the nodes n that use x of (d n / d x) (d result / d n)

So one walk gives the gradient by all leaves at once, for about the cost of computing the
result; differences would compute it twice for every leaf.

    >>> x, w = Value(3.0, "x"), Value(-2.0, "w")
    >>> out = (x * w + 1).tanh()
    >>> out.backward()
    >>> w.grad == 3 * (1 - out.data**2)
    True

There is no twin in utils.gpu: the engine is the lesson itself, and torch is its twin.
"""

import math


class Value:
    """A number that remembers where it comes from.

    data     : float, the number
    grad     : float, d result / d self for the result whose backward() ran last; None before
    name     : str, to tell it apart in a drawing
    operation: str, what computed it; "" for a leaf
    inputs   : tuple of Values, what it was computed from
    slopes   : tuple of floats, d self / d input for each input
    source   : after A. Karpathy's micrograd (2020); the method: Linnainmaa (1970), Speelpenning
               (1980)
    """

    def __init__(self, data, name="", operation="", inputs=(), slopes=()):
        if not isinstance(data, (int, float)) and getattr(data, "ndim", None) != 0:
            raise ValueError(f"data must be one number, got {type(data).__name__}")
        self.data = float(data)
        self.grad = None
        self.name = name
        self.operation = operation
        self.inputs = inputs
        self.slopes = slopes

    def __repr__(self):
        return f"Value({self.data:g}, grad={'None' if self.grad is None else f'{self.grad:g}'})"

    def __add__(self, other):
        other = _value(other)
        return Value(self.data + other.data, "", "+", (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = _value(other)
        return Value(self.data * other.data, "", "×", (self, other), (other.data, self.data))

    def __neg__(self):
        return Value(-self.data, "", "−", (self,), (-1.0,))

    def __sub__(self, other):
        other = _value(other)
        return Value(self.data - other.data, "", "−", (self, other), (1.0, -1.0))

    def __truediv__(self, other):
        other = _value(other)
        ratio = self.data / other.data
        return Value(ratio, "", "/", (self, other), (1 / other.data, -ratio / other.data))

    def __pow__(self, power):
        """To a constant power, an int or a float."""
        if not isinstance(power, (int, float)):
            raise ValueError(f"power must be an int or a float, got {type(power).__name__}")
        slope = power * self.data ** (power - 1) if power != 0 else 0.0
        return Value(self.data**power, "", f"^{power:g}", (self,), (slope,))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, "", "exp", (self,), (e,))

    def log(self):
        """The natural logarithm; ValueError unless the number is positive."""
        if self.data <= 0:
            raise ValueError(f"log needs a positive number, got {self.data:g}")
        return Value(math.log(self.data), "", "log", (self,), (1 / self.data,))

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, "", "tanh", (self,), (1 - t * t,))

    def sigmoid(self):
        small = math.exp(-abs(self.data))  # at most 1: no overflow
        s = (small if self.data < 0 else 1) / (1 + small)
        return Value(s, "", "sigmoid", (self,), (s * (1 - s),))

    def relu(self):
        passes = 0.0 if self.data <= 0 else 1.0
        return Value(self.data if passes else 0.0, "", "relu", (self,), (passes,))

    # a number on the left of the operation

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return _value(other) - self

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return _value(other) / self

    def nodes(self):
        """Every Value that self was computed from, each once, inputs before outputs, self last.

        Depth first, with a stack of our own: Python's would overflow where the graph is some
        thousand operations deep.
        """
        order, met, stack = [], set(), [(self, False)]
        while stack:
            node, inputs_done = stack.pop()
            if inputs_done:
                order.append(node)
            elif node not in met:
                met.add(node)
                stack.append((node, True))  # comes back once its inputs are in the order
                stack.extend((value, False) for value in node.inputs)
        return order

    def backward(self):
        """Set grad to d self / d node, at every node that self was computed from.

        In reversed order a node is met when all that use it have added their part, so each is
        met once, however often it is used: the cost is linear in the graph, where following
        every way separately would double at each reuse.

        Gradients start from 0 here: a second call changes nothing, where torch would add.
        """
        nodes = self.nodes()
        for node in nodes:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(nodes):
            for value, slope in zip(node.inputs, node.slopes, strict=True):
                value.grad += slope * node.grad

    def graph(self):
        """The graph as plain data, as utils.figures.computation_graph draws it.

        returns: list of dicts, inputs before outputs, with label, value, gradient (None before
                 backward), inputs (places in the list) and slopes (one for each input)
        """
        nodes = self.nodes()
        place = {node: i for i, node in enumerate(nodes)}
        return [
            {
                "label": " = ".join(filter(None, (node.name, node.operation))),
                "value": node.data,
                "gradient": node.grad,
                "inputs": [place[value] for value in node.inputs],
                "slopes": list(node.slopes),
            }
            for node in nodes
        ]


def _value(x):
    return x if isinstance(x, Value) else Value(x)
