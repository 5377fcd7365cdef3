"""From scores to the next word. Torch twin of utils.reference.sampling."""

import math

import torch


def apply_temperature(scores, temperature):
    """Torch twin of utils.reference.sampling.apply_temperature."""
    _require_classes(scores)
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be at least 0 and finite, got {temperature}")
    if temperature > 0:
        return scores / temperature
    best = torch.full_like(scores, -torch.inf)
    best.scatter_(-1, scores.argmax(dim=-1, keepdim=True), 0)
    return torch.where(scores.isnan(), scores, best)


def keep_top_k(scores, k):
    """Torch twin of utils.reference.sampling.keep_top_k.

    A stable sort and not torch.topk, which among scores that tie takes any.
    """
    _require_classes(scores)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    order = torch.sort(-scores, dim=-1, stable=True).indices
    return _kept(scores, order, torch.arange(scores.shape[-1], device=scores.device) < k)


def keep_top_p(scores, p):
    """Torch twin of utils.reference.sampling.keep_top_p."""
    _require_classes(scores)
    if not 0 < p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {p}")
    if p == 1:
        return scores.clone()
    order = torch.sort(-scores, dim=-1, stable=True).indices
    best_first = torch.softmax(scores, dim=-1).gather(-1, order)
    return _kept(scores, order, ~(best_first.cumsum(dim=-1) - best_first >= p))


@torch.no_grad()
def sample(scores, generator, temperature=1.0, top_k=None, top_p=None):
    """Torch twin of utils.reference.sampling.sample.

    Differs: the draw is a race, which torch.multinomial runs too, but here without waiting for
    the GPU. Class c arrives after a time of mean 1 / p_c, exponentially distributed, and is the
    first with probability p_c.
    """
    scores = apply_temperature(scores, temperature)
    if top_k is not None:
        scores = keep_top_k(scores, top_k)
    if top_p is not None:
        scores = keep_top_p(scores, top_p)
    times = torch.empty_like(scores).exponential_(generator=generator)
    return (torch.softmax(scores, dim=-1) / times).argmax(dim=-1)


def _kept(scores, order, keep):
    """scores where keep, a bool for each rank, is True or scores are nan; -inf elsewhere."""
    kept = torch.empty_like(scores, dtype=torch.bool)
    kept.scatter_(-1, order, keep.expand(scores.shape))
    return scores.masked_fill(~(kept | scores.isnan()), -torch.inf)


def _require_classes(scores):
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(
            f"scores must be (..., C) with C at least 1, got shape {tuple(scores.shape)}"
        )
