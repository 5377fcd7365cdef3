"""Read a sequence one step at a time. Torch twin of utils.reference.recurrent.

The steps are written out, to be read. The functions over whole sequences call torch's fused
kernels, cuDNN's on a GPU, which keep weights transposed, (k H, D), and have two biases everywhere.
In float32 cuDNN may round the factors to TF32, 10 bits, where torch.backends.cudnn.allow_tf32 is
on, as it is by default.
"""

import torch


def rnn_step_forward(x, h, w_x, w_h, b):
    """Torch twin of utils.reference.recurrent.rnn_step_forward."""
    _require_shapes(1, "(B, D)", x=x, h=h, w_x=w_x, w_h=w_h, b=b)
    return torch.tanh(x @ w_x + h @ w_h + b)


def rnn_forward(x, h0, w_x, w_h, b):
    """Torch twin of utils.reference.recurrent.rnn_forward."""
    _require_shapes(1, "(B, T, D)", x=x, h0=h0, w_x=w_x, w_h=w_h, b=b)
    out, _ = _fused(torch.rnn_tanh, x, h0[None], w_x, w_h, b, torch.zeros_like(b))
    return out


def lstm_step_forward(x, h, c, w_x, w_h, b):
    """Torch twin of utils.reference.recurrent.lstm_step_forward."""
    _require_shapes(4, "(B, D)", x=x, h=h, c=c, w_x=w_x, w_h=w_h, b=b)
    i, f, g, o = (x @ w_x + h @ w_h + b).chunk(4, dim=1)
    next_c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(next_c), next_c


def lstm_forward(x, h0, c0, w_x, w_h, b):
    """Torch twin of utils.reference.recurrent.lstm_forward."""
    _require_shapes(4, "(B, T, D)", x=x, h0=h0, c0=c0, w_x=w_x, w_h=w_h, b=b)
    h, _, c = _fused(torch.lstm, x, (h0[None], c0[None]), w_x, w_h, b, torch.zeros_like(b))
    return h, c[0]


def gru_step_forward(x, h, w_x, w_h, b_x, b_h):
    """Torch twin of utils.reference.recurrent.gru_step_forward."""
    _require_shapes(3, "(B, D)", x=x, h=h, w_x=w_x, w_h=w_h, b_x=b_x, b_h=b_h)
    a_r, a_u, a_n = (x @ w_x + b_x).chunk(3, dim=1)
    m_r, m_u, m_n = (h @ w_h + b_h).chunk(3, dim=1)
    r, u = torch.sigmoid(a_r + m_r), torch.sigmoid(a_u + m_u)
    n = torch.tanh(a_n + r * m_n)
    return (1 - u) * n + u * h


def gru_forward(x, h0, w_x, w_h, b_x, b_h):
    """Torch twin of utils.reference.recurrent.gru_forward."""
    _require_shapes(3, "(B, T, D)", x=x, h0=h0, w_x=w_x, w_h=w_h, b_x=b_x, b_h=b_h)
    out, _ = _fused(torch.gru, x, h0[None], w_x, w_h, b_x, b_h)
    return out


def bidirectional_forward(x, ahead, back, cell="lstm"):
    """Torch twin of utils.reference.recurrent.bidirectional_forward."""
    h = _all_h(cell, x, ahead)
    h_back = _all_h(cell, x.flip(1), back)
    if h_back.shape != h.shape:
        raise ValueError(f"back must have the H of ahead, {h.shape[2]}, got {h_back.shape[2]}")
    return torch.cat([h, h_back.flip(1)], dim=2)


def stacked_forward(x, layers, cell="lstm"):
    """Torch twin of utils.reference.recurrent.stacked_forward."""
    if len(layers) == 0:
        raise ValueError("layers must be at least one, got none")
    for layer in layers:
        x = _all_h(cell, x, layer)
    return x


CELLS = {"rnn": rnn_forward, "lstm": lstm_forward, "gru": gru_forward}


def _all_h(cell, x, layer):
    """h after every step, (B, T, H); the last cells of an LSTM are left out."""
    if cell not in CELLS:
        raise ValueError(f"cell must be one of {sorted(CELLS)}, got {cell!r}")
    out = CELLS[cell](x, *layer)
    return out[0] if cell == "lstm" else out


def _fused(kernel, x, states, w_x, w_h, b_x, b_h):
    """One layer, one direction, of torch.rnn_tanh, torch.lstm or torch.gru.

    cuDNN wants its weights in one piece of memory, in this order, and would else copy and warn.
    """
    parts = w_x.T, w_h.T, b_x, b_h
    flat = torch.cat([p.reshape(-1) for p in parts])
    pieces = flat.split([p.numel() for p in parts])
    weights = [piece.view(p.shape) for piece, p in zip(pieces, parts, strict=True)]
    return kernel(
        x,
        states,
        weights,
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=True,
        bidirectional=False,
        batch_first=True,
    )


def _require_shapes(n_gates, x_shape, **tensors):
    x, w_h = tensors["x"], tensors["w_h"]
    if x.ndim != x_shape.count(",") + 1 or 0 in x.shape[1:]:
        raise ValueError(
            f"x must be {x_shape}, of which only B may be 0, got shape {tuple(x.shape)}"
        )
    if w_h.ndim != 2 or w_h.shape[0] == 0 or w_h.shape[1] != n_gates * w_h.shape[0]:
        wanted = "(H, H)" if n_gates == 1 else f"(H, {n_gates}H)"
        raise ValueError(f"w_h must be {wanted} with H at least 1, got shape {tuple(w_h.shape)}")
    H, K = w_h.shape
    shapes = {"x": tuple(x.shape), "w_x": (x.shape[-1], K), "w_h": (H, K)}
    shapes |= {"b": (K,), "b_x": (K,), "b_h": (K,)}
    for name, tensor in tensors.items():
        wanted = shapes.get(name, (x.shape[0], H))  # what is left are states
        if tuple(tensor.shape) != wanted:
            raise ValueError(f"{name} must have shape {wanted}, got {tuple(tensor.shape)}")
