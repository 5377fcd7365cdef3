"""Nearest neighbors: to learn is to store, to predict is to look up."""

import numpy as np

from ._labels import require_labels


def l1_distances(a, b):
    """Sum of absolute differences (Manhattan) between each row of a and each row of b.

        d[i, j] = sum over f of |a[i, f] - b[j, f]|

    a      : (N, D)
    b      : (M, D)
    returns: (N, M), in the unit of the features
    raises : ValueError, if a and b are not matrices with equally many columns
    """
    a, b = _as_rows(a, b)
    distances = np.empty((len(a), len(b)))
    for i, row in enumerate(a):
        distances[i] = np.abs(b - row).sum(axis=1)  # (M, D) -> (M,)
    return distances


def l2_distances_two_loops(a, b):
    """Euclidean distance between each row of a and each row of b, as the definition reads.

        d[i, j] = sqrt(sum over f of (a[i, f] - b[j, f])^2)

    a      : (N, D)
    b      : (M, D)
    returns: (N, M), in the unit of the features
    raises : ValueError, if a and b are not matrices with equally many columns
    """
    a, b = _as_rows(a, b)
    distances = np.empty((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i] - b[j]) ** 2).sum())
    return distances


def l2_distances_one_loop(a, b):
    """The same distances as l2_distances_two_loops, one row of a against all of b at a time.

    Broadcasting (M, D) - (D,) takes the place of the inner loop; memory for one (M, D) array.
    """
    a, b = _as_rows(a, b)
    distances = np.empty((len(a), len(b)))
    for i, row in enumerate(a):
        distances[i] = np.sqrt(((b - row) ** 2).sum(axis=1))  # (M, D) -> (M,)
    return distances


def l2_distances(a, b):
    """The same distances as l2_distances_two_loops without a loop: one matrix product.

        |a_i - b_j|^2 = |a_i|^2 + |b_j|^2 - 2 a_i . b_j

    Nothing larger than (N, M) is stored. The price is cancellation: where two rows nearly
    coincide, large squares are subtracted and the distance is off by up to about 1e-8 |a_i|.
    """
    a, b = _as_rows(a, b)
    squared = a @ (-2 * b.T)  # (N, M), and then in place: a new array takes as long as the sum
    squared += np.vecdot(a, a)[:, None]  # |a_i|^2, (N, 1)
    squared += np.vecdot(b, b)  # |b_j|^2, (M,)
    np.maximum(squared, 0, out=squared)  # rounding can leave -1e-16, whose root is nan
    return np.sqrt(squared, out=squared)


METRICS = {"l1": l1_distances, "l2": l2_distances}


def nearest(distances, k):
    """Which k columns are nearest to each row.

    distances: (N, M), without nan
    k        : int in [1, M]
    returns  : (N, k) int, nearest first, equal distances in the order of their index
    raises   : ValueError, if k is outside [1, M] or a distance is nan
    """
    M = distances.shape[1]
    if not 1 <= k <= M:
        raise ValueError(f"k must lie in [1, {M}], the number of neighbors there are, got {k}")
    if np.isnan(distances).any():
        raise ValueError("distances must be numbers, got nan: fill missing values first")
    return np.argsort(distances, axis=1, kind="stable")[:, :k]  # stable: ties keep their order


def vote(neighbor_labels, n_classes, weights=None):
    """The class with most votes in each row.

        prediction[i] = argmax over c of the sum of weights[i, j] where neighbor_labels[i, j] = c

    neighbor_labels: (N, k) int in [0, n_classes)
    weights        : (N, k), what each vote counts; None counts every vote as 1
    returns        : (N,) int, the smallest label where classes tie
    raises         : ValueError, if a label is outside [0, n_classes) or the shapes disagree
    """
    if neighbor_labels.ndim != 2:
        raise ValueError(f"neighbor_labels must be (N, k), got shape {neighbor_labels.shape}")
    require_labels(neighbor_labels, neighbor_labels.shape, n_classes, name="neighbor_labels")
    if weights is None:
        weights = np.ones(neighbor_labels.shape)
    if weights.shape != neighbor_labels.shape:
        raise ValueError(f"weights must be {neighbor_labels.shape}, got shape {weights.shape}")
    N, k = neighbor_labels.shape
    rows, votes = np.arange(N), np.zeros((N, n_classes))
    for j in range(k):  # one neighbor of everybody at a time: no (row, class) occurs twice
        votes[rows, neighbor_labels[:, j]] += weights[:, j]
    return votes.argmax(axis=1)  # the first maximum is the smallest label


def knn_predict(x_train, y_train, x, k=1, metric="l2", weighting="uniform"):
    """Label each row of x by the vote of its k nearest training examples.

    x_train  : (M, D)
    y_train  : (M,) int >= 0
    x        : (N, D)
    k        : int in [1, M]
    metric   : "l2" or "l1"
    weighting: "uniform", each neighbor one vote; or "distance", 1/d votes each, and where a
               neighbor coincides with the query, d = 0, only such neighbors vote
    returns  : (N,) int; equal distances prefer the lower index, equal votes the smallest label
    raises   : ValueError, if shapes disagree, k is outside [1, M], or a name is unknown
    source   : Fix and Hodges (1951); Cover and Hart (1967); weighted votes, Dudani (1976)

    Training costs nothing and one prediction M D operations: the wrong way round for most uses.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {sorted(METRICS)}, got {metric!r}")
    if weighting not in ("uniform", "distance"):
        raise ValueError(f"weighting must be 'uniform' or 'distance', got {weighting!r}")
    distances = METRICS[metric](x, x_train)  # (N, M)
    neighbors = nearest(distances, k)  # (N, k)
    n_classes = int(y_train.max(initial=0)) + 1
    require_labels(y_train, (len(x_train),), n_classes, name="y_train")
    weights = None
    if weighting == "distance":
        weights = _closeness(np.take_along_axis(distances, neighbors, axis=1))
    return vote(y_train[neighbors], n_classes, weights)


def _closeness(distances):
    """1/d, or, in rows where some d is 0, one for each such d and zero for the others."""
    coincides = distances == 0
    inverse = 1 / np.where(coincides, 1, distances)
    return np.where(coincides.any(axis=1, keepdims=True), coincides, inverse)


def _as_rows(a, b):
    """a and b in float64 (differences of uint8 pixels would wrap around), once their shapes fit."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"a and b must be (N, D) and (M, D), got {a.shape} and {b.shape}")
    return a, b
