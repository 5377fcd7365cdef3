import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import gradient_check as gpu
from utils.gpu.losses import softmax_cross_entropy as gpu_softmax_cross_entropy
from utils.reference import gradient_check as reference
from utils.reference.losses import softmax_cross_entropy

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


@BOTH
def test_by_hand(twins, tree):
    module, to = twins[tree]
    x = to(np.array([[1.0, 2.0], [-3.0, 0.5]]))
    got = module.numeric_gradient(lambda x: (x**2).sum() + 3 * x[0, 1], x)  # 2x, + 3 at one place
    assert_allclose(got.tolist(), [[2, 4 + 3], [-6, 1]], rtol=1e-9)
    exactly = module.numeric_gradient(lambda x: (x**2).sum(), x, step=0.5)
    assert exactly.tolist() == [[2, 4], [-6, 1]]  # centered: no error on a parabola at any step


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (2, 1, 2)])
def test_any_shape_both_trees(tensor, rng, shape):
    x, a = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=shape))
    want = a * np.cos(x)
    got = reference.numeric_gradient(lambda x: (a * np.sin(x)).sum(), x)
    assert got.shape == shape
    assert reference.relative_error(got, want) < 1e-7
    a = tensor(a)
    twin = gpu.numeric_gradient(lambda x: (a * x.sin()).sum(), tensor(x))
    assert twin.shape == shape
    assert_allclose(twin.cpu(), want, rtol=1e-7)


@BOTH
def test_x_stays_as_it_was(twins, tree, rng):
    module, to = twins[tree]
    x = rng.normal(size=(2, 3))
    given_x = to(x.copy())
    module.numeric_gradient(lambda x: (x**3).sum(), given_x)
    module.numeric_gradient_at(
        lambda x: (x**3).sum(), given_x, (to(np.array([0])), to(np.array([1])))
    )
    assert_array_equal(given_x.tolist(), x)


@BOTH
def test_x_stays_while_f_looks(twins, tree, rng):
    module, to = twins[tree]
    x = to(rng.normal(size=3))
    got = module.numeric_gradient(lambda probe: (probe * x).sum(), x)  # x a constant of f
    assert_allclose(got.tolist(), x.tolist(), rtol=1e-8)
    indices = (to(np.array([2, 0])),)
    got = module.numeric_gradient_at(lambda probe: (probe * x).sum(), x, indices)
    assert_allclose(got.tolist(), x[indices].tolist(), rtol=1e-8)


@BOTH
def test_a_subset_within_each_class(twins, tree, rng):
    module, to = twins[tree]
    w = to(rng.uniform(1, 2, size=(50, 3)))  # next to 0 the rounding of f, about 350, would show
    rows = np.concatenate([rng.choice(50, size=4, replace=False) for _ in range(3)])
    columns = np.repeat(np.arange(3), 4)
    indices = to(rows), to(columns)
    evaluations = []

    def f(w):
        evaluations.append(1)
        return (w**2).sum()

    got = module.numeric_gradient_at(f, w, indices)
    assert len(evaluations) <= 2 * 12 + 1
    assert got.shape == (12,)
    assert module.relative_error(got, 2 * w[indices]) < 1e-7


def test_autograd_passes(tensor, rng):
    scores, labels = tensor(rng.normal(size=(3, 4))).requires_grad_(), tensor(np.array([0, 3, 1]))
    gpu_softmax_cross_entropy(scores, labels).backward()
    numeric = gpu.numeric_gradient(lambda s: gpu_softmax_cross_entropy(s, labels), scores)
    assert gpu.relative_error(scores.grad, numeric) < 1e-7
    assert not numeric.requires_grad


def test_a_forgotten_average_is_seen(rng):
    scores, labels = rng.normal(size=(2, 4)), np.array([0, 3])
    numeric = reference.numeric_gradient(lambda s: softmax_cross_entropy(s, labels)[0], scores)
    _, right = softmax_cross_entropy(scores, labels)
    assert "agree" in reference.verdict(reference.relative_error(right, numeric))
    assert "wrong" in reference.verdict(reference.relative_error(2 * right, numeric))


def test_error_is_least_near_the_usual_step():
    """Truncation grows with step^2, rounding with 1/step."""
    x, want = np.array([1.0]), np.exp([1.0])
    error = {
        step: reference.relative_error(
            reference.numeric_gradient(lambda x: np.exp(x).sum(), x, step), want
        )
        for step in (1e-2, 1e-6, 1e-12)
    }
    assert error[1e-6] < 1e-9 < error[1e-2]
    assert error[1e-6] < 1e-6 < error[1e-12]


@BOTH
def test_relative_error_by_hand(twins, tree):
    module, to = twins[tree]

    def error(a, b):
        return float(module.relative_error(to(np.array(a)), to(np.array(b))))

    assert error([1.0, 2.0], [1.0, 2.5]) == pytest.approx(0.5 / 2.5)
    assert error([1.0], [-1.0]) == 2
    assert error([0.0], [0.0]) == 0
    assert error([1e-12], [2e-12]) == pytest.approx(1e-4)  # 1e-12 / 1e-8
    assert np.isnan(error([np.nan, 1.0], [1.0, 1.0]))


@given(arrays(np.float64, array_shapes(), elements=st.floats(-1e3, 1e3)), st.floats(-1, 1))
def test_relative_error_is_symmetric_and_at_most_2(a, change):
    b = a + change
    error = reference.relative_error(a, b)
    assert (
        error
        == reference.relative_error(b, a)
        == gpu.relative_error(torch.tensor(a), torch.tensor(b))
    )
    assert 0 <= error <= 2
    assert reference.relative_error(a, a) == 0


@pytest.mark.parametrize("error", [0.0, 1e-7, 2e-7, 1e-4, 2e-4, 1e-2, 2e-2, 2.0, np.inf, np.nan])
def test_verdicts_are_the_same_in_both_trees(error):
    assert (
        gpu.verdict(error)
        == gpu.verdict(torch.tensor(error, dtype=torch.float64))
        == reference.verdict(error)
    )


@BOTH
def test_refuses(twins, tree):
    module, to = twins[tree]
    x = to(np.zeros(2))
    for dtype in (np.float32, np.int64):
        with pytest.raises(ValueError, match=f"x must be float64.*{np.dtype(dtype).name}"):
            module.numeric_gradient(lambda x: x.sum(), to(np.zeros(2, dtype=dtype)))
    with pytest.raises(ValueError, match="step must be positive, got 0"):
        module.numeric_gradient(lambda x: x.sum(), x, step=0)
    with pytest.raises(ValueError, match=r"f must return .*tuple"):
        module.numeric_gradient(lambda x: (x.sum(), x), x)
    with pytest.raises(ValueError, match="f must return"):
        module.numeric_gradient(lambda x: x, x)
    with pytest.raises(ValueError, match="indices must be a tuple of 1"):
        module.numeric_gradient_at(lambda x: x.sum(), x, to(np.array([0])))
    for a, b in [(np.zeros(2), np.zeros((2, 1))), (np.zeros(0), np.zeros(0))]:
        with pytest.raises(ValueError, match="non-empty of one shape"):
            module.relative_error(to(a), to(b))
