"""Which features to keep: greedy searches, n^2/2 scorings where all subsets would need 2^n.

Both may miss the best subset: forward cannot see a pair that helps only together, as in XOR.
Source: Guyon and Elisseeff, An Introduction to Variable and Feature Selection (2003), section 4
"""

import numpy as np


def forward_selection(score, n_features, n_select):
    """Start with no feature; add the one that helps most, n_select times.

    score     : function of a list of feature indices, returns a float, higher is better;
                an accuracy on validation data, never on the test set
    n_features: int, features there are
    n_select  : int in [1, n_features], features to add
    returns   : features, list of ints in the order chosen, ties to the lowest index
                scores, list of floats, the score after each addition
    raises    : ValueError, if n_select is outside [1, n_features]
    """
    if not 1 <= n_select <= n_features:
        raise ValueError(f"n_select must lie in [1, {n_features}], got {n_select}")
    chosen, scores, remaining = [], [], list(range(n_features))
    for _ in range(n_select):
        candidates = [score([*chosen, feature]) for feature in remaining]
        best = int(np.argmax(candidates))
        chosen.append(remaining.pop(best))
        scores.append(float(candidates[best]))
    return chosen, scores


def backward_elimination(score, n_features, n_keep):
    """Start with every feature; drop the one that is missed least, until n_keep are left.

    score     : as for forward_selection; it is given the features kept, in ascending order
    n_features: int, features there are
    n_keep    : int in [1, n_features], features to leave
    returns   : features, list of ints in the order removed, ties to the lowest index
                scores, list of floats, the score after each removal
    raises    : ValueError, if n_keep is outside [1, n_features]
    """
    if not 1 <= n_keep <= n_features:
        raise ValueError(f"n_keep must lie in [1, {n_features}], got {n_keep}")
    removed, scores, kept = [], [], list(range(n_features))
    while len(kept) > n_keep:
        candidates = [score(kept[:i] + kept[i + 1 :]) for i in range(len(kept))]
        best = int(np.argmax(candidates))
        removed.append(kept.pop(best))
        scores.append(float(candidates[best]))
    return removed, scores
