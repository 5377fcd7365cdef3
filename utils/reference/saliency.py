"""Which pixels made the network say so? Maps drawn from the gradient of one class score.

A model is a network with its parameters fixed, a function of its input alone:

    scores, backward = model(x)    x (N, ...) -> scores (N, C)
    dx = backward(dscores)         (N, C) -> the shape of x

mlp.mlp_model and cnn.cnn_model make one. Each example must be scored by itself, whatever stands
beside it in the batch: then one backward pass explains them all.

Raises ValueError, all of them, if x is not float of shape (N, ...), labels are not N ints in
[0, C), or an option is out of its range.
"""

import math

import numpy as np

from ._labels import require_labels
from .activations import relu


def score_and_gradient(model, x, labels):
    """The score of one class for each input, and what a small change of the input does to it.

        score_i = s[i, y_i],  dx_i = d score_i / d x_i

    Scores, before the softmax: a probability near 1 hardly moves, however much the class is seen.

    model  : function of x, returns scores and backward
    x      : (N, ...)
    labels : (N,) int in [0, C), the class asked about, right or wrong
    returns: score, (N,); dx, the shape of x, nan for an example whose score is nan
    """
    _require_floats(x)
    scores, backward = model(x)
    if scores.ndim != 2 or len(scores) != len(x):
        raise ValueError(f"model must give scores ({len(x)}, C), got shape {scores.shape}")
    require_labels(labels, scores.shape[:1], scores.shape[1])
    asked = np.arange(len(x)), labels
    dscores = np.zeros_like(scores)
    dscores[asked] = 1
    score = scores[asked]
    return score, np.where(_per_example(np.isnan(score), x), np.nan, backward(dscores))


def saliency(model, x, labels, kind="signed"):
    """The gradient of a class score as a map.

        signed      : g = d s_y / d x,  above 0 where more of the pixel raises the score
        absolute    : max over channels of |g|,  where the score is sensitive
        times_input : g x,  what each pixel adds; exactly so where scores = x w

    model  : function of x, returns scores and backward
    x      : (N, C, H, W), or any (N, ...), where absolute is |g|, as there are no channels
    labels : (N,) int, the class asked about
    kind   : "signed", "absolute" or "times_input"
    returns: the shape of x; if absolute (N, H, W)
    source : Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks (2014),
             section 3
    """
    _require_kind(kind)
    _, dx = score_and_gradient(model, x, labels)
    return _as_map(dx, x, kind)


def smooth_grad(model, x, labels, rng, noise=0.15, n_samples=50, kind="signed"):
    """The gradient averaged over noisy copies of the input.

        g = mean over k of d s_y / d x at x + noise (max x - min x) e_k,  e_k ~ Normal(0, 1)

    A network of relus bends at each of them, so its gradient jumps from one input to the next,
    and the map of one input alone is speckled. What holds all around it remains.

    model    : function of x, returns scores and backward
    x        : (N, C, H, W), or any (N, ...)
    labels   : (N,) int, the class asked about
    rng      : numpy.random.Generator
    noise    : float >= 0, standard deviation of the noise as a fraction of each input's range
    n_samples: int >= 1, copies; the speckle shrinks with its square root
    kind     : as in saliency, made of the mean gradient and x without noise
    returns  : the shape of x; if absolute (N, H, W)
    source   : Smilkov et al., SmoothGrad: Removing Noise by Adding Noise (2017)
    """
    _require_kind(kind)
    _require_floats(x)
    if not 0 <= noise < math.inf or n_samples < 1:
        raise ValueError(
            f"noise must be at least 0 and n_samples at least 1, got {noise} and {n_samples}"
        )
    pixels = tuple(range(1, x.ndim))
    scale = noise * (x.max(axis=pixels, keepdims=True) - x.min(axis=pixels, keepdims=True))
    total = np.zeros_like(x)
    for _ in range(n_samples):
        e = rng.standard_normal(x.shape).astype(x.dtype)
        total += score_and_gradient(model, x + scale * e, labels)[1]
    return _as_map(total / n_samples, x, kind)


