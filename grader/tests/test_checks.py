"""Every check accepts what is right, refuses what is wrong, and says what is wrong with it."""

import itertools
import math
import sys
import time
import types
import typing

import numpy as np
import pytest
import scipy.spatial
import scipy.special

from grader import progress
from grader.checking import CheckFailed
from grader.checks import checks
from grader.mutants import mutants
from utils.reference import (
    activations,
    autodiff,
    gradient_check,
    linear,
    losses,
    mlp,
    neighbors,
    preparation,
    validation,
)

CHECKS = checks()
MUTANTS = [mutant for several in mutants().values() for mutant in several]


def outer_sum(a, b):
    return a[:, None] + b


def knn_predict_torch(x_train, y_train, x, k):
    from utils.gpu.neighbors import knn_predict

    return knn_predict(x_train, y_train, x, k)


def softmax_classifier_torch(x, y, n_classes, lr, epochs):
    from utils.gpu.linear import train_linear_classifier

    w, b, _ = train_linear_classifier(x, y, n_classes, lr=lr, epochs=epochs)
    return w, b


def mlp_gradients_torch(x, y, parameters):
    import torch

    from utils.gpu.mlp import mlp_loss

    flat = [part.detach().clone().requires_grad_() for pair in parameters for part in pair]
    loss = mlp_loss(x, y, list(zip(flat[::2], flat[1::2], strict=True)))
    gradients = torch.autograd.grad(loss, flat)
    return loss, list(zip(gradients[::2], gradients[1::2], strict=True))


def train_mlp(x, y, sizes, epochs, rng):
    parameters = mlp.mlp_init(sizes, rng)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for batch in np.split(order, range(32, len(x), 32)):
            _, gradients = mlp.mlp_loss(x[batch], y[batch], parameters)
            parameters = [
                (w - 0.2 * dw, b - 0.2 * db)
                for (w, b), (dw, db) in zip(parameters, gradients, strict=True)
            ]
    return parameters


def neuron(x, w, b):
    return activations.step(x @ w + b)


def majority_weights(n):
    return np.ones(n), -n / 2


def xor_network():
    w1 = np.array([[2.0, -2.0], [2.0, -2.0]])
    return w1, np.array([-1.0, 3.0]), np.ones((2, 1)), np.array([-2.0])


def boolean_network(table):
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    return 2.0 * bits.T - 1, 0.5 - bits.sum(axis=1), np.ones((len(rows), 1)), np.array([-0.5])


def relu_approximation(targets, knots):
    w2 = np.diff(np.diff(targets) / np.diff(knots), prepend=0)
    return np.ones((1, len(w2))), -knots[:-1], w2[:, None], targets[:1]


RIGHT = {
    "center_columns": lambda x: preparation.center(x, x),
    "outer_sum": outer_sum,
    "broadcast_shape": (8, 7, 6),
    "l2_distances_two_loops": neighbors.l2_distances_two_loops,
    "l2_distances_one_loop": neighbors.l2_distances_one_loop,
    "l2_distances": neighbors.l2_distances,
    "knn_predict": neighbors.knn_predict,
    "knn_predict_torch": knn_predict_torch,
    "knn_cost": "c",
    "k_fold": validation.k_fold,
    "which_error": "b",
    "test_set_uses": "d",
    "perceptron_step": linear.perceptron_step,
    "template_score": 9.5,
    "softmax_classifier_torch": softmax_classifier_torch,
    "updates_per_epoch": 16,
    "multiclass_hinge": losses.multiclass_hinge,
    "softmax_cross_entropy": losses.softmax_cross_entropy,
    "equal_scores_loss": 2.3,
    "surrogate": "a",
    "softmax": activations.softmax,
    "numeric_gradient": gradient_check.numeric_gradient,
    "gradcheck_subset": "c",
    "standardize": preparation.standardize,
    "whiten": preparation.whiten,
    "scaling_leak": "b",
    "neuron": neuron,
    "majority_weights": majority_weights,
    "xor_network": xor_network,
    "boolean_network": boolean_network,
    "relu_approximation": relu_approximation,
    "box_half_spaces": 10,
    "parity_units": "b",
    "why_depth": "c",
    "elu": activations.elu,
    "elu_backward": activations.elu_backward,
    "dead_unit": "b",
    "binary_cross_entropy_with_logits": losses.binary_cross_entropy_with_logits,
    "saturated_gradient": 0.0066,
    "affine_forward": mlp.affine_forward,
    "affine_backward": mlp.affine_backward,
    "mlp_loss": mlp.mlp_loss,
    "mlp_gradients_torch": mlp_gradients_torch,
    "mlp_parameters": 41,
    "Value": autodiff.Value,
    "backprop_cost": "c",
    "train_mlp": train_mlp,
    "overfit_first": "b",
    "silenced_units": "d",
}
FUNCTIONS = [exercise for exercise, answer in RIGHT.items() if callable(answer)]
QUESTIONS = [exercise for exercise in RIGHT if exercise not in FUNCTIONS]


