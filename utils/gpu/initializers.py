"""First weights. Torch twin of utils.reference.initializers.

Differs: weights come in torch's default dtype, on the device of the generator.
"""

import math

import torch


def fans(shape):
    """Torch twin of utils.reference.initializers.fans."""
    if len(shape) not in (2, 4) or min(shape) < 1:
        raise ValueError(
            f"shape must be (D_in, D_out) or (F, C, kH, kW), sides at least 1, got {tuple(shape)}"
        )
    if len(shape) == 2:
        return tuple(shape)
    F, C, kH, kW = shape
    return C * kH * kW, F * kH * kW


def lecun_normal(shape, generator):
    """Torch twin of utils.reference.initializers.lecun_normal."""
    fan_in, _ = fans(shape)
    return _normal(math.sqrt(1 / fan_in), shape, generator)


def lecun_uniform(shape, generator):
    """Torch twin of utils.reference.initializers.lecun_uniform."""
    fan_in, _ = fans(shape)
    return _uniform(math.sqrt(3 / fan_in), shape, generator)


def glorot_normal(shape, generator):
    """Torch twin of utils.reference.initializers.glorot_normal."""
    return _normal(math.sqrt(2 / sum(fans(shape))), shape, generator)


def glorot_uniform(shape, generator):
    """Torch twin of utils.reference.initializers.glorot_uniform."""
    return _uniform(math.sqrt(6 / sum(fans(shape))), shape, generator)


def he_normal(shape, generator):
    """Torch twin of utils.reference.initializers.he_normal."""
    fan_in, _ = fans(shape)
    return _normal(math.sqrt(2 / fan_in), shape, generator)


def he_uniform(shape, generator):
    """Torch twin of utils.reference.initializers.he_uniform."""
    fan_in, _ = fans(shape)
    return _uniform(math.sqrt(6 / fan_in), shape, generator)


def orthogonal(shape, generator, gain=1.0):
    """Torch twin of utils.reference.initializers.orthogonal."""
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    long, short = max(rows, columns), min(rows, columns)
    q, r = torch.linalg.qr(_normal(1, (long, short), generator))
    q = q * r.diagonal().sign()
    return gain * (q if rows >= columns else q.T).reshape(shape)


def _normal(std, shape, generator):
    return std * torch.randn(shape, generator=generator, device=generator.device)


def _uniform(limit, shape, generator):
    return limit * (2 * torch.rand(shape, generator=generator, device=generator.device) - 1)
