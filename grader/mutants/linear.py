"""Wrong answers on perceptrons, templates and training."""

import numpy as np

from grader.mutants import mutant


@mutant("perceptron_step", says="updates on a correct example")
def perceptron_always(w, b, x, y):
    """No condition."""
    return w + y * x, b + y


@mutant("perceptron_step", says="on the boundary")
def perceptron_strict(w, b, x, y):
    """< for <=: from w = 0 nothing ever happens."""
    if y * (w @ x + b) < 0:
        return w + y * x, b + y
    return w, b


@mutant("perceptron_step", says="sign of the update of w")
def perceptron_minus(w, b, x, y):
    """Away from the example."""
    if y * (w @ x + b) <= 0:
        return w - y * x, b + y
    return w, b


@mutant("perceptron_step", says="b is not")
def perceptron_no_bias(w, b, x, y):
    """The bias stays."""
    if y * (w @ x + b) <= 0:
        return w + y * x, b
    return w, b


@mutant("perceptron_step", says="it does nothing for an example on the wrong side")
def perceptron_score_without_b(w, b, x, y):
    """The bias is left out of the score."""
    if y * (w @ x) <= 0:
        return w + y * x, b + y
    return w, b


@mutant("perceptron_step", says="forgets y")
def perceptron_plus_x(w, b, x, y):
    """Every mistake pulls toward x."""
    if y * (w @ x + b) <= 0:
        return w + x, b + y
    return w, b


@mutant("perceptron_step", says="in place")
def perceptron_in_place(w, b, x, y):
    """+= changes the caller's w."""
    if y * (w @ x + b) <= 0:
        w += y * x
        b += y
    return w, b


@mutant("perceptron_step", says="it does nothing for an example on the wrong side")
def perceptron_inverted(w, b, x, y):
    """Learns from what it knows."""
    if y * (w @ x + b) > 0:
        return w + y * x, b + y
    return w, b


@mutant("perceptron_step", says="(w, b)")
def perceptron_w_only(w, b, x, y):
    """b is not returned."""
    if y * (w @ x + b) <= 0:
        return w + y * x
    return w


@mutant("perceptron_step", says="until the example is right")
def perceptron_until_right(w, b, x, y):
    """while for if."""
    while y * (w @ x + b) <= 0:
        w, b = w + y * x, b + y
    return w, b


@mutant("perceptron_step", says="no learning rate")
def perceptron_with_lr(w, b, x, y):
    """The habit from gradient descent."""
    if y * (w @ x + b) <= 0:
        return w + 0.1 * y * x, b + 0.1 * y
    return w, b


@mutant("perceptron_step", says="the old w is lost")
def perceptron_replaces(w, b, x, y):
    """The change in place of the changed."""
    if y * (w @ x + b) <= 0:
        return y * x, y
    return w, b


mutant("template_score", says="the bias is missing")(8.0)
mutant("template_score", says="second weight is negative")(49.5)
mutant("template_score", says="multiply weight by pixel first")(1.6 * 166 + 1.5)
mutant("template_score", says="the bias has the wrong sign")(6.5)
mutant("template_score", says="add it once")(12)
mutant("template_score", says="negative product was left out")(29.5)
mutant("template_score", says="without quotes")("nine")

mutant("updates_per_epoch", says="it counts")(15)
mutant("updates_per_epoch", says="whole number")(15.625)
mutant("updates_per_epoch", says="online learning")(1000)
mutant("updates_per_epoch", says="size of a batch")(64)
mutant("updates_per_epoch", says="full-batch")(1)


@mutant("softmax_classifier_torch", says="the gradients add up")
def classifier_never_cleared(x, y, n_classes, lr, epochs):
    """zero_grad forgotten."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        torch.nn.functional.cross_entropy(x @ w + b, y).backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
    return w.detach(), b.detach()


@mutant("softmax_classifier_torch", says="summed over the examples")
def classifier_sum(x, y, n_classes, lr, epochs):
    """Sum for mean."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        loss = torch.nn.functional.cross_entropy(x @ w + b, y, reduction="sum")
        dw, db = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            w -= lr * dw
            b -= lr * db
    return w.detach(), b.detach()


