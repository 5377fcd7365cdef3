"""Wrong answers on softmax and elu."""

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


@mutant("elu", says="0 * inf is nan")
def elu_by_masks(x, alpha=1.0):
    """Both sides computed, one multiplied by 0."""
    return (x > 0) * x + (x <= 0) * alpha * (np.exp(x) - 1)


@mutant("elu", says="alpha is missing")
def elu_without_alpha(x, alpha=1.0):
    """alpha is always 1."""
    return np.where(x > 0, x, np.exp(x) - 1)


@mutant("elu", says="1 is missing left of 0")
def elu_exp(x, alpha=1.0):
    """alpha exp(x)."""
    return np.where(x > 0, x, alpha * np.exp(x))


@mutant("elu", says="mind the parentheses")
def elu_parentheses(x, alpha=1.0):
    """alpha exp(x) - 1."""
    return np.where(x > 0, x, alpha * np.exp(x) - 1)


@mutant("elu", says="leaky relu")
def elu_leaky(x, alpha=1.0):
    """alpha taken for a slope."""
    return np.where(x > 0, x, alpha * x)


@mutant("elu", says="exchanged")
def elu_exchanged(x, alpha=1.0):
    """The sides of np.where."""
    return np.where(x > 0, alpha * (np.exp(x) - 1), x)


@mutant("elu", says="in place")
def elu_in_place(x, alpha=1.0):
    """Writes into x."""
    negative = x <= 0
    x[negative] = alpha * (np.exp(x[negative]) - 1)
    return x


@mutant("elu", says="should have floats")
def elu_like_x(x, alpha=1.0):
    """An array of integers rounds what is put into it."""
    out = np.zeros_like(x)
    out[x > 0] = x[x > 0]
    out[x <= 0] = alpha * (np.exp(x[x <= 0]) - 1)
    return out


@mutant("elu", says="right, but slow")
def elu_loop(x, alpha=1.0):
    """Entry by entry."""
    out = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        out[i] = x[i] if x[i] > 0 else alpha * (np.exp(x[i]) - 1)
    return out


@mutant("elu_backward", says="multiplies it by dout")
def elu_backward_slope(dout, x, alpha=1.0):
    """The slope alone."""
    return np.where(x > 0, 1.0, alpha * np.exp(x))


@mutant("elu_backward", says="slope of a relu")
def elu_backward_relu(dout, x, alpha=1.0):
    """relu's."""
    return dout * (x > 0)


@mutant("elu_backward", says="1 stays in the slope")
def elu_backward_minus_one(dout, x, alpha=1.0):
    """The constant is derived into itself."""
    return dout * np.where(x > 0, 1, alpha * (np.exp(x) - 1))


@mutant("elu_backward", says="alpha is missing")
def elu_backward_without_alpha(dout, x, alpha=1.0):
    """exp(x)."""
    return dout * np.where(x > 0, 1, np.exp(x))


@mutant("elu_backward", says="taken at elu(x)")
def elu_backward_at_output(dout, x, alpha=1.0):
    """Derived at the output of the forward pass."""
    out = np.where(x > 0, x, alpha * (np.exp(x) - 1))
    return dout * np.where(out > 0, 1, alpha * np.exp(out))


@mutant("elu_backward", says="left of 0 dout is missing")
def elu_backward_half(dout, x, alpha=1.0):
    """dout on one side only."""
    return np.where(x > 0, dout, alpha * np.exp(x))


@mutant("elu_backward", says="0 * inf is nan")
def elu_backward_by_masks(dout, x, alpha=1.0):
    """Both sides computed, one multiplied by 0."""
    return dout * ((x > 0) + (x <= 0) * alpha * np.exp(x))


@mutant("elu_backward", says="chosen by dout")
def elu_backward_by_dout(dout, x, alpha=1.0):
    """The condition on the wrong array."""
    return dout * np.where(dout > 0, 1, alpha * np.exp(x))


@mutant("elu_backward", says="in place")
def elu_backward_in_place(dout, x, alpha=1.0):
    """*= changes the caller's dout."""
    dout *= np.where(x > 0, 1, alpha * np.exp(x))
    return dout


mutant("dead_unit", says="has a small slope")("a")
mutant("dead_unit", says="multiplied by the slope")("c")
mutant("dead_unit", says="passes the same relu")("d")
