"""One small filter, slid over the whole image: convolution, by loops and by one matrix product.

Images are x, (N, C, H, W), and filters w, (F, C/groups, kH, kW); the output is (N, F, oH, oW).
Like every network library, and unlike a textbook on signals, we do not flip the filter first:
strictly it is cross-correlation, and a learned filter does not mind.

Stride, padding and dilation are an int, or a pair for height and width:

- stride   : pixels from one place of the filter to the next
- padding  : zeros put around the image, on every side
- dilation : pixels from one weight of the filter to the next, 1 where they are neighbors
- groups   : the channels, and the filters with them, are cut into so many equal parts in order;
             every filter sees its own part only. groups = C is a depthwise convolution.

float32 stays float32; whole numbers are computed in float64. A cache of either forward serves
either backward.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

_WINDOW = ("stride", "padding", "dilation")
_BLOCK_BYTES = 2**21  # of columns and products at a time: they stay in the CPU's cache


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """At how many places a filter fits, along one axis.

        floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1

    size   : int, pixels of the image along this axis
    kernel : int, weights of the filter along this axis
    stride, padding, dilation: int
    returns: int, at least 1; pixels that the last stride does not reach are never looked at
    raises : ValueError, if the filter is larger than the padded image or a number makes no sense
    source : Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016)
    """
    if min(kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(
            "kernel, stride and dilation must be at least 1 and padding at least 0, "
            f"got {kernel}, {stride}, {dilation} and {padding}"
        )
    reach = dilation * (kernel - 1) + 1  # pixels from the first weight to the last
    if size < 1 or reach > size + 2 * padding:
        raise ValueError(
            f"the filter must fit into the padded image, got {reach} pixels of filter "
            f"for {size} of image and padding {padding}"
        )
    return (size + 2 * padding - reach) // stride + 1


def receptive_field(layers):
    """How many pixels of the image, along one axis, can move one value after these layers.

        size_0 = 1,  size_l = size_(l-1) + dilation_l (kernel_l - 1) (product of strides before l)

    layers : list of (kernel, stride) or (kernel, stride, dilation), ints, from the image on;
             convolutions and pooling alike
    returns: int, the size of the field, 1 where there is no layer
    raises : ValueError, if a number is below 1 or a layer has another form
    source : Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks
             (2019), eq. 2
    """
    size, jump = 1, 1  # jump: pixels of the image between neighbors in this layer
    for layer in layers:
        if len(layer) not in (2, 3) or min(layer) < 1:
            raise ValueError(
                "each layer must be (kernel, stride) or (kernel, stride, dilation), "
                f"at least 1 each, got {layer}"
            )
        kernel, stride, *dilation = layer
        size += (kernel - 1) * jump * (dilation[0] if dilation else 1)
        jump *= stride
    return size


def conv2d_loops_forward(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution as it is defined, one output value at a time: to be read, not run.

        out[n, f, i, j] = b[f] + sum over c, u, v of w[f, c, u, v] x[n, c, s i + d u, s j + d v]

    with stride s and dilation d, x padded with zeros, and c over the channels of f's group.

    x, w, b, stride, padding, dilation, groups: as for conv2d_forward
    returns: out, (N, F, oH, oW); cache, for the backward pass
    raises : ValueError, as conv2d_forward does
    """
    x, w, b, options, (oH, oW) = _prepared(x, w, b, stride, padding, dilation, groups)
    x_padded = _pad(x, options["padding"])
    out = np.zeros((len(x), len(w), oH, oW), x.dtype)
    for n, f, i, j in np.ndindex(out.shape):
        patch = x_padded[_patch(n, f, i, j, w, options)]  # (C/groups, kH, kW), a view
        out[n, f, i, j] = (w[f] * patch).sum()
        if b is not None:
            out[n, f, i, j] += b[f]
    return out, (x, w, b, options)


