"""LIME: a linear model that anyone can read, true to the network near one image.

The image is cut into l superpixels, patches of like color that belong together. A mask x in
{0, 1}^l says which are on, I[x] is the image with the others covered. Many masks are drawn, the
network scores every I[x], and a linear model of the masks is fitted to these scores, the more
closely the fewer superpixels are off. Its coefficients say what each superpixel is worth.

    minimize  sum over n of pi_n (w_0 + w . x_n - f(I[x_n])[label])^2 + strength |w|^2

lime does it all; the other functions are its steps. The superpixels come from outside as segments,
(H, W) ints from 0 to l - 1, each at least once: skimage.segmentation makes such (slic with
start_label=0), and np.unique(segments, return_inverse=True)[1] numbers any labels so.

Source: Ribeiro, Singh and Guestrin, Why Should I Trust You? (2016). The sparse fit there is a
lasso path; ridge and then the strongest k is what the authors' package does for images.
"""

import numpy as np

from ._perturbed import require_image, scores_in_blocks, whole_fill


def random_masks(n_samples, n_superpixels, rng):
    """Toss a coin for each superpixel of each sample; the first sample is the image itself.

    n_samples    : int >= 1
    n_superpixels: int >= 1
    rng          : numpy.random.Generator
    returns      : (n_samples, n_superpixels) bool, True is on; row 0 is all True
    raises       : ValueError, if a number is below 1
    """
    if min(n_samples, n_superpixels) < 1:
        raise ValueError(
            f"n_samples and n_superpixels must be at least 1, got {n_samples} and {n_superpixels}"
        )
    masks = rng.random((n_samples, n_superpixels)) < 0.5
    masks[0] = True
    return masks


def mean_colors(image, segments):
    """Paint every superpixel in its mean color.

    image   : (C, H, W)
    segments: (H, W) ints, 0 to l - 1, each at least once
    returns : (C, H, W)
    raises  : ValueError, if image or segments are not such
    """
    _count_superpixels(image, segments)
    flat = segments.ravel().astype(np.intp)
    sizes = np.bincount(flat)  # (l,)
    colors = np.stack([np.bincount(flat, channel.ravel()) / sizes for channel in image])  # (C, l)
    return colors[:, segments].astype(image.dtype)


def switch_off(image, segments, masks, fill=None):
    """The images I[x]: superpixels that are off are covered.

    image   : (C, H, W)
    segments: (H, W) ints, 0 to l - 1, each at least once
    masks   : (N, l) bool, True is on
    fill    : None, the mean color of each superpixel; or a float, or an array that broadcasts to
              (C, H, W)
    returns : (N, C, H, W)
    raises  : ValueError, if a shape does not fit, masks are not bool, or segments are not such
    """
    n_superpixels = _count_superpixels(image, segments)
    if masks.dtype != bool or masks.ndim != 2 or masks.shape[1] != n_superpixels:
        raise ValueError(
            f"masks must be (N, {n_superpixels}) bool, a column for each superpixel, "
            f"got {masks.dtype} of shape {masks.shape}"
        )
    covered = mean_colors(image, segments) if fill is None else whole_fill(fill, image)
    on = masks[:, segments]  # (N, H, W)
    return np.where(on[:, None], image, covered)


def proximity(masks, nu=0.25):
    """The weight of each sample in the fit: the more is off, the less it says of this image.

        pi = exp(-(1 - sqrt(1 - s/l))^2 / (2 nu^2)),  s of l superpixels off

    sqrt(1 - s/l) is the cosine between the mask and the mask of the whole image. With half of
    them off and nu = 0.25, pi is 0.5034.

    masks  : (N, l), bool, or 0 and 1 in the float type that the weights shall have
    nu     : float > 0; the smaller, the more local
    returns: (N,) in (0, 1], 1 where all are on
    raises : ValueError, if masks are not (N, l) with l at least 1, or nu is not positive
    source : Ribeiro et al. (2016), section 3.4; cosine, 2 and nu = 0.25 are of their package
    """
    if masks.ndim != 2 or masks.shape[1] == 0:
        raise ValueError(f"masks must be (N, l) with l at least 1, got shape {masks.shape}")
    if not nu > 0:
        raise ValueError(f"nu must be positive, got {nu}")
    distance = 1 - np.sqrt(masks.mean(axis=1))  # the mean is 1 - s/l
    return np.exp(-(distance**2) / (2 * nu**2))


def weighted_ridge(x, y, weights, strength=1.0):
    """Linear regression whose samples count differently and whose slopes cost.

        minimize  sum over n of weights_n (intercept + x_n . w - y_n)^2 + strength |w|^2

    The intercept costs nothing: setting its derivative to 0 puts the plane through the weighted
    means of x and y. So both are centered, and what is left of the derivatives is

        w = (x^T diag(weights) x + strength I)^-1 x^T diag(weights) y

    Where strength is 0 and the samples do not tell the columns apart, the shortest such w.

    x       : (N, l), bool or float
    y       : (N,) float
    weights : (N,), none negative, their sum positive
    strength: float >= 0
    returns : w, (l,); intercept, float
    raises  : ValueError, if shapes disagree, there is no sample, x is not finite, a weight is
              negative or nan or all are 0, or strength is negative
    source  : Hoerl and Kennard, Ridge Regression (1970)
    """
    x, weights = _samples(x, y, weights)
    if not strength >= 0:
        raise ValueError(f"strength must be at least 0, got {strength}")
    x_mean, y_mean = _weighted_mean(x, weights), _weighted_mean(y, weights)
    x, y = x - x_mean, y - y_mean
    gram = (x.T * weights) @ x + strength * np.eye(x.shape[1], dtype=x.dtype)  # (l, l)
    inverse = np.linalg.pinv(gram, rcond=len(gram) * np.finfo(x.dtype).eps, hermitian=True)
    w = inverse @ (x.T @ (weights * y))
    return w, float(y_mean - x_mean @ w)


