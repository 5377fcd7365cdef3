import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import pooling as gpu
from utils.reference import pooling as reference
from utils.reference.gradient_check import numeric_gradient, relative_error

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
SPATIAL = ["max_pool2d", "average_pool2d", "l2_pool2d"]
KINDS = ["max", "average", "l2"]


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays, how out is found in what a forward returns)}"""
    return {
        "reference": (reference, np.asarray, lambda returned: returned[0]),
        "gpu": (gpu, tensor, lambda returned: returned),
    }


@st.composite
def problems(draw, whole=False):
    """x and a window that fits: with overlaps or gaps; whole numbers are full of ties."""

    def pair(low, high):
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    kernel, stride = pair(1, 4), draw(st.none() | st.just(1)) or pair(1, 4)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    image = [max(1, k - 2 * p) + draw(st.integers(0, 5)) for k, p in zip(kernel, padding, strict=1)]
    shape = draw(st.integers(0, 2)), draw(st.integers(1, 3)), *image
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.integers(-1, 2, size=shape).astype(float) if whole else rng.normal(size=shape)
    return x, {"kernel": kernel, "stride": stride, "padding": padding}


def by_definition(name, x, kernel, stride, padding):
    """Window by window, from a padded copy."""
    edges = [(0, 0), (0, 0), *((p, p) for p in padding)]
    x = np.pad(x, edges, constant_values=-np.inf if name == "max_pool2d" else 0)
    stride = (stride, stride) if isinstance(stride, int) else stride or kernel
    size = [(s - k) // t + 1 for s, k, t in zip(x.shape[2:], kernel, stride, strict=True)]
    out = np.empty((*x.shape[:2], *size))
    for i, j in np.ndindex(*size):
        r, c = i * stride[0], j * stride[1]
        window = x[:, :, r : r + kernel[0], c : c + kernel[1]]
        out[:, :, i, j] = {
            "max_pool2d": lambda w: w.max(axis=(2, 3)),
            "average_pool2d": lambda w: w.mean(axis=(2, 3)),
            "l2_pool2d": lambda w: np.sqrt((w**2).sum(axis=(2, 3))),
        }[name](window)
    return out


A = np.array([[1.0, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]])[None, None]


@BOTH
@pytest.mark.parametrize(
    "name, want",
    [
        ("max_pool2d", [[4, 5], [3, 4]]),
        ("average_pool2d", [[2.5, 3], [1.25, 2]]),
        ("l2_pool2d", np.sqrt([[1 + 9 + 16 + 4, 25 + 9 + 9 + 1], [9 + 1 + 0 + 1, 1 + 9 + 16]])),
    ],
)
def test_by_hand(twins, tree, name, want):
    module, to, out_of = twins[tree]
    out = out_of(getattr(module, f"{name}_forward")(to(A), 2))
    assert_allclose(out[0, 0].tolist(), want, rtol=1e-15)


def test_gradients_by_hand():
    dout = np.array([[[[1.0, 2], [3, 4]]]])
    _, cache = reference.max_pool2d_forward(A, 2)
    dx = reference.max_pool2d_backward(dout, cache)[0, 0]
    assert dx.tolist() == [[0, 0, 2, 0], [1, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 4]]

    _, cache = reference.average_pool2d_forward(A, 2)
    dx = reference.average_pool2d_backward(dout, cache)[0, 0]
    assert dx.tolist() == np.kron([[1, 2], [3, 4]], np.full((2, 2), 0.25)).tolist()

    _, cache = reference.l2_pool2d_forward(np.array([[[[3.0, 4.0]]]]), (1, 2))
    assert_allclose(reference.l2_pool2d_backward(np.array([[[[10.0]]]]), cache), [[[[6, 8]]]])


def test_windows_that_overlap_add_their_gradients():
    x = np.array([[[[1.0, 5.0, 2.0]]]])
    _, cache = reference.max_pool2d_forward(x, (1, 2), stride=1)
    dx = reference.max_pool2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
    assert dx.tolist() == [[[[0, 11, 0]]]]  # 5 won twice
    _, cache = reference.average_pool2d_forward(x, (1, 2), stride=1)
    dx = reference.average_pool2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
    assert dx.tolist() == [[[[0.5, 5.5, 5]]]]


def test_a_tie_goes_to_the_first():
    _, cache = reference.max_pool2d_forward(np.zeros((1, 1, 2, 4)), 2)
    dx = reference.max_pool2d_backward(np.ones((1, 1, 1, 2)), cache)
    assert dx[0, 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0]]
    x = np.array([[[[0.0, 7.0], [7.0, 0.0]]]])  # the first row before the first column
    _, cache = reference.max_pool2d_forward(x, 2)
    assert reference.max_pool2d_backward(np.ones((1, 1, 1, 1)), cache)[0, 0].tolist() == [
        [0, 1],
        [0, 0],
    ]


def test_a_window_of_more_places_than_a_byte_counts():
    x = np.arange(17.0 * 17).reshape(1, 1, 17, 17)
    _, cache = reference.max_pool2d_forward(x, 17)
    dx = reference.max_pool2d_backward(np.ones((1, 1, 1, 1)), cache)
    assert np.argwhere(dx).tolist() == [[0, 0, 16, 16]]


@pytest.mark.parametrize("name", SPATIAL)
@pytest.mark.parametrize("whole", [False, True], ids=["any numbers", "ties"])
@given(data=st.data())
def test_definition_twin_and_autograd_agree(name, whole, data):
    import torch

    x, options = data.draw(problems(whole))
    before = x.copy()
    out, cache = getattr(reference, f"{name}_forward")(x, **options)
    assert_allclose(out, by_definition(name, x, **options), rtol=1e-13, atol=1e-15)

    t = torch.tensor(x, requires_grad=True)
    twin = getattr(gpu, f"{name}_forward")(t, **options)
    assert_allclose(twin.detach(), out, rtol=1e-10)
    dout = np.random.default_rng(0).normal(size=out.shape)
    dx = getattr(reference, f"{name}_backward")(dout, cache)
    assert dx.shape == x.shape
    twin.backward(torch.tensor(dout))
    assert_allclose(dx, t.grad, rtol=1e-9, atol=1e-14)
    assert_array_equal(x, before)


@pytest.mark.parametrize("name", SPATIAL)
@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"stride": (2, 1), "padding": 1}])
def test_gradients_agree_with_differences(rng, name, options):
    x = rng.permutation(2 * 2 * 5 * 6).reshape(2, 2, 5, 6) / 20 - 3.01  # far from ties and from 0
    forward = getattr(reference, f"{name}_forward")
    out, cache = forward(x, (3, 2), **options)
    dout = rng.uniform(0.5, 1, size=out.shape)
    dx = getattr(reference, f"{name}_backward")(dout, cache)
    want = numeric_gradient(lambda x: (forward(x, (3, 2), **options)[0] * dout).sum(), x, 1e-4)
    assert relative_error(dx, want) < 1e-7


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size, stride", [(2, None), (3, 1), (1, None), (2, 3), (6, None)])
def test_channels(tensor, rng, kind, size, stride):
    x = rng.normal(size=(3, 6, 2, 4))
    out, cache = reference.channel_pool_forward(x, size, stride, kind)
    first = range(0, 6 - size + 1, stride or size)
    want = {
        "max": lambda part: part.max(axis=1),
        "average": lambda part: part.mean(axis=1),
        "l2": lambda part: np.linalg.norm(part, axis=1),
    }[kind]
    assert_allclose(out, np.stack([want(x[:, c : c + size]) for c in first], axis=1), rtol=1e-13)

    t = tensor(x).requires_grad_()
    twin = gpu.channel_pool_forward(t, size, stride, kind)
    dout = rng.normal(size=out.shape)
    twin.backward(tensor(dout))
    assert_allclose(twin.detach().cpu(), out, rtol=1e-10)
    dx = reference.channel_pool_backward(dout, cache)
    assert_allclose(dx, t.grad.cpu(), rtol=1e-9, atol=1e-14)


def test_global_average(tensor, rng):
    x = rng.normal(size=(2, 3, 4, 5))
    out, cache = reference.global_average_pool_forward(x)
    assert_allclose(out, [[x[n, c].sum() / 20 for c in range(3)] for n in range(2)], rtol=1e-12)
    dout = rng.normal(size=out.shape)
    dx = reference.global_average_pool_backward(dout, cache)
    t = tensor(x).requires_grad_()
    twin = gpu.global_average_pool_forward(t)
    twin.backward(tensor(dout))
    assert_allclose(twin.detach().cpu(), out, rtol=1e-10)
    assert_allclose(dx, t.grad.cpu(), rtol=1e-12)
    dx += 1  # an array of its own, not a view of one number per channel


@BOTH
def test_a_window_of_zeros_has_length_zero_and_no_gradient(twins, tree):
    module, to, _ = twins[tree]
    x = to(np.zeros((1, 1, 2, 2)))
    if tree == "gpu":
        x.requires_grad_()
        out = module.l2_pool2d_forward(x, 2)
        out.sum().backward()
        dx = x.grad
    else:
        out, cache = module.l2_pool2d_forward(x, 2)
        dx = module.l2_pool2d_backward(np.ones((1, 1, 1, 1)), cache)
    assert out.item() == 0
    assert dx.tolist() == np.zeros((1, 1, 2, 2)).tolist()


@BOTH
@pytest.mark.parametrize("name", SPATIAL)
def test_nan_stays_in_its_window(twins, tree, name):
    module, to, out_of = twins[tree]
    x = np.ones((1, 1, 4, 4))
    x[0, 0, 1, 3] = np.nan
    out = out_of(getattr(module, f"{name}_forward")(to(x), 2))
    assert np.isnan(out.tolist()).tolist() == [[[[False, True], [False, False]]]]


@pytest.mark.parametrize(
    "kernel, stride, padding", [(2, 2, 0), (3, 1, 1), (3, 2, 1), ((2, 5), 1, 1)]
)
@pytest.mark.parametrize("seed", range(4))
def test_max_pool_gives_to_whom_torch_gives(kernel, stride, padding, seed):
    """Ties, nan and windows of nothing but -inf included."""
    rng = np.random.default_rng(seed)
    x = rng.choice([-np.inf, -np.inf, -np.inf, 0.0, 1.0, np.inf, np.nan][: 4 + seed], (2, 3, 6, 7))
    out, cache = reference.max_pool2d_forward(x, kernel, stride, padding)
    dout = rng.normal(size=out.shape)
    leaf = torch.tensor(x, requires_grad=True)
    peer = torch.nn.functional.max_pool2d(leaf, kernel, stride, padding)
    peer.backward(torch.tensor(dout))
    assert_array_equal(out, peer.detach())
    assert_allclose(reference.max_pool2d_backward(dout, cache), leaf.grad, atol=1e-14)


@BOTH
@pytest.mark.parametrize("name", SPATIAL)
def test_float32_stays_float32(twins, tree, rng, name):
    module, to, out_of = twins[tree]
    x = rng.normal(size=(2, 3, 6, 6))
    want, _ = getattr(reference, f"{name}_forward")(x, 3, 2, 1)
    returned = getattr(module, f"{name}_forward")(to(x.astype(np.float32)), 3, 2, 1)
    out = out_of(returned)
    assert str(out.dtype).endswith("float32")
    assert_allclose(out.tolist(), want, rtol=1e-5, atol=1e-6)
    if tree == "reference":
        assert getattr(reference, f"{name}_backward")(out, returned[1]).dtype == np.float32


@pytest.mark.parametrize("name", SPATIAL)
def test_views_that_are_not_contiguous(rng, name):
    x = rng.normal(size=(7, 6, 3, 2)).T[:, ::-1, :, ::2]  # (2, 3, 6, 4)
    forward, backward = (getattr(reference, f"{name}_{way}") for way in ("forward", "backward"))
    (out, cache), (want, want_cache) = forward(x, 2, 1), forward(x.copy(), 2, 1)
    assert_array_equal(out, want)
    dout = rng.normal(size=out.shape[::-1]).T
    assert_array_equal(backward(dout, cache), backward(dout.copy(), want_cache))


@pytest.mark.parametrize("name", SPATIAL)
def test_pixels_are_computed_in_float64(name):
    pixels = np.full((1, 1, 2, 2), 200, np.uint8)
    out, _ = getattr(reference, f"{name}_forward")(pixels, 2)
    assert out.dtype == np.float64
    assert out.item() == (400 if name == "l2_pool2d" else 200)


@BOTH
@pytest.mark.parametrize("name", SPATIAL)
@pytest.mark.parametrize(
    "change, message",
    [
        ({"x": np.zeros((3, 5, 5))}, r"x must be \(N, C, H, W\)"),
        ({"x": np.zeros((1, 1, 0, 5))}, "only N may be 0"),
        ({"kernel": 6}, "must fit"),
        ({"kernel": 0}, "must be at least 1"),
        ({"stride": 0}, "must be at least 1"),
        ({"kernel": 3, "padding": 2}, r"at most half the kernel \(3, 3\), got \(2, 2\)"),
        ({"kernel": 3, "padding": (0, 2)}, r"at most half the kernel \(3, 3\), got \(0, 2\)"),
        ({"stride": (1, 2, 3)}, "a pair of ints"),
    ],
)
def test_refuses(twins, tree, name, change, message):
    module, to, _ = twins[tree]
    bad = {"x": np.zeros((1, 1, 5, 5)), "kernel": 2} | change
    with pytest.raises(ValueError, match=message):
        getattr(module, f"{name}_forward")(**(bad | {"x": to(bad["x"])}))


def test_the_others_refuse(twins):
    for module, to, _ in twins.values():
        with pytest.raises(ValueError, match=r"kind must be one of .* got 'median'"):
            module.channel_pool_forward(to(np.zeros((1, 4, 2, 2))), 2, kind="median")
        with pytest.raises(ValueError, match="must fit"):
            module.channel_pool_forward(to(np.zeros((1, 4, 2, 2))), 5)
        with pytest.raises(ValueError, match=r"x must be \(N, C, H, W\)"):
            module.global_average_pool_forward(to(np.zeros((1, 4, 2))))
    x, wrong = np.zeros((1, 4, 4, 4)), np.zeros((1, 4, 4, 4))
    for name, arguments in [
        *((name, [2]) for name in SPATIAL),
        ("channel_pool", [2]),
        ("global_average_pool", []),
    ]:
        _, cache = getattr(reference, f"{name}_forward")(x, *arguments)
        with pytest.raises(ValueError, match=r"dout must have the shape of out, .* got \(1, "):
            getattr(reference, f"{name}_backward")(wrong, cache)
