"""Linear classifiers: one hyperplane per class, and two ways to learn where it lies."""

from itertools import combinations_with_replacement

import numpy as np

from ._labels import require_labels, require_signs
from .losses import _float_of, softmax_cross_entropy
from .neighbors import l2_distances
from .validation import _order


def linear_scores(x, w, b):
    """How strongly each example resembles each class's template.

        s[i, c] = sum over f of x[i, f] w[f, c] + b[c]

    Column c of w is the template of class c; s_c = s_j is the hyperplane between c and j.

    x      : (N, D)
    w      : (D, C), or (D,) for a single score
    b      : (C,), or a float
    returns: (N, C), or (N,)
    raises : ValueError, if the shapes do not fit
    """
    if x.ndim != 2 or w.shape[:1] != x.shape[1:] or np.shape(b) != w.shape[1:]:
        raise ValueError(
            "x, w, b must be (N, D), (D, C), (C,) or (N, D), (D,), (), "
            f"got {x.shape}, {w.shape}, {np.shape(b)}"
        )
    return x @ w + b


def predict(scores):
    """The best-scored class of each row, the smallest where scores tie.

    scores : (N, C)
    returns: (N,) int
    raises : ValueError, if scores are not (N, C) with C at least 1
    """
    if scores.ndim != 2 or scores.shape[1] == 0:
        raise ValueError(f"scores must be (N, C) with C at least 1, got shape {scores.shape}")
    return scores.argmax(axis=1)


def perceptron_step(w, b, x, y):
    """Learn from one example: if it is on the wrong side, or on the boundary, move towards it.

        if y (w . x + b) <= 0:  w <- w + y x,  b <- b + y

    The update raises y (w . x + b) by |x|^2 + 1, which need not be enough at once.

    w      : (D,)
    b      : float
    x      : (D,), one example
    y      : -1 or +1
    returns: w, (D,), a new array; b
    raises : ValueError, if w and x are not vectors of one length or y is neither -1 nor +1
    source : Rosenblatt, The Perceptron (1958)
    """
    if w.ndim != 1 or x.shape != w.shape:
        raise ValueError(f"w and x must both be (D,), got {w.shape} and {x.shape}")
    require_signs(np.asarray(y), (), name="y")
    y = float(y)  # an int64 would turn float32 weights into float64
    if y * (w @ x + b) <= 0:
        return w + y * x, b + y
    return w.copy(), b


def train_perceptron(x, y, epochs, rng=None):
    """Run perceptron_step over all examples, epochs times, from w = 0 and b = 0.

    On separable data the mistakes end, at the latest after (R/margin)^2 of them, R the length
    of the longest (x, 1); on other data they never do.

    x      : (N, D)
    y      : (N,), the classes as -1 and +1
    epochs : int, at least 1
    rng    : numpy.random.Generator that shuffles every epoch; None keeps the order
    returns: w, (D,); b, float; mistakes, a list of as many ints as epochs
    raises : ValueError, if the shapes disagree, a sign is neither -1 nor +1, or epochs < 1
    source : Novikoff (1962), the convergence theorem
    """
    N, D = _require_matrix(x)
    require_signs(y, (N,), name="y")
    _require_at_least_one(epochs=epochs)
    w, b, mistakes = np.zeros(D, _float_of(x)), 0.0, []
    for _ in range(epochs):
        mistakes.append(0)
        for i in _order(N, rng):
            b_before = b
            w, b = perceptron_step(w, b, x[i], y[i])
            mistakes[-1] += int(b != b_before)  # every mistake moves b, by 1
    return w, b, mistakes


def train_linear_classifier(
    x,
    y,
    n_classes,
    loss=softmax_cross_entropy,
    lr=0.1,
    epochs=100,
    batch_size=None,
    l2=0.0,
    rng=None,
):
    """Fit w and b by (mini-batch) gradient descent from zero.

        J = loss(x w + b, y) + l2/2 |w|^2
        w <- w - lr (x^T dscores + l2 w),  b <- b - lr (sum of dscores over the batch)

    x         : (N, D)
    y         : (N,) int in [0, n_classes)
    loss      : function of (scores, labels) that returns (mean loss, dscores)
    lr        : float, length of a step
    epochs    : int >= 1, passes over the data
    batch_size: int >= 1, examples per update; None takes all, 1 is online learning
    l2        : float, weight of the penalty; b is not penalized
    rng       : numpy.random.Generator that shuffles every epoch; None keeps the order
    returns   : w, (D, n_classes); b, (n_classes,); history, per epoch the mean of J over its
                examples, each met before the update it belongs to
    raises    : ValueError, if shapes disagree, a label is outside [0, n_classes), or a count < 1
    """
    N, D = _require_matrix(x)
    require_labels(y, (N,), n_classes, name="y")
    batch_size = N if batch_size is None else batch_size
    _require_at_least_one(epochs=epochs, batch_size=batch_size)
    w, b = np.zeros((D, n_classes), _float_of(x)), np.zeros(n_classes, _float_of(x))
    history = []
    for _ in range(epochs):
        order, total = _order(N, rng), 0.0
        for start in range(0, N, batch_size):
            batch = order[start : start + batch_size]  # the last one may be smaller
            data_loss, dscores = loss(linear_scores(x[batch], w, b), y[batch])
            total += len(batch) * (data_loss + l2 / 2 * (w**2).sum())
            dw = x[batch].T @ dscores + l2 * w  # (D, C)
            db = dscores.sum(axis=0)  # (C,)
            w, b = w - lr * dw, b - lr * db
        history.append(float(total / N))
    return w, b, history


def polynomial_features(x, degree):
    """Every product of at most `degree` features, without the constant, which b supplies.

        (x1, x2), degree 2  ->  (x1, x2, x1 x1, x1 x2, x2 x2)

    A hyperplane among these is a curve among those: the classifier stays linear in w.

    x      : (N, D)
    degree : int, at least 1
    returns: (N, F), F = binomial(D + degree, degree) - 1
    raises : ValueError, if x is not a matrix or degree < 1
    """
    _, D = _require_matrix(x)
    _require_at_least_one(degree=degree)
    columns = [
        x[:, factors].prod(axis=1)
        for n_factors in range(1, degree + 1)
        for factors in map(list, combinations_with_replacement(range(D), n_factors))
    ]
    return np.stack(columns, axis=1)


def rbf_kernel(a, b, gamma):
    """Similarity that falls off with distance, the Gaussian kernel.

        k[i, j] = exp(-gamma |a_i - b_j|^2)

    A linear classifier on k(x, x_train) is one on infinitely many features of x.

    a      : (N, D)
    b      : (M, D)
    gamma  : float > 0, one over the square of a length
    returns: (N, M), in [0, 1]; 1 where rows coincide
    raises : ValueError, if shapes disagree or gamma is not positive
    """
    if not gamma > 0:
        raise ValueError(f"gamma must be positive, got {gamma}")
    return np.exp(-gamma * l2_distances(a, b) ** 2)


def _require_matrix(x):
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"x must be a non-empty (N, D), got shape {x.shape}")
    return x.shape


def _require_at_least_one(**counts):
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
