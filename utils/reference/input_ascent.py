"""The network stays, the input learns: to please a class, or to be taken for another.

A model is a function of its input alone, model(x) -> (scores, backward), as in saliency.
"""

import math

import numpy as np

from .losses import softmax_cross_entropy
from .saliency import score_and_gradient


def maximize_activation(model, start, labels, n_steps=100, lr=0.1, l2=0.0):
    """Draw what a class looks like to the network: gradient ascent on the input.

        objective = s_y(x) - l2 / 2 |x|^2,  x <- x + lr (d s_y / d x - l2 x)

    Nothing else holds the image: without l2 most of it is noise, and where scores = x w it grows
    for ever. With l2 it settles there at w_y / l2.

    model  : function of x, returns scores and backward; any output will do, so that a part of a
             network shows what a unit within it responds to
    start  : (N, ...), zeros, a little noise, or images to begin with
    labels : (N,) int, the class, or the unit, that each input is to please
    n_steps: int >= 0
    lr     : float > 0; with l2, below 2 / l2, or the steps leap ever farther
    l2     : float >= 0; source writes it lambda = l2 / 2
    returns: x, the shape of start
             history, (n_steps + 1, N), the objective of each, from the start to the end
    raises : ValueError, as saliency does, or if an option is out of its range
    source : Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks (2014),
             section 2
    """
    if n_steps < 0 or not 0 < lr < math.inf or not 0 <= l2 < math.inf:
        raise ValueError(
            f"n_steps and l2 must be at least 0 and lr positive, got {n_steps}, {l2} and {lr}"
        )
    x, history = start, []
    for step in range(n_steps + 1):
        score, dx = score_and_gradient(model, x, labels)
        history.append(score - l2 / 2 * (x**2).reshape(len(x), -1).sum(axis=1))
        if step < n_steps:
            x = x + lr * (dx - l2 * x)
    return x.copy(), np.array(history)


def fgsm(model, x, labels, epsilon, clip=None, targeted=False):
    """The fast gradient sign method: one small step of every pixel, all in the worst direction.

        x' = x + epsilon sign(d loss / d x),  loss = softmax cross-entropy of the labels

    Of all changes of at most epsilon in each pixel this one would raise the loss most, were it
    linear in x: by epsilon times the sum of |d loss / d x|, which grows with the number of pixels
    while the change stays too small to see.

    model   : function of x, returns scores and backward
    x       : (N, ...) float
    labels  : (N,) int in [0, C), the right classes; if targeted, the classes to be mistaken for
    epsilon : float >= 0, in the unit of x
    clip    : None, or (low, high), the range of a valid image, within which x lies
    targeted: bool, step down the loss instead of up
    returns : the shape of x, nowhere farther than epsilon from it
    raises  : ValueError, if the shapes disagree, a label is outside [0, C), x not float or out
              of the range of clip, or epsilon negative
    source  : Goodfellow, Shlens and Szegedy, Explaining and Harnessing Adversarial Examples
              (2015), section 4; targeted: Kurakin, Goodfellow and Bengio, Adversarial Machine
              Learning at Scale (2017), section 2
    """
    if x.dtype.kind != "f":
        raise ValueError(f"x must be floats, got {x.dtype}")
    if not 0 <= epsilon < math.inf:
        raise ValueError(f"epsilon must be at least 0, got {epsilon}")
    low, high = (-math.inf, math.inf) if clip is None else clip
    if not low <= high or (x < low).any() or (x > high).any():
        raise ValueError(f"x must lie within clip, {clip}, got {x.min()} to {x.max()}")
    scores, backward = model(x)
    _, dscores = softmax_cross_entropy(scores, labels)
    step = epsilon * np.sign(backward(dscores))
    changed = x - step if targeted else x + step
    return changed.clip(low, high)
