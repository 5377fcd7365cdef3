"""Read a sequence one step at a time, with a memory of what came before.

B counts sequences, T steps, D features of a step, H units. Each step makes the next state h,
(B, H), from its input x and the state before, always with the same weights: w_x (D, k H) for the
input, w_h (H, k H) for the state, b (k H,), with k gates side by side (1 in the RNN, 4 in the LSTM,
3 in the GRU). One bias is enough where both products are added; the GRU scales one of them first
and has two. To take over weights of torch, transpose them, and add its two biases up (not in the
GRU).

xxx_step_forward is one step, to be read first; xxx_forward is T of them, over (B, T, D), faster:
the products with w_x need no state and are made for all steps at once. Backward goes from the last
step to the first (backpropagation through time, BPTT): a state is used twice, as output of its step
and by the next one, so its gradient is the sum of two; a weight is used at every step, so its
gradient is the sum of T. Source: Werbos, Backpropagation Through Time (1990). What is
bidirectional or stacked is made of these.

Raises ValueError, all of them, if the shapes disagree or anything but B is 0; the backward passes,
if dout has other shapes than out.
"""

import numpy as np

from ._gradients import require_gradient


def rnn_step_forward(x, h, w_x, w_h, b):
    """One step of the simple recurrent net.

        next h = tanh(x w_x + h w_h + b)

    x      : (B, D)
    h      : (B, H), the state before; zeros to begin
    w_x    : (D, H)
    w_h    : (H, H)
    b      : (H,)
    returns: the next h, (B, H), in [-1, 1]; cache, for the backward pass
    source : Elman, Finding Structure in Time (1990)
    """
    x, h, w_x, w_h, b = _prepared(1, "(B, D)", x=x, h=h, w_x=w_x, w_h=w_h, b=b)
    out = np.tanh(x @ w_x + h @ w_h + b)
    return out.copy(), (x, h, w_x, w_h, out)  # a copy: the cache keeps its own


def rnn_step_backward(dout, cache):
    """dz = dout (1 - out^2) at the pre-activation z, and on from there as in a dense layer.

    dout   : (B, H), gradient by the next h
    cache  : from rnn_step_forward
    returns: dx, dh, dw_x, dw_h, db, of the shapes of the inputs
    """
    x, h, w_x, w_h, out = cache
    require_gradient(dout, out.shape)
    dz = dout * (1 - out**2)
    return dz @ w_x.T, dz @ w_h.T, x.T @ dz, h.T @ dz, dz.sum(axis=0)


def rnn_forward(x, h0, w_x, w_h, b):
    """The simple recurrent net over whole sequences: out[:, t] is h after step t.

    x      : (B, T, D)
    h0     : (B, H), the state before the first step
    w_x, w_h, b: (D, H), (H, H), (H,)
    returns: out, (B, T, H); cache, for the backward pass
    source : Elman, Finding Structure in Time (1990)
    """
    x, h0, w_x, w_h, b = _prepared(1, "(B, T, D)", x=x, h0=h0, w_x=w_x, w_h=w_h, b=b)
    x = _time_first(x)
    z = _project(x, w_x, b)
    h = _states(h0, len(z))
    for t in range(len(z)):
        z[t] += h[t] @ w_h
        np.tanh(z[t], out=h[t + 1])
    return _batch_first(h[1:]), (x, h, w_x, w_h)


def rnn_backward(dout, cache):
    """rnn_step_backward from the last step to the first.

    dout   : (B, T, H)
    cache  : from rnn_forward
    returns: dx, dh0, dw_x, dw_h, db, of the shapes of the inputs
    """
    x, h, w_x, w_h = cache
    T, B, H = h[1:].shape
    require_gradient(dout, (B, T, H))
    dout = _time_first(dout)
    dz = 1 - h[1:] ** 2  # times the gradient, in the loop
    dh, w_h_T = np.zeros_like(h[0]), _transposed(w_h)  # dh comes from the step after
    for t in reversed(range(T)):
        dz[t] *= dout[t] + dh
        dh = dz[t] @ w_h_T
    return _by_inputs(x, dz, w_x, dh, *_by_weights(x, h, dz, dz))


