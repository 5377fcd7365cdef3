"""Units 01 and 02: hinge and cross-entropy with their gradients, and what they are for."""

import numpy as np

from grader.checking import (
    call,
    check,
    expect,
    expect_array,
    expect_choice,
    expect_fast,
    expect_gradient,
    expect_none_of,
    expect_number,
    expect_parts,
    plain,
    withholds,
)
from utils.reference import losses as reference
from utils.reference.activations import softmax


@check
def check_multiclass_hinge(fn, seed=0):
    """multiclass_hinge(scores, labels): (N, C) floats, (N,) integers -> (loss, dscores).

    Sum form with margin 1: mean over examples of the sum over wrong classes j of
    max(0, s_j - s_y + 1); dscores (N, C) is its gradient.
    """
    rng = np.random.default_rng(seed)

    # in many examples of many classes every mistake leaves a trace of its own
    scores, labels = smooth_hinge_case(rng, 7, 6)
    loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
    want, want_gradient = reference.multiclass_hinge(scores, labels)
    expect_none_of(plain(loss, "the loss", want), want, other_hinges(scores, labels))
    suspects = other_hinge_gradients(scores, labels)
    expect_none_of(plain(dscores, "dscores"), want_gradient, suspects)

    # y = 0: max(0, 1.5 - 2 + 1) + max(0, 4 - 2 + 1) = 0.5 + 3; both push, so -2 for the class y
    scores, labels = np.array([[2.0, 1.5, 4.0]]), np.array([0])
    loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
    what = "the scores (2, 1.5, 4) with the label 0"
    expect_array(loss, 3.5, f"the loss of {what}", other_hinges(scores, labels))
    by_hand = np.array([[-2.0, 1.0, 1.0]])
    expect_array(dscores, by_hand, f"dscores of {what}", other_hinge_gradients(scores, labels))

    for n, c in [(4, 3), (4, 3), (3, 3), (1, 5), (7, 2)]:
        scores, labels = smooth_hinge_case(rng, n, c)
        loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
        what = f"scores of shape {scores.shape}"
        want, _ = reference.multiclass_hinge(scores, labels)
        expect_array(loss, want, f"the loss of {what}", other_hinges(scores, labels))

        def loss_of(scores, labels=labels):
            return reference.multiclass_hinge(scores, labels)[0]

        suspects = other_hinge_gradients(scores, labels)
        expect_gradient(dscores, loss_of, scores, f"dscores for {what}", suspects)

    # everybody right by far: nothing to pay, nothing to change
    scores = 10 * np.eye(3)
    loss, dscores = expect_parts(call(fn, scores, np.arange(3)), "(loss, dscores)")
    expect_array(loss, 0.0, "the loss when every margin is kept")
    expect_array(dscores, np.zeros((3, 3)), "dscores when every margin is kept")

    loops = "right, but slow: scores[np.arange(N), labels] takes the correct ones all at once."
    for n, c in [(100, 20), (4000, 20), (20, 1000)]:  # small first, to be short with the slowest
        args = rng.normal(size=(n, c)), rng.integers(0, c, size=n)
        seconds = 0.006 if c == 1000 else 0.02  # where a loop over the classes shows
        expect_fast(fn, reference.multiclass_hinge, args, loops, seconds=seconds)


def smooth_hinge_case(rng, n, c):
    """Random scores whose margins all stay 0.01 away from the kink at 0."""
    while True:
        scores, labels = rng.normal(size=(n, c)), rng.integers(0, c, size=n)
        margins = scores - scores[np.arange(n), labels][:, None] + 1
        if np.abs(margins).min() > 0.01:
            return scores, labels


