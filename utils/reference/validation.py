"""Data for fitting, data for choosing, data for judging; and where the judged went wrong."""

from itertools import accumulate

import numpy as np

from ._labels import require_labels


def split(n, fractions, rng=None):
    """Cut n examples into parts, for example (0.6, 0.2, 0.2) to train, choose and test.

    n        : int, examples
    fractions: floats that sum to 1; part p ends at the whole number next to n times the sum
               of the first p
    rng      : numpy.random.Generator that shuffles first; None keeps the order
    returns  : tuple of int arrays, the indices of each part; together all n, each once
    raises   : ValueError, if the fractions do not sum to 1 or leave a part without an example
    """
    if abs(sum(fractions) - 1) > 1e-9:
        raise ValueError(f"fractions must sum to 1, got {tuple(fractions)}")
    ends = [round(n * total) for total in accumulate(fractions)]
    parts = np.split(_order(n, rng), ends[:-1])
    sizes = [len(part) for part in parts]
    if 0 in sizes:
        raise ValueError(f"every part must get an example, got sizes {sizes} of {n}")
    return tuple(parts)


def k_fold(n, k, rng=None):
    """Cut n examples into k folds; each is the validation set once, the others train.

    n      : int, examples
    k      : int in [2, n]
    rng    : numpy.random.Generator that shuffles first; None keeps the order
    returns: list of k pairs (train, validation) of int arrays; the first n % k folds have
             n // k + 1 examples, the others n // k
    raises : ValueError, if k is outside [2, n]
    source : Stone, Cross-Validatory Choice and Assessment of Statistical Predictions (1974),
             there with k = n
    """
    if not 2 <= k <= n:
        raise ValueError(f"k must lie in [2, {n}], a fold needs an example, got {k}")
    folds = np.array_split(_order(n, rng), k)
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


def confusion_matrix(y, predicted, n_classes):
    """Count which class was taken for which.

        m[t, p] = number of examples of class t that were predicted to be p

    y        : (N,) int in [0, n_classes), the truth
    predicted: (N,) int in [0, n_classes)
    returns  : (n_classes, n_classes) int, rows true, columns predicted; accuracy = trace / N
    raises   : ValueError, if the shapes disagree or a label is outside [0, n_classes)
    """
    require_labels(y, (len(y),), n_classes, name="y")
    require_labels(predicted, y.shape, n_classes, name="predicted")
    # As intp: uint8 labels would wrap around, and uint64 with int64 makes float64.
    cells = y.astype(np.intp) * n_classes + predicted.astype(np.intp)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def _order(n, rng):
    """0 to n - 1, shuffled if there is an rng."""
    return np.arange(n) if rng is None else rng.permutation(n)
