"""Principal component analysis. Torch twin of utils.reference.pca."""

import torch


def pca_fit(x, n_components=None):
    """Torch twin of utils.reference.pca.pca_fit.

    Differs: on a nan torch.linalg.svd raises its own LinAlgError.
    """
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"x must be (N, D), N and D at least 1, got shape {tuple(x.shape)}")
    K = min(x.shape) if n_components is None else n_components
    if not 1 <= K <= min(x.shape):
        raise ValueError(f"n_components must lie in [1, {min(x.shape)}], got {K}")
    mean = x.mean(dim=0)
    _, s, axes = torch.linalg.svd(x - mean, full_matrices=False)  # s descends, axes are rows
    variances = s**2 / len(x)
    total = variances.sum()
    return {
        "mean": mean,
        "axes": _pointed(axes[:K].T),
        "variances": variances[:K],
        "shares": variances[:K] / torch.where(total > 0, total, 1),
    }


def pca_project(x, model):
    """Torch twin of utils.reference.pca.pca_project."""
    _require_columns("x", x, len(model["axes"]))
    return (x - model["mean"]) @ model["axes"]


def pca_reconstruct(z, model):
    """Torch twin of utils.reference.pca.pca_reconstruct."""
    _require_columns("z", z, model["axes"].shape[1])
    return torch.addmm(model["mean"], z, model["axes"].T)


def principal_angles(a, b):
    """Torch twin of utils.reference.pca.principal_angles.

    Differs: columns that depend on each other are not noticed, and a nan raises LinAlgError.
    """
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b) or 0 in (*a.shape, *b.shape):
        raise ValueError(
            f"a and b must be (D, K) and (D, L), got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    larger, smaller = (a, b) if a.shape[1] >= b.shape[1] else (b, a)
    A, B = torch.linalg.qr(larger)[0], torch.linalg.qr(smaller)[0]  # orthonormal bases
    cosines = torch.linalg.svdvals(A.T @ B)  # largest first
    sines = torch.linalg.svdvals(B - A @ (A.T @ B)).flip(0)  # smallest first
    return torch.atan2(sines, cosines)


def _pointed(axes):
    sizeable = axes.abs() >= axes.abs().amax(dim=0) / 2
    first = sizeable.byte().argmax(dim=0, keepdim=True)  # (1, K)
    return axes * axes.gather(0, first).sign()


def _require_columns(name, array, wanted):
    if array.ndim != 2 or array.shape[1] != wanted:
        raise ValueError(f"{name} must be (N, {wanted}), got shape {tuple(array.shape)}")
