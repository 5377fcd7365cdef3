"""The multi-layer perceptron, forward and backward, against torch's layers."""

from itertools import pairwise

import torch
import torch.nn.functional as F

from utils.reference.mlp import mlp_backward, mlp_forward

from ..timing import Case, Side, normal


def mlp(rng, dtype, N, sizes, activation):
    shapes = [shape for D, C in pairwise(sizes) for shape in ((D, C), (C,))]
    x, dout, *flat = normal(rng, dtype, (N, sizes[0]), (N, sizes[-1]), *shapes)
    flat = [p / sizes[0] ** 0.5 for p in flat]
    parameters = list(zip(flat[::2], flat[1::2], strict=True))

    def backward(made):
        dx, gradients = mlp_backward(dout, made[1])
        return (dx, *(g for layer in gradients for g in layer))

    ours = Side(lambda: mlp_forward(x, parameters, activation), backward, lambda made: made[0])

    leaf, upstream = torch.tensor(x, requires_grad=True), torch.tensor(dout)
    # (C, D), as torch.nn.Linear keeps them
    layers = [torch.tensor(p.T.copy(), requires_grad=True) for p in flat]
    function = getattr(torch, activation)

    def peer():
        h = F.linear(leaf, layers[0], layers[1])
        for w, b in zip(layers[2::2], layers[3::2], strict=True):
            h = F.linear(function(h), w, b)
        return h

    theirs = Side(
        peer,
        lambda made: torch.autograd.grad(made, [leaf, *layers], upstream),
        gradients=lambda gradients: (gradients[0], *(g.t() for g in gradients[1:])),
    )
    return ours, theirs


def _mlp(name, **sizes):
    return Case("MLP", name, "torch", mlp, sizes, 1.2, {"N": 3})


CASES = [
    _mlp("relu, 64-32-10, 32 rows", N=32, sizes=(64, 32, 10), activation="relu"),
    _mlp("relu, 784-256-128-10, 128 rows", N=128, sizes=(784, 256, 128, 10), activation="relu"),
    _mlp("tanh, 784-256-128-10, 128 rows", N=128, sizes=(784, 256, 128, 10), activation="tanh"),
    _mlp("relu, 4 of 1024, 256 rows", N=256, sizes=(1024, 1024, 1024, 1024), activation="relu"),
]