def lime_fit(masks, scores, weights, k=None, strength=1.0):
    """The linear model near the image: a ridge fit, the strongest k of it, and a fit of those.

        local R^2 = 1 - sum of pi (f - linear)^2 / sum of pi (f - mean f)^2

    R^2 says how far to trust the explanation: at 1 the network is linear in its superpixels,
    near 0 the coefficients mean nothing.

    masks   : (N, l) bool, True is on
    scores  : (N,), what the network gives to the class
    weights : (N,), from proximity
    k       : None for all superpixels, or int in [1, l]: how many may differ from 0, those with
              the largest absolute coefficients among all, the first of those that tie
    strength: float >= 0, of both fits
    returns : coefficients, (l,), in the unit of the scores; intercept, float, what is left with
              all superpixels off; r2, float, at most 1, and 1 where all scores are equal
    raises  : ValueError, if shapes disagree, there is no sample, a weight is negative or nan or
              all are 0, k is outside [1, l], or strength is negative
    source  : Ribeiro et al. (2016), algorithm 1; their package selects by a fit of strength 0.01
              (highest_weights, where more than six are asked for), then fits those with strength 1
    """
    masks, weights = _samples(masks, scores, weights)
    n_superpixels = masks.shape[1]
    kept = np.arange(n_superpixels)
    if k is not None:
        if not 1 <= k <= n_superpixels:
            raise ValueError(f"k must lie in [1, {n_superpixels}], the superpixels, got {k}")
        w, _ = weighted_ridge(masks, scores, weights, strength)
        kept = np.argsort(-np.abs(w), kind="stable")[:k]
    coefficients = np.zeros(n_superpixels, masks.dtype)
    coefficients[kept], intercept = weighted_ridge(masks[:, kept], scores, weights, strength)

    missed = scores - (intercept + masks @ coefficients)
    spread = weights @ (scores - _weighted_mean(scores, weights)) ** 2
    r2 = 1.0 if spread == 0 else float(1 - weights @ missed**2 / spread)
    return coefficients, intercept, r2


def lime(
    f,
    image,
    label,
    segments,
    rng,
    n_samples=1000,
    k=None,
    nu=0.25,
    strength=1.0,
    fill=None,
    block=64,
):
    """Explain one image: draw masks, score what they leave, weigh, fit.

    coefficients[segments] paints the explanation, (H, W).

    f        : function, (N, C, H, W) -> (N, n_classes)
    image    : (C, H, W)
    label    : int in [0, n_classes)
    segments : (H, W) ints, 0 to l - 1, each at least once
    rng      : numpy.random.Generator
    n_samples: int >= 1
    k        : None for all superpixels, or int in [1, l], the strongest k
    nu       : float > 0; the smaller, the more local
    strength : float >= 0
    fill     : None, the mean color of each superpixel; or a float, or an array that broadcasts to
               (C, H, W)
    block    : int >= 1, images that f is given at a time
    returns  : coefficients, (l,); intercept, float; r2, float: see lime_fit
    raises   : ValueError, if a shape or an option does not fit
    """
    n_superpixels = _count_superpixels(image, segments)
    masks = random_masks(n_samples, n_superpixels, rng)
    fill = mean_colors(image, segments) if fill is None else fill  # once, not in every block

    def covered(part):
        return switch_off(image, segments, masks[part], fill)

    scores = scores_in_blocks(f, covered, n_samples, label, block)
    return lime_fit(masks, scores, proximity(masks.astype(scores.dtype), nu), k, strength)


def _count_superpixels(image, segments):
    """l, if the segments are 0 to l - 1 and of the size of the image."""
    require_image(image)
    if segments.shape != image.shape[1:] or segments.dtype.kind not in "iu":
        raise ValueError(
            f"segments must be {image.shape[1:]} ints, the size of the image, "
            f"got {segments.dtype} of shape {segments.shape}"
        )
    found = np.unique(segments)
    if not np.array_equal(found, np.arange(len(found))):
        raise ValueError(
            f"segments must be 0 to l - 1, each at least once, got {len(found)} labels "
            f"from {found[0]} to {found[-1]}"
        )
    return len(found)


def _samples(x, y, weights):
    """x and weights in the dtype of y, if they fit."""
    if x.ndim != 2 or len(x) == 0 or y.shape != x.shape[:1] or weights.shape != y.shape:
        raise ValueError(
            "masks or x, scores or y, and weights must be (N, l), (N,), (N,), N at least 1, "
            f"got {x.shape}, {y.shape}, {weights.shape}"
        )
    if not (weights >= 0).all() or weights.sum() == 0:
        raise ValueError(
            f"weights must not be negative, nan or all 0, got {weights.min()} to {weights.max()}"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"x must be finite, got {x[~np.isfinite(x)][0]}")
    return x.astype(y.dtype), weights.astype(y.dtype)


def _weighted_mean(values, weights):
    """Along axis 0; exactly the first value where all are equal."""
    return values[0] + weights @ (values - values[0]) / weights.sum()
