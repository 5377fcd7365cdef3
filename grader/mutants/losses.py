"""Wrong answers on hinge and cross-entropies."""

import numpy as np

from grader.mutants import mutant


@mutant("multiclass_hinge", says="not divided by N")
def hinge_sum(scores, labels):
    """Missing 1/N in the loss."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return margins.sum(), dscores


@mutant("multiclass_hinge", says="dscores is not divided by N")
def hinge_gradient_sum(scores, labels):
    """Missing 1/N in the gradient only."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return margins.sum() / n, dscores


@mutant("multiclass_hinge", says="the margin is missing")
def hinge_without_margin(scores, labels):
    """max(0, s_j - s_y)."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None], 0)
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return margins.sum() / n, dscores / n


@mutant("multiclass_hinge", says="the correct class counts too")
def hinge_with_correct(scores, labels):
    """The correct class adds its margin of 1."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    loss = margins.sum() / n
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = 0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return loss, dscores / n


@mutant("multiclass_hinge", says="forgets the correct class")
def hinge_gradient_without_correct(scores, labels):
    """Only the wrong classes get a gradient."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    return margins.sum() / n, (margins > 0) / n


@mutant("multiclass_hinge", says="count them")
def hinge_gradient_minus_one(scores, labels):
    """-1 at the correct class, however many margins are broken."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -1.0 * (dscores.sum(axis=1) > 0)
    return margins.sum() / n, dscores / n


@mutant("multiclass_hinge", says="max form")
def hinge_max(scores, labels):
    """Only the worst class."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    dscores = np.zeros_like(scores)
    worst = margins.argmax(axis=1)
    broken = margins.max(axis=1) > 0
    dscores[np.arange(n), worst] += broken
    dscores[np.arange(n), labels] -= broken
    return margins.max(axis=1).mean(), dscores / n


@mutant("multiclass_hinge", says="(loss, dscores)")
def hinge_loss_only(scores, labels):
    """No gradient."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    return margins.sum() / n


@mutant("multiclass_hinge", says="in place")
def hinge_in_place(scores, labels):
    """Works on the caller's scores."""
    n = len(scores)
    scores -= scores[np.arange(n), labels][:, None] - 1
    scores[np.arange(n), labels] = 0
    margins = np.maximum(scores, 0)
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return margins.sum() / n, dscores / n


@mutant("multiclass_hinge", says="right, but slow")
def hinge_loops(scores, labels):
    """Example by example, class by class."""
    n, c = scores.shape
    loss, dscores = 0.0, np.zeros((n, c))
    for i in range(n):
        for j in range(c):
            margin = scores[i, j] - scores[i, labels[i]] + 1
            if j != labels[i] and margin > 0:
                loss += margin / n
                dscores[i, j] += 1 / n
                dscores[i, labels[i]] -= 1 / n
    return loss, dscores


@mutant("multiclass_hinge", says="number of active terms")
def hinge_mean_of_active(scores, labels):
    """Averages over what is left of max(0, ...)."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[np.arange(n), labels] = 0
    active = max((margins > 0).sum(), 1)
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return margins.sum() / active, dscores / active


@mutant("multiclass_hinge", says="[:, labels] takes whole columns")
def hinge_clears_columns(scores, labels):
    """[:, labels] where a pair of indices was meant."""
    n = len(scores)
    margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
    margins[:, labels] = 0
    dscores = (margins > 0) * 1.0
    dscores[np.arange(n), labels] = -dscores.sum(axis=1)
    return margins.sum() / n, dscores / n


@mutant("multiclass_hinge", says="right, but slow")
def hinge_loop_over_classes(scores, labels):
    """No loop over the examples, and one over the classes."""
    n, c = scores.shape
    rows = np.arange(n)
    loss, dscores = 0.0, np.zeros((n, c))
    for j in range(c):
        margins = np.maximum(scores[:, j] - scores[rows, labels] + 1, 0) * (labels != j)
        loss += margins.sum() / n
        dscores[:, j] += (margins > 0) / n
        dscores[rows, labels] -= (margins > 0) / n
    return loss, dscores


@mutant("multiclass_hinge", says="right, but slow")
def hinge_gradient_by_differences(scores, labels):
    """The gradient by differences: one loss for each of the scores."""
    n = len(scores)

    def loss(scores):
        margins = np.maximum(scores - scores[np.arange(n), labels][:, None] + 1, 0)
        return margins.sum() / n - 1

    dscores = np.zeros_like(scores)
    for index in np.ndindex(scores.shape):
        up, down = scores.copy(), scores.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        dscores[index] = (loss(up) - loss(down)) / 2e-5
    return loss(scores), dscores


@mutant("softmax_cross_entropy", says="not divided by N")
def entropy_sum(scores, labels):
    """Missing 1/N in the loss."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dscores = np.exp(logp)
    dscores[np.arange(len(scores)), labels] -= 1
    return -logp[np.arange(len(scores)), labels].sum(), dscores


