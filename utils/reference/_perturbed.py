"""Asking a model from outside: what it says of one class when the image is changed."""

import numpy as np


def require_image(image):
    """Raise ValueError unless this is one image, (C, H, W), of floats."""
    if image.ndim != 3 or image.size == 0 or image.dtype.kind != "f":
        raise ValueError(
            f"image must be a non-empty (C, H, W) array of floats, "
            f"got {image.dtype} of shape {image.shape}"
        )


def whole_fill(fill, image):
    """(C, H, W), what may cover any pixel of image: from a number, a color or another image."""
    fill = np.asarray(fill, dtype=image.dtype)
    try:
        return np.broadcast_to(fill, image.shape)
    except ValueError:
        raise ValueError(
            f"fill must be a number or broadcast to (C, H, W), here {image.shape}, "
            f"got shape {fill.shape}"
        ) from None


def class_scores(f, images, label):
    """(N,), the scores that f gives to one class in each of the images, (N, C, H, W)."""
    scores = f(images)
    if scores.ndim != 2 or len(scores) != len(images) or not 0 <= label < scores.shape[1]:
        raise ValueError(
            f"f must return (N, n_classes), here N = {len(images)}, and label be one of the "
            f"classes, got shape {scores.shape} and label {label}"
        )
    return scores[:, label]


def scores_in_blocks(f, make, n, label, block):
    """(n,), the scores of the images that make(slice) gives, at most `block` of them at a time."""
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")
    parts = [slice(start, min(start + block, n)) for start in range(0, n, block)]
    return np.concatenate([class_scores(f, make(part), label) for part in parts])
