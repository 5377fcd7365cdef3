"""Shrink an image: what counts is that a feature is there, less so where.

A window of kernel pixels slides by stride over each channel of x, (N, C, H, W), and leaves one
number for what it sees. Kernel, stride and padding are an int, or a pair for height and width;
stride None is the kernel, so that windows touch but do not overlap. Padding is at most half the
kernel. Where windows overlap, the gradients of a pixel add up.

Raises ValueError, all of them, if x is not (N, C, H, W) (only N may be 0), the window does not
fit, or an option makes no sense; the backward passes, if dout has another shape than out.
"""

import numpy as np

from ._gradients import require_gradient
from .convolution import _crop, _pair, _require_images, output_size


def max_pool2d_forward(x, kernel, stride=None, padding=0):
    """The largest value in each window.

        out[n, c, i, j] = max over u, v of x[n, c, s i + u, s j + v]

    Padding counts as -inf: it never wins. A window that holds nan gives nan.

    x      : (N, C, H, W)
    kernel, stride, padding: int, or a pair
    returns: out, (N, C, oH, oW), the sizes by output_size; cache, for the backward pass
    source : Zhou and Chellappa, Computation of Optical Flow Using a Neural Network (1988)
    """
    x, kernel, stride, padding, _ = _prepared(x, kernel, stride, padding)
    x_padded = _pad(x, padding, -np.inf)
    out = _fold(np.maximum, x_padded, kernel, stride)
    return out, (x_padded, out, kernel, stride, padding)


def max_pool2d_backward(dout, cache):
    """The gradient goes to the pixel that won, whole; the others could change unnoticed.

    Where pixels tie, the first in reading order has won; of several nan, as in torch, the last.

    dout   : (N, C, oH, oW)
    cache  : from max_pool2d_forward
    returns: dx, (N, C, H, W)
    """
    x_padded, out, kernel, stride, padding = cache
    require_gradient(dout, out.shape)
    winner = _winners(x_padded, out, kernel, stride, padding)  # (N, C, oH, oW), u kW + v
    # Pixels are numbered through the whole batch: where a window begins, and its winner's offset.
    (N, C, H, W), (oH, oW) = x_padded.shape, out.shape[2:]
    corner = np.arange(N * C).reshape(N, C, 1, 1) * (H * W)
    corner = corner + np.arange(oH)[:, None] * (stride[0] * W) + np.arange(oW) * stride[1]
    offset = np.array([u * W + v for u, v in np.ndindex(kernel)])
    pixel = corner + offset[winner]
    dx_padded = np.bincount(pixel.ravel(), dout.ravel(), minlength=x_padded.size)
    return _crop(dx_padded.reshape(x_padded.shape).astype(x_padded.dtype, copy=False), padding)


def average_pool2d_forward(x, kernel, stride=None, padding=0):
    """The mean of each window, in which the zeros of the padding count as pixels.

        out[n, c, i, j] = sum over u, v of x[n, c, s i + u, s j + v] / (kH kW)

    x      : (N, C, H, W)
    kernel, stride, padding: int, or a pair
    returns: out, (N, C, oH, oW), the sizes by output_size; cache, for the backward pass
    source : LeCun et al., Handwritten Digit Recognition with a Back-Propagation Network (1990)
    """
    x, kernel, stride, padding, out_shape = _prepared(x, kernel, stride, padding)
    x_padded = _pad(x, padding, 0)
    out = _fold(np.add, x_padded, kernel, stride) / x.dtype.type(kernel[0] * kernel[1])
    return out, (x_padded.shape, out_shape, kernel, stride, padding)


def average_pool2d_backward(dout, cache):
    """Every pixel of a window gets an equal share, dout / (kH kW).

    dout   : (N, C, oH, oW)
    cache  : from average_pool2d_forward
    returns: dx, (N, C, H, W)
    """
    padded_shape, out_shape, kernel, stride, padding = cache
    require_gradient(dout, out_shape)
    share = dout / dout.dtype.type(kernel[0] * kernel[1])
    return _crop(_spread(share, padded_shape, kernel, stride), padding)


def l2_pool2d_forward(x, kernel, stride=None, padding=0):
    """The Euclidean length of each window: how strong it is, whatever the signs.

        out[n, c, i, j] = sqrt(sum over u, v of x[n, c, s i + u, s j + v]^2)

    x      : (N, C, H, W)
    kernel, stride, padding: int, or a pair; padding is zeros
    returns: out, (N, C, oH, oW), at least 0; cache, for the backward pass
    source : Goodfellow, Bengio and Courville, Deep Learning (2016), section 9.3
    """
    x, kernel, stride, padding, _ = _prepared(x, kernel, stride, padding)
    x_padded = _pad(x, padding, 0)
    out = np.sqrt(_fold(np.add, x_padded**2, kernel, stride))
    return out, (x_padded, out, kernel, stride, padding)


def l2_pool2d_backward(dout, cache):
    """Each pixel's share is its part of the length: dx = x dout / out, and 0 where out is 0.

    dout   : (N, C, oH, oW)
    cache  : from l2_pool2d_forward
    returns: dx, (N, C, H, W)
    """
    x_padded, out, kernel, stride, padding = cache
    require_gradient(dout, out.shape)
    share = np.where(out == 0, 0, dout / np.where(out == 0, 1, out))
    return _crop(x_padded * _spread(share, x_padded.shape, kernel, stride), padding)


