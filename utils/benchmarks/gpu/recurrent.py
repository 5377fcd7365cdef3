"""The LSTM over whole sequences, fused and step by step, forward and backward, against cuDNN's."""

import torch

from utils.gpu.recurrent import lstm_forward, lstm_step_forward

from ..timing import Case, Side
from .device import compiled, tensors


def fused(rng, dtype, device, **sizes):
    return _lstm(rng, dtype, device, lambda *leaves: lstm_forward, **sizes)


def step_by_step(rng, dtype, device, **sizes):
    """The step compiled, and on a GPU the whole loop captured in a graph, backward too."""
    step = compiled(lstm_step_forward, device)

    def loop(x, h, c, w_x, w_h, b):
        out = []
        for x_t in x.unbind(1):
            h, c = step(x_t, h, c, w_x, w_h, b)
            out.append(h)
        return torch.stack(out, dim=1), c

    def captured(*leaves):
        return torch.cuda.make_graphed_callables(loop, leaves) if device.type == "cuda" else loop

    return _lstm(rng, dtype, device, captured, **sizes)


def _lstm(rng, dtype, device, prepare, B, T, D, H):
    """prepare : (leaves) -> the function of them to be timed"""
    x, h0, c0, w_x, w_h, b, dout, dc = tensors(
        rng, dtype, device, (B, T, D), (B, H), (B, H), (D, 4 * H), (H, 4 * H), (4 * H,),
        (B, T, H), (B, H),
    )  # fmt: skip
    w_x, w_h = w_x / D**0.5, w_h / H**0.5  # large ones saturate the gates
    leaves = [a.requires_grad_() for a in (x, h0, c0, w_x, w_h, b)]
    forward = prepare(*leaves)
    ours = Side(
        lambda: forward(*leaves), lambda made: torch.autograd.grad(made, leaves, (dout, dc))
    )

    module = torch.nn.LSTM(D, H, batch_first=True, device=device)
    with torch.no_grad():  # torch keeps its weights transposed, and two biases always
        for parameter, value in zip(
            module.parameters(), (w_x.T, w_h.T, b, torch.zeros_like(b)), strict=True
        ):
            parameter.copy_(value)
    states = [s.detach().clone().requires_grad_() for s in (h0, c0)]
    start = x.detach().clone().requires_grad_()

    def peer():
        out, (_, c) = module(start, tuple(s[None] for s in states))
        return out, c[0]

    def backward(made):
        return torch.autograd.grad(made, [start, *states, *module.parameters()], (dout, dc))

    def as_ours(gradients):
        *inputs, dw_x, dw_h, db, _ = gradients
        return (*inputs, dw_x.T, dw_h.T, db)

    return ours, Side(peer, backward, gradients=as_ours)


def _case(name, sides, wanted, **sizes):
    name += ", {B} by {T}, {D} to {H}".format(**sizes)
    return Case(
        "LSTM", name, "cuDNN", sides, sizes, wanted, {"B": 2, "T": 3, "D": 4, "H": 5}, ("tf32",)
    )


CASES = [
    _case("fused", fused, 1.05, B=64, T=128, D=256, H=256),
    _case("fused", fused, 1.05, B=64, T=128, D=512, H=512),
    _case("fused", fused, 1.05, B=128, T=256, D=1024, H=1024),
    _case("step by step", step_by_step, 3.0, B=64, T=128, D=512, H=512),
]
