"""Pictures of the course with controls to move, made from plain functions and arrays.

A panel that ends a cell shows itself; without a kernel its picture and its words remain.
"""

from .broadcasting import broadcasting_explorer
from .knn import knn_explorer
from .linear import linear_explorer
from .panel import Panel
from .perceptron import perceptron_player
from .softmax import softmax_explorer
from .whitening import whitening_explorer

__all__ = [
    "Panel",
    "broadcasting_explorer",
    "knn_explorer",
    "linear_explorer",
    "perceptron_player",
    "softmax_explorer",
    "whitening_explorer",
]
