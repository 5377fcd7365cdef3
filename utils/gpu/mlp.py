"""The multilayer perceptron. Torch twin of utils.reference.mlp; autograd goes backwards."""

from itertools import pairwise

import torch
import torch.nn.functional as F

from .activations import ACTIVATIONS
from .initializers import he_normal
from .losses import softmax_cross_entropy


def affine_forward(x, w, b):
    """Torch twin of utils.reference.mlp.affine_forward, product and sum in one kernel."""
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[0] or b.shape != w.shape[1:]:
        raise ValueError(
            "x, w, b must be (..., D), (D, C), (C,), "
            f"got {tuple(x.shape)}, {tuple(w.shape)}, {tuple(b.shape)}"
        )
    return F.linear(x, w.T, b)


def mlp_init(sizes, generator):
    """Torch twin of utils.reference.mlp.mlp_init.

    Differs: the parameters lie on the generator's device, in torch's default dtype; autograd
    follows them once requires_grad_() is called on each.
    """
    _require_sizes(sizes)
    return [
        (he_normal((D_in, D_out), generator), torch.zeros(D_out, device=generator.device))
        for D_in, D_out in pairwise(sizes)
    ]


def count_parameters(parameters):
    """Torch twin of utils.reference.mlp.count_parameters."""
    return sum(w.numel() + b.numel() for w, b in parameters)


def mlp_forward(x, parameters, activation="relu", output="identity"):
    """Torch twin of utils.reference.mlp.mlp_forward."""
    _require_layers(x, parameters)
    names = [activation] * (len(parameters) - 1) + [output]
    for (w, b), name in zip(parameters, names, strict=True):
        x = _activation(name)(affine_forward(x, w, b))
    return x


def mlp_loss(x, y, parameters, loss=softmax_cross_entropy, activation="relu", output="identity"):
    """Torch twin of utils.reference.mlp.mlp_loss.

    Differs: loss returns the loss alone; its backward() leaves dw and db in w.grad and b.grad.
    """
    return loss(mlp_forward(x, parameters, activation, output), y)


def mlp_model(parameters, activation="relu", output="identity"):
    """Torch twin of utils.reference.mlp.mlp_model."""
    return lambda x: mlp_forward(x, parameters, activation, output)


def _activation(name):
    if name not in ACTIVATIONS:
        raise ValueError(f"activation and output must be of {sorted(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]


def _require_sizes(sizes):
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be two or more ints of at least 1, got {tuple(sizes)}")


def _require_layers(x, parameters):
    shapes = [(tuple(w.shape), tuple(b.shape)) for w, b in parameters]
    width, fits = x.shape[-1] if x.ndim == 2 else None, bool(shapes)
    for w_shape, b_shape in shapes:
        fits = fits and len(w_shape) == 2 and w_shape[0] == width and b_shape == w_shape[1:]
        width = w_shape[-1] if w_shape else None
    if not fits:
        raise ValueError(
            "x and the layers must chain, x (N, D), w (D, H), b (H,), w (H, ...), ..., "
            f"got x {tuple(x.shape)}, (w, b) {shapes}"
        )
