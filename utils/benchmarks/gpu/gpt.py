"""A training step of GPT, 124 million parameters, against a GPT of torch's modules.

Both under torch.compile and autocast to bfloat16. Forward is the loss; backward is the gradients
and the step of torch's fused AdamW.
"""

import torch
import torch.nn.functional as F
from torch import nn

from utils.gpu.gpt import gpt_flops_per_token, gpt_init, gpt_loss

from ..timing import Case, Side
from .device import PEAK_FLOPS, compiled

WANTED_UTILIZATION = 0.46


class PlainBlock(nn.Module):
    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.ln1, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.o = nn.Linear(width, width)
        self.ln2, self.up = nn.LayerNorm(width), nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(B, T, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(heads.transpose(1, 2).reshape(B, T, D))
        return x + self.down(F.gelu(self.up(self.ln2(x)), approximate="tanh"))


class PlainGPT(nn.Module):
    """Its parameters come in the order of utils.gpu.gpt's."""

    def __init__(self, vocabulary, context, width, n_layers, n_heads):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[PlainBlock(width, n_heads) for _ in range(n_layers)])
        self.ln = nn.LayerNorm(width)

    def forward(self, tokens, targets):
        x = self.token(tokens) + self.position.weight[: tokens.shape[1]]
        scores = F.linear(self.ln(self.blocks(x)), self.token.weight)
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten())


def training_step(rng, dtype, device, B, n_heads, **shape):
    texts = rng.integers(0, shape["vocabulary"], (B, shape["context"] + 1))
    tokens, targets = (torch.tensor(t, device=device) for t in (texts[:, :-1], texts[:, 1:]))
    params = gpt_init(**shape, generator=torch.Generator(device).manual_seed(0))
    plain = PlainGPT(**shape, n_heads=n_heads).to(device)
    transposed = [name.split(".")[-1].startswith("w_") for name in params]
    with torch.no_grad():
        for parameter, w, flip in zip(plain.parameters(), params.values(), transposed, strict=True):
            parameter.copy_(w.T if flip else w)

    def as_ours(gradients):
        return [g.T if flip else g for g, flip in zip(gradients, transposed, strict=True)]

    our_loss, plain_loss = compiled(gpt_loss, device), compiled(plain, device)
    return (
        _side(lambda: our_loss(tokens, targets, params, n_heads), [*params.values()], device),
        _side(lambda: plain_loss(tokens, targets), [*plain.parameters()], device, as_ours),
    )


def _side(loss, parameters, device, as_ours=list):
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)

    def forward():
        with torch.autocast(device.type, torch.bfloat16):
            return loss()

    def backward(made):
        made.backward()
        optimizer.step()
        gradients = [p.grad for p in parameters]
        optimizer.zero_grad()
        return gradients

    return Side(forward, backward, gradients=as_ours)


def tokens_per_second(times):
    return times.case.sizes["B"] * SHAPE["context"] / sum(times.ours)


def utilization(times, name):
    """The part of the device's peak that the model's own operations make use of, or None."""
    if name not in PEAK_FLOPS:
        return None
    return tokens_per_second(times) * gpt_flops_per_token(**SHAPE) / PEAK_FLOPS[name]


def speeds(times, name):
    """A sentence for each training step of GPT among times; name is the device's."""
    sentences = []
    for t in times:
        if t.case in CASES:
            used = utilization(t, name)
            known = f"the peak of {name} is not on record: no utilization"
            if used is not None:
                known = f"{used:.1%} of {PEAK_FLOPS[name] / 1e12:g} Tflop/s in bfloat16"
            sentences.append(f"{t.case}: {tokens_per_second(t):,.0f} tokens per second; {known}")
    return sentences


def idle(times, name):
    """A sentence if even the best training step of GPT makes less use of the device than wanted."""
    used = [utilization(t, name) for t in times if t.case in CASES]
    if not used or None in used or max(used) >= WANTED_UTILIZATION:
        return []
    return [f"GPT: {max(used):.1%} utilization, wanted {WANTED_UTILIZATION:.0%}"]


SHAPE = {"vocabulary": 50304, "context": 1024, "width": 768, "n_layers": 12}

CASES = [
    Case(
        "GPT", f"training step, 124 M parameters, {B} texts of 1024", "modules", training_step,
        {"B": B, "n_heads": 12} | SHAPE, 1.05,
        {"B": 2, "n_heads": 2, "vocabulary": 13, "context": 8, "width": 8, "n_layers": 2},
        ("bfloat16",),
    )
    for B in (32, 64)
]  # fmt: skip
