"""Linear classifiers. Torch twin of utils.reference.linear."""

from itertools import combinations_with_replacement

import torch

from ._labels import require_labels, require_signs
from .losses import softmax_cross_entropy
from .neighbors import l2_distances
from .validation import _order


def linear_scores(x, w, b):
    """Torch twin of utils.reference.linear.linear_scores."""
    if x.ndim != 2 or w.shape[:1] != x.shape[1:] or b.shape != w.shape[1:]:
        raise ValueError(
            "x, w, b must be (N, D), (D, C), (C,) or (N, D), (D,), (), "
            f"got {tuple(x.shape)}, {tuple(w.shape)}, {tuple(b.shape)}"
        )
    return x @ w + b


def predict(scores):
    """Torch twin of utils.reference.linear.predict."""
    if scores.ndim != 2 or scores.shape[1] == 0:
        raise ValueError(f"scores must be (N, C) with C at least 1, got {tuple(scores.shape)}")
    return scores.argmax(dim=1)


def perceptron_step(w, b, x, y):
    """Torch twin of utils.reference.linear.perceptron_step.

    Differs: b and y are 0-dimensional tensors, and the `if` is a factor 0 or 1, so that the CPU
    need not wait to learn which way to go.
    """
    if w.ndim != 1 or x.shape != w.shape:
        raise ValueError(f"w and x must both be (D,), got {tuple(w.shape)} and {tuple(x.shape)}")
    require_signs(y, (), name="y")
    move = y * (y * (w @ x + b) <= 0)  # y or 0
    return w + move * x, b + move


def train_perceptron(x, y, epochs, generator=None):
    """Torch twin of utils.reference.linear.train_perceptron.

    Differs: b is a 0-dimensional tensor. One small step after another is what a GPU is worst
    at: expect no gain from it here.
    """
    N, D = _require_matrix(x)
    require_signs(y, (N,), name="y")
    _require_at_least_one(epochs=epochs)
    w, b, mistakes = x.new_zeros(D), x.new_zeros(()), []
    for _ in range(epochs):
        wrong = torch.zeros((), dtype=torch.int64, device=x.device)
        for i in _order(N, generator).tolist():
            b_before = b
            w, b = perceptron_step(w, b, x[i], y[i])
            wrong += b != b_before
        mistakes.append(wrong)
    return w, b, torch.stack(mistakes).tolist()  # the CPU waits here, once


def train_linear_classifier(
    x,
    y,
    n_classes,
    loss=softmax_cross_entropy,
    lr=0.1,
    epochs=100,
    batch_size=None,
    l2=0.0,
    generator=None,
):
    """Torch twin of utils.reference.linear.train_linear_classifier.

    Differs: loss returns the mean loss alone, a tensor; autograd finds dw and db.
    """
    N, D = _require_matrix(x)
    require_labels(y, (N,), name="y")
    batch_size = N if batch_size is None else batch_size
    _require_at_least_one(epochs=epochs, batch_size=batch_size)
    w = x.new_zeros(D, n_classes, requires_grad=True)
    b = x.new_zeros(n_classes, requires_grad=True)
    history = []
    for _ in range(epochs):
        total = x.new_zeros(())
        for x_batch, y_batch in _batches(x, y, batch_size, generator):
            objective = loss(linear_scores(x_batch, w, b), y_batch) + l2 / 2 * w.square().sum()
            dw, db = torch.autograd.grad(objective, (w, b))
            with torch.no_grad():
                w -= lr * dw
                b -= lr * db
                total += len(x_batch) * objective
        history.append(total / N)
    return w.detach(), b.detach(), torch.stack(history).tolist()  # the CPU waits here, once


def polynomial_features(x, degree):
    """Torch twin of utils.reference.linear.polynomial_features."""
    _, D = _require_matrix(x)
    _require_at_least_one(degree=degree)
    columns = [
        x[:, factors].prod(dim=1)
        for n_factors in range(1, degree + 1)
        for factors in map(list, combinations_with_replacement(range(D), n_factors))
    ]
    return torch.stack(columns, dim=1)


def rbf_kernel(a, b, gamma):
    """Torch twin of utils.reference.linear.rbf_kernel."""
    if not gamma > 0:
        raise ValueError(f"gamma must be positive, got {gamma}")
    return torch.exp(-gamma * l2_distances(a, b).square())


def _batches(x, y, batch_size, generator):
    if generator is not None:
        order = _order(len(x), generator).to(x.device)
        x, y = x[order], y[order]  # one copy per epoch; in the given order, none at all
    return zip(x.split(batch_size), y.split(batch_size), strict=True)


def _require_matrix(x):
    if x.ndim != 2 or x.numel() == 0:
        raise ValueError(f"x must be a non-empty (N, D), got shape {tuple(x.shape)}")
    return x.shape


def _require_at_least_one(**counts):
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
