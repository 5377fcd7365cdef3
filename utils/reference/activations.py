"""The functions that a neuron applies to its pre-activation, each with its derivative.

xxx(x) works entry by entry, but maxout, softmax and what follows it, which look along the last
axis. xxx_backward(dout, x) is the chain rule through it:

    dx = dout * xxx'(x),  dout = d loss / d xxx(x),  dx = d loss / d x

dout has the shape of xxx(x), dx that of x; another shape raises a ValueError. At a kink the
derivative is one of the two slopes beside it, the one that torch takes too.
"""

import math

import numpy as np

# The fixed point of Klambauer et al. (2017): mean 0 and variance 1 come out as they went in.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_ROOT_2_PI = math.sqrt(2 / math.pi)


def identity(x):
    """No activation, the "linear unit": the usual last layer, whose outputs are scores.

    Between layers it is of no use: two linear maps in a row are one linear map.

    x      : any shape
    returns: x
    """
    return _floats(x)


def identity_backward(dout, x):
    """dx = dout."""
    dout, _ = _pair(dout, x)
    return dout


def step(x):
    """The threshold of the formal neuron.

        step(x) = 1 if x >= 0, else 0

    x      : any shape
    returns: the shape of x, 0 or 1
    source : McCulloch and Pitts (1943)
    """
    return np.heaviside(_floats(x), 1)


def step_backward(dout, x):
    """dx = 0: nothing is learned through a step, which is why the others were invented."""
    dout, _ = _pair(dout, x)
    return np.zeros_like(dout)


def sigmoid(x, steepness=1.0):
    """The logistic function.

        sigmoid(x) = 1 / (1 + exp(-steepness x))

    x      : any shape
    returns: the shape of x, in [0, 1]; 1/2 at 0, with slope steepness/4 there
    source : Bishop, PRML (2006), eq. 4.59, with steepness 1
    """
    with np.errstate(over="ignore"):  # exp(800) is inf, and 1 / inf the right answer
        return 1 / (1 + np.exp(-steepness * _floats(x)))


def sigmoid_backward(dout, x, steepness=1.0):
    """dx = dout * steepness s (1 - s), s = sigmoid(x): at most steepness/4, and soon next to 0.

    1 - s rounds as it does in binary_cross_entropy, whose derivative divides by it: they cancel.
    """
    dout, x = _pair(dout, x)
    s = sigmoid(x, steepness)
    return dout * steepness * s * (1 - s)


def tanh(x):
    """The hyperbolic tangent, a sigmoid stretched to (-1, 1) and centered.

        tanh(x) = (e^x - e^-x) / (e^x + e^-x) = 2 sigmoid(2x) - 1

    x      : any shape
    returns: the shape of x, in [-1, 1]; 0 at 0, with slope 1 there
    source : LeCun et al., Efficient BackProp (1998), section 4.4
    """
    return np.tanh(_floats(x))


def tanh_backward(dout, x):
    """dx = dout (1 - tanh(x)^2)."""
    dout, x = _pair(dout, x)
    return dout * (1 - np.tanh(x) ** 2)


def relu(x):
    """The rectified linear unit.

        relu(x) = max(0, x)

    x      : any shape
    returns: the shape of x, at least 0
    source : Nair and Hinton (2010)
    """
    return np.maximum(_floats(x), 0)


def relu_backward(dout, x):
    """dx = dout where x > 0, else 0: a unit negative on every example is dead, it never learns."""
    dout, x = _pair(dout, x)
    return np.where(x <= 0, 0, dout)  # a product would let an infinite dout through as nan


def leaky_relu(x, slope=0.01):
    """A relu that lets a little through, so that no unit dies.

        leaky_relu(x) = x if x > 0, else slope x

    x      : any shape
    slope  : float, fixed beforehand
    returns: the shape of x
    source : Maas, Hannun and Ng (2013)
    """
    x = _floats(x)
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dout, x, slope=0.01):
    """dx = dout where x > 0, else slope dout."""
    dout, x = _pair(dout, x)
    return np.where(x > 0, dout, slope * dout)


def prelu(x, slope):
    """A leaky relu whose slope is learned like a weight.

        prelu(x) = x if x > 0, else slope x

    x      : any shape
    slope  : a float for all, or a shape that broadcasts to x's: (D,) for x (N, D) is one slope
             per unit, (C, 1, 1) for x (N, C, H, W) one per channel
    returns: the shape of x
    raises : ValueError, if slope does not broadcast to the shape of x
    source : He et al., Delving Deep into Rectifiers (2015), eq. 1
    """
    x, slope = _with_slope(x, slope)
    return np.where(x > 0, x, slope * x)


