"""Two sides that compute the same, timed in turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

# the largest difference, in units of the largest value or of 1 if that is larger; for what is
# rounded on a GPU, of the largest value of all results or of all gradients
AGREE = {"float64": 1e-9, "float32": 2e-4, "tf32": 1e-2, "bfloat16": 5e-2}
ROUNDED = ("tf32", "bfloat16")


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
    wanted : our time over the peer's, forward and backward together, in the first of dtypes
    tiny   : sizes to put in place of these where the test wants it small
    dtypes : in which it is run; tf32 is float32, its factors rounded to 10 bits
    """

    group: str
    name: str
    peer: str
    sides: Callable
    sizes: dict
    wanted: float
    tiny: dict = field(default_factory=dict)
    dtypes: tuple = ("float64", "float32")

    def __str__(self):
        return f"{self.group}: {self.name}"


class Clock(NamedTuple):
    """How time is taken.

    mark    : () -> an instant
    seconds : (instant, later instant) -> the time between them, a float
    one_of  : (times) -> the one that counts, along the first axis
    at_once : runs between two looks at the clock's face
    before  : () -> None, before those
    """

    mark: Callable
    seconds: Callable
    one_of: Callable
    at_once: int = 1
    before: Callable = lambda: None


# The shortest, because everything that disturbs makes it longer; in seconds of CPU, which do not
# count while others run. On one thread they are the seconds of a clock on a machine of one's own.
CPU = Clock(time.process_time, lambda start, end: end - start, lambda times: times.min(axis=0))


class Times(NamedTuple):
    """The times of one case, in seconds; backward is 0 where there is none."""

    case: Case
    dtype: str
    ours: tuple[float, float]  # forward, backward
    peer: tuple[float, float]

    @property
    def wanted(self):
        """None where there is no target."""
        return self.case.wanted if self.dtype == self.case.dtypes[0] else None

    @property
    def ratio(self):
        return sum(self.ours) / sum(self.peer)

    @property
    def ratios(self):
        """Forward, backward; None where there is no backward."""
        return [o / p if p else None for o, p in zip(self.ours, self.peer, strict=True)]


def build(case, dtype, tiny=False, **where):
    sizes = case.sizes | (case.tiny if tiny else {})
    return case.sides(np.random.default_rng(0), dtype, **sizes, **where)


def measure(case, dtype, seconds=1.5, at_least=5, clock=CPU, tiny=False, **where):
    """Times of a case, after both sides were found to agree.

    In turns, so that what else the machine does disturbs both alike.
    """
    sides = build(case, dtype, tiny, **where)
    require_agreement(case, dtype, *sides)  # also the warm-up
    times = [], []  # ours and the peer's, each a list of (forward, backward)
    start, rounds = clock.mark(), 0
    while rounds < at_least or clock.seconds(start, clock.mark()) < seconds:
        for side, taken in zip(sides, times, strict=True):
            clock.before()
            runs = [_instants(side, clock) for _ in range(clock.at_once)]
            taken += [[clock.seconds(a, b) for a, b in pairwise(instants)] for instants in runs]
        rounds += 1
    ours, peer = (tuple(map(float, clock.one_of(np.array(taken)))) for taken in times)
    return Times(case, dtype, ours, peer)


def _instants(side, clock):
    """The clock before forward, between forward and backward, and after backward."""
    start = clock.mark()
    made = side.forward()
    middle = clock.mark()
    if side.backward is None:
        return start, middle, middle
    side.backward(made)
    return start, middle, clock.mark()


def require_agreement(case, dtype, ours, peer):
    """A fast wrong answer is no answer: ValueError, if the sides do not compute the same."""
    i = 0
    for group, expected in zip(_values(ours), _values(peer), strict=True):
        largest = max((np.abs(b).max(initial=0) for b in expected), default=0)
        for a, b in zip(group, expected, strict=True):
            worst = np.abs(a - b).max(initial=0) if a.shape == b.shape else np.inf
            unit = largest if dtype in ROUNDED else max(1.0, np.abs(b).max(initial=0))
            if not worst <= AGREE[dtype] * unit:
                raise ValueError(
                    f"{case} in {dtype}: result {i} of shape {a.shape} must be {case.peer}'s of "
                    f"shape {b.shape}, got {worst:.2g} of difference"
                )
            i += 1


def _values(side):
    """Results, and gradients: two lists of arrays."""
    made = side.forward()
    results = _listed(side.results(made))
    if side.backward is None:
        return _arrays(results), []
    results = _arrays(results)  # backward may change what they are made of
    return results, _arrays(_listed(side.gradients(side.backward(made))))


def _arrays(values):
    """Arrays as they are, tensors as arrays; NumPy has no bfloat16, and float32 holds it."""
    return [np.asarray(_on_cpu(v) if hasattr(v, "detach") else v) for v in values]


def _on_cpu(tensor):
    tensor = tensor.detach().cpu()
    return tensor.float() if tensor.is_floating_point() and tensor.itemsize == 2 else tensor


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
