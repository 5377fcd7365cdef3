import pytest
import torch

from utils.device import describe_device, pick_device


def test_picks_cuda_where_there_is_one():
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    torch.zeros(1, device=pick_device())


def test_describes(device):
    text = describe_device(device)
    assert text.startswith(f"{device}: ")
    assert describe_device(str(device)) == text
    assert ("GiB" if device.type == "cuda" else "thread") in text


def test_mps_is_not_used():
    with pytest.raises(ValueError, match="cpu or a cuda device, got mps"):
        describe_device("mps")
