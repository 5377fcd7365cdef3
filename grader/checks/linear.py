"""Unit 01: the perceptron, templates, and training a softmax classifier."""

import numpy as np

from grader.checking import (
    call,
    check,
    devices,
    expect,
    expect_array,
    expect_none_of,
    expect_number,
    expect_parts,
    is_tensor,
    plain,
    withholds,
)
from utils.reference.activations import softmax
from utils.reference.linear import linear_scores, perceptron_step, train_linear_classifier


@check
def check_perceptron_step(fn, seed=0):
    """perceptron_step(w, b, x, y): w (D,), b number, x (D,), y -1 or +1 -> (w, b), w a new array.

    Wrong side or on the boundary, y (w.x + b) <= 0: w + y x and b + y; else both as they were.
    """
    rng = np.random.default_rng(seed)
    w, x = np.array([1.0, -1.0]), np.array([2.0, 1.0])

    # the score is 2 - 1 - 3 = -2, so y = 1 is a mistake, which w.x alone would not show
    step_is_right(fn, w, -3.0, x, 1, "a mistake, w = (1, -1), b = -3, x = (2, 1), y = 1")
    # the score is 2 - 1 + 0.5 = 1.5, so y = -1 is a mistake: w - x = (-1, -2), b - 1 = -0.5
    step_is_right(fn, w, 0.5, x, -1, "a mistake, w = (1, -1), b = 0.5, x = (2, 1), y = -1")
    step_is_right(fn, w, 0.5, x, 1, "a correct example, w = (1, -1), b = 0.5, x = (2, 1), y = 1")
    zeros = np.zeros(2)
    step_is_right(fn, zeros, 0.0, x, 1, "the first step, from w = 0 and b = 0")
    step_is_right(fn, zeros, 0.0, x, -1, "the first step, from w = 0 and b = 0, with y = -1")
    step_is_right(fn, w, -1.0, x, 1, "a point on the boundary, where w.x + b = 0")
    far = "a mistake by far, w = (1, -1), b = -20, x = (2, 1), y = 1: one step, enough or not"
    step_is_right(fn, w, -20.0, x, 1, far)

    for d in (1, 3, 8):
        for _ in range(10):
            w, b, x = rng.normal(size=d), float(rng.normal()), rng.normal(size=d)
            y = int(rng.choice([-1, 1]))
            step_is_right(fn, w, b, x, y, f"a random example with {d} features")


def step_is_right(fn, w, b, x, y, what):
    """One call, with what people do instead when the step is called for, or when it is not."""
    got_w, got_b = expect_parts(call(fn, w, b, x, y), "(w, b)")
    want_w, want_b = perceptron_step(w, b, x, y)
    if want_b == b:
        updated = "it updates on a correct example; correct ones leave w and b alone."
        wrong_w = {updated: w + y * x, updated + " ": w - y * x}
        wrong_b = {updated: b + y}
    else:
        boundary = y * (w @ x + b) == 0
        where = "on the boundary (score 0)" if boundary else "on the wrong side"
        wrong_w = {
            f"it does nothing for an example {where}; that counts as a mistake too."
            if boundary
            else f"it does nothing for an example {where}: y (w.x + b) < 0.": w,
            "the update of w forgets y: a negative example pushes away.": w + x,
            "it moves away from the example: check the sign of the update of w.": w - y * x,
            "the update of w is twice too long: it is y x, with y = -1 or +1.": w + 2 * y * x,
            "w should move by y times x, not by y alone.": w + y,
            "the old w is lost: add y x to it.": y * x,
            "the step has another length: it is y x, with no learning rate.": w + 0.1 * y * x,
            "the step has another length: it is y x, not half of it.": w + 0.5 * y * x,
            "the step has another length: it is y x, and x keeps its own length.": (
                w + y * x / np.linalg.norm(x)
            ),
            "it steps until the example is right; make one step for each call.": (
                w + np.floor(-y * (w @ x + b) / (x @ x + 1) + 1) * y * x
            ),
        }
        wrong_b = {
            "w is updated and b is not: it is the weight of an input that is always 1.": b,
            "the update of b forgets y.": b + 1,
            "check the sign of the update of b.": b - y,
            "the old b is lost: add y to it.": y,
            "b should move by y alone; x belongs to the weights.": b + y * x.sum(),
        }
    expect_array(got_w, want_w, f"w after {what}", wrong_w)
    expect_array(got_b, want_b, f"b after {what}", wrong_b)


