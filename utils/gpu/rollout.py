"""Attention through many layers. Torch twin of utils.reference.rollout."""

import torch


def attention_rollout(weights):
    """Torch twin of utils.reference.rollout.attention_rollout."""
    shapes = {tuple(layer.shape) for layer in weights}
    B, H, T, S = next(iter(shapes)) if {len(s) for s in shapes} == {4} else (0, 0, 0, 0)
    if len(shapes) != 1 or H == 0 or T != S:
        raise ValueError(
            "weights must be at least one layer of (B, H, T, T), at least one head, all alike, "
            f"got {[tuple(layer.shape) for layer in weights]}"
        )
    identity = torch.eye(T, dtype=weights[0].dtype, device=weights[0].device)
    rollout = identity.expand(B, T, T)
    for layer in weights:
        mixed = layer.mean(dim=1) + identity  # (B, T, T)
        rollout = mixed / mixed.sum(dim=-1, keepdim=True) @ rollout
    return rollout
