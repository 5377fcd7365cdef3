from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier

from utils import data
from utils.gpu import losses as gpu_losses
from utils.gpu import mlp as gpu
from utils.reference import losses, mlp
from utils.reference.activations import ACTIVATIONS, sigmoid_backward
from utils.reference.gradient_check import numeric_gradient
from utils.reference.validation import split

LOSSES = {  # name: (output, targets for N examples and C outputs)
    "softmax_cross_entropy": ("identity", lambda rng, N, C: rng.integers(0, C, size=N)),
    "multiclass_hinge": ("identity", lambda rng, N, C: rng.integers(0, C, size=N)),
    "negative_log_likelihood": ("log_softmax", lambda rng, N, C: rng.integers(0, C, size=N)),
    "categorical_cross_entropy": (
        "softmax",
        lambda rng, N, C: np.eye(C)[rng.integers(0, C, size=N)],
    ),
    "binary_cross_entropy": ("sigmoid", lambda rng, N, C: rng.integers(0, 2, size=(N, C))),
    "binary_cross_entropy_with_logits": (
        "identity",
        lambda rng, N, C: rng.integers(0, 2, size=(N, C)),
    ),
    "mse": ("tanh", lambda rng, N, C: rng.normal(size=(N, C))),
    "mae": ("identity", lambda rng, N, C: rng.normal(size=(N, C))),
}


def network(rng, sizes):
    """Parameters whose biases are not 0 either."""
    return [(w, rng.normal(size=b.shape)) for w, b in mlp.mlp_init(sizes, rng)]


def require_twins_agree(x, y, parameters, loss, options, tensor=torch.tensor):
    """Loss and gradients of both trees: rtol 1e-9, and to 1e-12 what is next to 0."""
    value, gradients = mlp.mlp_loss(x, y, parameters, getattr(losses, loss), **options)
    twins = [(tensor(w).requires_grad_(), tensor(b).requires_grad_()) for w, b in parameters]
    twin = gpu.mlp_loss(tensor(x), tensor(y), twins, getattr(gpu_losses, loss), **options)
    twin.backward()
    assert_allclose(twin.item(), value, rtol=1e-10, atol=1e-13)  # a loss may be next to 0
    for pair, twin_pair in zip(gradients, twins, strict=True):
        for gradient, parameter in zip(pair, twin_pair, strict=True):
            assert gradient.shape == parameter.shape
            assert_allclose(gradient, parameter.grad.cpu(), rtol=1e-9, atol=1e-12)


def test_affine_by_hand():
    x, w, b = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [3.0, 1.0]]), np.array([0.5, -1.0])
    out, cache = mlp.affine_forward(x, w, b)
    assert out.tolist() == [[7.5, 1]]
    dx, dw, db = mlp.affine_backward(np.array([[1.0, 10.0]]), cache)
    assert dx.tolist() == [[1, 13]]  # 1*1 + 10*0, 1*3 + 10*1
    assert dw.tolist() == [[1, 10], [2, 20]]
    assert db.tolist() == [1, 10]


@given(
    shape=st.lists(st.integers(0, 3), max_size=2),
    widths=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 999),
)
def test_affine_of_any_shape(shape, widths, seed):
    rng = np.random.default_rng(seed)
    D, C = widths
    x, w, b = rng.normal(size=(*shape, D)), rng.normal(size=(D, C)), rng.normal(size=C)
    before = x.copy(), w.copy(), b.copy()
    out, cache = mlp.affine_forward(x, w, b)
    dout = rng.normal(size=out.shape)
    gradients = mlp.affine_backward(dout, cache)
    inputs = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    twin = gpu.affine_forward(*inputs)
    twin.backward(torch.tensor(dout))
    assert_allclose(twin.detach(), out, rtol=1e-10, atol=1e-13)
    for gradient, parameter, a, was in zip(gradients, inputs, (x, w, b), before, strict=True):
        assert gradient.shape == a.shape
        assert_allclose(gradient, parameter.grad, rtol=1e-9, atol=1e-13)
        assert_array_equal(a, was)


