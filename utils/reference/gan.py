"""Generative adversarial networks: a forger and a detective, who teach each other.

The generator G makes examples of noise z; the discriminator D says of an example how probable it
is that it is real. D is trained to raise, G to lower the value of their game,

    V(D, G) = mean(log D(x)) + mean(log(1 - D(G(z))))

Every loss takes logits, the scores of D before its sigmoid: log D = -softplus(-s) and
log(1 - D) = -softplus(s) overflow for no score. Source of it all, where no other is named:
Goodfellow et al., Generative Adversarial Nets (2014).

Where the generator is perfect, the best discriminator can only say D = 1/2 of everything. There
V = -log 4 and the discriminator's loss is log 4.
"""

import numpy as np

from .activations import sigmoid, softplus
from .mlp import mlp_backward, mlp_forward
from .optimizers import sgd_step


def game_value(real_logits, fake_logits):
    """The value V of the game, and its gradient: where the discriminator wants to go, upwards.

        V = mean(log sigmoid(r)) + mean(log(1 - sigmoid(f)))
        dr = (1 - sigmoid(r)) / N,  df = -sigmoid(f) / M

    real_logits: any shape, N entries at least 1, r, of real examples
    fake_logits: any shape, M entries at least 1, f, of generated ones
    returns    : value, float, nats, at most 0; dreal_logits; dfake_logits
    raises     : ValueError, if there is no entry
    source     : Goodfellow et al. (2014), eq. 1
    """
    _require_logits(real_logits=real_logits, fake_logits=fake_logits)
    value = -softplus(-real_logits).mean() - softplus(fake_logits).mean()
    dreal_logits = sigmoid(-real_logits) / real_logits.size  # 1 - sigmoid(r), unrounded
    return value, dreal_logits, -sigmoid(fake_logits) / fake_logits.size


def discriminator_loss(real_logits, fake_logits):
    """The discriminator's cross-entropy, and its gradient: V with the other sign, to descend.

        loss = mean(-log D(x)) + mean(-log(1 - D(G(z)))) = -V

    Each mean is over its own batch, and the two are summed: log 4 where D = 1/2. One mean over
    both batches, as binary_cross_entropy_with_logits takes it, would be half of it, log 2.

    real_logits: any shape, N entries at least 1
    fake_logits: any shape, M entries at least 1
    returns    : loss, float, nats, at least 0; dreal_logits; dfake_logits
    raises     : ValueError, if there is no entry
    source     : Goodfellow et al. (2014), algorithm 1
    """
    value, dreal_logits, dfake_logits = game_value(real_logits, fake_logits)
    return -value, -dreal_logits, -dfake_logits


def minimax_loss(fake_logits):
    """The generator's share of V, to descend: make D say seldom that a fake is fake.

        loss = mean(log(1 - D(G(z)))) = -mean(softplus(f)),  dfake_logits = -sigmoid(f) / M

    It saturates: where D is sure of a fake, f far below 0, the gradient is next to 0, and this is
    so at the start, when the generator has everything to learn.

    fake_logits: any shape, M entries at least 1, f
    returns    : loss, float, nats, at most 0 (-log 2 where D = 1/2); dfake_logits
    raises     : ValueError, if there is no entry
    source     : Goodfellow et al. (2014), algorithm 1
    """
    _require_logits(fake_logits=fake_logits)
    return -softplus(fake_logits).mean(), -sigmoid(fake_logits) / fake_logits.size


def non_saturating_loss(fake_logits):
    """Another loss for the generator with the same goal: make D say often that a fake is real.

        loss = -mean(log D(G(z))) = mean(softplus(-f)),  dfake_logits = -(1 - sigmoid(f)) / M

    The gradient is largest where D is sure of a fake. The game is no longer one of zero sum.

    fake_logits: any shape, M entries at least 1, f
    returns    : loss, float, nats, at least 0 (log 2 where D = 1/2); dfake_logits
    raises     : ValueError, if there is no entry
    source     : Goodfellow et al. (2014), section 3
    """
    _require_logits(fake_logits=fake_logits)
    return softplus(-fake_logits).mean(), -sigmoid(-fake_logits) / fake_logits.size


def discriminator_mlp_loss(x, z, g_layers, d_layers, activation="relu", output="identity"):
    """discriminator_loss of two mlps, and the gradient by every parameter of the discriminator.

    x         : (N, D), real examples
    z         : (M, Z), noise
    g_layers  : list of (w, b), the generator's, from Z to D
    d_layers  : list of (w, b), the discriminator's, from D to 1
    activation: a key of activations.ACTIVATIONS, between the layers of both
    output    : a key of activations.ACTIVATIONS, after the generator's last layer
    returns   : loss, float, nats; gradients, a list of (dw, db) in the order of d_layers
    raises    : ValueError, if the shapes do not fit or a name is unknown
    """
    fakes, _ = mlp_forward(z, g_layers, activation, output)
    real_logits, real_cache = mlp_forward(x, d_layers, activation)
    fake_logits, fake_cache = mlp_forward(fakes, d_layers, activation)
    loss, dreal_logits, dfake_logits = discriminator_loss(real_logits, fake_logits)
    _, by_real = mlp_backward(dreal_logits, real_cache)
    _, by_fake = mlp_backward(dfake_logits, fake_cache)
    gradients = [  # every weight served both batches
        (dw_real + dw_fake, db_real + db_fake)
        for (dw_real, db_real), (dw_fake, db_fake) in zip(by_real, by_fake, strict=True)
    ]
    return loss, gradients


