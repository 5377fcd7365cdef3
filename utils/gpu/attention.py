"""Look up by likeness. Torch twin of utils.reference.attention.

attention_forward is torch's fused kernel, which never writes the T by S weights to memory;
attention_weights is the same mathematics step by step, for looking at them.
"""

import math

import torch
import torch.nn.functional as F


def causal_mask(T):
    """Torch twin of utils.reference.attention.causal_mask.

    Differs: it lives on torch's default device. causal=True needs no mask, and is faster.
    """
    if T < 0:
        raise ValueError(f"T must be at least 0, got {T}")
    return torch.ones(T, T, dtype=torch.bool).tril()


def attention_weights(queries, keys, mask=None, causal=False):
    """Torch twin of utils.reference.attention.attention_weights."""
    _require_pairs(queries, keys)
    mask = _whole_mask(mask, causal, queries, keys)
    scores = queries / math.sqrt(queries.shape[-1]) @ keys.mT
    return _masked_softmax(scores, mask)


def attention_forward(queries, keys, values, mask=None, causal=False):
    """Torch twin of utils.reference.attention.attention_forward.

    Differs: a float mask must have the dtype of the queries.
    """
    _require_pairs(queries, keys)
    _require_values(keys, values)
    if mask is None and queries.device.type == "cpu" and keys.shape[-2] < 32:
        # Without a mask torch's kernel gives a query that is nan 0, where keys are that few.
        mask = torch.ones(queries.shape[-2], keys.shape[-2], dtype=torch.bool)
    whole = _whole_mask(mask, causal and mask is not None, queries, keys)
    if causal:
        _require_square(queries, keys)
    # axes of length 1 before (T, d) or (B, T, d): the fused kernels take four axes and no fewer
    missing = max(0, 4 - queries.ndim)
    heads = F.scaled_dot_product_attention(
        *(x[(None,) * missing] for x in (queries, keys, values)),
        attn_mask=whole,
        is_causal=causal and mask is None,
    )
    return heads[(0,) * missing]


def multi_head_attention_forward(
    queries,
    keys,
    values,
    w_q,
    w_k,
    w_v,
    w_o,
    b_q,
    b_k,
    b_v,
    b_o,
    n_heads,
    mask=None,
    causal=False,
):
    """Torch twin of utils.reference.attention.multi_head_attention_forward."""
    _require_projections(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, n_heads)
    _require_inputs(queries=(queries, w_q), keys=(keys, w_k), values=(values, w_v))
    q = _split_heads(queries @ w_q + b_q, n_heads)
    k = _split_heads(keys @ w_k + b_k, n_heads)
    v = _split_heads(values @ w_v + b_v, n_heads)
    heads = attention_forward(q, k, v, mask, causal)
    return heads.transpose(-2, -3).flatten(-2) @ w_o + b_o


def additive_attention_weights(queries, keys, w_q, w_k, v, mask=None):
    """Torch twin of utils.reference.attention.additive_attention_weights."""
    H = v.shape[0] if v.ndim == 1 else None
    if w_q.shape[1:] != (H,) or w_k.shape[1:] != (H,):
        raise ValueError(
            "w_q, w_k, v must be (D, H), (E, H), (H,), "
            f"got {tuple(w_q.shape)}, {tuple(w_k.shape)}, {tuple(v.shape)}"
        )
    _require_inputs(queries=(queries, w_q), keys=(keys, w_k))
    mask = _whole_mask(mask, False, queries, keys)
    hidden = torch.tanh((queries @ w_q).unsqueeze(-2) + (keys @ w_k).unsqueeze(-3))
    return _masked_softmax(hidden @ v, mask)


def additive_attention_forward(queries, keys, w_q, w_k, v, mask=None):
    """Torch twin of utils.reference.attention.additive_attention_forward."""
    return additive_attention_weights(queries, keys, w_q, w_k, v, mask) @ keys


def positional_encoding(T, d):
    """Torch twin of utils.reference.attention.positional_encoding.

    Differs: in torch's default dtype, on its default device; the angles are float64: in
    float32 the result would be 8e-4 off by position 10,000.
    """
    if T < 0:
        raise ValueError(f"T must be at least 0, got {T}")
    angles = torch.arange(T)[:, None] * _frequencies(d)
    encoding = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
    return encoding.to(torch.get_default_dtype())


