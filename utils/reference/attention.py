"""Look up by likeness: every query takes a mean of the values, weighted by how well keys fit it.

    s_ij  = q_i . k_j / sqrt(d)
    p_ij  = exp(s_ij) / sum over l of exp(s_il)
    out_i = sum over j of p_ij v_j

i counts the T queries, j the S keys, each with its value. Were q and k of unit variance, q . k
would have variance d; divided by sqrt(d) it is 1, whatever d, and softmax does not saturate.

A mask says who may look where. It broadcasts to (..., T, S) and is either bool, True where i may
look at j, or float, added to the scores: -inf is never, 0 freely, between them less and less. It
is a constant and gets no gradient. A query that may look nowhere gets zeros, not 0/0: out is 0
and so is every gradient through it.

Backward, from out_i = sum of p_ij v_j and from softmax's dp_ij / ds_il = p_ij ([j = l] - p_il):

    dv_j  = sum over i of p_ij dout_i
    dp_ij = dout_i . v_j
    ds_ij = p_ij (dp_ij - sum over l of p_il dp_il) = p_ij (dp_ij - dout_i . out_i)
    dq_i  = sum over j of ds_ij k_j / sqrt(d),  dk_j = sum over i of ds_ij q_i / sqrt(d)

Scores are made a piece at a time, a few heads and queries, so that they are still in the
processor's cache when softmax needs them, and so that causal attention can leave out the keys
that lie ahead, almost half of the work. float32 stays so.
"""

import math

import numpy as np

from ._gradients import require_gradient
from .mlp import affine_backward


def causal_mask(T):
    """Look at yourself and at what came before, never ahead.

    T      : int >= 0
    returns: (T, T) bool, True where j <= i
    raises : ValueError, if T is negative
    """
    if T < 0:
        raise ValueError(f"T must be at least 0, got {T}")
    return np.tri(T, dtype=bool)


def attention_weights(queries, keys, mask=None, causal=False):
    """Who looks where: the weights p of attention_forward, to be drawn.

    queries: (..., T, d)
    keys   : (..., S, d)
    mask   : None, or bool or float, broadcast to (..., T, S)
    causal : bool, causal_mask(T) on top of the mask; T and S must be equal
    returns: (..., T, S), each row in [0, 1] and summing to 1, or all 0 if it may look nowhere
    raises : ValueError, if shapes disagree, d is 0, or the mask is neither bool nor float
    """
    _require_pairs(queries, keys)
    shape = (*queries.shape[:-1], keys.shape[-2])
    _require_square(causal, shape)
    mask = _checked_mask(mask, shape)
    if mask is not None:
        mask = _flat(np.broadcast_to(mask, shape))
    queries, keys = _flat(queries / math.sqrt(queries.shape[-1])), _flat(keys)
    p = np.zeros((len(queries), *shape[-2:]), np.result_type(queries, keys))
    for heads, rows, seen in _pieces(p, causal):
        scores = p[heads, rows, seen]  # on their way to become p
        np.matmul(queries[heads, rows], keys[heads, seen].swapaxes(1, 2), out=scores)
        if causal:
            square = scores[:, :, rows]  # of all that these queries see, only here some lie ahead
            square[:] = np.where(causal_mask(square.shape[1]), square, -np.inf)
        _masked_softmax(scores, None if mask is None else mask[heads, rows, seen])
    return p.reshape(shape)


