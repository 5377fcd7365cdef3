"""Make features comparable before a model sees them. Torch twin of utils.reference.preparation."""

import torch


def center(x_train, x):
    """Torch twin of utils.reference.preparation.center."""
    _require_features(x_train, x)
    return x - x_train.mean(dim=0)


def standardize(x_train, x):
    """Torch twin of utils.reference.preparation.standardize."""
    _require_features(x_train, x)
    constant = _is_constant(x_train)
    deviation = _deviation(x_train).masked_fill(constant, 1)  # (D,)
    return ((x - x_train.mean(dim=0)) / deviation).masked_fill(constant, 0)


def min_max(x_train, x, low=0.0, high=1.0):
    """Torch twin of utils.reference.preparation.min_max."""
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    _require_features(x_train, x)
    constant = _is_constant(x_train)
    smallest, largest = x_train.aminmax(dim=0)
    width = (largest - smallest).masked_fill(constant, 1)  # (D,)
    return (low + (high - low) * (x - smallest) / width).masked_fill(constant, low)


def decorrelate(x_train, x):
    """Torch twin of utils.reference.preparation.decorrelate."""
    _require_features(x_train, x)
    axes, _ = _principal_axes(x_train)
    return (x - x_train.mean(dim=0)) @ axes


def whiten(x_train, x, eps=1e-5):
    """Torch twin of utils.reference.preparation.whiten."""
    if eps < 0:
        raise ValueError(f"eps must be at least 0, got {eps}")
    _require_features(x_train, x)
    axes, variances = _principal_axes(x_train)
    return (x - x_train.mean(dim=0)) @ axes / (variances + eps).sqrt()


def equalize_histogram(image, levels=256):
    """Torch twin of utils.reference.preparation.equalize_histogram.

    Differs: image may be of integers too, and the new values are worked out in float64.
    """
    if image.numel() == 0:
        raise ValueError(
            f"image must be non-empty with values in [0, {levels - 1}], "
            f"got shape {tuple(image.shape)}"
        )
    gray = image.long()
    cdf = gray.flatten().bincount(minlength=levels).cumsum(dim=0)  # (levels,)
    cdf_min = cdf[gray.min().view(1)]  # (1,)
    room = (gray.numel() - cdf_min).clamp(min=1).double()
    new = ((levels - 1) * (cdf - cdf_min) / room).round()
    return torch.where(cdf_min == gray.numel(), gray, new[gray]).to(image.dtype)


def impute_mean(x_train, x):
    """Torch twin of utils.reference.preparation.impute_mean.

    Differs: a feature without any value in x_train stays nan.
    """
    _require_features(x_train, x)
    return torch.where(x.isnan(), x_train.nanmean(dim=0), x)


def clip_outliers(x_train, x, n_deviations=3.0):
    """Torch twin of utils.reference.preparation.clip_outliers."""
    if not n_deviations > 0:
        raise ValueError(f"n_deviations must be positive, got {n_deviations}")
    _require_features(x_train, x)
    mean, reach = x_train.mean(dim=0), n_deviations * _deviation(x_train)
    return x.clamp(mean - reach, mean + reach)


def _principal_axes(x_train):
    """Eigenvectors of the covariance as columns, (D, D), and eigenvalues, (D,), largest first."""
    centered = x_train - x_train.mean(dim=0)
    covariance = centered.T @ centered / len(x_train)
    spoiled = ~covariance.isfinite().all()  # eigh would raise
    variances, axes = torch.linalg.eigh(covariance.masked_fill(spoiled, 0))  # ascending
    variances, axes = variances.flip(0), axes.flip(1)
    sizeable = axes.abs() >= axes.abs().amax(dim=0) / 2
    first = sizeable.byte().argmax(dim=0, keepdim=True)  # (1, D)
    axes = (axes * axes.gather(0, first).sign()).masked_fill(spoiled, torch.nan)
    return axes, variances.clamp(min=0)


def _deviation(x_train):
    return x_train.std(dim=0, correction=0)  # torch would divide by N - 1


def _is_constant(x_train):
    smallest, largest = x_train.aminmax(dim=0)
    return smallest == largest


def _require_features(x_train, x):
    if x_train.ndim != 2 or x_train.numel() == 0 or x.ndim != 2 or x.shape[1] != x_train.shape[1]:
        raise ValueError(
            "x_train and x must be (N, D) and (M, D), N and D at least 1, "
            f"got {tuple(x_train.shape)} and {tuple(x.shape)}"
        )