def one_hot_hinge(scores, labels):
    target = np.eye(scores.shape[1])[labels]
    correct = (scores * target).sum(axis=1, keepdims=True)
    margins = np.maximum(scores - correct + 1, 0) * (1 - target)
    active = np.sign(margins)
    dscores = active - target * active.sum(axis=1, keepdims=True)
    return margins.sum(axis=1).mean(), dscores / len(scores)


def log_sum_exp_entropy(scores, labels):
    log_sum = scipy.special.logsumexp(scores, axis=1)
    dscores = np.exp(scores - log_sum[:, None]) - np.eye(scores.shape[1])[labels]
    return [(log_sum - scores[np.arange(len(scores)), labels]).mean(), dscores / len(scores)]


def recursive_gradient(f, x, step=1e-6):
    if x.size == 1:
        return np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step))

    def part(i):
        def f_of_part(value):
            return f(np.concatenate([x[:i], value[None], x[i + 1 :]]))

        return recursive_gradient(f_of_part, np.asarray(x[i]), step)

    return np.stack([part(i) for i in range(len(x))])


def whiten_by_svd(x_train, x, eps=1e-5):
    mean = x_train.mean(axis=0)
    _, singular, axes = np.linalg.svd(x_train - mean, full_matrices=False)
    return -(x - mean) @ axes.T / np.sqrt(singular**2 / len(x_train) + eps)


def standardize_only_where_it_varies(x_train, x):
    scaled = np.zeros(x.shape)
    np.divide(x - x_train.mean(0), x_train.std(0), out=scaled, where=x_train.std(0) > 0)
    return scaled


def strided_folds(n, k, rng):
    order = rng.permutation(n).astype(np.int32)
    return tuple([np.setdiff1d(order, order[i::k]), order[i::k]] for i in range(k))


def factor_step(w, b, x, y):
    move = y * np.heaviside(-y * (np.einsum("d,d", w, x) + b), 1)
    return w + move * x, b + move


def threshold_by_weights(x, w, b):
    ones = np.hstack([x, np.ones((len(x), 1))])
    return np.sign(np.sign(ones @ np.append(w, b)) + 1).astype(np.int8)


def xor_by_or_and_nand():
    w1, b1 = np.array([[1, -1], [1, -1]], dtype=np.int8), np.array([-1, 1])
    return [w1, b1, np.array([1, 1]), -2]


def boolean_network_by_counting(table):
    """Neuron k fires from row k on; the output adds up where the table changes."""
    n = len(table).bit_length() - 1
    place_values = 2.0 ** np.arange(n)[::-1]
    w1 = np.repeat(place_values[:, None], len(table), axis=1)
    return w1, -np.arange(len(table)) + 0.0, np.diff(table, prepend=0)[:, None] * 1.0, -1.0