def lstm_step_forward(x, h, c, w_x, w_h, b):
    """One step of the long short-term memory: gates decide what its cells forget, add and show.

        z = x w_x + h w_h + b, in four parts (B, H): input i, forget f, cell g, output o
        next c = sigmoid(f) c + sigmoid(i) tanh(g)
        next h = sigmoid(o) tanh(next c)

    With f open and i shut c is handed on unchanged, and so is its gradient: it does not vanish.

    x      : (B, D)
    h, c   : (B, H) each, the state and the cells before; zeros to begin
    w_x    : (D, 4H), the gates in the order i, f, g, o
    w_h    : (H, 4H)
    b      : (4H,)
    returns: out, the next (h, c), (B, H) each; cache, for the backward pass
    source : Hochreiter and Schmidhuber (1997); the forget gate by Gers et al. (2000)
    """
    x, h, c, w_x, w_h, b = _prepared(4, "(B, D)", x=x, h=h, c=c, w_x=w_x, w_h=w_h, b=b)
    i, f, g, o = np.split(x @ w_x + h @ w_h + b, 4, axis=1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    next_c = f * c + i * g
    tanh_c = np.tanh(next_c)
    return (o * tanh_c, next_c), (x, h, c, w_x, w_h, i, f, g, o, tanh_c)


def lstm_step_backward(dout, cache):
    """The gradient by next h joins that by next c, then splits over the gates.

        dc_total = dc + dh o (1 - tanh(next c)^2),  back to the cells before: dc_total f
        di, df, dg, do = dc_total g, dc_total c, dc_total i, dh tanh(next c)

    each times the slope of its sigmoid, s (1 - s), or its tanh, 1 - g^2.

    dout   : (dh, dc), (B, H) each, gradients by the next h and the next c
    cache  : from lstm_step_forward
    returns: dx, dh, dc, dw_x, dw_h, db, of the shapes of the inputs
    """
    x, h, c, w_x, w_h, i, f, g, o, tanh_c = cache
    dh, dc = dout
    require_gradient(dh, c.shape)
    require_gradient(dc, c.shape)
    dc = dc + dh * o * (1 - tanh_c**2)
    di, df, dg, do = dc * g, dc * c, dc * i, dh * tanh_c
    dz = np.concatenate(
        [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)], axis=1
    )
    return dz @ w_x.T, dz @ w_h.T, dc * f, x.T @ dz, h.T @ dz, dz.sum(axis=0)


def lstm_forward(x, h0, c0, w_x, w_h, b):
    """The LSTM over whole sequences.

    x      : (B, T, D)
    h0, c0 : (B, H) each, the state and the cells before the first step
    w_x, w_h, b: (D, 4H), (H, 4H), (4H,), the gates in the order input, forget, cell, output
    returns: out, (h, c): h after every step, (B, T, H), and c after the last, (B, H);
             cache, for the backward pass
    source : Hochreiter and Schmidhuber (1997); the forget gate by Gers et al. (2000)
    """
    x, h0, c0, w_x, w_h, b = _prepared(4, "(B, T, D)", x=x, h0=h0, c0=c0, w_x=w_x, w_h=w_h, b=b)
    x = _time_first(x)
    z = _project(x, w_x, b)
    T, H = len(z), len(w_h)
    h, c = _states(h0, T), _states(c0, T)
    tanh_c = np.empty_like(c[1:])
    for t in range(T):
        z[t] += h[t] @ w_h
        _sigmoid(z[t, :, : 2 * H], out=z[t, :, : 2 * H])
        np.tanh(z[t, :, 2 * H : 3 * H], out=z[t, :, 2 * H : 3 * H])
        _sigmoid(z[t, :, 3 * H :], out=z[t, :, 3 * H :])
        i, f, g, o = _parts(z[t], H)
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * g
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])
    return (_batch_first(h[1:]), c[-1].copy()), (x, h, c, tanh_c, z, w_x, w_h)


def lstm_backward(dout, cache):
    """lstm_step_backward from the last step to the first.

    dout   : (dh, dc), (B, T, H) by every h, and (B, H) by the last c
    cache  : from lstm_forward
    returns: dx, dh0, dc0, dw_x, dw_h, db, of the shapes of the inputs
    """
    x, h, c, tanh_c, gates, w_x, w_h = cache
    T, B, H = h[1:].shape
    dout_h, dc = dout
    require_gradient(dout_h, (B, T, H))
    require_gradient(dc, (B, H))
    dout_h = _time_first(dout_h)
    i, f, g, o = _parts(gates, H)
    dz = gates * (1 - gates)  # the slopes, for all steps at once; times dh or dc in the loop
    di, df, dg, do = _parts(dz, H)
    di *= g
    df *= c[:-1]
    dg[:] = i * (1 - g**2)
    do *= tanh_c
    dc_by_dh = o * (1 - tanh_c**2)
    dh, w_h_T = np.zeros_like(h[0]), _transposed(w_h)  # dh and dc come from the step after
    for t in reversed(range(T)):
        dh = dout_h[t] + dh
        dc = dc + dh * dc_by_dh[t]
        di[t] *= dc
        df[t] *= dc
        dg[t] *= dc
        do[t] *= dh
        dc = dc * f[t]
        dh = dz[t] @ w_h_T
    return _by_inputs(x, dz, w_x, dh, dc, *_by_weights(x, h, dz, dz))