def other_hinges(scores, labels):
    """Losses with one part too many, missing, or different."""
    n, rows = len(scores), np.arange(len(scores))
    wrong = np.ones_like(scores)
    wrong[rows, labels] = 0
    apart = scores - scores[rows, labels][:, None]  # (N, C)
    hinge = np.maximum(apart + 1, 0)
    loss = (hinge * wrong).sum() / n
    return {
        "the sum over the examples is not divided by N.": loss * n,
        "the correct class counts too: skip it, or it adds the margin once per example.": loss + 1,
        "not divided by N, and the correct class counts too.": (loss + 1) * n,
        "the margin is missing: a wrong class costs until it is 1 below the correct one.": (
            (np.maximum(apart, 0) * wrong).sum() / n
        ),
        "this is the max form; the sum form adds up all the wrong classes.": (
            (hinge * wrong).max(axis=1).sum() / n
        ),
        "the hinge is squared; it should be straight.": (hinge**2 * wrong).sum() / n,
        "the correct and the wrong score are exchanged: s_j - s_y + 1.": (
            (np.maximum(1 - apart, 0) * wrong).sum() / n
        ),
        "[:, labels] takes whole columns; [np.arange(N), labels] takes one entry per row.": (
            np.delete(hinge, labels, axis=1).sum() / n
        ),
        "the margin is 2; it should be 1.": (np.maximum(apart + 2, 0) * wrong).sum() / n,
        "divided by the number of active terms; the mean is over the examples.": (
            (hinge * wrong).sum() / max((hinge * wrong > 0).sum(), 1)
        ),
        "each score is judged on its own (max(0, 1 - s_y), max(0, 1 + s_j)); compare s_j to s_y.": (
            np.maximum(1 + scores * (2 * wrong - 1), 0).sum() / n
        ),
        "half of it: no factor 1/2 was asked for.": loss / 2,
        "the margin has the wrong sign: s_j - s_y + 1.": (
            (np.maximum(apart - 1, 0) * wrong).sum() / n
        ),
        "negative terms are added too: max(0, ...) is missing.": ((apart + 1) * wrong).sum() / n,
        "divided by N times C; the mean is over the examples only.": loss / scores.shape[1],
        "divided by the wrong classes too; the mean is over the examples only.": (
            loss / max(scores.shape[1] - 1, 1)
        ),
        "this is one loss per example; return their mean.": (hinge * wrong).sum(axis=1),
    }


def other_hinge_gradients(scores, labels):
    """Gradients with one part forgotten."""
    n, rows = len(scores), np.arange(len(scores))
    apart = scores - scores[rows, labels][:, None]
    active = (apart + 1 > 0) * 1.0
    active[rows, labels] = 0
    counts = active.sum(axis=1)

    def with_correct(value, active=active):
        gradient = active.copy()
        gradient[rows, labels] = value
        return gradient

    right = with_correct(-counts)
    hardest = np.zeros_like(scores)
    hardest[rows, np.where(active, apart, -np.inf).argmax(axis=1)] = counts > 0
    hardest[rows, labels] -= counts > 0
    margins = np.maximum(apart + 1, 0)
    whole_columns = active.copy()
    whole_columns[:, labels] = -counts[:, None]
    return {
        "dscores: [:, labels] takes whole columns; [np.arange(N), labels] one entry per row.": (
            whole_columns / n
        ),
        "dscores forgets the correct class: raising its score lowers every active term.": (
            active / n
        ),
        "dscores is not divided by N, as the loss is.": right,
        "dscores has the wrong sign.": -right / n,
        "dscores of the correct class is -1; it occurs in every active term, so count them.": (
            with_correct(-1.0 * (counts > 0)) / n
        ),
        "dscores of the correct class is -1 even where no margin is broken; count the active.": (
            with_correct(-1.0) / n
        ),
        "dscores of the correct class has the wrong sign.": with_correct(counts) / n,
        "dscores counts the correct class as active: one too many.": with_correct(1 - counts) / n,
        "dscores takes the correct class off once more than there are active terms.": (
            with_correct(-counts - 1) / n
        ),
        "dscores pushes on the worst class only; in the sum form every active one counts.": (
            hardest / n
        ),
        "dscores holds the margins; the slope of an active term is 1.": (
            with_correct(-(margins * active).sum(axis=1), margins * active) / n
        ),
        "dscores pushes on classes that keep their margin too.": (
            with_correct(1.0 - scores.shape[1], np.ones_like(scores)) / n
        ),
        "dscores is divided by N times C; the loss is the mean over the examples only.": (
            right / scores.size
        ),
    }


