"""First weights: random, so that neurons differ, and of a size that lets signals through.

n independent terms w x of mean 0 have the variance n var(w) E[x^2]. A signal that is to be as
strong after the layer as before asks for var(w) = 1/n; the schemes differ in what n counts.

fan_in counts what flows into a neuron, fan_out where its output flows to:

    dense (D_in, D_out)         fan_in = D_in,     fan_out = D_out
    convolution (F, C, kH, kW)  fan_in = C kH kW,  fan_out = F kH kW

A normal draw of deviation std and a uniform one in [-limit, limit] have the same variance where
limit = sqrt(3) std. shape is one of the two above, rng a numpy.random.Generator.

Raises ValueError if shape has neither 2 nor 4 sides, or a side below 1.
"""

import numpy as np


def fans(shape):
    """How many numbers meet in a neuron, and in how many it takes part.

    returns: fan_in, fan_out, ints
    """
    if len(shape) not in (2, 4) or min(shape) < 1:
        raise ValueError(
            f"shape must be (D_in, D_out) or (F, C, kH, kW), sides at least 1, got {tuple(shape)}"
        )
    if len(shape) == 2:
        return tuple(shape)
    F, C, kH, kW = shape
    return C * kH * kW, F * kH * kW


def lecun_normal(shape, rng):
    """For inputs of variance 1 and activations near the identity at 0: tanh, selu.

        w ~ normal(0, 1 / fan_in)

    returns: shape, float64
    source : LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), eq. 16
    """
    fan_in, _ = fans(shape)
    return np.sqrt(1 / fan_in) * rng.standard_normal(shape)


def lecun_uniform(shape, rng):
    """lecun_normal's variance, without its tails.

        w ~ uniform(-limit, limit),  limit = sqrt(3 / fan_in)

    returns: shape, float64
    source : as lecun_normal
    """
    fan_in, _ = fans(shape)
    return _uniform(np.sqrt(3 / fan_in), shape, rng)


def glorot_normal(shape, rng):
    """A compromise: signals forward ask for 1/fan_in, gradients backward for 1/fan_out.

        w ~ normal(0, 2 / (fan_in + fan_out))

    returns: shape, float64
    source : Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
             Networks (2010), eq. 12
    """
    return np.sqrt(2 / sum(fans(shape))) * rng.standard_normal(shape)


def glorot_uniform(shape, rng):
    """glorot_normal's variance, without its tails; also called Xavier.

        w ~ uniform(-limit, limit),  limit = sqrt(6 / (fan_in + fan_out))

    returns: shape, float64
    source : Glorot and Bengio (2010), eq. 16
    """
    return _uniform(np.sqrt(6 / sum(fans(shape))), shape, rng)


def he_normal(shape, rng):
    """For relu, which sets half its input to 0 and so halves the second moment E[x^2].

        w ~ normal(0, 2 / fan_in)

    returns: shape, float64
    source : He, Zhang, Ren and Sun, Delving Deep into Rectifiers (2015), eq. 10
    """
    fan_in, _ = fans(shape)
    return np.sqrt(2 / fan_in) * rng.standard_normal(shape)


def he_uniform(shape, rng):
    """he_normal's variance, without its tails.

        w ~ uniform(-limit, limit),  limit = sqrt(6 / fan_in)

    returns: shape, float64
    source : as he_normal
    """
    fan_in, _ = fans(shape)
    return _uniform(np.sqrt(6 / fan_in), shape, rng)


def orthogonal(shape, rng, gain=1.0):
    """A rotation: lengths stay as they are through any number of linear layers.

        w^T w = gain^2 I  or  w w^T = gain^2 I,  the smaller of the two

    A matrix of normal numbers is made orthogonal by QR; with the signs of R's diagonal moved
    into Q every rotation is equally likely. A convolution counts as the matrix (F, C kH kW).

    gain   : float, what lengths are multiplied by; sqrt(2) for relu
    returns: shape, float64
    source : Saxe, McClelland and Ganguli, Exact Solutions to the Nonlinear Dynamics of Learning
             in Deep Linear Neural Networks (2014); the signs, Mezzadri (2007)
    """
    fans(shape)
    rows, columns = shape[0], int(np.prod(shape[1:]))
    long, short = max(rows, columns), min(rows, columns)
    q, r = np.linalg.qr(rng.standard_normal((long, short)))  # columns of q are orthonormal
    q = q * np.sign(np.diagonal(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)


def _uniform(limit, shape, rng):
    return rng.uniform(-limit, limit, size=shape)
