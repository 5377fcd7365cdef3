import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from utils.gpu import regularization as gpu
from utils.reference import optimizers
from utils.reference import regularization as reference
from utils.reference.gradient_check import numeric_gradient, relative_error

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
PENALTIES = {"l1_penalty": {}, "l2_penalty": {}, "elastic_penalty": {"l1_ratio": 0.3}}


@pytest.fixture
def twins(tensor, device):
    """{tree: (module, how it takes arrays, how it makes randomness of a seed)}"""
    return {
        "reference": (reference, np.asarray, np.random.default_rng),
        "gpu": (gpu, tensor, lambda seed: torch.Generator(device=device).manual_seed(seed)),
    }


def out_of(result):
    """What a layer or a penalty returns first, or alone."""
    return result[0] if isinstance(result, tuple) else result


@BOTH
def test_penalties_by_hand(twins, tree):
    module, to, _ = twins[tree]
    w = to(np.array([[1.0, -2.0], [0.0, 3.0]]))  # sum |w| = 6, sum w^2 = 14
    assert float(out_of(module.l1_penalty(w, 0.5))) == 3
    assert float(out_of(module.l2_penalty(w, 0.5))) == 3.5
    assert_allclose(float(out_of(module.elastic_penalty(w, 0.5, 0.4))), 0.4 * 3 + 0.6 * 3.5)
    if tree == "reference":
        assert module.l1_penalty(w, 0.5)[1].tolist() == [[0.5, -0.5], [0, 0.5]]
        assert module.l2_penalty(w, 0.5)[1].tolist() == [[0.5, -1], [0, 1.5]]


@pytest.mark.parametrize("name", PENALTIES)
@given(shape=array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=3), seed=st.integers(0, 99))
def test_gradients_of_penalties(name, shape, seed):
    w = np.random.default_rng(seed).normal(size=shape)
    penalty, dw = getattr(reference, name)(w, 0.7, **PENALTIES[name])
    leaf = torch.tensor(w, requires_grad=True)
    twin = getattr(gpu, name)(leaf, 0.7, **PENALTIES[name])
    twin.backward()
    assert_allclose(twin.item(), penalty, rtol=1e-12)
    assert_allclose(leaf.grad, dw, atol=1e-12)


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients_of_penalties_by_finite_differences(name, rng):
    w = rng.normal(size=(4, 3))
    _, dw = getattr(reference, name)(w, 0.7, **PENALTIES[name])
    want = numeric_gradient(lambda w: getattr(reference, name)(w, 0.7, **PENALTIES[name])[0], w)
    assert relative_error(dw, want) < 1e-7


def test_l2_is_weight_decay_for_plain_descent(rng):
    w, dloss = rng.normal(size=(2, 5))
    got, _ = optimizers.sgd_step(w, dloss + reference.l2_penalty(w, 0.1)[1], None, lr=0.2)
    assert_allclose(got, (1 - 0.2 * 0.1) * w - 0.2 * dloss, rtol=1e-13)


@BOTH
def test_max_norm_by_hand(twins, tree):
    module, to, _ = twins[tree]
    w = to(np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]]))  # columns 5, 0.5 and 0 long
    got = module.max_norm(w, limit=2.0)
    assert_allclose(got.tolist(), [[1.2, 0.3, 0], [1.6, 0.4, 0]], rtol=1e-15)
    filters = to(np.ones((2, 1, 2, 2)) * np.array([1.0, 4.0])[:, None, None, None])  # 2 and 8 long
    assert_allclose(module.max_norm(filters, 4.0)[:, 0, 0, 0].tolist(), [1, 2], rtol=1e-15)


@BOTH
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (6, 2, 3, 3), (0, 3)])
def test_max_norm_agrees_with_torchs_renorm(twins, tree, shape, rng):
    module, to, _ = twins[tree]
    w = rng.normal(size=shape)
    got = module.max_norm(to(w), limit=1.5)
    dim = 1 if len(shape) == 2 else 0
    want = torch.tensor(w).renorm(2, dim, 1.5)  # torch: norm + 1e-7 below
    assert_allclose(np.reshape(got.tolist(), shape), want, rtol=1e-6)
    assert_allclose(module.max_norm(got, limit=1.5).tolist(), got.tolist(), rtol=1e-14)


