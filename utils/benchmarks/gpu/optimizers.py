"""A step of AdamW over all parameters of GPT, 124 million in 148 tensors, against the fused one."""

import torch

from utils.gpu.gpt import gpt_shapes
from utils.gpu.optimizers import adamw_step

from ..timing import Case, Side
from .device import compiled, tensors

LR = 0.001


def update(weights, gradients, states):
    made = [
        adamw_step(w, dw, state, lr=LR)
        for w, dw, state in zip(weights, gradients, states, strict=True)
    ]
    return [w for w, _ in made], [state for _, state in made]


def adamw(rng, dtype, device, **sizes):
    """Ours makes new weights, the peer changes its own: both read and write as many numbers."""
    shapes = gpt_shapes(**sizes).values()
    first, gradients = (tensors(rng, dtype, device, *shapes) for _ in range(2))
    # combo_kernels: tensors that have nothing to do with each other share a kernel's launch
    step = compiled(update, device, combo_kernels=True)
    ours = {"weights": first, "states": [None] * len(first)}
    theirs = [w.clone() for w in first]
    for w, dw in zip(theirs, gradients, strict=True):
        w.grad = dw
    optimizer = torch.optim.AdamW(theirs, lr=LR, fused=True)

    def forward():
        ours["weights"], ours["states"] = step(ours["weights"], gradients, ours["states"])
        return ours["weights"]

    def peer():
        optimizer.step()
        return theirs

    def moved(weights):
        """How far since the first, in units of the learning rate."""
        return [(w - w_first) / LR for w, w_first in zip(weights, first, strict=True)]

    for _ in range(3):  # no state, t = 1 and any t are compiled each on its own
        forward(), peer()
    return Side(forward, results=moved), Side(peer, results=moved)


CASES = [
    Case(
        "AdamW", "124 M parameters", "fused", adamw,
        {"vocabulary": 50304, "context": 1024, "width": 768, "n_layers": 12}, 1.05,
        {"vocabulary": 11, "context": 8, "width": 8, "n_layers": 1}, ("float32",),
    )
]  # fmt: skip
