"""Keep a model from learning its training set by heart: cost, limits, noise and more data.

A penalty returns (penalty, dw), both to be added to those of the loss; biases are usually left
out. Images are (N, C, H, W), and each of the N is changed in its own way. float32 stays so.
"""

import numpy as np

from ._gradients import require_gradient


def l1_penalty(w, strength):
    """Every weight pays its size, and is pushed to 0 just as hard when it is small: sparsity.

        penalty = strength sum |w|,  dw = strength sign(w)

    w       : any shape
    strength: float >= 0
    returns : penalty, float; dw, the shape of w, at the kink w = 0 the 0 between its two slopes
    raises  : ValueError, if strength is negative
    source  : Tibshirani, Regression Shrinkage and Selection via the Lasso (1996)
    """
    return elastic_penalty(w, strength, l1_ratio=1.0)


def l2_penalty(w, strength):
    """Every weight pays its square, and is pushed to 0 the less the smaller it is.

        penalty = strength/2 sum w^2,  dw = strength w

    With plain gradient descent it is weight decay: w <- (1 - lr strength) w - lr dloss.

    w       : any shape
    strength: float >= 0
    returns : penalty, float; dw, the shape of w
    raises  : ValueError, if strength is negative
    source  : Hoerl and Kennard, Ridge Regression (1970)
    """
    return elastic_penalty(w, strength, l1_ratio=0.0)


def elastic_penalty(w, strength, l1_ratio=0.5):
    """Some of both.

        penalty = strength (l1_ratio sum |w| + (1 - l1_ratio)/2 sum w^2)
        dw      = strength (l1_ratio sign(w) + (1 - l1_ratio) w)

    w       : any shape
    strength: float >= 0
    l1_ratio: float in [0, 1]; 1 is l1_penalty, 0 is l2_penalty
    returns : penalty, float; dw, the shape of w
    raises  : ValueError, if strength is negative or l1_ratio outside [0, 1]
    source  : Zou and Hastie, Regularization and Variable Selection via the Elastic Net (2005);
              the parameters are scikit-learn's
    """
    if not strength >= 0:
        raise ValueError(f"strength must be at least 0, got {strength}")
    if not 0 <= l1_ratio <= 1:
        raise ValueError(f"l1_ratio must lie in [0, 1], got {l1_ratio}")
    l1, l2 = strength * l1_ratio, strength * (1 - l1_ratio)
    penalty = l1 * np.abs(w).sum() + l2 / 2 * (w * w).sum()
    return float(penalty), l1 * np.sign(w) + l2 * w


def max_norm(w, limit=3.0):
    """Put weights back onto the ball: the nearest for each neuron that is no longer than limit.

        w_j <- w_j min(1, limit / |w_j|),  w_j what flows into neuron j

    It is done after each step. Neurons within the ball do not feel it.

    w      : (D_in, D_out), a neuron is a column, or (F, C, kH, kW), a neuron is a filter
    limit  : float > 0; 3 to 4 are usual
    returns: the shape of w
    raises : ValueError, if w has neither 2 nor 4 sides or limit is not positive
    source : Srebro and Shraibman (2005); Srivastava et al., Dropout (2014), section 5.1
    """
    if w.ndim not in (2, 4):
        raise ValueError(f"w must be (D_in, D_out) or (F, C, kH, kW), got {w.shape}")
    if not limit > 0:
        raise ValueError(f"limit must be positive, got {limit}")
    incoming = 0 if w.ndim == 2 else (1, 2, 3)
    lengths = np.sqrt((w * w).sum(axis=incoming, keepdims=True))
    too_long = ~(lengths <= limit)  # a nan is
    return w * np.where(too_long, limit / np.where(too_long, lengths, 1), 1).astype(w.dtype)


