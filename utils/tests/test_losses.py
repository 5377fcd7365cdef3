import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose
from sklearn import metrics

from utils.gpu import losses as gpu
from utils.reference import losses as reference
from utils.reference.activations import (
    log_softmax,
    log_softmax_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_backward,
)
from utils.reference.gradient_check import numeric_gradient, relative_error

BINARY = ["binary_hinge", "binary_logistic"]
MULTICLASS = ["multiclass_hinge", "multiclass_hinge_max", "softmax_cross_entropy"]


def problem(rng, loss, N=64, C=10):
    """Scores and labels; random scores meet a kink with probability 0."""
    if loss in BINARY:
        return 2 * rng.normal(size=N), rng.choice([-1, 1], size=N)
    return 2 * rng.normal(size=(N, C)), rng.integers(0, C, size=N)


def test_binary_by_hand():
    scores, signs = np.array([2.0, 0.5, -1.0]), np.array([1, 1, 1])
    loss, dscores = reference.binary_hinge(scores, signs)
    assert_allclose(loss, (0 + 0.5 + 2) / 3)  # 1 - 2 < 0;  1 - 0.5;  1 + 1
    assert_allclose(dscores, [0, -1 / 3, -1 / 3])

    scores, signs = np.log([3.0, 3.0]), np.array([1, -1])
    loss, dscores = reference.binary_logistic(scores, signs)
    assert_allclose(loss, (np.log(4 / 3) + np.log(4)) / 2)  # log(1 + 1/3), log(1 + 3)
    assert_allclose(dscores, [-1 / 8, 3 / 8])  # -sigmoid(-log 3) / 2, sigmoid(log 3) / 2


def test_multiclass_by_hand():
    scores, labels = np.array([[3.0, 2.5, 2.8, 0.0], [1.0, 4.0, 0.0, 0.0]]), np.array([0, 1])
    # row 0: rivals 2.5 and 2.8 come closer than 1, short by 0.5 and 0.8; row 1 is clear by 3
    loss, dscores = reference.multiclass_hinge(scores, labels)
    assert_allclose(loss, (0.5 + 0.8) / 2)
    assert_allclose(dscores, [[-1, 0.5, 0.5, 0], [0, 0, 0, 0]])

    loss, dscores = reference.multiclass_hinge_max(scores, labels)
    assert_allclose(loss, 0.8 / 2)
    assert_allclose(dscores, [[-0.5, 0, 0.5, 0], [0, 0, 0, 0]])

    loss, dscores = reference.softmax_cross_entropy(np.log([[1.0, 2.0, 5.0]]), np.array([1]))
    assert_allclose(loss, np.log(4))  # p = (1, 2, 5) / 8
    assert_allclose(dscores, [[1 / 8, 2 / 8 - 1, 5 / 8]])

    assert reference.zero_one(scores, np.array([0, 2])) == 0.5
    assert reference.zero_one(np.zeros((1, 3)), np.array([0])) == 0  # a tie goes to class 0


def test_equal_scores():
    scores, labels = np.full((4, 10), 7.0), np.arange(4)
    assert_allclose(reference.softmax_cross_entropy(scores, labels)[0], np.log(10))
    assert_allclose(reference.multiclass_hinge(scores, labels, margin=2.0)[0], 9 * 2)
    assert_allclose(reference.multiclass_hinge_max(scores, labels, margin=2.0)[0], 2)


@given(
    scores=arrays(np.float64, (4, 3), elements=st.floats(-30, 30)),
    labels=arrays(np.int64, 4, elements=st.integers(0, 2)),
    shift=st.floats(-100, 100),
)
def test_what_must_hold_of_multiclass_losses(scores, labels, shift):
    values = {name: getattr(reference, name)(scores, labels) for name in MULTICLASS}
    for name, (loss, dscores) in values.items():
        shifted, _ = getattr(reference, name)(scores + shift, labels)
        assert_allclose(shifted, loss, atol=1e-11, err_msg=name)
        assert_allclose(dscores.sum(axis=1), 0, atol=1e-15, err_msg=name)
    zero_one = reference.zero_one(scores, labels)
    bits = values["softmax_cross_entropy"][0] / np.log(2)
    assert values["multiclass_hinge"][0] >= values["multiclass_hinge_max"][0] >= zero_one
    assert bits >= zero_one - 1e-12


