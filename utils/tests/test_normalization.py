import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import normalization as gpu
from utils.reference import normalization as reference
from utils.reference.gradient_check import numeric_gradient

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
SIDES = st.integers(1, 4)
BATCHES = st.tuples(st.integers(2, 5), SIDES) | st.tuples(st.integers(2, 4), SIDES, SIDES, SIDES)


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def out_of(result):
    """What a layer returns, without the reference's cache."""
    return result[0] if isinstance(result, tuple) else result


def problem(shape, n_features, seed=0):
    """x, gamma, beta, dout, and running mean and variance."""
    rng = np.random.default_rng(seed)
    x, dout = 2 + 3 * rng.normal(size=shape), rng.normal(size=shape)
    gamma, beta, mean = rng.normal(size=(3, n_features))
    return x, gamma, beta, dout, mean, rng.uniform(0.5, 2, size=n_features)


def autograd(function, inputs, dout):
    """The value of function(*inputs) and its gradients along dout, by torch."""
    leaves = [torch.tensor(a, requires_grad=True) for a in inputs]
    out = function(*leaves)
    out.backward(torch.tensor(dout))
    return out.detach(), [leaf.grad for leaf in leaves]


def torch_batch_norm(mean, var, training):
    mean, var = torch.tensor(mean), torch.tensor(var)
    return lambda x, gamma, beta: F.batch_norm(x, mean, var, gamma, beta, training)


def require_torchs_batch_norm(shape, training, seed):
    x, gamma, beta, dout, mean, var = problem(shape, shape[1], seed)
    out, cache = reference.batch_norm_forward(x, gamma, beta, mean, var, training)
    want, gradients = autograd(torch_batch_norm(mean, var, training), (x, gamma, beta), dout)
    assert_allclose(out, want, rtol=1e-10, atol=1e-10)
    for got, grad in zip(reference.batch_norm_backward(dout, cache), gradients, strict=True):
        assert_allclose(got, grad, rtol=1e-9, atol=1e-9)


@given(BATCHES, st.booleans(), st.integers(0, 99))
def test_batch_norm_and_its_gradients_are_torchs(shape, training, seed):
    require_torchs_batch_norm(shape, training, seed)


def require_torchs_layer_norm(shape, seed):
    x, gamma, beta, dout, *_ = problem(shape, shape[-1], seed)
    out, cache = reference.layer_norm_forward(x, gamma, beta)
    want, gradients = autograd(
        lambda x, gamma, beta: F.layer_norm(x, shape[-1:], gamma, beta), (x, gamma, beta), dout
    )
    assert_allclose(out, want, rtol=1e-10, atol=1e-10)
    for got, grad in zip(reference.layer_norm_backward(dout, cache), gradients, strict=True):
        assert_allclose(got, grad, rtol=1e-9, atol=1e-9)


@given(array_shapes(min_dims=1, max_dims=4, max_side=4), st.integers(0, 99))
def test_layer_norm_and_its_gradients_are_torchs(shape, seed):
    require_torchs_layer_norm(shape, seed)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(700, 150), (3, 5, 70, 170)])
def test_batch_norm_in_many_blocks(shape, training):
    require_torchs_batch_norm(shape, training, seed=0)


@pytest.mark.parametrize("shape", [(700, 150), (2, 3, 50000)])
def test_layer_norm_in_many_blocks(shape):
    require_torchs_layer_norm(shape, seed=0)


@pytest.mark.parametrize("shape", [(300, 4), (9, 4, 6, 6)])
def test_small_ints_do_not_wrap_around(shape, rng):
    x, (gamma, beta) = rng.integers(0, 256, shape).astype(np.uint8), rng.normal(size=(2, 4))
    got, want = (reference.batch_norm_forward(a, gamma, beta)[0] for a in (x, x.astype(float)))
    assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 4), (3, 2, 2, 5)])
@pytest.mark.parametrize("name", ["batch training", "batch inference", "layer"])
def test_gradients_by_finite_differences(shape, name):
    n_features = shape[-1] if name == "layer" else shape[1]
    x, gamma, beta, dout, mean, var = problem(shape, n_features)

    def forward(x, gamma, beta):
        if name == "layer":
            return reference.layer_norm_forward(x, gamma, beta)
        return reference.batch_norm_forward(x, gamma, beta, mean, var, name == "batch training")

    def loss(**changed):
        return (forward(**{"x": x, "gamma": gamma, "beta": beta, **changed})[0] * dout).sum()

    backward = reference.layer_norm_backward if name == "layer" else reference.batch_norm_backward
    dx, dgamma, dbeta = backward(dout, forward(x, gamma, beta)[1])
    assert_allclose(dx, numeric_gradient(lambda a: loss(x=a), x), rtol=1e-7, atol=1e-8)
    assert_allclose(dgamma, numeric_gradient(lambda a: loss(gamma=a), gamma), rtol=1e-7, atol=1e-8)
    assert_allclose(dbeta, numeric_gradient(lambda a: loss(beta=a), beta), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 2, 5)])
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_twins_agree(tensor, shape, dtype, tol):
    arrays = [a.astype(dtype) for a in problem(shape, 3)]
    x, gamma, beta, dout, mean, var = arrays
    for training in [True, False]:
        out, cache = reference.batch_norm_forward(x, gamma, beta, mean, var, training)
        leaves = [tensor(a).requires_grad_() for a in (x, gamma, beta)]
        twin = gpu.batch_norm_forward(*leaves, tensor(mean), tensor(var), training)
        twin.backward(tensor(dout))
        assert str(twin.dtype) == f"torch.{dtype}" == f"torch.{out.dtype}"
        assert_allclose(twin.detach().cpu(), out, rtol=tol, atol=tol)
        for leaf, got in zip(leaves, reference.batch_norm_backward(dout, cache), strict=True):
            assert got.dtype == dtype
            assert_allclose(leaf.grad.cpu(), got, rtol=10 * tol, atol=10 * tol)
    got = reference.update_running_statistics(mean, var, x)
    twins = gpu.update_running_statistics(tensor(mean), tensor(var), tensor(x))
    for a, b in zip(got, twins, strict=True):
        assert a.dtype == dtype
        assert_allclose(b.cpu(), a, rtol=tol)