@withholds("log_softmax", "log_sum_exp", "categorical_cross_entropy", "negative_log_likelihood")
@check
def check_softmax_cross_entropy(fn, seed=0):
    """softmax_cross_entropy(scores, labels): (N, C) floats, (N,) integers -> (loss, dscores).

    Mean over the examples of -log p_y in nats, for scores of any size; dscores (N, C) is its
    gradient.
    """
    rng = np.random.default_rng(seed)

    # in several examples of several classes every mistake leaves a trace of its own
    scores, labels = 2 * rng.normal(size=(7, 4)), rng.integers(0, 4, size=7)
    loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
    want, want_gradient = reference.softmax_cross_entropy(scores, labels)
    expect_none_of(plain(loss, "the loss", want), want, other_entropies(scores, labels))
    suspects = other_entropy_gradients(scores, labels)
    expect_none_of(plain(dscores, "dscores"), want_gradient, suspects)

    # exp(log 3) = 3 and exp(0) = 1: p = (3/4, 1/4), loss -log(1/4) = 1.386, p - onehot
    scores, labels = np.array([[np.log(3), 0.0]]), np.array([1])
    loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
    what = "the scores (log 3, 0) with the label 1"
    expect_array(loss, np.log(4), f"the loss of {what}", other_entropies(scores, labels))
    by_hand = np.array([[0.75, -0.75]])
    expect_array(dscores, by_hand, f"dscores of {what}", other_entropy_gradients(scores, labels))

    for n, c in [(5, 3), (5, 3), (3, 3), (1, 4), (6, 2)]:
        scores, labels = rng.normal(size=(n, c)), rng.integers(0, c, size=n)
        loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
        what = f"scores of shape {scores.shape}"
        want, _ = reference.softmax_cross_entropy(scores, labels)
        expect_array(loss, want, f"the loss of {what}", other_entropies(scores, labels))

        def loss_of(scores, labels=labels):
            return reference.softmax_cross_entropy(scores, labels)[0]

        suspects = other_entropy_gradients(scores, labels)
        expect_gradient(dscores, loss_of, scores, f"dscores for {what}", suspects)

    # exp(1000) is inf and exp(-1000) is 0, yet the losses are 0, 1000 and 1000, the mean 666.7
    scores = np.array([[1000.0, 0.0], [0.0, 1000.0], [-1000.0, 0.0]])
    labels = np.array([0, 0, 0])
    loss, dscores = expect_parts(call(fn, scores, labels), "(loss, dscores)")
    array = plain(loss, "the loss", like=0.0)
    expect(
        not (array.shape == () and np.isfinite(array) and array < 600),
        "log was kept from 0 by clipping or adding a little, so a huge loss looks small; take "
        "log p as s_y minus log-sum-exp instead.",
    )
    want, want_gradient = reference.softmax_cross_entropy(scores, labels)
    what = "the loss of scores as large as 1000 (shift the scores of each row, never take log of p)"
    expect_array(loss, want, what)
    what = "dscores of scores as large as 1000 (shift the scores of each row before exp)"
    expect_array(dscores, want_gradient, what)

    loops = "right, but slow: logp[np.arange(N), labels] picks from all rows at once."
    for n in (100, 5000):  # small first, to be short with the slowest
        args = rng.normal(size=(n, 10)), rng.integers(0, 10, size=n)
        expect_fast(fn, reference.softmax_cross_entropy, args, loops, seconds=0.02)


