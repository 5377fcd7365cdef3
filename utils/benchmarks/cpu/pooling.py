"""Pooling, forward and backward, against torch."""

import torch.nn.functional as F

from utils.reference import pooling

from ..timing import Case, against_torch, normal

PEERS = {
    "max": lambda x, *window: F.max_pool2d(x, *window),
    "average": lambda x, *window: F.avg_pool2d(x, *window),
    "l2": lambda x, kernel, stride, _: F.lp_pool2d(x, 2.0, kernel, stride),
}


def pool(rng, dtype, kind, N, C, H, kernel, stride, padding=0):
    forward, backward = pooling.KINDS[kind]
    return against_torch(
        rng,
        normal(rng, dtype, (N, C, H, H)),
        lambda x: forward(x, kernel, stride, padding),
        lambda dout, cache: (backward(dout, cache),),
        lambda x: PEERS[kind](x, kernel, stride, padding),
    )


def global_average(rng, dtype, N, C, H):
    return against_torch(
        rng,
        normal(rng, dtype, (N, C, H, H)),
        pooling.global_average_pool_forward,
        lambda dout, cache: (pooling.global_average_pool_backward(dout, cache),),
        lambda x: x.mean(dim=(2, 3)),
    )


def _pool(kind, name, **sizes):
    sizes = {"kind": kind} | sizes
    return Case(f"{kind} pool", name, "torch", pool, sizes, 2.0, {"N": 2, "H": 9})


CASES = [
    *[
        _pool(kind, name, **sizes)
        for kind in ("max", "average")
        for name, sizes in {
            "2x2, 6 of 28": {"N": 32, "C": 6, "H": 28, "kernel": 2, "stride": 2},
            "2x2, 64 of 32": {"N": 16, "C": 64, "H": 32, "kernel": 2, "stride": 2},
            "3x3 stride 2, 64 of 112": {
                "N": 4, "C": 64, "H": 112, "kernel": 3, "stride": 2, "padding": 1,
            },
            "3x3 stride 1, 32 of 32": {
                "N": 8, "C": 32, "H": 32, "kernel": 3, "stride": 1, "padding": 1,
            },
        }.items()
    ],
    _pool("l2", "2x2, 64 of 32", N=16, C=64, H=32, kernel=2, stride=2),
    _pool("l2", "3x3 stride 2, 64 of 32", N=16, C=64, H=32, kernel=3, stride=2),
    Case("average pool", "global, 512 of 7", "torch", global_average,
         {"N": 32, "C": 512, "H": 7}, 2.0, {"N": 2}),
]  # fmt: skip