@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_twins_of_layer_norm_agree(tensor, dtype, tol):
    x, gamma, beta, dout, *_ = (a.astype(dtype) for a in problem((2, 5, 8), 8))
    out, cache = reference.layer_norm_forward(x, gamma, beta)
    leaves = [tensor(a).requires_grad_() for a in (x, gamma, beta)]
    twin = gpu.layer_norm_forward(*leaves)
    twin.backward(tensor(dout))
    assert str(twin.dtype) == f"torch.{dtype}" == f"torch.{out.dtype}"
    assert_allclose(twin.detach().cpu(), out, rtol=tol, atol=tol)
    for leaf, got in zip(leaves, reference.layer_norm_backward(dout, cache), strict=True):
        assert got.dtype == dtype
        assert_allclose(leaf.grad.cpu(), got, rtol=10 * tol, atol=10 * tol)


@BOTH
def test_by_hand(twins, tree):
    module, to = twins[tree]
    # column 1: mean 2, variance 1; column 2: constant, so 0 whatever eps
    x, two = to(np.array([[1.0, 5.0], [3.0, 5.0]])), to(np.array([2.0, 2.0]))
    out = out_of(module.batch_norm_forward(x, two, to(np.ones(2)), eps=1e-12))
    assert_allclose(out.tolist(), [[-1, 1], [3, 1]], rtol=1e-9)
    mean, var = to(np.array([1.0, 5.0])), to(np.array([4.0, 1.0]))
    out = out_of(module.batch_norm_forward(x, two, to(np.ones(2)), mean, var, False, eps=0.0))
    assert_allclose(out.tolist(), [[1, 1], [3, 1]], rtol=1e-12)
    # means 2, 5; variances with n - 1: 2, 0
    mean, var = module.update_running_statistics(to(np.zeros(2)), to(np.ones(2)), x, momentum=0.5)
    assert (mean.tolist(), var.tolist()) == ([1, 2.5], [1.5, 0.5])
    # row 1: mean 3, variance 4
    out = out_of(module.layer_norm_forward(x, two, to(np.zeros(2)), eps=1e-12))
    assert_allclose(out.tolist(), [[-2, 2], [-2, 2]], rtol=1e-9)


@BOTH
@pytest.mark.parametrize("shape", [(64, 3), (8, 3, 4, 4)])
def test_running_statistics_follow_torchs_module(twins, tree, shape, rng):
    module, to = twins[tree]
    peer = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(3).double()
    mean, var = to(np.zeros(3)), to(np.ones(3))
    for _ in range(5):
        x = 1 + 2 * rng.normal(size=shape)
        peer(torch.tensor(x))
        before = mean.tolist()
        new = module.update_running_statistics(mean, var, to(x))
        assert mean.tolist() == before
        mean, var = new
    assert_allclose(mean.tolist(), peer.running_mean, rtol=1e-10)
    assert_allclose(var.tolist(), peer.running_var, rtol=1e-10)


@BOTH
def test_what_must_hold_of_any_normalization(twins, tree, rng):
    module, to = twins[tree]
    x, ones, zeros = 5 + 3 * rng.normal(size=(50, 4)), to(np.ones(4)), to(np.zeros(4))
    out = np.asarray(out_of(module.batch_norm_forward(to(x), ones, zeros, eps=1e-12)).tolist())
    assert_allclose(out.mean(axis=0), 0, atol=1e-13)
    assert_allclose(out.var(axis=0), 1, rtol=1e-10)
    moved = out_of(module.batch_norm_forward(to(7 * x - 100), ones, zeros, eps=1e-12))
    assert_allclose(moved.tolist(), out, atol=1e-9)
    out = np.asarray(out_of(module.layer_norm_forward(to(x), ones, zeros, eps=1e-12)).tolist())
    assert_allclose(out.mean(axis=1), 0, atol=1e-13)
    alone = out_of(module.layer_norm_forward(to(x[:1]), ones, zeros, eps=1e-12))
    assert_allclose(alone.tolist(), out[:1], atol=1e-13)