@mutant("softmax_cross_entropy", says="dscores is not divided by N")
def entropy_gradient_sum(scores, labels):
    """Missing 1/N in the gradient only."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dscores = np.exp(logp)
    dscores[np.arange(len(scores)), labels] -= 1
    return -logp[np.arange(len(scores)), labels].mean(), dscores


@mutant("softmax_cross_entropy", says="shift the scores")
def entropy_unshifted(scores, labels):
    """exp without the shift."""
    n = len(scores)
    e = np.exp(scores)
    p = e / e.sum(axis=1, keepdims=True)
    dscores = p.copy()
    dscores[np.arange(n), labels] -= 1
    return -np.log(p[np.arange(n), labels]).mean(), dscores / n


@mutant("softmax_cross_entropy", says="never take log of p")
def entropy_log_of_p(scores, labels):
    """The probability underflows to 0, its logarithm is -inf."""
    n = len(scores)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    dscores = p.copy()
    dscores[np.arange(n), labels] -= 1
    return -np.log(p[np.arange(n), labels]).mean(), dscores / n


@mutant("softmax_cross_entropy", says="clipping or adding a little")
def entropy_clipped(scores, labels):
    """log(p + 1e-12)."""
    n = len(scores)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    dscores = p.copy()
    dscores[np.arange(n), labels] -= 1
    return -np.log(p[np.arange(n), labels] + 1e-12).mean(), dscores / n


@mutant("softmax_cross_entropy", says="minus the log")
def entropy_sign(scores, labels):
    """A negative loss."""
    n = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dscores = np.exp(logp)
    dscores[np.arange(n), labels] -= 1
    return logp[np.arange(n), labels].mean(), dscores / n


@mutant("softmax_cross_entropy", says="1 is missing at the label")
def entropy_gradient_p(scores, labels):
    """The one-hot part of the gradient forgotten."""
    n = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logp[np.arange(n), labels].mean(), np.exp(logp) / n


@mutant("softmax_cross_entropy", says="[:, labels] takes whole columns")
def entropy_of_columns(scores, labels):
    """[:, labels] where a pair of indices was meant."""
    n = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dscores = np.exp(logp)
    dscores[:, labels] -= 1
    return -logp[:, labels].mean(), dscores / n


@mutant("softmax_cross_entropy", says="bits")
def entropy_bits(scores, labels):
    """log2."""
    n = len(scores)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    dscores = p.copy()
    dscores[np.arange(n), labels] -= 1
    return -np.log2(p[np.arange(n), labels]).mean(), dscores / n


@mutant("softmax_cross_entropy", says="one loss per example")
def entropy_per_example(scores, labels):
    """Not averaged."""
    n = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dscores = np.exp(logp)
    dscores[np.arange(n), labels] -= 1
    return -logp[np.arange(n), labels], dscores / n


@mutant("softmax_cross_entropy", says="score of the label needs the same")
def entropy_half_shifted(scores, labels):
    """Shifted scores in the sum, unshifted ones for the label."""
    n = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    dscores = np.exp(shifted - log_sum[:, None])
    dscores[np.arange(n), labels] -= 1
    return (log_sum - scores[np.arange(n), labels]).mean(), dscores / n


@mutant("softmax_cross_entropy", says="a sigmoid of its own")
def entropy_binary(scores, labels):
    """Binary cross-entropies, one for each class."""
    n = len(scores)
    target = np.eye(scores.shape[1])[labels]
    p = 1 / (1 + np.exp(-scores))
    loss = -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum() / n
    return loss, (p - target) / n


@mutant("softmax_cross_entropy", says="a factor p too many")
def entropy_gradient_twice_through(scores, labels):
    """p - onehot is the gradient by the scores already."""
    n = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(logp)
    dscores = p * (p - np.eye(scores.shape[1])[labels])
    return -logp[np.arange(n), labels].mean(), dscores / n


mutant("equal_scores_loss", says="probability of the label; the loss")(0.1)
mutant("equal_scores_loss", says="base 10")(1)
mutant("equal_scores_loss", says="bits")(3.32)
mutant("equal_scores_loss", says="sign")(-2.3)
mutant("equal_scores_loss", says="no knowledge")(0)
mutant("equal_scores_loss", says="where is the logarithm")(10)

mutant("surrogate", says="counting mistakes is quick")("b")
mutant("surrogate", says="never below")("c")
mutant("surrogate", says="near the boundary")("d")


@mutant("binary_cross_entropy_with_logits", says="give nan or inf")
def binary_log_of_p(scores, targets):
    """The formula as it stands."""
    p = 1 / (1 + np.exp(-scores))
    loss = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()
    return loss, (p - targets) / scores.size


@mutant("binary_cross_entropy_with_logits", says="clipping or adding a little")
def binary_clipped(scores, targets):
    """Probabilities kept away from 0 and 1."""
    p = np.clip(1 / (1 + np.exp(-scores)), 1e-12, 1 - 1e-12)
    loss = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()
    return loss, (p - targets) / scores.size


@mutant("binary_cross_entropy_with_logits", says="give nan or inf")
def binary_log_of_exp(scores, targets):
    """Without a sigmoid, and with exp of large scores."""
    loss = (np.log(1 + np.exp(scores)) - targets * scores).mean()
    return loss, (1 / (1 + np.exp(-scores)) - targets) / scores.size


@mutant("binary_cross_entropy_with_logits", says="the sum is not divided")
def binary_sum(scores, targets):
    """sum for mean."""
    each = np.logaddexp(0, scores) - targets * scores
    return each.sum(), 1 / (1 + np.exp(-scores)) - targets


@mutant("binary_cross_entropy_with_logits", says="dscores is not divided")
def binary_gradient_sum(scores, targets):
    """Missing 1/size in the gradient only."""
    each = np.logaddexp(0, scores) - targets * scores
    return each.mean(), 1 / (1 + np.exp(-scores)) - targets


@mutant("binary_cross_entropy_with_logits", says="number of examples")
def binary_gradient_by_rows(scores, targets):
    """len(scores) for scores.size."""
    each = np.logaddexp(0, scores) - targets * scores
    return each.mean(), (1 / (1 + np.exp(-scores)) - targets) / len(scores)


@mutant("binary_cross_entropy_with_logits", says="a no, with t = 0")
def binary_yes_only(scores, targets):
    """Half of the formula."""
    p = 1 / (1 + np.exp(-scores))
    return (targets * np.logaddexp(0, -scores)).mean(), (p - targets) / scores.size


@mutant("binary_cross_entropy_with_logits", says="targets are exchanged")
def binary_exchanged(scores, targets):
    """t at the wrong logarithm."""
    p = 1 / (1 + np.exp(-scores))
    loss = (targets * np.logaddexp(0, scores) + (1 - targets) * np.logaddexp(0, -scores)).mean()
    return loss, (p - targets) / scores.size


@mutant("binary_cross_entropy_with_logits", says="derivative by p")
def binary_gradient_by_p(scores, targets):
    """Stops before the sigmoid."""
    p = 1 / (1 + np.exp(-scores))
    loss = (np.logaddexp(0, scores) - targets * scores).mean()
    return loss, (p - targets) / (p * (1 - p)) / scores.size


@mutant("binary_cross_entropy_with_logits", says="right, but slow")
def binary_loop(scores, targets):
    """Entry by entry."""
    loss, dscores = 0.0, np.zeros(scores.shape)
    for i in np.ndindex(scores.shape):
        loss += np.logaddexp(0, scores[i]) - targets[i] * scores[i]
        dscores[i] = 1 / (1 + np.exp(-scores[i])) - targets[i]
    return loss / scores.size, dscores / scores.size


mutant("saturated_gradient", says="derivative of the cross-entropy")(0.9933)
mutant("saturated_gradient", says="absolute value")(-0.0066)
mutant("saturated_gradient", says="cancel")(0.0132)
mutant("saturated_gradient", says="slope of the sigmoid; the error")(0.00665)
mutant("saturated_gradient", says="the output")(0.0067)
