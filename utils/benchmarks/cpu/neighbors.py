"""k nearest neighbors against scikit-learn's brute force, distances against scipy's."""

from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from utils.reference import neighbors

from ..timing import Case, Side, normal


def knn(rng, dtype, N, M, D, k):
    x_train, x = normal(rng, dtype, (M, D), (N, D))
    labels = rng.integers(0, 10, M)
    peer = KNeighborsClassifier(k, algorithm="brute", n_jobs=1).fit(x_train, labels)
    return Side(lambda: neighbors.knn_predict(x_train, labels, x, k)), Side(lambda: peer.predict(x))


def distances(rng, dtype, metric, N, M, D):
    a, b = normal(rng, dtype, (N, D), (M, D))
    ours, peer = neighbors.METRICS[metric], {"l2": "euclidean", "l1": "cityblock"}[metric]
    return Side(lambda: ours(a, b)), Side(lambda: cdist(a, b, peer))


def _knn(name, **sizes):
    return Case("kNN", name, "scikit-learn", knn, sizes, 1.0, {"N": 20, "M": 30})


def _distances(metric, **sizes):
    name = "{N} by {M} by {D}".format(**sizes)
    sizes = {"metric": metric} | sizes
    tiny = {"N": 4, "M": 5}
    return Case(f"{metric} distances", name, "scipy", distances, sizes, 1.0, tiny)


CASES = [
    _knn("k = 5, 5,000 by 5,000 by 784", N=5000, M=5000, D=784, k=5),
    _knn("k = 5, 500 by 5,000 by 64", N=500, M=5000, D=64, k=5),
    _knn("k = 1, 100 by 300 by 2", N=100, M=300, D=2, k=1),
    *[
        _distances(metric, **sizes)
        for metric in ("l2", "l1")
        for sizes in (
            {"N": 100, "M": 300, "D": 2}, {"N": 500, "M": 500, "D": 64},
            {"N": 1000, "M": 1000, "D": 784},
        )
    ],
]  # fmt: skip
