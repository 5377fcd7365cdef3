"""Unit 01: scaling and whitening, with the statistics of the training set."""

import numpy as np

from grader.checking import (
    call,
    check,
    close,
    expect,
    expect_array,
    expect_choice,
    expect_fast,
    expect_none_of,
    plain,
    withholds,
)
from utils.reference import preparation as reference


@check
def check_standardize(fn, seed=0):
    """standardize(x_train, x): (N, D), (M, D) -> (M, D) floats, x minus mean over deviation.

    Mean and deviation (ddof 0) of each column of x_train; a column that is constant in x_train
    becomes 0 there, not nan.
    """
    rng = np.random.default_rng(seed)

    # in many rows every mistake leaves a trace of its own
    x_train, x = 5 + 3 * rng.normal(size=(9, 4)), 4 + rng.normal(size=(9, 4))
    got = plain(call(fn, x_train, x), "the result")
    expect_none_of(got, reference.standardize(x_train, x), other_scalings(x_train, x))

    # the column 1, 3 has mean 2 and deviation 1; the column 10, 50 has 30 and 20
    x_train, x = np.array([[1.0, 10.0], [3.0, 50.0]]), np.array([[4.0, 30.0], [8.0, 40.0]])
    by_hand = np.array([[2.0, 0.0], [6.0, 0.5]])
    what = "(4, 30) and (8, 40) by the columns (1, 3) and (10, 50)"
    expect_array(call(fn, x_train, x), by_hand, what, other_scalings(x_train, x))

    for n, m, d in [(6, 4, 3), (6, 4, 3), (5, 5, 5), (8, 1, 2), (7, 3, 1)]:
        x_train, x = 5 + 3 * rng.normal(size=(n, d)), 4 + rng.normal(size=(m, d))
        what = f"an x of shape {(m, d)} by an x_train of shape {(n, d)}"
        want = reference.standardize(x_train, x)
        expect_array(call(fn, x_train, x), want, what, other_scalings(x_train, x))

    x_train, x = rng.integers(0, 9, size=(6, 3)), rng.integers(0, 9, size=(2, 3))
    x_train[:2] = [[0, 0, 0], [8, 8, 8]]
    want = reference.standardize(x_train, x)
    expect_array(call(fn, x_train, x), want, "the result for integers")

    # a pixel that is always 3 has deviation 0
    x_train = rng.normal(size=(8, 3))
    x_train[:, 1] = 3
    what = "a constant column (its deviation is 0; do not divide by it)"
    want = reference.standardize(x_train, x_train)
    expect_array(call(fn, x_train, x_train), want, what)
    got = plain(call(fn, x_train, x_train + 1), "the result")
    new = "a column that is constant in x_train, with another value in x, comes out far too large: "
    new += "its deviation of 0 should not divide, nor something tiny in its place."
    expect(got.shape == (8, 3) and np.abs(got).max() < 1000, new)

    # millimeters or kilometers: standardized, they are the same numbers
    x_train, x = rng.normal(size=(8, 3)), rng.normal(size=(4, 3))
    got = plain(call(fn, 1e-6 * x_train, 1e-6 * x), "the result")
    unit = "numbers around 0.000001 come out too small: leave alone any deviation that is not 0."
    expect(close(got, reference.standardize(x_train, x), rtol=1e-4, atol=1e-6), unit)

    loops = "right, but slow: leave the loops to NumPy, which takes all columns at once."
    args = rng.normal(size=(20, 2000)), rng.normal(size=(20, 2000))
    expect_fast(fn, reference.standardize, args, loops, seconds=0.012)


