"""One shape for every labeled data set, and one for every series."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples with labels, and where they come from.

    x : (N, D), one example per row; float64, but float32 where there are many pictures
    y : (N,) int in [0, C)
    feature_names, class_names : tuples of D and C strings
    name : what to call it in a sentence
    source : who made it, and its license
    image_shape : (H, W), or (C, H, W) in color, when a row of x is a flattened picture, else None
    """

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    name: str
    source: str
    image_shape: tuple[int, ...] | None = None

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


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Measurements at equal steps of time, and where they come from.

    x : (T, D) float64, one moment per row
    names, units : tuples of D strings
    step : from one row to the next, as "1 hour"
    name : what to call it in a sentence
    source : who made it, and its license
    """

    x: np.ndarray
    names: tuple[str, ...]
    units: tuple[str, ...]
    step: str
    name: str
    source: str

    def __post_init__(self):
        if self.x.ndim != 2:
            raise ValueError(f"{self.name}: x must be (T, D), got {self.x.shape}")
        d = self.x.shape[1]
        if (len(self.names), len(self.units)) != (d, d):
            raise ValueError(
                f"{self.name}: {d} columns, {len(self.names)} names, {len(self.units)} units"
            )

    def __getitem__(self, name):
        """The column of that name, (T,)."""
        if name not in self.names:
            raise KeyError(f"{self.name} has no column {name!r}, only {', '.join(self.names)}")
        return self.x[:, self.names.index(name)]

    def __repr__(self):
        return f"{self.name}: {len(self.x)} rows, {self.step} apart, {', '.join(self.names)}"
