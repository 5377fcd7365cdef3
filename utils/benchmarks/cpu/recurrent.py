"""RNN, LSTM and GRU over whole sequences, forward and backward through time, against torch."""

import torch

from utils.reference import recurrent

from ..timing import Case, Side, normal

PEERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def sequence(rng, dtype, cell, B, T, D, H):
    G = GATES[cell] * H
    x, h0, w_x, w_h, b_x, b_h, dout = normal(
        rng, dtype, (B, T, D), (B, H), (D, G), (H, G), G, G, (B, T, H)
    )
    w_x, w_h = 0.1 * w_x, 0.1 * w_h  # large ones saturate the gates
    forward = getattr(recurrent, f"{cell}_forward")
    backward = getattr(recurrent, f"{cell}_backward")
    biases = (b_x, b_h) if cell == "gru" else (b_x + b_h,)
    (c0,) = normal(rng, dtype, (B, H))
    (dc,) = normal(rng, dtype, (B, H))
    states, upstream = ((h0, c0), (dout, dc)) if cell == "lstm" else ((h0,), dout)
    ours = Side(
        lambda: forward(x, *states, w_x, w_h, *biases),
        lambda made: backward(upstream, made[1]),
        lambda made: made[0],
    )

    module = PEERS[cell](D, H, batch_first=True, dtype=getattr(torch, dtype))
    with torch.no_grad():  # torch keeps its weights transposed, and two biases always
        for parameter, value in zip(module.parameters(), (w_x.T, w_h.T, b_x, b_h), strict=True):
            parameter.copy_(torch.tensor(value))
    start, *first = (torch.tensor(a, requires_grad=True) for a in (x, *states))
    leaves = [start, *first, *module.parameters()]
    douts = [torch.tensor(d) for d in (upstream if cell == "lstm" else (upstream,))]

    def peer():
        batched = [state[None] for state in first]  # (1, B, H): of one layer
        out, last = module(start, tuple(batched) if cell == "lstm" else batched[0])
        return (out, last[1][0]) if cell == "lstm" else (out,)

    def as_ours(gradients):
        *inputs, dw_x, dw_h, db_x, db_h = gradients
        return (*inputs, dw_x.T, dw_h.T, *((db_x, db_h) if cell == "gru" else (db_x,)))

    return ours, Side(
        peer, lambda made: torch.autograd.grad(made, leaves, douts), gradients=as_ours
    )


CASES = [
    Case(cell.upper(), name, "torch", sequence, {"cell": cell} | sizes, 1.0, {"T": 3, "B": 2})
    for cell in PEERS
    for name, sizes in {
        "16 by 10, 32 to 32": {"B": 16, "T": 10, "D": 32, "H": 32},
        "32 by 50, 64 to 128": {"B": 32, "T": 50, "D": 64, "H": 128},
        "64 by 35, 256 to 256": {"B": 64, "T": 35, "D": 256, "H": 256},
        "1 by 100, 64 to 64": {"B": 1, "T": 100, "D": 64, "H": 64},
    }.items()
]
