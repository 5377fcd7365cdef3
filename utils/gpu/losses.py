"""What a wrong score costs. Torch twin of utils.reference.losses."""

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


def _require_rows_and_labels(scores, labels):
    if scores.ndim != 2:
        raise ValueError(
            f"scores must be (N, C), one row per example, got shape {tuple(scores.shape)}"
        )
    require_labels(labels, scores.shape[:1])
