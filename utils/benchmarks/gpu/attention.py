"""Causal attention, forward and backward, against each of torch's two fastest kernels."""

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from utils.gpu.attention import attention_forward

from ..timing import Case, Side
from .device import tensors

KERNELS = {"FlashAttention": SDPBackend.FLASH_ATTENTION, "cuDNN": SDPBackend.CUDNN_ATTENTION}


def attention(rng, dtype, device, B, heads, T, d, kernel):
    q, k, v, dout = tensors(rng, dtype, device, *[(B, heads, T, d)] * 4)
    leaves = [x.requires_grad_() for x in (q, k, v)]
    if device.type == "cpu":
        kernel = "FlashAttention"  # the only fused one there

    def peer():
        with sdpa_kernel(KERNELS[kernel]):
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    def backward(made):
        return torch.autograd.grad(made, leaves, dout)

    return Side(lambda: attention_forward(q, k, v, causal=True), backward), Side(peer, backward)


def _attention(d, T, kernel):
    """16,384 tokens of width 2,048."""
    sizes = {"B": 16384 // T, "heads": 2048 // d, "T": T, "d": d, "kernel": kernel}
    return Case(
        f"attention beside {kernel}", f"causal, heads of {d}, T = {T}", kernel, attention, sizes,
        1.05, {"B": 2, "heads": 2, "T": 16}, ("bfloat16",),
    )  # fmt: skip


CASES = [
    _attention(d, T, kernel)
    for kernel in KERNELS
    for d in (64, 128)
    for T in (1024, 2048, 4096, 8192)
]