@given(
    arrays(np.float64, 5, elements=st.floats(-800, 800)),
    arrays(np.int64, 5, elements=st.sampled_from([-1, 1])),
)
def test_binary_losses_are_multiclass_ones_with_scores_s_and_0(scores, signs):
    both, labels = np.stack([0 * scores, scores], axis=1), (signs + 1) // 2
    for binary, multiclass in [
        ("binary_hinge", "multiclass_hinge"),
        ("binary_hinge", "multiclass_hinge_max"),
        ("binary_logistic", "softmax_cross_entropy"),
    ]:
        loss, dscores = getattr(reference, binary)(scores, signs)
        want, dboth = getattr(reference, multiclass)(both, labels)
        assert_allclose(loss, want, rtol=1e-12, atol=1e-300)
        assert_allclose(dscores, dboth[:, 1], rtol=1e-11, atol=1e-16)


def test_sklearn_agrees(rng):
    scores, labels = problem(rng, "softmax_cross_entropy", N=50, C=4)
    crammer_singer = metrics.hinge_loss(labels, scores, labels=range(4))
    assert_allclose(reference.multiclass_hinge_max(scores, labels)[0], crammer_singer)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert_allclose(
        reference.softmax_cross_entropy(scores, labels)[0],
        metrics.log_loss(labels, p, labels=range(4)),
    )
    assert_allclose(
        reference.zero_one(scores, labels), metrics.zero_one_loss(labels, scores.argmax(axis=1))
    )

    scores, signs = problem(rng, "binary_hinge", N=50)
    assert_allclose(reference.binary_hinge(scores, signs)[0], metrics.hinge_loss(signs, scores))
    assert_allclose(
        reference.binary_logistic(scores, signs)[0],
        metrics.log_loss(signs, 1 / (1 + np.exp(-scores))),
    )


@pytest.mark.parametrize("loss", BINARY + MULTICLASS)
@pytest.mark.parametrize("N", [1, 7])
def test_gradient_against_differences(rng, loss, N):
    function = getattr(reference, loss)
    scores, labels = problem(rng, loss, N=N, C=4)
    numeric = numeric_gradient(lambda s: function(s, labels)[0], scores)
    assert relative_error(function(scores, labels)[1], numeric) < 1e-7


@pytest.mark.parametrize("loss", BINARY + MULTICLASS)
@pytest.mark.parametrize("N", [1, 64])
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_twins_agree(tensor, rng, loss, N, dtype, tol):
    scores, labels = problem(rng, loss, N=N)
    scores = scores.astype(dtype)
    want, dscores = getattr(reference, loss)(scores.astype("float64"), labels)

    s = tensor(scores).requires_grad_()
    out = getattr(gpu, loss)(s, tensor(labels))
    out.backward()

    assert out.dtype == s.dtype
    assert out.device == s.device
    assert_allclose(out.item(), want, rtol=tol)
    assert_allclose(s.grad.cpu(), dscores, atol=tol)
    value, dscores = getattr(reference, loss)(scores, labels)
    assert value.dtype == dscores.dtype == dtype
    assert_allclose(dscores, s.grad.cpu(), atol=tol)


@pytest.mark.parametrize("loss", BINARY + MULTICLASS)
def test_whole_scores_are_floats(rng, loss):
    scores, labels = problem(rng, loss)
    whole = np.rint(scores).astype(int)
    for got, want in zip(
        getattr(reference, loss)(whole, labels),
        getattr(reference, loss)(whole.astype(float), labels),
        strict=True,
    ):
        assert got.dtype == np.float64
        assert_allclose(got, want, rtol=1e-15)


