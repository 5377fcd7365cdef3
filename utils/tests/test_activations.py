import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from utils.gpu import activations as gpu
from utils.reference import activations as reference
from utils.reference.gradient_check import numeric_gradient
from utils.reference.losses import binary_cross_entropy

OVER_CLASSES = ["softmax", "log_softmax", "log_sum_exp"]
ENTRYWISE = [
    "identity",
    "step",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "softplus",
]
NAMES = [*ENTRYWISE, *OVER_CLASSES]
WITH_OPTIONS = [
    *((name, {}) for name in NAMES),
    ("sigmoid", {"steepness": 2.5}),
    ("leaky_relu", {"slope": 0.2}),
    ("elu", {"alpha": 1.7}),
    ("gelu", {"approximate": True}),
    ("maxout", {"n_pieces": 3}),
]
IDS = ["-".join([name, *options]) for name, options in WITH_OPTIONS]
EVERY = pytest.mark.parametrize("name, options", WITH_OPTIONS, ids=IDS)
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


@EVERY
@pytest.mark.parametrize("shape", [(5, 3), (1, 3), (6,), (2, 3, 9), (0, 3)])
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_twins_agree(tensor, rng, name, options, shape, dtype, tol):
    x = (10 * rng.normal(size=shape)).astype(dtype)
    want = getattr(reference, name)(x, **options)
    t = tensor(x).requires_grad_()
    got = getattr(gpu, name)(t, **options)
    assert str(got.dtype) == f"torch.{dtype}"
    assert want.dtype == dtype
    assert_allclose(got.detach().cpu(), want, atol=tol, rtol=tol)

    dout = rng.normal(size=want.shape).astype(dtype)
    dx = getattr(reference, f"{name}_backward")(dout, x, **options)
    got.backward(tensor(dout))
    assert dx.dtype == dtype
    assert_allclose(t.grad.cpu(), dx, atol=10 * tol, rtol=tol)


def loss_of(function, weights, **options):
    return lambda x: (function(x, **options) * weights).sum()


@EVERY
def test_derivatives_against_differences(rng, name, options):
    x = rng.uniform(0.1, 3, size=(4, 6)) * rng.choice([-1, 1], size=(4, 6))  # away from the kinks
    function = getattr(reference, name)
    dout = rng.normal(size=function(x, **options).shape)
    dx = getattr(reference, f"{name}_backward")(dout, x, **options)
    numeric = numeric_gradient(loss_of(function, dout, **options), x)
    assert_allclose(dx, numeric, rtol=1e-7, atol=1e-8)  # a sum of 24 rounds to 1e-15 / step


@EVERY
@given(data=st.data())
def test_any_shape_stays_and_autograd_agrees(name, options, data):
    shape = data.draw(array_shapes(max_dims=4, max_side=3))
    if name == "maxout":
        shape = (*shape[:-1], 3 * shape[-1])
    x = data.draw(arrays(np.float64, shape, elements=st.floats(-50, 50)))
    before = x.copy()
    out = getattr(reference, name)(x, **options)
    dx = getattr(reference, f"{name}_backward")(np.ones(out.shape), x, **options)
    assert_array_equal(x, before)
    assert dx.shape == x.shape
    t = torch.tensor(x, requires_grad=True)
    twin = getattr(gpu, name)(t, **options)
    twin.sum().backward()
    assert_allclose(twin.detach(), out, rtol=1e-10, atol=1e-14)
    assert_allclose(t.grad, dx, rtol=1e-9, atol=1e-13)


@EVERY
def test_a_view_with_gaps_is_as_good(rng, name, options):
    x = rng.normal(size=(12, 4)).T[:, ::2]  # (4, 6)
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    out = function(x, **options)
    assert_array_equal(out, function(x.copy(), **options))
    assert_array_equal(backward(out, x, **options), backward(out.copy(), x.copy(), **options))


@EVERY
def test_nan_comes_out_as_nan(tensor, name, options):
    x = np.array([[np.nan, 1.0, -1.0], [0.5, 1.0, -1.0]])
    out = getattr(reference, name)(x, **options)
    rows = np.isnan(out).reshape(2, -1)
    assert rows[0].all() if name in [*OVER_CLASSES, "maxout"] else rows[0].tolist() == [1, 0, 0]
    assert not rows[1].any()
    twin = getattr(gpu, name)(tensor(x), **options)
    assert_array_equal(np.isnan(twin.cpu().numpy()), np.isnan(out))


@EVERY
def test_ints_become_floats(name, options):
    x = np.array([[-2, 0, 3]])
    want = getattr(reference, name)(x.astype(float), **options)
    assert_array_equal(getattr(reference, name)(x, **options), want)
    assert getattr(reference, name)(x, **options).dtype == np.float64
    backward = getattr(reference, f"{name}_backward")
    ones = np.ones(want.shape, dtype=int)
    assert_array_equal(backward(ones, x, **options), backward(ones + 0.0, x + 0.0, **options))