def attention_forward(queries, keys, values, mask=None, causal=False):
    """Scaled dot-product attention.

        out = softmax(queries keys^T / sqrt(d)) values, row by row

    queries: (..., T, d)
    keys   : (..., S, d)
    values : (..., S, e), the leading axes those of queries and keys
    mask   : None, or bool or float, broadcast to (..., T, S)
    causal : bool, causal_mask(T) on top of the mask; T and S must be equal
    returns: out, (..., T, e), 0 for a query that may look nowhere; cache
    raises : ValueError, if shapes disagree, d is 0, or the mask is neither bool nor float
    source : Vaswani et al., Attention Is All You Need (2017), eq. 1
    """
    _require_values(keys, values)
    p = attention_weights(queries, keys, mask, causal)
    flat_p, flat_values = _flat(p), _flat(values)
    out = np.empty((*flat_p.shape[:2], values.shape[-1]), np.result_type(p, values))
    for heads, rows, seen in _pieces(flat_p, causal):
        np.matmul(flat_p[heads, rows, seen], flat_values[heads, seen], out=out[heads, rows])
    out = out.reshape(*queries.shape[:-1], values.shape[-1])
    return out, (queries, keys, values, p, out, causal)


def attention_backward(dout, cache):
    """The gradients of attention_forward, as derived at the head of this file.

    dout   : (..., T, e)
    cache  : from attention_forward
    returns: dqueries, dkeys, dvalues, the shapes of queries, keys, values
    raises : ValueError, if dout does not have the shape of out
    source : dout . out for the sum over the keys: Dao et al., FlashAttention (2022), appendix B.2
    """
    *inputs, p, out, causal = cache
    require_gradient(dout, out.shape)
    queries, keys, values = (_flat(a) for a in inputs)
    p, dout, out = _flat(p), _flat(dout), _flat(out)
    along_out = (dout * out).sum(axis=-1, keepdims=True)
    dtype = np.result_type(p, dout, values)
    dqueries, dkeys, dvalues = (np.zeros(a.shape, dtype) for a in (queries, keys, values))
    for heads, rows, seen in _pieces(p, causal):
        seen_p = p[heads, rows, seen]
        dvalues[heads, seen] += seen_p.swapaxes(1, 2) @ dout[heads, rows]
        dscores = dout[heads, rows] @ values[heads, seen].swapaxes(1, 2)  # this is dp, on its way
        dscores -= along_out[heads, rows]
        dscores *= seen_p
        dqueries[heads, rows] = dscores @ keys[heads, seen]
        dkeys[heads, seen] += dscores.swapaxes(1, 2) @ queries[heads, rows]
    dqueries /= math.sqrt(queries.shape[-1])
    dkeys /= math.sqrt(queries.shape[-1])
    gradients = zip((dqueries, dkeys, dvalues), inputs, strict=True)
    return tuple(gradient.reshape(a.shape) for gradient, a in gradients)


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
    """Attention n_heads times side by side, each in a projection of its own.

        q, k, v = queries w_q + b_q, keys w_k + b_k, values w_v + b_v
        head h  = attention of columns h E/n_heads to (h + 1) E/n_heads of q, k, v
        out     = (the heads side by side) w_o + b_o

    Self-attention passes x three times, and dx is then the sum of the three gradients;
    a decoder that looks at an encoder passes x, memory, memory. torch's in_proj_weight is
    w_q, w_k, w_v, each transposed, one below the other.

    queries: (B, T, D), or any leading axes in place of B
    keys   : (B, S, D_k)
    values : (B, S, D_v)
    w_q, w_k, w_v: (D, E), (D_k, E), (D_v, E)
    w_o    : (E, D_out)
    b_q, b_k, b_v: (E,)
    b_o    : (D_out,)
    n_heads: int >= 1 that divides E; d is E / n_heads
    mask   : None, or bool or float, broadcast to (B, n_heads, T, S); one for each example is
             (B, 1, T, S)
    causal : bool, causal_mask(T) on top of the mask; T and S must be equal
    returns: out, (B, T, D_out), b_o for a query that may look nowhere; cache
    raises : ValueError, if shapes disagree or n_heads does not divide E
    source : Vaswani et al. (2017), section 3.2.2
    """
    _require_projections(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, n_heads)
    _require_inputs(queries=(queries, w_q), keys=(keys, w_k), values=(values, w_v))
    q = _split_heads(queries @ w_q + b_q, n_heads)  # (B, n_heads, T, d)
    k = _split_heads(keys @ w_k + b_k, n_heads)
    v = _split_heads(values @ w_v + b_v, n_heads)
    heads, attention_cache = attention_forward(q, k, v, mask, causal)
    joined = _join_heads(heads)  # (B, T, E)
    out = joined @ w_o + b_o
    return out, (queries, keys, values, w_q, w_k, w_v, w_o, joined, n_heads, attention_cache)


