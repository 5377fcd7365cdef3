import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.optim import lr_scheduler

from utils.gpu import schedules as gpu
from utils.reference import schedules as reference

BOTH = pytest.mark.parametrize("module", [reference, gpu], ids=["reference", "gpu"])
# name: options of ours beside t
OPTIONS = {
    "step": {"lr": 0.3, "factor": 0.5, "every": 7},
    "piecewise": {"boundaries": [10, 30], "values": [1.0, 0.1, 0.01]},
    "power": {"lr": 0.3, "s": 12.5, "c": 0.7},
    "exponential": {"lr": 0.3, "s": 20},
    "cosine": {"lr": 0.3, "n_steps": 50, "lr_min": 0.01},
    "one_cycle": {"lr": 0.3, "n_steps": 50, "rise": 0.3},
    "warm_up": {"lr": 0.3, "n_steps": 8},
}


def peer(name, optimizer):
    """torch's scheduler for the options above, where torch has one."""
    return {
        "step": lambda: lr_scheduler.StepLR(optimizer, 7, gamma=0.5),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, gamma=0.1 ** (1 / 20)),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, 50, eta_min=0.01),
        "one_cycle": lambda: lr_scheduler.OneCycleLR(
            optimizer,
            0.3,
            total_steps=50,
            pct_start=0.3,
            anneal_strategy="linear",
            div_factor=10,
            final_div_factor=100,
            three_phase=True,
            cycle_momentum=False,
        ),
        "warm_up": lambda: lr_scheduler.LinearLR(optimizer, start_factor=1 / 8, total_iters=7),
    }[name]()


@BOTH
@pytest.mark.parametrize("name", ["step", "exponential", "cosine", "one_cycle", "warm_up"])
def test_torch_schedules_alike(module, name):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    scheduler = peer(name, optimizer)
    for t in range(50):
        want = optimizer.param_groups[0]["lr"]
        assert_allclose(getattr(module, name)(t, **OPTIONS[name]), want, rtol=1e-10)
        if t < 49:
            optimizer.step()
            scheduler.step()


@pytest.mark.parametrize("name", OPTIONS)
def test_twins_agree_and_the_reference_takes_arrays(name):
    times = np.arange(80)
    rates = getattr(reference, name)(times, **OPTIONS[name])
    assert rates.shape == times.shape
    twins = [getattr(gpu, name)(int(t), **OPTIONS[name]) for t in times]
    assert_allclose(twins, rates, rtol=1e-12)
    assert all(type(rate) is float for rate in twins)
    alone = [getattr(reference, name)(int(t), **OPTIONS[name]) for t in times]
    assert_allclose(alone, rates, rtol=1e-14)
    assert all(type(rate) is float for rate in alone)  # np.float64 would not leave float32 be


@BOTH
def test_power_halves_at_s_and_thirds_at_2s(module):
    assert_allclose([module.power(t, 0.6, s=40) for t in (0, 40, 80)], [0.6, 0.3, 0.2], rtol=1e-15)


@BOTH
def test_exponential_falls_tenfold_per_s(module):
    assert_allclose([module.exponential(t, 2.0, s=30) for t in (0, 30, 60)], [2, 0.2, 0.02])


@BOTH
def test_by_hand(module):
    assert [module.step(t, 1.0) for t in (0, 4, 5, 9, 10)] == [1, 1, 0.5, 0.5, 0.25]
    stairs = [module.piecewise(t, [2, 4], [5, 3, 1]) for t in range(6)]
    assert stairs == [5, 5, 3, 3, 1, 1]
    assert module.piecewise(3, [], [5]) == 5
    assert_allclose([module.cosine(t, 2.0, 4) for t in (0, 2, 4, 9)], [2, 1, 0, 0], atol=1e-15)
    assert_allclose([module.warm_up(t, 4.0, 4) for t in range(6)], [1, 2, 3, 4, 4, 4])
    # ten times the start at the peak, step 0.45 * 100 - 1
    cycle = [module.one_cycle(t, 1.0, 100) for t in (0, 44, 88, 99, 500)]
    assert_allclose(cycle, [0.1, 1, 0.1, 0.001, 0.001])


@BOTH
def test_warm_up_goes_around_another(module):
    rates = [module.warm_up(t, module.cosine(t, 0.1, 20), 5) for t in range(20)]
    assert np.argmax(rates) == 4
    assert_allclose(rates[10], module.cosine(10, 0.1, 20))


@BOTH
@given(
    losses=st.lists(st.floats(0.1, 2) | st.just(float("nan")), max_size=40),
    patience=st.integers(0, 4),
    factor=st.floats(0.1, 0.9),
)
def test_plateau_as_torch_sees_it(module, losses, patience, factor):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, patience=patience, min_lr=1e-3
    )
    for n in range(len(losses) + 1):
        got = module.reduce_on_plateau(losses[:n], 0.1, factor, patience, lr_min=1e-3)
        # torch leaves steps shorter than 1e-8 out
        assert_allclose(got, optimizer.param_groups[0]["lr"], rtol=1e-10, atol=1e-8)
        if n < len(losses):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that its optimizer has not stepped
                scheduler.step(losses[n])


@BOTH
def test_plateau_by_hand(module):
    losses = [1.0, 0.5] + [0.5] * 11  # 10 bad epochs are borne, the 11th is not
    assert module.reduce_on_plateau(losses[:-1], 0.1) == 0.1
    assert_allclose(module.reduce_on_plateau(losses, 0.1), 0.01)
    assert module.reduce_on_plateau([1.0] * 200, 0.1) == 1e-6  # the floor
    assert module.reduce_on_plateau([1.0] * 200, 1e-7) == 1e-7  # never raised to it


@BOTH
@pytest.mark.parametrize(
    "losses, options, want",
    [
        ([1.0, 0.99], {"threshold": 0.02}, 0.01),  # 1 % better, and 2 % were asked for
        ([1.0, 0.99], {"threshold": 0.005}, 0.1),
        ([1.0, 0.99995], {}, 0.01),  # by default a ten-thousandth
        ([1.0, 0.9998], {}, 0.1),
        ([1.0, 1.0], {"threshold": 0.0}, 0.01),  # the same is no better
    ],
)
def test_what_a_plateau_calls_better(module, losses, options, want):
    got = module.reduce_on_plateau(losses, 0.1, patience=0, **options)
    assert_allclose(got, want, rtol=1e-12)


@BOTH
def test_refuses(module):
    for name, options in OPTIONS.items():
        with pytest.raises(ValueError, match="t must be at least 0, got -1"):
            getattr(module, name)(-1, **options)
        for option in {"factor", "every", "s", "c", "n_steps", "ratio"} & set(options):
            with pytest.raises(ValueError, match=f"{option} must be positive, got 0"):
                getattr(module, name)(0, **{**options, option: 0})
    with pytest.raises(ValueError, match="one more than the 2 boundaries, got 2"):
        module.piecewise(0, [1, 2], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"boundaries must ascend, got \[2, 2\]"):
        module.piecewise(0, [2, 2], [1.0, 2.0, 3.0])
    for rise, n_steps in [(0.6, 100), (0, 100), (0.1, 10)]:
        with pytest.raises(ValueError, match=f"got {rise} of {n_steps} steps"):
            module.one_cycle(0, 0.1, n_steps, rise=rise)
    with pytest.raises(ValueError, match=r"factor must lie in \(0, 1\), got 1"):
        module.reduce_on_plateau([], 0.1, factor=1)
    with pytest.raises(ValueError, match="patience must be at least 0, got -1"):
        module.reduce_on_plateau([], 0.1, patience=-1)