@check
def check_template_score(answer, seed=0):
    """The template of the class cat is w = (0.3, -0.2, 0.5, 1.0) with bias b = 1.5. What score
    does it give the image x = (40, 100, 20, 6)? Answer with a number.
    """
    w, b, x = np.array([0.3, -0.2, 0.5, 1.0]), 1.5, np.array([40.0, 100.0, 20.0, 6.0])
    right = linear_scores(x[None], w[:, None], np.array([b])).item()
    expect_number(
        answer,
        right,
        {
            "the bias is missing.": w @ x,
            "the bias has the wrong sign.": w @ x - b,
            "the second weight is negative: what does that do to its product?": abs(w) @ x + b,
            "multiply weight by pixel first, then add; sums do not multiply that way.": (
                w.sum() * x.sum() + b
            ),
            "a mean was taken; the score is a sum.": w @ x / 4 + b,
            "a negative product was left out; it counts against the class.": (
                np.maximum(w * x, 0).sum() + b
            ),
            "the bias was multiplied; add it once, at the end.": (w @ x) * b,
        },
        tolerance=0.01,
        what="the sum of the products of weight and pixel, plus the bias",
    )


@withholds("train_linear_classifier")
@check
def check_softmax_classifier_torch(fn, seed=0):
    """softmax_classifier_torch(x, y, n_classes, lr, epochs): tensors (N, D), (N,) -> (w, b),
    tensors (D, C), (C,) with dtype and device of x.

    Full-batch gradient descent on the mean softmax cross-entropy: w = 0 and b = 0, then in each
    of `epochs` steps minus lr times the gradient, for both.
    """
    import torch

    rng = np.random.default_rng(seed)

    # in a few steps on many examples every mistake leaves a trace of its own
    x, y = rng.normal(size=(20, 3)), rng.integers(0, 4, size=20)
    got = call(fn, torch.tensor(x), torch.tensor(y), 4, 0.3, 5)
    w, b, _ = train_linear_classifier(x, y, 4, lr=0.3, epochs=5)
    got_w, got_b = (plain(part, "w or b", torch.tensor(w)) for part in expect_parts(got, "(w, b)"))
    for sentence, (wrong_w, wrong_b) in other_trainings(x, y, 4, 0.3, 5).items():
        expect_none_of(got_w, w, {sentence: wrong_w})
        expect_none_of(got_b, b, {sentence: wrong_b})

    # one example x = (2), class 0 of 2: p = (1/2, 1/2), gradient (p - onehot) x = (-1, 1)
    one = np.array([[2.0]]), np.array([0])
    training_is_right(fn, *one, 2, 0.1, 1, "after one step of 0.1 for the one example x = 2")

    for device in devices():
        for dtype in (torch.float64, torch.float32):
            for n, d, n_classes, lr, epochs in [(12, 3, 4, 0.5, 1), (9, 2, 3, 0.2, 15)]:
                x, y = rng.normal(size=(n, d)), rng.integers(0, n_classes, size=n)
                what = f"after {epochs} steps on {n} examples"
                training_is_right(fn, x, y, n_classes, lr, epochs, what, dtype, device)