def multi_head_attention_backward(dout, cache):
    """The gradients of multi_head_attention_forward: four dense layers around the attention.

    dout   : (B, T, D_out)
    cache  : from multi_head_attention_forward
    returns: dqueries, dkeys, dvalues, dw_q, dw_k, dw_v, dw_o, db_q, db_k, db_v, db_o
    raises : ValueError, if dout does not have the shape of out
    """
    queries, keys, values, w_q, w_k, w_v, w_o, joined, n_heads, attention_cache = cache
    djoined, dw_o, db_o = affine_backward(dout, (joined, w_o))
    dq, dk, dv = attention_backward(_split_heads(djoined, n_heads), attention_cache)
    dqueries, dw_q, db_q = affine_backward(_join_heads(dq), (queries, w_q))
    dkeys, dw_k, db_k = affine_backward(_join_heads(dk), (keys, w_k))
    dvalues, dw_v, db_v = affine_backward(_join_heads(dv), (values, w_v))
    return dqueries, dkeys, dvalues, dw_q, dw_k, dw_v, dw_o, db_q, db_k, db_v, db_o


def additive_attention_weights(queries, keys, w_q, w_k, v, mask=None):
    """The alignment p of additive_attention_forward: which word of the source, for each to come.

    Parameters and errors are those of additive_attention_forward.

    returns: (..., T, S), each row in [0, 1] and summing to 1, or all 0 if it may look nowhere
    """
    _, p = _additive_hidden_and_weights(queries, keys, w_q, w_k, v, mask)
    return p


def additive_attention_forward(queries, keys, w_q, w_k, v, mask=None):
    """A decoder's state asks, an encoder's states answer; a small network compares the two.

        s_ij  = v . tanh(queries_i w_q + keys_j w_k)
        p_ij  = exp(s_ij) / sum over l of exp(s_il)
        out_i = sum over j of p_ij keys_j

    The keys are their own values, so each has a gradient on two paths. The tanh of every pair is
    kept: T S H numbers, where the dot product needs T S.

    queries: (..., T, D), states of the decoder
    keys   : (..., S, E), states of the encoder
    w_q    : (D, H)
    w_k    : (E, H)
    v      : (H,)
    mask   : None, or bool or float, broadcast to (..., T, S): False at the padding of the source
    returns: out, (..., T, E), 0 for a query that may look nowhere; cache
    raises : ValueError, if shapes disagree, or the mask is neither bool nor float
    source : Bahdanau, Cho and Bengio (2015), section 3.1 and appendix A.1.2
    """
    hidden, p = _additive_hidden_and_weights(queries, keys, w_q, w_k, v, mask)
    out = p @ keys
    return out, (queries, keys, w_q, w_k, v, hidden, p, out)


def additive_attention_backward(dout, cache):
    """The gradients of additive_attention_forward.

        ds_ij = p_ij (dout_i . keys_j - dout_i . out_i)
        dz_ij = ds_ij v (1 - hidden_ij^2), through tanh; z_ij = queries_i w_q + keys_j w_k

    dout   : (..., T, E)
    cache  : from additive_attention_forward
    returns: dqueries, dkeys, dw_q, dw_k, dv, the shapes of the inputs
    raises : ValueError, if dout does not have the shape of out
    """
    queries, keys, w_q, w_k, v, hidden, p, out = cache
    require_gradient(dout, out.shape)
    dscores = p * (dout @ keys.swapaxes(-1, -2) - (dout * out).sum(axis=-1, keepdims=True))
    dv = dscores.ravel() @ hidden.reshape(dscores.size, len(v))
    dz = dscores[..., None] * v * (1 - hidden * hidden)  # (..., T, S, H)
    dqueries, dw_q, _ = affine_backward(dz.sum(axis=-2), (queries, w_q))
    dkeys, dw_k, _ = affine_backward(dz.sum(axis=-3), (keys, w_k))
    dkeys += p.swapaxes(-1, -2) @ dout  # as values
    return dqueries, dkeys, dw_q, dw_k, dv