def other_entropies(scores, labels):
    """Losses with one part too many, missing, or different."""
    n, rows = len(scores), np.arange(len(scores))
    p = softmax(scores)
    loss = -np.log(p[rows, labels]).mean()
    return {
        "the sum over the examples is not divided by N.": loss * n,
        "divided by N times C; the mean is over the examples only.": loss / scores.shape[1],
        "the sign is turned around: a loss is minus the log of a probability.": -loss,
        "the logarithm has base 2, so these are bits; use the natural logarithm.": loss / np.log(2),
        "the logarithm has base 10; use the natural logarithm.": loss / np.log(10),
        "this is 1 - p_y; the loss is -log p_y.": (1 - p[rows, labels]).mean(),
        "this is -p_y; where is the logarithm?": -p[rows, labels].mean(),
        "this is p_y; the loss is -log p_y.": p[rows, labels].mean(),
        "log of the mean probability; take the mean of the logs.": -np.log(p[rows, labels].mean()),
        "this is the loss of the best class; take the probability of the label.": (
            -np.log(p.max(axis=1)).mean()
        ),
        "this is the mean log-sum-exp; the score of the label is to be subtracted.": (
            np.log(np.exp(scores).sum(axis=1)).mean()
        ),
        "this is minus the score of the label; the log-sum-exp is to be added.": (
            -scores[rows, labels].mean()
        ),
        "the shift is in the log-sum-exp only; the score of the label needs the same.": (
            loss - scores.max(axis=1).mean()
        ),
        "one sum over all rows; each example has its own.": (
            np.log(np.exp(scores).sum()) - scores[rows, labels].mean()
        ),
        "these are squared differences from the one-hot labels; the loss is -log p_y.": (
            ((p - np.eye(p.shape[1])[labels]) ** 2).sum() / n
        ),
        "each score went through a sigmoid of its own; take the softmax of the row.": (
            np.logaddexp(0, np.where(np.eye(p.shape[1])[labels] == 1, -scores, scores)).sum() / n
        ),
        "this is exp of the loss, the perplexity.": np.exp(loss),
        "all classes were counted; only the class of the label is.": -np.log(p).sum(axis=1).mean(),
        "the softmax ran over the examples; each row of scores is one example.": (
            -np.log(softmax(scores.T).T[rows, labels]).mean()
        ),
        "softmax was applied twice.": -np.log(softmax(p)[rows, labels]).mean(),
        "the other classes were counted as well (binary cross-entropies); only log p_y is.": (
            loss - np.log1p(-np.where(np.eye(p.shape[1])[labels] == 1, 0, p)).sum() / n
        ),
        "this is one loss per example; return their mean.": -np.log(p[rows, labels]),
        "[:, labels] takes whole columns; [np.arange(N), labels] takes one entry per row.": (
            -np.log(p[:, labels]).mean()
        ),
    }


def other_entropy_gradients(scores, labels):
    """Gradients with one part forgotten."""
    n, target = len(scores), np.eye(scores.shape[1])[labels]
    p = softmax(scores)
    columns = p.copy()
    columns[:, labels] -= 1
    return {
        "dscores is not divided by N, as the loss is.": p - target,
        "dscores has the wrong sign.": (target - p) / n,
        "dscores: [:, labels] takes whole columns; [np.arange(N), labels] one entry per row.": (
            columns / n
        ),
        "dscores is the probabilities; 1 is missing at the label.": p / n,
        "these are the probabilities; dscores also subtracts 1 at the label and divides by N.": p,
        "dscores is set only at the label; the other scores matter too.": (p - target) * target / n,
        "dscores holds the derivative by p; the chain goes on through the softmax.": (
            -target / p / n
        ),
        "dscores is divided by N times C; the loss is the mean over the examples only.": (
            (p - target) / scores.size
        ),
        "dscores has a factor p too many; the softmax is already taken into account.": (
            p * (p - target) / n
        ),
        "dscores is p (1 - p), the slope of a sigmoid; with the softmax less is left.": (
            p * (1 - p) / n
        ),
        "dscores starts from log p; it starts from p.": (np.log(p) - target) / n,
        "1 was added at the label; subtract it.": (p + target) / n,
        "1/N was applied before subtracting 1 at the label: both parts are divided.": (
            p / n - target
        ),
        "1 / N is missing at the probabilities; both parts are divided.": p - target / n,
    }


