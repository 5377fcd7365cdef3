"""Cover a part of the image. Torch twin of utils.reference.occlusion.

The model is an nn.Module or any function of images. It runs without autograd, an nn.Module in
evaluation mode, and is left as it was.
"""

import torch

from ._perturbed import class_scores, require_image, scores_in_blocks, whole_fill


def occlude(image, top, left, patch, fill=0.0):
    """Torch twin of utils.reference.occlusion.occlude."""
    require_image(image)
    _, H, W = image.shape
    if patch < 1:
        raise ValueError(f"patch must be at least 1, got {patch}")
    if not (0 <= top < H and 0 <= left < W):
        raise ValueError(f"top and left must lie in [0, {H}) and [0, {W}), got {top} and {left}")
    rows, columns = slice(top, top + patch), slice(left, left + patch)
    covered = image.clone()
    covered[:, rows, columns] = whole_fill(fill, image)[:, rows, columns]
    return covered


@torch.no_grad()
def occlusion_map(f, image, label, patch, stride=1, fill=0.0, block=64):
    """Torch twin of utils.reference.occlusion.occlusion_map.

    All squares of a block are laid at once, and the drops are spread over the pixels first down,
    then across.
    """
    require_image(image)
    _, H, W = image.shape
    if not 1 <= patch <= min(H, W):
        raise ValueError(f"patch must lie in [1, {min(H, W)}], the image, got {patch}")
    if not 1 <= stride <= patch:
        raise ValueError(f"stride must lie in [1, {patch}], or pixels are left out, got {stride}")
    rows = _covers(H, patch, stride, image.device)  # (n_down, H)
    columns = _covers(W, patch, stride, image.device)  # (n_across, W)
    n_down, n_across = len(rows), len(columns)
    fill = whole_fill(fill, image)

    def covered(part):
        places = torch.arange(part.start, part.stop, device=image.device)
        squares = rows[places // n_across][:, :, None] & columns[places % n_across][:, None, :]
        return torch.where(squares[:, None], fill, image)

    whole = class_scores(f, image[None], label)  # (1,)
    drops = whole - scores_in_blocks(f, covered, n_down * n_across, label, block)
    drops = drops.view(n_down, 1, n_across)
    down = torch.where(rows[:, :, None], drops, 0).sum(dim=0)  # (H, n_across)
    total = torch.where(columns, down[:, :, None], 0).sum(dim=1)  # (H, W)
    return total / (rows.sum(dim=0)[:, None] * columns.sum(dim=0))


def _covers(length, patch, stride, device):
    """(places, length) bool: which pixels of one side lie under the square at each place."""
    starts = torch.arange(0, length - patch + stride, stride, device=device)[:, None]
    pixels = torch.arange(length, device=device)
    return (pixels >= starts) & (pixels < starts + patch)
