"""Autoencoders. Torch twin of utils.reference.autoencoder; autograd goes backwards."""

from .losses import mse
from .mlp import mlp_forward, mlp_init


def autoencoder_init(sizes, generator):
    """Torch twin of utils.reference.autoencoder.autoencoder_init.

    Differs: the parameters are made as utils.gpu.mlp.mlp_init makes them.
    """
    return {"encoder": mlp_init(sizes, generator), "decoder": mlp_init(sizes[::-1], generator)}


def encode(x, parameters, activation="relu"):
    """Torch twin of utils.reference.autoencoder.encode."""
    return mlp_forward(x, parameters["encoder"], activation)


def decode(code, parameters, activation="relu", output="identity"):
    """Torch twin of utils.reference.autoencoder.decode."""
    return mlp_forward(code, parameters["decoder"], activation, output)


def autoencoder_forward(x, parameters, activation="relu", output="identity"):
    """Torch twin of utils.reference.autoencoder.autoencoder_forward."""
    code = encode(x, parameters, activation)
    return decode(code, parameters, activation, output), code


def autoencoder_loss(x, parameters, target=None, activation="relu", output="identity"):
    """Torch twin of utils.reference.autoencoder.autoencoder_loss.

    Differs: returns the loss alone; its backward() leaves dw and db in w.grad and b.grad.
    """
    out, _ = autoencoder_forward(x, parameters, activation, output)
    return mse(out, x if target is None else target)