@check
def check_equal_scores_loss(answer, seed=0):
    """Ten classes, and the classifier gives all of them the same score. What is its softmax
    cross-entropy loss on one example, in nats? Answer with a number, to two decimals.
    """
    right, _ = reference.softmax_cross_entropy(np.zeros((1, 10)), np.array([0]))
    expect_number(
        answer,
        right,
        {
            "that is the probability of the label; the loss is minus its logarithm.": 0.1,
            "that is the logarithm with base 10; nats use the natural one.": 1.0,
            "that is in bits; nats use the natural logarithm.": np.log2(10),
            "the sign is turned around: a loss is not negative.": -right,
            "no preference is no knowledge: 0 would need a probability of 1 for the label.": 0.0,
            "that is 1 / p, how many classes it wavers between; where is the logarithm?": 10.0,
            "that is the hinge loss of equal scores; here it is -log p.": 9.0,
            "that is 1 - p; the loss is -log p.": 0.9,
            "that is the loss summed over ten examples; asked for is that of one.": 10 * right,
        },
        tolerance=0.006,
        what="minus the natural logarithm of the probability of the label",
    )


@check
def check_surrogate(answer, seed=0):
    """Why are the hinge or the logistic loss minimized and not the 0/1 loss itself?

    a) The 0/1 loss is flat almost everywhere: its gradient points nowhere.
    b) The 0/1 loss takes too long to compute.
    c) The surrogates are smaller than the 0/1 loss, so they are easier to bring down.
    d) The surrogates count the same mistakes, only with other units.
    """
    expect_choice(
        answer,
        right="a",
        wrong={
            "b": "counting mistakes is quick; what happens to the count if a weight moves a bit?",
            "c": "look at the figure again: the surrogates lie above the 0/1 loss, never below.",
            "d": "a surrogate also charges correct examples near the boundary; it counts more.",
        },
    )


