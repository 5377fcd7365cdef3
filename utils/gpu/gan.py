"""Generative adversarial networks. Torch twin of utils.reference.gan.

Autograd goes backwards, through the discriminator into the generator too.
"""

import torch
import torch.nn.functional as F

from .mlp import mlp_forward
from .optimizers import sgd_step


def game_value(real_logits, fake_logits):
    """Torch twin of utils.reference.gan.game_value.

    logsigmoid and not softplus, here and below: beyond 20 that drops the exponential.
    """
    _require_logits(real_logits=real_logits, fake_logits=fake_logits)
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()


def discriminator_loss(real_logits, fake_logits):
    """Torch twin of utils.reference.gan.discriminator_loss."""
    return -game_value(real_logits, fake_logits)


def minimax_loss(fake_logits):
    """Torch twin of utils.reference.gan.minimax_loss."""
    _require_logits(fake_logits=fake_logits)
    return F.logsigmoid(-fake_logits).mean()


def non_saturating_loss(fake_logits):
    """Torch twin of utils.reference.gan.non_saturating_loss."""
    _require_logits(fake_logits=fake_logits)
    return -F.logsigmoid(fake_logits).mean()


def discriminator_mlp_loss(x, z, g_layers, d_layers, activation="relu", output="identity"):
    """Torch twin of utils.reference.gan.discriminator_mlp_loss.

    Differs: returns the loss alone; its backward() reaches the discriminator only.
    """
    with torch.no_grad():
        fakes = mlp_forward(z, g_layers, activation, output)
    real_logits = mlp_forward(x, d_layers, activation)
    fake_logits = mlp_forward(fakes, d_layers, activation)
    return discriminator_loss(real_logits, fake_logits)


def generator_mlp_loss(
    z, g_layers, d_layers, loss=non_saturating_loss, activation="relu", output="identity"
):
    """Torch twin of utils.reference.gan.generator_mlp_loss.

    Differs: returns the loss alone; its backward() passes through the discriminator, but leaves
    gradients in the generator only.
    """
    fakes = mlp_forward(z, g_layers, activation, output)
    frozen = [(w.detach(), b.detach()) for w, b in d_layers]
    return loss(mlp_forward(fakes, frozen, activation))


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
    """Torch twin of utils.reference.gan.gan_step.

    Differs: the losses are 0-dimensional tensors, for which the CPU does not wait.
    """
    g_state, d_state = states or (None, None)
    d_loss = z.new_full((), torch.nan)
    for x, noise in batches:
        d_layers = _followed(d_layers)
        d_loss = discriminator_mlp_loss(x, noise, g_layers, d_layers, activation, output)
        d_layers, d_state = _stepped(d_layers, d_loss, d_state, step)
    g_layers = _followed(g_layers)
    g_loss = generator_mlp_loss(z, g_layers, d_layers, loss, activation, output)
    g_layers, g_state = _stepped(g_layers, g_loss, g_state, step)
    return g_layers, d_layers, (g_state, d_state), (d_loss.detach(), g_loss.detach())


@torch.no_grad()
def frechet_distance(features_a, features_b):
    """Torch twin of utils.reference.gan.frechet_distance.

    Differs: on a nan torch.linalg.svdvals raises its own LinAlgError. It has no gradient.
    """
    a, b = features_a, features_b
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            "features_a and features_b must be (N, D) and (M, D), N and M at least 2, "
            f"got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    mean_a, r_a = _mean_and_root(a)
    mean_b, r_b = _mean_and_root(b)
    shared = torch.linalg.svdvals(r_a @ r_b.T).sum()
    distance = ((mean_a - mean_b) ** 2).sum() + (r_a**2).sum() + (r_b**2).sum() - 2 * shared
    return distance.clamp(min=0)


def _followed(parameters):
    """The same parameters for autograd to follow, whoever else follows the ones that came."""
    return [(w.detach().requires_grad_(), b.detach().requires_grad_()) for w, b in parameters]


def _stepped(parameters, loss, state, step):
    """Every w and b one step on, and the states of the steps in the same order."""
    flat = torch.autograd.grad(loss, [p for pair in parameters for p in pair])
    gradients = zip(flat[::2], flat[1::2], strict=True)
    state = state or [(None, None)] * len(parameters)
    pairs, states = [], []
    for pair, dpair, states_before in zip(parameters, gradients, state, strict=True):
        (w, w_state), (b, b_state) = map(step, pair, dpair, states_before)
        pairs.append((w, b))
        states.append((w_state, b_state))
    return pairs, states


def _mean_and_root(features):
    """The mean, (D,), and R, (at most D, D), with R^T R the covariance, which is not formed."""
    mean = features.mean(dim=0)
    return mean, torch.linalg.qr((features - mean) / (len(features) - 1) ** 0.5, mode="r")[1]


def _require_logits(**logits):
    for name, array in logits.items():
        if array.numel() == 0:
            raise ValueError(f"{name} must be non-empty, got shape {tuple(array.shape)}")
