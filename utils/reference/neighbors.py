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
    distances = np.empty((len(a), len(b)), a.dtype)
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
    distances = np.empty((len(a), len(b)), a.dtype)
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i] - b[j]) ** 2).sum())
    return distances


def l2_distances_one_loop(a, b):
    """The same distances as l2_distances_two_loops, one row of a against all of b at a time.

    Broadcasting (M, D) - (D,) takes the place of the inner loop; memory for one (M, D) array.
    """
    a, b = _as_rows(a, b)
    distances = np.empty((len(a), len(b)), a.dtype)
    for i, row in enumerate(a):
        distances[i] = np.sqrt(((b - row) ** 2).sum(axis=1))  # (M, D) -> (M,)
    return distances


def l2_distances(a, b):
    """The same distances as l2_distances_two_loops without a loop: one matrix product.

        |a_i - b_j|^2 = |a_i|^2 + |b_j|^2 - 2 a_i . b_j

    Nothing larger than (N, M) is stored. The price is cancellation: where two rows nearly
    coincide, large squares are subtracted and the distance is off by up to about 1e-8 |a_i|,
    in float32 1e-3 |a_i|.
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

    Sorting all M would take most of the time: only those up to the k-th distance are sorted.

    distances: (N, M), without nan
    k        : int in [1, M]
    returns  : (N, k) int, nearest first, equal distances in the order of their index
    raises   : ValueError, if k is outside [1, M] or a distance is nan
    """
    _require_k(k, distances.shape[1])
    if np.isnan(distances).any():
        raise ValueError("distances must be numbers, got nan: fill missing values first")
    kth = np.partition(distances, k - 1, axis=1)[:, k - 1, None]  # (N, 1)
    rows, columns = (distances <= kth).nonzero()  # k in every row, more where others tie with kth
    order = np.lexsort((distances[rows, columns], rows))  # row by row; ties keep their order
    start = np.searchsorted(rows, np.arange(len(distances)))[:, None]  # (N, 1)
    return columns[order][start + np.arange(k)]


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
    The queries are met 256 at a time, so that (256, M) distances are all that is ever held.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {sorted(METRICS)}, got {metric!r}")
    if weighting not in ("uniform", "distance"):
        raise ValueError(f"weighting must be 'uniform' or 'distance', got {weighting!r}")
    x, x_train = _as_rows(x, x_train)
    _require_k(k, len(x_train))
    n_classes = int(y_train.max(initial=0)) + 1
    require_labels(y_train, (len(x_train),), n_classes, name="y_train")
    predictions = []
    for start in range(0, len(x), 256):
        distances = METRICS[metric](x[start : start + 256], x_train)  # (256, M)
        neighbors = nearest(distances, k)  # (256, k)
        weights = None
        if weighting == "distance":
            weights = _closeness(np.take_along_axis(distances, neighbors, axis=1))
        predictions.append(vote(y_train[neighbors], n_classes, weights))
    return np.concatenate(predictions) if predictions else np.empty(0, int)


def _closeness(distances):
    """1/d, or, in rows where some d is 0, one for each such d and zero for the others."""
    coincides = distances == 0
    inverse = 1 / np.where(coincides, 1, distances)
    return np.where(coincides.any(axis=1, keepdims=True), coincides, inverse)


def _require_k(k, M):
    if not 1 <= k <= M:
        raise ValueError(f"k must lie in [1, {M}], the number of neighbors there are, got {k}")


def _as_rows(a, b):
    """a and b in float64 (differences of uint8 pixels would wrap around), once their shapes fit.

    float32 stays where both are.
    """
    dtype = np.float32 if np.result_type(a, b) == np.float32 else np.float64
    a, b = np.asarray(a, dtype=dtype), np.asarray(b, dtype=dtype)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"a and b must be (N, D) and (M, D), got {a.shape} and {b.shape}")
    return a, b
