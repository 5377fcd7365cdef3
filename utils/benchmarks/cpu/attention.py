"""Attention, forward and backward, against torch's fused function and its module."""

import numpy as np
import torch
import torch.nn.functional as F

from utils.reference.attention import (
    attention_backward,
    attention_forward,
    multi_head_attention_backward,
    multi_head_attention_forward,
)

from ..timing import Case, Side, against_torch, normal


def attention(rng, dtype, B, heads, T, d, causal=False, masked=False):
    mask = rng.random((B, 1, T, T)) < 0.8 if masked else None
    if masked:
        mask |= np.eye(T, dtype=bool)  # torch gives nan to who may look nowhere
    torch_mask = None if mask is None else torch.tensor(mask)
    return against_torch(
        rng,
        normal(rng, dtype, *[(B, heads, T, d)] * 3),
        lambda q, k, v: attention_forward(q, k, v, mask, causal),
        attention_backward,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, torch_mask, is_causal=causal),
    )


def multi_head(rng, dtype, B, T, E, heads):
    """Self-attention: x is queries, keys and values at once."""
    x, dout, b_o = normal(rng, dtype, (B, T, E), (B, T, E), E)
    weights = [w / np.sqrt(E).astype(dtype) for w in normal(rng, dtype, *[(E, E)] * 4)]
    biases = [*normal(rng, dtype, *[E] * 3), b_o]

    def backward(made):
        dq, dk, dv, *parameters = multi_head_attention_backward(dout, made[1])
        return (dq + dk + dv, *parameters)

    ours = Side(
        lambda: multi_head_attention_forward(x, x, x, *weights, *biases, heads),
        backward,
        lambda made: made[0],
    )

    module = torch.nn.MultiheadAttention(E, heads, batch_first=True, dtype=getattr(torch, dtype))
    joined = np.concatenate([w.T for w in weights[:3]]), np.concatenate(biases[:3])
    with torch.no_grad():
        for parameter, value in zip(
            module.parameters(), (*joined, weights[3].T, biases[3]), strict=True
        ):
            parameter.copy_(torch.tensor(value))
    leaf, upstream = torch.tensor(x, requires_grad=True), torch.tensor(dout)
    leaves = [leaf, *module.parameters()]

    def as_ours(gradients):
        dx, dw, db, dw_o, db_o = gradients
        return (dx, *(part.T for part in dw.split(E)), dw_o.T, *db.split(E), db_o)

    theirs = Side(
        lambda: module(leaf, leaf, leaf, need_weights=False)[0],
        lambda made: torch.autograd.grad(made, leaves, upstream),
        gradients=as_ours,
    )
    return ours, theirs


def _attention(name, **sizes):
    return Case("attention", name, "torch", attention, sizes, 1.0, {"B": 2, "T": 5})


def _multi_head(name, **sizes):
    return Case("multi-head attention", name, "torch", multi_head, sizes, 1.0, {"T": 5})


CASES = [
    _attention("8 heads of 64, T = 128", B=4, heads=8, T=128, d=64),
    _attention("causal, 12 heads of 64, T = 256", B=2, heads=12, T=256, d=64, causal=True),
    _attention("causal, 4 heads of 64, T = 1024", B=1, heads=4, T=1024, d=64, causal=True),
    _attention("masked, 8 heads of 32, T = 64", B=8, heads=8, T=64, d=32, masked=True),
    _attention("2 heads of 16, T = 16", B=2, heads=2, T=16, d=16),
    _multi_head("4 of 16, T = 32", B=8, T=32, E=64, heads=4),
    _multi_head("8 of 64, T = 128", B=4, T=128, E=512, heads=8),
]
