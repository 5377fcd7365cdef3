"""Is an explanation right? Four ways to ask, for none of which it is enough to look convincing.

- Ask the model: take away the pixels that are said to matter, and the score should fall at once;
  give it only those, and it should rise at once (deletion_curve, insertion_curve).
- Ask the truth, where it is known: is the strongest pixel on the object, do the strongest cover
  it (pointing_game, mask_overlap)?
- Ask for dependence: a network with weights drawn anew knows nothing, so an explanation of it
  that looks the same has not explained the network (randomization_check).

An explanation is (H, W), float, large where the pixel speaks for the class. Its pixels are ranked
from the strongest; those that tie in reading order, nan last.
"""

import copy

import numpy as np

from ._perturbed import require_image, scores_in_blocks, whole_fill


def pixel_ranks(explanation):
    """The place of each pixel in the order of their strength.

    explanation: (..., H, W) float
    returns    : (..., H, W) ints, 0 the strongest of each (H, W), H W - 1 the weakest
    raises     : ValueError, if the explanation has fewer than two sides, no pixel, or no floats
    """
    if explanation.ndim < 2 or 0 in explanation.shape[-2:] or explanation.dtype.kind != "f":
        raise ValueError(
            f"explanation must be (..., H, W) floats, H and W at least 1, "
            f"got {explanation.dtype} of shape {explanation.shape}"
        )
    *leading, H, W = explanation.shape
    order = np.argsort(-explanation.reshape(*leading, H * W), axis=-1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(H * W), axis=-1)
    return ranks.reshape(explanation.shape)


def blur(image, sigma):
    """What an image looks like from afar: start insertion_curve from it, and no edge is new.

        every pixel the mean of its neighbors, weighted by exp(-distance^2 / (2 sigma^2))

    A normal curve in two dimensions is one down times one across: two matrix products. Beyond
    the edge the image goes on with its last pixel, and past 4 sigma the weights are left out.

    image  : (C, H, W)
    sigma  : float > 0, pixels
    returns: (C, H, W)
    raises : ValueError, if image has another shape or sigma is not positive and finite
    """
    require_image(image)
    if not 0 < sigma < np.inf:
        raise ValueError(f"sigma must be positive and finite, got {sigma}")
    _, H, W = image.shape
    down, across = (_blur_matrix(n, sigma).astype(image.dtype) for n in (H, W))
    return down @ image @ across.T


def deletion_curve(f, image, label, explanation, n_steps=50, fill=0.0, block=64):
    """Take the strongest pixels away first: the faster the score falls, the better.

    After step i, floor(i H W / n_steps) pixels show the fill, those that the explanation holds to
    be the strongest. The area under the curve sums it up; the smaller, the better. An image with
    holes is none that the model was trained on: compare explanations of one model and one fill.

    f          : function, (N, C, H, W) -> (N, n_classes)
    image      : (C, H, W)
    label      : int in [0, n_classes)
    explanation: (H, W)
    n_steps    : int in [1, H W]
    fill       : float, or an array that broadcasts to (C, H, W): what is left without a pixel
    block      : int >= 1, images that f is given at a time
    returns    : fractions, (n_steps + 1,), of the pixels taken away, from 0 to 1
                 scores, (n_steps + 1,), from that of the image to that of the fill
    raises     : ValueError, if a shape or an option does not fit
    source     : Petsiuk, Das and Saenko, RISE (2018)
    """
    require_image(image)
    fill = whole_fill(fill, image)
    return _exchange(f, image, fill, label, explanation, n_steps, block)


def insertion_curve(f, image, label, explanation, n_steps=50, fill=0.0, block=64):
    """Start from the fill, give the strongest pixels back first: it should rise at once.

    Parameters, errors and source are those of deletion_curve; fill=blur(image, 5) is usual here.

    returns: fractions, (n_steps + 1,), of the pixels given back, from 0 to 1
             scores, (n_steps + 1,), from that of the fill to that of the image
    """
    require_image(image)
    fill = whole_fill(fill, image)
    return _exchange(f, fill, image, label, explanation, n_steps, block)


def area_under(fractions, scores):
    """The area under a curve of straight lines between its points, by trapezoids.

        sum over i of (fractions_i+1 - fractions_i) (scores_i + scores_i+1) / 2

    fractions: (n,), ascending
    scores   : (n,)
    returns  : float; over fractions from 0 to 1 it is the mean score
    raises   : ValueError, if the two are not of one length, at least 2
    """
    if fractions.ndim != 1 or len(fractions) < 2 or scores.shape != fractions.shape:
        raise ValueError(
            f"fractions and scores must be (n,), n at least 2, "
            f"got {fractions.shape} and {scores.shape}"
        )
    return float((np.diff(fractions) * (scores[:-1] + scores[1:]) / 2).sum())


def pointing_game(explanation, mask):
    """Does the strongest pixel lie on the object? The mean over many images is the score.

    explanation: (..., H, W)
    mask       : (..., H, W) bool, True on the object
    returns    : (...) bool
    raises     : ValueError, if the shapes disagree or mask is not bool
    source     : Zhang et al., Top-down Neural Attention by Excitation Backprop (2016), there
                 with 15 pixels of tolerance
    """
    ranks = pixel_ranks(explanation)
    _require_mask(mask, explanation)
    return (mask & (ranks == 0)).any(axis=(-2, -1))


