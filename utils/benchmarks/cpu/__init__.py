"""The cases that are timed on one thread of the CPU, group by group."""

from . import (
    activations,
    attention,
    convolution,
    mlp,
    neighbors,
    normalization,
    pooling,
    recurrent,
)

CASES = [
    *convolution.CASES,
    *pooling.CASES,
    *normalization.CASES,
    *recurrent.CASES,
    *attention.CASES,
    *mlp.CASES,
    *activations.CASES,
    *neighbors.CASES,
]