@pytest.mark.parametrize("loss", BINARY + MULTICLASS)
def test_twins_agree_on_kinks_ties_and_far_out(tensor, loss):
    if loss in BINARY:
        scores, labels = np.array([1.0, -1.0, 0.0, 30.0, -800.0]), np.array([1, -1, 1, 1, 1])
    else:
        scores = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 1.0, 1.0], [0.0, 800.0, 800.0]])
        labels = np.array([0, 0, 0, 0])
    want, dscores = getattr(reference, loss)(scores, labels)
    s = tensor(scores).requires_grad_()
    out = getattr(gpu, loss)(s, tensor(labels))
    out.backward()
    assert_allclose(out.item(), want, rtol=1e-12)
    assert_allclose(s.grad.cpu(), dscores, atol=1e-12)


def test_no_digits_are_lost_where_softplus_gives_up(tensor):
    scores, signs = np.array([-20.5]), np.array([1])  # log(1 + e^20.5) = 20.5 + 1.25e-9
    want = 20.5 + np.log1p(np.exp(-20.5))
    assert_allclose(reference.binary_logistic(scores, signs)[0], want, rtol=1e-14)
    assert_allclose(gpu.binary_logistic(tensor(scores), tensor(signs)).item(), want, rtol=1e-14)


@pytest.mark.parametrize("loss", ["multiclass_hinge", "multiclass_hinge_max"])
def test_margin_reaches_the_twin(tensor, rng, loss):
    scores, labels = problem(rng, loss)
    want, _ = getattr(reference, loss)(scores, labels, margin=0.25)
    assert_allclose(getattr(gpu, loss)(tensor(scores), tensor(labels), margin=0.25).item(), want)


def test_twin_zero_one_agrees(tensor, rng):
    scores, labels = problem(rng, "zero_one", C=3)
    assert_allclose(
        gpu.zero_one(tensor(scores), tensor(labels)).item(), reference.zero_one(scores, labels)
    )


@pytest.mark.parametrize("loss", [*MULTICLASS, "zero_one"])
def test_one_class_costs_nothing(tensor, loss):
    scores, labels = np.array([[3.0], [-1.0]]), np.array([0, 0])
    value = getattr(reference, loss)(scores, labels)
    assert (value if loss == "zero_one" else value[0]) == 0
    assert getattr(gpu, loss)(tensor(scores), tensor(labels)) == 0


@pytest.mark.parametrize("loss", BINARY + MULTICLASS)
def test_inputs_stay_as_they_were(rng, loss):
    scores, labels = problem(rng, loss)
    before = scores.copy(), labels.copy()
    getattr(reference, loss)(scores, labels)
    assert_allclose(scores, before[0], rtol=0)
    assert_allclose(labels, before[1], rtol=0)


@pytest.mark.parametrize("dtype", [np.int8, np.float32])
@pytest.mark.parametrize("loss", BINARY)
def test_small_dtypes_of_signs_cost_no_digits(rng, loss, dtype):
    scores, signs = problem(rng, loss)
    _, want = getattr(reference, loss)(scores, signs)
    _, dscores = getattr(reference, loss)(scores, signs.astype(dtype))
    assert dscores.dtype == np.float64
    assert_allclose(dscores, want, rtol=1e-15)