def test_no_input_is_changed_and_views_are_welcome():
    x, gamma, beta, dout, mean, var = arrays = problem((4, 3, 2, 2), 3)
    kept = [a.copy() for a in arrays]
    _, cache = reference.batch_norm_forward(x, gamma, beta, mean, var)
    reference.batch_norm_backward(dout, cache)
    reference.update_running_statistics(mean, var, x)
    _, cache = reference.layer_norm_forward(x[..., 0], gamma[:2], beta[:2])
    reference.layer_norm_backward(dout[..., 0], cache)
    for array, was in zip(arrays, kept, strict=True):
        assert_array_equal(array, was)
    for to in (np.ascontiguousarray, np.asarray):
        out, cache = reference.batch_norm_forward(to(x.transpose(0, 1, 3, 2)), gamma, beta)
        dx, *_ = reference.batch_norm_backward(to(dout.transpose(0, 1, 3, 2)), cache)
        want, cache = reference.batch_norm_forward(x, gamma, beta)
        assert_allclose(out, want.transpose(0, 1, 3, 2), rtol=1e-12)
        want, *_ = reference.batch_norm_backward(dout, cache)
        assert_allclose(dx, want.transpose(0, 1, 3, 2), rtol=1e-10)


@BOTH
def test_nan_spoils_its_own_group_alone(twins, tree, rng):
    module, to = twins[tree]
    x = rng.normal(size=(5, 3))
    x[1, 2] = np.nan
    ones, zeros = to(np.ones(3)), to(np.zeros(3))
    out = np.asarray(out_of(module.batch_norm_forward(to(x), ones, zeros)).tolist())
    assert np.isnan(out).sum(axis=0).tolist() == [0, 0, 5]
    out = np.asarray(out_of(module.layer_norm_forward(to(x), ones, zeros)).tolist())
    assert np.isnan(out).sum(axis=1).tolist() == [0, 3, 0, 0, 0]


@BOTH
def test_empty_batches(twins, tree):
    module, to = twins[tree]
    ones = to(np.ones(3))
    for shape in [(0, 3), (0, 3, 2, 2)]:
        x = to(np.zeros(shape))
        out = out_of(module.batch_norm_forward(x, ones, ones, ones, ones, training=False))
        assert tuple(out.shape) == shape
        with pytest.raises(ValueError, match=r"at least 2 values per feature, got x of shape \(0"):
            module.batch_norm_forward(x, ones, ones)
    assert tuple(out_of(module.layer_norm_forward(to(np.zeros((0, 3))), ones, ones)).shape) == (
        0,
        3,
    )


def test_backward_of_an_empty_batch():
    ones = np.ones(3)
    _, cache = reference.batch_norm_forward(np.zeros((0, 3)), ones, ones, ones, ones, False)
    dx, dgamma, dbeta = reference.batch_norm_backward(np.zeros((0, 3)), cache)
    assert dx.shape == (0, 3)
    assert dgamma.tolist() == dbeta.tolist() == [0, 0, 0]


@BOTH
def test_refuses(twins, tree):
    module, to = twins[tree]

    def a(*shape):
        return to(np.zeros(shape))

    with pytest.raises(ValueError, match=r"\(N, D\) or \(N, C, H, W\).*got \(2, 3, 4\)"):
        module.batch_norm_forward(a(2, 3, 4), a(3), a(3))
    with pytest.raises(ValueError, match=r"gamma must have a value for each of 3 .*got \(2,\)"):
        module.batch_norm_forward(a(4, 3), a(2), a(3))
    with pytest.raises(ValueError, match=r"running_var must have .*got \(1,\)"):
        module.batch_norm_forward(a(4, 3), a(3), a(3), a(3), a(1), training=False)
    with pytest.raises(ValueError, match="inference needs running_mean and running_var"):
        module.batch_norm_forward(a(4, 3), a(3), a(3), training=False)
    with pytest.raises(ValueError, match=r"at least 2 values per feature, got x of shape \(1, 3\)"):
        module.update_running_statistics(a(3), a(3), a(1, 3))
    with pytest.raises(ValueError, match=r"momentum must lie in \[0, 1\], got 2"):
        module.update_running_statistics(a(3), a(3), a(4, 3), momentum=2)
    with pytest.raises(
        ValueError, match=r"\(\.\.\., D\), \(D,\), \(D,\).*got \(4, 3\), \(3,\), \(4,\)"
    ):
        module.layer_norm_forward(a(4, 3), a(3), a(4))
    for forward in (module.batch_norm_forward, module.layer_norm_forward):
        with pytest.raises(ValueError, match="eps must be at least 0, got -1"):
            forward(a(4, 3), a(3), a(3), eps=-1)


def test_backward_refuses_another_shape():
    for forward, backward in [
        (reference.batch_norm_forward, reference.batch_norm_backward),
        (reference.layer_norm_forward, reference.layer_norm_backward),
    ]:
        _, cache = forward(np.ones((4, 3)), np.ones(3), np.ones(3))
        with pytest.raises(ValueError, match=r"shape of out, \(4, 3\), got \(3,\)"):
            backward(np.ones(3), cache)
