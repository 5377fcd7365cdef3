"""Every figure draws without a warning and says its numbers."""

import base64
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from utils import data, figures
from utils.figures.figure import MARKERS, PALETTE, number

RNG = np.random.default_rng(0)


def knn(k, x, y):
    """A stand-in: vote of the k nearest by squared distance."""

    def predict(points):
        d = ((points[:, None] - x) ** 2).sum(axis=2)
        votes = y[np.argsort(d, axis=1, kind="stable")[:, :k]]
        return np.array([np.bincount(v).argmax() for v in votes])

    return predict


def perceptron_step(w, b, x, y):
    return (w + y * x, b + y) if y * (x @ w + b) <= 0 else (w, b)


def blobs():
    return data.make_blobs(90, rng=1, spread=1.6)


def two_blobs():
    d = data.make_blobs(40, rng=4, n_classes=2, spread=0.9)
    return d.x, np.where(d.y == 1, 1, -1)


def shifted_blobs():
    x, y = two_blobs()
    return x + np.array([1.5, 1]), y


def draw_regions():
    d = blobs()
    return figures.decision_regions(
        {f"k = {k}": knn(k, d.x, d.y) for k in (1, 5, 25)}, d.x, d.y, class_names=d.class_names
    )


def draw_one_region():
    d = data.make_moons(80, rng=1)
    return figures.decision_regions(lambda p: (p[:, 1] < 0.25).astype(int), d.x, d.y, title="line")


def draw_confusion():
    matrix = np.diag([48, 44, 50, 47, 41, 45, 50, 44, 38, 42])
    matrix[8, 1], matrix[3, 9], matrix[4, 7] = 6, 2, 1
    return figures.confusion(matrix, "0123456789")


def draw_confusion_names():
    return figures.confusion([[50, 0, 0], [0, 47, 3], [0, 2, 48]], data.load_iris().class_names)


def draw_cross_validation():
    ks = [1, 3, 5, 7, 9, 15, 25]
    scores = 0.98 - 0.002 * np.array(ks)[:, None] + 0.004 * RNG.normal(size=(7, 5))
    scores[1] = [0.99, 0.985, 0.98, 0.99, 0.985]
    return figures.cross_validation_curve(ks, scores)


def draw_losses():
    t = np.arange(30)
    return figures.loss_curve(
        {"full batch": np.exp(-t / 20), "batch 32": np.exp(-t / 5), "online": 0.2 + np.exp(-t / 2)},
        title="Smaller batches, more updates per epoch",
        log=True,
    )


def draw_gradient_check():
    steps = np.logspace(-13, 0, 14)
    errors = {"one-sided": steps + 1e-16 / steps, "centered": steps**2 / 6 + 1e-16 / steps}
    return figures.gradient_check_curve(steps, errors)


def draw_descent():
    curvatures = np.array([1.0, 10.0])

    def bowl(w):
        return (curvatures * w**2).sum(axis=-1) / 2

    paths = {
        f"lr {lr}": (bowl, [(1 - lr * curvatures) ** t * [-2, 1] for t in range(13)])
        for lr in (0.02, 0.18, 0.21)
    }
    return figures.descent_paths(paths, limits=(-2.4, 1.2, -1.8, 1.8))


def draw_one_descent():
    return figures.descent_paths({"still": (lambda w: (w**2).sum(axis=-1), np.ones((4, 2)))})


def draw_stages():
    x = RNG.normal(size=(150, 2)) @ np.array([[2.0, 1.2], [0.0, 0.6]]) + [4, 3]
    centered = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centered.T @ centered / len(x))
    rotated = centered @ vectors[:, ::-1]
    return figures.whitening_stages(
        {
            "raw": x,
            "centered": centered,
            "decorrelated": rotated,
            "whitened": rotated / np.sqrt(values[::-1]),
        }
    )


