"""Is the gradient right? Torch twin of utils.reference.gradient_check.

It checks autograd itself, or a torch.autograd.Function of one's own.
"""

from itertools import product

import torch


@torch.no_grad()
def numeric_gradient(f, x, step=1e-6):
    """Torch twin of utils.reference.gradient_check.numeric_gradient.

    Differs: f returns a 0-dimensional tensor and runs without autograd.
    """
    _require_checkable(f, x, step)
    probe, gradient = x.clone(), torch.empty_like(x)
    for place in product(*map(range, x.shape)):
        gradient[place] = _slope(f, probe, place, step)
    return gradient


@torch.no_grad()
def numeric_gradient_at(f, x, indices, step=1e-6):
    """Torch twin of utils.reference.gradient_check.numeric_gradient_at.

    Differs: f returns a 0-dimensional tensor and runs without autograd.
    """
    _require_checkable(f, x, step)
    if not isinstance(indices, tuple) or len(indices) != x.ndim:
        raise ValueError(f"indices must be a tuple of {x.ndim} index tensors, got {indices!r}")
    probe = x.clone()
    places = zip(*(index.tolist() for index in indices), strict=True)
    return torch.stack([_slope(f, probe, place, step) for place in places])


def relative_error(a, b):
    """Torch twin of utils.reference.gradient_check.relative_error.

    Differs: returns a 0-dimensional tensor.
    """
    if a.shape != b.shape or a.numel() == 0:
        raise ValueError(
            f"a and b must be non-empty of one shape, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    scale = torch.maximum(a.abs(), b.abs()).clamp(min=1e-8)
    return ((a - b).abs() / scale).max()


def verdict(error):
    """Torch twin of utils.reference.gradient_check.verdict."""
    if error <= 1e-7:
        return "The two gradients agree."
    if error <= 1e-4:
        return "Fine if the function has kinks; if it is smooth, still too much."
    if error <= 1e-2:
        return "Suspicious: look for a mistake."
    return "The gradient is probably wrong."  # nan comes here too


def _slope(f, probe, place, step):
    """Centered difference along one entry of probe, which is put back as it was."""
    middle = probe[place].clone()  # indexing gives a view, which would move along
    probe[place] = middle + step
    above = f(probe)
    probe[place] = middle - step
    below = f(probe)
    probe[place] = middle
    return (above - below) / (2 * step)


def _require_checkable(f, x, step):
    if x.dtype != torch.float64:
        raise ValueError(f"x must be float64, whose digits a difference needs, got {x.dtype}")
    if not step > 0:
        raise ValueError(f"step must be positive, got {step}")
    value = f(x.clone())
    if not isinstance(value, torch.Tensor) or value.ndim != 0:
        raise ValueError(f"f must return a 0-dimensional tensor, got {type(value).__name__}")