@withholds("binary_cross_entropy", "binary_logistic")
@check
def check_binary_cross_entropy_with_logits(fn, seed=0):
    """binary_cross_entropy_with_logits(scores, targets): one shape, targets 0 to 1
    -> (loss, dscores).

    Mean over all entries of -(t log p + (1 - t) log(1 - p)), p = sigmoid(score), for scores of
    any size; dscores is its gradient.
    """
    rng = np.random.default_rng(seed)

    # in many entries, some targets between 0 and 1, every mistake leaves a trace of its own
    scores, targets = binary_case(rng, (7, 4))
    loss, dscores = expect_parts(call(fn, scores, targets), "(loss, dscores)")
    want, want_gradient = reference.binary_cross_entropy_with_logits(scores, targets)
    expect_none_of(plain(loss, "the loss", want), want, other_binaries(scores, targets))
    suspects = other_binary_gradients(scores, targets)
    expect_none_of(plain(dscores, "dscores"), want_gradient, suspects)

    # sigmoid(log 3) = 3/4: -log(3/4) = 0.288 for a yes, 3/4 - 1; sigmoid(0) = 1/2: log 2 for a no
    scores, targets = np.array([np.log(3), 0.0]), np.array([1.0, 0.0])
    loss, dscores = expect_parts(call(fn, scores, targets), "(loss, dscores)")
    what = "the scores (log 3, 0) with the targets (1, 0)"
    by_hand = (np.log(4 / 3) + np.log(2)) / 2
    expect_array(loss, by_hand, f"the loss of {what}", other_binaries(scores, targets))
    by_hand = np.array([-0.125, 0.25])
    expect_array(dscores, by_hand, f"dscores of {what}", other_binary_gradients(scores, targets))

    for shape in [(5,), (1,), (5, 3), (2, 3, 4)]:
        scores, targets = binary_case(rng, shape)
        if shape == (5,):
            targets = rng.integers(0, 2, size=5)
        loss, dscores = expect_parts(call(fn, scores, targets), "(loss, dscores)")
        what = f"scores of shape {shape}"
        want, _ = reference.binary_cross_entropy_with_logits(scores, targets)
        expect_array(loss, want, f"the loss of {what}", other_binaries(scores, targets))

        def loss_of(scores, targets=targets):
            return reference.binary_cross_entropy_with_logits(scores, targets)[0]

        suspects = other_binary_gradients(scores, targets)
        expect_gradient(dscores, loss_of, scores, f"dscores for {what}", suspects)

    # exp(1000) is inf; the losses are 0, 1000, 1000, 0, the mean is 500
    scores, targets = np.array([1000.0, 1000.0, -1000.0, -1000.0]), np.array([1.0, 0.0, 1.0, 0.0])
    loss, dscores = expect_parts(call(fn, scores, targets), "(loss, dscores)")
    array = plain(loss, "the loss", like=0.0)
    trouble = (
        "scores as large as 1000 give nan or inf: p becomes exactly 0 or 1, or exp overflows; "
        "take log p from the score itself, with exp of negative numbers only."
    )
    expect(array.shape != () or np.isfinite(array), trouble)
    clipped = (
        "log was kept from 0 by clipping or adding a little, so a huge loss looks small; take "
        "log p from the score itself instead."
    )
    expect(not (array.shape == () and array < 450), clipped)
    want, want_gradient = reference.binary_cross_entropy_with_logits(scores, targets)
    expect_array(loss, want, "the loss of scores as large as 1000")
    expect_array(dscores, want_gradient, "dscores of scores as large as 1000")

    loops = "right, but slow: every step can take all entries at once."
    for n in (100, 20_000):  # small first, to be short with the slowest
        args = binary_case(rng, (n,))
        expect_fast(fn, reference.binary_cross_entropy_with_logits, args, loops, seconds=0.02)


def binary_case(rng, shape):
    """Scores, and targets most of which are 0 or 1."""
    targets = np.clip(rng.uniform(-1, 2, size=shape), 0, 1)
    return 2 * rng.normal(size=shape), targets


def other_binaries(scores, targets):
    """Losses with one part too many, missing, or different."""
    s, t = scores, targets
    p = 1 / (1 + np.exp(-s))
    each = np.logaddexp(0, s) - t * s
    loss = each.mean()
    others = {
        "the sum is not divided by the number of entries.": each.sum(),
        "the sign is turned around: a loss is minus the log of a probability.": -loss,
        "the logarithm has base 2, so these are bits; use the natural logarithm.": loss / np.log(2),
        "only t log p is there; a no, with t = 0, costs -log(1 - p).": -(t * np.log(p)).mean(),
        "only (1 - t) log(1 - p) is there; a yes, with t = 1, costs -log p.": (
            -((1 - t) * np.log(1 - p)).mean()
        ),
        "the targets are exchanged: t belongs to log p, 1 - t to log(1 - p).": (
            np.logaddexp(0, s) - (1 - t) * s
        ).mean(),
        "1 - log p was taken for log(1 - p).": (
            -(t * np.log(p) + (1 - t) * (1 - np.log(p))).mean()
        ),
        "these are squared differences; the loss is -log p for a yes, -log(1 - p) for a no.": (
            ((p - t) ** 2).mean()
        ),
        "these are distances |p - t|; the loss is made of logarithms.": np.abs(p - t).mean(),
        "sigmoid was applied twice: the scores become probabilities once.": (
            np.logaddexp(0, p) - t * p
        ).mean(),
        "the sigmoid is missing: the scores are not probabilities.": (
            -(t * np.log(s) + (1 - t) * np.log(1 - s)).mean()
        ),
        "exp(s) was taken for the probability; it is 1 / (1 + exp(-s)).": (
            -(t * s + (1 - t) * np.log(1 - np.exp(s))).mean()
        ),
        "the score has the wrong sign in the sigmoid: p = 1 / (1 + exp(-s)).": (
            np.logaddexp(0, -s) + t * s
        ).mean(),
        "half of it: no factor 1/2 was asked for.": loss / 2,
        "right for targets 0 and 1 only; a target in between has a share in both logarithms.": (
            np.logaddexp(0, -s * (2 * t - 1)).mean()
        ),
        "the targets were rounded; one in between has a share in both logarithms.": (
            np.logaddexp(0, s) - (t > 0.5) * s
        ).mean(),
        "t s is missing: a yes and a no cost the same.": np.logaddexp(0, s).mean(),
        "this is one loss for each entry; return their mean.": each,
    }
    if s.ndim > 1:
        rows = s.size / len(s)
        others["summed over each example; the mean is over all entries."] = each.sum() / len(s)
        others["one loss for each example; return the mean of all."] = each.mean(axis=-1)
        others["divided once too often; the mean is over all entries."] = loss / rows
    return others


