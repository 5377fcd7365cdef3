"""Every check accepts what is right, refuses what is wrong, and says what is wrong with it."""

import math
import sys
import time
import types

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
