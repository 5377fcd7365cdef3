import doctest
import gc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from utils import figures
from utils.reference import autodiff
from utils.reference.activations import softmax
from utils.reference.autodiff import Value
from utils.reference.gradient_check import numeric_gradient, relative_error

NUMBERS = st.floats(-3, 3)

EXPRESSIONS = {  # each may be read with Values and with torch tensors
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / (b * b + 1),
    "negate": lambda a, b: -a * b,
    "square": lambda a, b: a**2 + b**2,
    "root": lambda a, b: (a * a + b * b + 1) ** 0.5,
    "inverse": lambda a, b: (a * a + 1) ** -1 * b,
    "power 0": lambda a, b: a**0 + b,
    "numbers on the left": lambda a, b: 2 + 3 * a - (1 - b) / 2 + 1 / (a * a + 2),
    "exp": lambda a, b: (a + b).exp(),
    "log": lambda a, b: (a * a + b * b + 0.5).log(),
    "tanh": lambda a, b: (a * b).tanh(),
    "sigmoid": lambda a, b: (a - 2 * b).sigmoid(),
    "relu": lambda a, b: (a - 0.1).relu() * b + (b + 0.2).relu(),
    "reused": lambda a, b: (a * b) * (a * b) + a * (a + b) * a,
}


def neuron(x, w, b):
    return (sum(xi * wi for xi, wi in zip(x, w, strict=True)) + b).tanh()


def test_by_hand():
    # z = (x + y) w, x = 1, y = 2, w = -3:  dz/dx = dz/dy = w,  dz/dw = x + y
    x, y, w = Value(1, "x"), Value(2, "y"), Value(-3, "w")
    z = (x + y) * w
    z.backward()
    assert z.data == -9
    assert (x.grad, y.grad, w.grad, z.grad) == (-3, -3, 3, 1)


def test_gradients_add_where_a_value_is_used_again():
    x = Value(3.0)
    (x * x).backward()
    assert x.grad == 6
    (x + x + x).backward()
    assert x.grad == 3  # from 0 again: nothing is left of the first


def test_relu_at_its_kink():
    for number, slope in [(-1, 0), (0, 0), (1, 1)]:
        x = Value(number)
        x.relu().backward()
        assert x.grad == slope


def test_the_example_of_the_docstring_holds():
    assert doctest.testmod(autodiff).failed == 0