def gru_step_forward(x, h, w_x, w_h, b_x, b_h):
    """One step of the gated recurrent unit: the state itself is the memory.

        a = x w_x + b_x,  m = h w_h + b_h, each in three parts (B, H): reset, update, new
        r = sigmoid(a_r + m_r),  u = sigmoid(a_u + m_u)
        n = tanh(a_n + r m_n)
        next h = (1 - u) n + u h

    The reset r scales the product m_n, bias and all (as torch and cuDNN do; the paper resets h
    before the product): hence two biases. For r and u only their sum matters.

    x      : (B, D)
    h      : (B, H), the state before; zeros to begin
    w_x    : (D, 3H), the gates in the order r, u, n
    w_h    : (H, 3H)
    b_x, b_h: (3H,) each
    returns: the next h, (B, H); cache, for the backward pass
    source : Cho et al., Learning Phrase Representations (2014), eqs. 5-8
    """
    x, h, w_x, w_h, b_x, b_h = _prepared(3, "(B, D)", x=x, h=h, w_x=w_x, w_h=w_h, b_x=b_x, b_h=b_h)
    a_r, a_u, a_n = np.split(x @ w_x + b_x, 3, axis=1)
    m_r, m_u, m_n = np.split(h @ w_h + b_h, 3, axis=1)
    r, u = _sigmoid(a_r + m_r), _sigmoid(a_u + m_u)
    n = np.tanh(a_n + r * m_n)
    return (1 - u) * n + u * h, (x, h, w_x, w_h, r, u, n, m_n)


def gru_step_backward(dout, cache):
    """da and dm are the same for r and u, whose parts are added; for n, dm_n = r da_n.

        dn = dout (1 - u),  da_n = dn (1 - n^2)
        du = dout (h - n),  da_u = du u (1 - u)
        dr = da_n m_n,      da_r = dr r (1 - r)

    dout   : (B, H), gradient by the next h
    cache  : from gru_step_forward
    returns: dx, dh, dw_x, dw_h, db_x, db_h, of the shapes of the inputs
    """
    x, h, w_x, w_h, r, u, n, m_n = cache
    require_gradient(dout, h.shape)
    da_n = dout * (1 - u) * (1 - n**2)
    da_u = dout * (h - n) * u * (1 - u)
    da_r = da_n * m_n * r * (1 - r)
    da = np.concatenate([da_r, da_u, da_n], axis=1)
    dm = np.concatenate([da_r, da_u, da_n * r], axis=1)
    dh = dout * u + dm @ w_h.T  # past the gates, and through them
    return da @ w_x.T, dh, x.T @ da, h.T @ dm, da.sum(axis=0), dm.sum(axis=0)


def gru_forward(x, h0, w_x, w_h, b_x, b_h):
    """The GRU over whole sequences: out[:, t] is h after step t.

    x      : (B, T, D)
    h0     : (B, H), the state before the first step
    w_x, w_h: (D, 3H), (H, 3H), the gates in the order reset, update, new
    b_x, b_h: (3H,) each
    returns: out, (B, T, H); cache, for the backward pass
    source : Cho et al., Learning Phrase Representations (2014), eqs. 5-8
    """
    x, h0, w_x, w_h, b_x, b_h = _prepared(
        3, "(B, T, D)", x=x, h0=h0, w_x=w_x, w_h=w_h, b_x=b_x, b_h=b_h
    )
    x = _time_first(x)
    a = _project(x, w_x, b_x)
    T, H = len(a), len(w_h)
    h = _states(h0, T)
    m_n = np.empty_like(h[1:])
    for t in range(T):
        m = h[t] @ w_h + b_h
        m_n[t] = m[:, 2 * H :]
        a[t, :, : 2 * H] += m[:, : 2 * H]
        _sigmoid(a[t, :, : 2 * H], out=a[t, :, : 2 * H])
        r, u, n = _parts(a[t], H)
        n += r * m_n[t]
        np.tanh(n, out=n)
        h[t + 1] = (1 - u) * n + u * h[t]
    return _batch_first(h[1:]), (x, h, m_n, a, w_x, w_h)


