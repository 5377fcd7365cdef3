import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import cnn as gpu_cnn
from utils.gpu import occlusion as gpu
from utils.reference import cnn
from utils.reference import occlusion as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def array(result):
    return np.array(result.tolist()) if torch.is_tensor(result) else result


def linear(w):
    """f and its twin: class c scores the sum of w[c] times the pixels."""
    flat = w.reshape(len(w), -1)

    def f(x):
        weights = (
            torch.as_tensor(flat, dtype=x.dtype, device=x.device) if torch.is_tensor(x) else flat
        )
        return x.reshape(len(x), -1) @ weights.T

    return f


@pytest.fixture
def network(rng, tensor):
    """{tree: the same small network}"""
    params = cnn.cnn_init((2, 7, 9), 3, rng, n_filters=4)
    params["conv_b"], params["dense_b"] = rng.normal(size=4), rng.normal(size=3)
    tensors = {name: tensor(value) for name, value in params.items()}
    return {
        "reference": lambda x: cnn.cnn_forward(x, params)[0],
        "gpu": lambda x: gpu_cnn.cnn_forward(x, tensors),
    }


@BOTH
def test_by_hand(twins, tree):
    """Pixels 0 1 2 / 3 4 5 / 6 7 8, the score their sum, squares of 2 by stride 2."""
    module, to = twins[tree]
    image = np.arange(9.0).reshape(1, 3, 3)
    f = linear(np.array([np.zeros(9), np.ones(9)]))
    # 0 + 1 + 3 + 4; then cut off at the edge 2 + 5, 6 + 7 and 8
    want = [[8, 8, 7], [8, 8, 7], [13, 13, 8]]
    assert array(module.occlusion_map(f, to(image), 1, patch=2, stride=2)).tolist() == want
    # by stride 1 the middle is under all four squares, 8, 12, 20 and 24
    want = [[8, 10, 12], [14, 16, 18], [20, 22, 24]]
    assert array(module.occlusion_map(f, to(image), 1, patch=2)).tolist() == want
    assert array(module.occlusion_map(f, to(image), 0, patch=2)).tolist() == [[0] * 3] * 3
    ones = to(np.ones((1, 1, 1)))  # 8 - 4, ...
    want = [[4, 6, 8], [10, 12, 14], [16, 18, 20]]
    assert array(module.occlusion_map(f, to(image), 1, patch=2, fill=ones)).tolist() == want
    covered = array(module.occlude(to(image), 1, 2, 2, fill=-1))
    assert covered.tolist() == [[[0, 1, 2], [3, 4, -1], [6, 7, -1]]]


@BOTH
@pytest.mark.parametrize("fill", ["number", "color", "image"])
@pytest.mark.parametrize("patch, stride", [(1, 1), (3, 1), (3, 2), (4, 3), (5, 5), (7, 4)])
def test_captum_agrees(twins, tree, network, patch, stride, fill, rng, monkeypatch):
    from captum.attr import Occlusion

    module, to = twins[tree]
    image = rng.normal(size=(2, 7, 9))
    fill = {
        "number": 0.3,
        "color": rng.normal(size=(2, 1, 1)),
        "image": rng.normal(size=(2, 7, 9)),
    }[fill]
    whole = np.broadcast_to(fill, image.shape).copy()
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # captum's last step is float32
    want = Occlusion(network["gpu"]).attribute(
        twins["gpu"][1](image)[None],
        sliding_window_shapes=(2, patch, patch),
        strides=(2, stride, stride),
        baselines=twins["gpu"][1](whole)[None],
        target=1,
    )[0]
    got = module.occlusion_map(
        network[tree], to(image), 1, patch, stride, fill if np.isscalar(fill) else to(fill), block=7
    )
    assert got.shape == (7, 9)
    for channel in want:
        assert_allclose(array(got), channel.cpu(), rtol=1e-10, atol=1e-12)


