from fractions import Fraction
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import optimizers as gpu
from utils.reference import optimizers as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
# name: (torch's class, our options, torch's options)
PEERS = {
    "sgd_step": (torch.optim.SGD, {}, {}),
    "momentum_step": (torch.optim.SGD, {"beta": 0.8}, {"momentum": 0.8}),
    "nesterov_step": (torch.optim.SGD, {"beta": 0.8}, {"momentum": 0.8, "nesterov": True}),
    "adagrad_step": (torch.optim.Adagrad, {"eps": 1e-7}, {"eps": 1e-7}),
    "rmsprop_step": (torch.optim.RMSprop, {"rho": 0.95}, {"alpha": 0.95}),
    "adadelta_step": (torch.optim.Adadelta, {"rho": 0.8}, {"rho": 0.8}),
    "adam_step": (torch.optim.Adam, {"beta1": 0.8, "beta2": 0.99}, {"betas": (0.8, 0.99)}),
    "adamw_step": (torch.optim.AdamW, {"weight_decay": 0.1}, {"weight_decay": 0.1}),
    "nadam_step": (torch.optim.NAdam, {"momentum_decay": 0.01}, {"momentum_decay": 0.01}),
}
STEPS = list(PEERS)


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def slope(w, t):
    """The gradient of a wavy bowl that is shaken at every step."""
    return 2 * w + 3 * np.cos(3 * w) + np.sin(t + np.arange(w.size).reshape(w.shape))


def peer_path(name, w, lr, n_steps):
    """Where torch.optim takes w, step by step, by gradients that slope gives."""
    make, _, options = PEERS[name]
    p = torch.tensor(w, requires_grad=True)
    optimizer, path = make([p], lr=lr, **options), []
    for t in range(n_steps):
        p.grad = torch.tensor(slope(p.detach().numpy(), t))
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return path


