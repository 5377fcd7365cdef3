"""Which features to keep. Torch twin of utils.reference.selection.

Differs: score may return a 0-dimensional tensor. The candidates of a round are then compared on
its device, and the CPU waits once per round for the winner, not once per candidate.
"""

import torch


def forward_selection(score, n_features, n_select):
    """Torch twin of utils.reference.selection.forward_selection."""
    if not 1 <= n_select <= n_features:
        raise ValueError(f"n_select must lie in [1, {n_features}], got {n_select}")
    chosen, scores, remaining = [], [], list(range(n_features))
    for _ in range(n_select):
        best, best_score = _best([score([*chosen, feature]) for feature in remaining])
        chosen.append(remaining.pop(best))
        scores.append(best_score)
    return chosen, scores


def backward_elimination(score, n_features, n_keep):
    """Torch twin of utils.reference.selection.backward_elimination."""
    if not 1 <= n_keep <= n_features:
        raise ValueError(f"n_keep must lie in [1, {n_features}], got {n_keep}")
    removed, scores, kept = [], [], list(range(n_features))
    while len(kept) > n_keep:
        best, best_score = _best([score(kept[:i] + kept[i + 1 :]) for i in range(len(kept))])
        removed.append(kept.pop(best))
        scores.append(best_score)
    return removed, scores


def _best(candidates):
    """Place and value of the first maximum."""
    candidates = torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in candidates])
    best = candidates.argmax()
    place, value = torch.stack([best.double(), candidates[best]]).tolist()
    return int(place), value
