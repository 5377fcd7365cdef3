"""What the cases need to know of the device: its clock, its compiler, its name and its peak."""

import gc
from contextlib import contextmanager

import numpy as np
import torch

from utils.device import describe_device

from ..timing import CPU, Clock

DTYPES = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16}

# Operations per second in dense bfloat16 with sums in float32, by torch.cuda.get_device_name:
# NVIDIA's data sheets, halved where they count on sparsity. Other variants have other peaks.
PEAK_FLOPS = {
    "NVIDIA H200": 989e12,
    "NVIDIA H100 80GB HBM3": 989e12,  # SXM
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA GeForce RTX 4090": 165e12,
}


def name_of(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def machine(device):
    """The device in words, and what drives it."""
    cudnn = torch.backends.cudnn.version()
    return (
        f"{describe_device(device)}, torch {torch.__version__}, CUDA {torch.version.cuda}, "
        f"cuDNN {cudnn}"
    )


@contextmanager
def settings(dtype, device):
    """What a case runs under: no leftovers of the last, its rounding, the fastest convolutions."""
    torch.compiler.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.benchmark = before[1]


def clock(device):
    """By CUDA events, which the device stamps itself; the CPU's own clock for the CPU.

    Several runs are sent off before the first time is read, and all while the device is kept
    busy, as it is in a training loop: it then waits for the CPU only where the CPU is slower.
    The median, because a device that gets warm gets slower, and that counts.
    """
    if device.type == "cpu":
        return CPU
    return Clock(_event, _seconds, _median, at_once=5, before=_keep_busy)


def _event():
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def _seconds(start, end):
    end.synchronize()
    return start.elapsed_time(end) / 1e3


def _median(times):
    return np.median(times, axis=0)


def _keep_busy():
    torch.cuda._sleep(30_000_000)  # cycles, about 15 ms


def compiled(function, device, **options):
    """torch.compile in one graph; on the CPU, where only tests run it, no kernels are made."""
    backend = {"options": options or None} if device.type == "cuda" else {"backend": "eager"}
    return torch.compile(function, fullgraph=True, **backend)


def tensors(rng, dtype, device, *shapes):
    """Drawn in order from a normal distribution, on the device."""
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**32)))
    options = {"generator": generator, "device": device, "dtype": DTYPES[dtype]}
    return [torch.randn(shape, **options) for shape in shapes]
