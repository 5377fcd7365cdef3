"""What a wrong output costs, and in which direction to mend it.

Every loss but zero_one returns two: the loss, and its derivative by the first argument, dscores
for scores, dpredictions for predictions.
"""

import numpy as np

from ._labels import require_labels, require_signs
from .activations import log_softmax, sigmoid, softplus


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
    return (scores.argmax(axis=1) != labels).mean(dtype=_float_of(scores))


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
    signs = signs.astype(_float_of(scores))
    shortfall = 1 - signs * scores  # (N,)
    loss = np.maximum(shortfall, 0).mean()
    return loss, -signs * (shortfall > 0) / scores.size


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
    signs = signs.astype(_float_of(scores))
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
    dscores = pushes.astype(_float_of(scores))
    dscores[right] = -pushes.sum(axis=1)
    return np.maximum(shortfall, 0).sum() / N, dscores / N


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
    rivals = scores.astype(_float_of(scores))  # a copy
    rivals[rows, labels] = -np.inf
    rival = rivals.argmax(axis=1)  # (N,)
    shortfall = margin + rivals[rows, rival] - scores[rows, labels]
    pushes = shortfall > 0  # (N,) bool
    dscores = np.zeros_like(rivals)
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


def sequence_cross_entropy(scores, labels, mask=None):
    """Mean softmax cross-entropy over the places of a batch of sequences, and its gradient.

        loss = -(sum over (b, t) that count of log p[b, t, y_bt]) / (how many count)

    A short sequence is padded to the length of the batch, and the padding must teach nothing:
    what stands there, in scores or labels, is not looked at.

    scores : (B, T, C) float, log-probabilities up to a constant per place
    labels : (B, T) int in [0, C) wherever the mask is True
    mask   : (B, T) bool, True where a place counts; None counts all
    returns: loss, float, nats per place that counts, so that long sequences weigh more; 0 where
             none counts
             dscores, (B, T, C), 0 at the places that do not count
    raises : ValueError, if the shapes disagree, a label that counts is outside [0, C), or mask
             is not bool
    """
    if scores.ndim != 3:
        raise ValueError(f"scores must be (B, T, C), got shape {scores.shape}")
    mask = np.ones(scores.shape[:2], dtype=bool) if mask is None else mask
    if mask.shape != scores.shape[:2] or mask.dtype != bool:
        raise ValueError(
            f"mask must be {scores.shape[:2]} bools, got {mask.dtype} of shape {mask.shape}"
        )
    if labels.shape == mask.shape:
        labels = np.where(mask, labels, 0)  # whatever marks the padding, -1 as well
    require_labels(labels, scores.shape[:2], scores.shape[2])
    dscores = np.zeros_like(scores, dtype=_float_of(scores))
    if not mask.any():
        return 0.0, dscores
    loss, dscores[mask] = softmax_cross_entropy(scores[mask], labels[mask])  # (M, C), (M,)
    return loss, dscores


def negative_log_likelihood(log_probabilities, labels):
    """How improbable the labels are, on average, and its gradient.

        loss = -mean(log p[i, y_i]),  dlog_probabilities = -onehot(y) / N

    After log_softmax it is softmax_cross_entropy. Only the entry of the label is read: that the
    others leave it room is the business of whatever made the probabilities.

    log_probabilities: (N, C) float, in nats
    labels : (N,) int in [0, C)
    returns: loss, float, nats per example; dlog_probabilities, (N, C)
    raises : ValueError, if the shapes disagree or a label is outside [0, C)
    source : Bishop, PRML (2006), eq. 4.108; summed there, averaged here
    """
    _require_rows_and_labels(log_probabilities, labels, "log_probabilities")
    N = len(labels)
    right = np.arange(N), labels
    dlog_probabilities = np.zeros_like(log_probabilities, dtype=_float_of(log_probabilities))
    dlog_probabilities[right] = -1 / N
    return -log_probabilities[right].mean(), dlog_probabilities


def categorical_cross_entropy(probabilities, targets):
    """Mean cross-entropy between two distributions over the classes, and its gradient.

        loss = -mean over i of sum over c of t[i, c] log p[i, c],  dprobabilities = -t / (N p)

    0 log 0 counts as 0, but a class that does occur and was given probability 0 costs infinity,
    and near there the gradient is huge: to train, prefer softmax_cross_entropy, whose scores
    cannot round to 0.

    probabilities: (N, C) in [0, 1]
    targets: (N, C) in [0, 1], one-hot rows or any other distributions (smoothed labels, a
             teacher's); for integer labels take negative_log_likelihood(log p, labels)
    returns: loss, float, nats per example; dprobabilities, (N, C)
    raises : ValueError, if the shapes disagree or an entry is outside [0, 1]
    source : Bishop, PRML (2006), eq. 4.108; summed there, averaged here
    """
    if probabilities.ndim != 2:
        raise ValueError(f"probabilities must be (N, C), got shape {probabilities.shape}")
    targets = _targets_like(probabilities, targets)
    _require_probabilities(probabilities=probabilities, targets=targets)
    N = len(probabilities)
    occurs = targets != 0
    p = np.where(occurs, probabilities, 1)  # log 1 = 0 stands in for what is not multiplied
    with np.errstate(divide="ignore"):
        return -(targets * np.log(p)).sum() / N, -targets / p / N