def gru_backward(dout, cache):
    """gru_step_backward from the last step to the first.

    dout   : (B, T, H)
    cache  : from gru_forward
    returns: dx, dh0, dw_x, dw_h, db_x, db_h, of the shapes of the inputs
    """
    x, h, m_n, gates, w_x, w_h = cache
    T, B, H = h[1:].shape
    require_gradient(dout, (B, T, H))
    dout = _time_first(dout)
    r, u, n = _parts(gates, H)
    da, dm = gates * (1 - gates), np.empty_like(gates)  # the slopes, times dh in the loop
    da_r, da_u, da_n = _parts(da, H)
    da_r *= m_n
    da_u *= h[:-1] - n
    da_n[:] = (1 - u) * (1 - n**2)
    dh, w_h_T = np.zeros_like(h[0]), _transposed(w_h)  # dh comes from the step after
    for t in reversed(range(T)):
        dh = dout[t] + dh
        da_n[t] *= dh
        da_u[t] *= dh
        da_r[t] *= da_n[t]
        dm[t] = da[t]
        dm[t, :, 2 * H :] *= r[t]
        dh = dh * u[t] + dm[t] @ w_h_T
    dw_x, dw_h, db_x = _by_weights(x, h, da, dm)
    return _by_inputs(x, da, w_x, dh, dw_x, dw_h, db_x, dm.sum(axis=(0, 1)))


def bidirectional_forward(x, ahead, back, cell="lstm"):
    """Two nets, one reading from the first step, one from the last: each step knows both sides.

        out[:, t] = h after steps 0 ... t, beside h after steps T-1 ... t

    x      : (B, T, D)
    ahead, back: each net's tuple of what its forward takes after x: (h0, w_x, w_h, b),
             (h0, c0, w_x, w_h, b) or (h0, w_x, w_h, b_x, b_h)
    cell   : "rnn", "lstm" or "gru"
    returns: out, (B, T, 2H); cache, for the backward pass
    raises : ValueError, also if the cell is unknown
    source : Schuster and Paliwal, Bidirectional Recurrent Neural Networks (1997)
    """
    h, cache = _all_h(cell, x, ahead)
    h_back, cache_back = _all_h(cell, np.flip(x, axis=1), back)
    if h_back.shape != h.shape:
        raise ValueError(f"back must have the H of ahead, {h.shape[2]}, got {h_back.shape[2]}")
    return np.concatenate([h, h_back[:, ::-1]], axis=2), (cell, h.shape, cache, cache_back)


def bidirectional_backward(dout, cache):
    """Each net gets its half of dout; both read x, so dx is a sum.

    dout   : (B, T, 2H)
    cache  : from bidirectional_forward
    returns: dx, (B, T, D); dahead and dback, tuples like ahead and back
    """
    cell, (B, T, H), cache, cache_back = cache
    require_gradient(dout, (B, T, 2 * H))
    dx, *dahead = _through(cell, dout[..., :H], cache)
    dx_back, *dback = _through(cell, dout[:, ::-1, H:], cache_back)
    return dx + dx_back[:, ::-1], tuple(dahead), tuple(dback)


def stacked_forward(x, layers, cell="lstm"):
    """Several nets, each reading the states of the one below.

    x      : (B, T, D)
    layers : at least one, from the bottom: its tuple of what its forward takes after x, as in
             bidirectional_forward; D of a layer is H of the one below
    cell   : "rnn", "lstm" or "gru"
    returns: out, (B, T, H), h of the top layer; cache, for the backward pass
    raises : ValueError, also if the cell is unknown or there is no layer
    source : Graves, Mohamed and Hinton, Speech Recognition with Deep RNNs (2013), section 2
    """
    if len(layers) == 0:
        raise ValueError("layers must be at least one, got none")
    caches = []
    for layer in layers:
        x, cache = _all_h(cell, x, layer)
        caches.append(cache)
    return x, (cell, caches)


def stacked_backward(dout, cache):
    """From the top layer down: dx of a layer is dout of the one below.

    dout   : (B, T, H)
    cache  : from stacked_forward
    returns: dx, (B, T, D); dlayers, a list of tuples like layers
    """
    cell, caches = cache
    dlayers = []
    for layer_cache in reversed(caches):
        dout, *dlayer = _through(cell, dout, layer_cache)
        dlayers.append(tuple(dlayer))
    return dout, dlayers[::-1]