@pytest.fixture
def float64_by_default():
    """torch.optim.NAdam keeps its product of the mu in float32 unless this is the default."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@BOTH
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("shape", [(4, 3), (1,), ()])
@pytest.mark.usefixtures("float64_by_default")
def test_torch_optim_walks_alike_for_100_steps(twins, tree, name, shape, rng):
    module, to = twins[tree]
    start = rng.normal(size=shape)
    w, state = to(start), None
    for t, want in enumerate(peer_path(name, start, lr=0.02, n_steps=100)):
        dw = to(slope(np.asarray(w.tolist()), t))
        w, state = getattr(module, name)(w, dw, state, lr=0.02, **PEERS[name][1])
        assert_allclose(w.tolist(), want, rtol=1e-10, atol=1e-10)


def test_the_float32_in_nadam_is_torchs(rng):
    """Its weights are float64, its product mu_1 mu_2 ... is not; ours is right to 1e-15."""
    p = torch.tensor(rng.normal(size=3), requires_grad=True)
    optimizer = torch.optim.NAdam([p], lr=0.02)
    w, state = p.detach().numpy().copy(), None
    for t in range(10):
        p.grad = torch.tensor(slope(w, t))
        w, state = reference.nadam_step(w, slope(w, t), state, lr=0.02)
        optimizer.step()
    product = optimizer.state[p]["mu_product"]
    mus = [Fraction(0.9 * (1 - 0.5 * 0.96 ** (0.004 * t))) for t in range(1, 11)]
    assert product.dtype == torch.float32
    assert_allclose(product.item(), state["M"], rtol=1e-6)
    assert_allclose(state["M"], float(prod(mus)), rtol=1e-15)


@pytest.mark.parametrize("name", STEPS)
@given(shape=array_shapes(min_dims=0, max_dims=4, max_side=3, min_side=0), seed=st.integers(0, 99))
def test_any_shape(name, shape, seed):
    w, dw = np.random.default_rng(seed).normal(size=(2, *shape))
    state = state_twin = None
    w_twin = torch.tensor(w)
    for _ in range(3):
        w, state = getattr(reference, name)(w, dw, state)
        w_twin, state_twin = getattr(gpu, name)(w_twin, torch.tensor(dw), state_twin)
    assert np.shape(w) == shape
    assert_allclose(w_twin, w, atol=1e-13)
    assert list(state) == list(state_twin)
    for key, value in state.items():
        assert_allclose(np.asarray(state_twin[key]), value, atol=1e-13)


@BOTH
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_pure_and_keeps_the_dtype(twins, tree, name, rng):
    module, to = twins[tree]
    w, dw = (to(a) for a in rng.normal(size=(2, 3, 4)).astype(np.float32))
    before = w.tolist(), dw.tolist()
    step = getattr(module, name)
    w1, state1 = step(w, dw, None)
    kept = {k: np.array(v.tolist() if hasattr(v, "tolist") else v) for k, v in state1.items()}
    w2, _ = step(w1, dw, state1)
    assert (w.tolist(), dw.tolist()) == before
    for key, value in kept.items():
        assert_array_equal(np.asarray(state1[key]), value)
    again, _ = step(w1, dw, state1)
    assert again.tolist() == w2.tolist()
    assert all("float32" in str(a.dtype) for a in (w1, w2))
    assert all("float32" in str(a.dtype) for a in state1.values() if hasattr(a, "dtype"))


@BOTH
@pytest.mark.parametrize("name", STEPS)
def test_nan_stays_in_its_place_and_views_are_welcome(twins, tree, name, rng):
    module, to = twins[tree]
    w, dw = rng.normal(size=(2, 4, 6))
    step = getattr(module, name)
    want, _ = step(to(w.T[::2].copy()), to(dw.T[::2].copy()), None)
    got, _ = step(to(w).T[::2], to(dw).T[::2], None)
    assert got.tolist() == want.tolist()
    dw[0, 0] = np.nan
    got, _ = step(to(w), to(dw), None)
    assert np.isnan(np.array(got.tolist())).sum() == 1


@BOTH
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_huge_and_tiny_gradients(twins, tree, name, scale):
    module, to = twins[tree]
    w, state = to(np.zeros(2)), None
    for _ in range(3):
        w, state = getattr(module, name)(w, to(scale * np.array([1.0, -1.0])), state)
    assert np.isfinite(w.tolist()).all()


def test_one_step_of_each_by_hand():
    # w = 1, dw = 2, fresh state, lr = 0.1
    w, dw = np.array([1.0]), np.array([2.0])
    want = {
        "sgd_step": 1 - 0.1 * 2,
        "momentum_step": 1 - 0.1 * 2,
        "nesterov_step": 1 - 0.1 * (2 + 0.9 * 2),
        "adagrad_step": 1 - 0.1 * 2 / 2,
        "rmsprop_step": 1 - 0.1 * 2 / np.sqrt(0.1 * 4),
        "adadelta_step": 1 - 0.1 * np.sqrt(1e-6 / (0.1 * 4 + 1e-6)) * 2,
        "adam_step": 1 - 0.1,
        "adamw_step": (1 - 0.1 * 0.01) - 0.1,
    }
    for name, value in want.items():
        got, _ = getattr(reference, name)(w, dw, None, lr=0.1)
        assert_allclose(got, [value], rtol=1e-8, err_msg=name)


@BOTH
def test_terminal_speed_of_momentum_is_tenfold(twins, tree):
    module, to = twins[tree]
    for name in ["momentum_step", "nesterov_step"]:
        w, state = to(np.zeros(1)), None
        for _ in range(400):
            before = w
            w, state = getattr(module, name)(w, to(np.ones(1)), state, lr=0.5, beta=0.9)
        assert_allclose((before - w).item(), 10 * 0.5, rtol=1e-12)


@BOTH
def test_first_step_of_adam_without_the_correction_is_3_16_times(twins, tree):
    module, to = twins[tree]
    w, dw = to(np.zeros(1)), to(np.full(1, 7.0))
    right, _ = module.adam_step(w, dw, None)
    wrong, _ = module.adam_step(w, dw, None, correct_bias=False)
    assert_allclose(right.item(), -0.001, rtol=1e-8)
    assert_allclose((wrong / right).item(), 3.16, atol=0.005)


def test_decay_of_adamw_is_not_adapted():
    w, steep = np.array([1.0, 1.0]), np.array([1e-3, 1e3])
    plain, _ = reference.adam_step(w, steep, None)
    decayed, _ = reference.adamw_step(w, steep, None, weight_decay=0.1)
    assert_allclose(plain - decayed, 0.001 * 0.1 * w, rtol=1e-9)
    # for plain gradient descent a penalty does the same
    got, _ = reference.sgd_step(w, steep + 0.1 * w, None, lr=0.01)
    assert_allclose(got, (1 - 0.01 * 0.1) * w - 0.01 * steep, rtol=1e-14)


@BOTH
@pytest.mark.parametrize("name", STEPS)
def test_steps_refuse(twins, tree, name):
    module, to = twins[tree]
    step, w = getattr(module, name), to(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"one shape, got \(2, 3\) and \(3,\)"):
        step(w, to(np.zeros(3)), None)
    with pytest.raises(ValueError, match="lr must be at least 0, got -1"):
        step(w, w, None, lr=-1)
    for option in {"beta", "rho", "beta1", "beta2"} & set(step.__code__.co_varnames):
        for bad in [1, -0.1, np.nan]:
            with pytest.raises(ValueError, match=rf"{option} must lie in \[0, 1\), got {bad}"):
                step(w, w, None, **{option: bad})
    for option in {"eps", "weight_decay", "momentum_decay"} & set(step.__code__.co_varnames):
        with pytest.raises(ValueError, match=f"{option} must be at least 0, got -1"):
            step(w, w, None, **{option: -1})


@BOTH
def test_clipping_by_hand(twins, tree):
    module, to = twins[tree]
    gradients = {"w": to(np.array([[3.0, 0.0]])), "b": to(np.array([-4.0]))}  # together 5 long
    for max_norm, want in [(10.0, (3, -4)), (5.0, (3, -4)), (1.0, (0.6, -0.8))]:
        clipped, norm = module.clip_by_norm(gradients, max_norm)
        assert float(norm) == 5
        assert_allclose([clipped["w"][0, 0], clipped["b"][0]], want, rtol=1e-15)
    clipped = module.clip_by_value(gradients, 3.5)
    assert (clipped["w"].tolist(), clipped["b"].tolist()) == ([[3, 0]], [-3.5])
    assert gradients["b"].tolist() == [-4]


@BOTH
def test_clipping_agrees_with_torch(twins, tree, rng):
    module, to = twins[tree]
    arrays = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
    for max_norm in [0.5, 100.0]:
        peers = [
            torch.zeros(a.shape, dtype=torch.float64, requires_grad=True) for a in arrays.values()
        ]
        for p, a in zip(peers, arrays.values(), strict=True):
            p.grad = torch.tensor(a)
        want = torch.nn.utils.clip_grad_norm_(peers, max_norm)
        clipped, norm = module.clip_by_norm({k: to(a) for k, a in arrays.items()}, max_norm)
        assert_allclose(float(norm), want.item(), rtol=1e-12)
        for p, g in zip(peers, clipped.values(), strict=True):  # torch: norm + 1e-6 below
            assert_allclose(g.tolist(), p.grad, rtol=1e-6)


@BOTH
def test_clipping_keeps_nan_and_dtype_and_takes_nothing(twins, tree):
    module, to = twins[tree]
    g = {"w": to(np.array([np.nan, 2.0], dtype=np.float32)), "b": to(np.ones(1, np.float32))}
    clipped, norm = module.clip_by_norm(g, 1.0)
    assert np.isnan(float(norm))
    assert np.isnan(clipped["b"].tolist()).all()  # no norm, no direction
    assert "float32" in str(clipped["w"].dtype)
    assert_array_equal(module.clip_by_value(g, 1.0)["w"].tolist(), [np.nan, 1])
    zero = {"w": to(np.zeros(3))}
    assert module.clip_by_norm(zero, 1.0)[0]["w"].tolist() == [0, 0, 0]


@BOTH
def test_clipping_refuses(twins, tree):
    module, _ = twins[tree]
    for bad in [0, -1, np.nan]:
        with pytest.raises(ValueError, match=f"max_norm must be positive, got {bad}"):
            module.clip_by_norm({}, bad)
        with pytest.raises(ValueError, match=f"limit must be positive, got {bad}"):
            module.clip_by_value({}, bad)
