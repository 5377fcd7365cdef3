"""Data sets of the course: bundled with what it stands on, or generated.

Nothing is fetched, unless a loader of a real set is called with download=True.

dataset  : Dataset and Series, what makers and loaders return
bundled  : small real tables, digits and photographs, from scikit-learn
toy      : points in the plane, and von Neumann's elephant
glyphs   : printed digits, distorted, in three levels
textures : shapes in two patterns on photographs, with masks and a shortcut to plant
weather  : simulated hours, whose future a memory can see
series   : real series, from statsmodels
text     : English and Python, from Python itself
real     : MNIST, Fashion-MNIST, CIFAR-10, Shakespeare, New York's weather, Beijing's air: from a
           folder, or fetched
"""

from .bundled import load_breast_cancer, load_digits, load_iris, load_photo, load_wine
from .dataset import Dataset, Series
from .glyphs import GLYPH_FACES, HELD_OUT_FACES, make_glyph_digits
from .real import (
    load_beijing_air,
    load_cifar10,
    load_fashion_mnist,
    load_mnist,
    load_nyc_weather,
    load_tiny_shakespeare,
)
from .series import carry_forward, load_co2, load_elnino, load_nile, load_sunspots
from .text import load_python_docs, load_standard_library
from .textures import TexturedShapes, make_textured_shapes
from .toy import (
    ELEPHANT,
    elephant_outline,
    make_blobs,
    make_moons,
    make_rings,
    make_spiral,
)
from .weather import simulate_weather

__all__ = [
    "ELEPHANT",
    "GLYPH_FACES",
    "HELD_OUT_FACES",
    "Dataset",
    "Series",
    "TexturedShapes",
    "carry_forward",
    "elephant_outline",
    "load_beijing_air",
    "load_breast_cancer",
    "load_cifar10",
    "load_co2",
    "load_digits",
    "load_elnino",
    "load_fashion_mnist",
    "load_iris",
    "load_mnist",
    "load_nile",
    "load_nyc_weather",
    "load_photo",
    "load_python_docs",
    "load_standard_library",
    "load_sunspots",
    "load_tiny_shakespeare",
    "load_wine",
    "make_blobs",
    "make_glyph_digits",
    "make_moons",
    "make_rings",
    "make_spiral",
    "make_textured_shapes",
    "simulate_weather",
]
