"""Pictures of the course: one call, arrays and functions in, a Figure out.

A Figure shows itself at the end of a cell, with an alt text that says its numbers.
"""

from .arrays import broadcasting
from .bars import error_parts, fold_strips, softmax_bars, split_strip, timing_bars
from .classification import (
    boundary_lines,
    confusion,
    decision_regions,
    feature_lift,
    linear_boundary,
    margin_losses,
    metric_balls,
    perceptron_updates,
    signed_distances,
)
from .curves import (
    best_of_many,
    cross_validation_curve,
    gradient_check_curve,
    loss_curve,
    loss_slice,
    selection_curve,
    surrogate_losses,
    threshold_costs,
)
from .descent import descent_paths
from .figure import Figure, message
from .functions import activation_curve, activation_grid, output_gradients, relu_fit
from .graph import computation_graph
from .history import timeline
from .images import (
    hidden_units_as_images,
    histogram_equalization,
    image_grid,
    neighbor_rows,
    templates,
)
from .networks import graceful_degradation, overfit_small_batch, state_trace
from .neurons import neuron_plane, threshold_network
from .playground import training_surface
from .preparation import whitening_stages
from .regions import box_approximation, threshold_regions

__all__ = [
    "Figure",
    "activation_curve",
    "activation_grid",
    "best_of_many",
    "boundary_lines",
    "box_approximation",
    "broadcasting",
    "computation_graph",
    "confusion",
    "cross_validation_curve",
    "decision_regions",
    "descent_paths",
    "error_parts",
    "feature_lift",
    "fold_strips",
    "graceful_degradation",
    "gradient_check_curve",
    "hidden_units_as_images",
    "histogram_equalization",
    "image_grid",
    "linear_boundary",
    "loss_curve",
    "loss_slice",
    "margin_losses",
    "message",
    "metric_balls",
    "neighbor_rows",
    "neuron_plane",
    "output_gradients",
    "overfit_small_batch",
    "perceptron_updates",
    "relu_fit",
    "selection_curve",
    "signed_distances",
    "softmax_bars",
    "split_strip",
    "state_trace",
    "surrogate_losses",
    "templates",
    "threshold_costs",
    "threshold_network",
    "threshold_regions",
    "timeline",
    "timing_bars",
    "training_surface",
    "whitening_stages",
]
