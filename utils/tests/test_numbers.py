"""The numbers that unit 01 shows, each recomputed here."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from utils.reference import activations, gradient_check, linear, losses

HALF_A_DIGIT = {2: 0.005, 3: 0.0005}  # what rounding to so many places leaves open


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
