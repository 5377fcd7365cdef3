"""Unit 01: gradients by differences, and where to look with them."""

import numpy as np

from grader.checking import call, check, expect, expect_array, expect_choice

PUT_BACK = (
    "x is not as it was before: keep the old entry and put it back (to add step and subtract it "
    "again rounds)."
)


@check
def check_numeric_gradient(fn, seed=0):
    """numeric_gradient(f, x, step=1e-6): f takes an array like x and returns a number, x is a
    float64 array of any shape -> array like x of centered differences; x is unchanged on return.
    """
    rng = np.random.default_rng(seed)

    # f = sum x^3 with step 1/2: ((x + 1/2)^3 - (x - 1/2)^3) / 1 = 3 x^2 + 1/4
    x = np.array([1.0, -2.0, 3.0])
    got = call(fn, cubes, x, 0.5, unchanged=PUT_BACK)
    what = "the differences of sum(x**3) at (1, -2, 3) with step 0.5"
    expect_array(got, np.array([3.25, 12.25, 27.25]), what, other_differences(x, 0.5))

    for shape in [(5,), (5,), (1,), (3, 4), (4, 4), (2, 1, 3)]:
        x = rng.normal(size=shape)
        weights = rng.normal(size=shape)

        def f(x, weights=weights):
            return float((weights * np.sin(x)).sum() + x.sum() ** 2)

        want = weights * np.cos(x) + 2 * x.sum()
        got = call(fn, f, x, 1e-4, unchanged=PUT_BACK)
        what = f"the gradient of a smooth f at an x of shape {shape}"
        suspects = drifting_differences(f, x, 1e-4)
        if x.ndim == 2:
            together = "a whole row of x was moved at once; move one entry, x[i, j]."
            suspects[together] = np.broadcast_to(want.sum(axis=1, keepdims=True), shape)
        expect_array(got, want, what, suspects, atol=1e-7)

    # a large step is far from the limit, and in a tiny one the difference drowns in rounding
    x = rng.normal(size=6)
    seen = []
    got = call(fn, lambda x: seen.append(np.array(x)) or float(np.exp(x).sum()), x)
    expect_array(got, np.exp(x), "the gradient with the default step", rtol=1e-6, atol=1e-6)
    moved = max((np.abs(point - x).max() for point in seen), default=0)
    expect(abs(moved - 1e-6) < 1e-9, "the default of step should be 1e-6.")

    # f is called with x itself moved and put back: adding and subtracting does not put it back
    x = rng.normal(size=3)
    seen = []
    call(fn, lambda x: seen.append(np.array(x)) or cubes(x), x, 0.1)
    moved = max((np.sum(np.abs(point - x) > 1e-12) for point in seen), default=0)
    expect(moved <= 1, "more than one entry of x was moved at a time; put it back first.")
    expect(len(seen) <= 2 * x.size + 2, "f is called too often; each entry of x needs two calls.")


def cubes(x):
    """sum of x^3, whose centered difference is 3 x^2 + step^2 exactly."""
    return float((x**3).sum())


def other_differences(x, step):
    """What other quotients give for sum(x**3)."""
    gradient = 3 * x**2
    forward = gradient + 3 * x * step + step**2
    backward = gradient - 3 * x * step + step**2
    centered = gradient + step**2
    together = (cubes(x + step) - cubes(x - step)) / (2 * step)
    return {
        "x[i] - step came after x[i] + step, so it led back to the middle: go down 2 step.": (
            forward / 2
        ),
        "the entries before stay moved: put each one back before the next.": np.cumsum(centered),
        "only the first entry is filled: does return stand inside the loop?": (
            centered * (np.arange(len(x)) == 0)
        ),
        "the two values of f were added; subtract them.": (cubes(x) + 3 * x * step**2) / step,
        "one-sided difference: f(x + step) - f(x); step to both sides of x.": forward,
        "one-sided difference: f(x) - f(x - step); step to both sides of x.": backward,
        "the distance of x + step and x - step is 2 step; divide by that.": 2 * centered,
        "divided by 2 and not by the step.": centered * step,
        "not divided by the distance of the two points.": centered * 2 * step,
        "multiplied by the step after halving; divide by 2 step: mind the parentheses.": (
            centered * step * step
        ),
        "the sign is turned around: f(x + step) minus f(x - step).": -centered,
        "step is ignored; the caller asked for another one than the default.": gradient,
        "all entries of x moved at once; move one, and put it back.": np.full(len(x), together),
    }


def drifting_differences(f, x, step):
    """Centered differences where x[i] stays moved when the next entry has its turn."""
    down, up = x.copy(), x.copy()
    to_down, to_up = np.empty_like(x), np.empty_like(x)
    for i in np.ndindex(x.shape):
        for drifting, quotients, stays in ((down, to_down, -step), (up, to_up, step)):
            middle = drifting[i]
            drifting[i] = middle + step
            above = f(drifting)
            drifting[i] = middle - step
            quotients[i] = (above - f(drifting)) / (2 * step)
            drifting[i] = middle + stays
    return {
        "an entry of x was moved down and not put back before the next one.": to_down,
        "an entry of x was moved up and not put back before the next one.": to_up,
    }


@check
def check_gradcheck_subset(answer, seed=0):
    """A classifier of 10 classes has 30 000 weights; to compare them all with differences takes
    too long. Which ones do you compare?

    a) All weights of one class: a gradient that is right for it is right for the others.
    b) The biases only: there are few of them.
    c) Some weights of every class, picked at random.
    d) The weights with the largest gradients.
    """
    expect_choice(
        answer,
        right="c",
        wrong={
            "a": "a mistake may spare one class (the correct one is special in every loss).",
            "b": "the gradient of a weight has a factor, the input, that the bias never meets.",
            "d": "a gradient that is 0 by mistake would never be among them.",
        },
    )
