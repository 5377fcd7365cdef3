"""The multilayer perceptron: affine layers, an activation between them, every gradient by hand.

    h_0 = x,  a_l = h_(l-1) w_l + b_l,  h_l = activation(a_l);  scores = output(a_L)

Backwards every layer does the same, from the last to the first: it is told dout, the gradient by
what it gave, and returns the gradients by what it took.
"""

import math
from itertools import pairwise

import numpy as np

from ._gradients import require_gradient
from .activations import ACTIVATIONS
from .initializers import he_normal
from .losses import softmax_cross_entropy


def affine_forward(x, w, b):
    """One layer of neurons before their activation.

        out = x w + b

    x      : (..., D), examples along all axes but the last
    w      : (D, C), column c the weights of neuron c
    b      : (C,), the weight of a constant input 1
    returns: out, (..., C); cache for affine_backward
    raises : ValueError, if the shapes do not fit
    """
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[0] or b.shape != w.shape[1:]:
        raise ValueError(
            f"x, w, b must be (..., D), (D, C), (C,), got {x.shape}, {w.shape}, {b.shape}"
        )
    out = x @ w
    out += b  # in place: a new array takes longer than the sum
    return out, (x, w)


def affine_backward(dout, cache):
    """The chain rule through out = x w + b.

        dx = dout w^T,  dw = x^T dout,  db = sum of dout over the examples

    Each by its shape: dw must be (D, C), made of x (N, D) and dout (N, C), and every example
    that a weight served adds its part.

    dout   : (..., C)
    returns: dx, (..., D); dw, (D, C); db, (C,)
    raises : ValueError, if dout has not the shape of out
    """
    x, w = cache
    require_gradient(dout, (*x.shape[:-1], w.shape[1]))
    n = math.prod(x.shape[:-1])  # examples
    x_rows, dout_rows = x.reshape(n, w.shape[0]), dout.reshape(n, w.shape[1])
    return dout @ w.T, x_rows.T @ dout_rows, dout_rows.sum(axis=0)


def mlp_init(sizes, rng):
    """Random weights, of a size that keeps the signal from fading in layers of relu.

        w ~ Normal(0, 2 / D_in),  b = 0

    Were all weights equal, all neurons of a layer would learn the same.

    sizes  : ints, the widths from the input to the output: (64, 32, 10) has one hidden layer
    rng    : numpy.random.Generator
    returns: parameters, a list of (w, b), w (D_in, D_out), b (D_out,)
    raises : ValueError, if there are fewer than two sizes or one is below 1
    source : He et al., Delving Deep into Rectifiers (2015), eq. 10
    """
    _require_sizes(sizes)
    return [(he_normal((D_in, D_out), rng), np.zeros(D_out)) for D_in, D_out in pairwise(sizes)]


def count_parameters(parameters):
    """How many numbers are learned: sum over the layers of D_in D_out weights and D_out biases.

    parameters: list of (w, b)
    returns   : int
    """
    return sum(w.size + b.size for w, b in parameters)


def mlp_forward(x, parameters, activation="relu", output="identity"):
    """From inputs to scores.

    x         : (N, D)
    parameters: list of (w, b), at least one; each w takes what the one before gives
    activation: a key of activations.ACTIVATIONS, after every layer but the last
    output    : a key of activations.ACTIVATIONS, after the last layer
    returns   : out, (N, C); cache for mlp_backward
    raises    : ValueError, if the shapes do not fit or a name is unknown
    """
    _require_layers(x, parameters)
    names = [activation] * (len(parameters) - 1) + [output]
    cache, h = [], x
    for (w, b), name in zip(parameters, names, strict=True):
        function, function_backward = _activation(name)
        a, affine_cache = affine_forward(h, w, b)
        cache.append((affine_cache, a, function_backward))
        h = function(a)
    return h, cache


def mlp_backward(dout, cache):
    """The chain rule through all layers, from the last to the first.

    dout   : (N, C), d loss / d out
    returns: dx, (N, D); gradients, a list of (dw, db) in the order of parameters
    raises : ValueError, if dout has not the shape of out
    """
    gradients = []
    for affine_cache, a, function_backward in reversed(cache):
        da = function_backward(dout, a)
        dout, dw, db = affine_backward(da, affine_cache)  # what the layer below will be told
        gradients.append((dw, db))
    return dout, gradients[::-1]


def mlp_loss(x, y, parameters, loss=softmax_cross_entropy, activation="relu", output="identity"):
    """What the network costs on a batch, and the gradient by every parameter.

    x         : (N, D)
    y         : what the loss compares the outputs with: labels (N,), targets (N, C), ...
    parameters: list of (w, b)
    loss      : function of (outputs, y) that returns (loss, doutputs)
    activation: a key of activations.ACTIVATIONS, after every layer but the last
    output    : a key of activations.ACTIVATIONS, after the last layer, for losses of something
                other than scores: "sigmoid" for binary_cross_entropy
    returns   : loss, float; gradients, a list of (dw, db) in the order of parameters
    raises    : ValueError, if the shapes do not fit, a name is unknown, or as loss does
    """
    out, cache = mlp_forward(x, parameters, activation, output)
    value, dout = loss(out, y)
    _, gradients = mlp_backward(dout, cache)
    return value, gradients


def mlp_model(parameters, activation="relu", output="identity"):
    """The network as a function of its input alone: the form that saliency explains.

    parameters: list of (w, b); its first few alone make the units of a layer the outputs
    activation: a key of activations.ACTIVATIONS, after every layer but the last
    output    : a key of activations.ACTIVATIONS, after the last layer
    returns   : model, x (N, D) -> out (N, C) and backward, dout -> dx
    """

    def model(x):
        out, cache = mlp_forward(x, parameters, activation, output)
        return out, lambda dout: mlp_backward(dout, cache)[0]

    return model


def _activation(name):
    if name not in ACTIVATIONS:
        raise ValueError(f"activation and output must be of {sorted(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]


def _require_sizes(sizes):
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be two or more ints of at least 1, got {tuple(sizes)}")


def _require_layers(x, parameters):
    """The widths must chain: said here for the whole network, where the mistake is visible."""
    shapes = [(w.shape, b.shape) for w, b in parameters]
    width, fits = x.shape[-1] if x.ndim == 2 else None, bool(shapes)
    for w_shape, b_shape in shapes:
        fits = fits and len(w_shape) == 2 and w_shape[0] == width and b_shape == w_shape[1:]
        width = w_shape[-1] if w_shape else None
    if not fits:
        raise ValueError(
            "x and the layers must chain, x (N, D), w (D, H), b (H,), w (H, ...), ..., "
            f"got x {x.shape}, (w, b) {shapes}"
        )
