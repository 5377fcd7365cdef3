"""From scores to probabilities, without overflow. Scores (..., C) hold one row per example."""

import numpy as np


def sigmoid(x, steepness=1.0):
    """The logistic function.

        sigmoid(x) = 1 / (1 + exp(-steepness x))

    x      : any shape
    returns: the shape of x, in [0, 1]; 1/2 at 0, with slope steepness/4 there
    source : Bishop, PRML (2006), eq. 4.59, with steepness 1
    """
    x = steepness * np.asarray(x, dtype=np.float64)
    small = np.exp(-np.abs(x))  # in (0, 1]: no overflow on either side
    return np.where(x >= 0, 1, small) / (1 + small)


def softmax(scores):
    """Probabilities proportional to the exponentials of the scores.

        p_c = exp(s_c) / sum over j of exp(s_j)

    scores : (..., C), C at least 1; log-probabilities up to a constant per row
    returns: (..., C), in [0, 1], summing to 1 over the last axis
    raises : ValueError, if there is no class
    source : Bishop, PRML (2006), eq. 4.62
    """
    exponentials = np.exp(_shifted(scores))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def log_softmax(scores):
    """The logarithm of softmax, exact where softmax itself would round to 0 or 1.

        log p_c = s_c - log(sum over j of exp(s_j))

    scores : (..., C)
    returns: (..., C), at most 0, in nats
    raises : ValueError, if there is no class
    """
    shifted = _shifted(scores)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_sum_exp(scores):
    """A smooth maximum: between max(s) and max(s) + log C.

        log(sum over j of exp(s_j)) = m + log(sum over j of exp(s_j - m)),  m = max(s)

    scores : (..., C)
    returns: (...), the last axis gone
    raises : ValueError, if there is no class
    """
    shifted = _shifted(scores)
    return np.max(scores, axis=-1) + np.log(np.exp(shifted).sum(axis=-1))


def _shifted(scores):
    """Scores less their row's maximum: exp is then at most 1, and the sum at least 1."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(f"scores must be (..., C) with C at least 1, got shape {scores.shape}")
    return scores - scores.max(axis=-1, keepdims=True)