@pytest.mark.parametrize("loss", [*MULTICLASS, "zero_one"])
@pytest.mark.parametrize(
    "scores, labels, message, seen_by_twin",
    [
        (np.zeros((2, 3)), np.array([0, 3]), r"\[0, 3\), got 0 to 3", False),
        (np.zeros((2, 3)), np.array([-1, 0]), r"\[0, 3\), got -1 to 0", False),
        (np.zeros((2, 3)), np.array([0, 1, 2]), r"\(2,\).*got int64 of shape \(3,\)", True),
        (np.zeros((2, 3)), np.array([[0], [1]]), r"\(2,\).*got int64 of shape \(2, 1\)", True),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), "got .*float64", True),
        (np.zeros((0, 3)), np.zeros(0, dtype=int), "non-empty", True),
        (np.zeros(3), np.array([0, 1, 2]), r"scores must be \(N, C\)", True),
    ],
)
def test_multiclass_refuses(tensor, loss, scores, labels, message, seen_by_twin):
    with pytest.raises(ValueError, match=message):
        getattr(reference, loss)(scores, labels)
    if seen_by_twin:
        message = message.replace("int64", "torch.int64")
        with pytest.raises(ValueError, match=message):
            getattr(gpu, loss)(tensor(scores), tensor(labels))


@pytest.mark.parametrize("loss", BINARY)
def test_binary_refuses(tensor, loss):
    with pytest.raises(ValueError, match="of -1 and "):
        getattr(reference, loss)(np.zeros(2), np.array([0, 1]))
    for tree, to in [(reference, lambda a: a), (gpu, tensor)]:
        with pytest.raises(ValueError, match=r"\(2, 1\).*got shape \(2,\)"):
            getattr(tree, loss)(to(np.zeros((2, 1))), to(np.array([1, -1])))  # would broadcast
        with pytest.raises(ValueError, match="non-empty"):
            getattr(tree, loss)(to(np.zeros(0)), to(np.zeros(0, dtype=int)))


OTHERS = [  # of outputs and targets of one shape
    "mse",
    "mae",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "categorical_cross_entropy",
]
EVERY_OTHER = pytest.mark.parametrize("loss", OTHERS)


def outputs_and_targets(rng, loss, shape=(6, 4)):
    outputs, targets = rng.normal(size=shape), rng.normal(size=shape)
    if "cross_entropy" in loss:
        targets = rng.uniform(size=shape)
    if loss == "binary_cross_entropy":
        outputs = rng.uniform(0.05, 0.95, size=shape)
    if loss == "categorical_cross_entropy":
        outputs, targets = softmax(outputs), softmax(3 * rng.normal(size=shape))
    return outputs, targets


def test_others_by_hand():
    y, t = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [4.0, 1.0]])
    loss, dy = reference.mse(y, t)  # (0 + 4 + 1 + 9) / 4
    assert loss == 3.5
    assert dy.tolist() == [[0, 1], [-0.5, 1.5]]
    loss, dy = reference.mae(y, t)  # (0 + 2 + 1 + 3) / 4
    assert loss == 1.5
    assert dy.tolist() == [[0, 0.25], [-0.25, 0.25]]

    p, t = np.array([0.75, 0.75]), np.array([1, 0])
    loss, dp = reference.binary_cross_entropy(p, t)
    assert_allclose(loss, (np.log(4 / 3) + np.log(4)) / 2)
    assert_allclose(dp, [-2 / 3, 2])  # -1 / (2 p), 1 / (2 (1 - p))
    loss, ds = reference.binary_cross_entropy_with_logits(np.log([3.0, 3.0]), t)
    assert_allclose(loss, (np.log(4 / 3) + np.log(4)) / 2)
    assert_allclose(ds, [-1 / 8, 3 / 8])

    p, t = np.array([[0.25, 0.5, 0.25]]), np.array([[0.0, 0.5, 0.5]])
    loss, dp = reference.categorical_cross_entropy(p, t)
    assert_allclose(loss, (np.log(2) + np.log(4)) / 2)
    assert_allclose(dp, [[0, -1, -2]])
    loss, dlogp = reference.negative_log_likelihood(np.log(p), np.array([2]))
    assert_allclose(loss, np.log(4))
    assert dlogp.tolist() == [[0, 0, -1]]