@settings(max_examples=200)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=6),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    N=st.integers(1, 4),
    seed=st.integers(0, 999),
)
def test_gradients_of_any_depth_activation_and_loss(sizes, activation, loss, N, seed):
    rng = np.random.default_rng(seed)
    output, targets = LOSSES[loss]
    options = {"activation": activation, "output": output}
    x, y = rng.normal(size=(N, sizes[0])), targets(rng, N, sizes[-1])
    parameters = network(rng, sizes)
    before = [(w.copy(), b.copy()) for w, b in parameters]
    require_twins_agree(x, y, parameters, loss, options)
    for pair, was in zip(parameters, before, strict=True):
        assert_array_equal(pair[0], was[0])
        assert_array_equal(pair[1], was[1])


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"step"}))
def test_gradients_against_differences(rng, activation):
    x, y, parameters = (
        rng.normal(size=(5, 4)),
        rng.integers(0, 3, size=5),
        network(rng, (4, 6, 5, 3)),
    )
    _, gradients = mlp.mlp_loss(x, y, parameters, activation=activation)
    for layer, place in product(range(3), range(2)):

        def loss(value, layer=layer, place=place):
            changed = [list(pair) for pair in parameters]
            changed[layer][place] = value
            return mlp.mlp_loss(x, y, changed, activation=activation)[0]

        numeric = numeric_gradient(loss, parameters[layer][place])
        assert_allclose(gradients[layer][place], numeric, rtol=1e-7, atol=2e-9)


def test_gradient_by_the_input(rng):
    x, parameters, dout = rng.normal(size=(2, 4)), network(rng, (4, 6, 3)), rng.normal(size=(2, 3))
    _, cache = mlp.mlp_forward(x, parameters, "tanh")
    dx, _ = mlp.mlp_backward(dout, cache)
    numeric = numeric_gradient(
        lambda x: (mlp.mlp_forward(x, parameters, "tanh")[0] * dout).sum(), x
    )
    assert_allclose(dx, numeric, rtol=1e-7, atol=1e-9)


def test_twins_agree_on_the_device(tensor, rng):
    x, y = rng.normal(size=(64, 20)), rng.integers(0, 10, size=64)
    require_twins_agree(x, y, network(rng, (20, 32, 16, 10)), "softmax_cross_entropy", {}, tensor)


def test_float32_stays(tensor, rng):
    x, y = rng.normal(size=(3, 4)).astype(np.float32), rng.integers(0, 2, size=3)
    parameters = [(w.astype(np.float32), b.astype(np.float32)) for w, b in network(rng, (4, 3, 2))]
    for activation in ACTIVATIONS:
        loss, gradients = mlp.mlp_loss(x, y, parameters, activation=activation)
        assert loss.dtype == np.float32
        assert {g.dtype for pair in gradients for g in pair} == {np.dtype(np.float32)}
    twins = [(tensor(w), tensor(b)) for w, b in parameters]
    assert gpu.mlp_forward(tensor(x), twins).dtype == torch.float32


def test_one_layer_is_the_linear_classifier(rng):
    x, parameters = rng.normal(size=(5, 4)), network(rng, (4, 3))
    (w, b), (out, _) = parameters[0], mlp.mlp_forward(x, parameters)
    assert_array_equal(out, x @ w + b)


def test_linear_layers_collapse_into_one(rng):
    x, parameters = rng.normal(size=(5, 4)), network(rng, (4, 7, 3))
    (w1, b1), (w2, b2) = parameters
    out, _ = mlp.mlp_forward(x, parameters, "identity")
    assert_allclose(out, x @ (w1 @ w2) + (b1 @ w2 + b2), rtol=1e-12)


