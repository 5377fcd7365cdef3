"""Is the gradient right? Compare it with differences, which need no calculus."""

import numpy as np


def numeric_gradient(f, x, step=1e-6):
    """The gradient of f at x by centered differences, two evaluations of f for each entry.

        df/dx[i] = (f(x + step e_i) - f(x - step e_i)) / (2 step)  +  O(step^2)

    Rounding adds about 1e-16 |f| / step, so a smaller step is not better: 1e-6 balances the two,
    and only in float64.

    f      : function of an array of x's shape, returns one number
    x      : any shape, float64; unchanged on return
    step   : float > 0
    returns: the shape of x
    raises : ValueError, if x is not float64, step not positive, or f returns more than a number
    """
    _require_checkable(f, x, step)
    probe, gradient = x.copy(), np.empty(x.shape)
    for index in np.ndindex(x.shape):
        gradient[index] = _slope(f, probe, index, step)
    return gradient


def numeric_gradient_at(f, x, indices, step=1e-6):
    """Some entries of numeric_gradient(f, x), where x has too many to check them all.

    For weights (D, C) take a few rows in every column: a subset within each class, never a
    subset of the classes, or the gradient of the others goes unchecked.

    f      : function of an array of x's shape, returns one number
    x      : any shape, float64; unchanged on return
    indices: tuple of x.ndim int arrays (K,), as in x[indices]
    step   : float > 0
    returns: (K,), to be compared with gradient[indices]
    raises : ValueError, as numeric_gradient does, and if there are not x.ndim index arrays
    """
    _require_checkable(f, x, step)
    if not isinstance(indices, tuple) or len(indices) != x.ndim:
        raise ValueError(f"indices must be a tuple of {x.ndim} int arrays, got {indices!r}")
    probe = x.copy()
    places = zip(*indices, strict=True)
    return np.array([_slope(f, probe, index, step) for index in places])


def relative_error(a, b):
    """How far two gradients are apart, on the scale of the larger.

        max over i of |a_i - b_i| / max(|a_i|, |b_i|, 1e-8)

    The 1e-8 keeps two entries that are both next to 0 from being told apart by their rounding.

    a, b   : arrays of one shape, not empty
    returns: float in [0, 2]; verdict says how to read it
    raises : ValueError, if the shapes disagree or there is nothing to compare
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"a and b must be non-empty of one shape, got {a.shape} and {b.shape}")
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-8)
    return float((np.abs(a - b) / scale).max())


def verdict(error):
    """What a relative error between a gradient and centered differences means, in words.

    error  : float >= 0, from relative_error in float64
    returns: str, by the bands 1e-2, 1e-4 and 1e-7
    source : Karpathy, CS231n course notes, "Neural Networks Part 3"
    """
    if error <= 1e-7:
        return "The two gradients agree."
    if error <= 1e-4:
        return "Fine if the function has kinks; if it is smooth, still too much."
    if error <= 1e-2:
        return "Suspicious: look for a mistake."
    return "The gradient is probably wrong."  # nan comes here too


def _slope(f, probe, index, step):
    """Centered difference along one entry of probe, which is put back as it was."""
    middle = probe[index]
    probe[index] = middle + step
    above = f(probe)
    probe[index] = middle - step
    below = f(probe)
    probe[index] = middle
    return (above - below) / (2 * step)


def _require_checkable(f, x, step):
    if x.dtype != np.float64:
        raise ValueError(f"x must be float64, whose digits a difference needs, got {x.dtype}")
    if not step > 0:
        raise ValueError(f"step must be positive, got {step}")
    value = f(x.copy())
    if isinstance(value, tuple) or np.ndim(value) != 0:
        raise ValueError(f"f must return one number, got {type(value).__name__}")