@BOTH
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(twins, tree, rate):
    module, to, seeded = twins[tree]
    n = 100_000
    out = np.asarray(
        out_of(module.dropout_forward(to(np.full((n, 1), 3.0)), rate, seeded(0))).tolist()
    )
    spread = np.sqrt(rate * (1 - rate) / n)
    assert abs((out == 0).mean() - rate) <= 4 * spread
    assert_allclose(out[out != 0], 3 / (1 - rate), rtol=1e-14)
    assert abs(out.mean() / 3 - 1) <= 4 * spread / (1 - rate)


@BOTH
def test_dropout_is_away_in_inference_and_seeded_in_training(twins, tree, rng):
    module, to, seeded = twins[tree]
    x = to(rng.normal(size=(20, 5)))

    def out(seed, **options):
        return out_of(module.dropout_forward(x, 0.5, seeded(seed), **options)).tolist()

    assert out(0, training=False) == x.tolist()
    assert out_of(module.dropout_forward(x, 0.5, seeded(0), training=False)) is not x
    assert out(0) == out(0) != out(1)


def test_gradient_of_dropout(rng):
    x, dout = rng.normal(size=(2, 4, 6))
    for training in [True, False]:

        def forward(x, training=training):
            return reference.dropout_forward(x, 0.4, np.random.default_rng(3), training)

        dx = reference.dropout_backward(dout, forward(x)[1])
        want = numeric_gradient(lambda x, f=forward: (f(x)[0] * dout).sum(), x)
        assert_allclose(dx, want, rtol=1e-7, atol=1e-9)


def test_autograd_goes_where_dropout_let_it(tensor, device):
    x = tensor(np.ones((50, 4))).requires_grad_()
    out = gpu.dropout_forward(x, 0.4, torch.Generator(device=device).manual_seed(0))
    out.sum().backward()
    assert_allclose(x.grad.cpu(), out.detach().cpu())


SHIFTS = st.integers(-6, 6)


@BOTH
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 5), st.integers(1, 5)),
    down=SHIFTS,
    right=SHIFTS,
)
def test_shift_agrees_with_scipy(tree, shape, down, right):
    module, to = (reference, np.asarray) if tree == "reference" else (gpu, torch.tensor)
    images = np.random.default_rng(0).normal(size=shape)
    want = ndimage.shift(images, (0, 0, down, right), order=0, cval=7.0)
    assert_array_equal(module.shift(to(images), down, right, fill=7.0), want)
    each = module.shift(to(images), to(np.full(shape[0], down)), right, fill=7.0)
    assert_array_equal(each, want)


@BOTH
def test_images_by_hand(twins, tree):
    module, to, _ = twins[tree]
    images = to(np.array([[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0], [7.0, 8.0]]]]))
    got = module.shift(images, to(np.array([1, 0])), to(np.array([0, -1])))
    assert got[:, 0].tolist() == [[[0, 0], [1, 2]], [[6, 0], [8, 0]]]
    got = module.flip(images, to(np.array([True, False])))
    assert got[:, 0].tolist() == [[[2, 1], [4, 3]], [[5, 6], [7, 8]]]
    got = module.rotate(images, to(np.array([1, 2])))
    assert got[:, 0].tolist() == [[[2, 4], [1, 3]], [[8, 7], [6, 5]]]
    assert images[0, 0].tolist() == [[1, 2], [3, 4]]


@BOTH
@pytest.mark.parametrize("turns", range(-2, 6))
def test_rotate_is_rot90(twins, tree, turns, rng):
    module, to, _ = twins[tree]
    images = rng.normal(size=(2, 3, 4, 4))
    assert module.rotate(to(images), turns).tolist() == np.rot90(images, turns, (2, 3)).tolist()