def draw_grid():
    d = data.load_digits()
    return figures.image_grid(
        d.x[:20].reshape(-1, 8, 8),
        [f"{label} → 3" for label in d.y[:20]],
        marked=d.y[:20] == 3,
        suptitle="What it got wrong",
    )


def draw_neighbors():
    d = data.load_digits()
    images = d.x.reshape(-1, 8, 8)
    near = [np.argsort(((d.x[10:] - d.x[i]) ** 2).sum(axis=1))[:6] + 10 for i in range(4)]
    labels = d.y[near].copy()
    labels[1, 3] = 9
    return figures.neighbor_rows(images[:4], images[near], d.y[:4], labels)


def draw_templates():
    d = data.load_digits()
    w = np.stack([d.x[d.y == c].mean(axis=0) - d.x.mean(axis=0) for c in range(10)], axis=1)
    return figures.templates(w, d.image_shape, d.class_names, title="What each class looks for")


def draw_equalization():
    photo = data.load_photo("china") // 2 + 60
    share = np.cumsum(np.bincount(photo.ravel(), minlength=256)) / photo.size
    return figures.histogram_equalization(photo, np.round(255 * share[photo]))


def draw_lift():
    d = data.make_rings(120, rng=2)
    return figures.feature_lift(
        np.square, d.x, d.y, (1, 1), -2.2, lifted_names=("x1²", "x2²"), class_names=d.class_names
    )


def draw_margin_losses():
    x, y = two_blobs()
    m = np.linspace(-3, 3, 601)
    curves = {"0/1": (m, (m <= 0) * 1.0), "hinge": (m, np.maximum(0, 1 - m))}
    return figures.margin_losses((-0.5, 0.4), 0.1, x, y, {"0/1": 0.025, "hinge": 0.31}, curves)


def draw_slice():
    x, y = two_blobs()
    angles = np.linspace(0.3, 179.7, 301)
    m = y[:, None] * (x @ np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))]))
    losses = {"0/1": (m <= 0).mean(axis=0), "hinge": np.maximum(0, 1 - m).mean(axis=0)}
    return figures.loss_slice(angles, losses, xlabel="angle of w in degrees", zoom=(120, 150))


def draw_boundary_lines():
    x, y = two_blobs()
    return figures.boundary_lines({"good": ((-0.7, 0.5), 0.1), "bad": ((1, 0), 0.5)}, x, y)


def draw_threshold_costs():
    values, positive = np.arange(8.0), np.array([0, 0, 0, 1, 0, 1, 1, 1], dtype=bool)
    at = np.arange(-0.5, 8)
    costs = {
        f"a miss costs {c}": [(c * (positive & (values <= t)) + (~positive & (values > t))).mean()
                              for t in at]
        for c in (0.5, 10)
    }  # fmt: skip
    return figures.threshold_costs(values, positive, at, costs, feature="size")


def draw_best_of_many():
    seen, fresh = np.array([0.5, 0.4, 0.7, 0.6]), np.array([0.5, 0.55, 0.45, 0.5])
    return figures.best_of_many(seen, fresh, bound=np.full(4, 0.8))


def draw_graph():
    """out = tanh(x w + x^2), after its backward pass; x is used twice, and twice by x * x."""
    return figures.computation_graph(
        [
            {"label": "x", "value": 2.0, "gradient": 0.42 * 0.5, "inputs": [], "slopes": []},
            {"label": "w", "value": -1.5, "gradient": 0.42 * 2, "inputs": []},
            {"label": "×", "value": -3.0, "gradient": 0.42, "inputs": [0, 1], "slopes": [-1.5, 2]},
            {"label": "×", "value": 4.0, "gradient": 0.42, "inputs": [0, 0], "slopes": [2, 2]},
            {"label": "+", "value": 1.0, "gradient": 0.42, "inputs": [2, 3], "slopes": [1, 1]},
            {"label": "tanh", "value": 0.762, "gradient": 1, "inputs": [4], "slopes": [0.42]},
        ],
        at=4,
    )


