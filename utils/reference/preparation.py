"""Make features comparable before a model sees them.

Every statistic is taken of x_train, (N, D), and applied to x, (M, D), which comes back changed:
a test set that lent its own mean would no longer be one. Deviations divide by N, not by N - 1.
float32 stays so; whole numbers become float64.

Raises ValueError, all but equalize_histogram, if x_train is empty or x has other columns.
"""

import numpy as np


def center(x_train, x):
    """Move the training mean of every feature to 0.

        x - mean(x_train)

    returns: (M, D), in the unit of the features
    """
    x_train, x = _as_features(x_train, x)
    return x - x_train.mean(axis=0)


def standardize(x_train, x):
    """Give every feature mean 0 and standard deviation 1 on the training set (z-scores).

        (x - mean(x_train)) / std(x_train)

    A feature that is constant in x_train becomes 0: it has taught nothing about its scale.

    returns: (M, D), in deviations
    """
    x_train, x = _as_features(x_train, x)
    constant = _is_constant(x_train)
    deviation = np.where(constant, 1, x_train.std(axis=0))  # (D,)
    return np.where(constant, 0, (x - x_train.mean(axis=0)) / deviation)


def min_max(x_train, x, low=0.0, high=1.0):
    """Map the range of every feature in the training set onto [low, high].

        low + (high - low) (x - min(x_train)) / (max(x_train) - min(x_train))

    Values of x beyond the training range land beyond [low, high]. A feature that is constant
    in x_train becomes low. One outlier squeezes all the others: standardize suffers less.

    returns: (M, D)
    raises : ValueError, also if low is not below high
    """
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    x_train, x = _as_features(x_train, x)
    constant = _is_constant(x_train)
    smallest = x_train.min(axis=0)
    width = np.where(constant, 1, x_train.max(axis=0) - smallest)  # (D,)
    return np.where(constant, low, low + (high - low) * (x - smallest) / width)


def decorrelate(x_train, x):
    """Rotate onto the principal axes of the training set (PCA), largest variance first.

        cov = (x_train - mean)^T (x_train - mean) / N = V diag(variances) V^T
        (x - mean) V

    The covariance of the rotated training set is diagonal. An axis has no direction of its own;
    ours points where its first sizeable entry is positive.

    returns: (M, D), in the unit of the features, column j along axis j
    source : Bishop, PRML (2006), section 12.1
    """
    x_train, x = _as_features(x_train, x)
    axes, _ = _principal_axes(x_train)
    return (x - x_train.mean(axis=0)) @ axes


def whiten(x_train, x, eps=1e-5):
    """Decorrelate, then give every axis variance 1 (PCA whitening).

        (x - mean) V / sqrt(variances + eps)

    The training covariance becomes variances / (variances + eps) on the diagonal: the identity,
    but for axes with next to no variance, whose noise eps keeps from being blown up.

    eps    : float >= 0, a variance; 0 only where every axis has some
    returns: (M, D), in deviations
    raises : ValueError, also if eps is negative
    source : Bishop, PRML (2006), eq. 12.24, there without eps
    """
    if eps < 0:
        raise ValueError(f"eps must be at least 0, got {eps}")
    x_train, x = _as_features(x_train, x)
    axes, variances = _principal_axes(x_train)
    return (x - x_train.mean(axis=0)) @ axes / np.sqrt(variances + eps)