def relu_approximation_by_least_squares(targets, knots):
    hidden = np.maximum(knots[:, None] - knots[:-1], 0)
    w2, *_ = np.linalg.lstsq(hidden, targets - targets[0], rcond=None)
    return 2 * np.ones((1, len(w2))), -2 * knots[:-1], w2 / 2, targets[0]


def binary_by_log_expit(scores, targets):
    log_p, log_q = scipy.special.log_expit(scores), scipy.special.log_expit(-scores)
    dscores = ((1 + np.tanh(scores / 2)) / 2 - targets) / scores.size
    return [float(-np.average(targets * log_p + (1 - targets) * log_q)), dscores]


def affine_forward_by_tensordot(x, w, b):
    return [np.tensordot(x, w, 1) + b, [x.copy(), w]]


def affine_backward_by_einsum(dout, cache):
    x, w = cache
    rows, outs = x.reshape(-1, len(w)), dout.reshape(-1, w.shape[1])
    dx = np.einsum("...c,dc->...d", dout, w)
    return [dx, np.einsum("nd,nc->dc", rows, outs), np.ones(len(outs)) @ outs]


def mlp_loss_by_recursion(x, y, parameters):
    def down(h, layers):
        """(loss, gradient by h, gradients of these layers)"""
        (w, b), *rest = layers
        a = h @ w + b
        if rest:
            loss, dh, gradients = down(np.where(a > 0, a, 0), rest)
            da = np.where(a > 0, dh, 0)
        else:
            log_p = scipy.special.log_softmax(a, axis=1)
            target = np.eye(a.shape[1])[y]
            loss, da, gradients = -(log_p * target).sum() / len(x), np.exp(log_p) - target, ()
            da /= len(x)
        return loss, da @ w.T, ([h.T @ da, da.sum(axis=0)], *gradients)

    loss, _, gradients = down(x, parameters)
    return [float(loss), gradients]


def torch_gradients_in_place(x, y, parameters):
    """By backward() on the very tensors that came."""
    import torch

    h = x
    for w, b in parameters:
        last = w is parameters[-1][0]
        a = h @ w.requires_grad_() + b.requires_grad_()
        h = a if last else a.clamp(min=0)
    loss = (torch.logsumexp(h, 1) - h.gather(1, y[:, None])[:, 0]).mean()
    loss.backward()
    return loss.item(), tuple([w.grad, b.grad] for w, b in parameters)


class TapeValue:
    """Values in the order of their making, read backwards; no walk at all."""

    tape: typing.ClassVar = []
    __slots__ = ("data", "grad", "ways")

    def __init__(self, data, *ways):
        self.data, self.grad, self.ways = np.float64(data), np.float64(0), ways
        self.tape.append(self)

    def of(self, x):
        return x if type(x) is TapeValue else TapeValue(x)

    def __add__(self, other):
        other = self.of(other)
        return TapeValue(self.data + other.data, (self, 1), (other, 1))

    def __mul__(self, other):
        other = self.of(other)
        return TapeValue(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other):
        return self + self.of(other) * -1

    def __rsub__(self, other):
        return self.of(other) - self

    def __pow__(self, n):
        return TapeValue(self.data ** float(n), (self, n * self.data ** (n - 1.0)))

    def __truediv__(self, other):
        return self * self.of(other) ** -1

    def __rtruediv__(self, other):
        return self.of(other) / self

    def relu(self):
        return TapeValue(np.maximum(self.data, 0), (self, np.heaviside(self.data, 0)))

    def exp(self):
        return TapeValue(np.exp(self.data), (self, np.exp(self.data)))

    def log(self):
        return TapeValue(np.log(self.data), (self, 1 / self.data))

    def backward(self):
        for value in self.tape:
            value.grad = np.float64(value is self)
        for value in reversed(self.tape):
            for origin, slope in value.ways:
                origin.grad += slope * value.grad
        return self


