"""Pictures of the course with controls to move, made from plain functions and arrays.

A panel that ends a cell shows itself; without a kernel its picture and its words remain.
"""

from .activation import activation_gallery
from .broadcasting import broadcasting_explorer
from .knn import knn_explorer
from .linear import linear_explorer
from .neuron import neuron_explorer, xor_explorer
from .panel import Panel
from .perceptron import perceptron_player
from .playground import mlp_playground
from .relu import relu_approximator
from .softmax import softmax_explorer
from .stepper import backprop_stepper
from .whitening import whitening_explorer

__all__ = [
    "Panel",
    "activation_gallery",
    "backprop_stepper",
    "broadcasting_explorer",
    "knn_explorer",
    "linear_explorer",
    "mlp_playground",
    "neuron_explorer",
    "perceptron_player",
    "relu_approximator",
    "softmax_explorer",
    "whitening_explorer",
    "xor_explorer",
]
