import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from sklearn import metrics

from utils.gpu import losses as gpu
from utils.reference import losses as reference
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