@EVERY_OTHER
@given(data=st.data())
def test_others_for_any_shape(loss, data):
    shape = data.draw(array_shapes(max_dims=3, max_side=4))
    if loss == "categorical_cross_entropy":
        shape = data.draw(array_shapes(min_dims=2, max_dims=2, max_side=4))
    y, t = outputs_and_targets(np.random.default_rng(data.draw(st.integers(0, 99))), loss, shape)
    value, dy = getattr(reference, loss)(y, t)
    assert dy.shape == y.shape
    out = torch.tensor(y, requires_grad=True)
    twin = getattr(gpu, loss)(out, torch.tensor(t))
    twin.backward()
    assert_allclose(value, twin.item(), rtol=1e-10)
    assert_allclose(dy, out.grad, rtol=1e-9, atol=1e-14)


@EVERY_OTHER
def test_others_against_differences(rng, loss):
    y, t = outputs_and_targets(rng, loss)
    _, dy = getattr(reference, loss)(y, t)
    numeric = numeric_gradient(lambda y: getattr(reference, loss)(y, t)[0], y)
    assert_allclose(dy, numeric, rtol=1e-7, atol=1e-9)


@EVERY_OTHER
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("target_dtype", ["same", "int64", "uint8", "bool"])
def test_others_keep_the_dtype(tensor, rng, loss, dtype, tol, target_dtype):
    y, t = outputs_and_targets(rng, loss)
    if target_dtype != "same":
        t = np.eye(4)[rng.integers(0, 4, size=6)]
    y, t = y.astype(dtype), t.astype(dtype if target_dtype == "same" else target_dtype)
    before = y.copy(), t.copy()
    value, dy = getattr(reference, loss)(y, t)
    assert value.dtype == dy.dtype == dtype
    want, dwant = getattr(reference, loss)(y.astype("float64"), t.astype("float64"))
    out = tensor(y).requires_grad_()
    twin = getattr(gpu, loss)(out, tensor(t))
    twin.backward()
    assert twin.dtype == out.dtype
    for got, dgot in [(value, dy), (twin.item(), out.grad.cpu())]:
        assert_allclose(got, want, rtol=tol)
        assert_allclose(dgot, dwant, rtol=tol, atol=tol)
    assert (y == before[0]).all() and (t == before[1]).all()