def dropout_forward(x, rate, rng, training=True):
    """Silence each value with probability `rate`; the others speak up, so that the mean stays.

        training : out = x keep / (1 - rate),  keep 1 with probability 1 - rate, else 0
        inference: out = x

    This is the inverted form. The classic one leaves training as it is and multiplies by
    1 - rate in inference. Either way a net is trained that shares its weights with 2^n others.

    x       : any shape
    rate    : float in [0, 1), the share that is dropped, not the share that is kept
    rng     : numpy.random.Generator
    training: bool
    returns : out, the shape of x; cache
    raises  : ValueError, if rate is outside [0, 1)
    source  : Srivastava et al., Dropout (2014); p there is the share that is kept
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate must lie in [0, 1), got {rate}")
    if not training:
        return x.copy(), np.ones_like(x)
    keep = rng.random(x.shape) >= rate
    mask = keep.astype(x.dtype) / (1 - rate)
    return x * mask, mask


def dropout_backward(dout, cache):
    """The gradient of dropout_forward: what was silent learns nothing.

        dx = dout keep / (1 - rate)

    dout   : the shape of x
    cache  : from dropout_forward
    returns: dx, the shape of x
    raises : ValueError, if dout does not have the shape of x
    """
    require_gradient(dout, cache.shape)
    return dout * cache


def shift(images, down, right, fill=0.0):
    """Move each image by whole pixels; what comes in from outside is `fill`.

        out[i, c, h, w] = images[i, c, h - down_i, w - right_i]

    images : (N, C, H, W)
    down   : int or (N,) ints, negative is up
    right  : int or (N,) ints, negative is left
    fill   : float, the value of the background
    returns: (N, C, H, W)
    raises : ValueError, if images or the shifts have other shapes
    """
    N, _, H, W = _require_images(images)
    rows = np.arange(H) - _per_image(down, N, "down")[:, None]  # (N, H), where each comes from
    columns = np.arange(W) - _per_image(right, N, "right")[:, None]  # (N, W)
    inside = ((rows >= 0) & (rows < H))[:, :, None] & ((columns >= 0) & (columns < W))[:, None, :]
    i = np.arange(N)[:, None, None]
    moved = images[i, :, (rows % max(H, 1))[:, :, None], (columns % max(W, 1))[:, None, :]]
    moved = moved.transpose(0, 3, 1, 2)  # from (N, H, W, C)
    return np.where(inside[:, None], moved, np.asarray(fill, dtype=images.dtype))


def flip(images, mirrored=True):
    """Exchange left and right. Mind that a mirrored 2 is no digit, and a mirrored b is a d.

        out[i, c, h, w] = images[i, c, h, W - 1 - w] where mirrored_i

    images  : (N, C, H, W)
    mirrored: bool or (N,) bools
    returns : (N, C, H, W)
    raises  : ValueError, if images or mirrored have other shapes
    """
    N, *_ = _require_images(images)
    mirrored = _per_image(mirrored, N, "mirrored").astype(bool)
    return np.where(mirrored[:, None, None, None], images[..., ::-1], images)


def rotate(images, turns=1):
    """Turn each image counterclockwise by quarter turns, which loses no pixel.

        one turn: out[i, c, h, w] = images[i, c, w, W - 1 - h]

    images : (N, C, H, H), square
    turns  : int or (N,) ints; 4 is as good as 0, -1 as good as 3
    returns: (N, C, H, H)
    raises : ValueError, if images are not square or turns has another shape
    """
    N, _, H, W = _require_images(images)
    if H != W:
        raise ValueError(f"images must be square to be turned, got {images.shape}")
    turns = _per_image(turns, N, "turns") % 4
    out = images.copy()
    for k in (1, 2, 3):
        out[turns == k] = np.rot90(images[turns == k], k, axes=(2, 3))
    return out


def affine(images, degrees=0.0, scale=1.0, down=0.0, right=0.0, fill=0.0):
    """Turn each image about its middle, counterclockwise, scale it, then move it.

    Each pixel of out asks where it came from, so that none stays empty: inverse mapping. With
    (r, c) its rows and columns from the middle and t the angle, that is

        r' = ( sin t (c - right) + cos t (r - down)) / scale
        c' = ( cos t (c - right) - sin t (r - down)) / scale

    and out takes what is there: the mean of the four pixels around, each the more the nearer.

    images : (N, C, H, W), float
    degrees: float or (N,), the angle
    scale  : float > 0 or (N,), 2 makes everything twice as large
    down   : float or (N,), pixels, negative is up
    right  : float or (N,), pixels, negative is left
    fill   : float, the value of the background
    returns: (N, C, H, W)
    raises : ValueError, if shapes do not fit, images are not floats, a scale is not positive or a
             value is not finite
    source : Jaderberg et al., Spatial Transformer Networks (2015), equations 1 and 5
    """
    N, C, H, W = _require_images(images)
    _require_floats(images)
    named = {"degrees": degrees, "scale": scale, "down": down, "right": right}
    for name, value in named.items():
        named[name] = _per_image(value, N, name)[:, None, None]
        if not np.isfinite(named[name]).all():
            raise ValueError(f"{name} must be finite, got {value}")
    if not (named["scale"] > 0).all():
        raise ValueError(f"scale must be positive, got {scale}")
    t = np.deg2rad(named["degrees"])
    r = np.arange(H)[:, None] - (H - 1) / 2 - named["down"]  # (N, H, 1)
    c = np.arange(W) - (W - 1) / 2 - named["right"]  # (N, 1, W)
    rows = (np.sin(t) * c + np.cos(t) * r) / named["scale"] + (H - 1) / 2  # (N, H, W)
    columns = (np.cos(t) * c - np.sin(t) * r) / named["scale"] + (W - 1) / 2

    # a frame of background, into which everything from outside falls
    framed = np.full((N, C, H + 2, W + 2), fill, dtype=images.dtype)
    framed[:, :, 1:-1, 1:-1] = images
    rows, columns = np.clip(rows, -1, H) + 1, np.clip(columns, -1, W) + 1
    top = np.minimum(rows.astype(int), H)  # the upper left of the four pixels
    left = np.minimum(columns.astype(int), W)
    lower = (rows - top).astype(images.dtype)[:, None]  # (N, 1, H, W), 0 to 1
    righter = (columns - left).astype(images.dtype)[:, None]

    above = (1 - righter) * _take(framed, top, left) + righter * _take(framed, top, left + 1)
    top = top + 1
    below = (1 - righter) * _take(framed, top, left) + righter * _take(framed, top, left + 1)
    return (1 - lower) * above + lower * below


def add_noise(images, scale, rng):
    """Shake every gray value a little, by normal noise.

        images + scale normal(0, 1)

    images : any shape, float
    scale  : float >= 0, a deviation in the unit of images
    rng    : numpy.random.Generator
    returns: the shape of images; values may leave the range they had
    raises : ValueError, if images are not floats or scale is negative
    """
    _require_floats(images)
    if not scale >= 0:
        raise ValueError(f"scale must be at least 0, got {scale}")
    return images + (scale * rng.standard_normal(images.shape)).astype(images.dtype)


def augment(
    images, rng, max_shift=2, mirror=False, turn=False, noise=0.0, max_degrees=0.0, max_zoom=0.0
):
    """Each image changed at random, as new ones of its class might look.

    images     : (N, C, H, W), float
    rng        : numpy.random.Generator
    max_shift  : int >= 0, pixels in each direction; all shifts up to it are equally likely
    mirror     : bool, True flips every second image or so; for scenes, not for digits
    turn       : bool, True turns by 0 to 3 quarters; for tissue or aerial views, square images
    noise      : float >= 0, a deviation in the unit of images
    max_degrees: float >= 0, the largest turn either way; 10 to 15 leave a digit what it is
    max_zoom   : float in [0, 1), 0.1 scales by 0.9 to 1.1
    returns    : (N, C, H, W)
    raises     : ValueError, if shapes do not fit, images are not floats, max_shift, noise or
                 max_degrees is negative, or max_zoom outside [0, 1)
    """
    N, *_ = _require_images(images)
    if max_shift < 0:
        raise ValueError(f"max_shift must be at least 0, got {max_shift}")
    if not max_degrees >= 0:
        raise ValueError(f"max_degrees must be at least 0, got {max_degrees}")
    if not 0 <= max_zoom < 1:
        raise ValueError(f"max_zoom must lie in [0, 1), got {max_zoom}")
    down, right = rng.integers(-max_shift, max_shift + 1, size=(2, N))
    images = shift(images, down, right)
    if mirror:
        images = flip(images, rng.integers(2, size=N))
    if turn:
        images = rotate(images, rng.integers(4, size=N))
    if max_degrees or max_zoom:
        u, v = rng.uniform(-1, 1, size=(2, N))
        images = affine(images, max_degrees * u, 1 + max_zoom * v)
    return add_noise(images, noise, rng)


def _take(images, rows, columns):
    """(N, C, h, w), what stands at the places (N, h, w) of each image."""
    i = np.arange(len(images))[:, None, None]
    return images[i, :, rows, columns].transpose(0, 3, 1, 2)  # from (N, h, w, C)


def _per_image(value, N, name):
    """(N,), one value for each image."""
    value = np.asarray(value)
    if value.shape not in ((), (N,)):
        raise ValueError(f"{name} must be one value or ({N},), got shape {value.shape}")
    return np.broadcast_to(value, (N,))


def _require_images(images):
    if images.ndim != 4:
        raise ValueError(f"images must be (N, C, H, W), got {images.shape}")
    return images.shape


def _require_floats(images):
    if images.dtype.kind != "f":  # between two whole numbers nothing could be
        raise ValueError(f"images must be floats, got {images.dtype}")