def other_binary_gradients(scores, targets):
    """Gradients with one part forgotten."""
    p = 1 / (1 + np.exp(-scores))
    right = p - targets
    return {
        "dscores is not divided by the number of entries, as the loss is.": right,
        "dscores has the wrong sign.": -right / right.size,
        "dscores is divided by the number of examples; the loss is a mean over all entries.": (
            right / len(right)
        ),
        "dscores is the probabilities; the targets are to be subtracted.": p / right.size,
        "dscores holds the derivative by p; the chain goes on through the sigmoid.": (
            right / (p * (1 - p)) / right.size
        ),
        "dscores has a factor p (1 - p) too many: it cancels.": right * p * (1 - p) / right.size,
        "dscores starts from the score; it starts from p.": (scores - targets) / right.size,
        "dscores has a factor 2; that is the squared error's.": 2 * right / right.size,
        "the targets are not divided by the number of entries.": p / right.size - targets,
        "the probabilities are not divided by the number of entries.": p - targets / right.size,
        "dscores forgets the entries with t = 0.": targets * (p - 1) / right.size,
    }


@check
def check_saturated_gradient(answer, seed=0):
    """A logistic neuron y = sigmoid(w x) has the input x = 1, the weight w = -5 and the target
    d = 1. How large is the derivative of the squared error (y - d)^2 / 2 by w? Answer with its
    absolute value, to four decimals.
    """
    y = 1 / (1 + np.exp(5.0))
    right = (1 - y) * y * (1 - y)
    expect_number(
        answer,
        right,
        {
            "that is the derivative of the cross-entropy; here the slope of the sigmoid is a "
            "factor.": 1 - y,
            "asked for is the absolute value, how large it is.": -right,
            "the 2 of the square and the 1/2 before it cancel.": 2 * right,
            "that is y (1 - y), the slope of the sigmoid; the error y - d is a factor too.": (
                y * (1 - y)
            ),
            "that is y itself, the output.": y,
            "that is the error itself, (y - d)^2 / 2; how does it change with w?": (1 - y) ** 2 / 2,
            "that is the square of the error; how does it change with w?": (1 - y) ** 2,
            "that is with w = 5, where the output is nearly the target.": y * y * (1 - y),
            "that is for w = 0, in the middle of the sigmoid.": 0.125,
            "nearly, and that is the point; but how large is it, to four decimals?": 0.0,
            "that is the ratio of cross-entropy's derivative to this one.": 1 / (y * (1 - y)),
            "w is a factor of the score; by w, the derivative has the factor x.": 5 * right,
        },
        tolerance=0.00002,
        what="the error y - d times the slope of the sigmoid times x, without the sign",
    )
