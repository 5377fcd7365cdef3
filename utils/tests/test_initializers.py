import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from utils.gpu import initializers as gpu
from utils.reference import initializers as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
# name: variance for n = fan_in, m = fan_out
VARIANCES = {
    "lecun": lambda n, m: 1 / n,
    "glorot": lambda n, m: 2 / (n + m),
    "he": lambda n, m: 2 / n,
}
SCHEMES = [f"{name}_{kind}" for name in VARIANCES for kind in ("normal", "uniform")]
SHAPES = [(300, 200), (200, 300), (64, 32, 5, 3)]
SIDES = st.integers(1, 6)


@pytest.fixture
def twins(device):
    """{tree: (module, how it makes randomness of a seed)}"""
    return {
        "reference": (reference, np.random.default_rng),
        "gpu": (gpu, lambda seed: torch.Generator(device=device).manual_seed(seed)),
    }


def array(w):
    return w.cpu().double().numpy() if isinstance(w, torch.Tensor) else w


@BOTH
def test_fans_by_hand(twins, tree):
    module, _ = twins[tree]
    assert module.fans((784, 100)) == (784, 100)
    assert module.fans((16, 3, 5, 7)) == (3 * 35, 16 * 35)


@pytest.mark.parametrize("shape", [(4, 3), (8, 4, 3, 5)])
def test_torch_counts_the_same(shape):
    # torch keeps dense weights as (D_out, D_in)
    w = torch.empty(shape[::-1] if len(shape) == 2 else shape)
    want = torch.nn.init._calculate_fan_in_and_fan_out(w)
    assert reference.fans(shape) == gpu.fans(shape) == want


@BOTH
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_distribution_is_what_its_name_says(twins, tree, scheme, shape):
    module, seeded = twins[tree]
    name, kind = scheme.split("_")
    w = array(getattr(module, scheme)(shape, seeded(0)))
    assert w.shape == shape
    n, m = module.fans(shape)
    std = np.sqrt(VARIANCES[name](n, m))
    whole = (
        stats.norm(scale=std) if kind == "normal" else stats.uniform(-(3**0.5) * std, 12**0.5 * std)
    )
    # three standard errors of the mean and, for a normal law, of the variance
    assert abs(w.mean()) < 3 * std / np.sqrt(w.size)
    assert_allclose(w.var(), std**2, rtol=3 * np.sqrt(2 / w.size))
    assert stats.kstest(w.ravel(), whole.cdf).pvalue > 0.001


@BOTH
def test_uniform_bounds(twins, tree):
    module, seeded = twins[tree]
    n, m = 30, 20
    for name, bound in {
        "lecun": np.sqrt(3 / n),
        "glorot": np.sqrt(6 / (m + n)),
        "he": np.sqrt(6 / n),
    }.items():
        draws = [array(getattr(module, f"{name}_uniform")((n, m), seeded(i))) for i in range(20)]
        assert np.abs(draws).max() <= bound
        assert np.abs(draws).max() > 0.999 * bound


@BOTH
def test_he_keeps_the_signal_of_relu_and_lecun_that_of_no_activation(twins, tree):
    module, seeded = twins[tree]
    x = np.random.default_rng(0).normal(size=(200, 300))
    linear = rectified = halved = x
    for layer in range(10):
        linear = linear @ array(module.lecun_normal((300, 300), seeded(layer)))
        rectified = np.maximum(rectified, 0) @ array(module.he_normal((300, 300), seeded(layer)))
        halved = np.maximum(halved, 0) @ array(module.lecun_normal((300, 300), seeded(layer)))
    assert_allclose([(linear**2).mean(), (rectified**2).mean()], 1, atol=0.35)
    assert_allclose((halved**2).mean(), 0.5**10, rtol=0.35)


@BOTH
@given(st.tuples(SIDES, SIDES) | st.tuples(SIDES, SIDES, SIDES, SIDES), st.integers(0, 99))
def test_orthogonal_is(tree, shape, seed):
    if tree == "reference":
        w = reference.orthogonal(shape, np.random.default_rng(seed), gain=2.0)
    else:
        w = gpu.orthogonal(shape, torch.Generator().manual_seed(seed), gain=2.0).double().numpy()
    assert w.shape == shape
    w = w.reshape(shape[0], -1)
    w = w if w.shape[0] >= w.shape[1] else w.T
    tol = 1e-12 if tree == "reference" else 1e-5  # float32
    assert_allclose(w.T @ w, 4 * np.eye(w.shape[1]), atol=tol)


@BOTH
def test_every_rotation_is_equally_likely(twins, tree):
    module, seeded = twins[tree]
    corners = np.array([array(module.orthogonal((2, 2), seeded(i))) for i in range(400)])
    angles = np.arctan2(corners[:, 1, 0], corners[:, 0, 0])
    assert stats.kstest(angles, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.001
    assert 0.4 < (np.linalg.det(corners) > 0).mean() < 0.6  # reflections as often


@BOTH
@pytest.mark.parametrize("scheme", [*SCHEMES, "orthogonal"])
def test_a_seed_repeats_and_another_does_not(twins, tree, scheme):
    module, seeded = twins[tree]
    make = getattr(module, scheme)
    first, again, other = (make((4, 3), seeded(seed)).tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


@BOTH
@pytest.mark.parametrize("scheme", [*SCHEMES, "orthogonal"])
@pytest.mark.parametrize("shape", [(3,), (3, 4, 5), (0, 3), (2, 0, 3, 3), ()])
def test_refuses(twins, tree, scheme, shape):
    module, seeded = twins[tree]
    with pytest.raises(ValueError, match=r"must be \(D_in, D_out\) or \(F, C, kH, kW\).*got \("):
        getattr(module, scheme)(shape, seeded(0))


def test_twins_follow_the_default_dtype_and_the_generators_device(device):
    generator = torch.Generator(device=device).manual_seed(0)
    w = gpu.he_normal((3, 4), generator)
    assert (w.dtype, w.device.type) == (torch.float32, device.type)
    torch.set_default_dtype(torch.float64)
    try:
        assert gpu.orthogonal((3, 4), generator).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
