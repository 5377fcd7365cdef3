"""Units 01 and 02: from scores to probabilities, and what a neuron does to its sum."""

import numpy as np

from grader.checking import (
    call,
    check,
    expect,
    expect_array,
    expect_choice,
    expect_fast,
    expect_gradient,
    expect_none_of,
    plain,
    withholds,
)
from utils.reference import activations as reference
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


@check
def check_elu(fn, seed=0):
    """elu(x, alpha=1.0): any shape -> the shape of x.

    x where x > 0, else alpha (exp(x) - 1); for x of any size, 1000 as well as -1000.
    """
    rng = np.random.default_rng(seed)

    # in many entries on both sides of 0 every mistake leaves a trace of its own
    x, alpha = rng.normal(size=(6, 5)), 0.7
    got = call(fn, x, alpha)
    expect_none_of(plain(got, "elu(x)"), reference.elu(x, alpha), other_elus(x, alpha))

    # exp(-log 2) - 1 = -1/2
    x = np.array([-np.log(2), 0.0, 3.0])
    what = "elu of (-log 2, 0, 3)"
    expect_array(call(fn, x), np.array([-0.5, 0.0, 3.0]), what, other_elus(x, 1.0))
    what = "elu of (-log 2, 0, 3) with alpha = 2"
    expect_array(call(fn, x, 2.0), np.array([-1.0, 0.0, 3.0]), what, other_elus(x, 2.0))

    for shape in [(4, 3), (1, 5), (6,), (2, 3, 4)]:
        x, alpha = 2 * rng.normal(size=shape), float(rng.uniform(0.2, 3))
        what = f"elu of x of shape {shape} with alpha = {alpha:.2f}"
        expect_array(call(fn, x, alpha), reference.elu(x, alpha), what, other_elus(x, alpha))
        expect_array(call(fn, x), reference.elu(x), f"elu of x of shape {shape}, no alpha given")
    x = rng.integers(-4, 5, size=(3, 4))
    expect_array(call(fn, x), reference.elu(x), "elu of integers")

    x = np.array([1000.0, -1000.0, 800.0, -5.0])
    got = plain(call(fn, x), "elu(x)")
    overflow = (
        "there is nan or inf: exp(1000) is inf, and 0 * inf is nan; choose by np.where, "
        "or take exp of what is below 0 only."
    )
    expect(got.dtype.kind != "f" or np.isfinite(got).all(), overflow)
    expect_array(got, reference.elu(x), "elu of numbers as large as 1000")

    loops = "right, but slow: np.where chooses for all entries at once."
    for n in (40, 800):  # small first, to be short with the slowest
        expect_fast(fn, reference.elu, (rng.normal(size=(n, 200)), 1.0), loops, seconds=0.03)


def other_elus(x, alpha):
    """With another curve on one side."""
    e, positive = np.exp(np.minimum(x, 0)), x > 0
    return {
        "alpha is missing: the curve goes to -alpha on the left.": reference.elu(x),
        "this is a relu; left of 0 an elu is alpha (exp(x) - 1).": np.maximum(x, 0),
        "this is a leaky relu; left of 0 an elu is alpha (exp(x) - 1).": (
            np.where(positive, x, alpha * x)
        ),
        "1 is missing left of 0: alpha (exp(x) - 1) is 0 at 0, alpha exp(x) is alpha.": (
            np.where(positive, x, alpha * e)
        ),
        "1 is subtracted after alpha: mind the parentheses, alpha (exp(x) - 1).": (
            np.where(positive, x, alpha * e - 1)
        ),
        "the sign left of 0 is turned around: exp(x) - 1, not 1 - exp(x).": (
            np.where(positive, x, alpha * (1 - e))
        ),
        "exp(-x) stands left of 0; it is exp(x).": (
            np.where(positive, x, alpha * (np.exp(-x) - 1))
        ),
        "the two sides are exchanged: x stays as it is where it is positive.": (
            np.where(positive, alpha * (np.exp(x) - 1), x)
        ),
        "the curve was taken everywhere; right of 0 an elu is x.": alpha * (np.exp(x) - 1),
        "alpha belongs to the left side only; right of 0 an elu is x.": (
            alpha * np.where(positive, x, e - 1)
        ),
        "alpha stands in the exponent; it is a factor: alpha (exp(x) - 1).": (
            np.where(positive, x, np.exp(alpha * np.minimum(x, 0)) - 1)
        ),
        "alpha divides; it is a factor: alpha (exp(x) - 1).": np.where(
            positive, x, (e - 1) / alpha
        ),
        "alpha is subtracted; it is a factor: alpha (exp(x) - 1).": np.where(
            positive, x, e - alpha
        ),
        "this is a softplus; right of 0 an elu is x itself.": np.log1p(np.exp(x)),
        "this is the logistic function; right of 0 an elu is x itself.": 1 / (1 + np.exp(-x)),
        "this is the derivative; asked for is the function.": np.where(positive, 1, alpha * e),
        "this is a selu: without its scale it is an elu.": reference.selu(x),
    }


