"""Which pixels made the network say so? Torch twin of utils.reference.saliency.

A model is any torch.nn.Module or function, model(x) -> scores (N, C). It is left as it is: its
mode, its parameters, their requires_grad and grad. In training mode batch norm would mix the
examples, and take them into its statistics, and dropout would draw: call model.eval() first. It
may be called under torch.no_grad().
"""

import math

import torch
import torch.nn.functional as F

from ._labels import require_labels


@torch.enable_grad()
def score_and_gradient(model, x, labels):
    """Torch twin of utils.reference.saliency.score_and_gradient.

    Differs: autograd goes backwards, by x alone.
    """
    _require_floats(x)
    x = x.detach().requires_grad_()
    score = _asked_scores(model(x.clone()), x, labels)  # a clone, for a model that writes into it
    return score.detach(), _gradient(score, x)


def saliency(model, x, labels, kind="signed"):
    """Torch twin of utils.reference.saliency.saliency."""
    _require_kind(kind)
    _, dx = score_and_gradient(model, x, labels)
    return _as_map(dx, x.detach(), kind)


@torch.no_grad()
def smooth_grad(model, x, labels, generator, noise=0.15, n_samples=50, kind="signed"):
    """Torch twin of utils.reference.saliency.smooth_grad."""
    _require_kind(kind)
    _require_floats(x)
    if not 0 <= noise < math.inf or n_samples < 1:
        raise ValueError(
            f"noise must be at least 0 and n_samples at least 1, got {noise} and {n_samples}"
        )
    pixels = tuple(range(1, x.ndim))
    scale = noise * (x.amax(dim=pixels, keepdim=True) - x.amin(dim=pixels, keepdim=True))
    total = torch.zeros_like(x)
    for _ in range(n_samples):
        e = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        total += score_and_gradient(model, x + scale * e, labels)[1]
    return _as_map(total / n_samples, x, kind)


@torch.enable_grad()
def grad_cam(model, x, labels, layer, upsampled=False, normalized=False):
    """Torch twin of utils.reference.saliency.grad_cam.

    Differs: model is the whole network, a function of x, and layer a torch.nn.Module that it
    calls once, whose output are the maps; a hook takes them as they pass.
    """
    _require_floats(x)
    if x.ndim != 4:
        raise ValueError(f"x must be (N, C, H, W), got shape {tuple(x.shape)}")
    passed = []

    def take(module, inputs, output):
        passed.append(output.detach().requires_grad_())  # the gradient goes no deeper
        return passed[-1].clone()  # for what follows, should it write into the maps

    hook = layer.register_forward_hook(take)
    try:
        scores = model(x.detach().clone())
    finally:
        hook.remove()
    if len(passed) != 1 or passed[0].ndim != 4:
        raise ValueError(
            "layer must be called once by model and give maps (N, F, h, w), "
            f"got shapes {[tuple(maps.shape) for maps in passed]}"
        )
    (maps,) = passed
    dmaps = _gradient(_asked_scores(scores, x, labels), maps)
    weights = dmaps.mean(dim=(2, 3), keepdim=True)  # (N, F, 1, 1)
    cam = torch.relu((weights * maps.detach()).sum(dim=1))  # (N, h, w)
    if upsampled:
        cam = upsample(cam, x.shape[2:])
    if normalized:
        peak = cam.amax(dim=(1, 2), keepdim=True)
        cam = cam / torch.where(peak == 0, 1, peak)
    return cam


def upsample(maps, size):
    """Torch twin of utils.reference.saliency.upsample."""
    if (
        maps.ndim != 3
        or not maps.is_floating_point()
        or 0 in maps.shape
        or len(size) != 2
        or min(size) < 1
    ):
        raise ValueError(
            "maps and size must be non-empty floats (N, h, w) and two ints of at least 1, "
            f"got {maps.dtype} of shape {tuple(maps.shape)} and {tuple(size)}"
        )
    return F.interpolate(maps[:, None], tuple(size), mode="bilinear", align_corners=False)[:, 0]


def _asked_scores(scores, x, labels):
    """(N, C) -> (N,), the score of each label."""
    if scores.ndim != 2 or len(scores) != len(x):
        raise ValueError(f"model must give scores ({len(x)}, C), got shape {tuple(scores.shape)}")
    require_labels(labels, scores.shape[:1])
    return scores.gather(1, labels[:, None])[:, 0]


def _gradient(score, x):
    """d score / d x; nan for an example whose score is nan."""
    (dx,) = torch.autograd.grad(score.sum(), x)
    lost = score.detach().isnan().reshape(-1, *[1] * (x.ndim - 1))
    return dx.masked_fill(lost, torch.nan)


def _as_map(gradient, x, kind):
    if kind == "signed":
        return gradient
    if kind == "times_input":
        return gradient * x
    return gradient.abs().amax(dim=1) if x.ndim == 4 else gradient.abs()


def _require_kind(kind):
    if kind not in ("signed", "absolute", "times_input"):
        raise ValueError(f"kind must be signed, absolute or times_input, got {kind!r}")


def _require_floats(x):
    if x.ndim < 2 or not x.is_floating_point() or x.numel() == 0:
        raise ValueError(
            f"x must be non-empty (N, ...) floats, got {x.dtype} of shape {tuple(x.shape)}"
        )