def other_scalings(x_train, x):
    """The statistics of something else, or only one of them."""
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    own = x.std(axis=0)
    return {
        "leak: these are the mean and deviation of x; take those of x_train.": (
            (x - x.mean(axis=0)) / np.where(own == 0, 1, own)
        ),
        "leak: these are the mean and deviation of x, which is nan for a single row.": (
            (x - x.mean(axis=0)) / own
        ),
        "the mean is that of x; take that of x_train.": (x - x.mean(axis=0)) / std,
        "the deviation is that of x; take that of x_train.": (x - mean) / own,
        "leak: x took part in mean and deviation; take those of x_train alone.": (
            (x - np.vstack([x_train, x]).mean(axis=0)) / np.vstack([x_train, x]).std(axis=0)
        ),
        "the deviation divides by N - 1 (ddof=1); divide by N.": (
            (x - mean) / x_train.std(axis=0, ddof=1)
        ),
        "divided by the variance; its root is the deviation.": (x - mean) / std**2,
        "centered and not scaled; divide by the deviation.": x - mean,
        "scaled and not centered; subtract the mean first.": x / std,
        "scaled first and centered with the mean before scaling; subtract, then divide.": (
            x / std - mean
        ),
        "one mean and deviation for everything; each column has its own.": (
            (x - x_train.mean()) / x_train.std()
        ),
        "a mean for each column, and one deviation for everything.": (x - mean) / x_train.std(),
        "this scales to [0, 1] by minimum and maximum.": (
            (x - x_train.min(axis=0)) / (x_train.max(axis=0) - x_train.min(axis=0))
        ),
        "this is x_train standardized; return x.": (x_train - mean) / std,
        "the roles are exchanged: this is x_train by mean and deviation of x.": (
            (x_train - x.mean(axis=0)) / np.where(own == 0, 1, own)
        ),
        "only the mean was divided by the deviation: mind the parentheses.": x - mean / std,
        "divided by the length of the centered column; the deviation also divides by root N.": (
            (x - mean) / (std * np.sqrt(len(x_train)))
        ),
        "divided by the range; divide by the deviation.": (
            (x - mean) / (x_train.max(axis=0) - x_train.min(axis=0))
        ),
        "the median was subtracted; subtract the mean.": (x - np.median(x_train, axis=0)) / std,
        "divided by the mean distance from the mean; the deviation is the root of a mean square.": (
            (x - mean) / np.abs(x_train - mean).mean(axis=0)
        ),
        "each row was scaled by its own mean and deviation; take those of the columns.": (
            (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
        ),
        "the minimum was subtracted; subtract the mean.": (x - x_train.min(axis=0)) / std,
        "multiplied by the deviation; divide by it.": (x - mean) * std,
    }


@withholds("decorrelate")
@check
def check_whiten(fn, seed=0):
    """whiten(x_train, x, eps=1e-5): (N, D), (M, D) -> (M, D) floats, PCA whitening.

    Center with the training mean, rotate onto the eigenvectors of the training covariance (which
    divides by N), divide by sqrt(eigenvalue + eps). The order and sign of the axes are free.
    """
    rng = np.random.default_rng(seed)

    # in many rows every mistake leaves a trace of its own
    x_train = 3 + rng.normal(size=(9, 3)) @ (rng.normal(size=(3, 3)) + 2 * np.eye(3))
    x, eps = 2 + rng.normal(size=(7, 3)), 0.5
    got = plain(call(fn, x_train, x, eps), "the result")
    no_known_mistake(got, reference.whiten(x_train, x, eps), x_train, x, eps)

    # the points lie on two axes, variances 16 * 2 / 4 = 8 and 1 * 2 / 4 = 0.5; eps 0 divides by
    # sqrt(8) and sqrt(0.5): lengths 4 / 2.828 = 1.414 and 1 / 0.707 = 1.414
    x_train = np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    x_train += np.array([5.0, 7.0])
    whitened_well(fn, x_train, x_train, 0.0, "four points on two axes")

    for n, m, d in [(40, 5, 3), (40, 5, 3), (30, 30, 2), (20, 1, 4), (10, 3, 1)]:
        x_train = 3 + rng.normal(size=(n, d)) @ (rng.normal(size=(d, d)) + 2 * np.eye(d))
        x = 2 + rng.normal(size=(m, d))
        for eps in (1e-5, 0.5):
            what = f"an x of shape {(m, d)} by an x_train of shape {(n, d)}, eps {eps}"
            whitened_well(fn, x_train, x, eps, what)
        want = reference.whiten(x_train, x)
        expect(
            close_up_to_axes(plain(call(fn, x_train, x), "the result"), want),
            "the default of eps should be 1e-5.",
        )

    # twice the same feature: one eigenvalue is 0, and eps alone keeps the division finite
    x_train = rng.normal(size=(12, 3))
    x_train[:, 2] = x_train[:, 0]
    what = "two equal features (one eigenvalue is 0, only eps under the root saves the division)"
    whitened_well(fn, x_train, x_train, 1e-3, what)


def whitened_well(fn, x_train, x, eps, what):
    """Compare up to the order and the sign of the axes, which no eigenvector routine promises."""
    got = call(fn, x_train, x, eps)
    want = reference.whiten(x_train, x, eps)
    name = f"the whitened {what}"
    array = plain(got, name)
    if array.dtype.kind == "f" and close_up_to_axes(array, want):
        return
    no_known_mistake(array, want, x_train, x, eps)
    expect_array(got, want, name)


def no_known_mistake(array, want, x_train, x, eps):
    """expect_none_of, up to the order and the sign of the axes."""
    if array.dtype.kind == "f" and not close_up_to_axes(array, want):
        for sentence, value in other_whitenings(x_train, x, eps).items():
            expect(not close_up_to_axes(array, value), sentence)


def close_up_to_axes(a, b):
    """Whether the columns of a are those of b in some order, each with some sign."""
    if a.shape != b.shape or a.ndim != 2:
        return False
    same = [[min(abs(p - q).max(), abs(p + q).max()) for q in b.T] for p in a.T]
    same = np.array(same) <= 1e-6 * (1 + np.abs(b).max())
    left = set(range(a.shape[1]))
    for row in same:  # axes that agree with several are interchangeable: first come is fine
        free = [j for j in left if row[j]]
        if not free:
            return False
        left.remove(free[0])
    return True


def other_whitenings(x_train, x, eps):
    """One of the steps left out or done differently."""
    n, mean = len(x_train), x_train.mean(axis=0)
    centered, own = x_train - mean, x - x.mean(axis=0)
    cov = centered.T @ centered / n
    variances, axes = np.linalg.eigh(cov)
    variances = np.maximum(variances, 0)
    deviations = np.sqrt(variances + eps)
    _, singular, vt = np.linalg.svd(centered, full_matrices=False)
    scale = np.where(np.diag(cov) == 0, 1, np.sqrt(np.diag(cov)))
    raw = x_train.T @ x_train / n

    def whitened(x, cov):
        variances, axes = np.linalg.eigh(cov)
        return x @ axes / np.sqrt(np.maximum(variances, 0) + eps)

    return {
        "only decorrelated: the axes are not yet divided by their deviations.": (x - mean) @ axes,
        "divided by the eigenvalues; they are variances, so the root is missing.": (
            (x - mean) @ axes / (variances + eps)
        ),
        "multiplied by the root of the eigenvalues; divide.": (x - mean) @ axes * deviations,
        "eigenvalues and eigenvectors are not in the same order any more.": (
            (x - mean) @ axes / deviations[::-1]
        ),
        "the rows of V were turned around; the eigenvectors are its columns, V[:, ::-1].": (
            (x - mean) @ axes[::-1] / deviations
        ),
        "divided before rotating: the deviations belong to the axes, so rotate first.": (
            (x - mean) / deviations @ axes
        ),
        "the singular values of the covariance are its eigenvalues; do not square them.": (
            (x - mean) @ axes / np.sqrt(variances**2 + eps)
        ),
        "whitened along other axes (Cholesky); rotate onto the eigenvectors.": (
            (x - mean) @ np.linalg.cholesky(np.linalg.inv(cov + (eps + 1e-12) * np.eye(len(cov))))
        ),
        "leak: these are the variances of the rotated x; take those of x_train.": (
            (x - mean) @ axes / np.sqrt(((x - mean) @ axes).var(axis=0) + eps)
        ),
        "leak: the covariance is that of x; take that of x_train.": (
            whitened(x - mean, (x - mean).T @ (x - mean) / len(x))
        ),
        "the covariance is divided by the length of x; divide by that of x_train.": (
            whitened(x - mean, cov * n / len(x))
        ),
        "the covariance is divided by the number of features; divide by the number of rows.": (
            whitened(x - mean, cov * n / len(cov))
        ),
        "the mean was subtracted after rotating x, and was not rotated; center first.": (
            (x @ axes - mean) / deviations
        ),
        "the eigenvectors are those of the correlations (np.corrcoef); take the covariance.": (
            whitened(x - mean, cov / np.outer(scale, scale))
        ),
        "x is not centered; subtract the training mean first.": whitened(x, cov),
        "x_train is not centered before its covariance is taken.": whitened(x - mean, raw),
        "neither x nor x_train is centered; subtract the training mean first.": whitened(x, raw),
        "leak: x was centered with its own mean; take that of x_train.": whitened(own, cov),
        "leak: mean and covariance of x; take those of x_train.": (
            whitened(own, own.T @ own / len(x))
        ),
        "the covariance divides by N - 1 (as np.cov does); divide by N.": (
            whitened(x - mean, cov * n / max(n - 1, 1))
        ),
        "the covariance is not divided by N.": whitened(x - mean, cov * n),
        "rotated the wrong way: the eigenvectors are the columns of V, so x @ V.": (
            (x - mean) @ axes.T / deviations
        ),
        "rotated the wrong way: what np.linalg.svd returns last is V transposed.": (
            (x - mean) @ vt / np.sqrt(singular**2 / n + eps)
        ),
        "divided by roots of singular values; an eigenvalue is a singular value squared / N.": (
            (x - mean) @ vt.T / np.sqrt(singular + eps)
        ),
        "divided by singular values; an eigenvalue is a singular value squared, over N.": (
            (x - mean) @ vt.T / (singular + eps)
        ),
        "the features were standardized first; whitening takes them as they are.": (
            whitened((x - mean) / scale, cov / np.outer(scale, scale))
        ),
        "whitened and rotated back (ZCA); PCA whitening stays on the principal axes.": (
            whitened(x - mean, cov) @ axes.T
        ),
        "only standardized: the features are still correlated, rotate them first.": (
            (x - mean) / np.sqrt(np.diag(cov) + eps)
        ),
        "not rotated: divided by the deviations of the axes while still on the features.": (
            (x - mean) / deviations
        ),
        "not rotated: divided by the deviations of the axes (largest first) on the features.": (
            (x - mean) / deviations[::-1]
        ),
        "eps is added to the root; it belongs under it.": (
            (x - mean) @ axes / (np.sqrt(variances) + eps)
        ),
        "eps is forgotten: it is added to the eigenvalues.": (
            (x - mean) @ axes / np.sqrt(variances)
        ),
        "eps is ignored; the caller asked for another one than the default.": (
            (x - mean) @ axes / np.sqrt(variances + 1e-5)
        ),
        "x_train was whitened; return x.": whitened(centered, cov),
    }


@check
def check_scaling_leak(answer, seed=0):
    """All 1000 examples are standardized; then 200 of them are split off as the test set. Is
    the test accuracy still honest?

    a) Yes: the labels of the test set were never used.
    b) No: mean and deviation know the test set; take them from the training part alone.
    c) No: the test set should be scaled with its own mean and deviation.
    d) No: the test set should not be scaled at all.
    """
    expect_choice(
        answer,
        right="b",
        wrong={
            "a": "no label was used, yet something about the test inputs was: what was computed?",
            "c": "then train and test would be moved by different amounts, and x means two things.",
            "d": "the classifier learned on scaled numbers; what would it make of unscaled ones?",
        },
    )
