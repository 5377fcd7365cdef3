"""Two sides that compute the same, timed in turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

AGREE = {"float64": 1e-9, "float32": 2e-4}  # largest difference, in units of the largest value


class Side(NamedTuple):
    """One way to compute it: made = forward(), gradients = backward(made).

    backward is None where there is nothing to go back through. What is compared, never timed:
    results(made) and gradients(backward's), each an array or a tuple of arrays.
    """

    forward: Callable
    backward: Callable | None = None
    results: Callable = lambda made: made
    gradients: Callable = lambda gradients: gradients


@dataclass(frozen=True)
class Case:
    """What is timed, against whom, and how slow it may be.

    sides  : (rng, dtype, **sizes) -> our Side, the peer's Side, on the same numbers
    sizes  : {name: value} for sides
    wanted : our time over the peer's, forward and backward together, in float64
    tiny   : sizes to put in place of these where the test wants it small
    """

    group: str
    name: str
    peer: str
    sides: Callable
    sizes: dict
    wanted: float
    tiny: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.group}: {self.name}"


class Times(NamedTuple):
    """The shortest times of one case, in seconds; backward is 0 where there is none."""

    case: Case
    dtype: str
    ours: tuple[float, float]  # forward, backward
    peer: tuple[float, float]

    @property
    def ratio(self):
        return sum(self.ours) / sum(self.peer)

    @property
    def ratios(self):
        """Forward, backward; None where there is no backward."""
        return [o / p if p else None for o, p in zip(self.ours, self.peer, strict=True)]


def build(case, dtype, tiny=False):
    sizes = case.sizes | (case.tiny if tiny else {})
    return case.sides(np.random.default_rng(0), dtype, **sizes)


def measure(case, dtype, seconds=1.5, at_least=5):
    """Times of a case, after both sides were found to agree.

    In turns, so that what else the machine does disturbs both alike; the shortest, because
    everything that disturbs makes it longer.
    """
    sides = build(case, dtype)
    require_agreement(case, dtype, *sides)  # also the warm-up
    best = np.full((2, 2), np.inf)  # ours and peer, forward and backward
    start, rounds = time.process_time(), 0
    while rounds < at_least or time.process_time() - start < seconds:
        for i, side in enumerate(sides):
            best[i] = np.minimum(best[i], _once(side))
        rounds += 1
    return Times(case, dtype, tuple(best[0]), tuple(best[1]))


def _once(side):
    start = time.process_time()
    made = side.forward()
    middle = time.process_time()
    if side.backward is None:
        return middle - start, 0.0
    side.backward(made)
    return middle - start, time.process_time() - middle


def require_agreement(case, dtype, ours, peer):
    """A fast wrong answer is no answer: ValueError, if the sides do not compute the same."""
    for i, (a, b) in enumerate(zip(_values(ours), _values(peer), strict=True)):
        a, b = np.asarray(a), np.asarray(b)
        worst = np.abs(a - b).max() if a.shape == b.shape else np.inf
        if not worst <= AGREE[dtype] * max(1.0, np.abs(b).max()):
            raise ValueError(
                f"{case} in {dtype}: result {i} of shape {a.shape} must be {case.peer}'s of "
                f"shape {b.shape}, got {worst:.2g} of difference"
            )


def _values(side):
    """Results, then gradients, all in one list."""
    made = side.forward()
    values = _listed(side.results(made))
    if side.backward is not None:
        values += _listed(side.gradients(side.backward(made)))
    return [v.detach() if hasattr(v, "detach") else v for v in values]


def _listed(values):
    return list(values) if isinstance(values, tuple | list) else [values]


def normal(rng, dtype, *shapes):
    """Arrays of these shapes, drawn in order."""
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def against_torch(rng, inputs, forward, backward, peer):
    """Both sides of a layer: our pair of passes, and torch's function with its autograd.

    inputs : arrays that all get a gradient
    forward: (*inputs) -> out, cache;  backward: (dout, cache) -> gradients
    peer   : (*tensors) -> out
    """
    import torch

    out = forward(*inputs)[0]
    dout = rng.normal(size=out.shape).astype(out.dtype)
    ours = Side(
        lambda: forward(*inputs), lambda made: backward(dout, made[1]), lambda made: made[0]
    )
    leaves, upstream = [torch.tensor(a, requires_grad=True) for a in inputs], torch.tensor(dout)
    theirs = Side(lambda: peer(*leaves), lambda made: torch.autograd.grad(made, leaves, upstream))
    return ours, theirs