def polygon(x, y, radius, sides):
    angles = 0.3 + 2 * np.pi * np.arange(sides) / sides
    w = -np.stack([np.cos(angles), np.sin(angles)])
    return w, radius - np.array([x, y]) @ w


def draw_threshold_regions():
    regions = [polygon(-0.35, -0.1, 0.5, 5), polygon(0.45, 0.35, 0.35, 4)]
    return figures.threshold_regions(regions, limits=(-1.1, 1.1, -1.1, 1.1))


def draw_outlined_regions():
    return figures.threshold_regions(
        [polygon(0, 0, 0.5, 8)], target=lambda p: (p**2).sum(axis=1) <= 0.25
    )


def draw_boxes():
    return figures.box_approximation(lambda p: (p**2).sum(axis=1) < 0.6, (5, 20), name="A disk")


def cyclic(x):
    """Three threshold neurons in a ring, computed in turn."""
    states = [(0, 0, 0)]
    for t in range(12):
        a, b, c = states[-1]
        new = [2 * x - 5 * c - 2 >= 0, a - 1 >= 0, a + b - 2 >= 0][t % 3]
        states.append(tuple(int(new) if k == t % 3 else v for k, v in enumerate((a, b, c))))
    return np.array(states)


def draw_trace():
    turns = np.arange(12) % 3
    return figures.state_trace(
        {f"x = {x}": cyclic(x) for x in (1, 0)}, "ABC", {f"x = {x}": turns for x in (1, 0)}
    )


def squared_error(xi):
    y = 1 / (1 + np.exp(-xi))
    return (y - 1) ** 2 / 2, (y - 1) * y * (1 - y)


def cross_entropy(xi):
    return np.logaddexp(0, -xi), 1 / (1 + np.exp(-xi)) - 1


def draw_output_gradients():
    return figures.output_gradients(
        {"squared error": squared_error, "cross-entropy": cross_entropy}
    )


def draw_degradation():
    shares = np.linspace(0, 0.9, 10)
    runs = 0.97 - shares[:, None] ** 3 + 0.01 * RNG.normal(size=(10, 5))
    runs[0], runs[-1] = 0.97, 0.24
    return figures.graceful_degradation(shares, {"as trained": runs}, chance=0.1)


def draw_overfit():
    t = np.arange(100)
    histories = {
        "20 digits": (2.3 * np.exp(-t / 9), np.minimum(0.1 + t / 50, 1)),
        "broken": (np.full(100, 2.3), np.full(100, 0.1)),
    }
    return figures.overfit_small_batch(histories, n_classes=10)


def draw_hidden():
    outputs = np.array([[1.0, -1], [0, 2]])
    w = np.linspace(-2, 2, 32).reshape(16, 2)
    return figures.hidden_units_as_images(
        w, (4, 4), outputs=outputs, class_names=("A", "B"), title="Two units"
    )


def draw_activation():
    x = np.linspace(-6, 6, 121)
    return figures.activation_curve("tanh", x, np.tanh(x), 1 - np.tanh(x) ** 2, at=0)


def draw_activations():
    pairs = {
        "tanh": (np.tanh, lambda d, x: d / np.cosh(x) ** 2),
        "relu": (lambda x: np.maximum(x, 0), lambda d, x: d * (x > 0)),
    }
    return figures.activation_grid(pairs, columns=3)


def draw_relu_fit():
    x, knots = np.linspace(0, 1, 101), np.array([0, 0.5, 1])
    fit = np.interp(x, knots, knots**2)
    return figures.relu_fit(x, x**2, fit, knots, 2, {1: 0.25, 2: 1 / 16, 4: 1 / 64}, name="square")