@check
def check_elu_backward(fn, seed=0):
    """elu_backward(dout, x, alpha=1.0): dout and x of one shape -> dx, that shape.

    The chain rule: dout times the slope of elu, 1 where x > 0, else alpha exp(x).
    """
    rng = np.random.default_rng(seed)

    x, dout, alpha = rng.normal(size=(6, 5)), rng.normal(size=(6, 5)), 0.7
    got = plain(call(fn, dout, x, alpha), "dx")
    want = reference.elu_backward(dout, x, alpha)
    expect_none_of(got, want, other_elu_slopes(dout, x, alpha))

    # exp(-log 2) = 1/2: 10 * 1/2, 10 * 1
    x, dout = np.array([-np.log(2), 3.0]), np.array([10.0, 10.0])
    what = "dx for x = (-log 2, 3) and dout = (10, 10)"
    expect_array(call(fn, dout, x), np.array([5.0, 10.0]), what, other_elu_slopes(dout, x, 1.0))

    for shape in [(4, 3), (1, 5), (6,), (2, 3, 4)]:
        x = rng.choice([-1, 1], size=shape) * rng.uniform(0.01, 3, size=shape)  # 0 is a kink
        dout, alpha = rng.normal(size=shape), float(rng.uniform(0.2, 3))

        def total(x, dout=dout, alpha=alpha):
            return (dout * reference.elu(x, alpha)).sum()

        suspects = other_elu_slopes(dout, x, alpha)
        what = f"dx for x of shape {shape} and alpha = {alpha:.2f}"
        expect_gradient(call(fn, dout, x, alpha), total, x, what, suspects)
        want = reference.elu_backward(dout, x)
        expect_array(call(fn, dout, x), want, f"dx for x of shape {shape}, no alpha given")

    x, dout = np.array([1000.0, -1000.0, 800.0, -5.0]), np.array([1.0, 2.0, -3.0, 4.0])
    got = plain(call(fn, dout, x), "dx")
    overflow = (
        "there is nan or inf: exp(1000) is inf, and 0 * inf is nan; choose by np.where, "
        "or take exp of what is below 0 only."
    )
    expect(got.dtype.kind != "f" or np.isfinite(got).all(), overflow)
    expect_array(got, reference.elu_backward(dout, x), "dx for numbers as large as 1000")

    loops = "right, but slow: np.where chooses for all entries at once."
    for n in (40, 800):
        args = rng.normal(size=(n, 200)), rng.normal(size=(n, 200)), 1.0
        expect_fast(fn, reference.elu_backward, args, loops, seconds=0.03)


def other_elu_slopes(dout, x, alpha):
    """With one factor too many, missing, or different."""
    e, positive = np.exp(np.minimum(x, 0)), x > 0
    slope = np.where(positive, 1, alpha * e)
    return {
        "this is the slope; the chain rule multiplies it by dout.": slope,
        "dout is added; the chain rule multiplies.": dout + slope,
        "alpha is missing left of 0.": dout * np.where(positive, 1, e),
        "this is the slope of a relu; left of 0 an elu still learns.": dout * positive,
        "this is the slope of a leaky relu; left of 0 it is alpha exp(x).": (
            dout * np.where(positive, 1, alpha)
        ),
        "elu(x) was taken for its slope.": dout * reference.elu(x, alpha),
        "right of 0 stands elu(x); the slope of x is 1.": dout * np.where(positive, x, alpha * e),
        "1 stays in the slope: the derivative of alpha (exp(x) - 1) is alpha exp(x).": (
            dout * np.where(positive, 1, alpha * (e - 1))
        ),
        "x and dout are exchanged: the slope is taken at x.": (
            x * np.where(dout > 0, 1, alpha * np.exp(np.minimum(dout, 0)))
        ),
        "the slope is taken at elu(x); it is taken at x.": (
            dout * np.where(positive, 1, alpha * np.exp(np.minimum(reference.elu(x, alpha), 0)))
        ),
        "the side is chosen by dout; it is chosen by x.": (
            dout * np.where(dout > 0, 1, alpha * np.exp(np.minimum(x, 0)))
        ),
        "the side is chosen by dout; it is chosen by x. ": (
            dout * np.where(dout > 0, 1, alpha * np.exp(x))
        ),
        "left of 0 dout is missing; it multiplies on both sides.": np.where(positive, dout, slope),
        "right of 0 dout is missing; it multiplies on both sides.": (
            np.where(positive, 1, dout * slope)
        ),
        "left of 0 the gradient is x exp(x); where is dout?": np.where(positive, dout, x * e),
        "the two sides are exchanged: the slope is 1 where x is positive.": (
            dout * np.where(positive, alpha * np.exp(x), 1)
        ),
        "dx has the wrong sign.": -dout * slope,
        "exp(-x) stands left of 0; it is exp(x).": dout * np.where(positive, 1, alpha * np.exp(-x)),
        "alpha stands in the exponent; it is a factor: alpha exp(x).": (
            dout * np.where(positive, 1, np.exp(alpha * np.minimum(x, 0)))
        ),
        "x stays left of 0: the derivative of exp(x) is exp(x).": (
            dout * np.where(positive, 1, alpha * x * e)
        ),
        "dout is divided by the slope; the chain rule multiplies.": dout / slope,
        "this is one number; each entry of x has a derivative of its own.": (dout * slope).sum(),
        "the sign left of 0 is turned around.": dout * np.where(positive, 1, -alpha * e),
    }


@check
def check_dead_unit(answer, seed=0):
    """A relu unit's pre-activation is below 0 for every training example, and the layers before
    it are fixed. What do its weights do in the rest of the training, by gradient descent alone?

    a) They learn more slowly, as those of a saturated logistic unit do.
    b) They stay as they are: no example sends a gradient through.
    c) They come back: the loss is large without the unit, so its gradient is large.
    d) The weights stay, and the bias learns on, as its input is always 1.
    """
    expect_choice(
        answer,
        right="b",
        wrong={
            "a": "a saturated logistic unit has a small slope; how large is this one's?",
            "c": "however large dout is, it is multiplied by the slope of the relu.",
            "d": "the gradient of the bias passes the same relu before it reaches it.",
        },
    )
