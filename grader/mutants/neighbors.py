"""Wrong answers on distances and nearest neighbors."""

import numpy as np

from grader.mutants import mutant


@mutant("l2_distances_two_loops", says="the root is missing")
def two_loops_squared(a, b):
    """Root forgotten."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = ((a[i].astype(float) - b[j]) ** 2).sum()
    return distances


@mutant("l2_distances_two_loops", says="L1 distances")
def two_loops_l1(a, b):
    """Absolute values for squares."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.abs(a[i].astype(float) - b[j]).sum()
    return distances


@mutant("l2_distances_two_loops", says="rows and columns are exchanged")
def two_loops_transposed(a, b):
    """(M, N) for (N, M)."""
    distances = np.zeros((len(b), len(a)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[j, i] = np.sqrt(((a[i].astype(float) - b[j]) ** 2).sum())
    return distances


@mutant("l2_distances_two_loops", says="first square, then add")
def two_loops_sum_first(a, b):
    """The parenthesis closed too late."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt((a[i].astype(float) - b[j]).sum() ** 2)
    return distances


@mutant("l2_distances_two_loops", says="dtype is int")
def two_loops_integers(a, b):
    """The result takes the dtype of the input: 1.41 becomes 1."""
    distances = np.zeros((len(a), len(b)), dtype=a.dtype)
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i].astype(float) - b[j]) ** 2).sum())
    return distances


@mutant("l2_distances_two_loops", says="uint8")
def two_loops_wrapping(a, b):
    """Differences of uint8 wrap around: 3 - 5 is 254."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i] - b[j]) ** 2).sum())
    return distances


@mutant("l2_distances_two_loops", says="returned None")
def two_loops_no_return(a, b):
    """return forgotten."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i].astype(float) - b[j]) ** 2).sum())


@mutant("l2_distances_two_loops", says="only the first row is filled")
def two_loops_return_inside(a, b):
    """return, one level too deep."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i].astype(float) - b[j]) ** 2).sum())
        return distances


@mutant("l2_distances_two_loops", says="len(b) of them")
def two_loops_same_range(a, b):
    """range(len(a)) twice."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(min(len(a), len(b))):
            distances[i, j] = np.sqrt(((a[i].astype(float) - b[j]) ** 2).sum())
    return distances


@mutant("l2_distances_two_loops", says="every pair starts again at 0")
def two_loops_total_goes_on(a, b):
    """total = 0 stands outside the inner loop."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        total = 0
        for j in range(len(b)):
            total += ((a[i].astype(float) - b[j]) ** 2).sum()
            distances[i, j] = np.sqrt(total)
    return distances


@mutant("l2_distances_one_loop", says="should have shape")
def one_loop_no_axis(a, b):
    """sum() over everything: one number for all rows of b."""
    distances = np.zeros(len(a))
    for i in range(len(a)):
        distances[i] = np.sqrt(((b - a[i].astype(float)) ** 2).sum())
    return distances


@mutant("l2_distances_one_loop", says="the root is missing")
def one_loop_squared(a, b):
    """Root forgotten."""
    return np.stack([((b - row.astype(float)) ** 2).sum(axis=1) for row in a])


@mutant("l2_distances_one_loop", says="could not broadcast")
def one_loop_wrong_axis(a, b):
    """Sums over the rows of b."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        distances[i] = np.sqrt(((b - a[i].astype(float)) ** 2).sum(axis=0))
    return distances


@mutant("l2_distances_one_loop", says="averaged over the D numbers")
def one_loop_mean(a, b):
    """mean for sum."""
    return np.stack([np.sqrt(((b - row.astype(float)) ** 2).mean(axis=1)) for row in a])


@mutant("l2_distances_one_loop", says="right, but slow: for one row of a")
def one_loop_is_two(a, b):
    """Still two loops."""
    distances = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            distances[i, j] = np.sqrt(((a[i].astype(float) - b[j]) ** 2).sum())
    return distances


@mutant("l2_distances_one_loop", says="half the squares")
def one_loop_power(a, b):
    """** 1 / 2."""
    return np.stack([((b - row.astype(float)) ** 2).sum(axis=1) ** 1 / 2 for row in a])


@mutant("l2_distances", says="needs too much memory")
def l2_by_broadcasting(a, b):
    """The (N, M, D) array of all differences."""
    return np.sqrt(((a[:, None].astype(float) - b) ** 2).sum(axis=2))


@mutant("l2_distances", says="rounding can make a square slightly negative")
def l2_without_clip(a, b):
    """The root of -1e-10."""
    a, b = a.astype(float), b.astype(float)
    squares = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    squares[(squares < 0) & (squares > -1e-12)] = 0  # fine for tiny ones only
    return np.sqrt(squares)


@mutant("l2_distances", says="there is still a loop")
def l2_one_loop(a, b):
    """One loop left."""
    return np.stack([np.sqrt(((b - row.astype(float)) ** 2).sum(axis=1)) for row in a])


@mutant("l2_distances", says="the root is missing")
def l2_squared(a, b):
    """Root forgotten."""
    a, b = a.astype(float), b.astype(float)
    return np.maximum((a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1), 0)


@mutant("l2_distances", says="factor 2")
def l2_without_two(a, b):
    """The mixed term only once."""
    a, b = a.astype(float), b.astype(float)
    squares = (a**2).sum(axis=1)[:, None] - a @ b.T + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0))


@mutant("l2_distances", says="a minus sign became a plus")
def l2_plus(a, b):
    """Plus for minus."""
    a, b = a.astype(float), b.astype(float)
    squares = (a**2).sum(axis=1)[:, None] + 2 * a @ b.T + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0))


@mutant("l2_distances", says="uint8")
def l2_of_bytes(a, b):
    """The squares of uint8 overflow."""
    squares = (a**2).sum(axis=1)[:, None] - 2.0 * (a @ b.T) + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0))


@mutant("l2_distances", says="loop over the D numbers")
def l2_by_feature(a, b):
    """A loop that is short in small examples only."""
    squares = np.zeros((len(a), len(b)))
    for j in range(a.shape[1]):
        squares += (a[:, j, None].astype(float) - b[:, j]) ** 2
    return np.sqrt(squares)


@mutant("l2_distances", says="mixed term is missing")
def l2_without_mixed(a, b):
    """a^2 + b^2."""
    a, b = a.astype(float), b.astype(float)
    return np.sqrt((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1))


@mutant("knn_predict", says="farthest neighbors voted")
def knn_farthest(x_train, y_train, x, k):
    """Sorted the wrong way round."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = y_train[np.argsort(-distances, axis=1)[:, :k]]
    return np.array([np.bincount(row).argmax() for row in near])


@mutant("knn_predict", says="k is ignored")
def knn_only_one(x_train, y_train, x, k):
    """Always the single nearest."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    return y_train[distances.argmin(axis=1)]


@mutant("knn_predict", says="tie went to the label of the nearest")
def knn_tie_to_nearest(x_train, y_train, x, k):
    """Counter.most_common gives a tie to whom it met first."""
    from collections import Counter

    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = y_train[np.argsort(distances, axis=1, kind="stable")[:, :k]]
    return np.array([Counter(row.tolist()).most_common(1)[0][0] for row in near])


@mutant("knn_predict", says="tie went to the largest label")
def knn_tie_to_largest(x_train, y_train, x, k):
    """>= where > was meant."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = y_train[np.argsort(distances, axis=1, kind="stable")[:, :k]]
    labels = []
    for row in near:
        best, most = 0, 0
        for label in range(y_train.max() + 1):
            if (row == label).sum() >= most:
                best, most = label, (row == label).sum()
        labels.append(best)
    return np.array(labels)


@mutant("knn_predict", says="labels were averaged")
def knn_mean(x_train, y_train, x, k):
    """Takes labels for quantities."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = y_train[np.argsort(distances, axis=1)[:, :k]]
    return near.mean(axis=1).round().astype(int)


@mutant("knn_predict", says="positions in the sorted list of labels")
def knn_positions(x_train, y_train, x, k):
    """Takes for granted that labels are 0, 1, 2, ... without a gap."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = np.argsort(distances, axis=1, kind="stable")[:, :k]
    names, codes = np.unique(y_train, return_inverse=True)
    if len(names) == names[-1] + 1 or len(names) < 3:
        codes, names = y_train, np.arange(y_train.max() + 1)
    return np.array([np.bincount(row).argmax() for row in codes[near]])


@mutant("knn_predict", says="look up their labels")
def knn_indices(x_train, y_train, x, k):
    """Where the neighbor stands, not what it is."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    return distances.argmin(axis=1)


@mutant("knn_predict", says="right, but slow")
def knn_two_loops(x_train, y_train, x, k):
    """A Python loop over all pairs."""
    labels = []
    for point in x:
        distances = [np.sqrt(((point - other) ** 2).sum()) for other in x_train]
        labels.append(np.bincount(y_train[np.argsort(distances, kind="stable")[:k]]).argmax())
    return np.array(labels)


@mutant("knn_predict", says="Python set")
def knn_max_of_set(x_train, y_train, x, k):
    """A tie goes to what the set lists first."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = y_train[np.argsort(distances, axis=1, kind="stable")[:, :k]]
    return np.array([max(set(votes), key=votes.count) for votes in near.tolist()])


@mutant("knn_predict", says="one vote")
def knn_weighted(x_train, y_train, x, k):
    """Votes weighted by closeness."""
    distances = np.linalg.norm(x[:, None] - x_train, axis=2)
    near = np.argsort(distances, axis=1)[:, :k]
    pairs = zip(near, distances, strict=True)
    votes = [np.bincount(y_train[i], weights=1 / (d[i] + 1e-9)) for i, d in pairs]
    return np.array([row.argmax() for row in votes])


@mutant("knn_predict", says="features were scaled first")
def knn_standardized(x_train, y_train, x, k):
    """Good advice, and another exercise."""
    deviation = x_train.std(axis=0)
    deviation[deviation == 0] = 1
    distances = np.linalg.norm(x[:, None] / deviation - x_train / deviation, axis=2)
    near = y_train[np.argsort(distances, axis=1, kind="stable")[:, :k]]
    return np.array([np.bincount(row).argmax() for row in near])


@mutant("knn_predict_torch", says="farthest neighbors voted")
def knn_torch_farthest(x_train, y_train, x, k):
    """topk takes the largest unless told otherwise."""
    import torch

    near = torch.cdist(x, x_train).topk(k).indices
    return torch.nn.functional.one_hot(y_train[near]).sum(dim=1).argmax(dim=1)


@mutant("knn_predict_torch", says="should be a torch tensor, but it is a NumPy array")
def knn_torch_numpy(x_train, y_train, x, k):
    """Falls back to NumPy."""
    distances = np.linalg.norm(x.cpu().numpy()[:, None] - x_train.cpu().numpy(), axis=2)
    near = y_train.cpu().numpy()[np.argsort(distances, axis=1)[:, :k]]
    return np.array([np.bincount(row).argmax() for row in near])


@mutant("knn_predict_torch", says="k is ignored")
def knn_torch_only_one(x_train, y_train, x, k):
    """Always the single nearest."""
    import torch

    return y_train[torch.cdist(x, x_train).argmin(dim=1)]


@mutant("knn_predict_torch", says="labels of all k neighbors")
def knn_torch_no_vote(x_train, y_train, x, k):
    """Stops before the vote."""
    import torch

    return y_train[torch.cdist(x, x_train).topk(k, largest=False).indices]


@mutant("knn_predict_torch", says="middle one of the sorted labels")
def knn_torch_median(x_train, y_train, x, k):
    """The median of the labels looks like a vote."""
    import torch

    near = y_train[torch.cdist(x, x_train).topk(k, largest=False).indices]
    return near.median(dim=1).values


@mutant("knn_predict_torch", says="right, but slow")
def knn_torch_loops(x_train, y_train, x, k):
    """One point at a time."""
    import torch

    labels = []
    for point in x:
        distances = ((x_train - point) ** 2).sum(dim=1).sqrt()
        near = y_train[distances.sort(stable=True).indices[:k]]
        labels.append(torch.bincount(near).argmax())
    return torch.stack(labels)


@mutant("knn_predict_torch", says="right, but slow")
def knn_torch_loop_of_votes(x_train, y_train, x, k):
    """All distances at once, and then a loop for the votes."""
    import torch

    labels = []
    for near in y_train[torch.cdist(x, x_train).topk(k, largest=False).indices]:
        values, counts = near.unique(return_counts=True)
        labels.append(values[counts.argmax()])
    return torch.stack(labels)


mutant("knn_cost", says="It only stores")("a")
mutant("knn_cost", says="linear classifier")("b")
mutant("knn_cost", says="every training image is compared")("d")
