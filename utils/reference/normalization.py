"""Give the signals between layers mean 0 and variance 1, then let the net choose its own.

Batch norm takes a feature's mean and variance over the examples of a batch, layer norm an
example's over its features: the same formula along another axis, and the same backward pass.

    z = (x - mean) / std,  out = gamma z + beta,  std = sqrt(var + eps)

Backward, for one group of n values that share mean and var. dz = gamma dout, and z depends on
each x_j in three ways, of its own, through mean and through var:

    d mean / dx_j = 1/n,   d var / dx_j = 2 (x_j - mean) / n,   d std / dx_j = z_j / n
    dz_i / dx_j = ([i = j] - 1/n) / std - (x_i - mean) / std^2 z_j / n
                = ([i = j] - 1/n - z_i z_j / n) / std
    dx_j = sum over i of dz_i dz_i/dx_j
         = (dz_j - mean(dz) - z_j mean(dz z)) / std

dz loses its mean and its part along z, the two directions in which no x can move out. A group of
one has z = 0 and learns nothing. float32 stays so.

All goes in blocks of examples, small enough to stay in the processor's cache from the first
operation to the last: to fetch a number from memory takes longer than to compute with it. Most
sums are products with ones, which BLAS makes in half the time of sum.
"""

import math

import numpy as np

from ._gradients import require_gradient


def batch_norm_forward(
    x, gamma, beta, running_mean=None, running_var=None, training=True, eps=1e-5
):
    """Normalize each feature over the batch; an image's channel, over its pixels too.

        training : mean and var are those of the batch, var divided by n
        inference: mean and var are the running ones, constants; examples stay independent

    Its running statistics it leaves alone: update_running_statistics makes the next ones.

    x       : (N, D) or (N, C, H, W); n is N or N H W
    gamma   : (D,) or (C,), the standard deviation to give
    beta    : (D,) or (C,), the mean to give
    running_mean, running_var: (D,) or (C,), needed for inference only
    training: bool
    eps     : float >= 0, a variance
    returns : out, the shape of x; cache
    raises  : ValueError, if shapes disagree, eps is negative, training has fewer than two values
              for a feature, or inference no running statistics
    source  : Ioffe and Szegedy, Batch Normalization (2015), algorithms 1 and 2
    """
    _require_features(x, gamma=gamma, beta=beta)
    _require_eps(eps)
    if training:
        _, var, centered = _statistics(x)
    elif running_mean is None or running_var is None:
        raise ValueError("inference needs running_mean and running_var, got None")
    else:
        _require_features(x, running_mean=running_mean, running_var=running_var)
        var, centered = running_var, x - _wide(running_mean, x)
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    # out = gamma z + beta, and z = centered / std, a block at a time
    scale = _wide(gamma * inverse, x)
    out = np.empty(x.shape, np.result_type(centered, scale, beta))
    for block in _blocks(x):
        here = np.multiply(centered[block], scale, out=out[block])
        here += _wide(beta, x)
    return out, (centered, gamma, inverse, training)


def batch_norm_backward(dout, cache):
    """The gradients of batch_norm_forward.

        dbeta = sum of dout,  dgamma = sum of dout z, both over the batch
        training : dx = gamma / std (dout - dbeta/n - z dgamma/n)
        inference: dx = gamma / std dout, mean and var being constants

    dout   : the shape of x
    cache  : from batch_norm_forward
    returns: dx, the shape of x; dgamma, dbeta, the shape of gamma
    raises : ValueError, if dout does not have the shape of x
    source : Ioffe and Szegedy (2015), section 3; simplified as at the head of this file
    """
    centered, gamma, inverse, training = cache
    require_gradient(dout, centered.shape)
    dgamma = inverse * _per_feature(dout, centered)
    dbeta = _per_feature(dout)
    scale = _wide(gamma * inverse, dout)
    if not training:
        return scale * dout, dgamma, dbeta
    # dx = scale (dout - dbeta / n - z dgamma / n), a block at a time
    n = dout.size // len(gamma)
    mean_dz, along_z = _wide(dbeta / n, dout), _wide(inverse * dgamma / n, dout)  # over gamma
    dx = np.empty(dout.shape, np.result_type(centered, dout, scale))
    for block in _blocks(dout):
        here = np.multiply(centered[block], along_z, out=dx[block])
        np.subtract(dout[block], here, out=here)
        here -= mean_dz
        here *= scale
    return dx, dgamma, dbeta