def train_mlp_with_momentum(x, y, sizes, epochs, rng):
    """Batches drawn with replacement, uniform weights, float32 out."""
    flat = []
    for n_in, n_out in itertools.pairwise(sizes):
        flat += [rng.uniform(-1, 1, size=(n_in, n_out)) / np.sqrt(n_in), np.full(n_out, 0.1)]
    speed = [0 * part for part in flat]
    for _ in range(epochs * -(-len(x) // 20)):
        batch = rng.integers(0, len(x), size=20)
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        _, gradients = mlp.mlp_loss(x[batch], y[batch], pairs)
        for part, v, slope in zip(flat, speed, itertools.chain(*gradients), strict=True):
            v *= 0.8
            v -= 0.05 * slope
            part += v
    flat = [part.astype(np.float32) for part in flat]
    return tuple([w, b] for w, b in zip(flat[::2], flat[1::2], strict=True))


UNUSUAL = {  # right, and written in another way than most would
    "center_columns": lambda x: x - np.einsum("nd->d", x) / len(x),
    "outer_sum": lambda a, b: a.repeat_interleave(len(b)).view(len(a), -1) + b,
    "l2_distances_two_loops": lambda a, b: np.array([[math.dist(p, q) for q in b] for p in a]),
    "l2_distances_one_loop": lambda a, b: np.stack(
        [np.linalg.norm(b - p, axis=1) for p in 1.0 * a]
    ),
    "l2_distances": scipy.spatial.distance.cdist,
    "knn_predict": lambda x_train, y_train, x, k: neighbors.knn_predict(
        x_train, y_train, x, k
    ).astype(np.uint8),
    "k_fold": strided_folds,
    "perceptron_step": factor_step,
    "multiclass_hinge": one_hot_hinge,
    "softmax_cross_entropy": log_sum_exp_entropy,
    "softmax": lambda scores: scipy.special.softmax(scores, axis=-1).astype(np.float32),
    "numeric_gradient": recursive_gradient,
    "standardize": standardize_only_where_it_varies,
    "whiten": whiten_by_svd,
    "neuron": threshold_by_weights,
    "majority_weights": lambda n: [np.full(n, 1 / n, dtype=np.float32), np.array([-0.5])],
    "xor_network": xor_by_or_and_nand,
    "boolean_network": boolean_network_by_counting,
    "relu_approximation": relu_approximation_by_least_squares,
    "elu": lambda x, alpha=1.0: np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0)),
    "elu_backward": lambda dout, x, alpha=1.0: np.where(x > 0, 1, alpha * np.exp(x)) * dout,
    "binary_cross_entropy_with_logits": binary_by_log_expit,
    "affine_forward": affine_forward_by_tensordot,
    "affine_backward": affine_backward_by_einsum,
    "mlp_loss": mlp_loss_by_recursion,
    "mlp_gradients_torch": torch_gradients_in_place,
    "Value": TapeValue,
    "train_mlp": train_mlp_with_momentum,
}


def refusal(exercise, answer, seed=0, tries=1):
    """What the check says of a wrong answer."""
    for _ in range(tries):
        try:
            CHECKS[exercise](answer, seed)
        except CheckFailed as failure:
            return str(failure)
    raise AssertionError(f"the wrong answer passed as {exercise}")


def test_every_check_has_a_right_answer_here():
    assert CHECKS.keys() == RIGHT.keys() == mutants().keys()


@pytest.mark.parametrize("exercise", RIGHT)
def test_is_the_right_answer_accepted(exercise, capfd):
    """Under every seed, in a second, with one line and nothing on stderr?"""
    for seed in (0, 1, 2, 3, 2**31 + 7):
        start = time.process_time()
        assert CHECKS[exercise](RIGHT[exercise], seed) is None
        seconds = time.process_time() - start
        assert capfd.readouterr() == (f"✓ {exercise}: all checks passed.\n", "")
    assert seconds < 1  # the last time: the first one imports torch
    assert progress.load()[exercise]["passed"]
    assert progress.load()[exercise]["tries"] == 5


