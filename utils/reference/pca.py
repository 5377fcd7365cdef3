"""Principal component analysis: the flat subspace that keeps most of the variance.

A model is a dictionary:

- mean, (D,), of the examples it was fitted to
- axes, (D, K), orthonormal columns, along which the examples vary most, second most, ...
- variances, (K,), of the examples along each axis, largest first; divided by N, not by N - 1
- shares, (K,), each variance as a fraction of the variance along all D axes

Of all maps to K numbers and back that are linear, none loses less: the mean squared error of
pca_reconstruct(pca_project(x, model), model) is the sum of the variances left out, over D.
"""

import numpy as np


def pca_fit(x, n_components=None):
    """The mean and the first principal axes of a set of examples.

        x - mean = U diag(s) V^T,  axes = the first K columns of V,  variances = s^2 / N

    The singular value decomposition of x never forms the covariance V diag(s^2 / N) V^T, whose
    entries are squares: an axis 1e-9 times as long as the first would be lost in their rounding.
    An axis has no direction of its own; ours points where its first sizeable entry is positive.

    x           : (N, D), without nan
    n_components: int, K in [1, min(N, D)]; None for min(N, D)
    returns     : model, a dictionary; shares are 0 where all examples are equal
    raises      : ValueError, if x is empty or not finite, or K is out of reach
    source      : Bishop, PRML (2006), section 12.1.1
    """
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"x must be (N, D), N and D at least 1, got shape {x.shape}")
    K = min(x.shape) if n_components is None else n_components
    if not 1 <= K <= min(x.shape):
        raise ValueError(f"n_components must lie in [1, {min(x.shape)}], got {K}")
    if not np.isfinite(x).all():
        raise ValueError("x must be finite, got nan or inf: fill missing values first")
    mean = x.mean(axis=0)
    _, s, axes = np.linalg.svd(x - mean, full_matrices=False)  # s descends, axes are rows
    variances = s**2 / len(x)
    total = variances.sum()
    return {
        "mean": mean,
        "axes": _pointed(axes[:K].T),
        "variances": variances[:K],
        "shares": variances[:K] / (total if total > 0 else 1),
    }


def pca_project(x, model):
    """The coordinates of examples along the principal axes: D numbers become K.

        z = (x - mean) axes

    x      : (N, D)
    model  : from pca_fit
    returns: z, (N, K), in the unit of the features
    raises : ValueError, if x does not fit the model
    source : Bishop, PRML (2006), section 12.1
    """
    _require_columns("x", x, len(model["axes"]))
    return (x - model["mean"]) @ model["axes"]


def pca_reconstruct(z, model):
    """The points of the subspace that have these coordinates: K numbers become D.

        x = mean + z axes^T

    Of z = pca_project(x, model) it makes the point of the subspace that is nearest to x.

    z      : (N, K)
    model  : from pca_fit
    returns: x, (N, D), in the unit of the features
    raises : ValueError, if z does not fit the model
    source : Bishop, PRML (2006), section 12.1.2
    """
    _require_columns("z", z, model["axes"].shape[1])
    return model["mean"] + z @ model["axes"].T


def principal_angles(a, b):
    """How far two subspaces are apart: the angles between their directions, paired up.

        cos(angle_i) = the i-th largest singular value of A^T B,  A and B orthonormal bases

    The first angle is the smallest between any direction of one and any of the other, the next
    the smallest at right angles to those, and so on. All are 0 where one subspace lies in the
    other, all pi/2 where the subspaces are orthogonal.

    a      : (D, K), independent columns, which span one subspace
    b      : (D, L), independent columns, which span the other
    returns: (min(K, L),), radians in [0, pi/2], smallest first
    raises : ValueError, if the shapes disagree, or columns depend on each other
    source : Björck and Golub, Numerical Methods for Computing Angles between Linear Subspaces
             (1973)
    """
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b) or 0 in (*a.shape, *b.shape):
        raise ValueError(f"a and b must be (D, K) and (D, L), got {a.shape} and {b.shape}")
    for name, columns in {"a": a, "b": b}.items():
        if not np.isfinite(columns).all() or np.linalg.matrix_rank(columns) < columns.shape[1]:
            raise ValueError(f"{name} must have finite, independent columns, got others")
    larger, smaller = (a, b) if a.shape[1] >= b.shape[1] else (b, a)
    A, B = np.linalg.qr(larger)[0], np.linalg.qr(smaller)[0]  # orthonormal bases
    cosines = np.linalg.svd(A.T @ B, compute_uv=False)  # largest first
    sines = np.linalg.svd(B - A @ (A.T @ B), compute_uv=False)[::-1]  # smallest first
    return np.arctan2(sines, cosines)  # arccos alone would lose half the digits near 0


def _pointed(axes):
    """Axes, (D, K), each turned so that its first entry of half its largest or more is positive.

    Were it the largest entry, rounding would decide for axes like (1, -1).
    """
    sizeable = np.abs(axes) >= np.abs(axes).max(axis=0) / 2
    first = sizeable.argmax(axis=0)  # (K,)
    return axes * np.sign(axes[first, np.arange(len(first))])


def _require_columns(name, array, wanted):
    if array.ndim != 2 or array.shape[1] != wanted:
        raise ValueError(f"{name} must be (N, {wanted}), got shape {array.shape}")