def test_sklearn_agrees(rng):
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 3, size=30)
    model = MLPClassifier((6, 5), activation="tanh", max_iter=1, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(x, y)
    parameters = list(zip(model.coefs_, model.intercepts_, strict=True))
    p, _ = mlp.mlp_forward(x, parameters, activation="tanh", output="softmax")
    assert_allclose(p, model.predict_proba(x), rtol=1e-10)


def test_init(rng):
    parameters = mlp.mlp_init((500, 400, 2), rng)
    assert [(w.shape, b.shape) for w, b in parameters] == [((500, 400), (400,)), ((400, 2), (2,))]
    w, b = parameters[0]
    assert_allclose(w.std(), np.sqrt(2 / 500), rtol=0.01)
    assert_allclose(w.mean(), 0, atol=1e-3)
    assert not b.any()
    again = mlp.mlp_init((500, 400, 2), np.random.default_rng(0))
    assert_array_equal(again[1][0], parameters[1][0])


def test_init_of_the_twin(device):
    parameters = gpu.mlp_init((500, 400, 2), torch.Generator(device).manual_seed(0))
    shapes = [(tuple(w.shape), tuple(b.shape)) for w, b in parameters]
    assert shapes == [((500, 400), (400,)), ((400, 2), (2,))]
    assert parameters[0][0].device.type == device.type
    assert_allclose(parameters[0][0].std().item(), np.sqrt(2 / 500), rtol=0.01)
    assert gpu.count_parameters(parameters) == 500 * 400 + 400 + 400 * 2 + 2
    smallest = gpu.mlp_init((1, 1), torch.Generator(device))
    assert [tuple(w.shape) for w in smallest[0]] == [(1, 1), (1,)]


def test_digits():
    """97 % of digits nobody trained on, in seconds: 64-64-10, plain mini-batch descent."""
    rng = np.random.default_rng(0)
    digits = data.load_digits()
    train, test = split(len(digits.x), (0.75, 0.25), rng)
    x, y = digits.x / 16, digits.y
    parameters = mlp.mlp_init((64, 64, 10), rng)
    for _ in range(40):
        order = rng.permutation(train)
        for batch in np.array_split(order, len(order) // 32):
            _, gradients = mlp.mlp_loss(x[batch], y[batch], parameters)
            parameters = [
                (w - 0.2 * dw, b - 0.2 * db)
                for (w, b), (dw, db) in zip(parameters, gradients, strict=True)
            ]
    scores, _ = mlp.mlp_forward(x[test], parameters)
    assert losses.zero_one(scores, y[test]) <= 0.03


# the syllabus's numbers


def test_parameters_of_a_3_4_2_network(rng):
    parameters = mlp.mlp_init((3, 4, 2), rng)
    assert sum(w.size for w, _ in parameters) == 20
    assert mlp.count_parameters(parameters) == 26
    assert sum(b.size for _, b in parameters) == 6  # a bias for each neuron


@pytest.mark.parametrize(
    "sizes, count", [((2, 4, 3, 2), 35), ((64, 2, 3), 139), ((3, 4, 4, 1), 41)]
)
def test_parameters_of_other_networks(rng, sizes, count):
    assert mlp.count_parameters(mlp.mlp_init(sizes, rng)) == count


def test_the_toy_network():
    parameters = [
        (np.array([[1.0, -2.0], [-1.0, 1.0]]).T, np.array([1.0, 0.0])),
        (np.array([[2.0, -1.0], [-2.0, -1.0]]).T, np.zeros(2)),
        (np.array([[3.0, -1.0], [-1.0, 4.0]]).T, np.array([-2.0, 2.0])),
    ]
    x = np.array([[1.0, -1.0], [0.0, 0.0]])
    layers = [
        mlp.mlp_forward(x, parameters[:depth], "sigmoid", output="sigmoid")[0]
        for depth in (1, 2, 3)
    ]
    assert_allclose(layers[0][0], [0.98, 0.12], atol=0.005)
    assert_allclose(layers[1][0], [0.86, 0.11], atol=0.005)
    assert_allclose(layers[2], [[0.62, 0.83], [0.51, 0.85]], atol=0.005)


def test_xor_by_steps():
    # hidden (2, 2 | -1) and (-2, -2 | 3), output (1, 1 | -2)
    parameters = [
        (np.array([[2.0, -2.0], [2.0, -2.0]]), np.array([-1.0, 3.0])),
        (np.array([[1.0], [1.0]]), np.array([-2.0])),
    ]
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    out, _ = mlp.mlp_forward(x, parameters, "step", output="step")
    assert out.ravel().tolist() == [0, 1, 1, 0]


def test_squared_error_is_slow_where_the_output_saturates():
    xi, target = np.array([-5.0]), np.array([1.0])
    y = 1 / (1 + np.exp(-xi))
    squared = sigmoid_backward(losses.mse(y, target)[1] / 2, xi)  # with the 1/2 of the slide
    _, entropy = losses.binary_cross_entropy_with_logits(xi, target)
    assert_allclose(squared, -0.0066, atol=5e-5)
    assert_allclose(entropy, -0.9933, atol=5e-5)
    assert_allclose(entropy / squared, 150, atol=1)


def test_equivalent_weights_of_a_3_4_2_network(rng):
    # 4! orders of the hidden neurons times 2^4 signs, which tanh passes on
    (w1, b1), (w2, b2) = network(rng, (3, 4, 2))
    x = rng.normal(size=(5, 3))
    want, _ = mlp.mlp_forward(x, [(w1, b1), (w2, b2)], "tanh")
    different = set()
    for order, signs in product(permutations(range(4)), product((-1, 1), repeat=4)):
        order, signs = list(order), np.array(signs)
        first = (w1[:, order] * signs, b1[order] * signs)
        second = (w2[order] * signs[:, None], b2)
        assert_allclose(mlp.mlp_forward(x, [first, second], "tanh")[0], want, rtol=1e-12)
        different.add(first[0].tobytes())
    assert len(different) == 384


# what is refused


@pytest.mark.parametrize("tree", ["reference", "gpu"])
def test_refuses(tensor, rng, tree):
    module, to = (mlp, np.asarray) if tree == "reference" else (gpu, tensor)
    layers = [(to(w), to(b)) for w, b in network(rng, (4, 3, 2))]
    x = to(np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"must be of \['elu', .*got 'swish'"):
        module.mlp_forward(x, layers, activation="swish")
    with pytest.raises(ValueError, match=r"must be of .*got 'Sigmoid'"):
        module.mlp_forward(x, layers, output="Sigmoid")
    for wrong in [[], layers[::-1], [(layers[0][0], layers[1][1])], layers[1:]]:
        with pytest.raises(ValueError, match=r"layers must chain, .*got x \(5, 4\), \(w, b\) \["):
            module.mlp_forward(x, wrong)
    with pytest.raises(ValueError, match=r"got x \(4,\)"):
        module.mlp_forward(x[0], layers)
    with pytest.raises(ValueError, match=r"must be \(\.\.\., D\), .*got \(5, 4\), \(3, 2\)"):
        module.affine_forward(x, *layers[1])
    with pytest.raises(ValueError, match=r"must be .*got \(5, 4\), \(4, 3, 2\), \(3, 2\)"):
        module.affine_forward(x, to(np.zeros((4, 3, 2))), to(np.zeros((3, 2))))
    for sizes in [(3,), (3, 0), ()]:
        with pytest.raises(ValueError, match=r"sizes must be .*got \("):
            module.mlp_init(sizes, rng if tree == "reference" else torch.Generator())


def test_backward_refuses(rng):
    x, parameters = np.zeros((5, 4)), network(rng, (4, 3, 2))
    out, cache = mlp.mlp_forward(x, parameters)
    assert out.shape == (5, 2)
    with pytest.raises(ValueError, match=r"dout must have .*\(5, 2\), got \(5, 3\)"):
        mlp.mlp_backward(np.zeros((5, 3)), cache)
    _, cache = mlp.affine_forward(x, *parameters[0])
    with pytest.raises(ValueError, match=r"dout must have .*\(5, 3\), got \(3, 5\)"):
        mlp.affine_backward(np.zeros((3, 5)), cache)


def test_an_empty_batch_goes_through(rng):
    parameters = network(rng, (4, 3, 2))
    out, cache = mlp.mlp_forward(np.zeros((0, 4)), parameters)
    dx, gradients = mlp.mlp_backward(np.zeros((0, 2)), cache)
    assert out.shape == (0, 2) and dx.shape == (0, 4)
    assert all(not g.any() for pair in gradients for g in pair)
