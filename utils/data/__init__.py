"""Data sets of the course: bundled with scikit-learn, or generated. Nothing is fetched."""

from .bundled import load_breast_cancer, load_digits, load_iris, load_photo, load_wine
from .dataset import Dataset
from .toy import make_blobs, make_moons, make_rings, make_spiral

__all__ = [
    "Dataset",
    "load_breast_cancer",
    "load_digits",
    "load_iris",
    "load_photo",
    "load_wine",
    "make_blobs",
    "make_moons",
    "make_rings",
    "make_spiral",
]
