"""Convolution, forward and backward, against torch; by Fourier transform, against scipy."""

import numpy as np
import scipy.signal
import torch.nn.functional as F

from utils.reference.convolution import conv2d_backward, conv2d_fft, conv2d_forward

from ..timing import Case, Side, against_torch, normal


def conv2d(rng, dtype, N, C, H, filters, kernel, stride=1, padding=0, dilation=1, groups=1):
    shapes = (N, C, H, H), (filters, C // groups, kernel, kernel), (filters,)
    options = stride, padding, dilation, groups
    return against_torch(
        rng,
        normal(rng, dtype, *shapes),
        lambda x, w, b: conv2d_forward(x, w, b, *options),
        conv2d_backward,
        lambda x, w, b: F.conv2d(x, w, b, *options),
    )


def correlate(rng, dtype, H, kernel):
    """One image, one filter: what scipy calls correlation, by the way it chooses itself."""
    x, w = normal(rng, dtype, (1, 1, H, H), (1, 1, kernel, kernel))
    return (
        Side(lambda: conv2d_forward(x, w)[0][0, 0]),
        Side(lambda: scipy.signal.correlate(x[0, 0], w[0, 0], "valid")),
    )


def fft(rng, dtype, N, C, H, filters, kernel):
    x, w = normal(rng, dtype, (N, C, H, H), (filters, C, kernel, kernel))
    flipped = w[None, :, :, ::-1, ::-1]  # (1, F, C, kH, kW): scipy convolves

    def peer():
        parts = scipy.signal.fftconvolve(x[:, None], flipped, "valid", axes=(3, 4))
        return np.asarray(parts).sum(axis=2)

    return Side(lambda: conv2d_fft(x, w)), Side(peer)


def _conv2d(name, N, C, H, filters, kernel, **options):
    sizes = {"N": N, "C": C, "H": H, "filters": filters, "kernel": kernel} | options
    return Case("conv2d", name, "torch", conv2d, sizes, 1.2, {"N": 2, "H": 9})


def _alone(group, name, sides, *, tiny, **sizes):
    return Case(group, name, "scipy", sides, sizes, 1.0, tiny)


CASES = [
    _conv2d("5x5, 1 to 32 channels of 28", 32, 1, 28, 32, 5),
    _conv2d("3x3, 3 to 64 of 32", 32, 3, 32, 64, 3, padding=1),
    _conv2d("3x3, 64 to 64 of 32", 16, 64, 32, 64, 3, padding=1),
    _conv2d("3x3, 128 to 128 of 16", 32, 128, 16, 128, 3, padding=1),
    _conv2d("3x3, 256 to 256 of 8", 32, 256, 8, 256, 3, padding=1),
    _conv2d("3x3, 512 to 512 of 4", 8, 512, 4, 512, 3, padding=1),
    _conv2d("3x3 stride 2, 64 to 128", 16, 64, 32, 128, 3, stride=2, padding=1),
    _conv2d("7x7 stride 2, 3 to 64 of 224", 4, 3, 224, 64, 7, stride=2, padding=3),
    _conv2d("1x1, 256 to 64 of 16", 16, 256, 16, 64, 1),
    _conv2d("1x1 stride 2, 64 to 128 of 32", 16, 64, 32, 128, 1, stride=2),
    _conv2d("3x3 dilation 2, 32 to 32 of 32", 8, 32, 32, 32, 3, padding=2, dilation=2),
    _conv2d("3x3 in 4 groups, 64 to 64", 8, 64, 32, 64, 3, padding=1, groups=4),
    _conv2d("3x3 depthwise, 64 of 32", 8, 64, 32, 64, 3, padding=1, groups=64),
    _conv2d("3x3, one image of 64x64", 1, 16, 64, 16, 3, padding=1),
    _conv2d("3x3, 4 images of 8x8", 4, 3, 8, 8, 3, padding=1),
    _alone("correlation", "5x5 on 256", correlate, tiny={"H": 16}, H=256, kernel=5),
    _alone("fft", "11x11 on 256", fft, tiny={"H": 20}, N=1, C=1, H=256, filters=1, kernel=11),
    _alone("fft", "31x31 on 512", fft, tiny={"H": 40}, N=1, C=1, H=512, filters=1, kernel=31),
    _alone("fft", "15x15, 3 to 8 of 64", fft, tiny={"H": 20}, N=8, C=3, H=64, filters=8, kernel=15),
]
