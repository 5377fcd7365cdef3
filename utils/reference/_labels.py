"""What may stand for a class: an int in [0, n_classes), or a sign."""

import numpy as np


def require_labels(labels, shape, n_classes, name="labels"):
    """Raise ValueError unless labels are ints of this shape, at least one, in [0, n_classes)."""
    wanted = f"{name} must be a non-empty {shape} array of ints in [0, {n_classes})"
    if labels.shape != shape or labels.size == 0 or labels.dtype.kind not in "iu":
        raise ValueError(f"{wanted}, got {labels.dtype} of shape {labels.shape}")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"{wanted}, got {labels.min()} to {labels.max()}")


def require_signs(signs, shape, name="signs"):
    """Raise ValueError unless signs are of this shape, at least one, each -1 or +1."""
    wanted = f"{name} must be a non-empty {shape} array of -1 and +1"
    if signs.shape != shape or signs.size == 0:
        raise ValueError(f"{wanted}, got shape {signs.shape}")
    if (np.abs(signs) != 1).any():
        raise ValueError(f"{wanted}, got the values {np.unique(signs)[:5]}")
