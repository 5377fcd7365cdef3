"""The network stays, the input learns. Torch twin of utils.reference.input_ascent.

A model is any torch.nn.Module or function, model(x) -> scores, and left as it is, as in saliency.
"""

import math

import torch

from .losses import softmax_cross_entropy
from .saliency import score_and_gradient


@torch.no_grad()
def maximize_activation(model, start, labels, n_steps=100, lr=0.1, l2=0.0):
    """Torch twin of utils.reference.input_ascent.maximize_activation."""
    if n_steps < 0 or not 0 < lr < math.inf or not 0 <= l2 < math.inf:
        raise ValueError(
            f"n_steps and l2 must be at least 0 and lr positive, got {n_steps}, {l2} and {lr}"
        )
    x, history = start, []
    for step in range(n_steps + 1):
        score, dx = score_and_gradient(model, x, labels)
        history.append(score - l2 / 2 * x.square().flatten(start_dim=1).sum(dim=1))
        if step < n_steps:
            x = x + lr * (dx - l2 * x)
    return x.clone(), torch.stack(history)


@torch.enable_grad()
def fgsm(model, x, labels, epsilon, clip=None, targeted=False):
    """Torch twin of utils.reference.input_ascent.fgsm."""
    if not x.is_floating_point():
        raise ValueError(f"x must be floats, got {x.dtype}")
    if not 0 <= epsilon < math.inf:
        raise ValueError(f"epsilon must be at least 0, got {epsilon}")
    low, high = (-math.inf, math.inf) if clip is None else clip
    if not low <= high:
        raise ValueError(f"clip must be (low, high), low at most high, got {clip}")
    x = x.detach().requires_grad_()
    loss = softmax_cross_entropy(model(x.clone()), labels)
    (dx,) = torch.autograd.grad(loss, x)
    step = epsilon * dx.sign()
    changed = x.detach() - step if targeted else x.detach() + step
    return changed.clamp(low, high)