@BOTH
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 6), st.integers(1, 6)),
    fill=st.sampled_from([0.0, -2.0]),
    seed=st.integers(0, 99),
)
def test_affine_agrees_with_scipy(tree, shape, fill, seed):
    module, to = (reference, np.asarray) if tree == "reference" else (gpu, torch.tensor)
    rng = np.random.default_rng(seed)
    images, N = rng.normal(size=shape), shape[0]
    degrees, scale = rng.uniform(-200, 200, size=N), rng.uniform(0.4, 2.5, size=N)
    down, right = rng.uniform(-3, 3, size=(2, N))
    got = module.affine(to(images), to(degrees), to(scale), to(down), to(right), fill)
    middle = (np.array(shape[2:]) - 1) / 2
    for i in range(N):
        cos, sin = np.cos(np.deg2rad(degrees[i])), np.sin(np.deg2rad(degrees[i]))
        forward = scale[i] * np.array([[cos, -sin], [sin, cos]])  # of (row, column)
        inverse = np.linalg.inv(forward)
        offset = middle - inverse @ np.add(middle, [down[i], right[i]])
        for c in range(shape[1]):
            want = ndimage.affine_transform(
                images[i, c], inverse, offset, order=1, mode="grid-constant", cval=fill
            )
            assert_allclose(got[i, c], want, rtol=1e-10, atol=1e-10)


@BOTH
def test_affine_knows_the_other_changes(twins, tree, rng):
    module, to, _ = twins[tree]
    images = to(rng.normal(size=(2, 3, 5, 5)))
    for degrees, turns in [(90, 1), (-90, -1), (180, 2), (360, 0)]:
        want = module.rotate(images, turns).tolist()
        assert_allclose(module.affine(images, degrees).tolist(), want, atol=1e-12)
    want = module.shift(images, 2, -1, fill=7.0).tolist()
    assert_allclose(module.affine(images, down=2, right=-1, fill=7.0).tolist(), want, atol=1e-12)
    assert_allclose(module.affine(images).tolist(), images.tolist(), atol=1e-12)
    each = module.affine(images, 30.1, to(np.full(2, 1.1)), to(np.full(2, 0.3)), -0.7).tolist()
    assert_allclose(module.affine(images, 30.1, 1.1, 0.3, -0.7).tolist(), each, atol=1e-12)
    assert_allclose(module.affine(images, down=99, fill=7.0).tolist(), 7.0)


@BOTH
def test_affine_by_hand(twins, tree):
    module, to, _ = twins[tree]
    images = to(np.array([[[[0.0, 0, 0, 0], [0, 4, 8, 0], [0, 0, 0, 0]]]] * 2))
    got = module.affine(images, right=to(np.array([0.5, 0.25])))
    assert_allclose(got[0, 0, 1].tolist(), [0, 2, 6, 4])
    assert_allclose(got[1, 0, 1].tolist(), [0, 3, 7, 2])
    twice = module.affine(images, scale=2.0)[0, 0, 1].tolist()  # from columns 0.75 to 2.25
    assert_allclose(twice, [3, 5, 7, 6])
    assert_allclose(module.affine(images, scale=1e6).tolist(), 6.0, rtol=1e-4)  # the middle alone


def test_affine_goes_with_autograd(tensor, rng):
    """Of a linear map the gradient is the transposed one, here by its matrix."""
    x = tensor(rng.normal(size=(1, 1, 3, 4))).requires_grad_()
    weights = rng.normal(size=(3, 4))
    (gpu.affine(x, 30.0, 1.2, 0.3, -0.4) * tensor(weights)).sum().backward()
    want = [
        (reference.affine(unit.reshape(1, 1, 3, 4), 30.0, 1.2, 0.3, -0.4) * weights).sum()
        for unit in np.eye(12)
    ]
    assert_allclose(x.grad.cpu().ravel(), want, atol=1e-12)