def prelu_backward(dout, x, slope):
    """dx = dout where x > 0, else slope dout; dslope = sum of dout x over the x <= 0 it served.

    returns: dx, the shape of x; dslope, the shape of slope
    """
    dout, x = _pair(dout, x)
    x, slope = _with_slope(x, slope)
    dx = np.where(x > 0, dout, slope * dout)
    return dx, _sum_to(dout * np.minimum(x, 0), slope.shape)


def elu(x, alpha=1.0):
    """A relu that goes smoothly to -alpha, so that the mean of its outputs is nearer to 0.

        elu(x) = x if x > 0, else alpha (exp(x) - 1)

    x      : any shape
    alpha  : float; with 1 the slope is continuous
    returns: the shape of x, at least -alpha
    source : Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by
             Exponential Linear Units (2016)
    """
    x = _floats(x)
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))  # no exp of a large x


def elu_backward(dout, x, alpha=1.0):
    """dx = dout where x > 0, else dout * alpha exp(x)."""
    dout, x = _pair(dout, x)
    return dout * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


def selu(x):
    """An elu so scaled that layer after layer the activations keep mean 0 and variance 1.

        selu(x) = 1.0507 elu(x, alpha=1.6733)

    x      : any shape
    returns: the shape of x
    source : Klambauer et al., Self-Normalizing Neural Networks (2017), eq. 2
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def selu_backward(dout, x):
    """dx = 1.0507 times that of the elu."""
    return _SELU_SCALE * elu_backward(dout, x, _SELU_ALPHA)


def gelu(x, approximate=False):
    """x, weighted by the probability that a standard normal number is below it.

        gelu(x) = x Phi(x),  Phi(x) = (1 + erf(x / sqrt(2))) / 2
        approximately x (1 + tanh(u)) / 2 = x sigmoid(2u),  u = sqrt(2/pi) (x + 0.044715 x^3)

    x          : any shape
    approximate: True for the second formula, at most 5e-4 away, which GPT-2 uses
    returns    : the shape of x, above -0.17
    source     : Hendrycks and Gimpel, Gaussian Error Linear Units (2016)
    """
    x = _floats(x)
    return x * (sigmoid(2 * _gelu_u(x)) if approximate else _normal_cdf(x))


def gelu_backward(dout, x, approximate=False):
    """dx = dout (Phi(x) + x phi(x)), phi = Phi' the normal density; or the slope of the tanh form.

    There, with s = sigmoid: dx = dout (s(2u) + x s(2u) s(-2u) 2u').
    """
    dout, x = _pair(dout, x)
    if approximate:
        x = np.clip(x, -100, 100)  # no overflow of x^3: by here the slope is 0 or 1
        u = _gelu_u(x)
        du = _ROOT_2_PI * (1 + 3 * 0.044715 * x * x)
        return dout * sigmoid(2 * u) * (1 + x * sigmoid(-2 * u) * 2 * du)
    density = np.exp(-x * x / 2) * _ROOT_2_PI / 2  # exp(-x^2/2) / sqrt(2 pi)
    return dout * (_normal_cdf(x) + x * density)


def softplus(x):
    """A smooth relu.

        softplus(x) = log(1 + exp(x)) = max(0, x) + log(1 + exp(-|x|)) = -log sigmoid(-x)

    x      : any shape
    returns: the shape of x, above max(0, x), by log 2 = 0.69 at 0 and less elsewhere
    source : Dugas et al. (2001)
    """
    x = _floats(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))  # the middle form: no overflow


def softplus_backward(dout, x):
    """dx = dout * sigmoid(x)."""
    dout, x = _pair(dout, x)
    return dout * sigmoid(x)


def maxout(x, n_pieces):
    """The largest of n_pieces neighbors: a convex function whose pieces are learned.

        out[..., j] = max over p of x[..., j n_pieces + p]

    With n_pieces linear functions before it, a unit learns its own activation: relu and |x| are
    maxima of two.

    x       : (..., D)
    n_pieces: int, at least 1, divides D
    returns : (..., D / n_pieces)
    raises  : ValueError, if n_pieces does not divide D
    source  : Goodfellow et al., Maxout Networks (2013), section 3
    """
    return _in_pieces(_floats(x), n_pieces).max(axis=-1)


def maxout_backward(dout, x, n_pieces):
    """dx = dout at the piece that was largest, the first where pieces tie; 0 at the others."""
    pieces = _in_pieces(_floats(x), n_pieces)  # (..., units, n_pieces)
    dout = _require_shape(dout, pieces.shape[:-1])
    dx = np.zeros_like(pieces, dtype=dout.dtype)
    np.put_along_axis(dx, pieces.argmax(axis=-1)[..., None], dout[..., None], axis=-1)
    return dx.reshape(np.shape(x))


def softmax(scores):
    """Probabilities proportional to the exponentials of the scores.

        p_c = exp(s_c) / sum over j of exp(s_j)

    scores : (..., C), C at least 1; log-probabilities up to a constant per row
    returns: (..., C), in [0, 1], summing to 1 over the last axis
    raises : ValueError, if there is no class
    source : Bishop, PRML (2006), eq. 4.62
    """
    exponentials = _shifted(scores)
    np.exp(exponentials, out=exponentials)  # in place: a new array takes as long as the sum
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials


def softmax_backward(dout, scores):
    """ds_c = p_c (dout_c - sum over j of dout_j p_j): every output depends on every score.

    From d p_j / d s_c = p_j ([j = c] - p_c). Each row of ds sums to 0.
    """
    dout, scores = _pair(dout, scores)
    p = softmax(scores)
    return p * (dout - (dout * p).sum(axis=-1, keepdims=True))


def log_softmax(scores):
    """The logarithm of softmax, exact where softmax itself would round to 0 or 1.

        log p_c = s_c - log(sum over j of exp(s_j))

    scores : (..., C)
    returns: (..., C), at most 0, in nats
    raises : ValueError, if there is no class
    """
    shifted = _shifted(scores)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(dout, scores):
    """ds_c = dout_c - p_c (sum over j of dout_j).

    From d log p_j / d s_c = [j = c] - p_c. With dout = -onehot(y) this is p - onehot(y).
    """
    dout, scores = _pair(dout, scores)
    return dout - softmax(scores) * dout.sum(axis=-1, keepdims=True)


def log_sum_exp(scores):
    """A smooth maximum: between max(s) and max(s) + log C.

        log(sum over j of exp(s_j)) = m + log(sum over j of exp(s_j - m)),  m = max(s)

    scores : (..., C)
    returns: (...), the last axis gone
    raises : ValueError, if there is no class
    """
    shifted, highest = _shifted(scores), np.max(scores, axis=-1)
    return np.where(
        np.isinf(highest), highest, highest + np.log(np.exp(shifted).sum(axis=-1))
    )  # inf - inf, in shifted, is nan


def log_sum_exp_backward(dout, scores):
    """ds_c = dout p_c: the slope of the smooth maximum is softmax."""
    p = softmax(scores)
    return _require_shape(dout, p.shape[:-1])[..., None] * p


# What a layer may be told by name: the functions of x alone.
ACTIVATIONS = {
    "identity": (identity, identity_backward),
    "step": (step, step_backward),
    "sigmoid": (sigmoid, sigmoid_backward),
    "tanh": (tanh, tanh_backward),
    "relu": (relu, relu_backward),
    "leaky_relu": (leaky_relu, leaky_relu_backward),
    "elu": (elu, elu_backward),
    "selu": (selu, selu_backward),
    "gelu": (gelu, gelu_backward),
    "softplus": (softplus, softplus_backward),
    "softmax": (softmax, softmax_backward),
    "log_softmax": (log_softmax, log_softmax_backward),
}


def _floats(x):
    """An array of floats: float32 stays float32, ints become float64."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def _require_shape(dout, shape):
    dout = _floats(dout)
    if dout.shape != shape:
        raise ValueError(f"dout must have the shape of the output, {shape}, got {dout.shape}")
    return dout


def _pair(dout, x):
    x = _floats(x)
    return _require_shape(dout, x.shape), x


def _with_slope(x, slope):
    x, slope = _floats(x), np.asarray(slope)
    try:
        fits = np.broadcast_shapes(x.shape, slope.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"slope must broadcast to the shape of x, {x.shape}, got {slope.shape}")
    return x, slope.astype(x.dtype)


def _sum_to(array, shape):
    """Undo broadcasting: sum over the axes along which `shape` was stretched."""
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return array.sum(axis=stretched, keepdims=True)


def _gelu_u(x):
    return _ROOT_2_PI * (x + 0.044715 * x * x * x)


def _normal_cdf(x):
    from scipy.special import ndtr  # here: 0.2 s to import, and NumPy has no erf

    return ndtr(x)


def _in_pieces(x, n_pieces):
    """(..., D) as (..., D / n_pieces, n_pieces)."""
    if n_pieces < 1 or x.ndim == 0 or x.shape[-1] % n_pieces:
        raise ValueError(f"x must be (..., D) with D a multiple of {n_pieces}, got shape {x.shape}")
    return x.reshape(*x.shape[:-1], x.shape[-1] // n_pieces, n_pieces)


def _shifted(scores):
    """Scores less their row's maximum: exp is then at most 1, and the sum at least 1."""
    scores = _floats(scores)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(f"scores must be (..., C) with C at least 1, got shape {scores.shape}")
    return scores - scores.max(axis=-1, keepdims=True)
