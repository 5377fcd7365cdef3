"""A whole convolutional network, small enough to follow every gradient by hand.

    x -> convolution, padded to keep the size -> relu -> max pooling 2 x 2 -> dense -> scores

Its parameters are a dictionary:

- conv_w, (F, C, k, k) with k odd, and conv_b, (F,): the filters
- dense_w, (F (H/2) (W/2), n_classes), and dense_b, (n_classes,): one template per class

Halves are rounded down: pooling leaves an odd last row or column out.
"""

import numpy as np

from .activations import relu, relu_backward
from .convolution import conv2d_backward, conv2d_forward
from .initializers import he_normal
from .losses import softmax_cross_entropy
from .pooling import max_pool2d_backward, max_pool2d_forward


def cnn_init(image_shape, n_classes, rng, n_filters=8, kernel=3):
    """Draw parameters at random, so that signals keep their size through relu.

        every weight from a normal distribution of variance 2 / fan_in, every bias 0

    image_shape: (C, H, W), H and W at least 2
    n_classes  : int
    rng        : numpy.random.Generator
    n_filters  : int
    kernel     : int, odd
    returns    : params, a dictionary
    raises     : ValueError, if a size is too small or the kernel is even
    source     : He et al., Delving Deep into Rectifiers (2015), eq. 10
    """
    C, H, W = image_shape
    if min(C, n_classes, n_filters, kernel) < 1 or min(H, W) < 2 or kernel % 2 == 0:
        raise ValueError(
            "image_shape must be (C, H, W) with H and W at least 2, kernel odd, and all counts "
            f"at least 1, got {image_shape}, kernel {kernel}, {n_filters} filters and "
            f"{n_classes} classes"
        )
    features = n_filters * (H // 2) * (W // 2)
    return {
        "conv_w": he_normal((n_filters, C, kernel, kernel), rng),
        "conv_b": np.zeros(n_filters),
        "dense_w": he_normal((features, n_classes), rng),
        "dense_b": np.zeros(n_classes),
    }


def cnn_forward(x, params):
    """The scores of each class.

    x      : (N, C, H, W)
    params : dictionary, from cnn_init
    returns: scores, (N, n_classes); cache, for the backward pass
    raises : ValueError, if x does not fit the parameters
    """
    maps, conv_cache = conv2d_forward(
        x, params["conv_w"], params["conv_b"], padding=params["conv_w"].shape[2] // 2
    )  # (N, F, H, W)
    pooled, pool_cache = max_pool2d_forward(relu(maps), 2)  # (N, F, H/2, W/2)
    features = pooled.reshape(len(x), np.prod(pooled.shape[1:]))  # (N, F (H/2) (W/2))
    if features.shape[1] != len(params["dense_w"]):
        raise ValueError(
            f"x must give the {len(params['dense_w'])} features of dense_w, "
            f"got {features.shape[1]} from images of shape {x.shape[1:]}"
        )
    scores = features @ params["dense_w"] + params["dense_b"]
    return scores, (conv_cache, maps, pool_cache, pooled.shape, features, params["dense_w"])


def cnn_backward(dscores, cache):
    """The gradients, layer by layer in reverse: read cnn_forward from its last line up.

    dscores: (N, n_classes)
    cache  : from cnn_forward
    returns: dx, (N, C, H, W), what each pixel does to the scores: saliency
             dparams, a dictionary with the keys and shapes of params
    raises : ValueError, if dscores has another shape than scores
    """
    conv_cache, maps, pool_cache, pooled_shape, features, dense_w = cache
    if dscores.shape != (len(features), dense_w.shape[1]):
        raise ValueError(
            f"dscores must be {(len(features), dense_w.shape[1])}, got shape {dscores.shape}"
        )
    dparams = {"dense_w": features.T @ dscores, "dense_b": dscores.sum(axis=0)}
    dpooled = (dscores @ dense_w.T).reshape(pooled_shape)
    dactive = max_pool2d_backward(dpooled, pool_cache)
    dmaps = relu_backward(dactive, maps)
    dx, dparams["conv_w"], dparams["conv_b"] = conv2d_backward(dmaps, conv_cache)
    return dx, dparams


def cnn_loss(x, labels, params):
    """Mean softmax cross-entropy of the network, and its gradients.

    x      : (N, C, H, W), N at least 1
    labels : (N,) int in [0, n_classes)
    params : dictionary, from cnn_init
    returns: loss, float, nats per example; dparams, a dictionary with the keys of params
    raises : ValueError, if shapes disagree or a label is outside [0, n_classes)
    """
    scores, cache = cnn_forward(x, params)
    loss, dscores = softmax_cross_entropy(scores, labels)
    _, dparams = cnn_backward(dscores, cache)
    return loss, dparams
