"""One shape for every labeled data set."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples with labels, and where they come from.

    x : (N, D) float64, one example per row
    y : (N,) int in [0, C)
    feature_names, class_names : tuples of D and C strings
    name : what to call it in a sentence
    source : who made it, and its license
    image_shape : (H, W) when a row of x is a flattened picture, else None
    """

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    name: str
    source: str
    image_shape: tuple[int, int] | None = None

    def __post_init__(self):
        n, d = self.x.shape
        c = len(self.class_names)
        if self.y.shape != (n,) or self.y.min() < 0 or self.y.max() >= c:
            raise ValueError(f"{self.name}: y must be ({n},) ints in [0, {c})")
        if len(self.feature_names) != d:
            raise ValueError(f"{self.name}: {d} features, {len(self.feature_names)} names")
        if self.image_shape is not None and np.prod(self.image_shape) != d:
            raise ValueError(f"{self.name}: {d} features do not fill {self.image_shape}")

    def __repr__(self):
        n, d = self.x.shape
        return f"{self.name}: {n} examples, {d} features, {len(self.class_names)} classes"