def positional_shift(offset, d):
    """Torch twin of utils.reference.attention.positional_shift.

    Differs: in torch's default dtype, on its default device.
    """
    angles = _frequencies(d) * offset
    even = torch.arange(0, d, 2)
    M = torch.zeros(d, d, dtype=torch.float64)
    M[even, even] = M[even + 1, even + 1] = angles.cos()
    M[even, even + 1] = angles.sin()
    M[even + 1, even] = -angles.sin()
    return M.to(torch.get_default_dtype())


def _masked_softmax(scores, mask):
    """softmax over the last axis; rows that are -inf throughout become 0, as do their gradients."""
    if mask is None:
        return torch.softmax(scores, dim=-1)
    scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    nowhere = (scores == -torch.inf).all(dim=-1, keepdim=True)
    return torch.softmax(scores.masked_fill(nowhere, 0), dim=-1).masked_fill(nowhere, 0)


def _whole_mask(mask, causal, queries, keys):
    """mask and causal as one mask, or None."""
    shape = (*queries.shape[:-1], keys.shape[-2])
    if mask is not None:
        if mask.dtype not in (torch.bool, queries.dtype):
            raise ValueError(f"mask must be bool or float, {queries.dtype}, got {mask.dtype}")
        _require_broadcastable(mask, shape)
    if not causal:
        return mask
    _require_square(queries, keys)
    past = torch.ones(shape[-2:], dtype=torch.bool, device=queries.device).tril()
    if mask is None:
        return past
    return mask & past if mask.dtype == torch.bool else mask.masked_fill(~past, -torch.inf)


def _split_heads(x, n_heads):
    """(B, T, E) as (B, n_heads, T, E / n_heads)."""
    return x.unflatten(-1, (n_heads, x.shape[-1] // n_heads)).transpose(-2, -3)


def _frequencies(d):
    if d < 2 or d % 2:
        raise ValueError(f"d must be even and at least 2, got {d}")
    return 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)  # (d/2,)


def _require_pairs(queries, keys):
    if (
        min(queries.ndim, keys.ndim) < 2
        or queries.shape[:-2] != keys.shape[:-2]
        or queries.shape[-1] != keys.shape[-1]
        or queries.shape[-1] == 0
    ):
        raise ValueError(
            "queries, keys must be (..., T, d), (..., S, d), d at least 1, "
            f"got {tuple(queries.shape)}, {tuple(keys.shape)}"
        )


def _require_values(keys, values):
    if values.ndim < 2 or values.shape[:-1] != keys.shape[:-1]:
        raise ValueError(
            "keys, values must be (..., S, d), (..., S, e), "
            f"got {tuple(keys.shape)}, {tuple(values.shape)}"
        )


def _require_square(queries, keys):
    T, S = queries.shape[-2], keys.shape[-2]
    if T != S:
        raise ValueError(f"causal needs as many keys as queries, got {S} and {T}")


def _require_projections(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, n_heads):
    E = w_o.shape[0] if w_o.ndim == 2 else None
    if E is None or any(w.ndim != 2 or w.shape[1] != E for w in (w_q, w_k, w_v)):
        raise ValueError(
            "w_q, w_k, w_v, w_o must be (D, E), (D_k, E), (D_v, E), (E, D_out), "
            f"got {', '.join(str(tuple(w.shape)) for w in (w_q, w_k, w_v, w_o))}"
        )
    if any(b.shape != (E,) for b in (b_q, b_k, b_v)) or b_o.shape != w_o.shape[1:]:
        raise ValueError(
            f"b_q, b_k, b_v, b_o must be {(E,)} three times and {tuple(w_o.shape[1:])}, "
            f"got {', '.join(str(tuple(b.shape)) for b in (b_q, b_k, b_v, b_o))}"
        )
    if n_heads < 1 or E < 1 or E % n_heads:
        raise ValueError(f"n_heads must divide E, {E}, got {n_heads}")


def _require_inputs(**inputs):
    leading = next(iter(inputs.values()))[0].shape[:-2]
    for name, (x, w) in inputs.items():
        if x.ndim < 2 or x.shape[:-2] != leading or x.shape[-1] != w.shape[0]:
            wanted = ", ".join(map(str, [*leading, "length", w.shape[0]]))
            raise ValueError(f"{name} must be ({wanted}), got {tuple(x.shape)}")


def _require_broadcastable(mask, shape):
    try:
        fits = torch.broadcast_shapes(mask.shape, shape) == torch.Size(shape)
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"mask must broadcast to (..., T, S), here {shape}, got {tuple(mask.shape)}"
        )
