"""What a wrong output costs. Torch twin of utils.reference.losses."""

import torch
import torch.nn.functional as F

from ._labels import require_labels, require_signs


def zero_one(scores, labels):
    """Torch twin of utils.reference.losses.zero_one. Autograd finds no gradient: there is none."""
    _require_rows_and_labels(scores, labels)
    return (scores.argmax(dim=1) != labels).to(scores.dtype).mean()


def binary_hinge(scores, signs):
    """Torch twin of utils.reference.losses.binary_hinge.

    relu and not clamp, here and below: at the kink its slope is 0, as in the reference.
    """
    require_signs(signs, scores.shape)
    return F.relu(1 - signs * scores).mean()


def binary_logistic(scores, signs):
    """Torch twin of utils.reference.losses.binary_logistic.

    logsigmoid and not softplus, which beyond 20 drops the exponential and is 2e-9 off.
    """
    require_signs(signs, scores.shape)
    return -F.logsigmoid(signs * scores).mean()


def multiclass_hinge(scores, labels, margin=1.0):
    """Torch twin of utils.reference.losses.multiclass_hinge."""
    _require_rows_and_labels(scores, labels)
    shortfall = F.relu(scores - scores.gather(1, labels[:, None]) + margin)  # (N, C)
    return shortfall.scatter(1, labels[:, None], 0).sum() / len(scores)


def multiclass_hinge_max(scores, labels, margin=1.0):
    """Torch twin of utils.reference.losses.multiclass_hinge_max.

    argmax and then gather, because amax would share the gradient among rivals that tie.
    """
    _require_rows_and_labels(scores, labels)
    rivals = scores.scatter(1, labels[:, None], -torch.inf)  # (N, C)
    rival = rivals.argmax(dim=1, keepdim=True)  # (N, 1)
    shortfall = margin + rivals.gather(1, rival) - scores.gather(1, labels[:, None])
    return F.relu(shortfall).mean()


def softmax_cross_entropy(scores, labels):
    """Torch twin of utils.reference.losses.softmax_cross_entropy, one fused kernel."""
    _require_rows_and_labels(scores, labels)
    return F.cross_entropy(scores, labels)


def sequence_cross_entropy(scores, labels, mask=None):
    """Torch twin of utils.reference.losses.sequence_cross_entropy, one fused kernel.

    With a mask the scores are copied once, without one not at all. An index scores[mask] would
    make the CPU wait for the size of its result.
    """
    if scores.ndim != 3:
        raise ValueError(f"scores must be (B, T, C), got shape {tuple(scores.shape)}")
    require_labels(labels, scores.shape[:2])
    if mask is None:
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten())
    if mask.shape != labels.shape or mask.dtype != torch.bool:
        raise ValueError(
            f"mask must be {tuple(labels.shape)} bools, "
            f"got {mask.dtype} of shape {tuple(mask.shape)}"
        )
    scores = scores.masked_fill(~mask[..., None], 0)  # a nan in the padding stays there
    labels = labels.masked_fill(~mask, -100)
    total = F.cross_entropy(
        scores.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum"
    )
    return total / mask.sum().clamp(min=1)


def negative_log_likelihood(log_probabilities, labels):
    """Torch twin of utils.reference.losses.negative_log_likelihood."""
    _require_rows_and_labels(log_probabilities, labels, "log_probabilities")
    return F.nll_loss(log_probabilities, labels)


def categorical_cross_entropy(probabilities, targets):
    """Torch twin of utils.reference.losses.categorical_cross_entropy.

    Not torch.xlogy, whose derivative is nan where target and probability are both 0.
    """
    if probabilities.ndim != 2:
        raise ValueError(f"probabilities must be (N, C), got shape {tuple(probabilities.shape)}")
    targets = _targets_like(probabilities, targets)
    p = torch.where(targets != 0, probabilities, 1)
    return -(targets * torch.log(p)).sum() / len(p)


def binary_cross_entropy(probabilities, targets):
    """Torch twin of utils.reference.losses.binary_cross_entropy.

    A nan goes around torch's kernel, which on a GPU would end the process over it.
    """
    targets = _targets_like(probabilities, targets)
    is_nan = probabilities.isnan()
    costs = F.binary_cross_entropy(
        probabilities.masked_fill(is_nan, 0.5), targets, reduction="none"
    )
    return torch.where(is_nan, probabilities, costs).mean()


def binary_cross_entropy_with_logits(scores, targets):
    """Torch twin of utils.reference.losses.binary_cross_entropy_with_logits."""
    return F.binary_cross_entropy_with_logits(scores, _targets_like(scores, targets))


def mse(predictions, targets):
    """Torch twin of utils.reference.losses.mse."""
    return F.mse_loss(predictions, _targets_like(predictions, targets))


def mae(predictions, targets):
    """Torch twin of utils.reference.losses.mae."""
    return F.l1_loss(predictions, _targets_like(predictions, targets))


def _require_rows_and_labels(scores, labels, name="scores"):
    if scores.ndim != 2:
        raise ValueError(
            f"{name} must be (N, C), one row per example, got shape {tuple(scores.shape)}"
        )
    require_labels(labels, scores.shape[:1])


def _targets_like(outputs, targets):
    if targets.shape != outputs.shape or targets.numel() == 0:
        raise ValueError(
            f"targets must be non-empty of shape {tuple(outputs.shape)}, "
            f"got shape {tuple(targets.shape)}"
        )
    return targets.to(outputs.dtype)
