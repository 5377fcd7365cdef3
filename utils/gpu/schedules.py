"""The learning rate as a function of time. Torch twin of utils.reference.schedules.

Differs: t is one number and the rate a Python float. It is the CPU that counts steps; a rate on
the device would have to be fetched, or launched as a kernel, to no gain.
"""

import math
from bisect import bisect_right
from itertools import pairwise


def step(t, lr, factor=0.5, every=5):
    """Torch twin of utils.reference.schedules.step."""
    _require(t, factor=factor, every=every)
    return lr * factor ** (t // every)


def piecewise(t, boundaries, values):
    """Torch twin of utils.reference.schedules.piecewise."""
    _require(t)
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"values must be one more than the {len(boundaries)} boundaries, got {len(values)}"
        )
    if any(b <= a for a, b in pairwise(boundaries)):
        raise ValueError(f"boundaries must ascend, got {list(boundaries)}")
    return values[bisect_right(boundaries, t)]


def power(t, lr, s, c=1.0):
    """Torch twin of utils.reference.schedules.power."""
    _require(t, s=s, c=c)
    return lr / (1 + t / s) ** c


def exponential(t, lr, s):
    """Torch twin of utils.reference.schedules.exponential."""
    _require(t, s=s)
    return lr * 0.1 ** (t / s)


def cosine(t, lr, n_steps, lr_min=0.0):
    """Torch twin of utils.reference.schedules.cosine."""
    _require(t, n_steps=n_steps)
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * min(t / n_steps, 1))) / 2


def one_cycle(t, lr, n_steps, rise=0.45, ratio=10.0, final_ratio=100.0):
    """Torch twin of utils.reference.schedules.one_cycle."""
    _require(t, n_steps=n_steps, ratio=ratio, final_ratio=final_ratio)
    if not (0 < rise <= 0.5 and rise * n_steps > 1):
        raise ValueError(
            f"rise must lie in (0, 0.5] and give more than one step, got {rise} of {n_steps} steps"
        )
    top = rise * n_steps - 1
    low, end = lr / ratio, lr / ratio / final_ratio
    if t < 2 * top:
        return lr - (lr - low) * abs(t - top) / top
    left = (n_steps - 1 - t) / (n_steps - 1 - 2 * top)
    return end + (low - end) * max(left, 0)


def warm_up(t, lr, n_steps):
    """Torch twin of utils.reference.schedules.warm_up."""
    _require(t, n_steps=n_steps)
    return lr * min(1, (t + 1) / n_steps)


def reduce_on_plateau(losses, lr, factor=0.1, patience=10, lr_min=1e-6, threshold=1e-4):
    """Torch twin of utils.reference.schedules.reduce_on_plateau."""
    if not 0 < factor < 1:
        raise ValueError(f"factor must lie in (0, 1), got {factor}")
    if not patience >= 0:
        raise ValueError(f"patience must be at least 0, got {patience}")
    best, n_bad = math.inf, 0
    for loss in losses:
        if loss < (1 - threshold) * best:
            best, n_bad = loss, 0
        else:
            n_bad += 1
        if n_bad > patience:
            lr, n_bad = min(lr, max(factor * lr, lr_min)), 0
    return lr


def _require(t, **positive):
    if not t >= 0:
        raise ValueError(f"t must be at least 0, got {t}")
    for name, value in positive.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")
