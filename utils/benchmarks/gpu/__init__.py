"""The cases that are timed on a CUDA device, group by group."""

from . import architectures, attention, gpt, neighbors, optimizers, recurrent

CASES = [
    *attention.CASES,
    *recurrent.CASES,
    *architectures.CASES,
    *optimizers.CASES,
    *neighbors.CASES,
    *gpt.CASES,
]
