"""Attention through many layers: from which words a word's last state has come.

The attention of a deep layer says where it looks among the states of the layer below, and each of
those is a mixture already. Rollout follows the mixtures down to the input.
"""

import numpy as np


def attention_rollout(weights):
    """Multiply the attention of the layers, half of each the residual connection.

        A_l     = (mean of the heads of layer l + identity) / 2
        rollout = A_L ... A_2 A_1

    Row i says how much of each input word is in the last state of word i, as far as values are
    only mixed: what dense layers and values do to them, rollout does not see. A query that may
    look nowhere, a row of zeros, keeps what it has: each row of A_l is divided by its sum, which
    is 1 already for all others.

    weights: (L, B, H, T, T), or a list of L arrays (B, H, T, T), the first layer first: from
             attention_weights
    returns: (B, T, T), none negative, each row summing to 1
    raises : ValueError, if there is no layer or no head, or the shapes are others or disagree
    source : Abnar and Zuidema, Quantifying Attention Flow in Transformers (2020), section 3
    """
    shapes = {layer.shape for layer in weights}
    B, H, T, S = next(iter(shapes)) if {len(s) for s in shapes} == {4} else (0, 0, 0, 0)
    if len(shapes) != 1 or H == 0 or T != S:
        raise ValueError(
            "weights must be at least one layer of (B, H, T, T), at least one head, all alike, "
            f"got {[layer.shape for layer in weights]}"
        )
    rollout = np.broadcast_to(np.eye(T, dtype=weights[0].dtype), (B, T, T))
    for layer in weights:
        mixed = layer.mean(axis=1) + np.eye(T, dtype=layer.dtype)  # (B, T, T)
        rollout = mixed / mixed.sum(axis=-1, keepdims=True) @ rollout
    return rollout
