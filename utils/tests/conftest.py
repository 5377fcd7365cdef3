"""What the tests of utils share."""

import numpy as np
import pytest
from hypothesis import settings

# Derandomized, so that a red build is red again when looked into; no deadline on shared machines.
settings.register_profile("course", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("course")


def pytest_generate_tests(metafunc):
    """Run what asks for a device on every one there is: cpu, and cuda when present."""
    if "device" in metafunc.fixturenames:
        import torch  # here, so that tests without a device do not wait for it

        names = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
        metafunc.parametrize("device", [torch.device(name) for name in names], ids=names)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def tensor(device):
    """NumPy array -> tensor of the same dtype on the device."""
    import torch

    return lambda array: torch.tensor(np.array(array, order="C"), device=device)
