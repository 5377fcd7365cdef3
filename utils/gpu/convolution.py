"""One small filter, slid over the whole image. Torch twin of utils.reference.convolution."""

from itertools import product

import torch
import torch.nn.functional as F

_WINDOW = ("stride", "padding", "dilation")


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Torch twin of utils.reference.convolution.output_size."""
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
    """Torch twin of utils.reference.convolution.receptive_field."""
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
    """Torch twin of utils.reference.convolution.conv2d_loops_forward.

    To be read, not run: each place starts kernels of its own. All images and all filters of a
    group share them, so that there are loops over places and groups alone.
    """
    options, (oH, oW) = _prepared(x, w, b, stride, padding, dilation, groups)
    (sH, sW), (pH, pW), (dH, dW) = (options[name] for name in _WINDOW)
    kH, kW = w.shape[2:]
    x_padded = F.pad(x, (pW, pW, pH, pH))
    values = []
    for i, j in product(range(oH), range(oW)):
        rows = slice(sH * i, sH * i + dH * (kH - 1) + 1, dH)
        columns = slice(sW * j, sW * j + dW * (kW - 1) + 1, dW)
        patches = x_padded[:, :, rows, columns].chunk(groups, dim=1)
        scores = [
            torch.einsum("ncuv, fcuv -> nf", patch, filters)
            for patch, filters in zip(patches, w.chunk(groups), strict=True)
        ]
        values.append(torch.cat(scores, dim=1))  # (N, F)
    out = torch.stack(values, dim=2).view(len(x), len(w), oH, oW)
    return out if b is None else out + b[:, None, None]


def im2col(x, kernel, stride=1, padding=0, dilation=1):
    """Torch twin of utils.reference.convolution.im2col; torch calls it unfold."""
    _require_images(x)
    kernel, options = _pair(kernel), _options(stride, padding, dilation)
    oH, oW = _output_sizes(x.shape[2:], kernel, options)
    if len(x) == 0:  # unfold refuses an empty batch
        return x.new_zeros(0, x.shape[1] * kernel[0] * kernel[1], oH * oW)
    return F.unfold(x, kernel, **options)


def col2im(cols, image_size, kernel, stride=1, padding=0, dilation=1):
    """Torch twin of utils.reference.convolution.col2im; torch calls it fold."""
    kernel, options = _pair(kernel), _options(stride, padding, dilation)
    oH, oW = _output_sizes(image_size, kernel, options)
    weights = kernel[0] * kernel[1]
    if cols.ndim != 3 or cols.shape[1] % weights or cols.shape[2] != oH * oW:
        raise ValueError(
            f"cols must be (N, C * {weights}, {oH * oW}), got shape {tuple(cols.shape)}"
        )
    if len(cols) == 0:  # fold refuses an empty batch
        return cols.new_zeros(0, cols.shape[1] // weights, *image_size)
    return F.fold(cols, image_size, kernel, **options)


def conv2d_forward(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Torch twin of utils.reference.convolution.conv2d_forward, one kernel.

    In float32 cuDNN may round the factors to TF32, 10 bits, where
    torch.backends.cudnn.allow_tf32 is on, as it is by default.
    """
    options, _ = _prepared(x, w, b, stride, padding, dilation, groups)
    return F.conv2d(x, w, b, groups=groups, **options)


def conv2d_fft(x, w, b=None, padding=0):
    """Torch twin of utils.reference.convolution.conv2d_fft.

    Differs: transforms all filters at once, F C H W numbers: a GPU waits less and holds more.
    """
    options, (oH, oW) = _prepared(x, w, b, 1, padding, 1, 1)
    pH, pW = options["padding"]
    if len(x) == 0:  # torch's FFT refuses an empty batch
        return x.new_zeros(0, len(w), oH, oW)
    x_padded = F.pad(x, (pW, pW, pH, pH))
    circle = tuple(x_padded.shape[2:])
    x_waves, w_waves = torch.fft.rfft2(x_padded), torch.fft.rfft2(w, circle).conj()
    waves = torch.einsum("nchw, fchw -> nfhw", x_waves, w_waves)
    out = torch.fft.irfft2(waves, circle)[:, :, :oH, :oW]
    return out if b is None else out + b[:, None, None]


def _pair(value):
    """(height, width) of an option that may be one int for both."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, int) for v in pair):
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
    """The options as pairs, and (oH, oW), once all of it fits."""
    _require_images(x)
    n_filters, C = w.shape[:2] if w.ndim == 4 else (0, 0)
    if groups < 1 or n_filters == 0 or n_filters % groups or C * groups != x.shape[1]:
        raise ValueError(
            "x and w must be (N, C, H, W) and (F, C/groups, kH, kW), groups dividing C and F, "
            f"got {tuple(x.shape)} and {tuple(w.shape)} with groups {groups}"
        )
    if b is not None and b.shape != (n_filters,):
        raise ValueError(
            f"b must be ({n_filters},), one for each filter, got shape {tuple(b.shape)}"
        )
    options = _options(stride, padding, dilation)
    return options, _output_sizes(x.shape[2:], w.shape[2:], options)


def _require_images(x):
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ValueError(f"x must be (N, C, H, W), only N may be 0, got shape {tuple(x.shape)}")
