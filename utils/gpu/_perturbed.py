"""Asking a model from outside. Torch twin of utils.reference._perturbed."""

from contextlib import contextmanager

import torch


def require_image(image):
    """Raise ValueError unless this is one image, (C, H, W), of floats."""
    if image.ndim != 3 or image.numel() == 0 or not image.is_floating_point():
        raise ValueError(
            f"image must be a non-empty (C, H, W) tensor of floats, "
            f"got {image.dtype} of shape {tuple(image.shape)}"
        )


def whole_fill(fill, image):
    """(C, H, W), what may cover any pixel of image: from a number, a color or another image."""
    fill = torch.as_tensor(fill, dtype=image.dtype, device=image.device)
    try:
        return fill.expand(image.shape)
    except RuntimeError:
        raise ValueError(
            f"fill must be a number or broadcast to (C, H, W), here {tuple(image.shape)}, "
            f"got shape {tuple(fill.shape)}"
        ) from None


def class_scores(f, images, label):
    """(N,), the scores that f gives to one class in each of the images, (N, C, H, W)."""
    with _evaluating(f):
        scores = f(images)
    if scores.ndim != 2 or len(scores) != len(images) or not 0 <= label < scores.shape[1]:
        raise ValueError(
            f"f must return (N, n_classes), here N = {len(images)}, and label be one of the "
            f"classes, got shape {tuple(scores.shape)} and label {label}"
        )
    return scores[:, label]


def scores_in_blocks(f, make, n, label, block):
    """(n,), the scores of the images that make(slice) gives, at most `block` of them at a time."""
    if block < 1:
        raise ValueError(f"block must be at least 1, got {block}")
    parts = [slice(start, min(start + block, n)) for start in range(0, n, block)]
    return torch.cat([class_scores(f, make(part), label) for part in parts])


@contextmanager
def _evaluating(f):
    """f as at test time, without dropout and with running statistics; then as it was before."""
    modules = list(f.modules()) if isinstance(f, torch.nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