@BOTH
def test_augment_turns_and_zooms_within_limits(twins, tree):
    module, to, seeded = twins[tree]
    n = 400
    bar = np.zeros((n, 1, 41, 41))
    bar[:, :, 20, 4:37] = 1  # 33 long
    options = {"max_shift": 0, "max_degrees": 20.0, "max_zoom": 0.2}
    got = module.augment(to(bar), seeded(0), **options)
    got = np.asarray(got.tolist())[:, 0]
    across = np.arange(41) - 20
    total = got.sum(axis=(1, 2))
    rows = (got * across[:, None] ** 2).sum(axis=(1, 2)) / total
    columns = (got * across**2).sum(axis=(1, 2)) / total
    tilted = (got * across[:, None] * across).sum(axis=(1, 2)) / total
    angle = -np.rad2deg(0.5 * np.arctan2(2 * tilted, columns - rows))  # counterclockwise
    length = np.sqrt(rows + columns) / np.sqrt((33**2 - 1) / 12)
    assert -20.5 < angle.min() < -18 and 18 < angle.max() < 20.5 and abs(angle.mean()) < 2
    assert 0.76 < length.min() < 0.84 and 1.16 < length.max() < 1.23
    assert abs(np.corrcoef(angle, length)[0, 1]) < 0.2
    only = np.asarray(module.augment(to(bar), seeded(0), 0, max_zoom=0.2).tolist())
    assert_allclose(only[:, :, 20 - 1 : 20 + 2].sum(), only.sum())  # no turn
    moved = np.asarray(module.augment(to(bar), seeded(0), 0, max_degrees=20.0).tolist())
    assert abs(moved.sum() / bar.sum() - 1) < 0.03  # no zoom
    assert np.std(moved[:, 0, 20, 30]) > 0.1


@BOTH
def test_noise_has_its_deviation(twins, tree):
    module, to, seeded = twins[tree]
    noise = np.asarray(module.add_noise(to(np.zeros((10, 1, 50, 50))), 0.3, seeded(0)).tolist())
    assert_allclose(noise.std(), 0.3, rtol=0.03)
    assert abs(noise.mean()) < 0.01


@BOTH
def test_augment_reaches_every_change_and_no_other(twins, tree):
    module, to, seeded = twins[tree]
    dot = np.zeros((500, 1, 5, 5), dtype=np.float32)
    dot[:, :, 2, 2] = 1
    moved = module.augment(to(dot), seeded(0), max_shift=1)
    assert "float32" in str(moved.dtype)
    places = np.asarray(moved.tolist()).sum(axis=(0, 1))
    assert (places[1:4, 1:4] > 30).all()  # 500/9 = 56 each
    assert places.sum() == 500
    corner = np.zeros((500, 1, 3, 3))
    corner[:, :, 0, 0] = 1
    for options, corners in [({"mirror": True}, 2), ({"turn": True}, 4), ({}, 1)]:
        got = np.asarray(module.augment(to(corner), seeded(0), max_shift=0, **options).tolist())
        assert (got.sum(axis=(0, 1)) > 80).sum() == corners
        assert got.sum() == 500
    assert dot[:, :, 2, 2].all()


@BOTH
def test_float32_stays_nan_spreads_and_nothing_changes(twins, tree, rng):
    module, to, seeded = twins[tree]
    array = rng.normal(size=(3, 2, 4, 4)).astype(np.float32)
    array[0, 0, 0, 0] = np.nan
    images = to(array)
    results = {
        "max_norm": module.max_norm(images, 0.5),
        "dropout": out_of(module.dropout_forward(images, 0.5, seeded(0))),
        "shift": module.shift(images, 0, 0),
        "flip": module.flip(images),
        "affine": module.affine(images, 10.0, 0.9, 0.5, -0.5, fill=0.1),
        "rotate": module.rotate(images),
        "noise": module.add_noise(images, 0.5, seeded(0)),
        "augment": module.augment(images, seeded(0), max_shift=0, mirror=True, turn=True),
    }
    for name, got in results.items():
        assert "float32" in str(got.dtype), name
        assert np.isnan(np.asarray(got.tolist())).any(), name
    assert np.isnan(float(out_of(module.l2_penalty(images, 1.0))))
    assert_array_equal(np.asarray(images.tolist()), array)