@pytest.mark.parametrize("exercise", UNUSUAL)
def test_is_an_unusual_right_answer_accepted(exercise):
    for seed in (0, 1, 2):
        CHECKS[exercise](UNUSUAL[exercise], seed)


@pytest.mark.parametrize("wrong", MUTANTS, ids=lambda mutant: f"{mutant.exercise}-{mutant.name}")
def test_is_the_mistake_named(wrong, capfd):
    """Always, but for slowness: on a busy machine the clock is lenient, so it has three tries."""
    tries = 3 if "slow" in wrong.says or "loop" in wrong.says else 1
    for seed in (0, 1, 2**31 + 7):
        start = time.process_time()
        message = refusal(wrong.exercise, wrong.wrong, seed, tries)
        assert wrong.says in message, message
        assert message.startswith(f"{wrong.exercise}: ")
        seconds = time.process_time() - start
    assert seconds < tries
    assert capfd.readouterr().err == ""
    assert tries > 1 or not progress.load()[wrong.exercise]["passed"]


@pytest.mark.parametrize("exercise", RIGHT)
def test_are_there_enough_mutants(exercise):
    assert len(mutants()[exercise]) >= 3


@pytest.mark.parametrize("exercise", FUNCTIONS)
def test_can_a_mutant_be_handed_in(exercise):
    """As a student's code it may use np, and what it imports itself."""

    def names(code):
        inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
        return set(code.co_names).union(*map(names, inner))

    for wrong in mutants()[exercise]:
        parts = vars(wrong.wrong).values() if isinstance(wrong.wrong, type) else [wrong.wrong]
        assert wrong.wrong.__doc__
        for function in (part for part in parts if isinstance(part, types.FunctionType)):
            assert function.__closure__ is None
            own = names(function.__code__) & vars(sys.modules[function.__module__]).keys()
            assert own <= {"np"}, own


def not_written(*args):
    raise NotImplementedError


@pytest.mark.parametrize("exercise", FUNCTIONS)
@pytest.mark.parametrize(
    "answer, says",
    [
        (not_written, "not written yet"),
        (None, "not defined yet"),
        (42, "should be a function, but it is an int"),
        (lambda *args: None, "returned None"),
        (lambda a, b, c, d, e, f: 1, "stopped with TypeError"),
        (lambda *args: "text", "a str"),
        (lambda *args: (object(), object()), "should"),
    ],
)
def test_is_a_missing_function_told_apart(exercise, answer, says):
    assert says in refusal(exercise, answer)


@pytest.mark.parametrize("exercise", QUESTIONS)
@pytest.mark.parametrize("answer", [None, ...])
def test_is_a_missing_answer_told_apart(exercise, answer):
    assert "no answer yet" in refusal(exercise, answer)


@pytest.mark.parametrize("exercise", QUESTIONS)
@pytest.mark.parametrize("answer", [object(), [], "z", -12345, np.zeros(3), float("nan"), print])
def test_is_nonsense_refused(exercise, answer):
    refusal(exercise, answer)


@pytest.mark.parametrize("answer", ["c", "C", " (c) ", "c.", "c:", "'c'"])
def test_may_a_letter_be_written_in_several_ways(answer):
    CHECKS["knn_cost"](answer)


@pytest.mark.parametrize("answer", [16.0, np.int64(16), np.array(16), np.array([16.0])])
def test_may_a_number_be_written_in_several_ways(answer):
    CHECKS["updates_per_epoch"](answer)


@pytest.mark.parametrize("answer", [(8, 7, 6), [8, 7, 6], (np.int64(8), 7, 6), "8, 7, 6"])
def test_may_a_shape_be_written_in_several_ways(answer):
    CHECKS["broadcast_shape"](answer)
