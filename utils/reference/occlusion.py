"""Cover a part of the image: where the score drops, the model was looking.

The model is a function of images, (N, C, H, W), that returns scores, (N, n_classes), and nothing
else is asked of it: no gradient, no layer. For the network of cnn it is
lambda x: cnn_forward(x, params)[0].
"""

import numpy as np

from ._perturbed import class_scores, require_image, scores_in_blocks, whole_fill


def occlude(image, top, left, patch, fill=0.0):
    """Lay a square over the image; what would hang over the edge is cut off.

    image  : (C, H, W)
    top    : int in [0, H), the first row that is covered
    left   : int in [0, W), the first column
    patch  : int >= 1, the side of the square in pixels
    fill   : float, or an array that broadcasts to (C, H, W): (C, 1, 1) is a color
    returns: (C, H, W)
    raises : ValueError, if image or fill has another shape, patch is below 1, or the corner is
             outside the image
    """
    require_image(image)
    _, H, W = image.shape
    if patch < 1:
        raise ValueError(f"patch must be at least 1, got {patch}")
    if not (0 <= top < H and 0 <= left < W):
        raise ValueError(f"top and left must lie in [0, {H}) and [0, {W}), got {top} and {left}")
    here = np.s_[:, top : top + patch, left : left + patch]
    covered = image.copy()
    covered[here] = whole_fill(fill, image)[here]
    return covered


def occlusion_map(f, image, label, patch, stride=1, fill=0.0, block=64):
    """How much of the score is lost where.

        drop[place] = f(image)[label] - f(image with the square at place covered)[label]
        map[h, w]   = mean of drop over the places whose square covers pixel (h, w)

    The square starts at 0, stride, 2 stride, ... until it reaches the edge; there it is cut off,
    so that each pixel is covered at least once. Positive: the pixel speaks for the class;
    negative: against it. A patch that is small against the object shows little, the rest of the
    object gives it away; what a large one shows is blurred.

    It is captum.attr.Occlusion with sliding_window_shapes (C, patch, patch), strides
    (C, stride, stride) and baselines fill, where each channel holds this map. captum alone can
    also slide through the channels and take other windows than squares.

    f      : function, (N, C, H, W) -> (N, n_classes)
    image  : (C, H, W)
    label  : int in [0, n_classes)
    patch  : int in [1, min(H, W)], the side of the square in pixels
    stride : int in [1, patch]
    fill   : float, or an array that broadcasts to (C, H, W)
    block  : int >= 1, images that f is given at a time
    returns: (H, W), in the unit of the scores
    raises : ValueError, if a shape or an option does not fit
    source : Zeiler and Fergus, Visualizing and Understanding Convolutional Networks (2014),
             section 4.2; the mean over the places is captum's
    """
    require_image(image)
    _, H, W = image.shape
    if not 1 <= patch <= min(H, W):
        raise ValueError(f"patch must lie in [1, {min(H, W)}], the image, got {patch}")
    if not 1 <= stride <= patch:
        raise ValueError(f"stride must lie in [1, {patch}], or pixels are left out, got {stride}")
    rows, columns = _starts(H, patch, stride), _starts(W, patch, stride)
    places = [(top, left) for top in rows for left in columns]

    def covered(part):
        return np.stack([occlude(image, *place, patch, fill) for place in places[part]])

    whole = class_scores(f, image[None], label)  # (1,)
    drops = whole - scores_in_blocks(f, covered, len(places), label, block)
    total, times = np.zeros((H, W), drops.dtype), np.zeros((H, W), drops.dtype)
    for (top, left), drop in zip(places, drops, strict=True):
        here = np.s_[top : top + patch, left : left + patch]
        total[here] += drop
        times[here] += 1
    return total / times


def _starts(length, patch, stride):
    """Where squares begin along one side: the last is the first to reach the edge."""
    return range(0, length - patch + stride, stride)
