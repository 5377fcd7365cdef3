"""Shrink an image. Torch twin of utils.reference.pooling."""

import torch
import torch.nn.functional as F

from .convolution import _pair, _require_images, output_size


def max_pool2d_forward(x, kernel, stride=None, padding=0):
    """Torch twin of utils.reference.pooling.max_pool2d_forward."""
    kernel, stride, padding = _prepared(x, kernel, stride, padding)
    return F.max_pool2d(x, kernel, stride, padding)


def average_pool2d_forward(x, kernel, stride=None, padding=0):
    """Torch twin of utils.reference.pooling.average_pool2d_forward."""
    kernel, stride, padding = _prepared(x, kernel, stride, padding)
    return F.avg_pool2d(x, kernel, stride, padding)


def l2_pool2d_forward(x, kernel, stride=None, padding=0):
    """Torch twin of utils.reference.pooling.l2_pool2d_forward.

    F.lp_pool2d would give nan for the gradient of a window of zeros, and takes no padding.
    """
    kernel, stride, padding = _prepared(x, kernel, stride, padding)
    squares = F.avg_pool2d(x.square(), kernel, stride, padding, divisor_override=1)  # sums
    zero = squares == 0
    return torch.where(zero, 0, torch.where(zero, 1, squares).sqrt())


def channel_pool_forward(x, size, stride=None, kind="max"):
    """Torch twin of utils.reference.pooling.channel_pool_forward."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {sorted(KINDS)}, got {kind!r}")
    _require_images(x)
    N, C, H, W = x.shape
    out = KINDS[kind](x.reshape(N, 1, C, H * W), (size, 1), (size if stride is None else stride, 1))
    return out.reshape(N, out.shape[2], H, W)


def global_average_pool_forward(x):
    """Torch twin of utils.reference.pooling.global_average_pool_forward."""
    _require_images(x)
    return x.mean(dim=(2, 3))


KINDS = {
    "max": max_pool2d_forward,
    "average": average_pool2d_forward,
    "l2": l2_pool2d_forward,
}


def _prepared(x, kernel, stride, padding):
    """Kernel, stride and padding as pairs, once they fit x."""
    _require_images(x)
    kernel, padding = _pair(kernel), _pair(padding)
    stride = kernel if stride is None else _pair(stride)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"padding must be at most half the kernel {kernel}, got {padding}")
    for axis in (0, 1):
        output_size(x.shape[2 + axis], kernel[axis], stride[axis], padding[axis])
    return kernel, stride, padding
