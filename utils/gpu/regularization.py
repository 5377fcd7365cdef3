"""Penalties, limits, noise and more data. Torch twin of utils.reference.regularization."""

import torch
from torch.nn.functional import affine_grid, grid_sample


def l1_penalty(w, strength):
    """Torch twin of utils.reference.regularization.l1_penalty."""
    return elastic_penalty(w, strength, l1_ratio=1.0)


def l2_penalty(w, strength):
    """Torch twin of utils.reference.regularization.l2_penalty."""
    return elastic_penalty(w, strength, l1_ratio=0.0)


def elastic_penalty(w, strength, l1_ratio=0.5):
    """Torch twin of utils.reference.regularization.elastic_penalty."""
    if not strength >= 0:
        raise ValueError(f"strength must be at least 0, got {strength}")
    if not 0 <= l1_ratio <= 1:
        raise ValueError(f"l1_ratio must lie in [0, 1], got {l1_ratio}")
    l1, l2 = strength * l1_ratio, strength * (1 - l1_ratio)
    return l1 * w.abs().sum() + l2 / 2 * w.square().sum()


@torch.no_grad()
def max_norm(w, limit=3.0):
    """Torch twin of utils.reference.regularization.max_norm."""
    if w.ndim not in (2, 4):
        raise ValueError(f"w must be (D_in, D_out) or (F, C, kH, kW), got {tuple(w.shape)}")
    if not limit > 0:
        raise ValueError(f"limit must be positive, got {limit}")
    incoming = 0 if w.ndim == 2 else (1, 2, 3)
    lengths = w.square().sum(dim=incoming, keepdim=True).sqrt()
    return w * torch.where(lengths <= limit, 1, limit / lengths)


def dropout_forward(x, rate, generator, training=True):
    """Torch twin of utils.reference.regularization.dropout_forward.

    torch's own kernel is one pass where this is three, but knows no generator.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate must lie in [0, 1), got {rate}")
    if not training:
        return x.clone()
    keep = torch.rand(x.shape, generator=generator, device=x.device) >= rate
    return x * keep.to(x.dtype).div_(1 - rate)


def shift(images, down, right, fill=0.0):
    """Torch twin of utils.reference.regularization.shift."""
    N, _, H, W = _require_images(images)
    device = images.device
    rows = torch.arange(H, device=device) - _per_image(down, images, "down")[:, None]  # (N, H)
    columns = torch.arange(W, device=device) - _per_image(right, images, "right")[:, None]
    inside = ((rows >= 0) & (rows < H))[:, :, None] & ((columns >= 0) & (columns < W))[:, None, :]
    i = torch.arange(N, device=device)[:, None, None]
    moved = images[i, :, (rows % max(H, 1))[:, :, None], (columns % max(W, 1))[:, None, :]]
    moved = moved.permute(0, 3, 1, 2)  # from (N, H, W, C)
    return moved.masked_fill(~inside[:, None], fill)


def flip(images, mirrored=True):
    """Torch twin of utils.reference.regularization.flip."""
    _require_images(images)
    mirrored = _per_image(mirrored, images, "mirrored").bool()
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def rotate(images, turns=1):
    """Torch twin of utils.reference.regularization.rotate."""
    _, _, H, W = _require_images(images)
    if H != W:
        raise ValueError(f"images must be square to be turned, got {tuple(images.shape)}")
    turns = (_per_image(turns, images, "turns") % 4)[:, None, None, None]
    out = images.clone()
    for k in (1, 2, 3):  # where, not a mask as index, for whose count the CPU would wait
        out = torch.where(turns == k, images.rot90(k, dims=(2, 3)), out)
    return out


def affine(images, degrees=0.0, scale=1.0, down=0.0, right=0.0, fill=0.0):
    """Torch twin of utils.reference.regularization.affine.

    torch counts positions from -1 to 1, from edge to edge, columns before rows.
    """
    N, C, H, W = _require_images(images)
    _require_floats(images)
    t, scale, down, right = (
        _per_image(torch.as_tensor(value, dtype=images.dtype), images, name)
        for name, value in dict(degrees=degrees, scale=scale, down=down, right=right).items()
    )
    if 0 in images.shape:
        return images.clone()
    t = t.deg2rad()
    cos, sin = t.cos() / scale, t.sin() / scale
    columns = torch.stack([cos, -sin * H / W, (sin * down - cos * right) * 2 / W], dim=1)
    rows = torch.stack([sin * W / H, cos, (-cos * down - sin * right) * 2 / H], dim=1)
    theta = torch.stack([columns, rows], dim=1)  # (N, 2, 3)
    grid = affine_grid(theta, (N, C, H, W), align_corners=False)
    return grid_sample(images - fill, grid, align_corners=False) + fill  # 0 outside


def add_noise(images, scale, generator):
    """Torch twin of utils.reference.regularization.add_noise."""
    _require_floats(images)
    if not scale >= 0:
        raise ValueError(f"scale must be at least 0, got {scale}")
    noise = torch.randn(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return images + scale * noise


def augment(
    images,
    generator,
    max_shift=2,
    mirror=False,
    turn=False,
    noise=0.0,
    max_degrees=0.0,
    max_zoom=0.0,
):
    """Torch twin of utils.reference.regularization.augment."""
    N, *_ = _require_images(images)
    if max_shift < 0:
        raise ValueError(f"max_shift must be at least 0, got {max_shift}")
    if not max_degrees >= 0:
        raise ValueError(f"max_degrees must be at least 0, got {max_degrees}")
    if not 0 <= max_zoom < 1:
        raise ValueError(f"max_zoom must lie in [0, 1), got {max_zoom}")

    def integers(low, high, *size):
        return torch.randint(low, high, size, generator=generator, device=images.device)

    images = shift(images, *integers(-max_shift, max_shift + 1, 2, N))
    if mirror:
        images = flip(images, integers(0, 2, N))
    if turn:
        images = rotate(images, integers(0, 4, N))
    if max_degrees or max_zoom:
        u, v = 2 * torch.rand((2, N), generator=generator, device=images.device) - 1
        images = affine(images, max_degrees * u, 1 + max_zoom * v)
    return add_noise(images, noise, generator)


def _per_image(value, images, name):
    value, N = torch.as_tensor(value, device=images.device), len(images)
    if value.shape not in ((), (N,)):
        raise ValueError(f"{name} must be one value or ({N},), got shape {tuple(value.shape)}")
    return value.expand(N)


def _require_images(images):
    if images.ndim != 4:
        raise ValueError(f"images must be (N, C, H, W), got {tuple(images.shape)}")
    return images.shape


def _require_floats(images):
    if not images.is_floating_point():
        raise ValueError(f"images must be floats, got {images.dtype}")