@pytest.mark.parametrize("name", EXPRESSIONS)
@given(a=NUMBERS, b=NUMBERS)
def test_torch_agrees(name, a, b):
    inputs = Value(a), Value(b)
    out = EXPRESSIONS[name](*inputs)
    out.backward()
    tensors = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (a, b)]
    want = EXPRESSIONS[name](*tensors)
    wanted = torch.autograd.grad(want, tensors, allow_unused=True)
    assert_allclose(out.data, want.item(), rtol=1e-12, atol=1e-15)
    for value, gradient in zip(inputs, wanted, strict=True):
        if value.grad is not None:
            assert_allclose(value.grad, gradient, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_differences_agree(rng, name):
    point = rng.uniform(0.3, 2, size=2)
    inputs = [Value(p) for p in point]
    EXPRESSIONS[name](*inputs).backward()
    numeric = numeric_gradient(lambda p: EXPRESSIONS[name](*map(Value, p)).data, point)
    assert relative_error([v.grad or 0.0 for v in inputs], numeric) < 1e-7


def test_the_gradient_of_a_softmax_loss(rng):
    scores = [Value(s) for s in rng.normal(size=4)]
    loss = sum(s.exp() for s in scores).log() - scores[2]
    loss.backward()
    p = softmax(np.array([s.data for s in scores]))
    assert_allclose([s.grad for s in scores], p - np.eye(4)[2], rtol=1e-12)


def test_a_neuron_learns():
    w, b = [Value(0.5), Value(-0.5)], Value(0.0)
    examples = [((0, 0), -1), ((0, 1), -1), ((1, 0), -1), ((1, 1), 1)]  # AND
    for _ in range(60):
        loss = sum((neuron(x, w, b) - y) ** 2 for x, y in examples)
        loss.backward()
        w, b = [Value(v.data - 0.3 * v.grad) for v in w], Value(b.data - 0.3 * b.grad)
    assert all(neuron(x, w, b).data * y > 0 for x, y in examples)


def test_backward_visits_every_node_once(monkeypatch):
    # every level uses the one before twice: 2^400 ways lead from the result to x
    visits = {}

    def read(node):
        visits[node] = visits.get(node, 0) + 1
        return node.__dict__["slopes"]

    def write(node, slopes):
        node.__dict__["slopes"] = slopes

    monkeypatch.setattr(Value, "slopes", property(read, write), raising=False)
    x = out = Value(1.0)
    half = Value(0.5)
    for _ in range(400):
        out = (out + out) * half
    out.backward()
    assert x.grad == 1
    assert half.grad == 800
    assert len(visits) == 2 + 2 * 400
    assert set(visits.values()) == {1}


def test_a_deep_graph_needs_no_recursion():
    x = out = Value(0.0)
    for _ in range(100_000):
        out = out + 1
    out.backward()
    assert (out.data, x.grad) == (100_000, 1)
    assert len(out.nodes()) == 200_001
    del out, x
    gc.collect()  # nor does forgetting it


def test_inputs_come_before_outputs(rng):
    made = [Value(v) for v in rng.normal(size=3)]
    for _ in range(60):
        i, j = rng.integers(0, len(made), size=2)
        made.append(made[i] * 0.5 + made[j])
    nodes = made[-1].nodes()
    place = {node: i for i, node in enumerate(nodes)}
    assert len(place) == len(nodes)
    assert nodes[-1] is made[-1]
    assert all(place[value] < place[node] for node in nodes for value in node.inputs)


@pytest.mark.parametrize("x", [-1e4, 1e4])
def test_large_numbers_overflow_nowhere(x):
    for out in (Value(x).tanh(), Value(x).sigmoid(), Value(x).relu()):
        out.backward()
        assert np.isfinite(out.data) and np.isfinite(out.inputs[0].grad)


def test_nan_comes_out_as_nan():
    for name, expression in EXPRESSIONS.items():
        if name != "power 0":
            assert np.isnan(expression(Value(np.nan), Value(1.0)).data), name


def test_numpy_numbers_are_numbers():
    x = Value(np.float32(1.5))
    for two in (np.float64(2), np.float32(2), np.int64(2), np.array(2.0)):
        out = x * two
        out.backward()
        assert (out.data, x.grad) == (3, 2)
    out = np.float64(2) * x
    assert isinstance(out, Value) and out.data == 3


def test_refuses():
    with pytest.raises(ValueError, match="one number, got ndarray"):
        Value(np.zeros(2))
    with pytest.raises(ValueError, match="one number, got str"):
        Value(1.0) + "1"
    with pytest.raises(ValueError, match="int or a float, got Value"):
        Value(2.0) ** Value(2.0)
    with pytest.raises(ValueError, match="positive number, got -1"):
        Value(-1.0).log()


def test_the_graph_is_drawn():
    x, w = Value(2.0, "x"), Value(-1.5, "w")
    out = (x * w + x).tanh()
    out.name = "y"
    assert [node["gradient"] for node in out.graph()] == [None] * 5
    assert "x 2, no gradient yet" in figures.computation_graph(out.graph()).alt
    out.backward()
    graph = out.graph()
    assert sorted(node["label"] for node in graph) == ["+", "w", "x", "y = tanh", "×"]
    for i, node in enumerate(graph):  # the rule of the figure: slope times gradient, added up
        parts = [
            slope * user["gradient"]
            for user in graph
            for j, slope in zip(user["inputs"], user["slopes"], strict=True)
            if j == i
        ]
        assert_allclose(node["gradient"], sum(parts) if parts else 1)
    alt = figures.computation_graph(graph, at=4).alt
    assert "y = tanh -0.762, gradient 1." in alt
    assert alt.endswith("Marked: y = tanh.")
    assert "Value(2, grad=" in repr(x) and repr(Value(1)) == "Value(1, grad=None)"