def binary_cross_entropy(probabilities, targets):
    """Mean cross-entropy of yes-or-no questions from probabilities, and its gradient.

        loss = -mean(t log p + (1 - t) log(1 - p))
        dprobabilities = (p - t) / (p (1 - p)) / number of entries

    As in torch neither logarithm goes below -100, nor p (1 - p) below 1e-12: a certain error
    costs 100 nats and not infinity. To train, prefer the form that takes scores.

    probabilities: any shape, in [0, 1], that the answer is yes
    targets: the same shape, in [0, 1], as a rule 0 or 1
    returns: loss, float, nats per entry; dprobabilities, the shape of probabilities
    raises : ValueError, if the shapes disagree or an entry is outside [0, 1]
    source : Bishop, PRML (2006), eq. 4.90; summed there, averaged here
    """
    p, t = probabilities, _targets_like(probabilities, targets)
    _require_probabilities(probabilities=p, targets=t)
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    dp = (p - t) / np.maximum(p * (1 - p), 1e-12)
    return -(t * yes + (1 - t) * no).mean(), dp / p.size


def binary_cross_entropy_with_logits(scores, targets):
    """Mean cross-entropy of yes-or-no questions from scores, and its gradient.

        loss = mean(t softplus(-s) + (1 - t) softplus(s)),  dscores = (sigmoid(s) - t) / size

    It is binary_cross_entropy(sigmoid(s), t), since softplus(-s) = -log sigmoid(s), but no
    score is so large that it overflows or stops learning; and it is binary_logistic with
    targets 0 and 1 for the signs -1 and +1.

    scores : any shape, the log-odds ("logits") of yes
    targets: the same shape, in [0, 1], as a rule 0 or 1
    returns: loss, float, nats per entry; dscores, the shape of scores
    raises : ValueError, if the shapes disagree or a target is outside [0, 1]
    source : Bishop, PRML (2006), eqs. 4.90-4.91; summed there, averaged here
    """
    targets = _targets_like(scores, targets)
    _require_probabilities(targets=targets)
    loss = (targets * softplus(-scores) + (1 - targets) * softplus(scores)).mean()
    return loss, (sigmoid(scores) - targets) / scores.size


def mse(predictions, targets):
    """Mean squared error, and its gradient.

        loss = mean((y - t)^2),  dpredictions = 2 (y - t) / number of entries

    The mean runs over every entry, over examples and outputs; no 1/2 stands before it.

    predictions: any shape, y
    targets: the same shape, t
    returns: loss, float, in the unit of the targets squared; dpredictions, their shape
    raises : ValueError, if the shapes disagree (they are not broadcast) or there is no entry
    source : Bishop, PRML (2006), eq. 5.11; summed there and halved
    """
    error = predictions - _targets_like(predictions, targets)
    return (error**2).mean(), 2 * error / error.size


def mae(predictions, targets):
    """Mean absolute error, and its gradient.

        loss = mean(|y - t|),  dpredictions = sign(y - t) / number of entries

    An outlier pulls as hard as any other example and not, as in mse, the harder the farther out.

    predictions: any shape, y
    targets: the same shape, t
    returns: loss, float, in the unit of the targets; dpredictions, 0 where y = t
    raises : ValueError, if the shapes disagree (they are not broadcast) or there is no entry
    """
    error = predictions - _targets_like(predictions, targets)
    return np.abs(error).mean(), np.sign(error) / error.size


def _require_rows_and_labels(scores, labels, name="scores"):
    if scores.ndim != 2:
        raise ValueError(f"{name} must be (N, C), one row per example, got shape {scores.shape}")
    require_labels(labels, scores.shape[:1], scores.shape[1])


def _targets_like(outputs, targets):
    """Targets in the dtype of the outputs: one-hot ints do not turn float32 into float64."""
    if targets.shape != outputs.shape or targets.size == 0:
        raise ValueError(
            f"targets must be non-empty of shape {outputs.shape}, got shape {targets.shape}"
        )
    return targets.astype(_float_of(outputs))


def _float_of(array):
    """The dtype to compute in: the array's own if it is one of floats, float64 for others."""
    return array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)


def _require_probabilities(**arrays):
    for name, array in arrays.items():
        if (array < 0).any() or (array > 1).any():  # nan is neither, and comes out as nan
            raise ValueError(f"{name} must be in [0, 1], got {array.min()} to {array.max()}")
