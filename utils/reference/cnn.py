"""A whole convolutional network, small enough to follow every gradient by hand.

    x -> convolution, padded to keep the size -> relu -> max pooling 2 x 2 -> dense -> scores

Its parameters are a dictionary:

- conv_w, (F, C, k, k) with k odd, and conv_b, (F,): the filters
- dense_w, (F (H/2) (W/2), n_classes), and dense_b, (n_classes,): one template per class

Halves are rounded down: pooling leaves an odd last row or column out. The network comes in two
parts, up to the maps of the filters after relu, and from there: Grad-CAM looks between them.
"""

import numpy as np

from ._gradients import require_gradient
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


def cnn_maps_forward(x, params):
    """The first half: what each filter sees, and where.

    x      : (N, C, H, W)
    params : dictionary, from cnn_init
    returns: maps, (N, F, H, W), at least 0; cache, for the backward pass
    raises : ValueError, if x does not fit the filters
    """
    conv_w, conv_b = params["conv_w"], params["conv_b"]
    seen, conv_cache = conv2d_forward(x, conv_w, conv_b, padding=conv_w.shape[2] // 2)
    return relu(seen), (seen, conv_cache)


def cnn_maps_backward(dmaps, cache):
    """From the maps to the pixels.

    dmaps  : (N, F, H, W)
    cache  : from cnn_maps_forward
    returns: dx, (N, C, H, W); dparams, a dictionary of conv_w and conv_b
    raises : ValueError, if dmaps has another shape than the maps
    """
    seen, conv_cache = cache
    dx, dconv_w, dconv_b = conv2d_backward(relu_backward(dmaps, seen), conv_cache)
    return dx, {"conv_w": dconv_w, "conv_b": dconv_b}


def cnn_head_forward(maps, params):
    """The second half: from the maps to the scores of each class.

    maps   : (N, F, H, W)
    params : dictionary, from cnn_init
    returns: scores, (N, n_classes); cache, for the backward pass
    raises : ValueError, if the maps do not fit dense_w
    """
    pooled, pool_cache = max_pool2d_forward(maps, 2)  # (N, F, H/2, W/2)
    features = pooled.reshape(len(maps), np.prod(pooled.shape[1:]))  # (N, F (H/2) (W/2))
    if features.shape[1] != len(params["dense_w"]):
        raise ValueError(
            f"x must give the {len(params['dense_w'])} features of dense_w, "
            f"got {features.shape[1]} from maps of shape {maps.shape[1:]}"
        )
    scores = features @ params["dense_w"] + params["dense_b"]
    return scores, (pool_cache, pooled.shape, features, params["dense_w"])


def cnn_head_backward(dscores, cache):
    """From the scores to the maps.

    dscores: (N, n_classes)
    cache  : from cnn_head_forward
    returns: dmaps, (N, F, H, W); dparams, a dictionary of dense_w and dense_b
    raises : ValueError, if dscores has another shape than scores
    """
    pool_cache, pooled_shape, features, dense_w = cache
    require_gradient(dscores, (len(features), dense_w.shape[1]), "dscores")
    dpooled = (dscores @ dense_w.T).reshape(pooled_shape)
    dparams = {"dense_w": features.T @ dscores, "dense_b": dscores.sum(axis=0)}
    return max_pool2d_backward(dpooled, pool_cache), dparams


def cnn_forward(x, params):
    """The scores of each class: both halves.

    x      : (N, C, H, W)
    params : dictionary, from cnn_init
    returns: scores, (N, n_classes); cache, for the backward pass
    raises : ValueError, if x does not fit the parameters
    """
    maps, maps_cache = cnn_maps_forward(x, params)
    scores, head_cache = cnn_head_forward(maps, params)
    return scores, (maps_cache, head_cache)


def cnn_backward(dscores, cache):
    """The gradients, the second half first.

    dscores: (N, n_classes)
    cache  : from cnn_forward
    returns: dx, (N, C, H, W), what each pixel does to the scores: saliency
             dparams, a dictionary with the keys and shapes of params
    raises : ValueError, if dscores has another shape than scores
    """
    maps_cache, head_cache = cache
    dmaps, of_head = cnn_head_backward(dscores, head_cache)
    dx, of_filters = cnn_maps_backward(dmaps, maps_cache)
    return dx, of_filters | of_head


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


def cnn_model(params):
    """The network as a function of its input alone: the form that saliency explains.

    params : dictionary, from cnn_init
    returns: model, x (N, C, H, W) -> scores and backward, dscores -> dx
    """

    def model(x):
        scores, cache = cnn_forward(x, params)
        return scores, lambda dscores: cnn_backward(dscores, cache)[0]

    return model


def cnn_head_model(params):
    """The second half as a function of the maps alone: what Grad-CAM explains.

    params : dictionary, from cnn_init
    returns: model, maps (N, F, H, W) -> scores and backward, dscores -> dmaps
    """

    def model(maps):
        scores, cache = cnn_head_forward(maps, params)
        return scores, lambda dscores: cnn_head_backward(dscores, cache)[0]

    return model
