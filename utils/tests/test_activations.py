import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from utils.gpu import activations as gpu
from utils.reference import activations as reference
from utils.reference.gradient_check import numeric_gradient, relative_error

OVER_CLASSES = ["softmax", "log_softmax", "log_sum_exp"]
NAMES = ["sigmoid", *OVER_CLASSES]
SCORES = arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=st.floats(-50, 50))


def test_sigmoid_by_hand():
    # log 3: 1 / (1 + 1/3) = 3/4
    assert_allclose(reference.sigmoid(np.log([1 / 3, 1, 3])), [1 / 4, 1 / 2, 3 / 4], rtol=1e-15)
    assert_allclose(reference.sigmoid(np.log(3), steepness=2), 9 / 10, rtol=1e-15)  # 1 / (1 + 1/9)
    with np.errstate(all="raise", under="ignore"):
        assert_array_equal(reference.sigmoid(np.array([-1e4, 1e4])), [0, 1])


def test_softmax_by_hand():
    scores = np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 3.0]])
    assert_allclose(reference.softmax(scores), [[1 / 8, 2 / 8, 5 / 8], [1 / 3] * 3], rtol=1e-15)
    assert_allclose(reference.log_sum_exp(scores), np.log([8, 9]), rtol=1e-15)
    assert_allclose(reference.log_softmax(scores)[0, 0], -np.log(8), rtol=1e-15)


@given(SCORES, st.floats(-1e3, 1e3))
def test_what_must_hold_of_any_softmax(scores, shift):
    p = reference.softmax(scores)
    assert_allclose(p.sum(axis=-1), 1, rtol=1e-14)
    assert ((p >= 0) & (p <= 1)).all()
    assert_allclose(reference.softmax(scores + shift), p, rtol=1e-11)  # 1e3 + 50 keeps 13 digits
    assert_allclose(
        reference.log_sum_exp(scores + shift), reference.log_sum_exp(scores) + shift, atol=1e-11
    )
    assert_allclose(np.exp(reference.log_softmax(scores)), p, rtol=1e-13)
    top = scores.max(axis=-1)
    smooth = reference.log_sum_exp(scores)
    assert (smooth >= top).all()
    assert (smooth <= top + np.log(scores.shape[-1]) + 1e-12).all()


@given(SCORES)
def test_two_classes_are_the_sigmoid(scores):
    both = np.stack([scores, np.zeros_like(scores)], axis=-1)
    assert_allclose(reference.softmax(both)[..., 0], reference.sigmoid(scores), rtol=1e-13)


@given(SCORES)
def test_scipy_agrees(scores):
    assert_allclose(reference.sigmoid(scores), special.expit(scores), rtol=1e-14)
    assert_allclose(reference.softmax(scores), special.softmax(scores, axis=-1), rtol=1e-13)
    assert_allclose(reference.log_softmax(scores), special.log_softmax(scores, axis=-1), atol=1e-13)
    assert_allclose(reference.log_sum_exp(scores), special.logsumexp(scores, axis=-1), atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (4,), (2, 3, 4)])
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_twins_agree(tensor, rng, name, shape, dtype, tol):
    scores = (10 * rng.normal(size=shape)).astype(dtype)
    got = getattr(gpu, name)(tensor(scores))
    assert str(got.dtype) == f"torch.{dtype}"
    assert_allclose(got.cpu(), getattr(reference, name)(scores), atol=tol, rtol=tol)


def test_twin_sigmoid_takes_a_steepness(tensor):
    x = np.linspace(-4, 4, 9)
    assert_allclose(
        gpu.sigmoid(tensor(x), steepness=3.0).cpu(), reference.sigmoid(x, steepness=3.0), rtol=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
def test_large_scores_overflow_nowhere(tensor, name):
    scores = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]])
    with np.errstate(all="raise", under="ignore"):
        want = getattr(reference, name)(scores)
    assert np.isfinite(want).all()
    assert_allclose(getattr(gpu, name)(tensor(scores)).cpu(), want, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_autograd_carries_the_gradient(tensor, rng, name):
    scores, weights = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    if name == "log_sum_exp":
        weights = weights[:, 0]
    s = tensor(scores).requires_grad_()
    (getattr(gpu, name)(s) * tensor(weights)).sum().backward()
    want = numeric_gradient(lambda s: (getattr(reference, name)(s) * weights).sum(), scores)
    assert relative_error(s.grad.cpu().numpy(), want) < 1e-7


@pytest.mark.parametrize("name", OVER_CLASSES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_no_class_at_all(tensor, name, shape):
    for tree, to in [(reference, lambda a: a), (gpu, tensor)]:
        with pytest.raises(ValueError, match="C at least 1, got shape"):
            getattr(tree, name)(to(np.zeros(shape)))