def training_is_right(fn, x, y, n_classes, lr, epochs, what, dtype=None, device="cpu"):
    """One training, compared with the hand-written gradients of the reference."""
    import torch

    w, b, _ = train_linear_classifier(x, y, n_classes, lr=lr, epochs=epochs)
    x, y = torch.tensor(x, dtype=dtype, device=device), torch.tensor(y, device=device)
    got_w, got_b = expect_parts(call(fn, x, y, n_classes, lr, epochs), "(w, b)")
    w, b = (torch.tensor(part, dtype=x.dtype, device=device) for part in (w, b))
    loose = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {}
    attached = "w or b still requires a gradient: return w.detach() and b.detach()."
    expect(not any(is_tensor(part) and part.requires_grad for part in (got_w, got_b)), attached)
    expect_array(got_w, w, f"w {what}", **loose)
    expect_array(got_b, b, f"b {what}", **loose)


def other_trainings(x, y, n_classes, lr, epochs):
    """Where gradient descent goes when one thing is wrong."""
    target, mean = np.eye(n_classes)[y], 1 / len(x)

    def descend(steps=epochs, lr=lr, scale=mean, train_b=1, add_w=0, add_b=0, outer=None):
        w, b = np.zeros((x.shape[1], n_classes)), np.zeros(n_classes)
        dw, db = np.zeros_like(w), np.zeros_like(b)
        for _ in range(steps):
            p = softmax(x @ w + b)
            dscores = (p - target) * scale
            if outer:  # the loss takes p for scores: its gradient, back through the inner softmax
                dp = outer(p) * scale
                dscores = p * (dp - (dp * p).sum(axis=1, keepdims=True))
            dw = add_w * dw + x.T @ dscores
            db = add_b * db + dscores.sum(axis=0)
            w, b = w - lr * dw, b - lr * db * train_b
        return w, b

    return {
        "the loss is summed over the examples; take the mean, or lr depends on N.": (
            descend(scale=1)
        ),
        "the loss is averaged over the classes too; average over the examples only.": (
            descend(scale=1 / target.size)
        ),
        "the gradients add up from step to step; autograd adds, so clear them.": (
            descend(add_w=1, add_b=1)
        ),
        "the gradient of b adds up from step to step; clear it as you do for w.": descend(add_b=1),
        "the gradient of w adds up from step to step; clear it as you do for b.": descend(add_w=1),
        "softmax is applied twice: cross_entropy takes scores, not probabilities.": (
            descend(outer=lambda p: softmax(p) - target)
        ),
        "nll_loss takes log-probabilities, not probabilities; or use cross_entropy.": (
            descend(outer=lambda p: -target)
        ),
        "squared differences to the one-hot labels were taken; take the cross-entropy.": (
            descend(outer=lambda p: 2 * (p - target) / n_classes)
        ),
        "the gradient of b is a sum over the examples (of dscores, with its 1/N), not a mean.": (
            descend(train_b=mean)
        ),
        "only one step was made: does return stand inside the loop?": descend(steps=1),
        "the steps have a momentum; each is lr times the gradient, nothing else.": (
            descend(add_w=0.9, add_b=0.9)
        ),
        "it goes uphill: subtract the gradient.": descend(lr=-lr),
        "lr is ignored: every step is lr times the gradient.": descend(lr=1),
        "w is trained and b is not.": descend(train_b=0),
        "one step too few.": descend(steps=epochs - 1),
        "one step too many.": descend(steps=epochs + 1),
        "w should be (D, C), so that x @ w gives the scores; this is (C, D).": (
            descend()[0].T,
            descend()[1],
        ),
    }


@check
def check_updates_per_epoch(answer, seed=0):
    """1000 training examples, mini-batches of 64, the last batch may be smaller. How many
    updates of the weights make one epoch? Answer with a number.
    """
    expect_number(
        answer,
        right=np.ceil(1000 / 64),
        wrong={
            "the examples left over at the end make a smaller batch; it counts.": 1000 // 64,
            "an update needs a batch: round to a whole number, and which way?": 1000 / 64,
            "that is online learning: an update after every example.": 1000,
            "that is the size of a batch; how many batches does it take to see everything?": 64,
            "one update per epoch is full-batch gradient descent.": 1,
            "an epoch sees every example once; that is more than once.": 64_000,
        },
        tolerance=0.01,
        what="the number of batches that it takes to see every example once",
    )