def equalize_histogram(image, levels=256):
    """Spread the gray values of an image so that every range holds equally many pixels.

        new(v) = round((levels - 1) (cdf(v) - cdf_min) / (n_pixels - cdf_min))

    cdf(v) counts the pixels at most as bright as v, cdf_min those as dark as the darkest, so
    that the darkest becomes 0 and the brightest levels - 1. An image of one gray stays as it is.

    image  : any shape, gray values in [0, levels - 1]; fractions are cut off
    levels : int, at least 2
    returns: the shape and dtype of image, whole values in [0, levels - 1]
    raises : ValueError, if image is empty or a value is outside [0, levels - 1]
    source : Gonzalez and Woods, Digital Image Processing, section 3.3, there without cdf_min
    """
    wanted = f"image must be non-empty with values in [0, {levels - 1}]"
    if image.size == 0:
        raise ValueError(f"{wanted}, got shape {image.shape}")
    if not (image.min() >= 0 and image.max() <= levels - 1):
        raise ValueError(f"{wanted}, got {image.min()} to {image.max()}")
    gray = image.astype(np.int64)
    cdf = np.bincount(gray.ravel(), minlength=levels).cumsum()  # (levels,)
    cdf_min = cdf[gray.min()]
    if cdf_min == gray.size:
        return gray.astype(image.dtype)
    new = np.rint((levels - 1) * (cdf - cdf_min) / (gray.size - cdf_min))
    return new[gray].astype(image.dtype)


def impute_mean(x_train, x):
    """Fill missing values with the training mean of their feature.

        mean(x_train over its present values) where x is nan, else x

    returns: (M, D), without nan
    raises : ValueError, also if a feature has no value at all in x_train
    """
    x_train, x = _as_features(x_train, x)
    absent = np.isnan(x_train).all(axis=0)
    if absent.any():
        raise ValueError(
            f"x_train needs a value in every column, got none in {absent.nonzero()[0]}"
        )
    return np.where(np.isnan(x), np.nanmean(x_train, axis=0), x)


def clip_outliers(x_train, x, n_deviations=3.0):
    """Pull values that lie far out back to the edge of what the training set makes plausible.

        x limited to mean(x_train) +- n_deviations std(x_train)

    returns: (M, D), in the unit of the features
    raises : ValueError, also if n_deviations is not positive
    """
    if not n_deviations > 0:
        raise ValueError(f"n_deviations must be positive, got {n_deviations}")
    x_train, x = _as_features(x_train, x)
    mean, reach = x_train.mean(axis=0), n_deviations * x_train.std(axis=0)
    return np.clip(x, mean - reach, mean + reach)


def _principal_axes(x_train):
    """Eigenvectors of the covariance as columns, (D, D), and eigenvalues, (D,), largest first."""
    centered = x_train - x_train.mean(axis=0)
    covariance = centered.T @ centered / len(x_train)
    if not np.isfinite(covariance).all():  # eigh would raise
        return np.full_like(covariance, np.nan), np.zeros_like(covariance[0])
    variances, axes = np.linalg.eigh(covariance)  # ascending
    variances, axes = variances[::-1], axes[:, ::-1]
    # The axes of standardized 2-D data are (1, 1) and (1, -1): "largest entry positive" would
    # leave their sign to rounding. At least half the largest is decided by the first entry.
    sizeable = np.abs(axes) >= np.abs(axes).max(axis=0) / 2
    first = sizeable.argmax(axis=0)  # (D,)
    axes = axes * np.sign(axes[first, np.arange(len(first))])
    return axes, np.maximum(variances, 0)  # rounding can leave -1e-17


def _is_constant(x_train):
    """(D,) bool. Asked of the values: the deviation of 0.1, 0.1, 0.1 is 1e-17, not 0."""
    return x_train.min(axis=0) == x_train.max(axis=0)


def _as_features(x_train, x):
    """x_train and x in one floating dtype, once their shapes fit."""
    x_train, x = np.asarray(x_train), np.asarray(x)
    if x_train.ndim != 2 or 0 in x_train.shape or x.ndim != 2 or x.shape[1] != x_train.shape[1]:
        raise ValueError(
            f"x_train and x must be (N, D) and (M, D), N and D at least 1, "
            f"got {x_train.shape} and {x.shape}"
        )
    dtype = np.result_type(x_train, x)
    dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)
    return x_train.astype(dtype, copy=False), x.astype(dtype, copy=False)
