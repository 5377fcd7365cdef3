"""Unit 01: from scores to probabilities."""

import numpy as np

from grader.checking import call, check, expect, expect_array, expect_fast, withholds
from utils.reference.activations import softmax


@withholds("log_softmax", "log_sum_exp")
@check
def check_softmax(fn, seed=0):
    """softmax(scores): (..., C) -> (..., C) floats, probabilities along the last axis.

    Right for scores of any size: (1000, 995) as well as (-1000, 0).
    """
    rng = np.random.default_rng(seed)

    # exp(3) = 20.09, exp(1) = 2.72, exp(-3) = 0.05, together 22.85
    scores = np.array([[3.0, 1.0, -3.0]])
    by_hand = np.array([[20.0855, 2.7183, 0.0498]]) / 22.8536
    what = "the probabilities of the scores (3, 1, -3)"
    expect_array(call(fn, scores), by_hand, what, other_softmaxes(scores), atol=1e-4)

    for shape in [(4, 3), (4, 3), (3, 3), (1, 5), (4, 1)]:
        scores = rng.normal(size=shape)
        got = call(fn, scores)
        what = f"the probabilities of scores of shape {shape}"
        expect_array(got, softmax(scores), what, other_softmaxes(scores))

    scores = rng.integers(-5, 5, size=(3, 4))
    expect_array(call(fn, scores), softmax(scores), "the probabilities of integer scores")
    scores = rng.normal(size=(3, 4)).astype(np.float32)
    expect_array(call(fn, scores), softmax(scores), "the result for float32", rtol=1e-4, atol=1e-6)

    # exp(1000) is inf; nothing changes if all scores of a row are lowered by the same number
    large = np.array([[1000.0, 995.0, 10.0, 10.0, 1.0], [1000.0, -900.0, -900.0, -900.0, -900.0]])
    finite_and_right(call(fn, large), large, "exp(1000) overflows to inf, and inf/inf is nan")
    small = np.array([[-1000.0, -1001.0, -1003.0], [-1000.0, -1000.0, -1000.0]])
    finite_and_right(call(fn, small), small, "exp(-1000) underflows to 0, and 0/0 is nan")
    mixed = np.array([[0.0, 1.0, 2.0], [-3000.0, -3001.0, -3002.0], [900.0, 901.0, 902.0]])
    finite_and_right(call(fn, mixed), mixed, "each row needs a shift of its own")

    last = "sum over the last axis (axis=-1), however many axes there are"
    for shape in [(4,), (2, 3, 4)]:
        scores = rng.normal(size=shape)
        what = f"the probabilities of scores of shape {shape} ({last})"
        expect_array(call(fn, scores), softmax(scores), what, other_softmaxes(scores))

    loops = "right, but slow: exp, max and sum take all rows at once."
    expect_fast(fn, softmax, (rng.normal(size=(20_000, 5)),), loops, seconds=0.03)


def finite_and_right(got, scores, trouble):
    """At extreme scores: numbers at all, then the right ones."""
    finite = type(got) is not np.ndarray or got.dtype.kind != "f" or np.isfinite(got).all()
    expect(finite, f"there is nan or inf: {trouble}.")
    clipped = "to clip the scores, or to replace nan, changes the result; shift each row instead."
    suspects = {clipped: np.nan_to_num(softmax(np.clip(scores, -500, 500)))}
    e = np.exp(scores)
    suspects[clipped + " "] = np.nan_to_num(e / e.sum(axis=-1, keepdims=True))
    what = f"the probabilities of scores as large as {scores.flat[0]}"
    expect_array(got, softmax(scores), what, suspects)


def other_softmaxes(scores):
    """What is left out, or done along another axis."""
    e = np.exp(scores)
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    p = softmax(scores)
    suspects = {
        "these are the scores themselves.": scores,
        "these are the exponentials, not yet divided by their sum.": e,
        "these are the shifted exponentials, not yet divided by their sum.": shifted,
        "the exponentials were divided by the sum of all rows; each row has its own sum.": (
            e / e.sum()
        ),
        "shifted, then divided by the sum of all rows; each row has its own sum.": (
            shifted / shifted.sum()
        ),
        "these are log-probabilities; return the probabilities.": np.log(p),
        "the exponentials were divided by their mean; divide by their sum.": p * scores.shape[-1],
        "the exponentials were divided by the number of classes; divide by their sum.": (
            shifted / scores.shape[-1]
        ),
        "softmax was applied twice.": softmax(p),
        "the scores were divided by their maximum; subtract it.": (
            softmax(scores / scores.max(axis=-1, keepdims=True))
        ),
        "each score was squashed on its own (sigmoid); the classes of a row must share 1.": (
            1 / (1 + 1 / e)
        ),
        "the scores were divided by their sum; where is the exponential?": (
            scores / scores.sum(axis=-1, keepdims=True)
        ),
        "the signs are turned around: the largest score gets the largest probability.": (
            softmax(-scores)
        ),
        "the base is 2; softmax takes powers of e.": softmax(scores * np.log(2)),
        "this says which class wins; softmax gives each its share.": (
            (scores == scores.max(axis=-1, keepdims=True)) * 1.0
        ),
        "the exponentials were divided by the largest; divide by their sum.": (
            e / e.max(axis=-1, keepdims=True)
        ),
        "the shift is in the denominator only; numerator and denominator need the same.": (
            e / shifted.sum(axis=-1, keepdims=True)
        ),
        "the shift is in the numerator only; numerator and denominator need the same.": (
            shifted / e.sum(axis=-1, keepdims=True)
        ),
    }
    if scores.ndim == 2:
        suspects["the columns sum to 1 instead of the rows: which axis holds the classes?"] = (
            softmax(scores.T).T
        )
    return suspects
