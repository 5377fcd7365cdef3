"""Unit 02: a network trained by a loop of one's own, and what such a network does."""

from itertools import pairwise

import numpy as np

from grader.checking import (
    call,
    check,
    expect,
    expect_choice,
    expect_parts,
    kind_of,
    plain,
    withholds,
)
from utils.reference.mlp import mlp_loss


@withholds("train", "train_linear_classifier", "mlp_loss", "mlp_forward", "mlp_backward")
@check
def check_train_mlp(fn, seed=0):
    """train_mlp(x, y, sizes, epochs, rng): x (N, D), y (N,) integers, sizes the widths from the
    input to the output -> parameters, a list of (w, b), w (D_in, D_out), b (D_out,).

    Starts from random weights and goes over the examples `epochs` times, in mini-batches, in an
    order drawn anew; relu between the layers, softmax cross-entropy. All chance comes from rng.
    """
    rng = np.random.default_rng(seed)

    # shapes, and what must hold of any network
    x, y = corners(rng, 60)
    for sizes in [(2, 4, 3, 2), (2, 5, 2), (2, 2)]:
        parameters_of(call(fn, x, y, sizes, 1, np.random.default_rng(seed)), sizes)

    # four clouds in the corners of a square, opposite ones of one class: no line parts them
    x, y = corners(rng, 320)
    new_x, new_y = corners(rng, 200)
    sizes, epochs = (2, 24, 2), 40
    start = trained(fn, x, y, sizes, 0, seed)
    w1 = start[0][0]
    alike = w1.shape[1] > 1 and np.allclose(w1, w1[:, :1])
    equal = (
        "at the start all hidden neurons are equal, and so they stay; draw the weights from rng."
    )
    expect(not alike, equal)
    network = trained(fn, x, y, sizes, epochs, seed)
    learned = (
        "the parameters after 40 epochs are those after 0: subtract lr times the gradient in every "
        "step, return what comes out, and let epochs say how often."
    )
    expect(not alike_in_all(network, start), learned)
    fixed = "one of the layers stays as it was drawn; every w and every b is updated."
    moved = [
        not np.array_equal(a, b)
        for p, q in zip(network, start, strict=True)
        for a, b in zip(p, q, strict=True)
    ]
    expect(all(moved), fixed)
    again = trained(fn, x, y, sizes, epochs, seed)
    unrepeated = "two runs with equal rng end in different weights; draw from the rng passed in."
    expect(alike_in_all(network, again), unrepeated)
    other = trained(fn, x, y, sizes, 0, seed + 1)
    ignored = "the first weights do not depend on rng; draw them from the rng passed in."
    expect(not alike_in_all(start, other), ignored)
    after_one = trained(fn, x, y, sizes, 1, seed)
    counted = (
        "the parameters after 40 epochs are those after 1: go over the examples so many times, "
        "and start from small weights."
    )
    expect(not alike_in_all(network, after_one), counted)

    unmoved = "one epoch over 320 examples changes nothing; update after every mini-batch."
    expect(not alike_in_all(start, after_one), unmoved)
    gradient = mlp_loss(x, y, start)[1]
    whole = (
        "an epoch makes one update, by the gradient of all examples: that is full-batch descent; "
        "update after every mini-batch."
    )
    expect(not one_step(start, after_one, gradient), whole)

    before, after = cost(start, x, y), cost(network, x, y)
    diverged = "the loss grows in training: is the gradient subtracted, and the step not too long?"
    expect(after < before + 0.5, diverged)
    right = accuracy(network, new_x, new_y)
    slow = (
        f"it learns too slowly: only {right:.0%} of new examples are right after 40 epochs; take "
        "small batches and a rate at which the loss falls fast and never grows."
    )
    small_steps = np.abs(flat(network) - flat(start)).max() < 0.2
    expect(right > 0.9 or not small_steps, slow)
    straight = (
        f"only {right:.0%} of new examples are right, and a straight line can do as much: do x "
        "and y keep the same order, and is there a relu between the layers?"
    )
    expect(right > 0.8, straight)
    expect(right > 0.9, slow)

    # sorted by class, as files often are, and the classes overlap
    y = np.repeat([0, 1], 800)
    x = rng.normal(size=(1600, 2)) + y[:, None] - 0.5
    network = trained(fn, x, y, (2, 8, 2), 3, seed)
    ones = scores_of(network, x).argmax(axis=1).mean()
    shuffled = (
        f"with examples sorted by class, {max(ones, 1 - ones):.0%} are taken for one of two equal "
        "classes, as the last batches were all of one; draw a new order in every epoch."
    )
    expect(0.2 < ones < 0.8, shuffled)

    # fewer examples than a batch may have
    x, y = corners(rng, 12)
    small, start = (trained(fn, x, y, (2, 8, 2), e, seed) for e in (5, 0))
    left_over = "12 examples change no weight; a batch that is not full is a batch too."
    expect(not alike_in_all(small, start), left_over)