def mask_overlap(explanation, mask):
    """How well do the strongest pixels, as many as the object has, cover the object?

        IoU = |strongest and object| / |strongest or object|, intersection over union

    Drawn at random for an object on a share a of the image, about a / (2 - a).

    explanation: (..., H, W)
    mask       : (..., H, W) bool, True on the object
    returns    : (...) float in [0, 1]; nan where there is no object
    raises     : ValueError, if the shapes disagree or mask is not bool
    """
    ranks = pixel_ranks(explanation)
    _require_mask(mask, explanation)
    strongest = ranks < mask.sum(axis=(-2, -1), keepdims=True)
    both = (strongest & mask).sum(axis=(-2, -1)).astype(explanation.dtype)
    either = (strongest | mask).sum(axis=(-2, -1)).astype(explanation.dtype)
    with np.errstate(invalid="ignore"):  # 0/0 is nan, as promised
        return both / either


def rank_correlation(a, b):
    """Spearman's correlation: do a and b put their entries in the same order?

        the correlation of the ranks; entries that tie share the mean of their ranks

    a, b   : of one shape, at least one entry
    returns: float in [-1, 1]; nan where all of a or all of b are equal, or one entry is nan
    raises : ValueError, if the shapes disagree or there is no entry
    source : Spearman, The Proof and Measurement of Association between Two Things (1904)
    """
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"a and b must be of one shape, not empty, got {a.shape} and {b.shape}")
    if np.isnan(a).any() or np.isnan(b).any():
        return float("nan")
    a, b = _centered_ranks(a), _centered_ranks(b)
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")


def randomization_check(explain, params, fresh, layers, cascade=True):
    """How alike does the explanation stay when the network forgets, layer after layer?

    The last layer, nearest to the scores, comes first. An explanation of what the network has
    learned must change: rank correlations that stay near 1 say that it shows the image, as an
    edge detector would.

    explain: function, params -> explanation, an array of any one shape
    params : dictionary or list of arrays, the trained parameters
    fresh  : the same of the same shapes, drawn anew as before training, by cnn_init or mlp_init
    layers : list of lists of keys, what is redrawn together: for the network of cnn
             [["dense_w", "dense_b"], ["conv_w", "conv_b"]], for an MLP of two layers [[1], [0]]
    cascade: bool, True redraws layer after layer until none is left, False each alone
    returns: (len(layers),), rank_correlation of the explanation before and after each
    raises : ValueError, if there is no layer, or a key is not in both params and fresh
    source : Adebayo et al., Sanity Checks for Saliency Maps (2018)
    """
    _require_layers(params, fresh, layers)
    before = explain(params)
    correlations, changed = [], copy.copy(params)
    for keys in layers:
        if not cascade:
            changed = copy.copy(params)
        for key in keys:
            changed[key] = fresh[key]
        correlations.append(rank_correlation(before, explain(changed)))
    return np.array(correlations)


def _exchange(f, before, after, label, explanation, n_steps, block):
    """Fractions and scores while the pixels of before give way to those of after."""
    ranks = pixel_ranks(explanation)
    if explanation.shape != before.shape[1:]:
        raise ValueError(
            f"explanation must be {before.shape[1:]}, the size of the image, "
            f"got {explanation.shape}"
        )
    n_pixels = explanation.size
    if not 1 <= n_steps <= n_pixels:
        raise ValueError(f"n_steps must lie in [1, {n_pixels}], the pixels, got {n_steps}")
    changed = np.arange(n_steps + 1) * n_pixels // n_steps  # pixels after each step

    def images(part):
        new = ranks < changed[part, None, None]  # (N, H, W)
        return np.where(new[:, None], after, before)

    scores = scores_in_blocks(f, images, n_steps + 1, label, block)
    return (changed / n_pixels).astype(scores.dtype), scores


def _blur_matrix(n, sigma):
    """(n, n), rows that sum to 1: row i weighs the pixels around i."""
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    bell = np.exp(-(offsets**2) / (2 * sigma**2))
    rows = np.arange(n)[:, None]
    columns = np.clip(rows + offsets, 0, n - 1)  # beyond the edge, the last pixel
    matrix = np.zeros((n, n))
    np.add.at(matrix, (rows, columns), bell / bell.sum())
    return matrix


def _centered_ranks(a):
    """(n,), ranks in (-1/2, 1/2) of mean 0; entries that tie share theirs."""
    _, group, sizes = np.unique(a.ravel(), return_inverse=True, return_counts=True)
    last = sizes.cumsum() - 1  # the rank of the last of each group, from 0
    twice = (2 * last - (sizes - 1))[group] - (a.size - 1)  # whole numbers so far
    return twice / (2 * a.size)


def _require_mask(mask, explanation):
    if mask.shape != explanation.shape or mask.dtype != bool:
        raise ValueError(
            f"mask must be {explanation.shape} bool, as the explanation, "
            f"got {mask.dtype} of shape {mask.shape}"
        )


def _require_layers(params, fresh, layers):
    if len(layers) == 0:
        raise ValueError("layers must hold at least one list of keys, got none")
    known = [set(p) if isinstance(p, dict) else set(range(len(p))) for p in (params, fresh)]
    for key in (key for keys in layers for key in keys):
        if not all(key in keys for keys in known):
            raise ValueError(f"layers must hold keys of params and of fresh, got {key!r}")