def draw_training():
    from utils.figures.playground import surface_grid

    x, y = two_blobs()
    grid, extent = surface_grid(x)
    p = 1 / (1 + np.exp(-grid[:, 0]))
    y = (y > 0).astype(int)
    return figures.training_surface(
        np.stack([1 - p, p], axis=1), extent, (x[:30], y[:30]), (x[30:], y[30:]),
        (np.array([0, 10, 20]), np.array([0.7, 0.5, 0.4]), np.array([0.8, 0.6, 0.5])),
        accuracies=(0.9, 0.8), lines=(np.eye(2), np.zeros(2)), n_steps=50,
    )  # fmt: skip


def step_neuron(x, w, b):
    return np.heaviside(x @ w + b, 1.0)


EXAMPLES = {  # name: (draw, what the alt text must contain)
    "broadcast_rows": (
        lambda: figures.broadcasting((4, 1), (3,)),
        ["(4, 3)", "a is stretched along axis 1", "b is stretched along axis 0."],
    ),
    "broadcast_layers": (
        lambda: figures.broadcasting((8, 1, 6), (7, 1)),
        ["(8, 7, 6)", "b is stretched along axes 0 and 2."],
    ),
    "broadcast_many": (lambda: figures.broadcasting((5, 2, 1, 12), (3, 1)), ["(5, 2, 3, 12)"]),
    "broadcast_scalar": (lambda: figures.broadcasting((), (3,)), ["stretched along axis 0"]),
    "broadcast_clash": (
        lambda: figures.broadcasting((3, 4), (3,)),
        ["do not broadcast", "4 against 3"],
    ),
    "decision_regions": (draw_regions, ["k = 1: 0 of 90", "k = 25"]),
    "decision_region": (draw_one_region, ["line: ", "of 80"]),
    "metric_balls": (
        figures.metric_balls,
        ["By L1 the distances are A 5.2 and B 4.6, so B", "so A is nearest"],
    ),
    "confusion": (draw_confusion, ["449 of 458", "8 called 1, 6 times"]),
    "confusion_names": (draw_confusion_names, ["145 of 150 right (96.7 %)"]),
    "linear_boundary": (
        lambda: figures.linear_boundary((-0.7, 0.5), 0.1, *two_blobs()),
        ["w = (-0.7, 0.5)", "of 40"],
    ),
    "margin": (
        lambda: figures.linear_boundary((-0.5, -0.3), 0.4, *two_blobs(), margin=True),
        ["margin is 3.43 wide", "support vectors lie"],
    ),
    "signed_distances": (
        lambda: figures.signed_distances((3, 4), -5, [(0, 0), (3, 2), (3, -1)]),
        ["A -1, B 2.4 and C 0"],
    ),
    "perceptron": (
        lambda: figures.perceptron_updates(perceptron_step, *shifted_blobs()),
        ["no mistake is left"],
    ),
    "boundary_lines": (
        draw_boundary_lines,
        ["2 straight boundaries among 40", "good 7 and bad 40"],
    ),
    "margin_losses": (draw_margin_losses, ["hinge 0.31"]),
    "feature_lift": (draw_lift, ["120 points", "leaves 0"]),
    "cross_validation": (draw_cross_validation, ["k = 3 reaches 98.6 %"]),
    "threshold_costs": (
        draw_threshold_costs,
        [
            "4 negative and 4 positive",
            "a miss costs 0.5 4.5, mean cost 0.0625;",
            "costs 10 2.5, mean",
        ],
    ),
    "best_of_many": (draw_best_of_many, ["best of 4", "70.0 % on the examples", "45.0 % on fresh"]),
    "loss_curve": (draw_losses, ["full batch from 1 to 0.235"]),
    "loss_slice": (
        draw_slice,
        ["0/1 falls to 0 and is flat in", "hinge falls to 0.017 and is flat in 0 %"],
    ),
    "surrogates": (figures.surrogate_losses, ["hinge 2, 1 and 0", "logistic, in bits 1.89, 1"]),
    "gradient_check": (draw_gradient_check, ["centered falls below 1e-07"]),
    "selection": (
        lambda: figures.selection_curve(
            {
                "forward": ([1, 2, 3, 4, 5], [0.8, 0.9, 0.95, 0.95, 0.94]),
                "backward": ([5, 4, 3, 2, 1], [0.94, 0.96, 0.94, 0.88, 0.7]),
            }
        ),
        ["forward is best with 3 features (95.0 %)", "backward is best with 4 features"],
    ),
    "errors": (
        lambda: figures.error_parts(
            {
                "linear": {"Bayes": 2, "approximation": 9, "estimation": 1, "optimization": 0.5},
                "1-nearest neighbor": {"Bayes": 2, "estimation": 6},
                "deep network": {
                    "Bayes": 2,
                    "approximation": 0.5,
                    "estimation": 3,
                    "optimization": 1,
                },
            }
        ),
        ["linear 12.5 in all", "estimation 6"],
    ),
    "timing": (
        lambda: figures.timing_bars({"two loops": 2.31, "one loop": 0.0123, "none": 0.00081}),
        ["two loops, one loop and none"],
    ),
    "split": (
        lambda: figures.split_strip({"training": 1078, "validation": 359, "test": 360}),
        ["1797 examples", "training 1078 (60 %)"],
    ),
    "folds": (
        lambda: figures.fold_strips(
            [
                (np.setdiff1d(np.arange(23), held), held)
                for held in np.array_split(RNG.permutation(23), 5)
            ]
        ),
        ["5, 5, 5, 4 and 4; every example is held out exactly once"],
    ),
    "softmax": (
        lambda: figures.softmax_bars([3, 1, -3], {"softmax": [0.879, 0.119, 0.002]}),
        ["(3, 1, -3)", "0.88, 0.12, 0.00"],
    ),
    "softmax_nan": (
        lambda: figures.softmax_bars(
            [1003, 1001, 997],
            {"naive": [np.nan] * 3, "yours": [0.88, 0.12, 0], "reference": [0.88, 0.12, 0]},
        ),
        ["(1003, 1001, 997)", "naive (nan, nan, nan)"],
    ),
    "image_grid": (draw_grid, ["What it got wrong", "20 pictures of 8 by 8"]),
    "neighbors": (draw_neighbors, ["6 of 6, 5 of 6, 5 of 6 and 6 of 6"]),
    "templates": (draw_templates, ["10 classes", "8 by 8"]),
    "equalization": (draw_equalization, ["nine pixels in ten lie before from 6", "255"]),
    "graph": (draw_graph, ["x 2, gradient 0.21; w -1.5, gradient 0.84", "Marked: +."]),
    "graph_before_backward": (
        lambda: figures.computation_graph(
            [{"label": "", "value": 0.5, "gradient": None, "inputs": []}]
        ),
        ["a constant 0.5, no gradient yet"],
    ),
    "descent": (draw_descent, ["lr 0.02: 7 to 1.26 in 12 steps", "lr 0.21"]),
    "descent_still": (draw_one_descent, ["still: 2 to 2 in 3 steps"]),
    "stages": (draw_stages, ["whitened (1, 0; 0, 1), mean (0, 0)"]),
    "neuron": (
        lambda: figures.neuron_plane(step_neuron, (1, 1), -2, name="step"),
        ["w = (1, 1), b = -2", "0 at 00, 0 at 01, 0 at 10 and 1 at 11, which is AND."],
    ),
    "neuron_of_zero": (
        lambda: figures.neuron_plane(lambda x, w, b: np.tanh(x @ w + b), (0, 0), 0, name="tanh"),
        ["one neuron, tanh".capitalize(), "and 0 at 11, which is the constant 0."],
    ),
    "xor": (
        lambda: figures.threshold_network([[2, -2], [2, -2]], [-1, 3], [1, 1], -2),
        [
            "h1 = [2 x1 + 2 x2 − 1 ≥ 0]",
            "h2 = [−2 x1 − 2 x2 + 3 ≥ 0]",
            "is 0, 1, 1 and 0; 4 outputs",
        ],
    ),
    "xor_wrong": (
        lambda: figures.threshold_network(np.zeros((2, 2)), [0, 0], [0, 0], -1),
        ["is 0, 0, 0 and 0; 2 outputs of 4 as XOR"],
    ),
    "half_spaces": (draw_threshold_regions, ["5 half-spaces;", "2 such sets from 9 half-spaces"]),
    "outlined": (draw_outlined_regions, ["8 half-spaces", "agrees with the outlined set on 9"]),
    "boxes": (draw_boxes, ["A disk of the plane", "9 boxes (36 first-layer neurons)"]),
    "cyclic": (
        draw_trace,
        [
            "x = 1: 000, 100, 110, 111, 011, 001, 000, 100",
            "never stops, the states repeat every 6 steps",
            "stops, nothing changes after step 0",
        ],
    ),
    "output_gradients": (
        draw_output_gradients,
        ["squared error -0.0066; cross-entropy -0.993: 150 times apart"],
    ),
    "degradation": (draw_degradation, ["97.0 % with 0 % silent", "24.0 % with 90 % silent"]),
    "overfit": (
        draw_overfit,
        ["all right from step 46", "10.0 % right at the end", "guessing costs 2.30"],
    ),
    "hidden_units": (
        draw_hidden,
        ["2 hidden units as pictures of 4 by 4", "speak most for A and for B"],
    ),
    "timeline": (figures.timeline, ["cybernetics 1943 to 1969 with 5 of the 18", "2006 to today"]),
    "activation": (draw_activation, ["at x = 0, value 0.000, derivative 1.000", "is saturated"]),
    "activations": (draw_activations, ["tanh 1, relu 1"]),
    "relu_fit": (
        draw_relu_fit,
        ["sum of 2 relus through 3", "largest error is 0.0625", "with 4 0.01"],
    ),
    "training": (draw_training, ["after 20 steps", "training loss 0.40", "right 90.0 % of 30"]),
    "graph_forward": (
        lambda: figures.computation_graph(
            [{"label": "x", "value": None, "gradient": None, "inputs": []}]
        ),
        ["x no value yet, no gradient yet"],
    ),
    "message": (lambda: figures.message("Nothing to draw."), ["Nothing to draw."]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_figure_draws_quietly_and_says_its_numbers(name, caplog):
    draw, wanted = EXAMPLES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout that does not fit, a glyph no font has
        fig = draw()
        png = fig.png()
    assert isinstance(fig, figures.Figure)
    assert png.startswith(b"\x89PNG")
    assert not caplog.records  # matplotlib logs what it could not do, on stderr
    for text in wanted:
        assert text in fig.alt
    assert (
        fig.alt.endswith(".")
        and "\n" not in fig.alt
        and "nan" not in fig.alt.lower().replace("naive (nan, nan, nan)", "")
    )


def test_every_figure_function_has_an_example():
    code = "\n".join(f"{d.__code__.co_names}{d.__code__.co_consts}" for d, _ in EXAMPLES.values()
                     if hasattr(d, "__code__"))  # fmt: skip
    drawn = {d.__name__ for d, _ in EXAMPLES.values()}
    for name in figures.__all__:
        assert name == "Figure" or name in drawn or name in code, name


def test_figure_stores_picture_and_alt_text():
    fig = figures.metric_balls()
    data_, metadata = fig._repr_mimebundle_()
    width, height = metadata["image/png"]["width"], metadata["image/png"]["height"]
    png = base64.b64decode(data_["image/png"])
    assert data_["text/plain"] == fig.alt == metadata["image/png"]["alt"] == repr(fig)
    assert struct.unpack(">II", png[16:24]) == (2 * width, 2 * height)  # sharp on dense screens
    assert figures.metric_balls().png() == png


def test_the_graph_stands_in_columns_and_no_edge_crosses_a_node():
    from utils.figures.graph import _layout

    # 3 = 0 + 1, 4 = 3 * 2, 5 = 4 + 0:  2 is used late and stands late, 0 to 5 passes two columns
    inputs = [[], [], [], [0, 1], [3, 2], [4, 0]]
    columns, edges = _layout([{"inputs": i} for i in inputs])
    assert [set(column) for column in columns] == [
        {0, 1},
        {3, 2, (0, 5, 1)},
        {4, (0, 5, 2)},
        {5},
    ]
    assert edges[0, 5] == [0, (0, 5, 1), (0, 5, 2), 5]
    assert edges[3, 4] == [3, 4]
    # of two orders of a column the one whose edges do not cross: 0 feeds 3, 1 feeds 2
    columns, _ = _layout([{"inputs": i} for i in [[], [], [1], [0], [2, 3]]])
    assert [columns[0].index(i) for i in (1, 0)] == [columns[1].index(i) for i in (2, 3)]


def test_timing_bars_do_not_say_what_varies():
    first = figures.timing_bars({"loops": 1.0, "matmul": 0.001}).alt
    assert first == figures.timing_bars({"loops": 0.02, "matmul": 0.3}).alt


def test_figures_change_nobodys_settings():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures.surrogate_losses().png()
    assert dict(mpl.rcParams) == before


def test_a_figure_claims_only_what_is_so():
    in_nats = figures.surrogate_losses({"logistic": lambda m: np.logaddexp(0, -m)})
    assert "not an upper bound: logistic" in in_nats.alt
    leaky = [(np.arange(4), np.arange(2)), (np.arange(4), np.arange(2))]
    assert "not every example" in figures.fold_strips(leaky).alt


def test_surrogates_bound_the_zero_one_loss():
    from utils.figures.curves import SURROGATES

    margins = np.linspace(-3, 3, 601)
    for name, loss in SURROGATES.items():
        assert (loss(margins) >= (margins <= 0) - 1e-12).all(), name


@pytest.mark.parametrize(
    "call",
    [
        lambda: figures.cross_validation_curve([1, 2], np.zeros((3, 5))),
        lambda: figures.error_parts({"a": {"Bayesian": 1}}),
        lambda: figures.decision_regions(lambda p: p, np.eye(2), np.array([0, 1])),
        lambda: figures.computation_graph([]),
        lambda: figures.computation_graph(
            [{"label": "x", "value": 1, "gradient": None, "inputs": [0]}]
        ),
        lambda: figures.computation_graph(
            [{"label": "x", "value": 1, "gradient": None, "inputs": []}], at=1
        ),
    ],
)
def test_bad_input_gets_a_sentence(call):
    with pytest.raises(ValueError, match=r"should|wanted"):
        call()


@pytest.mark.parametrize(
    "value, said", [(0.1 + 0.2, "0.3"), (-0.0, "0"), (12345.6, "12346"), (2e-5, "2e-05"),
                    (96.804, "96.8"), (float("nan"), "nan")],
)  # fmt: skip
def test_numbers_are_said_plainly(value, said):
    assert number(value) == said


# Viénot, Brettel and Mollon (1999): linear RGB as seen without the middle or long cones
DEUTERANOPIA = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
PROTANOPIA = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color, seen_by):
    """CIE L*a*b* of a color after a simulation, D65."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = (seen_by @ linear).clip(0, 1)
    t = TO_XYZ @ linear / [0.9505, 1, 1.089]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("seen_by", [np.eye(3), DEUTERANOPIA, PROTANOPIA])
def test_palette_is_told_apart_by_everyone(seen_by):
    seen = [lab(c, seen_by) for c in PALETTE]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 10  # a difference of about 2 is just visible
    first = [np.linalg.norm(a - b) for i, a in enumerate(seen[:3]) for b in seen[:i]]
    assert min(first) > 25
    assert len(set(MARKERS)) >= 10


def test_import_brings_neither_torch_nor_pyplot():
    code = (
        "import sys, utils, utils.data, utils.figures, utils.widgets\n"
        "bad = {'torch', 'matplotlib.pyplot', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