def conv2d_loops_backward(dout, cache):
    """The gradients of conv2d_loops_forward: each output value hands its share to what it saw.

        dw[f] += g patch,  dpatch += g w[f],  db[f] += g,  with g = dout[n, f, i, j]

    The weights are shared among all places, and patches overlap: hence += and not =.

    dout   : (N, F, oH, oW)
    cache  : from conv2d_loops_forward or conv2d_forward
    returns: dx, (N, C, H, W); dw, (F, C/groups, kH, kW); db, (F,), or None without b
    raises : ValueError, if dout has another shape than out
    """
    x, w, b, options = cache
    _require_shape_of_out(dout, x, w, options)
    x_padded = _pad(x, options["padding"])
    dx_padded, dw = np.zeros(x_padded.shape, x.dtype), np.zeros(w.shape, w.dtype)
    db = None if b is None else np.zeros(b.shape, b.dtype)
    for n, f, i, j in np.ndindex(dout.shape):
        patch = _patch(n, f, i, j, w, options)
        dw[f] += dout[n, f, i, j] * x_padded[patch]
        dx_padded[patch] += dout[n, f, i, j] * w[f]
        if b is not None:
            db[f] += dout[n, f, i, j]
    return _crop(dx_padded, options["padding"]), dw, db


def im2col(x, kernel, stride=1, padding=0, dilation=1):
    """Lay out every patch of an image as a column: a convolution becomes a matrix product.

        cols[n, (c, u, v), (i, j)] = x[n, c, s i + d u, s j + d v],  x padded with zeros

    A pixel is written as often as patches hold it, up to kH kW times: the price of the product.

    x      : (N, C, H, W)
    kernel : int, or (kH, kW)
    stride, padding, dilation: int, or a pair
    returns: (N, C kH kW, oH oW), a copy
    raises : ValueError, if x is not (N, C, H, W) or the kernel does not fit
    source : Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for
             Document Processing (2006)
    """
    _require_images(x)
    kernel, options = _pair(kernel), _options(stride, padding, dilation)
    oH, oW = _output_sizes(x.shape[2:], kernel, options)
    N, C = x.shape[:2]
    patches = _patches(_pad(x, options["padding"]), kernel, options).transpose(3, 0, 1, 2, 4, 5)
    return patches.reshape(N, C * kernel[0] * kernel[1], oH * oW).copy()


def col2im(cols, image_size, kernel, stride=1, padding=0, dilation=1):
    """Put columns back where im2col took them, adding where patches overlap.

        x[n, c, s i + d u, s j + d v] = sum of cols[n, (c, u, v), (i, j)] over all that lie there

    It is not the inverse of im2col but its transpose, which is what a backward pass needs.

    cols   : (N, C kH kW, oH oW)
    image_size: (H, W) of the image to make
    kernel, stride, padding, dilation: as for im2col
    returns: (N, C, H, W)
    raises : ValueError, if cols is not what im2col makes of such an image
    """
    (H, W), (kH, kW) = image_size, _pair(kernel)
    options = _options(stride, padding, dilation)
    oH, oW = _output_sizes(image_size, (kH, kW), options)
    if cols.ndim != 3 or cols.shape[1] % (kH * kW) or cols.shape[2] != oH * oW:
        raise ValueError(f"cols must be (N, C * {kH * kW}, {oH * oW}), got shape {cols.shape}")
    N, C = cols.shape[0], cols.shape[1] // (kH * kW)
    pH, pW = options["padding"]
    x_padded = np.zeros((N, C, H + 2 * pH, W + 2 * pW), cols.dtype)
    patches = cols.reshape(N, C, kH, kW, oH, oW).transpose(1, 2, 3, 0, 4, 5)
    _add_patches(x_padded, patches, options)
    return _crop(x_padded, options["padding"])


