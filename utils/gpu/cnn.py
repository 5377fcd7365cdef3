"""A whole convolutional network, small enough to follow. Torch twin of utils.reference.cnn."""

import torch

from .convolution import conv2d_forward
from .initializers import he_normal
from .losses import softmax_cross_entropy
from .pooling import max_pool2d_forward


def cnn_init(image_shape, n_classes, generator, n_filters=8, kernel=3):
    """Torch twin of utils.reference.cnn.cnn_init.

    Differs: the parameters live on the generator's device, in torch's default dtype, and
    require gradients.
    """
    C, H, W = image_shape
    if min(C, n_classes, n_filters, kernel) < 1 or min(H, W) < 2 or kernel % 2 == 0:
        raise ValueError(
            "image_shape must be (C, H, W) with H and W at least 2, kernel odd, and all counts "
            f"at least 1, got {tuple(image_shape)}, kernel {kernel}, {n_filters} filters and "
            f"{n_classes} classes"
        )
    features = n_filters * (H // 2) * (W // 2)
    params = {
        "conv_w": he_normal((n_filters, C, kernel, kernel), generator),
        "conv_b": torch.zeros(n_filters, device=generator.device),
        "dense_w": he_normal((features, n_classes), generator),
        "dense_b": torch.zeros(n_classes, device=generator.device),
    }
    return {name: value.requires_grad_() for name, value in params.items()}


def cnn_maps_forward(x, params):
    """Torch twin of utils.reference.cnn.cnn_maps_forward."""
    conv_w, conv_b = params["conv_w"], params["conv_b"]
    return torch.relu(conv2d_forward(x, conv_w, conv_b, padding=conv_w.shape[2] // 2))


def cnn_head_forward(maps, params):
    """Torch twin of utils.reference.cnn.cnn_head_forward."""
    features = max_pool2d_forward(maps, 2).flatten(start_dim=1)  # (N, F (H/2) (W/2))
    if features.shape[1] != len(params["dense_w"]):
        raise ValueError(
            f"x must give the {len(params['dense_w'])} features of dense_w, "
            f"got {features.shape[1]} from maps of shape {tuple(maps.shape[1:])}"
        )
    return features @ params["dense_w"] + params["dense_b"]


def cnn_forward(x, params):
    """Torch twin of utils.reference.cnn.cnn_forward."""
    return cnn_head_forward(cnn_maps_forward(x, params), params)


def cnn_loss(x, labels, params):
    """Torch twin of utils.reference.cnn.cnn_loss."""
    return softmax_cross_entropy(cnn_forward(x, params), labels)


def cnn_model(params):
    """Torch twin of utils.reference.cnn.cnn_model."""
    return lambda x: cnn_forward(x, params)


def cnn_head_model(params):
    """Torch twin of utils.reference.cnn.cnn_head_model."""
    return lambda maps: cnn_head_forward(maps, params)
