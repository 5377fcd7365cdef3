"""Wrong answers on softmax."""

import numpy as np

from grader.mutants import mutant


@mutant("softmax", says="inf/inf is nan")
def softmax_unshifted(scores):
    """No shift by the maximum."""
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


@mutant("softmax", says="columns sum to 1")
def softmax_columns(scores):
    """axis=0."""
    e = np.exp(scores - scores.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


@mutant("softmax", says="sum of all rows")
def softmax_of_everything(scores):
    """sum() without an axis."""
    e = np.exp(scores - scores.max())
    return e / e.sum()


@mutant("softmax", says="shifted exponentials, not yet divided")
def softmax_undivided(scores):
    """The slide's numbers: shifted, exponentiated, not divided."""
    return np.exp(scores - scores.max(axis=-1, keepdims=True))


@mutant("softmax", says="a shift of its own")
def softmax_one_shift(scores):
    """One maximum for all rows: a row far below it underflows to 0/0."""
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=-1, keepdims=True)


@mutant("softmax", says="in place")
def softmax_in_place(scores):
    """-= changes the caller's scores."""
    scores -= scores.max(axis=-1, keepdims=True)
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


@mutant("softmax", says="however many axes")
def softmax_axis_1(scores):
    """axis=1 is the last axis of a matrix only."""
    axis = 0 if scores.ndim == 1 else 1
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@mutant("softmax", says="log-probabilities")
def softmax_log(scores):
    """The logarithm of what was asked for."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


@mutant("softmax", says="to clip the scores")
def softmax_clipped(scores):
    """Clipping keeps exp finite, and makes 1000 and 995 equal."""
    e = np.exp(np.clip(scores, -500, 500))
    return e / e.sum(axis=-1, keepdims=True)


@mutant("softmax", says="replace nan")
def softmax_nan_to_num(scores):
    """inf/inf becomes 0."""
    e = np.exp(scores)
    return np.nan_to_num(e / e.sum(axis=-1, keepdims=True))


@mutant("softmax", says="subtract it")
def softmax_divided_by_maximum(scores):
    """A slash for a minus."""
    e = np.exp(scores / scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@mutant("softmax", says="right, but slow")
def softmax_by_row(scores):
    """A Python loop over the rows."""
    p = np.empty(scores.shape)
    for index in np.ndindex(scores.shape[:-1]):
        e = np.exp(scores[index] - scores[index].max())
        p[index] = e / e.sum()
    return p