def corners(rng, n):
    """Clouds around the corners of a square, those of a diagonal of one class."""
    signs = rng.choice([-1, 1], size=(n, 2))
    signs[:4] = [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    return signs + 0.3 * rng.normal(size=(n, 2)), (signs.prod(axis=1) > 0).astype(int)


def trained(fn, x, y, sizes, epochs, seed):
    return parameters_of(call(fn, x, y, sizes, epochs, np.random.default_rng(seed)), sizes)


def parameters_of(got, sizes):
    """A list of pairs of float arrays whose shapes are those of the layers."""
    layers = len(sizes) - 1
    pairs = "parameters should be a list of pairs (w, b), one for each layer"
    is_list = type(got) in (list, tuple)
    expect(is_list, f"{pairs}, but it returned {kind_of(got)}.")
    expect(len(got) == layers, f"{pairs}: sizes {sizes} should give {layers}, not {len(got)}.")
    parameters = []
    for number, (pair, shape) in enumerate(zip(got, pairwise(sizes), strict=True), start=1):
        is_pair = type(pair) in (list, tuple) and len(pair) == 2
        expect(is_pair, f"{pairs}, but one of its entries is {kind_of(pair)}.")
        w, b = expect_parts(pair, "(w, b)")
        parameters.append(
            (
                layer_part(w, shape, f"w of layer {number}", sizes),
                layer_part(b, shape[1:], f"b of layer {number}", sizes),
            )
        )
    return parameters


def layer_part(got, shape, what, sizes):
    array = plain(got, what)
    wanted = f"{what} should have shape {shape} for the sizes {sizes}, but it is {array.shape}."
    expect(array.shape == shape, wanted)
    expect(array.dtype.kind == "f", f"{what} should hold floats, but the dtype is {array.dtype}.")
    too_far = f"{what}: there is nan or inf in it; are the steps too long?"
    expect(np.isfinite(array).all(), too_far)
    return array.astype(float)


def alike_in_all(a, b):
    return all(
        np.array_equal(p, q)
        for one, two in zip(a, b, strict=True)
        for p, q in zip(one, two, strict=True)
    )


def scores_of(parameters, x):
    h = x
    for w, b in parameters[:-1]:
        h = np.maximum(h @ w + b, 0)
    w, b = parameters[-1]
    return h @ w + b


def one_step(start, end, gradient):
    """Whether the way from start to end is one step along the gradient."""
    way = flat(end) - flat(start)
    gradient = flat(gradient)
    along = way @ gradient / (gradient @ gradient)
    return np.abs(way - along * gradient).max() <= 1e-9 * np.abs(way).max()


def flat(parameters):
    return np.concatenate([part.ravel() for pair in parameters for part in pair])


def accuracy(parameters, x, y):
    return (scores_of(parameters, x).argmax(axis=1) == y).mean()


def cost(parameters, x, y):
    scores = scores_of(parameters, x)
    return (np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(x)), y]).mean()


@check
def check_overfit_first(answer, seed=0):
    """Before a network is trained on everything, one trains it on 20 examples until it knows them
    by heart. What is that good for?

    a) Its weights are a good start for the training on everything.
    b) A network that cannot even do that has a mistake somewhere: it is found in seconds.
    c) It shows how well the network will do on new examples.
    d) It shows how strong the regularization has to be.
    """
    expect_choice(
        answer,
        right="b",
        wrong={
            "a": "what is known by heart is no help later; these weights are thrown away.",
            "c": "of new examples 20 known by heart say nothing.",
            "d": "nothing is held back yet, and no new example shows what it should hold back.",
        },
    )


@check
def check_silenced_units(answer, seed=0):
    """In a trained network some randomly chosen hidden units are silenced: their outputs are set
    to 0, and nothing is trained again. With 10 % of them the accuracy hardly falls, with more of
    them it falls step by step. Why?

    a) The units that were silenced had been dead before.
    b) The units that are left learn what the silenced ones had known.
    c) Softmax makes the probabilities sum to 1 again, which makes up for what is missing.
    d) No unit alone stands for a class: each carries a bit of many of them.
    """
    expect_choice(
        answer,
        right="d",
        wrong={
            "a": "they were chosen at random, and most of the units were alive.",
            "b": "nothing is trained again, so no unit changes.",
            "c": "softmax makes a sum of 1 of any scores, also of wrong ones.",
        },
    )
