"""Is an explanation right? Torch twin of utils.reference.faithfulness.

The model is an nn.Module or any function of images. It runs without autograd, an nn.Module in
evaluation mode, and is left as it was.
"""

import copy

import torch

from ._perturbed import require_image, scores_in_blocks, whole_fill


def pixel_ranks(explanation):
    """Torch twin of utils.reference.faithfulness.pixel_ranks."""
    if explanation.ndim < 2 or 0 in explanation.shape[-2:] or not explanation.is_floating_point():
        raise ValueError(
            f"explanation must be (..., H, W) floats, H and W at least 1, "
            f"got {explanation.dtype} of shape {tuple(explanation.shape)}"
        )
    order = torch.sort(-explanation.flatten(start_dim=-2), dim=-1, stable=True).indices
    places = torch.arange(order.shape[-1], device=order.device).expand(order.shape)
    return torch.empty_like(order).scatter_(-1, order, places).view(explanation.shape)


def blur(image, sigma):
    """Torch twin of utils.reference.faithfulness.blur."""
    require_image(image)
    if not 0 < sigma < torch.inf:
        raise ValueError(f"sigma must be positive and finite, got {sigma}")
    _, H, W = image.shape
    down, across = (_blur_matrix(n, sigma).to(image) for n in (H, W))
    return down @ image @ across.T


@torch.no_grad()
def deletion_curve(f, image, label, explanation, n_steps=50, fill=0.0, block=64):
    """Torch twin of utils.reference.faithfulness.deletion_curve."""
    require_image(image)
    fill = whole_fill(fill, image)
    return _exchange(f, image, fill, label, explanation, n_steps, block)


@torch.no_grad()
def insertion_curve(f, image, label, explanation, n_steps=50, fill=0.0, block=64):
    """Torch twin of utils.reference.faithfulness.insertion_curve."""
    require_image(image)
    fill = whole_fill(fill, image)
    return _exchange(f, fill, image, label, explanation, n_steps, block)


def area_under(fractions, scores):
    """Torch twin of utils.reference.faithfulness.area_under.

    Differs: returns a 0-dimensional tensor.
    """
    if fractions.ndim != 1 or len(fractions) < 2 or scores.shape != fractions.shape:
        raise ValueError(
            f"fractions and scores must be (n,), n at least 2, "
            f"got {tuple(fractions.shape)} and {tuple(scores.shape)}"
        )
    return torch.trapezoid(scores, fractions)


def pointing_game(explanation, mask):
    """Torch twin of utils.reference.faithfulness.pointing_game."""
    ranks = pixel_ranks(explanation)
    _require_mask(mask, explanation)
    return (mask & (ranks == 0)).flatten(start_dim=-2).any(dim=-1)


def mask_overlap(explanation, mask):
    """Torch twin of utils.reference.faithfulness.mask_overlap."""
    ranks = pixel_ranks(explanation)
    _require_mask(mask, explanation)
    strongest = ranks < mask.sum(dim=(-2, -1), keepdim=True)
    both = (strongest & mask).sum(dim=(-2, -1)).to(explanation.dtype)
    either = (strongest | mask).sum(dim=(-2, -1)).to(explanation.dtype)
    return both / either


def rank_correlation(a, b):
    """Torch twin of utils.reference.faithfulness.rank_correlation.

    Differs: returns a 0-dimensional tensor.
    """
    if a.shape != b.shape or a.numel() == 0:
        raise ValueError(
            f"a and b must be of one shape, not empty, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    known = ~(a.isnan().any() | b.isnan().any())
    a, b = _centered_ranks(a), _centered_ranks(b)
    r = a @ b / ((a @ a) * (b @ b)).sqrt()
    return torch.where(known, r, torch.nan)


def randomization_check(explain, params, fresh, layers, cascade=True):
    """Torch twin of utils.reference.faithfulness.randomization_check.

    An nn.Module takes part as explain(dict(model.named_parameters())), which runs it by
    torch.func.functional_call.
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
    return torch.stack(correlations)


def _exchange(f, before, after, label, explanation, n_steps, block):
    """Fractions and scores while the pixels of before give way to those of after."""
    ranks = pixel_ranks(explanation)
    if explanation.shape != before.shape[1:]:
        raise ValueError(
            f"explanation must be {tuple(before.shape[1:])}, the size of the image, "
            f"got {tuple(explanation.shape)}"
        )
    n_pixels = explanation.numel()
    if not 1 <= n_steps <= n_pixels:
        raise ValueError(f"n_steps must lie in [1, {n_pixels}], the pixels, got {n_steps}")
    steps = torch.arange(n_steps + 1, device=ranks.device)
    changed = steps * n_pixels // n_steps  # pixels after each step

    def images(part):
        new = ranks < changed[part, None, None]  # (N, H, W)
        return torch.where(new[:, None], after, before)

    scores = scores_in_blocks(f, images, n_steps + 1, label, block)
    return changed.to(scores.dtype) / n_pixels, scores


def _blur_matrix(n, sigma):
    """(n, n), rows that sum to 1: row i weighs the pixels around i."""
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1)
    bell = torch.exp(-offsets.double().square() / (2 * sigma**2))
    rows = torch.arange(n)[:, None]
    columns = (rows + offsets).clamp(0, n - 1)  # beyond the edge, the last pixel
    matrix = torch.zeros(n, n, dtype=torch.float64)
    return matrix.scatter_add_(1, columns, (bell / bell.sum()).expand(columns.shape))


def _centered_ranks(a):
    """(n,), ranks in (-1/2, 1/2) of mean 0; entries that tie share theirs."""
    _, group, sizes = a.flatten().unique(return_inverse=True, return_counts=True)
    last = sizes.cumsum(dim=0) - 1  # the rank of the last of each group, from 0
    twice = (2 * last - (sizes - 1))[group] - (a.numel() - 1)  # whole numbers so far
    return twice.to(torch.promote_types(a.dtype, torch.float32)) / (2 * a.numel())


def _require_mask(mask, explanation):
    if mask.shape != explanation.shape or mask.dtype != torch.bool:
        raise ValueError(
            f"mask must be {tuple(explanation.shape)} bool, as the explanation, "
            f"got {mask.dtype} of shape {tuple(mask.shape)}"
        )


def _require_layers(params, fresh, layers):
    if len(layers) == 0:
        raise ValueError("layers must hold at least one list of keys, got none")
    known = [set(p) if isinstance(p, dict) else set(range(len(p))) for p in (params, fresh)]
    for key in (key for keys in layers for key in keys):
        if not all(key in keys for keys in known):
            raise ValueError(f"layers must hold keys of params and of fresh, got {key!r}")
