"""From scores to the next word: how bold the draw, and from how many candidates.

A language model gives every word of its vocabulary a score. Always the best one makes it repeat
itself; a draw from the whole softmax now and then takes one of thousands of words that are wrong,
each unlikely, but many. The filters here set such scores to -inf, probability 0, before the draw.

Scores are (..., C), a row for each draw. Where scores tie, the first is the better. A nan stays
nan through the filters. float32 stays so.
"""

import numpy as np

from .activations import softmax


def apply_temperature(scores, temperature):
    """Sharpen the softmax of the scores or flatten it.

        scores / temperature: below 1 bolder for the best, above 1 more even; ratios of
        probabilities are raised to the power 1 / temperature

    scores     : (..., C)
    temperature: float >= 0; at 0, the limit, the best score becomes 0 and all others -inf
    returns    : (..., C)
    raises     : ValueError, if there is no class or temperature is negative or not finite
    """
    _require_classes(scores)
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature must be at least 0 and finite, got {temperature}")
    if temperature > 0:
        return scores / temperature
    best = np.arange(scores.shape[-1]) == scores.argmax(axis=-1)[..., None]
    dtype = np.result_type(scores, np.float32)  # whole numbers know no -inf
    return np.where(np.isnan(scores), scores, np.where(best, 0, -np.inf).astype(dtype))


def keep_top_k(scores, k):
    """The k best scores; all others become -inf.

    scores : (..., C)
    k      : int >= 1; from C on, nothing changes
    returns: (..., C)
    raises : ValueError, if there is no class or k is below 1
    source : Fan, Lewis and Dauphin, Hierarchical Neural Story Generation (2018), section 5.4
    """
    _require_classes(scores)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    return _kept(
        scores, np.argsort(-scores, axis=-1, kind="stable"), np.arange(scores.shape[-1]) < k
    )


def keep_top_p(scores, p):
    """The nucleus: the fewest best scores whose probabilities reach p; all others become -inf.

    Where the model is sure few words remain, where it is not, many; k would be the same for both.

    scores : (..., C)
    p      : float in (0, 1]; at 1 nothing changes
    returns: (..., C)
    raises : ValueError, if there is no class or p is outside (0, 1]
    source : Holtzman et al., The Curious Case of Neural Text Degeneration (2020), eqs. 2-3
    """
    _require_classes(scores)
    if not 0 < p <= 1:
        raise ValueError(f"p must lie in (0, 1], got {p}")
    if p == 1:
        return scores.copy()
    order = np.argsort(-scores, axis=-1, kind="stable")
    best_first = np.take_along_axis(softmax(scores), order, axis=-1)
    before = best_first.cumsum(axis=-1) - best_first  # the probability of all that are better
    return _kept(scores, order, ~(before >= p))


def sample(scores, rng, temperature=1.0, top_k=None, top_p=None):
    """Draw one class from each row: temperature first, then the best k, then the nucleus.

        u uniform in [0, 1); the first c with p_0 + ... + p_c > u

    scores     : (..., C), the largest of each row finite
    rng        : numpy.random.Generator
    temperature: float >= 0; at 0 the best is taken
    top_k      : None, or int >= 1
    top_p      : None, or float in (0, 1]
    returns    : (...) ints in [0, C)
    raises     : ValueError, if there is no class, a row has nothing to draw from or a nan, or an
                 option is out of its range
    """
    _require_classes(scores)
    best = scores.max(axis=-1)
    if not np.isfinite(best).all():
        raise ValueError(
            f"the largest score of each row must be finite, got {best[~np.isfinite(best)][0]}"
        )
    scores = apply_temperature(scores, temperature)
    if top_k is not None:
        scores = keep_top_k(scores, top_k)
    if top_p is not None:
        scores = keep_top_p(scores, top_p)
    cumulative = softmax(scores).cumsum(axis=-1)
    cumulative /= cumulative[..., -1:]  # its end is 1 exactly, and u is below
    u = rng.random((*scores.shape[:-1], 1))
    return (cumulative <= u).sum(axis=-1)


def _kept(scores, order, keep):
    """scores where keep, a bool for each rank, is True or scores are nan; -inf elsewhere."""
    kept = np.empty(scores.shape, dtype=bool)
    np.put_along_axis(kept, order, np.broadcast_to(keep, scores.shape), axis=-1)
    return np.where(kept | np.isnan(scores), scores, -np.inf)


def _require_classes(scores):
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(f"scores must be (..., C) with C at least 1, got shape {scores.shape}")