def test_cross_entropies_are_one_another(rng):
    s, labels = rng.normal(size=(7, 4)), rng.integers(0, 4, size=7)
    want, ds = reference.softmax_cross_entropy(s, labels)
    logp, p = log_softmax(s), softmax(s)
    value, dlogp = reference.negative_log_likelihood(logp, labels)
    assert_allclose(value, want)
    assert_allclose(log_softmax_backward(dlogp, s), ds, atol=1e-15)
    value, dp = reference.categorical_cross_entropy(p, np.eye(4)[labels])
    assert_allclose(value, want)
    assert_allclose(softmax_backward(dp, s), ds, atol=1e-15)

    s, signs = rng.normal(size=9), rng.choice([-1, 1], size=9)
    want, ds = reference.binary_logistic(s, signs)
    value, got = reference.binary_cross_entropy_with_logits(s, (signs + 1) // 2)
    assert_allclose(value, want)
    assert_allclose(got, ds)
    value, dp = reference.binary_cross_entropy(sigmoid(s), (signs + 1) // 2)
    assert_allclose(value, want)
    assert_allclose(sigmoid_backward(dp, s), ds)


def test_logits_as_large_as_they_come(tensor):
    s, t = np.array([1e4, -1e4, 1e4, -1e4, 40.0]), np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    with np.errstate(all="raise", under="ignore"):
        loss, ds = reference.binary_cross_entropy_with_logits(s, t)
    assert_allclose(loss, (2e4 + np.exp(-40)) / 5)
    assert_allclose(ds, [0, 0, 0.2, -0.2, 0], atol=1e-17)
    assert_allclose(gpu.binary_cross_entropy_with_logits(tensor(s), tensor(t)).item(), loss)
    # no digit is lost where t s cancels: log(1 + e^-40)
    alone = reference.binary_cross_entropy_with_logits(s[-1:], t[-1:])[0]
    assert_allclose(alone, np.exp(-40), rtol=1e-12)


def test_certain_answers(tensor):
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    loss, dp = reference.binary_cross_entropy(p, t)
    assert loss == 50  # two of four cost 100
    out = tensor(p).requires_grad_()
    twin = gpu.binary_cross_entropy(out, tensor(t))
    twin.backward()
    assert twin.item() == 50
    assert_allclose(out.grad.cpu(), dp)

    p, t = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    for targets, cost in [(t, np.log(2) / 2), (1 - t, np.inf)]:
        with np.errstate(all="raise"):
            loss, dp = reference.categorical_cross_entropy(p, targets)
        assert_allclose(loss, cost)
        out = tensor(p).requires_grad_()
        twin = gpu.categorical_cross_entropy(out, tensor(targets))
        twin.backward()
        assert_allclose(twin.item(), cost)
        assert_allclose(out.grad.cpu(), dp)


@EVERY_OTHER
def test_nan_costs_nan(tensor, rng, loss):
    y, t = outputs_and_targets(rng, loss)
    y[0, 0] = np.nan
    assert np.isnan(getattr(reference, loss)(y, t)[0])
    assert np.isnan(getattr(gpu, loss)(tensor(y), tensor(t)).item())


@EVERY_OTHER
def test_others_refuse(tensor, loss):
    half = np.full((2, 3), 0.5)
    for tree, to in [(reference, np.asarray), (gpu, tensor)]:
        for shape in [(3,), (2, 1), (3, 2)]:  # two of them would broadcast
            with pytest.raises(ValueError, match=r"of shape \(2, 3\), got shape \("):
                getattr(tree, loss)(to(half), to(np.zeros(shape)))
        with pytest.raises(ValueError, match="non-empty"):
            getattr(tree, loss)(to(np.zeros((0, 3))), to(np.zeros((0, 3))))
    if "cross_entropy" in loss:
        with pytest.raises(ValueError, match=r"targets must be in \[0, 1\], got .*1.5"):
            getattr(reference, loss)(half, 3 * half)
    if loss in ("binary_cross_entropy", "categorical_cross_entropy"):
        with pytest.raises(ValueError, match=r"probabilities must be in \[0, 1\], got -0.5"):
            getattr(reference, loss)(-half, half)
    if loss == "categorical_cross_entropy":
        for tree, to in [(reference, np.asarray), (gpu, tensor)]:
            with pytest.raises(ValueError, match=r"must be \(N, C\), got shape \(3,\)"):
                getattr(tree, loss)(to(np.ones(3)), to(np.ones(3)))


def test_negative_log_likelihood_twin(tensor, rng):
    for dtype in ("float64", "float32"):
        logp, labels = log_softmax(rng.normal(size=(6, 4))).astype(dtype), rng.integers(0, 4, 6)
        loss, dlogp = reference.negative_log_likelihood(logp, labels)
        assert loss.dtype == dlogp.dtype == dtype
        out = tensor(logp).requires_grad_()
        twin = gpu.negative_log_likelihood(out, tensor(labels))
        twin.backward()
        assert_allclose(twin.item(), loss, rtol=1e-6 if dtype == "float32" else 1e-12)
        assert_allclose(out.grad.cpu(), dlogp, rtol=1e-6)
    for tree, to in [(reference, np.asarray), (gpu, tensor)]:
        with pytest.raises(ValueError, match=r"log_probabilities must be \(N, C\)"):
            tree.negative_log_likelihood(to(np.zeros(3)), to(np.zeros(3, dtype=int)))
        with pytest.raises(ValueError, match=r"labels must be .*\(2,\)"):
            tree.negative_log_likelihood(to(np.zeros((2, 3))), to(np.zeros(3, dtype=int)))
    with pytest.raises(ValueError, match=r"\[0, 3\), got 0 to 3"):
        reference.negative_log_likelihood(np.zeros((2, 3)), np.array([0, 3]))


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 999),
)
def test_sequences_with_a_mask(shape, seed):
    rng = np.random.default_rng(seed)
    scores, mask = rng.normal(size=shape), rng.random(shape[:2]) < 0.6
    labels = rng.integers(0, shape[2], size=shape[:2])
    labels[~mask] = -1
    scores[~mask] = np.nan  # padding is not looked at
    before = scores.copy(), labels.copy(), mask.copy()
    loss, dscores = reference.sequence_cross_entropy(scores, labels, mask)
    for array, was in zip((scores, labels, mask), before, strict=True):
        assert_allclose(array, was)
    assert (dscores[~mask] == 0).all()
    if mask.any():
        want, dwant = reference.softmax_cross_entropy(scores[mask], labels[mask])
        assert_allclose(loss, want)
        assert_allclose(dscores[mask], dwant)
    else:
        assert loss == 0
    s = torch.tensor(scores, requires_grad=True)
    twin = gpu.sequence_cross_entropy(s, torch.tensor(labels), torch.tensor(mask))
    twin.backward()
    assert_allclose(twin.item(), loss, rtol=1e-10, atol=1e-15)
    assert_allclose(s.grad, dscores, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_sequences_without_a_mask(tensor, rng, dtype, tol):
    scores = rng.normal(size=(4, 3, 5)).transpose(1, 0, 2).astype(dtype)  # (3, 4, 5), a view
    labels = rng.integers(0, 5, size=(3, 4))
    loss, dscores = reference.sequence_cross_entropy(scores, labels)
    assert dscores.dtype == dtype
    want, dwant = reference.softmax_cross_entropy(scores.reshape(12, 5), labels.ravel())
    assert loss == want
    assert_allclose(dscores.reshape(12, 5), dwant, rtol=0)
    s = tensor(scores).requires_grad_()
    twin = gpu.sequence_cross_entropy(s, tensor(labels))
    twin.backward()
    assert twin.dtype == s.dtype
    assert_allclose(twin.item(), loss, rtol=tol)
    assert_allclose(s.grad.cpu(), dscores, atol=tol)
    everything = gpu.sequence_cross_entropy(s, tensor(labels), tensor(np.ones((3, 4), dtype=bool)))
    assert_allclose(everything.item(), loss, rtol=tol)


def test_sequences_by_differences(rng):
    scores, labels = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, size=(2, 3))
    mask = np.array([[True, True, False], [False, False, False]])  # a row counts nowhere

    def loss(scores):
        return reference.sequence_cross_entropy(scores, labels, mask)

    assert_allclose(
        loss(scores)[1], numeric_gradient(lambda s: loss(s)[0], scores), rtol=1e-7, atol=1e-9
    )


def test_sequences_refuse(tensor):
    scores, labels = np.zeros((2, 3, 4)), np.zeros((2, 3), dtype=int)
    for tree, to in [(reference, np.asarray), (gpu, tensor)]:
        loss = tree.sequence_cross_entropy
        with pytest.raises(ValueError, match=r"\(B, T, C\), got shape \(2, 3\)"):
            loss(to(scores[..., 0]), to(labels))
        with pytest.raises(ValueError, match=r"labels must be .*\(2, 3\).*got .*\(2, 2\)"):
            loss(to(scores), to(labels[:, :2]))
        with pytest.raises(ValueError, match=r"mask must be \(2, 3\) bools, got .*float64"):
            loss(to(scores), to(labels), to(np.ones((2, 3))))
        with pytest.raises(ValueError, match=r"mask must be \(2, 3\) bools, got .*\(2, 1\)"):
            loss(to(scores), to(labels), to(np.ones((2, 1), dtype=bool)))
        with pytest.raises(ValueError, match="non-empty"):
            loss(to(scores[:0]), to(labels[:0]))
    with pytest.raises(ValueError, match=r"\[0, 4\), got 0 to 4"):
        reference.sequence_cross_entropy(scores, labels + np.array([0, 1, 4]))