def grad_cam(model, x, labels, layer, upsampled=False, normalized=False):
    """Where a convolutional layer sees the class: its maps, each weighted by how much it matters.

        weight[n, f] = mean over i, j of d s_y / d maps[n, f, i, j]
        cam = relu(sum over f of weight[n, f] maps[n, f])

    Coarser than saliency, as the maps of a deep layer are, but it tells one class from another.

    model     : what follows the layer: function of its maps, returns scores and backward
    x         : (N, C, H, W)
    labels    : (N,) int, the class asked about
    layer     : what comes before: function of x, returns maps, (N, F, h, w), and a cache, which
                is not needed
    upsampled : bool, bring the map to the size of the images
    normalized: bool, divide each map by its maximum, so that it lies in [0, 1]; 0 stays 0
    returns   : cam, (N, h, w), at least 0; if upsampled (N, H, W)
    source    : Selvaraju et al., Grad-CAM (2017), eqs. 1-2
    """
    _require_floats(x)
    if x.ndim != 4:
        raise ValueError(f"x must be (N, C, H, W), got shape {x.shape}")
    maps, _ = layer(x)
    if maps.ndim != 4:
        raise ValueError(f"layer must give maps (N, F, h, w), got shape {maps.shape}")
    _, dmaps = score_and_gradient(model, maps, labels)
    weights = dmaps.mean(axis=(2, 3), keepdims=True)  # (N, F, 1, 1)
    cam = relu((weights * maps).sum(axis=1))  # (N, h, w)
    if upsampled:
        cam = upsample(cam, x.shape[2:])
    if normalized:
        peak = cam.max(axis=(1, 2), keepdims=True)
        cam = cam / np.where(peak == 0, 1, peak)
    return cam


def upsample(maps, size):
    """Bring maps to another size by bilinear interpolation.

    Pixel i of the new map has its center at (i + 1/2) old / new - 1/2 of the old one, and is the
    mean of the two nearest pixels, the nearer the heavier; beyond the outermost center its value
    holds. First along the rows, then along the columns.

    maps   : (N, h, w)
    size   : (H, W), ints of at least 1, each of which may also be smaller than before
    returns: (N, H, W)
    """
    if (
        maps.ndim != 3
        or maps.dtype.kind != "f"
        or 0 in maps.shape
        or len(size) != 2
        or min(size) < 1
    ):
        raise ValueError(
            "maps and size must be non-empty floats (N, h, w) and two ints of at least 1, "
            f"got {maps.dtype} of shape {maps.shape} and {tuple(size)}"
        )
    for axis, new in zip((1, 2), size, strict=True):
        old = maps.shape[axis]
        center = np.maximum((np.arange(new) + 0.5) * old / new - 0.5, 0)
        first = center.astype(int)
        second = np.minimum(first + 1, old - 1)
        share = (center - first).astype(maps.dtype)  # of the second pixel
        share = share[:, None] if axis == 1 else share
        maps = (1 - share) * maps.take(first, axis) + share * maps.take(second, axis)
    return maps


def _as_map(gradient, x, kind):
    if kind == "signed":
        return gradient
    if kind == "times_input":
        return gradient * x
    return np.abs(gradient).max(axis=1) if x.ndim == 4 else np.abs(gradient)


def _per_example(values, x):
    """(N,) as (N, 1, ..., 1), to stand beside x."""
    return values.reshape(-1, *[1] * (x.ndim - 1))


def _require_kind(kind):
    if kind not in ("signed", "absolute", "times_input"):
        raise ValueError(f"kind must be signed, absolute or times_input, got {kind!r}")


def _require_floats(x):
    if x.ndim < 2 or x.dtype.kind != "f" or x.size == 0:
        raise ValueError(f"x must be non-empty (N, ...) floats, got {x.dtype} of shape {x.shape}")