CELLS = {
    "rnn": (rnn_forward, rnn_backward),
    "lstm": (lstm_forward, lstm_backward),
    "gru": (gru_forward, gru_backward),
}


def _all_h(cell, x, layer):
    """h after every step, (B, T, H), and the cache; the last cells of an LSTM are left out."""
    if cell not in CELLS:
        raise ValueError(f"cell must be one of {sorted(CELLS)}, got {cell!r}")
    out, cache = CELLS[cell][0](x, *layer)
    return out[0] if cell == "lstm" else out, cache


def _through(cell, dh, cache):
    """The cell's backward pass, for gradients by every h alone."""
    if cell != "lstm":
        return CELLS[cell][1](dh, cache)
    _, h, *_ = cache
    return lstm_backward((dh, np.zeros_like(h[0])), cache)


def _sigmoid(z, out=None):
    """activations.sigmoid, in place where asked: here it is half of the time."""
    with np.errstate(over="ignore"):  # exp(800) is inf, and 1 / inf the right answer
        out = np.exp(np.negative(z, out=out), out=out)
    out += 1
    return np.divide(1, out, out=out)


def _parts(gates, H):
    """Views of the gates that lie side by side, (..., H) each."""
    return [gates[..., j : j + H] for j in range(0, gates.shape[-1], H)]


def _transposed(w):
    """w.T in one piece of memory: for a small product, made T times, BLAS is faster so."""
    return np.ascontiguousarray(w.T)


def _time_first(a):
    """(B, T, D) as (T, B, D): each step in one piece of memory."""
    return np.ascontiguousarray(a.swapaxes(0, 1))


def _batch_first(a):
    return a.swapaxes(0, 1).copy()


def _project(x, w_x, b):
    """x w_x + b for all steps, (T, B, D) to (T, B, k H), in one product."""
    T, B, D = x.shape
    z = x.reshape(T * B, D) @ w_x
    z += b
    return z.reshape(T, B, w_x.shape[1])


def _states(first, T):
    """Room for a state before the first step and after each, (T + 1, B, H)."""
    states = np.empty((T + 1, *first.shape), first.dtype)
    states[0] = first
    return states


def _by_weights(x, h, dz_x, dz_h):
    """dw_x, dw_h, db: sums over steps and sequences, each one product."""
    T, B, K = dz_x.shape
    flat_x, flat_h = x.reshape(T * B, x.shape[2]), h[:-1].reshape(T * B, h.shape[2])
    flat_dx, flat_dh = dz_x.reshape(T * B, K), dz_h.reshape(T * B, K)
    return flat_x.T @ flat_dx, flat_h.T @ flat_dh, flat_dx.sum(axis=0)


def _by_inputs(x, dz, w_x, *others):
    """dx, and then what was there already, in the order of the inputs."""
    T, B, K = dz.shape
    dx = (dz.reshape(T * B, K) @ w_x.T).reshape(x.shape)
    return _batch_first(dx), *others


def _prepared(n_gates, x_shape, **arrays):
    """The arrays as floats of one dtype, once their shapes fit; x_shape is how x's is written."""
    arrays = {name: np.asarray(a) for name, a in arrays.items()}
    x, w_h = arrays["x"], arrays["w_h"]
    if x.ndim != x_shape.count(",") + 1 or 0 in x.shape[1:]:
        raise ValueError(f"x must be {x_shape}, of which only B may be 0, got shape {x.shape}")
    if w_h.ndim != 2 or w_h.shape[0] == 0 or w_h.shape[1] != n_gates * w_h.shape[0]:
        wanted = "(H, H)" if n_gates == 1 else f"(H, {n_gates}H)"
        raise ValueError(f"w_h must be {wanted} with H at least 1, got shape {w_h.shape}")
    H, K = w_h.shape
    shapes = {"x": x.shape, "w_x": (x.shape[-1], K), "w_h": (H, K)}
    shapes |= {"b": (K,), "b_x": (K,), "b_h": (K,)}
    for name, array in arrays.items():
        wanted = shapes.get(name, (x.shape[0], H))  # what is left are states
        if array.shape != wanted:
            raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    dtype = np.result_type(*arrays.values())
    dtype = dtype if dtype.kind == "f" else np.float64
    return [a.astype(dtype, copy=False) for a in arrays.values()]
