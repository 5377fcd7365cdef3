"""From scores to probabilities. Torch twin of utils.reference.activations.

Torch's own kernels subtract the maximum too: they are as safe as the reference, in one pass.
"""

import torch


def sigmoid(x, steepness=1.0):
    """Torch twin of utils.reference.activations.sigmoid."""
    return torch.sigmoid(steepness * x)


def softmax(scores):
    """Torch twin of utils.reference.activations.softmax."""
    _require_classes(scores)
    return torch.softmax(scores, dim=-1)


def log_softmax(scores):
    """Torch twin of utils.reference.activations.log_softmax."""
    _require_classes(scores)
    return torch.log_softmax(scores, dim=-1)


def log_sum_exp(scores):
    """Torch twin of utils.reference.activations.log_sum_exp."""
    _require_classes(scores)
    return torch.logsumexp(scores, dim=-1)


def _require_classes(scores):
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(
            f"scores must be (..., C) with C at least 1, got shape {tuple(scores.shape)}"
        )
