"""Autoencoders: a network that repeats its input through a bottleneck, and so has to sum it up.

    code = encoder(x),  (N, K);  out = decoder(code),  (N, D);  loss = mean((out - x)^2)

Encoder and decoder are two mlps, the parameters a dictionary: encoder and decoder, each a list
of (w, b). The code is affine in the last hidden layer, it passes through no activation.

With the activation "identity" all is linear, and the best such autoencoder does what PCA does:
its decoder spans the subspace of the K first principal axes, though rarely by the axes themselves.
Source: Baldi and Hornik, Neural Networks and Principal Component Analysis (1989).
"""

from .losses import mse
from .mlp import mlp_backward, mlp_forward, mlp_init


def autoencoder_init(sizes, rng):
    """Random weights for an encoder, and for a decoder of the same sizes in reverse.

    sizes  : ints, the widths from the input to the code: (64, 32, 8) has the layers
             64 -> 32 -> 8 -> 32 -> 64
    rng    : numpy.random.Generator
    returns: parameters, a dictionary of encoder and decoder, each as from mlp_init
    raises : ValueError, if there are fewer than two sizes or one is below 1
    source : Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks
             (2006), without the pretraining
    """
    return {"encoder": mlp_init(sizes, rng), "decoder": mlp_init(sizes[::-1], rng)}


def encode(x, parameters, activation="relu"):
    """What the bottleneck lets through.

    x         : (N, D)
    parameters: dictionary of encoder and decoder
    activation: a key of activations.ACTIVATIONS, between the layers
    returns   : code, (N, K)
    raises    : ValueError, if the shapes do not fit or the name is unknown
    """
    code, _ = mlp_forward(x, parameters["encoder"], activation)
    return code


def decode(code, parameters, activation="relu", output="identity"):
    """What the decoder makes of a code: one that encode gave, or any other.

    code      : (N, K)
    parameters: dictionary of encoder and decoder
    activation: a key of activations.ACTIVATIONS, between the layers
    output    : a key of activations.ACTIVATIONS, after the last; "sigmoid" for pixels in [0, 1]
    returns   : out, (N, D)
    raises    : ValueError, if the shapes do not fit or a name is unknown
    """
    out, _ = mlp_forward(code, parameters["decoder"], activation, output)
    return out


def autoencoder_forward(x, parameters, activation="relu", output="identity"):
    """Through the bottleneck and back.

        code = encode(x),  out = decode(code)

    x                 : (N, D)
    parameters        : dictionary of encoder and decoder
    activation, output: as decode's
    returns           : (out, code), (N, D) and (N, K); cache for autoencoder_backward
    raises            : ValueError, if the shapes do not fit or a name is unknown
    """
    code, encoder_cache = mlp_forward(x, parameters["encoder"], activation)
    out, decoder_cache = mlp_forward(code, parameters["decoder"], activation, output)
    return (out, code), (encoder_cache, decoder_cache)


def autoencoder_backward(dout, cache):
    """Back through the decoder to the code, and from there through the encoder.

    dout   : (N, D), d loss / d out
    returns: dx, (N, D), through the network alone: where x is the target too, the loss adds to it
             gradients, a dictionary with the keys of parameters, each a list of (dw, db)
    raises : ValueError, if dout has not the shape of out
    """
    encoder_cache, decoder_cache = cache
    dcode, decoder = mlp_backward(dout, decoder_cache)
    dx, encoder = mlp_backward(dcode, encoder_cache)
    return dx, {"encoder": encoder, "decoder": decoder}


def autoencoder_loss(x, parameters, target=None, activation="relu", output="identity"):
    """How badly the network repeats its input, and the gradient by every parameter.

        loss = mean((out - target)^2), over all entries

    A denoising autoencoder is given noisy images as x and the clean ones as the target: to
    repeat will not do, it has to learn what images look like.

    x                 : (N, D), N at least 1
    parameters        : dictionary of encoder and decoder
    target            : (N, D); None for x itself
    activation, output: as decode's
    returns           : loss, float, in the unit of x squared
                        gradients, a dictionary with the keys of parameters, each a list of (dw, db)
    raises            : ValueError, if the shapes do not fit or a name is unknown
    source            : Vincent et al., Extracting and Composing Robust Features with Denoising
                        Autoencoders (2008)
    """
    (out, _), cache = autoencoder_forward(x, parameters, activation, output)
    loss, dout = mse(out, x if target is None else target)
    _, gradients = autoencoder_backward(dout, cache)
    return loss, gradients
