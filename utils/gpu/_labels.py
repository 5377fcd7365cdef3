"""What may stand for a class. Torch twin of utils.reference._labels, without looking at values."""

import torch


def require_labels(labels, shape, name="labels"):
    """Raise ValueError unless labels are int64 of this shape, at least one."""
    if labels.shape != shape or labels.numel() == 0 or labels.dtype != torch.int64:
        raise ValueError(
            f"{name} must be a non-empty {tuple(shape)} tensor of int64, "
            f"got {labels.dtype} of shape {tuple(labels.shape)}"
        )


def require_signs(signs, shape, name="signs"):
    """Raise ValueError unless signs are of this shape, at least one."""
    if signs.shape != shape or signs.numel() == 0:
        raise ValueError(
            f"{name} must be a non-empty {tuple(shape)} tensor of -1 and +1, "
            f"got shape {tuple(signs.shape)}"
        )