def generator_mlp_loss(
    z, g_layers, d_layers, loss=non_saturating_loss, activation="relu", output="identity"
):
    """A generator's loss of two mlps, and the gradient by every parameter of the generator.

    The gradient goes back through all of the discriminator, which stays as it is, and what
    arrives at its input, (M, D), tells every fake how to look more real.

    z                 : (M, Z), noise
    g_layers, d_layers: lists of (w, b), from Z to D and from D to 1
    loss              : non_saturating_loss or minimax_loss
    activation, output: as discriminator_mlp_loss's
    returns           : loss, float, nats; gradients, a list of (dw, db) in the order of g_layers
    raises            : ValueError, if the shapes do not fit or a name is unknown
    """
    fakes, g_cache = mlp_forward(z, g_layers, activation, output)
    fake_logits, d_cache = mlp_forward(fakes, d_layers, activation)
    value, dfake_logits = loss(fake_logits)
    dfakes, _ = mlp_backward(dfake_logits, d_cache)
    _, gradients = mlp_backward(dfakes, g_cache)
    return value, gradients


def gan_step(
    batches,
    z,
    g_layers,
    d_layers,
    states=None,
    step=sgd_step,
    loss=non_saturating_loss,
    activation="relu",
    output="identity",
):
    """One round of the game: k steps of the discriminator, then one of the generator.

    batches           : k pairs of x, (N, D), and z, (M, Z), one for each step of the discriminator
    z                 : (M, Z), fresh noise, for the step of the generator
    g_layers, d_layers: lists of (w, b), from Z to D and from D to 1
    states            : None at the start, then what the round before returned
    step              : a rule of optimizers, (w, dw, state) -> (w, state); functools.partial sets
                        its options
    loss              : non_saturating_loss or minimax_loss
    activation, output: as discriminator_mlp_loss's
    returns           : g_layers, d_layers, states, for the next round
                        losses, a pair of floats: the discriminator's before its last step, nan if
                        k is 0, and the generator's before its step
    raises            : ValueError, if the shapes do not fit or a name is unknown
    source            : Goodfellow et al. (2014), algorithm 1
    """
    g_state, d_state = states or (None, None)
    d_loss = float("nan")
    for x, noise in batches:
        d_loss, gradients = discriminator_mlp_loss(x, noise, g_layers, d_layers, activation, output)
        d_layers, d_state = _stepped(d_layers, gradients, d_state, step)
    g_loss, gradients = generator_mlp_loss(z, g_layers, d_layers, loss, activation, output)
    g_layers, g_state = _stepped(g_layers, gradients, g_state, step)
    return g_layers, d_layers, (g_state, d_state), (d_loss, g_loss)


def frechet_distance(features_a, features_b):
    """How far two sets of examples are apart, as if each were a normal distribution.

        |mean_a - mean_b|^2 + trace(cov_a + cov_b - 2 (cov_a cov_b)^(1/2))

    0 for equal means and covariances, however different the sets. Of Inception's features it is
    the Frechet inception distance (FID). Fewer examples give larger distances: compare only
    numbers of equally many.

    With A and B the centered sets over sqrt(N - 1), and A = Q_a R_a, B = Q_b R_b, the trace of
    the root is the sum of the singular values of R_a R_b^T: no root of a matrix is taken, and
    the covariances may be singular.

    features_a: (N, D), N at least 2
    features_b: (M, D), M at least 2
    returns   : float, at least 0, in the unit of the features squared; it is a squared distance
    raises    : ValueError, if the shapes disagree, an example is alone, or not all is finite
    source    : Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local
                Nash Equilibrium (2017), eq. 6; Dowson and Landau, The Frechet Distance between
                Multivariate Normal Distributions (1982)
    """
    a, b = features_a, features_b
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            "features_a and features_b must be (N, D) and (M, D), N and M at least 2, "
            f"got {a.shape} and {b.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features must be finite, got nan or inf")
    mean_a, r_a = _mean_and_root(a)
    mean_b, r_b = _mean_and_root(b)
    shared = np.linalg.svd(r_a @ r_b.T, compute_uv=False).sum()
    distance = ((mean_a - mean_b) ** 2).sum() + (r_a**2).sum() + (r_b**2).sum() - 2 * shared
    return np.maximum(distance, 0)  # rounding can leave -1e-15


def _stepped(parameters, gradients, state, step):
    """Every w and b one step on, and the states of the steps in the same order."""
    state = state or [(None, None)] * len(parameters)
    pairs, states = [], []
    for pair, dpair, states_before in zip(parameters, gradients, state, strict=True):
        (w, w_state), (b, b_state) = map(step, pair, dpair, states_before)
        pairs.append((w, b))
        states.append((w_state, b_state))
    return pairs, states


def _mean_and_root(features):
    """The mean, (D,), and R, (at most D, D), with R^T R the covariance, which is not formed."""
    mean = features.mean(axis=0)
    return mean, np.linalg.qr((features - mean) / (len(features) - 1) ** 0.5, mode="r")


def _require_logits(**logits):
    for name, array in logits.items():
        if array.size == 0:
            raise ValueError(f"{name} must be non-empty, got shape {array.shape}")
