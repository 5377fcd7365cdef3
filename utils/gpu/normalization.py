"""Mean 0 and variance 1 between layers. Torch twin of utils.reference.normalization.

The kernels are torch's own, fused forward and backward.
"""

import torch
import torch.nn.functional as F


def batch_norm_forward(
    x, gamma, beta, running_mean=None, running_var=None, training=True, eps=1e-5
):
    """Torch twin of utils.reference.normalization.batch_norm_forward."""
    _require_features(x, gamma=gamma, beta=beta)
    _require_eps(eps)
    if training:
        _require_two_values(x)
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    if running_mean is None or running_var is None:
        raise ValueError("inference needs running_mean and running_var, got None")
    _require_features(x, running_mean=running_mean, running_var=running_var)
    return F.batch_norm(x, running_mean, running_var, gamma, beta, eps=eps)


@torch.no_grad()
def update_running_statistics(running_mean, running_var, x, momentum=0.1):
    """Torch twin of utils.reference.normalization.update_running_statistics."""
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum must lie in [0, 1], got {momentum}")
    _require_features(x, running_mean=running_mean, running_var=running_var)
    _require_two_values(x)
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    var, mean = torch.var_mean(x, dim=axes)  # divided by n - 1
    return running_mean.lerp(mean, momentum), running_var.lerp(var, momentum)


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    """Torch twin of utils.reference.normalization.layer_norm_forward."""
    D = x.shape[-1] if x.ndim else 0
    if D == 0 or gamma.shape != (D,) or beta.shape != (D,):
        raise ValueError(
            "x, gamma, beta must be (..., D), (D,), (D,), D at least 1, "
            f"got {tuple(x.shape)}, {tuple(gamma.shape)}, {tuple(beta.shape)}"
        )
    _require_eps(eps)
    return F.layer_norm(x, (D,), gamma, beta, eps)


def _require_two_values(x):
    if x.numel() // x.shape[1] < 2:
        raise ValueError(
            f"training needs at least 2 values per feature, got x of shape {tuple(x.shape)}"
        )


def _require_features(x, **per_feature):
    if x.ndim not in (2, 4) or x.shape[1] == 0:
        raise ValueError(
            f"x must be (N, D) or (N, C, H, W), D or C at least 1, got {tuple(x.shape)}"
        )
    for name, values in per_feature.items():
        if values.shape != x.shape[1:2]:
            raise ValueError(
                f"{name} must have a value for each of {x.shape[1]} features, "
                f"got {tuple(values.shape)}"
            )


def _require_eps(eps):
    if not eps >= 0:
        raise ValueError(f"eps must be at least 0, got {eps}")