@EVERY
def test_a_dout_of_another_shape_is_refused(name, options):
    with pytest.raises(ValueError, match=r"dout must have the shape of the output, .*got \(7,\)"):
        getattr(reference, f"{name}_backward")(np.ones(7), np.ones((2, 6)), **options)


# at the kink: (value, derivative)
@pytest.mark.parametrize(
    "name, options, value, slope",
    [
        ("step", {}, 1, 0),
        ("relu", {}, 0, 0),
        ("leaky_relu", {"slope": 0.25}, 0, 0.25),
        ("prelu", {"slope": np.array(0.25)}, 0, 0.25),
        ("elu", {"alpha": 2.0}, 0, 2),
        ("tanh", {}, 0, 1),
        ("sigmoid", {"steepness": 3.0}, 0.5, 0.75),
        ("gelu", {}, 0, 0.5),
        ("gelu", {"approximate": True}, 0, 0.5),
        ("softplus", {}, np.log(2), 0.5),
    ],
)
def test_at_zero_by_hand(tensor, name, options, value, slope):
    zero = np.zeros(1)
    assert_allclose(getattr(reference, name)(zero, **options), [value], rtol=1e-15)
    dx = getattr(reference, f"{name}_backward")(np.ones(1), zero, **options)
    assert_allclose(dx[0] if name == "prelu" else dx, [slope], rtol=1e-15)
    t = tensor(zero).requires_grad_()
    if name == "prelu":
        options = {"slope": tensor(options["slope"])}
    out = getattr(gpu, name)(t, **options)
    out.sum().backward()
    assert_allclose(out.detach().cpu(), [value], rtol=1e-15)
    assert_allclose(t.grad.cpu(), [slope], rtol=1e-15)


def test_sigmoid_and_cross_entropy_cancel_where_they_saturate():
    x, t = np.array([25.0]), np.array([0.0])  # 1 - p has five digits left; p - t has them all
    p = reference.sigmoid(x)
    _, dp = binary_cross_entropy(p, t)
    assert_allclose(reference.sigmoid_backward(dp, x), p - t, rtol=1e-14)


def test_piecewise_by_hand():
    x = np.array([-2.0, -0.5, 0.5, 2.0])
    assert reference.step(x).tolist() == [0, 0, 1, 1]
    assert reference.relu(x).tolist() == [0, 0, 0.5, 2]
    assert reference.leaky_relu(x, slope=0.25).tolist() == [-0.5, -0.125, 0.5, 2]
    assert_allclose(reference.elu(np.log([0.25, 0.5]), alpha=2.0), [-1.5, -1])  # 2 (1/4 - 1)
    assert_allclose(reference.softplus(np.log([1.0, 3.0])), np.log([2, 4]))
    # tanh(log 2) = (2 - 1/2) / (2 + 1/2)
    assert_allclose(reference.tanh(np.log(2)), 3 / 5)
    assert_allclose(reference.tanh_backward(1.0, np.log(2)), 16 / 25)
    # Phi(1) = 0.8413
    assert_allclose(reference.gelu(np.array([1.0, -1.0])), [0.8413447, -0.1586553], atol=5e-8)


def test_selu_keeps_a_standard_normal_standard():
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    out = reference.selu(nodes)
    assert_allclose(weights @ out, 0, atol=2e-3)  # a kink at 0: the rule converges slowly
    assert_allclose(weights @ out**2, 1, atol=2e-3)


def test_the_two_gelus_are_close():
    x = np.linspace(-10, 10, 4001)
    apart = np.abs(reference.gelu(x) - reference.gelu(x, approximate=True))
    assert 4e-4 < apart.max() < 5e-4
    assert -0.17 < reference.gelu(x).min() < -0.1699


def test_no_digits_are_lost_where_torchs_softplus_gives_up(tensor):
    x = np.array([20.5, 30.0])
    want = x + np.log1p(np.exp(-x))
    assert_allclose(reference.softplus(x), want, rtol=1e-15)
    assert_allclose(gpu.softplus(tensor(x)).cpu(), want, rtol=1e-15)


@pytest.mark.parametrize("shape", [(), (3,), (1, 3), (4, 1, 1), (2, 4, 5, 3)])
def test_prelu_learns_its_slope(tensor, rng, shape):
    x, slope = rng.normal(size=(2, 4, 5, 3)), rng.uniform(0.1, 0.5, size=shape)
    dout = rng.normal(size=x.shape)
    dx, dslope = reference.prelu_backward(dout, x, slope)
    assert np.shape(dslope) == shape
    t, s = tensor(x).requires_grad_(), tensor(slope).requires_grad_()
    out = gpu.prelu(t, s)
    out.backward(tensor(dout))
    assert_allclose(out.detach().cpu(), reference.prelu(x, slope), rtol=1e-12)
    assert_allclose(t.grad.cpu(), dx, rtol=1e-12)
    assert_allclose(s.grad.cpu(), dslope, rtol=1e-10, atol=1e-12)
    numeric = numeric_gradient(lambda s: (reference.prelu(x, s) * dout).sum(), slope)
    assert_allclose(dslope, numeric, rtol=1e-7, atol=1e-8)


