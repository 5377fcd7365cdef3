"""Batch norm and layer norm, forward and backward, against torch."""

import torch.nn.functional as F

from utils.reference import normalization

from ..timing import Case, against_torch, normal


def batch_norm(rng, dtype, shape):
    x, gamma, beta = normal(rng, dtype, shape, shape[1], shape[1])
    return against_torch(
        rng,
        [x, gamma, beta],
        normalization.batch_norm_forward,
        normalization.batch_norm_backward,
        lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True),
    )


def layer_norm(rng, dtype, shape):
    x, gamma, beta = normal(rng, dtype, shape, shape[-1], shape[-1])
    return against_torch(
        rng,
        [x, gamma, beta],
        normalization.layer_norm_forward,
        normalization.layer_norm_backward,
        lambda x, gamma, beta: F.layer_norm(x, shape[-1:], gamma, beta),
    )


def _batch(name, *shape):
    return Case("batch norm", name, "torch", batch_norm, {"shape": shape}, 1.5, _TINY[len(shape)])


def _layer(name, *shape):
    return Case("layer norm", name, "torch", layer_norm, {"shape": shape}, 3.0, _TINY[len(shape)])


_TINY = {2: {"shape": (5, 4)}, 3: {"shape": (2, 3, 4)}, 4: {"shape": (2, 3, 4, 5)}}

CASES = [
    _batch("64 by 100", 64, 100),
    _batch("256 by 1024", 256, 1024),
    _batch("images, 64 of 32", 16, 64, 32, 32),
    _batch("images, 256 of 8", 32, 256, 8, 8),
    _batch("images, 64 of 112", 4, 64, 112, 112),
    _layer("64 by 100", 64, 100),
    _layer("8 by 128 by 768", 8, 128, 768),
    _layer("16 by 256 by 64", 16, 256, 64),
]