def update_running_statistics(running_mean, running_var, x, momentum=0.1):
    """Follow mean and variance from batch to batch, for inference.

        running <- (1 - momentum) running + momentum (that of the batch)

    The variance of the batch is divided by n - 1 here, an unbiased guess at that of all data.
    Start with mean 0 and variance 1. momentum is torch's; Keras calls 1 - momentum by that name.

    running_mean, running_var: (D,) or (C,)
    x       : (N, D) or (N, C, H, W), the layer's input in training
    momentum: float in [0, 1], the weight of this batch
    returns : running_mean, running_var, new arrays
    raises  : ValueError, if shapes disagree, a feature has fewer than two values, or momentum is
              outside [0, 1]
    source  : Ioffe and Szegedy (2015), section 3.1
    """
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum must lie in [0, 1], got {momentum}")
    _require_features(x, running_mean=running_mean, running_var=running_var)
    mean, var, _ = _statistics(x)
    n = x.size // x.shape[1]
    return (
        (1 - momentum) * running_mean + momentum * mean,
        (1 - momentum) * running_var + momentum * n / (n - 1) * var,
    )


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    """Normalize each example over its features. Training and inference are alike.

    x      : (..., D); n is D
    gamma  : (D,), the standard deviation to give
    beta   : (D,), the mean to give
    eps    : float >= 0, a variance
    returns: out, the shape of x; cache
    raises : ValueError, if shapes disagree, D is 0, or eps is negative
    source : Ba, Kiros and Hinton, Layer Normalization (2016), eq. 4
    """
    D = x.shape[-1] if x.ndim else 0
    if D == 0 or gamma.shape != (D,) or beta.shape != (D,):
        raise ValueError(
            "x, gamma, beta must be (..., D), (D,), (D,), D at least 1, "
            f"got {x.shape}, {gamma.shape}, {beta.shape}"
        )
    _require_eps(eps)
    rows = x.reshape(-1, D)
    out = np.empty(rows.shape, np.result_type(x, gamma, beta, 1.0))
    mean, inverse = np.empty((2, len(rows), 1), out.dtype)
    for block in _blocks(rows):
        mean[block] = rows[block].mean(axis=1, keepdims=True)
        here = np.subtract(rows[block], mean[block], out=out[block])
        var = np.vecdot(here, here)[:, None] / D
        inverse[block] = 1 / np.sqrt(var + eps)
        here *= inverse[block]  # this is z
        here *= gamma
        here += beta
    return out.reshape(x.shape), (x, gamma, mean, inverse)


def layer_norm_backward(dout, cache):
    """The gradients of layer_norm_forward.

        dbeta = sum of dout,  dgamma = sum of dout z, both over the examples
        dz = gamma dout,  dx = (dz - mean(dz) - z mean(dz z)) / std, means over the features

    dout   : the shape of x
    cache  : from layer_norm_forward
    returns: dx, the shape of x; dgamma, dbeta, (D,)
    raises : ValueError, if dout does not have the shape of x
    """
    x, gamma, mean, inverse = cache
    require_gradient(dout, x.shape)
    D = len(gamma)
    rows, dout_rows = x.reshape(-1, D), dout.reshape(-1, D)
    dx = np.empty(rows.shape, np.result_type(x, dout, 1.0))
    dgamma, dbeta = np.zeros((2, D), dx.dtype)
    ones = np.ones(len(rows), dx.dtype)
    for block in _blocks(rows):
        centered = rows[block] - mean[block]  # z std
        product = dout_rows[block] * centered
        dgamma += inverse[block, 0] @ product
        dbeta += ones[block] @ dout_rows[block]
        centered *= (product @ gamma)[:, None] * inverse[block] ** 2 / D  # z mean(dz z)
        here = np.multiply(dout_rows[block], gamma, out=dx[block])  # dz, on its way to dx
        here -= (dout_rows[block] @ gamma)[:, None] / D  # mean(dz)
        here -= centered
        here *= inverse[block]
    return dx.reshape(x.shape), dgamma, dbeta


def _statistics(x):
    """Each feature's mean and variance, (C,) both, and x less the mean, a new array."""
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError(f"training needs at least 2 values per feature, got x of shape {x.shape}")
    mean = _per_feature(x) / n
    centered = np.empty(x.shape, mean.dtype)
    var = 0
    for block in _blocks(x):
        here = np.subtract(x[block], _wide(mean, x), out=centered[block])
        var = var + _per_feature(here, here)
    return mean, var / n, centered


def _per_feature(a, b=None):
    """The sum of a, or of a b, over all but the feature, (C,)."""
    dtype = np.result_type(a, 1.0)  # float64 for ints
    if a.ndim == 2:
        return np.ones(len(a), dtype) @ a if b is None else np.einsum("nc,nc->c", a, b)
    a = a.reshape(*a.shape[:2], a.shape[2] * a.shape[3])  # (N, C, H W): longer inner loops
    b = np.ones(a.shape[2], dtype) if b is None else b.reshape(a.shape)
    return np.vecdot(a, b).sum(axis=0)


def _blocks(x):
    """Slices of the first axis, of 512 KB each or one example."""
    example = x.itemsize * math.prod(x.shape[1:])  # bytes
    n = max(1, 2**19 // max(1, example))
    return [slice(i, i + n) for i in range(0, len(x), n)]


def _wide(values, x):
    """(C,) as it broadcasts over x: (1, C) or (1, C, 1, 1)."""
    return values.reshape((1, -1) + (1,) * (x.ndim - 2))


def _require_features(x, **per_feature):
    if x.ndim not in (2, 4) or x.shape[1] == 0:
        raise ValueError(f"x must be (N, D) or (N, C, H, W), D or C at least 1, got {x.shape}")
    for name, values in per_feature.items():
        if values.shape != x.shape[1:2]:
            raise ValueError(
                f"{name} must have a value for each of {x.shape[1]} features, got {values.shape}"
            )


def _require_eps(eps):
    if not eps >= 0:
        raise ValueError(f"eps must be at least 0, got {eps}")