def positional_encoding(T, d):
    """A vector for each position, to be added to the embeddings: attention itself sees no order.

        P[k, 2i] = sin(w_i k),  P[k, 2i + 1] = cos(w_i k),  w_i = 10000^(-2i/d)

    Clocks with d/2 hands, the first turning once in 2 pi positions, the last in almost 10000
    times as many. |P[k]|^2 = d/2, since sin^2 + cos^2 = 1, and P[k] . P[k + o] = sum over i of
    cos(w_i o) depends on the offset o alone.

    T      : int >= 0, positions
    d      : int >= 2, even
    returns: (T, d) float64 in [-1, 1]
    raises : ValueError, if T is negative, or d is odd or below 2
    source : Vaswani et al. (2017), section 3.5
    """
    if T < 0:
        raise ValueError(f"T must be at least 0, got {T}")
    angles = np.arange(T)[:, None] * _frequencies(d)  # (T, d/2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(T, d)


def positional_shift(offset, d):
    """The matrix M that moves a position by an offset, the same wherever it starts.

        M P[k] = P[k + offset];  for all rows at once, P M^T

    By sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) = cos a cos b - sin a sin b, M turns
    each hand i by w_i offset, in blocks of 2 by 2 along the diagonal. It is orthogonal.

    offset : number, negative to go back
    d      : int >= 2, even
    returns: (d, d) float64
    raises : ValueError, if d is odd or below 2
    source : Vaswani et al. (2017), section 3.5, where it is claimed without proof
    """
    angles = _frequencies(d) * offset
    even = np.arange(0, d, 2)  # where the sines are
    M = np.zeros((d, d))
    M[even, even] = M[even + 1, even + 1] = np.cos(angles)
    M[even, even + 1] = np.sin(angles)
    M[even + 1, even] = -np.sin(angles)
    return M


def _flat(a):
    """(..., T, d) with one axis for all heads of all examples, (G, T, d)."""
    return a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:])


