"""What a wrong score costs, and in which direction to mend it.

Every loss but zero_one returns (loss, dscores), dscores = d loss / d scores.
"""

import numpy as np

from ._labels import require_labels, require_signs
from .activations import log_softmax, sigmoid


def zero_one(scores, labels):
    """Fraction of the examples whose best-scored class is wrong.

        loss = mean(argmax_c s[i, c] != y_i)

    Its gradient is 0 wherever it exists, so nothing descends it: the losses below stand in for it.

    scores : (N, C); where scores tie, the smallest class counts as best
    labels : (N,) int in [0, C)
    returns: loss, float in [0, 1]
    raises : ValueError, if the shapes disagree or a label is outside [0, C)
    """
    _require_rows_and_labels(scores, labels)
    return (scores.argmax(axis=1) != labels).mean()


def binary_hinge(scores, signs):
    """Mean hinge loss of two classes, and its gradient.

        loss = mean(max(0, 1 - y_i s_i)),  dscores = -y / N where y_i s_i < 1, else 0

    Never below the 0/1 loss; zero once every example is right by a margin of 1.

    scores : (N,) float
    signs  : (N,), the classes as -1 and +1
    returns: loss, float; dscores, (N,), at the kink y s = 1 the 0 of its two slopes
    raises : ValueError, if the shapes disagree or a sign is neither -1 nor +1
    source : Cortes and Vapnik, Support-Vector Networks (1995)
    """
    require_signs(signs, scores.shape)
    shortfall = 1 - signs * scores  # (N,)
    loss = np.maximum(shortfall, 0).mean()
    return loss, -signs * (shortfall > 0).astype(np.float64) / scores.size


def binary_logistic(scores, signs):
    """Mean cross-entropy of two classes, and its gradient.

        loss = mean(log(1 + exp(-y_i s_i))),  dscores = -y sigmoid(-y s) / N

    It is softmax_cross_entropy with the two scores s and 0. Divided by log 2, in bits, it is
    never below the 0/1 loss; in nats it is log 2 = 0.69 at s = 0.

    scores : (N,) float, the log-odds of class +1
    signs  : (N,), the classes as -1 and +1
    returns: loss, float, nats per example; dscores, (N,)
    raises : ValueError, if the shapes disagree or a sign is neither -1 nor +1
    source : Bishop, PRML (2006), section 7.1.2
    """
    require_signs(signs, scores.shape)
    margins = signs * scores  # (N,)
    loss = np.logaddexp(0, -margins).mean()  # log(e^0 + e^-m), without overflow
    return loss, -signs * sigmoid(-margins) / scores.size


def multiclass_hinge(scores, labels, margin=1.0):
    """Mean multiclass hinge loss in its sum form, and its gradient.

        loss = mean over i of sum over c != y_i of max(0, s[i, c] - s[i, y_i] + margin)

    Every class that comes closer than the margin pushes; dscores is 1/N for each such class,
    and for the right class minus as many.

    scores : (N, C) float
    labels : (N,) int in [0, C)
    margin : float, in the unit of the scores
    returns: loss, float ((C - 1) margin when scores are equal); dscores, (N, C)
    raises : ValueError, if the shapes disagree or a label is outside [0, C)
    source : Weston and Watkins, Support Vector Machines for Multi-Class Pattern Recognition
             (1999); there with margin 2, and summed
    """
    _require_rows_and_labels(scores, labels)
    N = len(scores)
    right = np.arange(N), labels
    shortfall = scores - scores[right][:, None] + margin  # (N, C)
    shortfall[right] = 0  # the right class does not rival itself
    pushes = shortfall > 0  # (N, C) bool
    dscores = pushes.astype(np.float64)
    dscores[right] = -pushes.sum(axis=1)
    return shortfall[pushes].sum() / N, dscores / N


def multiclass_hinge_max(scores, labels, margin=1.0):
    """Mean multiclass hinge loss in its max form, and its gradient.

        loss = mean over i of max(0, margin + max over c != y_i of s[i, c] - s[i, y_i])

    Only the strongest rival pushes; where rivals tie, the one of smallest label. With two
    classes it is the sum form; with more it is never above it.

    scores : (N, C) float
    labels : (N,) int in [0, C)
    margin : float, in the unit of the scores
    returns: loss, float (margin when scores are equal); dscores, (N, C)
    raises : ValueError, if the shapes disagree or a label is outside [0, C)
    source : Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based
             Vector Machines (2001)
    """
    _require_rows_and_labels(scores, labels)
    N = len(scores)
    rows = np.arange(N)
    rivals = scores.astype(np.float64)  # a copy
    rivals[rows, labels] = -np.inf
    rival = rivals.argmax(axis=1)  # (N,)
    shortfall = margin + rivals[rows, rival] - scores[rows, labels]
    pushes = shortfall > 0  # (N,) bool
    dscores = np.zeros(scores.shape)
    dscores[rows, rival] += pushes
    dscores[rows, labels] -= pushes
    return np.maximum(shortfall, 0).mean(), dscores / N


def softmax_cross_entropy(scores, labels):
    """Mean softmax cross-entropy in nats, and its gradient.

        p = softmax(scores),  loss = -mean(log p[i, y_i]),  dscores = (p - onehot(y)) / N

    scores : (N, C) float, log-probabilities up to a constant per row
    labels : (N,) int in [0, C)
    returns: loss, float, nats per example (log C when scores are equal)
             dscores, (N, C), each row summing to 0
    raises : ValueError, if the shapes disagree or a label is outside [0, C)
    source : Bishop, PRML (2006), eqs. 4.108-4.109; summed there, averaged here
    """
    _require_rows_and_labels(scores, labels)
    N = len(scores)
    right = np.arange(N), labels
    logp = log_softmax(scores)  # (N, C)
    dscores = np.exp(logp)
    dscores[right] -= 1
    return -logp[right].mean(), dscores / N


def _require_rows_and_labels(scores, labels):
    if scores.ndim != 2:
        raise ValueError(f"scores must be (N, C), one row per example, got shape {scores.shape}")
    require_labels(labels, scores.shape[:1], scores.shape[1])
