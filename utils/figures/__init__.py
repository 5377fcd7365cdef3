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
from .graph import computation_graph
from .images import histogram_equalization, image_grid, neighbor_rows, templates
from .preparation import whitening_stages

__all__ = [
    "Figure",
    "best_of_many",
    "boundary_lines",
    "broadcasting",
    "computation_graph",
    "confusion",
    "cross_validation_curve",
    "decision_regions",
    "descent_paths",
    "error_parts",
    "feature_lift",
    "fold_strips",
    "gradient_check_curve",
    "histogram_equalization",
    "image_grid",
    "linear_boundary",
    "loss_curve",
    "loss_slice",
    "margin_losses",
    "message",
    "metric_balls",
    "neighbor_rows",
    "perceptron_updates",
    "selection_curve",
    "signed_distances",
    "softmax_bars",
    "split_strip",
    "surrogate_losses",
    "templates",
    "threshold_costs",
    "timing_bars",
    "whitening_stages",
]
