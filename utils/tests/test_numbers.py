"""Numbers that the units show and that belong to no one module, each recomputed here."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from utils import data
from utils.reference import (
    activations,
    convolution,
    gradient_check,
    linear,
    losses,
    mlp,
    recurrent,
)

HALF_A_DIGIT = {2: 0.005, 3: 0.0005}  # what rounding to so many places leaves open


# unit 01


def test_softmax_of_three_scores():
    p = activations.softmax(np.array([3.0, 1.0, -3.0]))
    assert_allclose(p, [0.88, 0.12, 0.00], atol=HALF_A_DIGIT[2])


def test_softmax_of_large_scores():
    scores = np.array([1000.0, 995.0, 10.0, 10.0, 1.0])
    with np.errstate(over="ignore", invalid="ignore"):
        naive = np.exp(scores) / np.exp(scores).sum()
    assert np.isnan(naive[:2]).all()  # inf / inf
    shifted = np.exp(scores - scores.max())  # the slide stops here
    assert_allclose(shifted, [1, 0.007, 0, 0, 0], atol=HALF_A_DIGIT[3])
    assert_allclose(activations.softmax(scores), [0.993, 0.007, 0, 0, 0], atol=HALF_A_DIGIT[3])


def test_sigmoids_are_not_a_distribution():
    s = activations.sigmoid(np.array([3.0, 1.0, -3.0]))
    assert_allclose(s, [0.95, 0.73, 0.05], atol=HALF_A_DIGIT[2])
    assert_allclose(s.sum(), 1.731, atol=HALF_A_DIGIT[3])


def test_scores_of_the_cat():
    w = np.array([[0.2, -0.5, 0.1, 2.0], [1.5, 1.3, 2.1, 0.0], [0.0, 0.25, 0.2, -0.3]]).T
    x, b = np.array([[56.0, 231.0, 24.0, 2.0]]), np.array([1.1, 3.2, -1.2])
    # cat 11.2 - 115.5 + 2.4 + 4 + 1.1;  dog 84 + 300.3 + 50.4 + 3.2;  ship 57.75 + 4.8 - 0.6 - 1.2
    scores = linear.linear_scores(x, w, b)
    assert_allclose(scores, [[-96.8, 437.9, 60.75]], rtol=1e-13)
    assert linear.predict(scores).tolist() == [1]


@pytest.mark.parametrize("score", [0.0, -3.0, 1e4])
def test_equal_scores_cost_log_of_the_number_of_classes(score):
    loss, _ = losses.softmax_cross_entropy(np.full((6, 10), score), np.arange(6))
    assert_allclose(loss, np.log(10), rtol=1e-12)
    assert_allclose(loss, 2.303, atol=HALF_A_DIGIT[3])


@pytest.mark.parametrize(
    "error, word",
    [
        (0.0, "agree"),
        (0.9e-7, "agree"),
        (1.1e-7, "Fine if the function has kinks"),
        (0.9e-4, "Fine if the function has kinks"),
        (1.1e-4, "Suspicious"),
        (0.9e-2, "Suspicious"),
        (1.1e-2, "probably wrong"),
        (2.0, "probably wrong"),
        (np.nan, "probably wrong"),
    ],
)
def test_bands_of_the_relative_error(error, word):
    assert word in gradient_check.verdict(error)


# unit 02


def test_parameters_of_the_deep_digit_network():
    sizes = (784, 2500, 2000, 1500, 1000, 500, 10)
    nothing = np.zeros(())  # shapes count, numbers need not be there
    layers = [
        (np.broadcast_to(nothing, shape), np.broadcast_to(nothing, shape[1:]))
        for shape in pairwise(sizes)
    ]
    assert mlp.count_parameters(layers) == 11_972_510


# unit 03


@pytest.mark.parametrize("weight, factor", [(0.5, 1.78e-15), (1.5, 4.25e8)])
def test_signals_and_gradients_through_fifty_layers(weight, factor):
    layers = [(np.full((1, 1), weight), np.zeros(1))] * 49  # from the first layer to the fiftieth
    out, cache = mlp.mlp_forward(np.ones((1, 1)), layers, "identity")
    dx, _ = mlp.mlp_backward(np.ones((1, 1)), cache)
    assert_allclose([out.item(), dx.item()], weight**49, rtol=1e-13)
    assert_allclose(out.item(), factor, rtol=0.003)


def normal_mean(f):
    """The mean of f(z) over standard normal z, by the trapezoids of a fine grid."""
    z = np.linspace(-12, 12, 240_001)
    return np.trapezoid(f(z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi), z)


def test_relu_halves_the_second_moment_and_not_the_variance():
    mean, square = normal_mean(activations.relu), normal_mean(lambda z: activations.relu(z) ** 2)
    assert_allclose(square, 0.5, rtol=1e-9)
    assert_allclose(square - mean**2, 0.341, atol=HALF_A_DIGIT[3])


def test_selu_keeps_mean_0_and_variance_1():
    assert_allclose(normal_mean(activations.selu), 0, atol=1e-8)
    assert_allclose(normal_mean(lambda z: activations.selu(z) ** 2), 1, rtol=1e-8)
    scale = activations.selu(np.array([1.0])).item()
    alpha = -activations.selu(np.array([-np.inf])).item() / scale
    assert_allclose([scale, alpha], [1.0507, 1.6733], atol=5e-5)


def test_variance_of_the_inner_potential(rng):
    n, w_std = 400, 0.3
    x, w = rng.normal(size=(300, n)), w_std * rng.normal(size=(n, 300))
    z = linear.linear_scores(x, w, np.zeros(300))
    assert_allclose(z.var(), n * w_std**2, rtol=0.05)  # the deviation, squared: w is no variance


# unit 05


def test_the_elephant():
    t = np.linspace(0, 2 * np.pi, 101)
    x = -60 * np.cos(t) + 30 * np.sin(t) - 8 * np.sin(2 * t) + 10 * np.sin(3 * t)
    y = 50 * np.sin(t) + 18 * np.sin(2 * t) - 12 * np.cos(3 * t) + 14 * np.cos(5 * t)
    assert_allclose(data.elephant_outline(t), np.stack([x, y], axis=1), atol=1e-12)
    with pytest.raises(ValueError, match="parameters must be four complex numbers, got 1"):
        data.elephant_outline(t, [1j])


# unit 06


def test_parameters_of_the_digit_committees_network():
    """20 and 40 filters of 5 x 5, each followed by 2 x 2 pooling, then 1000, 1000, 10."""
    size = 28
    for kernel, stride in [(5, 1), (2, 2), (5, 1), (2, 2)]:
        size = convolution.output_size(size, kernel, stride)
    assert size == 4
    shapes = [(20, 1, 5, 5), (40, 20, 5, 5), (40 * size**2, 1000), (1000, 1000), (1000, 10)]
    biases = [20, 40, 1000, 1000, 10]
    layers = [(np.zeros(w), np.zeros(b)) for w, b in zip(shapes, biases, strict=True)]
    assert mlp.count_parameters(layers) == 1_672_570


def test_patches_of_a_slide():
    down, across = (convolution.output_size(n, 512, stride=512) for n in (105_185, 221_772))
    assert (down, across, down * across) == (205, 433, 88_765)


# unit 07


def test_hello():
    """Weights found for the hidden states that the slide gives without any."""
    w_h = np.array([[0.18, -0.31, 1.23], [-0.87, -1.46, -0.20], [-0.50, -0.83, -0.15]]).T
    w_x = np.array([[0.31, -0.10, 1.47], [1.45, 0.60, 0.30], [-0.11, 0.77, 0.46]])  # h, e, l
    hell = np.eye(3)[[0, 1, 2, 2]][None]  # the o is read by no one
    h, _ = recurrent.rnn_forward(hell, np.zeros((1, 3)), w_x, w_h, np.zeros(3))
    slide = [[0.3, -0.1, 0.9], [1.0, 0.3, 0.1], [0.1, -0.5, -0.3], [-0.3, 0.9, 0.7]]
    assert_allclose(h[0], slide, atol=0.05)


def test_the_adder_adds():
    """A recurrent net of steps adds two binary numbers, their last digits first."""
    w_x, w_h = np.ones((2, 3)), np.zeros((3, 3))
    w_h[1] = 1  # the second unit is the carry
    b, v = np.array([-1.0, -2.0, -3.0]), np.array([1.0, -1.0, 1.0])

    def add(x):  # (T, 2)
        h, digits = np.zeros(3), []
        for pair in x:
            h = activations.step(pair @ w_x + h @ w_h + b)
            digits.append(int(activations.step(h @ v - 1)))
        return digits

    assert add([(1, 1), (1, 0), (1, 1)]) == [0, 0, 1]
    for i, j in np.ndindex(16, 16):  # all of up to four digits, and a fifth for the carry
        bits = [(i >> k & 1, j >> k & 1) for k in range(5)]
        assert sum(digit << k for k, digit in enumerate(add(bits))) == i + j