def channel_pool_forward(x, size, stride=None, kind="max"):
    """Pool over neighboring channels at every pixel, instead of over neighboring pixels.

        out[n, c, i, j] = max (or mean, or length) of x[n, s c, i, j] ... x[n, s c + size - 1, i, j]

    Filters that learn one feature in several rotations give, pooled, one that ignores rotation.

    x      : (N, C, H, W)
    size   : int in [1, C], channels pooled to one
    stride : int, channels from one group to the next; None is size
    kind   : "max", "average" or "l2"
    returns: out, (N, oC, H, W); cache, for the backward pass
    raises : ValueError, also if the kind is unknown
    source : Goodfellow et al., Maxout Networks (2013); Deep Learning (2016), figure 9.9
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {sorted(KINDS)}, got {kind!r}")
    _require_images(x)
    N, C, H, W = x.shape
    forward, _ = KINDS[kind]
    # Channels laid out as rows of one tall image: the same windows, one column wide.
    rows = x.reshape(N, 1, C, H * W)
    out, cache = forward(rows, (size, 1), (size if stride is None else stride, 1))
    return out.reshape(N, out.shape[2], H, W), (kind, cache, C)


def channel_pool_backward(dout, cache):
    """The gradient of the pooling it was, channel by channel.

    dout   : (N, oC, H, W)
    cache  : from channel_pool_forward
    returns: dx, (N, C, H, W)
    """
    kind, cache, C = cache
    _, backward = KINDS[kind]
    if dout.ndim != 4:
        raise ValueError(f"dout must be (N, oC, H, W), got shape {dout.shape}")
    N, oC, H, W = dout.shape
    return backward(dout.reshape(N, 1, oC, H * W), cache).reshape(N, C, H, W)


def global_average_pool_forward(x):
    """The mean of each channel: an image of any size becomes C features.

    x      : (N, C, H, W)
    returns: out, (N, C); cache, for the backward pass
    source : Lin, Chen and Yan, Network in Network (2014), section 3.2
    """
    _require_images(x)
    return x.mean(axis=(2, 3)), x.shape


def global_average_pool_backward(dout, cache):
    """Every pixel gets an equal share, dout / (H W).

    dout   : (N, C)
    cache  : from global_average_pool_forward
    returns: dx, (N, C, H, W)
    """
    N, C, H, W = cache
    require_gradient(dout, (N, C))
    return np.broadcast_to((dout / (H * W))[:, :, None, None], cache).copy()


KINDS = {
    "max": (max_pool2d_forward, max_pool2d_backward),
    "average": (average_pool2d_forward, average_pool2d_backward),
    "l2": (l2_pool2d_forward, l2_pool2d_backward),
}


def _fold(combine, x_padded, kernel, stride):
    """Combine the pixels of each window: down its columns first, then along what is left."""
    H, W = x_padded.shape[2:]
    rows = [x_padded[:, :, u : H - kernel[0] + u + 1 : stride[0]] for u in range(kernel[0])]
    folded = _combine_all(combine, rows)  # (N, C, oH, W)
    columns = [folded[..., v : W - kernel[1] + v + 1 : stride[1]] for v in range(kernel[1])]
    return _combine_all(combine, columns)  # (N, C, oH, oW)


def _combine_all(combine, parts):
    total = parts[0].copy()
    for part in parts[1:]:
        combine(total, part, out=total)
    return total


def _winners(x_padded, out, kernel, stride, padding):
    """Which place of each window held the maximum, (N, C, oH, oW), counted in reading order."""
    oH, oW = out.shape[2:]
    places = [  # for each place of the window its pixel, (N, C, oH, oW)
        x_padded[:, :, u : u + stride[0] * oH : stride[0], v : v + stride[1] * oW : stride[1]]
        for u, v in np.ndindex(kernel)
    ]
    loses = np.ones(out.shape, bool)  # every place of the window so far
    winner = np.zeros(out.shape, np.min_scalar_type(len(places)))  # how many lost before it
    for pixels in places:
        loses &= pixels != out
        winner += loses
    nan = np.isnan(out)
    if nan.any():
        for place, pixels in enumerate(places):
            winner[nan & np.isnan(pixels)] = place
    # The padding ties with a window of nothing but -inf; the first pixel of the image wins there.
    outside = [np.maximum(padding[a] - stride[a] * np.arange((oH, oW)[a]), 0) for a in (0, 1)]
    inside = outside[0][:, None] * kernel[1] + outside[1]  # (oH, oW)
    np.copyto(winner, inside, where=out == -np.inf, casting="unsafe")
    return winner


def _spread(share, padded_shape, kernel, stride):
    """_fold of a sum backwards: every pixel of a window gets its share, overlaps add up."""
    N, C, H, W = padded_shape
    along = np.zeros((N, C, share.shape[2], W), share.dtype)
    for v in range(kernel[1]):
        along[..., v : W - kernel[1] + v + 1 : stride[1]] += share
    spread = np.zeros(padded_shape, share.dtype)
    for u in range(kernel[0]):
        spread[:, :, u : H - kernel[0] + u + 1 : stride[0]] += along
    return spread


def _pad(x, padding, value):
    (pH, pW) = padding
    edges = (0, 0), (0, 0), (pH, pH), (pW, pW)
    return np.pad(x, edges, constant_values=value) if pH or pW else x


def _prepared(x, kernel, stride, padding):
    """x in floating point, the options as pairs, the shape of out; once all of it fits."""
    _require_images(x)
    kernel, padding = _pair(kernel), _pair(padding)
    stride = kernel if stride is None else _pair(stride)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"padding must be at most half the kernel {kernel}, got {padding}")
    sizes = [output_size(x.shape[2 + a], kernel[a], stride[a], padding[a]) for a in (0, 1)]
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    return x, kernel, stride, padding, (*x.shape[:2], *sizes)
