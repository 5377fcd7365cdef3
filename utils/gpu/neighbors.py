"""Nearest neighbors. Torch twin of utils.reference.neighbors."""

import torch

from ._labels import require_labels


def l1_distances(a, b):
    """Torch twin of utils.reference.neighbors.l1_distances, in one kernel."""
    _require_rows(a, b)
    return torch.cdist(a, b, p=1)


def l2_distances_two_loops(a, b):
    """Torch twin of utils.reference.neighbors.l2_distances_two_loops.

    To be read, not run: on a GPU every one of the N M distances costs the start of a kernel.
    """
    _require_rows(a, b)
    distances = [torch.linalg.vector_norm(a_i - b_j) for a_i in a for b_j in b]
    return torch.stack(distances).view(len(a), len(b))


def l2_distances_one_loop(a, b):
    """Torch twin of utils.reference.neighbors.l2_distances_one_loop."""
    _require_rows(a, b)
    return torch.stack([torch.linalg.vector_norm(b - row, dim=1) for row in a])


def l2_distances(a, b):
    """Torch twin of utils.reference.neighbors.l2_distances.

    Differs: torch.cdist takes the matrix product only beyond 25 rows, and below that the plain
    differences, which lose nothing where rows coincide. In float32 the product leaves errors up
    to about 1e-3 |a_i| there. The gradient of a distance 0 is given as 0.
    """
    _require_rows(a, b)
    return torch.cdist(a, b)


_DISTANCES_AT_ONCE = 2**25  # they fill a GPU, but not its memory

METRICS = {"l1": l1_distances, "l2": l2_distances}


def nearest(distances, k):
    """Torch twin of utils.reference.neighbors.nearest.

    Differs: finds the k nearest first and sorts only those, several times faster than sorting
    all M. torch.topk alone is not enough, it breaks ties as it likes: where more than k are as
    near as the k-th, the lowest indices at that distance fill the places left. The CPU waits
    once, to learn which rows those are.
    """
    _require_k(k, distances.shape[1])
    values, columns = distances.topk(k, dim=1, largest=False)  # (N, k)
    crowded = ((distances <= values[:, -1:]).sum(dim=1) > k).nonzero()[:, 0]  # rows, mostly none
    if len(crowded):
        columns[crowded] = _first_nearest(distances[crowded], values[crowded, -1:], k)
    columns = columns.sort(dim=1).values
    order = distances.gather(1, columns).argsort(dim=1, stable=True)
    return columns.gather(1, order)


def vote(neighbor_labels, n_classes, weights=None):
    """Torch twin of utils.reference.neighbors.vote.

    One neighbor at a time here too: scatter_add_ on a GPU adds in any order, and rounding would
    then decide ties between weighted votes.
    """
    if neighbor_labels.ndim != 2:
        raise ValueError(
            f"neighbor_labels must be (N, k), got shape {tuple(neighbor_labels.shape)}"
        )
    require_labels(neighbor_labels, neighbor_labels.shape, name="neighbor_labels")
    if weights is None:
        weights = torch.ones_like(neighbor_labels)
    if weights.shape != neighbor_labels.shape:
        raise ValueError(
            f"weights must be {tuple(neighbor_labels.shape)}, got shape {tuple(weights.shape)}"
        )
    N, k = neighbor_labels.shape
    rows = torch.arange(N, device=neighbor_labels.device)
    votes = weights.new_zeros(N, n_classes)
    for j in range(k):
        votes[rows, neighbor_labels[:, j]] += weights[:, j]
    return votes.argmax(dim=1)  # the first maximum is the smallest label


def knn_predict(x_train, y_train, x, k=1, metric="l2", weighting="uniform"):
    """Torch twin of utils.reference.neighbors.knn_predict.

    Differs: meets as many queries at a time as make 2^25 distances.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {sorted(METRICS)}, got {metric!r}")
    if weighting not in ("uniform", "distance"):
        raise ValueError(f"weighting must be 'uniform' or 'distance', got {weighting!r}")
    _require_rows(x, x_train)
    _require_k(k, len(x_train))
    require_labels(y_train, x_train.shape[:1], name="y_train")
    n_classes = int(y_train.max()) + 1
    predictions = []
    n_queries = max(1, _DISTANCES_AT_ONCE // len(x_train))
    for start in range(0, len(x), n_queries):
        distances = METRICS[metric](x[start : start + n_queries], x_train)
        neighbors = nearest(distances, k)
        weights = _closeness(distances.gather(1, neighbors)) if weighting == "distance" else None
        predictions.append(vote(y_train[neighbors], n_classes, weights))
    return torch.cat(predictions) if predictions else y_train.new_empty(0)


def _first_nearest(distances, kth, k):
    """All columns nearer than kth, (N, 1), and as many of the first ones as near as make k."""
    nearer, tied = distances < kth, distances == kth  # (N, M)
    places = k - nearer.sum(dim=1, keepdim=True)  # (N, 1), at least 1
    kept = nearer | (tied & (tied.cumsum(dim=1) <= places))  # k in every row
    return kept.nonzero()[:, 1].view(-1, k)


def _closeness(distances):
    """1/d, or, in rows where some d is 0, one for each such d and zero for the others."""
    coincides = distances == 0
    return torch.where(coincides.any(dim=1, keepdim=True), coincides.to(distances), 1 / distances)


def _require_k(k, M):
    if not 1 <= k <= M:
        raise ValueError(f"k must lie in [1, {M}], the number of neighbors there are, got {k}")


def _require_rows(a, b):
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"a and b must be (N, D) and (M, D), got {tuple(a.shape)} and {tuple(b.shape)}"
        )
