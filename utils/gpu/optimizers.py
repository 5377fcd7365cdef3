"""From a gradient to the next weights. Torch twin of utils.reference.optimizers.

Torch's own optimizers change the weights in place, in one fused kernel. A pure step, several
small kernels, leaves the old weights be; torch.compile makes one kernel of it again.
"""

import torch


@torch.no_grad()
def sgd_step(w, dw, state, lr=0.01):
    """Torch twin of utils.reference.optimizers.sgd_step."""
    _require_step(w, dw, lr)
    return torch.sub(w, dw, alpha=lr), {}


@torch.no_grad()
def momentum_step(w, dw, state, lr=0.01, beta=0.9):
    """Torch twin of utils.reference.optimizers.momentum_step."""
    _require_step(w, dw, lr, beta=beta)
    state = state or {"v": torch.zeros_like(w)}
    v = torch.add(dw, state["v"], alpha=beta)
    return torch.sub(w, v, alpha=lr), {"v": v}


@torch.no_grad()
def nesterov_step(w, dw, state, lr=0.01, beta=0.9):
    """Torch twin of utils.reference.optimizers.nesterov_step."""
    _require_step(w, dw, lr, beta=beta)
    state = state or {"v": torch.zeros_like(w)}
    v = torch.add(dw, state["v"], alpha=beta)
    return torch.sub(w, torch.add(dw, v, alpha=beta), alpha=lr), {"v": v}


@torch.no_grad()
def adagrad_step(w, dw, state, lr=0.01, eps=1e-8):
    """Torch twin of utils.reference.optimizers.adagrad_step."""
    _require_step(w, dw, lr, eps)
    state = state or {"s": torch.zeros_like(w)}
    s = torch.addcmul(state["s"], dw, dw)
    return torch.addcdiv(w, dw, s.sqrt() + eps, value=-lr), {"s": s}


@torch.no_grad()
def rmsprop_step(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    """Torch twin of utils.reference.optimizers.rmsprop_step."""
    _require_step(w, dw, lr, eps, rho=rho)
    state = state or {"s": torch.zeros_like(w)}
    s = _average_square(state["s"], dw, rho)
    return torch.addcdiv(w, dw, s.sqrt() + eps, value=-lr), {"s": s}


@torch.no_grad()
def adadelta_step(w, dw, state, lr=1.0, rho=0.9, eps=1e-6):
    """Torch twin of utils.reference.optimizers.adadelta_step."""
    _require_step(w, dw, lr, eps, rho=rho)
    state = state or {"s": torch.zeros_like(w), "u": torch.zeros_like(w)}
    s = _average_square(state["s"], dw, rho)
    delta = (state["u"] + eps).sqrt() / (s + eps).sqrt() * dw
    u = _average_square(state["u"], delta, rho)
    return torch.sub(w, delta, alpha=lr), {"s": s, "u": u}


@torch.no_grad()
def adam_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, correct_bias=True):
    """Torch twin of utils.reference.optimizers.adam_step."""
    _require_step(w, dw, lr, eps, beta1=beta1, beta2=beta2)
    state = state or {"v": torch.zeros_like(w), "s": torch.zeros_like(w), "t": 0}
    t = state["t"] + 1
    v = torch.lerp(dw, state["v"], beta1)
    s = _average_square(state["s"], dw, beta2)
    v_sum, s_sum = (1 - beta1**t, 1 - beta2**t) if correct_bias else (1, 1)
    w = torch.addcdiv(w, v, (s / s_sum).sqrt() + eps, value=-lr / v_sum)
    return w, {"v": v, "s": s, "t": t}


@torch.no_grad()
def adamw_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    """Torch twin of utils.reference.optimizers.adamw_step."""
    if not weight_decay >= 0:
        raise ValueError(f"weight_decay must be at least 0, got {weight_decay}")
    decayed = (1 - lr * weight_decay) * w
    return adam_step(decayed, dw, state, lr, beta1, beta2, eps)


@torch.no_grad()
def nadam_step(w, dw, state, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=0.004):
    """Torch twin of utils.reference.optimizers.nadam_step."""
    _require_step(w, dw, lr, eps, beta1=beta1, beta2=beta2)
    if not momentum_decay >= 0:
        raise ValueError(f"momentum_decay must be at least 0, got {momentum_decay}")
    state = state or {"v": torch.zeros_like(w), "s": torch.zeros_like(w), "t": 0, "M": 1.0}
    t = state["t"] + 1
    mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1))
    M = state["M"] * mu
    v = torch.lerp(dw, state["v"], beta1)
    s = _average_square(state["s"], dw, beta2)
    v_hat = torch.add(mu_next / (1 - M * mu_next) * v, dw, alpha=(1 - mu) / (1 - M))
    w = torch.addcdiv(w, v_hat, (s / (1 - beta2**t)).sqrt() + eps, value=-lr)
    return w, {"v": v, "s": s, "t": t, "M": M}


@torch.no_grad()
def clip_by_norm(gradients, max_norm):
    """Torch twin of utils.reference.optimizers.clip_by_norm.

    Differs: norm is a 0-dimensional tensor, and the CPU does not wait for it.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    norm = torch.nn.utils.get_total_norm(gradients.values())
    shrink = torch.where(norm <= max_norm, 1, max_norm / norm)
    return {name: shrink * g for name, g in gradients.items()}, norm


@torch.no_grad()
def clip_by_value(gradients, limit):
    """Torch twin of utils.reference.optimizers.clip_by_value."""
    if not limit > 0:
        raise ValueError(f"limit must be positive, got {limit}")
    return {name: g.clamp(-limit, limit) for name, g in gradients.items()}


def _average_square(s, dw, rho):
    return torch.addcmul(rho * s, dw, dw, value=1 - rho)


def _require_step(w, dw, lr, eps=0.0, **decays):
    if w.shape != dw.shape:
        raise ValueError(
            f"w and dw must have one shape, got {tuple(w.shape)} and {tuple(dw.shape)}"
        )
    for name, value in {"lr": lr, "eps": eps}.items():
        if not value >= 0:
            raise ValueError(f"{name} must be at least 0, got {value}")
    for name, value in decays.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must lie in [0, 1), got {value}")