@mutant("softmax_classifier_torch", says="softmax is applied twice")
def classifier_two_softmaxes(x, y, n_classes, lr, epochs):
    """cross_entropy of probabilities."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        p = torch.softmax(x @ w + b, dim=1)
        dw, db = torch.autograd.grad(torch.nn.functional.cross_entropy(p, y), (w, b))
        with torch.no_grad():
            w -= lr * dw
            b -= lr * db
    return w.detach(), b.detach()


@mutant("softmax_classifier_torch", says="uphill")
def classifier_ascends(x, y, n_classes, lr, epochs):
    """+= for -=."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device)
    target = torch.nn.functional.one_hot(y, n_classes).to(x.dtype)
    for _ in range(epochs):
        dscores = (torch.softmax(x @ w + b, dim=1) - target) / len(x)
        w += lr * x.T @ dscores
        b += lr * dscores.sum(dim=0)
    return w, b


@mutant("softmax_classifier_torch", says="b is not")
def classifier_no_bias(x, y, n_classes, lr, epochs):
    """b stays 0."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device)
    target = torch.nn.functional.one_hot(y, n_classes).to(x.dtype)
    for _ in range(epochs):
        w -= lr * x.T @ (torch.softmax(x @ w + b, dim=1) - target) / len(x)
    return w, b


@mutant("softmax_classifier_torch", says="this is (C, D)")
def classifier_like_nn_linear(x, y, n_classes, lr, epochs):
    """torch.nn.Linear keeps its weight transposed."""
    import torch

    layer = torch.nn.Linear(x.shape[1], n_classes, dtype=x.dtype, device=x.device)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(layer.parameters(), lr=lr)
    for _ in range(epochs):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(layer(x), y).backward()
        optimizer.step()
    return layer.weight.detach(), layer.bias.detach()


@mutant("softmax_classifier_torch", says="like the inputs")
def classifier_default_dtype(x, y, n_classes, lr, epochs):
    """float32, whatever x is."""
    import torch

    w, b = torch.zeros(x.shape[1], n_classes), torch.zeros(n_classes)
    target = torch.nn.functional.one_hot(y, n_classes).float()
    for _ in range(epochs):
        dscores = (torch.softmax(x.float() @ w + b, dim=1) - target) / len(x)
        w -= lr * x.float().T @ dscores
        b -= lr * dscores.sum(dim=0)
    return w, b


@mutant("softmax_classifier_torch", says="one step too few")
def classifier_one_less(x, y, n_classes, lr, epochs):
    """range(1, epochs)."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device)
    target = torch.nn.functional.one_hot(y, n_classes).to(x.dtype)
    for _ in range(1, epochs):
        dscores = (torch.softmax(x @ w + b, dim=1) - target) / len(x)
        w -= lr * x.T @ dscores
        b -= lr * dscores.sum(dim=0)
    return w, b


@mutant("softmax_classifier_torch", says="w after one step")
def classifier_random_start(x, y, n_classes, lr, epochs):
    """Starts from random weights."""
    import torch

    w = torch.randn(x.shape[1], n_classes, dtype=x.dtype, device=x.device)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device)
    target = np.eye(n_classes)[y.cpu().numpy()]
    target = torch.tensor(target, dtype=x.dtype, device=x.device)
    for _ in range(epochs):
        dscores = (torch.softmax(x @ w + b, dim=1) - target) / len(x)
        w -= lr * x.T @ dscores
        b -= lr * dscores.sum(dim=0)
    return w, b


@mutant("softmax_classifier_torch", says="the gradient of b adds up")
def classifier_clears_w_only(x, y, n_classes, lr, epochs):
    """b.grad is never cleared."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        torch.nn.functional.cross_entropy(x @ w + b, y).backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad.zero_()
    return w.detach(), b.detach()


@mutant("softmax_classifier_torch", says="log-probabilities")
def classifier_nll_of_p(x, y, n_classes, lr, epochs):
    """nll_loss of probabilities."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        loss = torch.nn.functional.nll_loss(torch.softmax(x @ w + b, dim=1), y)
        dw, db = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            w -= lr * dw
            b -= lr * db
    return w.detach(), b.detach()


@mutant("softmax_classifier_torch", says="still requires a gradient")
def classifier_attached(x, y, n_classes, lr, epochs):
    """detach forgotten."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        dw, db = torch.autograd.grad(torch.nn.functional.cross_entropy(x @ w + b, y), (w, b))
        with torch.no_grad():
            w -= lr * dw
            b -= lr * db
    return w, b


@mutant("softmax_classifier_torch", says="inside the loop")
def classifier_returns_early(x, y, n_classes, lr, epochs):
    """return, one level too deep."""
    import torch

    w = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    b = torch.zeros(n_classes, dtype=x.dtype, device=x.device, requires_grad=True)
    for _ in range(epochs):
        dw, db = torch.autograd.grad(torch.nn.functional.cross_entropy(x @ w + b, y), (w, b))
        return (w - lr * dw).detach(), (b - lr * db).detach()
