"""The functions that a neuron applies. Torch twin of utils.reference.activations.

Torch's own kernels take the same care against overflow as the reference, in one pass.
"""

import torch
import torch.nn.functional as F


def identity(x):
    """Torch twin of utils.reference.activations.identity."""
    return x


def step(x):
    """Torch twin of utils.reference.activations.step.

    By floor, whose gradient of 0 autograd knows; through a comparison it finds none at all.
    """
    return torch.floor(x).clamp(-1, 0) + 1


def sigmoid(x, steepness=1.0):
    """Torch twin of utils.reference.activations.sigmoid."""
    return torch.sigmoid(steepness * x)


def tanh(x):
    """Torch twin of utils.reference.activations.tanh."""
    return torch.tanh(x)


def relu(x):
    """Torch twin of utils.reference.activations.relu."""
    return F.relu(x)


def leaky_relu(x, slope=0.01):
    """Torch twin of utils.reference.activations.leaky_relu."""
    return F.leaky_relu(x, slope)


def prelu(x, slope):
    """Torch twin of utils.reference.activations.prelu.

    Not F.prelu, which takes one slope or one per channel, and no other shape.
    """
    if isinstance(slope, torch.Tensor):
        _require_broadcastable(slope, x)
    return torch.where(x > 0, x, slope * x)


def elu(x, alpha=1.0):
    """Torch twin of utils.reference.activations.elu."""
    return F.elu(x, alpha)


def selu(x):
    """Torch twin of utils.reference.activations.selu."""
    return F.selu(x)


def gelu(x, approximate=False):
    """Torch twin of utils.reference.activations.gelu."""
    return F.gelu(x, approximate="tanh" if approximate else "none")


def softplus(x):
    """Torch twin of utils.reference.activations.softplus.

    logsigmoid and not F.softplus, which beyond 20 drops the exponential and is 2e-9 off.
    """
    return -F.logsigmoid(-x)


def maxout(x, n_pieces):
    """Torch twin of utils.reference.activations.maxout.

    argmax and then gather: amax would share the gradient among pieces that tie.
    """
    if n_pieces < 1 or x.ndim == 0 or x.shape[-1] % n_pieces:
        raise ValueError(
            f"x must be (..., D) with D a multiple of {n_pieces}, got shape {tuple(x.shape)}"
        )
    pieces = x.unflatten(-1, (x.shape[-1] // n_pieces, n_pieces))
    return pieces.gather(-1, pieces.argmax(dim=-1, keepdim=True)).squeeze(-1)


def softmax(scores):
    """Torch twin of utils.reference.activations.softmax."""
    _require_classes(scores)
    return torch.softmax(scores, dim=-1)


def log_softmax(scores):
    """Torch twin of utils.reference.activations.log_softmax."""
    _require_classes(scores)
    return torch.log_softmax(scores, dim=-1)


def log_sum_exp(scores):
    """Torch twin of utils.reference.activations.log_sum_exp."""
    _require_classes(scores)
    return torch.logsumexp(scores, dim=-1)


# The reference keeps each derivative beside its function; here autograd has it.
ACTIVATIONS = {
    "identity": identity,
    "step": step,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "softplus": softplus,
    "softmax": softmax,
    "log_softmax": log_softmax,
}


def _require_broadcastable(slope, x):
    try:
        fits = torch.broadcast_shapes(x.shape, slope.shape) == x.shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"slope must broadcast to the shape of x, {tuple(x.shape)}, got {tuple(slope.shape)}"
        )


def _require_classes(scores):
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(
            f"scores must be (..., C) with C at least 1, got shape {tuple(scores.shape)}"
        )
