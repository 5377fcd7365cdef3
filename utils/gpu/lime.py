"""LIME, a linear model true to the network near one image. Torch twin of utils.reference.lime.

The model is an nn.Module or any function of images. It runs without autograd, an nn.Module in
evaluation mode, and is left as it was.
"""

import torch

from ._perturbed import require_image, scores_in_blocks, whole_fill


def random_masks(n_samples, n_superpixels, generator):
    """Torch twin of utils.reference.lime.random_masks."""
    if min(n_samples, n_superpixels) < 1:
        raise ValueError(
            f"n_samples and n_superpixels must be at least 1, got {n_samples} and {n_superpixels}"
        )
    shape = (n_samples, n_superpixels)
    masks = torch.rand(shape, generator=generator, device=generator.device) < 0.5
    masks[0] = True
    return masks


def mean_colors(image, segments):
    """Torch twin of utils.reference.lime.mean_colors.

    A matrix product, for index_add_ on a GPU would add in any order; a nan spoils all means.
    Differs: to count the superpixels the CPU waits for the GPU.
    """
    _require_segments(image, segments)
    n_superpixels = int(segments.max()) + 1
    members = segments.flatten() == torch.arange(n_superpixels, device=image.device)[:, None]
    members = members.to(image.dtype)  # (l, H W)
    colors = image.flatten(start_dim=1) @ members.T / members.sum(dim=1)  # (C, l)
    return colors[:, segments]


def switch_off(image, segments, masks, fill=None):
    """Torch twin of utils.reference.lime.switch_off."""
    _require_segments(image, segments)
    if masks.dtype != torch.bool or masks.ndim != 2:
        raise ValueError(
            f"masks must be (N, l) bool, a column for each superpixel, "
            f"got {masks.dtype} of shape {tuple(masks.shape)}"
        )
    covered = mean_colors(image, segments) if fill is None else whole_fill(fill, image)
    on = masks[:, segments]  # (N, H, W)
    return torch.where(on[:, None], image, covered)


def proximity(masks, nu=0.25):
    """Torch twin of utils.reference.lime.proximity.

    Differs: of bool masks in torch's default dtype.
    """
    if masks.ndim != 2 or masks.shape[1] == 0:
        raise ValueError(f"masks must be (N, l) with l at least 1, got shape {tuple(masks.shape)}")
    if not nu > 0:
        raise ValueError(f"nu must be positive, got {nu}")
    if not masks.is_floating_point():
        masks = masks.to(torch.get_default_dtype())
    distance = 1 - masks.mean(dim=1).sqrt()  # the mean is 1 - s/l
    return torch.exp(-distance.square() / (2 * nu**2))


def weighted_ridge(x, y, weights, strength=1.0):
    """Torch twin of utils.reference.lime.weighted_ridge.

    Differs: the intercept is a 0-dimensional tensor. Where x or a weight is not finite, torch
    itself raises.
    """
    x, weights = _samples(x, y, weights)
    if not strength >= 0:
        raise ValueError(f"strength must be at least 0, got {strength}")
    x_mean, y_mean = _weighted_mean(x, weights), _weighted_mean(y, weights)
    x, y = x - x_mean, y - y_mean
    gram = (x.T * weights) @ x  # (l, l)
    gram = gram + strength * torch.eye(len(gram), dtype=x.dtype, device=x.device)
    w = torch.linalg.pinv(gram, hermitian=True) @ (x.T @ (weights * y))
    return w, y_mean - x_mean @ w


def lime_fit(masks, scores, weights, k=None, strength=1.0):
    """Torch twin of utils.reference.lime.lime_fit.

    Differs: intercept and r2 are 0-dimensional tensors.
    """
    masks, weights = _samples(masks, scores, weights)
    n_superpixels = masks.shape[1]
    kept = torch.arange(n_superpixels, device=masks.device)
    if k is not None:
        if not 1 <= k <= n_superpixels:
            raise ValueError(f"k must lie in [1, {n_superpixels}], the superpixels, got {k}")
        w, _ = weighted_ridge(masks, scores, weights, strength)
        kept = torch.sort(-w.abs(), stable=True).indices[:k]
    w, intercept = weighted_ridge(masks[:, kept], scores, weights, strength)
    coefficients = masks.new_zeros(n_superpixels).index_copy(0, kept, w)

    missed = scores - (intercept + masks @ coefficients)
    spread = weights @ (scores - _weighted_mean(scores, weights)).square()
    r2 = torch.where(spread == 0, 1, 1 - weights @ missed.square() / spread)
    return coefficients, intercept, r2


@torch.no_grad()
def lime(
    f,
    image,
    label,
    segments,
    generator,
    n_samples=1000,
    k=None,
    nu=0.25,
    strength=1.0,
    fill=None,
    block=64,
):
    """Torch twin of utils.reference.lime.lime.

    Differs: intercept and r2 are 0-dimensional tensors. To count the superpixels the CPU waits for
    the GPU, once.
    """
    _require_segments(image, segments)
    n_superpixels = int(segments.max()) + 1
    masks = random_masks(n_samples, n_superpixels, generator).to(image.device)
    fill = mean_colors(image, segments) if fill is None else fill  # once, not in every block

    def covered(part):
        return switch_off(image, segments, masks[part], fill)

    scores = scores_in_blocks(f, covered, n_samples, label, block)
    return lime_fit(masks, scores, proximity(masks.to(scores.dtype), nu), k, strength)


def _require_segments(image, segments):
    require_image(image)
    if segments.shape != image.shape[1:] or segments.dtype != torch.int64:
        raise ValueError(
            f"segments must be {tuple(image.shape[1:])} int64, the size of the image, "
            f"got {segments.dtype} of shape {tuple(segments.shape)}"
        )


def _samples(x, y, weights):
    """x and weights in the dtype of y, if they fit."""
    if x.ndim != 2 or len(x) == 0 or y.shape != x.shape[:1] or weights.shape != y.shape:
        raise ValueError(
            "masks or x, scores or y, and weights must be (N, l), (N,), (N,), N at least 1, "
            f"got {tuple(x.shape)}, {tuple(y.shape)}, {tuple(weights.shape)}"
        )
    return x.to(y.dtype), weights.to(y.dtype)


def _weighted_mean(values, weights):
    """Along axis 0; exactly the first value where all are equal."""
    return values[0] + weights @ (values - values[0]) / weights.sum()