def _pieces(p, causal):
    """Slices of p, (G, T, S), about 512 KB each: heads, rows of queries, the keys these see."""
    G, T, S = p.shape
    most = 64 if causal else T  # causal: the fewer rows, the fewer keys ahead of them
    n_rows = max(1, min(most, T, 2**19 // max(1, S * p.itemsize)))
    n_heads = max(1, 2**19 // max(1, n_rows * S * p.itemsize))
    for head in range(0, G, n_heads):
        for row in range(0, T, n_rows):
            seen = slice(0, min(row + n_rows, T) if causal else S)
            yield slice(head, head + n_heads), slice(row, row + n_rows), seen


def _masked_softmax(scores, mask):
    """softmax over the last axis, in place; rows that are -inf throughout become 0."""
    if mask is not None and mask.dtype == bool:
        scores[:] = np.where(mask, scores, -np.inf)
    elif mask is not None:
        scores += mask
    highest = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    scores -= np.where(highest == -np.inf, 0, highest)  # -inf - -inf would be nan
    np.exp(scores, out=scores)
    total = scores.sum(axis=-1, keepdims=True)
    scores /= np.where(total == 0, 1, total)  # at least 1, but where nothing is left to look at
    return scores


def _checked_mask(mask, shape):
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.dtype.kind not in "bf":
        raise ValueError(f"mask must be bool or float, got {mask.dtype}")
    _require_broadcastable(mask, shape)
    return mask


def _additive_hidden_and_weights(queries, keys, w_q, w_k, v, mask):
    H = v.shape[0] if v.ndim == 1 else None
    if w_q.shape[1:] != (H,) or w_k.shape[1:] != (H,):
        raise ValueError(
            f"w_q, w_k, v must be (D, H), (E, H), (H,), got {w_q.shape}, {w_k.shape}, {v.shape}"
        )
    _require_inputs(queries=(queries, w_q), keys=(keys, w_k))
    shape = (*queries.shape[:-1], keys.shape[-2])
    mask = _checked_mask(mask, shape)
    hidden = (queries @ w_q)[..., :, None, :] + (keys @ w_k)[..., None, :, :]  # (..., T, S, H)
    hidden = np.tanh(hidden)
    return hidden, _masked_softmax(hidden @ v, mask)


def _split_heads(x, n_heads):
    """(B, T, E) as (B, n_heads, T, E / n_heads)."""
    return x.reshape(*x.shape[:-1], n_heads, x.shape[-1] // n_heads).swapaxes(-2, -3)


def _join_heads(x):
    """(B, n_heads, T, d) as (B, T, n_heads d)."""
    *batch, n_heads, T, d = x.shape
    return x.swapaxes(-2, -3).reshape(*batch, T, n_heads * d)


def _frequencies(d):
    if d < 2 or d % 2:
        raise ValueError(f"d must be even and at least 2, got {d}")
    return 10000.0 ** (-np.arange(0, d, 2) / d)  # (d/2,)


def _require_pairs(queries, keys):
    if (
        min(queries.ndim, keys.ndim) < 2
        or queries.shape[:-2] != keys.shape[:-2]
        or queries.shape[-1] != keys.shape[-1]
        or queries.shape[-1] == 0
    ):
        raise ValueError(
            "queries, keys must be (..., T, d), (..., S, d), d at least 1, "
            f"got {queries.shape}, {keys.shape}"
        )


def _require_square(causal, shape):
    if causal and shape[-1] != shape[-2]:
        raise ValueError(f"causal needs as many keys as queries, got {shape[-1]} and {shape[-2]}")


def _require_values(keys, values):
    if values.ndim < 2 or values.shape[:-1] != keys.shape[:-1]:
        raise ValueError(
            f"keys, values must be (..., S, d), (..., S, e), got {keys.shape}, {values.shape}"
        )


def _require_projections(w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, n_heads):
    E = w_o.shape[0] if w_o.ndim == 2 else None
    if E is None or any(w.ndim != 2 or w.shape[1] != E for w in (w_q, w_k, w_v)):
        raise ValueError(
            "w_q, w_k, w_v, w_o must be (D, E), (D_k, E), (D_v, E), (E, D_out), "
            f"got {w_q.shape}, {w_k.shape}, {w_v.shape}, {w_o.shape}"
        )
    if any(b.shape != (E,) for b in (b_q, b_k, b_v)) or b_o.shape != w_o.shape[1:]:
        raise ValueError(
            f"b_q, b_k, b_v, b_o must be {(E,)} three times and {w_o.shape[1:]}, "
            f"got {b_q.shape}, {b_k.shape}, {b_v.shape}, {b_o.shape}"
        )
    if n_heads < 1 or E < 1 or E % n_heads:
        raise ValueError(f"n_heads must divide E, {E}, got {n_heads}")


def _require_inputs(**inputs):
    leading = next(iter(inputs.values()))[0].shape[:-2]
    for name, (x, w) in inputs.items():
        if x.ndim < 2 or x.shape[:-2] != leading or x.shape[-1] != w.shape[0]:
            wanted = ", ".join(map(str, [*leading, "length", w.shape[0]]))
            raise ValueError(f"{name} must be ({wanted}), got {x.shape}")


def _require_broadcastable(mask, shape):
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"mask must broadcast to (..., T, S), here {shape}, got {mask.shape}")