@given(st.data())
def test_by_loops(data):
    C, H, W = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)))
    patch = data.draw(st.integers(1, min(H, W)))
    stride, block = data.draw(st.integers(1, patch)), data.draw(st.integers(1, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    image, w, fill = rng.normal(size=(3, C, H, W))

    def f(x):  # not linear, and what else is in the batch does not matter
        s = (x * (w if isinstance(x, np.ndarray) else torch.tensor(w))).sum((1, 2, 3))
        return (np if isinstance(x, np.ndarray) else torch).stack([s, s * s], 1)

    total, times = np.zeros((H, W)), np.zeros((H, W))
    top = 0
    while True:
        left = 0
        while True:
            covered = image.copy()
            covered[:, top : top + patch, left : left + patch] = fill[
                :, top : top + patch, left : left + patch
            ]
            drop = (image * w).sum() ** 2 - (covered * w).sum() ** 2
            total[top : top + patch, left : left + patch] += drop
            times[top : top + patch, left : left + patch] += 1
            if left + patch >= W:
                break
            left += stride
        if top + patch >= H:
            break
        top += stride
    for module, to in [(reference, np.asarray), (gpu, torch.tensor)]:
        got = module.occlusion_map(f, to(image), 1, patch, stride, to(fill), block)
        assert_allclose(got, total / times, rtol=1e-9, atol=1e-11)


@BOTH
def test_finds_the_one_pixel_that_counts(twins, tree, rng):
    module, to = twins[tree]
    image = to(rng.uniform(1, 2, size=(1, 6, 8)))
    w = np.zeros((2, 1, 6, 8))
    w[1, 0, 4, 2] = 3
    for patch, stride in [(1, 1), (3, 1), (3, 2)]:
        drop = array(module.occlusion_map(linear(w), image, 1, patch, stride))
        far = np.ones((6, 8), bool)
        far[max(0, 4 - patch + 1) : 4 + patch, max(0, 2 - patch + 1) : 2 + patch] = False
        assert (drop[far] == 0).all()
        assert drop[4, 2] == drop.max() > 0
        assert_allclose(drop[4, 2], 3 * array(image)[0, 4, 2])
    assert (array(module.occlusion_map(linear(w), image, 0, 2)) == 0).all()


@BOTH
def test_a_constant_model_sees_nothing(twins, tree, rng):
    module, to = twins[tree]
    f = (
        (lambda x: np.full((len(x), 2), 0.1))
        if tree == "reference"
        else (lambda x: torch.full((len(x), 2), 0.1))
    )
    assert (array(module.occlusion_map(f, to(rng.normal(size=(3, 5, 4))), 0, 2)) == 0).all()


@BOTH
@pytest.mark.parametrize("block", [1, 5, 6, 7, 1000])
def test_blocks_of_images(twins, tree, network, block, rng):
    """No more than `block` at a time, each place once."""
    module, to = twins[tree]
    image, sizes = to(rng.normal(size=(2, 7, 9))), []

    def f(x):
        sizes.append(len(x))
        return network[tree](x)

    got = module.occlusion_map(f, image, 2, 4, 3, block=block)  # 2 by 3 places
    assert sizes[0] == 1 and sum(sizes) == 7
    assert max(sizes) <= block and len(sizes) == 1 + -(-6 // block)
    assert_allclose(array(got), array(module.occlusion_map(network[tree], image, 2, 4, 3)))


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dtype_stays_and_no_input_changes(twins, tree, dtype, rng):
    module, to = twins[tree]
    image = to(rng.normal(size=(2, 5, 6)).astype(dtype))
    fill = to(rng.normal(size=(2, 5, 6)))  # takes the dtype of the image
    before = image.tolist(), fill.tolist()
    w = rng.normal(size=(3, 2, 5, 6)).astype(dtype)

    def f(x):
        assert str(x.dtype).endswith(dtype) and x.shape[1:] == (2, 5, 6)
        scores = linear(w)(x)
        x[:] = 0  # even a model that spoils what it is given does no harm
        return scores

    got = module.occlusion_map(f, image.copy() if tree == "reference" else image.clone(), 1, 2, 2)
    assert str(got.dtype).endswith(dtype)
    got = module.occlusion_map(linear(w), image, 1, 2, 2, fill)
    covered = module.occlude(image, 0, 0, 2, fill)
    assert str(got.dtype).endswith(dtype) and str(covered.dtype).endswith(dtype)
    covered[:] = 0
    assert (image.tolist(), fill.tolist()) == before


@BOTH
def test_views_nan_and_huge_values(twins, tree, rng):
    module, to = twins[tree]
    w = rng.normal(size=(2, 2, 5, 6))
    image = rng.normal(size=(6, 5, 2))
    flat = to(image.transpose(2, 1, 0).copy())
    view = to(image).transpose(2, 1, 0) if tree == "reference" else to(image).permute(2, 1, 0)
    got, want = (module.occlusion_map(linear(w), i, 0, 3, 2) for i in (view, flat))
    assert_allclose(array(got), array(want), rtol=1e-12)
    image = image.transpose(2, 1, 0).copy()
    image[0, 1, 1] = np.nan
    assert np.isnan(array(module.occlusion_map(linear(w), to(image), 0, 3, 2))).all()

    def breaks(x):  # covering the first pixel is the end of it
        s = -1 / x[:, :, :1, :1].sum((1, 2, 3))
        return s[:, None]

    with np.errstate(divide="ignore"):
        got = array(module.occlusion_map(breaks, to(np.ones((1, 4, 4))), 0, 2))
    assert (
        np.isinf(got[:2, :2]).all() and np.isfinite(got[2:]).all() and np.isfinite(got[:, 2:]).all()
    )


class Noisy(torch.nn.Module):
    """Dropout and batch norm: its scores depend on the mode, and training moves its statistics."""

    def __init__(self):
        super().__init__()
        self.norm, self.drop = torch.nn.BatchNorm2d(2), torch.nn.Dropout(0.5)
        self.dense = torch.nn.Linear(2 * 5 * 6, 3)

    def forward(self, x):
        assert not torch.is_grad_enabled()
        return self.dense(self.drop(self.norm(x)).flatten(1))


def test_a_module_is_evaluated_and_left_as_it_was(tensor, device, rng):
    torch.manual_seed(0)
    model, image = Noisy().double().to(device), tensor(rng.normal(size=(2, 5, 6)))
    image.requires_grad_()
    model.drop.eval()  # and norm in training
    state = {name: value.clone() for name, value in model.state_dict().items()}
    got = gpu.occlusion_map(model, image, 1, 2)
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert all((state[name] == value).all() for name, value in model.state_dict().items())
    assert not got.requires_grad and image.grad is None
    assert_array_equal(got.cpu(), gpu.occlusion_map(model.eval(), image, 1, 2).cpu())
    model.train()
    with pytest.raises(RuntimeError):
        gpu.occlusion_map(model, image[:, 1:], 1, 2)
    assert all(m.training for m in model.modules())  # after an error too


@BOTH
def test_refuses(twins, tree):
    module, to = twins[tree]
    image, f = to(np.zeros((2, 5, 6))), linear(np.zeros((3, 2, 5, 6)))
    for bad in (to(np.zeros((5, 6))), to(np.zeros((2, 0, 6))), to(np.zeros((2, 5, 6), np.int64))):
        with pytest.raises(
            ValueError, match=r"image must be a non-empty \(C, H, W\).*got .*int64|shape"
        ):
            module.occlusion_map(f, bad, 1, 2)
        with pytest.raises(ValueError, match="image must be"):
            module.occlude(bad, 0, 0, 1)
    for patch in (0, 6):
        with pytest.raises(ValueError, match=rf"patch must lie in \[1, 5\].*got {patch}"):
            module.occlusion_map(f, image, 1, patch)
    for stride in (0, 4):
        with pytest.raises(ValueError, match=rf"stride must lie in \[1, 3\].*got {stride}"):
            module.occlusion_map(f, image, 1, 3, stride)
    with pytest.raises(ValueError, match="block must be at least 1, got 0"):
        module.occlusion_map(f, image, 1, 3, block=0)
    with pytest.raises(ValueError, match=r"fill must be .*here \(2, 5, 6\), got shape \(3, 1, 1\)"):
        module.occlusion_map(f, image, 1, 3, fill=to(np.zeros((3, 1, 1))))
    for label in (-1, 3):
        with pytest.raises(ValueError, match=rf"got shape \(1, 3\) and label {label}"):
            module.occlusion_map(f, image, label, 3)
    with pytest.raises(ValueError, match=r"f must return \(N, n_classes\), here N = 1.*\(1,\)"):
        module.occlusion_map(lambda x: f(x)[:, 0], image, 0, 3)
    with pytest.raises(ValueError, match=r"here N = 1.*got shape \(2, 3\)"):
        module.occlusion_map(lambda x: f(to(np.zeros((2, 2, 5, 6)))), image, 0, 3)
    with pytest.raises(ValueError, match="patch must be at least 1, got 0"):
        module.occlude(image, 0, 0, 0)
    for top, left in [(-1, 0), (5, 0), (0, -1), (0, 6)]:
        with pytest.raises(ValueError, match=rf"\[0, 5\) and \[0, 6\), got {top} and {left}"):
            module.occlude(image, top, left, 2)
