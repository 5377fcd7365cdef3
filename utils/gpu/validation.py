"""Data for fitting, choosing and judging. Torch twin of utils.reference.validation.

Differs: indices are int64 tensors on the generator's device, on the CPU without one.
"""

from itertools import accumulate

import torch

from ._labels import require_labels


def split(n, fractions, generator=None):
    """Torch twin of utils.reference.validation.split."""
    if abs(sum(fractions) - 1) > 1e-9:
        raise ValueError(f"fractions must sum to 1, got {tuple(fractions)}")
    ends = [round(n * total) for total in accumulate(fractions)]
    parts = _order(n, generator).tensor_split(ends[:-1])
    sizes = [len(part) for part in parts]
    if 0 in sizes:
        raise ValueError(f"every part must get an example, got sizes {sizes} of {n}")
    return tuple(parts)


def k_fold(n, k, generator=None):
    """Torch twin of utils.reference.validation.k_fold."""
    if not 2 <= k <= n:
        raise ValueError(f"k must lie in [2, {n}], a fold needs an example, got {k}")
    folds = _order(n, generator).tensor_split(k)
    return [(torch.cat(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


def confusion_matrix(y, predicted, n_classes):
    """Torch twin of utils.reference.validation.confusion_matrix."""
    require_labels(y, y.shape[:1], name="y")
    require_labels(predicted, y.shape, name="predicted")
    cells = y * n_classes + predicted
    return cells.bincount(minlength=n_classes**2).view(n_classes, n_classes)


def _order(n, generator):
    """0 to n - 1, shuffled if there is a generator."""
    if generator is None:
        return torch.arange(n)
    return torch.randperm(n, generator=generator, device=generator.device)
