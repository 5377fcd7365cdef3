"""What must not need much memory: the peak of a call, in a process of its own."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from utils.reference import neighbors
from utils.reference.convolution import conv2d_backward, conv2d_forward

GB = 1e9


@dataclass(frozen=True)
class MemoryCase:
    """run : (rng, **sizes), inputs and outputs count too;  wanted : GB at most, at its peak"""

    name: str
    run: Callable
    sizes: dict
    wanted: float


def conv2d_step(rng, dtype, N, H):
    """Forward and backward with all that they make; the loss is half the sum of out^2."""
    x = rng.standard_normal((N, 3, H, H), dtype)
    w, b = rng.standard_normal((64, 3, 3, 3), dtype), np.zeros(64, dtype)
    out, cache = conv2d_forward(x, w, b, padding=1)
    return conv2d_backward(out, cache)


def distances(rng, metric, N, D):
    a, b = rng.normal(size=(N, D)), rng.normal(size=(N, D))
    return neighbors.METRICS[metric](a, b)


_IMAGES = {"N": 128, "H": 224}
_ROWS = {"N": 2000, "D": 784}  # (N, N, D) would be 25 GB

CASES = [
    MemoryCase("conv2d, 128 of 3x224x224, float64", conv2d_step, {"dtype": "f8"} | _IMAGES, 4.0),
    MemoryCase("conv2d, 128 of 3x224x224, float32", conv2d_step, {"dtype": "f4"} | _IMAGES, 4.0),
    MemoryCase("l2 distances, 2,000 by 2,000 by 784", distances, {"metric": "l2"} | _ROWS, 0.2),
    MemoryCase("l1 distances, 2,000 by 2,000 by 784", distances, {"metric": "l1"} | _ROWS, 0.2),
]


def peak(case):
    """GB at the peak: all that NumPy asked for, whether or not it was touched."""
    tracemalloc.start()
    made = case.run(np.random.default_rng(0), **case.sizes)
    bytes_ = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del made
    return bytes_ / GB


def measure(case):
    """peak in a new process: what fails there does not end this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(peak, case).result()
