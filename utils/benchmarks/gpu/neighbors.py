"""The k nearest neighbors against torch.cdist and topk, which breaks ties as it likes."""

import torch

from utils.gpu.neighbors import l2_distances, nearest

from ..timing import Case, Side
from .device import tensors


def knn(rng, dtype, device, N, M, D, k):
    x, x_train = tensors(rng, dtype, device, (N, D), (M, D))

    def distances(columns):
        return torch.cdist(x, x_train).gather(1, columns)

    return (
        Side(lambda: nearest(l2_distances(x, x_train), k), results=distances),
        Side(lambda: torch.cdist(x, x_train).topk(k, largest=False).indices, results=distances),
    )


CASES = [
    Case(
        "kNN", "k = {k}, {N} by {M} by {D}".format(**sizes), "cdist and topk", knn, sizes, 1.05,
        {"N": 4, "M": 6}, ("float32",),
    )
    for sizes in (
        {"N": 5000, "M": 5000, "D": 784, "k": 5},
        {"N": 10000, "M": 60000, "D": 784, "k": 5},
    )
]  # fmt: skip