def conv2d_forward(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution as a matrix product: conv2d_loops_forward, some hundred times faster.

        out[n] = w cols[n] + b,  w as (F, C kH kW), cols = im2col(x)

    A few images at a time, so that memory holds the columns of one block and never of the batch.

    x      : (N, C, H, W), C and both sizes at least 1
    w      : (F, C/groups, kH, kW)
    b      : (F,), or None for no bias
    stride, padding, dilation: int, or a pair for height and width
    groups : int that divides C and F
    returns: out, (N, F, oH, oW), the sizes by output_size; cache, for the backward pass
    raises : ValueError, if shapes disagree, the filter does not fit, or an option makes no sense
    source : LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998), II.A
    """
    x, w, b, options, (oH, oW) = _prepared(x, w, b, stride, padding, dilation, groups)
    N, F, x_padded = len(x), len(w), _pad(x, options["padding"])
    w_rows = w.reshape(groups, F // groups, -1)  # one matrix for each group
    bias = 0 if b is None else b.reshape(groups, -1, 1, 1)
    out = np.empty((N, groups, F // groups, oH, oW), x.dtype)
    for images, rows, cols in _columns_by_block(x_padded, w, (oH, oW), options):
        product = w_rows @ cols  # (groups, F/groups, all places of the block)
        block = out[images, :, :, rows]  # (n, groups, F/groups, rows, oW), a view
        product = product.reshape(groups, F // groups, len(block), -1, oW)
        np.add(product.transpose(2, 0, 1, 3, 4), bias, out=block)
    return out.reshape(N, F, oH, oW), (x, w, b, options)


def conv2d_backward(dout, cache):
    """The gradients of conv2d_forward: three matrix products backwards.

        dw = sum over n of dout[n] cols[n]^T,  dcols = w^T dout,  dx = col2im(dcols),  db = sum dout

    The columns are built again, which costs less than to keep them for the whole batch.

    dout   : (N, F, oH, oW)
    cache  : from conv2d_forward or conv2d_loops_forward
    returns: dx, (N, C, H, W); dw, (F, C/groups, kH, kW); db, (F,), or None without b
    raises : ValueError, if dout has another shape than out
    """
    x, w, b, options = cache
    _require_shape_of_out(dout, x, w, options)
    F, groups, out_size = len(w), options["groups"], dout.shape[2:]
    x_padded = _pad(x, options["padding"])
    dw_rows = np.zeros((groups, F // groups, w[0].size), w.dtype)
    for images, rows, cols in _columns_by_block(x_padded, w, out_size, options):
        dout_rows = dout[images, :, rows].swapaxes(0, 1).reshape(groups, F // groups, -1)
        dw_rows += dout_rows @ cols.swapaxes(1, 2)
    dx = _dx_by_convolution if _is_convolution_backwards(w, options) else _dx_by_col2im
    db = None if b is None else dout.sum(axis=(0, 2, 3))
    return dx(dout, x.shape, w, options), dw_rows.reshape(w.shape), db


def conv2d_fft(x, w, b=None, padding=0):
    """Convolution by the Fourier transform, whose cost does not grow with the filter.

        out[n, f] = b[f] + IFFT(sum over c of FFT(x[n, c]) conj(FFT(w[f, c])))

    The conjugate is the flip that makes a correlation of the convolution theorem. Against
    the matrix product it pays from filters of about 7 x 7 on, beyond 15 x 15 tenfold.
    Rounding, and any nan, spreads over the whole image.

    x      : (N, C, H, W)
    w      : (F, C, kH, kW)
    b      : (F,), or None
    padding: int, or a pair; stride and dilation are 1, groups is 1
    returns: (N, F, oH, oW), conv2d_forward's out
    raises : ValueError, as conv2d_forward does
    source : Mathieu, Henaff and LeCun, Fast Training of Convolutional Networks through FFTs (2014)
    """
    x, w, b, options, (oH, oW) = _prepared(x, w, b, 1, padding, 1, 1)
    x_padded = _pad(x, options["padding"])
    # The circle must be as long as the padded image: what wraps around it lies beyond oH and oW.
    circle = tuple(_next_smooth(size) for size in x_padded.shape[2:])
    x_waves = np.fft.rfft2(x_padded, circle)  # (N, C, height, width // 2 + 1) complex
    out = np.empty((len(x), len(w), oH, oW), x.dtype)
    for f in range(len(w)):  # one filter at a time: all transforms at once would not fit
        w_waves = np.fft.rfft2(w[f], circle).conj()  # (C, height, width // 2 + 1)
        waves = (x_waves * w_waves).sum(axis=1)
        out[:, f] = np.fft.irfft2(waves, circle)[:, :oH, :oW]
    return out if b is None else out + b[:, None, None]


def _is_convolution_backwards(w, options):
    """Whether _dx_by_convolution can make dx, and is the faster way."""
    reach = [d * (k - 1) for d, k in zip(options["dilation"], w.shape[2:], strict=True)]
    fits = all(p <= r for p, r in zip(options["padding"], reach, strict=True))
    # It lays out F channels as columns, col2im adds C up: that takes three times as long for each.
    few = len(w) <= 3 * w.shape[1] * options["groups"]
    return options["stride"] == (1, 1) and fits and few


def _dx_by_convolution(dout, x_shape, w, options):
    """At stride 1, a pixel's gradient is what the filters, turned by 180 degrees, see of dout."""
    (F, C, kH, kW), groups = w.shape, options["groups"]  # C channels to a group
    turned = w[:, :, ::-1, ::-1].reshape(groups, F // groups, C, kH, kW)
    turned = turned.swapaxes(1, 2).reshape(groups * C, F // groups, kH, kW)
    (pH, pW), (dH, dW) = options["padding"], options["dilation"]
    padding = dH * (kH - 1) - pH, dW * (kW - 1) - pW
    return conv2d_forward(dout, turned, None, 1, padding, (dH, dW), groups)[0]


def _dx_by_col2im(dout, x_shape, w, options):
    """dcols = w^T dout, added up where the columns came from, a block at a time."""
    (F, _, kH, kW), groups, (oH, oW) = w.shape, options["groups"], dout.shape[2:]
    (N, C, H, W), (pH, pW) = x_shape, options["padding"]
    dx_padded = np.zeros((N, C, H + 2 * pH, W + 2 * pW), w.dtype)
    w_columns = w.reshape(groups, F // groups, -1).swapaxes(1, 2)  # (groups, K, F/groups)
    # One filter to each group makes an outer product, at which matmul is slow.
    multiply = np.multiply if groups == F else np.matmul
    for images, rows, seen in _blocks(N, w, (oH, oW), options):
        dout_rows = dout[images, :, rows].swapaxes(0, 1).reshape(groups, F // groups, -1)
        dcols = multiply(w_columns, dout_rows)  # (groups, K, places)
        block = dx_padded[images, :, seen]
        _add_patches(block, dcols.reshape(C, kH, kW, len(block), -1, oW), options)
    return _crop(dx_padded, options["padding"])


def _patches(x_padded, kernel, options):
    """The patches under a kernel as a view: (C, kH, kW, N, oH, oW), nothing copied."""
    (sH, sW), (dH, dW) = options["stride"], options["dilation"]
    N, C, H, W = x_padded.shape
    oH, oW = (H - dH * (kernel[0] - 1) - 1) // sH + 1, (W - dW * (kernel[1] - 1) - 1) // sW + 1
    image, channel, row, column = x_padded.strides  # bytes from one to the next
    strides = channel, dH * row, dW * column, image, sH * row, sW * column
    return as_strided(x_padded, (C, *kernel, N, oH, oW), strides, writeable=False)


def _add_patches(x_padded, patches, options):
    """Add patches, (C, kH, kW, N, oH, oW), to where _patches took them, in place."""
    (sH, sW), (dH, dW) = options["stride"], options["dilation"]
    _, kH, kW, _, oH, oW = patches.shape
    for u, v in np.ndindex(kH, kW):  # one weight at all its places: these never coincide
        rows = slice(dH * u, dH * u + sH * oH, sH)
        columns = slice(dW * v, dW * v + sW * oW, sW)
        x_padded[:, :, rows, columns] += patches[:, u, v].swapaxes(0, 1)


def _columns_by_block(x_padded, w, out_size, options):
    """im2col a block at a time: images, rows, and cols, (groups, C/groups kH kW, places).

    All blocks share one piece of memory: to get a new one each time can take longer than to fill
    it.
    """
    groups, memory = options["groups"], None
    for images, rows, seen in _blocks(len(x_padded), w, out_size, options):
        patches = _patches(x_padded[images, :, seen], w.shape[2:], options)
        if memory is None:  # the first block is the largest
            memory = np.empty(patches.size, x_padded.dtype)
        cols = memory[: patches.size].reshape(patches.shape)
        cols[...] = patches
        yield images, rows, cols.reshape(groups, w[0].size, -1)


def _blocks(N, w, out_size, options):
    """Parts of the output that take about _BLOCK_BYTES, with the columns they are made of.

    Each is some images whole, or some rows of one image, and the rows of the padded image that
    these see: three slices.
    """
    (sH, _), (dH, _), (oH, oW) = options["stride"], options["dilation"], out_size
    one_row = (w[0].size * options["groups"] + len(w)) * oW * w.itemsize
    n_rows = min(oH, max(1, _BLOCK_BYTES // one_row))
    n_images = max(1, _BLOCK_BYTES // (one_row * oH))
    for image in range(0, N, n_images):
        for row in range(0, oH, n_rows):
            stop = min(row + n_rows, oH)
            seen = slice(sH * row, sH * (stop - 1) + dH * (w.shape[2] - 1) + 1)
            yield slice(image, image + n_images), slice(row, stop), seen


def _patch(n, f, i, j, w, options):
    """The index of what filter f sees of padded image n at place (i, j)."""
    (sH, sW), (dH, dW) = options["stride"], options["dilation"]
    F, C, kH, kW = w.shape
    first = f // (F // options["groups"]) * C  # the first channel of f's group
    rows = slice(sH * i, sH * i + dH * (kH - 1) + 1, dH)
    columns = slice(sW * j, sW * j + dW * (kW - 1) + 1, dW)
    return n, slice(first, first + C), rows, columns


def _pad(x, padding):
    (pH, pW), (N, C, H, W) = padding, x.shape
    if not pH and not pW:
        return x
    x_padded = np.zeros((N, C, H + 2 * pH, W + 2 * pW), x.dtype)
    x_padded[:, :, pH : pH + H, pW : pW + W] = x
    return x_padded


def _crop(x_padded, padding):
    (pH, pW), (H, W) = padding, x_padded.shape[2:]
    return x_padded[:, :, pH : H - pH, pW : W - pW]


def _next_smooth(n):
    """The first number from n on without a prime factor above 5: such transforms are fast."""
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def _pair(value):
    """(height, width) of an option that may be one int for both."""
    pair = tuple(value) if np.iterable(value) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, int | np.integer) for v in pair):
        raise ValueError(f"kernel and options must be an int or a pair of ints, got {value!r}")
    return pair


def _options(stride, padding, dilation):
    return {"stride": _pair(stride), "padding": _pair(padding), "dilation": _pair(dilation)}


def _output_sizes(image_size, kernel, options):
    return tuple(
        output_size(image_size[axis], kernel[axis], *(options[name][axis] for name in _WINDOW))
        for axis in (0, 1)
    )


def _prepared(x, w, b, stride, padding, dilation, groups):
    """Arrays of one floating dtype, the options as pairs, (oH, oW); once all of it fits."""
    _require_images(x)
    F, C = w.shape[:2] if w.ndim == 4 else (0, 0)
    if groups < 1 or F == 0 or F % groups or C * groups != x.shape[1]:
        raise ValueError(
            "x and w must be (N, C, H, W) and (F, C/groups, kH, kW), groups dividing C and F, "
            f"got {x.shape} and {w.shape} with groups {groups}"
        )
    if b is not None and b.shape != (F,):
        raise ValueError(f"b must be ({F},), one for each filter, got shape {b.shape}")
    options = _options(stride, padding, dilation)
    sizes = _output_sizes(x.shape[2:], w.shape[2:], options)
    dtype = np.result_type(x, w)
    dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)
    x, w = x.astype(dtype, copy=False), w.astype(dtype, copy=False)
    b = None if b is None else b.astype(dtype, copy=False)
    return x, w, b, options | {"groups": groups}, sizes


def _require_images(x):
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ValueError(f"x must be (N, C, H, W), only N may be 0, got shape {x.shape}")


def _require_shape_of_out(dout, x, w, options):
    shape = (len(x), len(w), *_output_sizes(x.shape[2:], w.shape[2:], options))
    if dout.shape != shape:
        raise ValueError(f"dout must have the shape of out, {shape}, got {dout.shape}")