def test_prelu_is_torchs(rng):
    x, slope = rng.normal(size=(2, 4, 5)), rng.uniform(size=4)
    want = F.prelu(torch.tensor(x), torch.tensor(slope))
    assert_allclose(reference.prelu(x, slope[:, None]), want, rtol=1e-15)
    assert_allclose(reference.prelu(x, 0.3), reference.leaky_relu(x, slope=0.3))
    assert_allclose(gpu.prelu(torch.tensor(x), 0.3), reference.prelu(x, 0.3))
    small = reference.prelu(x.astype(np.float32), slope[:, None])
    assert small.dtype == np.float32


def test_prelu_refuses_a_slope_that_does_not_fit(tensor):
    for shape in [(4,), (2, 2, 3), (5, 1, 1, 1)]:
        for tree, to in [(reference, np.asarray), (gpu, tensor)]:
            with pytest.raises(ValueError, match=r"slope must broadcast to .*\(2, 3\), got"):
                tree.prelu(to(np.ones((2, 3))), to(np.ones(shape)))
    with pytest.raises(ValueError, match="slope must broadcast"):
        reference.prelu_backward(np.ones((2, 3)), np.ones((2, 3)), np.ones(4))


def test_the_tanh_gelu_far_out():
    x = np.array([-np.inf, -1e308, -1e150, -40.0, 40.0, 1e150, 1e308, np.inf, np.nan])
    dx = reference.gelu_backward(np.ones(9), x, approximate=True)
    assert_array_equal(dx, [0, 0, 0, 0, 1, 1, 1, 1, np.nan])


@pytest.mark.parametrize(
    "scores", [[np.inf, 0, 1], [np.inf, np.inf], [-np.inf, 0, 1], [-np.inf, -np.inf], [1, np.nan]]
)
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_log_sum_exp_of_infinite_scores(tensor, scores):
    want = special.logsumexp(scores)
    assert_array_equal(reference.log_sum_exp(np.array(scores)), want)
    assert_array_equal(gpu.log_sum_exp(tensor(scores)).cpu(), want)


def test_maxout_by_hand(tensor):
    x = np.array([[1.0, 3.0, 2.0, 2.0, -1.0, 2.0]])
    assert reference.maxout(x, 3).tolist() == [[3, 2]]
    assert reference.maxout(x, 2).tolist() == [[3, 2, 2]]
    dout = np.array([[10.0, 20.0]])
    want = [[0, 10, 0, 20, 0, 0]]  # of the two that tie the first
    assert reference.maxout_backward(dout, x, 3).tolist() == want
    t = tensor(x).requires_grad_()
    gpu.maxout(t, 3).backward(tensor(dout))
    assert t.grad.tolist() == want


def test_relu_and_absolute_value_are_maxima_of_two(rng):
    x = rng.normal(size=7)
    assert_array_equal(reference.maxout(np.stack([x, 0 * x], axis=-1), 2)[:, 0], reference.relu(x))
    assert_array_equal(reference.maxout(np.stack([x, -x], axis=-1), 2)[:, 0], np.abs(x))


@pytest.mark.parametrize("shape, n_pieces", [((2, 5), 2), ((2, 4), 0), ((), 1)])
def test_maxout_refuses(tensor, shape, n_pieces):
    for tree, to in [(reference, np.asarray), (gpu, tensor)]:
        with pytest.raises(ValueError, match=rf"multiple of {n_pieces}, got shape"):
            tree.maxout(to(np.ones(shape)), n_pieces)


def test_the_table_holds_functions_of_x_alone():
    for name, (function, backward) in reference.ACTIVATIONS.items():
        assert function is getattr(reference, name)
        assert backward is getattr(reference, f"{name}_backward")
        assert gpu.ACTIVATIONS[name] is getattr(gpu, name)


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
        dx = getattr(reference, f"{name}_backward")(np.ones_like(want), scores)
    assert np.isfinite(want).all() and np.isfinite(dx).all()
    assert_allclose(getattr(gpu, name)(tensor(scores)).cpu(), want, rtol=1e-12)


@pytest.mark.parametrize("name", OVER_CLASSES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_no_class_at_all(tensor, name, shape):
    for tree, to in [(reference, lambda a: a), (gpu, tensor)]:
        with pytest.raises(ValueError, match="C at least 1, got shape"):
            getattr(tree, name)(to(np.zeros(shape)))
