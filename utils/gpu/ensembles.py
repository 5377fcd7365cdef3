"""Many models instead of one. Torch twin of utils.reference.ensembles."""

import math

import torch

from ._labels import require_labels


def bootstrap_indices(n, generator):
    """Torch twin of utils.reference.ensembles.bootstrap_indices.

    Differs: indices live on the generator's device.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return torch.randint(n, (n,), generator=generator, device=generator.device)


def bootstrap_share(n):
    """Torch twin of utils.reference.ensembles.bootstrap_share, a Python float."""
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return 1.0 if n == 1 else -math.expm1(n * math.log1p(-1 / n))


def vote(predicted, n_classes, weights=None):
    """Torch twin of utils.reference.ensembles.vote."""
    if predicted.ndim != 2:
        raise ValueError(
            f"predicted must be (M, N), one row per model, got {tuple(predicted.shape)}"
        )
    require_labels(predicted, predicted.shape, name="predicted")
    M, N = predicted.shape
    weights = torch.ones(M, device=predicted.device) if weights is None else weights
    if weights.shape != (M,):
        raise ValueError(f"weights must be ({M},), one per model, got {tuple(weights.shape)}")
    votes = weights.new_zeros(n_classes, N)
    return votes.scatter_add(0, predicted, weights[:, None].expand(M, N)).argmax(dim=0)


def boosting_round(weights, wrong, n_classes=2):
    """Torch twin of utils.reference.ensembles.boosting_round.

    Differs: alpha is a 0-dimensional tensor, and the error is not looked at: where it is 0, alpha
    is infinite; where the model is no better than guessing, alpha is not positive.
    """
    if weights.ndim != 1 or wrong.shape != weights.shape:
        raise ValueError(
            f"weights and wrong must be (N,), got {tuple(weights.shape)} and {tuple(wrong.shape)}"
        )
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2, got {n_classes}")
    wrong = wrong.bool()
    error = weights.where(wrong, 0).sum() / weights.sum()
    alpha = torch.log((1 - error) / error) + math.log(n_classes - 1)
    weights = torch.where(wrong, alpha.exp(), 1) * weights
    return alpha, weights / weights.sum()


def predict_or_reject(probabilities, threshold):
    """Torch twin of utils.reference.ensembles.predict_or_reject."""
    _require_probabilities(probabilities)
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
    certainty, best = probabilities.max(dim=1)
    return best.where(certainty >= threshold, -1)


def rejection_curve(probabilities, labels):
    """Torch twin of utils.reference.ensembles.rejection_curve."""
    _require_probabilities(probabilities)
    N, _ = probabilities.shape
    require_labels(labels, (N,))
    certainty, best = probabilities.max(dim=1)
    wrong = (best != labels)[certainty.argsort(stable=True)]
    errors_left = wrong.flip(0).cumsum(0).flip(0)
    before = torch.arange(N, dtype=probabilities.dtype, device=probabilities.device)
    return before / N, errors_left / (N - before)


def _require_probabilities(probabilities):
    if probabilities.ndim != 2 or probabilities.shape[1] == 0:
        raise ValueError(
            f"probabilities must be (N, C) with C at least 1, got {tuple(probabilities.shape)}"
        )
