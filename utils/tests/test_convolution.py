import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import correlate

from utils.gpu import convolution as gpu
from utils.reference import convolution as reference
from utils.reference.gradient_check import numeric_gradient, relative_error

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
FORMS = ["conv2d_loops_forward", "conv2d_forward"]
NAMES = ["dx", "dw", "db"]


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays, how out is found in what a forward returns)}"""
    return {
        "reference": (reference, np.asarray, lambda returned: returned[0]),
        "gpu": (gpu, tensor, lambda returned: returned),
    }


@st.composite
def problems(draw):
    """x, w, b and options that fit: sizes down to one, no bias, an empty batch, uneven pairs."""

    def pair(low, high):
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    groups = draw(st.integers(1, 3))
    kernel, dilation, padding = pair(1, 3), pair(1, 2), pair(0, 2)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    image = [
        max(1, r - 2 * p) + draw(st.integers(0, 4)) for r, p in zip(reach, padding, strict=True)
    ]
    C, F = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    N = draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x, w = rng.normal(size=(N, C, *image)), rng.normal(size=(F, C // groups, *kernel))
    b = rng.normal(size=F) if draw(st.booleans()) else None
    options = {"stride": pair(1, 3), "padding": padding, "dilation": dilation, "groups": groups}
    return x, w, b, options


def gradients_by_autograd(x, w, b, dout, options):
    import torch

    inputs = [torch.tensor(a, requires_grad=True) for a in (x, w, b) if a is not None]
    out = torch.nn.functional.conv2d(*inputs, **options)
    gradients = torch.autograd.grad(out, inputs, torch.tensor(dout))
    return out.detach().numpy(), [g.numpy() for g in gradients]


@BOTH
@pytest.mark.parametrize("form", FORMS)
def test_by_hand(twins, tree, form):
    module, to, out_of = twins[tree]
    x = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0]])
    x = np.vstack([x, [[0, 1, 1, 0, 0]]])[None, None].astype(np.float64)
    w = np.array([[[[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]]])
    # the first place: 1 + 1 from the first row, 1 from the middle, 0 + 1 from the last
    out = out_of(getattr(module, form)(to(x), to(w)))
    assert out[0, 0].tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    with_bias = out_of(getattr(module, form)(to(x), to(w), to(np.array([0.5])), stride=2))
    assert with_bias[0, 0].tolist() == [[4.5, 4.5], [2.5, 4.5]]


@pytest.mark.parametrize("backward", ["conv2d_loops_backward", "conv2d_backward"])
def test_gradients_by_hand(backward):
    x, w = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[10.0, 20.0]]]])
    _, cache = reference.conv2d_forward(x, w, np.zeros(1))
    dx, dw, db = getattr(reference, backward)(np.array([[[[1.0, 100.0]]]]), cache)
    assert dx.tolist() == [[[[10, 20 + 1000, 2000]]]]  # the middle pixel is seen twice
    assert dw.tolist() == [[[[1 + 200, 2 + 300]]]]  # each weight is used twice
    assert db.tolist() == [101]


@given(problems())
def test_loops_and_products_and_torch_are_one(problem):
    x, w, b, options = problem
    before = [a if a is None else a.copy() for a in (x, w, b)]
    out, cache = reference.conv2d_forward(x, w, b, **options)
    by_loops, loops_cache = reference.conv2d_loops_forward(x, w, b, **options)
    assert_allclose(out, by_loops, rtol=1e-12, atol=1e-12)

    dout = np.random.default_rng(0).normal(size=out.shape)
    gradients = reference.conv2d_backward(dout, cache)
    loops = reference.conv2d_loops_backward(dout, loops_cache)
    want_out, want = gradients_by_autograd(x, w, b, dout, options)
    assert_allclose(out, want_out, rtol=1e-10, atol=1e-12)
    for name, fast, slow, torchs in zip(NAMES, gradients, loops, [*want, None], strict=False):
        if name == "db" and b is None:
            assert fast is None and slow is None
            continue
        assert_allclose(fast, slow, rtol=1e-12, atol=1e-12, err_msg=name)
        assert_allclose(fast, torchs, rtol=1e-9, atol=1e-12, err_msg=name)
    for array, old in zip((x, w, b), before, strict=True):
        assert old is None or (array == old).all()


@given(problems())
def test_twins_agree(problem):
    import torch

    x, w, b, options = problem
    tensors = [None if a is None else torch.tensor(a) for a in (x, w, b)]
    for form in FORMS:
        want, _ = getattr(reference, form)(x, w, b, **options)
        got = getattr(gpu, form)(*tensors, **options)
        assert_allclose(got, want, rtol=1e-10, atol=1e-12, err_msg=form)


@pytest.mark.parametrize("form", FORMS)
def test_autograd_goes_through_the_twin(tensor, rng, form):
    x, w, b = rng.normal(size=(2, 4, 5, 6)), rng.normal(size=(6, 2, 3, 2)), rng.normal(size=6)
    options = {"stride": (2, 1), "padding": 1, "groups": 2}
    inputs = [tensor(a).requires_grad_() for a in (x, w, b)]
    out = getattr(gpu, form)(*inputs, **options)
    dout = rng.normal(size=out.shape)
    (out * tensor(dout)).sum().backward()
    _, cache = reference.conv2d_forward(x, w, b, **options)
    for t, want in zip(inputs, reference.conv2d_backward(dout, cache), strict=True):
        assert_allclose(t.grad.cpu(), want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": (0, 2)}, {"dilation": (2, 1), "padding": 1}, {"groups": 2}],
)
def test_gradients_agree_with_differences(rng, options):
    groups = options.get("groups", 1)
    x, w, b = rng.normal(size=(2, 2, 4, 5)), rng.normal(size=(4, 2 // groups, 2, 3)), np.ones(4)
    out, cache = reference.conv2d_forward(x, w, b, **options)
    dout = rng.normal(size=out.shape)

    def objective(x=x, w=w, b=b):
        return (reference.conv2d_forward(x, w, b, **options)[0] * dout).sum()

    step = 1e-3  # wide, against rounding: of a function linear in each argument it loses nothing
    dx, dw, db = reference.conv2d_backward(dout, cache)
    assert relative_error(dx, numeric_gradient(lambda a: objective(x=a), x, step)) < 1e-7
    assert relative_error(dw, numeric_gradient(lambda a: objective(w=a), w, step)) < 1e-7
    assert relative_error(db, numeric_gradient(lambda a: objective(b=a), b, step)) < 1e-7


@pytest.mark.parametrize("block_bytes", [1, 5_000, 2**20])
def test_blocks_change_nothing(monkeypatch, rng, block_bytes):
    """Blocks of one image, of some, the last one smaller, and one block of all."""
    monkeypatch.setattr(reference, "_BLOCK_BYTES", block_bytes)
    x, w, b = rng.normal(size=(7, 2, 5, 5)), rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3)
    out, cache = reference.conv2d_forward(x, w, b)
    want, loops_cache = reference.conv2d_loops_forward(x, w, b)
    assert_allclose(out, want, rtol=1e-12, atol=1e-12)
    for got, want in zip(
        reference.conv2d_backward(out, cache),
        reference.conv2d_loops_backward(out, loops_cache),
        strict=True,
    ):
        assert_allclose(got, want, rtol=1e-12, atol=1e-11)


def test_memory_holds_the_columns_of_one_block(rng):
    N, C, size, F, kernel = 16, 3, 96, 8, 7
    x, w = rng.normal(size=(N, C, size, size)), rng.normal(size=(F, C, kernel, kernel))
    options = {"stride": 2, "padding": 3}
    tracemalloc.start()
    out, cache = reference.conv2d_forward(x, w, **options)
    _, forward = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    reference.conv2d_backward(out, cache)
    _, backward = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    all_columns = N * C * kernel**2 * (size // 2) ** 2 * 8
    one_image = all_columns // N  # above the size of a block, so that this is one
    # One block is still held while the next is built; backwards it has its gradient beside it.
    assert forward < out.nbytes + 2.5 * one_image
    assert backward < out.nbytes + 1.5 * x.nbytes + 4.5 * one_image
    assert max(forward, backward) < all_columns / 2


@BOTH
@pytest.mark.parametrize("form", [*FORMS, "conv2d_fft"])
def test_float32_stays_float32(twins, tree, rng, form):
    module, to, out_of = twins[tree]
    x, w = rng.normal(size=(2, 3, 6, 6)), rng.normal(size=(4, 3, 3, 3))
    want, _ = reference.conv2d_forward(x, w, np.ones(4))
    out = getattr(module, form)(*(to(a.astype(np.float32)) for a in (x, w, np.ones(4))))
    out = out if form == "conv2d_fft" else out_of(out)
    assert str(out.dtype).endswith("float32")
    assert_allclose(out.tolist(), want, atol=1e-4)


def test_gradients_stay_float32_and_pixels_become_float64(rng):
    x, w = rng.normal(size=(2, 3, 6, 6)).astype("f4"), rng.normal(size=(4, 3, 3, 3)).astype("f4")
    out, cache = reference.conv2d_forward(x, w, np.ones(4, "f4"))
    for backward in (reference.conv2d_backward, reference.conv2d_loops_backward):
        assert [g.dtype for g in backward(out, cache)] == [np.float32] * 3

    pixels, box = np.full((1, 1, 3, 3), 200, np.uint8), np.ones((1, 1, 3, 3), np.uint8)
    for form in FORMS:
        out, _ = getattr(reference, form)(pixels, box)
        assert out.dtype == np.float64
        assert out.item() == 1800  # 9 * 200 does not wrap around at 256


def test_views_that_are_not_contiguous(rng):
    x, w = rng.normal(size=(6, 5, 3, 2)).transpose(3, 2, 1, 0), rng.normal(size=(3, 2, 3, 4)).T
    x, w = x[:, ::-1, :, ::2], w[:, :, :, ::-1]  # (2, 3, 5, 3) and (4, 3, 2, 3)
    out, cache = reference.conv2d_forward(x, w, np.zeros(4))
    want, want_cache = reference.conv2d_forward(x.copy(), w.copy(), np.zeros(4))
    assert_array_equal(out, want)
    dout = rng.normal(size=out.shape[::-1]).T
    for got, want in zip(
        reference.conv2d_backward(dout, cache),
        reference.conv2d_backward(dout.copy(), want_cache),
        strict=True,
    ):
        assert_allclose(got, want, rtol=1e-12)


def test_nan_reaches_what_sees_it_and_no_more():
    x, w = np.zeros((2, 1, 4, 4)), np.ones((1, 1, 2, 2))
    x[0, 0, 0, 0] = np.nan
    for form in FORMS:
        out, _ = getattr(reference, form)(x, w)
        assert np.argwhere(np.isnan(out)).tolist() == [[0, 0, 0, 0]]


@BOTH
def test_im2col_by_hand(twins, tree):
    module, to, _ = twins[tree]
    x = to(np.arange(1.0, 10).reshape(1, 1, 3, 3))
    # one row per weight, one column per place
    want = [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    cols = module.im2col(x, 2)
    assert cols[0].tolist() == want
    back = module.col2im(cols, (3, 3), 2)  # each pixel times the number of patches that hold it
    assert back[0, 0].tolist() == [[1, 4, 3], [8, 20, 12], [7, 16, 9]]


@given(problems())
def test_im2col_and_col2im_agree_with_torch_and_are_transposes(problem):
    import torch

    x, w, _, options = problem
    window = [w.shape[2:], options["stride"], options["padding"], options["dilation"]]
    cols = reference.im2col(x, *window)
    assert_array_equal(gpu.im2col(torch.tensor(x), *window), cols)
    other = np.random.default_rng(0).normal(size=cols.shape)
    back = reference.col2im(other, x.shape[2:], *window)
    assert back.shape == x.shape
    twin = gpu.col2im(torch.tensor(other), x.shape[2:], *window)
    assert_allclose(twin, back, rtol=1e-12, atol=1e-12)
    assert_allclose((cols * other).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


@BOTH
@pytest.mark.parametrize("size, kernel", [((9, 14), (7, 13)), ((5, 5), (1, 1)), ((3, 4), (5, 6))])
def test_fft_agrees(twins, tree, rng, size, kernel):
    module, to, _ = twins[tree]
    x, w, b = rng.normal(size=(2, 3, *size)), rng.normal(size=(4, 3, *kernel)), rng.normal(size=4)
    padding = (kernel[0] // 2, kernel[1] // 2)
    want, _ = reference.conv2d_forward(x, w, b, padding=padding)
    assert_allclose(module.conv2d_fft(to(x), to(w), to(b), padding).tolist(), want, atol=1e-12)
    assert module.conv2d_fft(to(x[:0]), to(w), None, padding).shape == (0, *want.shape[1:])


def test_scipy_agrees(rng):
    x, w = rng.normal(size=(1, 1, 12, 11)), rng.normal(size=(1, 1, 4, 5))
    want = correlate(x[0, 0], w[0, 0], mode="valid")
    assert_allclose(reference.conv2d_forward(x, w)[0][0, 0], want, atol=1e-12)


@BOTH
@pytest.mark.parametrize(
    "arguments, want",
    [
        ((7, 3, 3, 1), 3),  # the syllabus: 7 + 2 - 3, by 3, plus 1
        ((28, 5), 24),
        ((32, 5, 1, 2), 32),
        ((224, 7, 2, 3), 112),
        ((227, 11, 4), 55),
        ((7, 3, 2, 0, 3), 1),  # a dilated filter of 7 pixels
        ((1, 1), 1),
    ],
)
def test_output_size(twins, tree, arguments, want):
    module, _, _ = twins[tree]
    assert module.output_size(*arguments) == want


def test_seven_by_seven():
    out, _ = reference.conv2d_forward(
        np.zeros((1, 1, 7, 7)), np.zeros((1, 1, 3, 3)), stride=3, padding=1
    )
    assert out.shape == (1, 1, 3, 3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((3, 4), "must fit .* got 4 pixels of filter for 3 of image and padding 0"),
        ((0, 1, 1, 3), "must fit"),
        ((5, 0), "at least 1"),
        ((5, 3, 0), "at least 1"),
        ((5, 3, 1, -1), "padding at least 0"),
    ],
)
def test_output_size_refuses(arguments, message):
    for module in (reference, gpu):
        with pytest.raises(ValueError, match=message):
            module.output_size(*arguments)


def test_weights_that_sharing_saves():
    """28 x 28 to 24 x 24 with a filter of 5 x 5: the layer as a matrix, one row per pixel."""
    pixels = np.eye(784).reshape(784, 1, 28, 28)
    w = np.arange(1.0, 26).reshape(1, 1, 5, 5)  # no two alike
    out, _ = reference.conv2d_forward(pixels, w)
    matrix = out.reshape(784, 24 * 24)
    assert matrix.size == 451_584  # dense: every pixel to every output
    assert np.count_nonzero(matrix) == 14_400  # local: 25 to every output
    assert len(np.unique(matrix[matrix != 0])) == 25  # shared


def vgg16():
    return [
        layer
        for count in (2, 2, 3, 3, 3)
        for layer in [(3, 1)] * count + [(2, 2)]  # convolutions, then pooling
    ]


def test_receptive_field():
    for module in (reference, gpu):
        assert module.receptive_field([]) == 1
        assert module.receptive_field([(3, 1)] * 3) == 7  # three 3x3 see what one 7x7 sees
        assert module.receptive_field([(3, 2), (3, 1)]) == 7
        assert module.receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4)]) == 15
        assert module.receptive_field(vgg16()[:-1]) == 196  # conv5_3
        for bad in [(3,), (3, 0), (0, 1), (3, 1, 1, 1)]:
            with pytest.raises(ValueError, match="each layer must be"):
                module.receptive_field([bad])


def test_the_receptive_field_is_what_a_gradient_reaches(rng):
    layers = [(3, 2), (2, 1, 3), (3, 1)]
    x = rng.normal(size=(1, 1, 40, 40))
    caches = []
    for kernel, stride, *dilation in layers:
        w = rng.uniform(1, 2, size=(1, 1, kernel, kernel))
        x, cache = reference.conv2d_forward(x, w, stride=stride, dilation=(dilation or [1])[0])
        caches.append(cache)
    dx = np.zeros(x.shape)
    dx[0, 0, 3, 3] = 1
    for cache in reversed(caches):
        dx, _, _ = reference.conv2d_backward(dx, cache)
    rows = np.flatnonzero(dx.any(axis=(0, 1, 3)))
    assert rows[-1] - rows[0] + 1 == reference.receptive_field(layers)


def test_moving_the_image_moves_the_output(rng):
    x, w = rng.normal(size=(1, 2, 9, 9)), rng.normal(size=(3, 2, 3, 3))
    out, _ = reference.conv2d_forward(x, w)
    moved, _ = reference.conv2d_forward(np.roll(x, (2, 1), axis=(2, 3)), w)
    assert_allclose(moved[:, :, 2:, 1:], out[:, :, :-2, :-1], rtol=1e-12, atol=1e-14)


@BOTH
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "change, message",
    [
        ({"x": np.zeros((2, 5, 5))}, r"x must be \(N, C, H, W\).*got shape \(2, 5, 5\)"),
        ({"x": np.zeros((2, 0, 5, 5))}, "only N may be 0"),
        ({"x": np.zeros((2, 4, 5, 5))}, r"groups dividing C and F, got \(2, 4, 5, 5\)"),
        ({"w": np.zeros((4, 3, 3))}, "x and w must be"),
        ({"w": np.zeros((0, 3, 3, 3))}, "x and w must be"),
        ({"groups": 2}, "with groups 2"),
        ({"groups": 0}, "with groups 0"),
        ({"b": np.zeros(3)}, r"b must be \(4,\), one for each filter, got shape \(3,\)"),
        ({"stride": 0}, "stride and dilation must be at least 1"),
        ({"dilation": 3}, "got 7 pixels of filter for 5 of image"),
        ({"padding": (1, 2, 3)}, r"a pair of ints, got \(1, 2, 3\)"),
        ({"stride": 1.5}, "a pair of ints, got 1.5"),
        ({"stride": (1, 1.5)}, r"a pair of ints, got \(1, 1.5\)"),
    ],
)
def test_refuses(twins, tree, form, change, message):
    module, to, _ = twins[tree]
    bad = {"x": np.zeros((2, 3, 5, 5)), "w": np.zeros((4, 3, 3, 3)), "b": np.zeros(4)} | change
    bad = {name: to(v) if isinstance(v, np.ndarray) else v for name, v in bad.items()}
    with pytest.raises(ValueError, match=message):
        getattr(module, form)(**bad)


def test_backward_and_col2im_refuse(tensor):
    _, cache = reference.conv2d_forward(np.zeros((2, 1, 5, 5)), np.zeros((3, 1, 2, 2)))
    for backward in (reference.conv2d_backward, reference.conv2d_loops_backward):
        with pytest.raises(ValueError, match=r"out, \(2, 3, 4, 4\), got \(2, 3, 5, 5\)"):
            backward(np.zeros((2, 3, 5, 5)), cache)
    for module, to in [(reference, np.asarray), (gpu, tensor)]:
        with pytest.raises(ValueError, match=r"cols must be \(N, C \* 4, 16\), got shape"):
            module.col2im(to(np.zeros((1, 4, 15))), (5, 5), 2)
        with pytest.raises(ValueError, match=r"cols must be \(N, C \* 4, 16\), got shape"):
            module.col2im(to(np.zeros((1, 6, 16))), (5, 5), 2)
        with pytest.raises(ValueError, match=r"cols must be .*got shape"):
            module.col2im(to(np.zeros((4, 16))), (5, 5), 2)
        with pytest.raises(ValueError, match="got shape"):
            module.im2col(to(np.zeros((5, 5))), 2)
