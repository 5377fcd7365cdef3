"""Many models instead of one: how to make them differ, how they vote, when to abstain.

Bagging gives each a sample of the data of its own, boosting what the ones before got wrong.
M counts models, N examples, C classes.
"""

import numpy as np

from ._labels import require_labels


def bootstrap_indices(n, rng):
    """Draw n of n examples with replacement: a data set like the one at hand, and yet another.

    n      : int, at least 1
    rng    : numpy.random.Generator
    returns: (n,) int in [0, n), some more than once, others not at all
    raises : ValueError, if n < 1
    source : Breiman, Bagging Predictors (1996)
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return rng.integers(n, size=n)


def bootstrap_share(n):
    """The share of the examples that a bootstrap sample holds at least once, on average.

        1 - (1 - 1/n)^n  ->  1 - 1/e = 0.632 as n grows

    It is 0.651 at n = 10. The others, out of the bag, can serve for validation.

    n      : int, at least 1
    returns: float in (0.632, 1]
    raises : ValueError, if n < 1
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return 1.0 if n == 1 else float(-np.expm1(n * np.log1p(-1 / n)))  # no digits lost at large n


def vote(predicted, n_classes, weights=None):
    """The class that most of the models, or those of most weight, are for.

        argmax over c of sum over m of weights[m] [predicted[m, i] = c]

    predicted: (M, N) int in [0, n_classes), the labels that each model predicts
    n_classes: int
    weights  : (M,) float, how much each model's word counts; None counts heads. The alphas of
               boosting_round make it the vote of AdaBoost
    returns  : (N,) int, the smallest class where votes tie
    raises   : ValueError, if the shapes disagree or a label is outside [0, n_classes)
    """
    if predicted.ndim != 2:
        raise ValueError(f"predicted must be (M, N), one row per model, got {predicted.shape}")
    require_labels(predicted, predicted.shape, n_classes, name="predicted")
    M, N = predicted.shape
    weights = np.ones(M) if weights is None else np.asarray(weights, dtype=np.float64)
    if weights.shape != (M,):
        raise ValueError(f"weights must be ({M},), one per model, got {weights.shape}")
    votes = np.zeros((N, n_classes))
    for labels, weight in zip(predicted, weights, strict=True):
        votes[np.arange(N), labels] += weight
    return votes.argmax(axis=1)


def boosting_round(weights, wrong, n_classes=2):
    """One round of AdaBoost: what the newest model's word counts, and what the next shall learn.

        error = sum of the weights of what is wrong / sum of weights
        alpha = log((1 - error) / error) + log(n_classes - 1)
        weights <- weights exp(alpha [wrong]), then scaled to sum 1

    With two classes the wrong and the right examples then weigh a half each: of what it has just
    been taught the model knows nothing more than a coin. Freund and Schapire's alpha, for votes
    of -1 and +1, is half as large, which changes neither weights nor votes.

    weights  : (N,) float >= 0, of the examples; 1/N each to begin with
    wrong    : (N,) bool, where the model that was trained with these weights errs
    n_classes: int, at least 2
    returns  : alpha, float, the weight of its vote; weights, (N,), a new array
    raises   : ValueError, if shapes disagree, n_classes < 2, or the error is 0, so that there is
               nothing left to boost, or not below 1 - 1/n_classes, that of guessing
    source   : Freund and Schapire (1997); for n_classes > 2, Zhu, Zou, Rosset and Hastie,
               Multi-Class AdaBoost (2009), algorithm SAMME
    """
    if weights.ndim != 1 or wrong.shape != weights.shape:
        raise ValueError(f"weights and wrong must be (N,), got {weights.shape} and {wrong.shape}")
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2, got {n_classes}")
    wrong = wrong.astype(bool)
    error = float(weights[wrong].sum() / weights.sum())
    if not 0 < error < 1 - 1 / n_classes:
        raise ValueError(f"the error must lie in (0, {1 - 1 / n_classes:.3g}), got {error:.3g}")
    alpha = float(np.log((1 - error) / error) + np.log(n_classes - 1))
    weights = weights * np.where(wrong, np.exp(alpha), 1).astype(weights.dtype)
    return alpha, weights / weights.sum()


def predict_or_reject(probabilities, threshold):
    """Answer only where one is sure enough.

        argmax_c p[i, c] if max_c p[i, c] >= threshold, else -1

    probabilities: (N, C), rows summing to 1; a committee's mean, for example
    threshold    : float in [0, 1]
    returns      : (N,) int, the smallest class where they tie, -1 for "ask someone else"
    raises       : ValueError, if probabilities are not (N, C), or threshold outside [0, 1]
    source       : Chow, On Optimum Recognition Error and Reject Tradeoff (1970)
    """
    _require_probabilities(probabilities)
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
    sure = probabilities.max(axis=1) >= threshold  # nan is not
    return np.where(sure, probabilities.argmax(axis=1), -1)


def rejection_curve(probabilities, labels):
    """What abstaining buys: the error that is left when the least certain are turned away.

    Examples are turned away one by one, least certain first, in their order where they tie.

    probabilities: (N, C)
    labels       : (N,) int in [0, C)
    returns      : rejected, (N,), the shares 0, 1/N, ... (N - 1)/N
                   error, (N,), the share of wrong answers among those that were not rejected
    raises       : ValueError, if shapes disagree or a label is outside [0, C)
    """
    _require_probabilities(probabilities)
    N, C = probabilities.shape
    require_labels(labels, (N,), C)
    wrong = probabilities.argmax(axis=1) != labels
    order = probabilities.max(axis=1).argsort(kind="stable")  # least certain first
    before = np.arange(N).astype(np.result_type(probabilities, np.float32))
    errors_left = wrong[order][::-1].cumsum(dtype=before.dtype)[::-1]  # of those from here on
    return before / N, errors_left / (N - before)


def _require_probabilities(probabilities):
    if probabilities.ndim != 2 or probabilities.shape[1] == 0:
        raise ValueError(
            f"probabilities must be (N, C) with C at least 1, got {probabilities.shape}"
        )