@BOTH
def test_no_image_at_all(twins, tree):
    module, to, seeded = twins[tree]
    none = to(np.zeros((0, 1, 4, 4)))
    assert tuple(module.augment(none, seeded(0), mirror=True, turn=True).shape) == (0, 1, 4, 4)
    assert tuple(module.affine(none, 10.0, scale=0.9).shape) == (0, 1, 4, 4)
    assert tuple(module.augment(none, seeded(0), max_degrees=5, max_zoom=0.1).shape) == (0, 1, 4, 4)
    assert tuple(out_of(module.dropout_forward(none, 0.5, seeded(0))).shape) == (0, 1, 4, 4)


@BOTH
def test_refuses(twins, tree):
    module, to, seeded = twins[tree]
    images = to(np.zeros((2, 1, 3, 4)))
    for name in PENALTIES:
        with pytest.raises(ValueError, match="strength must be at least 0, got -1"):
            getattr(module, name)(images, -1)
    with pytest.raises(ValueError, match=r"l1_ratio must lie in \[0, 1\], got 2"):
        module.elastic_penalty(images, 1, l1_ratio=2)
    with pytest.raises(ValueError, match=r"\(D_in, D_out\) or .*got \(3,\)"):
        module.max_norm(to(np.zeros(3)))
    with pytest.raises(ValueError, match="limit must be positive, got 0"):
        module.max_norm(images, 0)
    for rate in [1, -0.1, np.nan]:
        with pytest.raises(ValueError, match=rf"rate must lie in \[0, 1\), got {rate}"):
            module.dropout_forward(images, rate, seeded(0))
    for call in (lambda x: module.shift(x, 0, 0), module.flip, module.rotate, module.affine):
        with pytest.raises(ValueError, match=r"images must be \(N, C, H, W\), got \(3, 4\)"):
            call(images[0, 0])
    with pytest.raises(ValueError, match=r"down must be one value or \(2,\), got shape \(3,\)"):
        module.shift(images, to(np.zeros(3, dtype=int)), 0)
    with pytest.raises(ValueError, match=r"square to be turned, got \(2, 1, 3, 4\)"):
        module.rotate(images)
    with pytest.raises(ValueError, match="scale must be at least 0, got -1"):
        module.add_noise(images, -1, seeded(0))
    with pytest.raises(ValueError, match="max_shift must be at least 0, got -1"):
        module.augment(images, seeded(0), max_shift=-1)
    for name in ("degrees", "scale", "down", "right"):
        with pytest.raises(ValueError, match=rf"{name} must be one value or \(2,\), got .*\(3,\)"):
            module.affine(images, **{name: to(np.ones(3))})
    with pytest.raises(ValueError, match="max_degrees must be at least 0, got -1"):
        module.augment(images, seeded(0), max_degrees=-1)
    for zoom in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match=rf"max_zoom must lie in \[0, 1\), got {zoom}"):
            module.augment(images, seeded(0), max_zoom=zoom)


def test_affine_refuses_values():
    images = np.zeros((2, 1, 3, 4))
    with pytest.raises(ValueError, match=r"scale must be positive, got \[1 0\]"):
        reference.affine(images, scale=np.array([1, 0]))
    for name in ("degrees", "scale", "down", "right"):
        with pytest.raises(ValueError, match=f"{name} must be finite, got nan"):
            reference.affine(images, **{name: np.nan})


@BOTH
@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_whole_numbers_are_not_blended(twins, tree, dtype):
    module, to, seeded = twins[tree]
    images = to(np.zeros((2, 1, 4, 4), dtype))
    for moved in (module.shift(images, 1, 0), module.flip(images), module.rotate(images)):
        assert moved.dtype == images.dtype
    for call in [
        lambda: module.affine(images, 10.0),
        lambda: module.add_noise(images, 1.0, seeded(0)),
        lambda: module.augment(images, seeded(0)),
    ]:
        with pytest.raises(ValueError, match=f"images must be floats, got .*{dtype}"):
            call()


def test_dropout_backward_refuses():
    _, cache = reference.dropout_forward(np.ones((2, 3)), 0.5, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"shape of out, \(2, 3\), got \(3,\)"):
        reference.dropout_backward(np.ones(3), cache)
