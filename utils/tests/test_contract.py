"""What is promised of every function: inputs left alone, float32 kept, views welcome, nan not lost.

The files beside this one ask each function for its own result; here all are asked the same.
"""

import importlib

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

LABELS, SIGNS = np.array([2, 0, 1, 2]), np.array([1, -1, -1, 1])
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3], [0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
X, IMAGES, SEQUENCES = (4, 3), (2, 4, 5, 5), (2, 3, 4)
STATES, SCORES = (2, 5), (4, 3)
WINDOW = {"kernel": 3, "stride": 2, "padding": 1}
HEADS = [(2, 3, 4), (2, 5, 3), (2, 5, 2), (4, 6), (3, 6), (2, 6), (6, 4), (6,), (6,), (6,), (4,)]
LSTM = (STATES, STATES, (4, 20), (5, 20), (20,))
PARAMETERS = [((3, 5), (5,)), ((5, 2), (2,))]
CNN = {"conv_w": (2, 4, 3, 3), "conv_b": (2,), "dense_w": (8, 3), "dense_b": (3,)}

# Arguments by position, a tuple of ints standing for a random array of that shape; options.
LAYERS = {  # pairs xxx_forward and xxx_backward
    "attention.additive_attention": ([(2, 3, 4), (2, 5, 6), (4, 3), (6, 3), (3,)], {}),
    "attention.attention": ([(2, 3, 4), (2, 5, 4), (2, 5, 6)], {}),
    "attention.multi_head_attention": (HEADS, {"n_heads": 3}),
    "cnn.cnn": ([IMAGES, CNN], {}),
    "convolution.conv2d": ([IMAGES, (6, 2, 3, 2), (6,)], {"padding": 1, "groups": 2}),
    "convolution.conv2d_loops": ([IMAGES, (2, 4, 2, 2), (2,)], {"stride": 2}),
    "mlp.affine": ([X, (3, 2), (2,)], {}),
    "mlp.mlp": ([X, PARAMETERS], {"activation": "tanh"}),
    "normalization.batch_norm": ([X, (3,), (3,)], {}),
    "normalization.layer_norm": ([X, (3,), (3,)], {}),
    "pooling.average_pool2d": ([IMAGES], WINDOW),
    "pooling.channel_pool": ([IMAGES], {"size": 2}),
    "pooling.global_average_pool": ([IMAGES], {}),
    "pooling.l2_pool2d": ([IMAGES], WINDOW),
    "pooling.max_pool2d": ([IMAGES], WINDOW),
    "recurrent.bidirectional": ([SEQUENCES, LSTM, LSTM], {}),
    "recurrent.gru": ([SEQUENCES, STATES, (4, 15), (5, 15), (15,), (15,)], {}),
    "recurrent.gru_step": ([(2, 4), STATES, (4, 15), (5, 15), (15,), (15,)], {}),
    "recurrent.lstm": ([SEQUENCES, STATES, STATES, (4, 20), (5, 20), (20,)], {}),
    "recurrent.lstm_step": ([(2, 4), STATES, STATES, (4, 20), (5, 20), (20,)], {}),
    "recurrent.rnn": ([SEQUENCES, STATES, (4, 5), (5, 5), (5,)], {}),
    "recurrent.rnn_step": ([(2, 4), STATES, (4, 5), (5, 5), (5,)], {}),
    "recurrent.stacked": ([SEQUENCES, [LSTM]], {}),
}
ENTRYWISE = ["elu", "gelu", "identity", "leaky_relu", "relu", "selu", "sigmoid", "softplus", "tanh"]
ACTIVATIONS = {  # xxx and xxx_backward(dout, ...)
    **{f"activations.{name}": ([X], {}) for name in [*ENTRYWISE, "softmax", "log_softmax"]},
    "activations.log_sum_exp": ([X], {}),
    "activations.maxout": ([(4, 6)], {"n_pieces": 3}),
    "activations.prelu": ([X, (3,)], {}),
}
OPTIMIZERS = [
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "momentum",
    "nadam",
    "nesterov",
    "rmsprop",
    "sgd",
]
DISTANCES = ["l1_distances", "l2_distances", "l2_distances_one_loop", "l2_distances_two_loops"]
SCALERS = ["center", "clip_outliers", "decorrelate", "min_max", "standardize", "whiten"]
FUNCTIONS = {
    "attention.additive_attention_weights": ([(2, 3, 4), (2, 5, 6), (4, 3), (6, 3), (3,)], {}),
    "attention.attention_weights": ([(2, 3, 4), (2, 5, 4)], {}),
    "convolution.col2im": ([(2, 16, 16)], {"image_size": (5, 5), "kernel": 2}),
    "convolution.conv2d_fft": ([IMAGES, (3, 4, 2, 2), (3,)], {}),
    "convolution.im2col": ([IMAGES], {"kernel": 2}),
    "linear.linear_scores": ([X, (3, 2), (2,)], {}),
    "linear.polynomial_features": ([X], {"degree": 2}),
    "linear.rbf_kernel": ([X, (5, 3)], {"gamma": 0.5}),
    "losses.binary_cross_entropy": ([PROBABILITIES, np.eye(4, 3)], {}),
    "losses.binary_cross_entropy_with_logits": ([X, np.eye(4, 3)], {}),
    "losses.binary_hinge": ([(4,), SIGNS], {}),
    "losses.binary_logistic": ([(4,), SIGNS], {}),
    "losses.categorical_cross_entropy": ([PROBABILITIES, np.eye(4, 3)], {}),
    "losses.mae": ([X, X], {}),
    "losses.mse": ([X, X], {}),
    "losses.multiclass_hinge": ([SCORES, LABELS], {}),
    "losses.multiclass_hinge_max": ([SCORES, LABELS], {}),
    "losses.negative_log_likelihood": ([SCORES, LABELS], {}),
    "losses.sequence_cross_entropy": ([(2, 2, 3), LABELS.reshape(2, 2)], {}),
    "losses.softmax_cross_entropy": ([SCORES, LABELS], {}),
    **{f"neighbors.{name}": ([X, (5, 3)], {}) for name in DISTANCES},
    "normalization.update_running_statistics": ([(3,), (3,), X], {}),
    **{f"optimizers.{name}_step": ([X, X, None], {}) for name in OPTIMIZERS},
    "optimizers.clip_by_norm": ([{"w": X, "b": (3,)}], {"max_norm": 0.5}),
    "optimizers.clip_by_value": ([{"w": X, "b": (3,)}], {"limit": 0.5}),
    **{f"preparation.{name}": ([(6, 3), X], {}) for name in SCALERS},
    "regularization.elastic_penalty": ([X], {"strength": 0.1}),
    "regularization.flip": ([IMAGES], {}),
    "regularization.l1_penalty": ([X], {"strength": 0.1}),
    "regularization.l2_penalty": ([X], {"strength": 0.1}),
    "regularization.max_norm": ([X], {"limit": 0.5}),
    "regularization.rotate": ([IMAGES], {}),
    "regularization.shift": ([IMAGES], {"down": 1, "right": 0}),
    "sampling.apply_temperature": ([SCORES], {"temperature": 0.5}),
    "sampling.keep_top_k": ([SCORES], {"k": 2}),
    "sampling.keep_top_p": ([SCORES], {"p": 0.5}),
}
ALL = LAYERS | ACTIVATIONS | FUNCTIONS
EVERY = pytest.mark.parametrize("name", ALL)
BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
# Where nan is one score among others that are not, and is not the one that counts.
UNSEEN = {"losses.negative_log_likelihood"}


def each(function, tree):
    """The tree of lists, tuples and dicts with function applied to every array in it."""
    if isinstance(tree, dict):
        return {key: each(function, branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(each(function, branch) for branch in tree)
    return function(tree) if isinstance(tree, np.ndarray | np.generic | torch.Tensor) else tree


def leaves(tree):
    """Every float array in the tree, as numpy's."""
    found = []

    def find(a):
        a = a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else np.asarray(a)
        if a.dtype.kind == "f":
            found.append(a)

    each(find, tree)
    return found


def drawn(shapes, rng):
    """Random arrays for the shapes."""
    if isinstance(shapes, tuple) and all(isinstance(side, int) for side in shapes):
        return rng.normal(size=shapes)
    if isinstance(shapes, dict):
        return {key: drawn(shape, rng) for key, shape in shapes.items()}
    if isinstance(shapes, list | tuple):
        return type(shapes)(drawn(shape, rng) for shape in shapes)
    return shapes.copy() if isinstance(shapes, np.ndarray) else shapes


def results(tree, name, arguments, douts=None):
    """All that the function returns, and in the reference what its backward pass does, twice."""
    module, name_in_module = name.split(".")
    module, options = importlib.import_module(f"utils.{tree}.{module}"), ALL[name][1]
    forward = getattr(module, name_in_module + ("_forward" if name in LAYERS else ""))
    out = forward(*arguments, **options)
    if tree == "gpu" or name in FUNCTIONS:
        return [out]
    backward = getattr(module, f"{name_in_module}_backward")
    if name in ACTIVATIONS:
        gradients = [backward(dout_like(out), *arguments, **options) for _ in range(2)]
        return [out, *gradients]
    out, cache = out
    return [out, *(backward(dout_like(out), cache) for _ in range(2))]


def dout_like(out):
    """Gradients by out that differ from entry to entry, read-only."""
    return each(lambda a: frozen(np.cos(np.arange(a.size)).reshape(a.shape).astype(a.dtype)), out)


def frozen(array):
    array = np.array(array)
    array.flags.writeable = False
    return array


@BOTH
@EVERY
def test_inputs_are_left_alone(tensor, rng, tree, name):
    arrays = drawn(ALL[name][0], rng)
    inputs = each(frozen if tree == "reference" else tensor, arrays)
    first = results(tree, name, inputs)
    for now, before in zip(leaves(inputs), leaves(arrays), strict=True):
        assert_array_equal(now, before)
    if len(first) == 3:  # nor does a backward pass spoil its cache
        for once, again in zip(leaves(first[1]), leaves(first[2]), strict=True):
            assert_array_equal(once, again)
    if name == "activations.identity":  # it returns x itself
        return
    for out in leaves(first):
        out += 1  # what comes out is the caller's: no input hangs on it
    for now, before in zip(leaves(inputs), leaves(arrays), strict=True):
        assert_array_equal(now, before)


@BOTH
@EVERY
def test_float32_stays_float32(tensor, rng, tree, name):
    to = np.asarray if tree == "reference" else tensor
    arrays = each(
        lambda a: to(a.astype("float32") if a.dtype.kind == "f" else a), drawn(ALL[name][0], rng)
    )
    assert {a.dtype for a in leaves(results(tree, name, arrays))} == {np.dtype("float32")}


@BOTH
@EVERY
def test_views_are_as_good(tensor, rng, tree, name):
    arrays = drawn(ALL[name][0], rng)
    to = np.asarray if tree == "reference" else tensor

    def view(array):
        """The same numbers, their axes in memory the other way round, and backwards in NumPy."""
        if tree == "gpu":
            return tensor(array.T).permute(*reversed(range(array.ndim)))
        backwards = (slice(None, None, -1),) * array.ndim
        return array.T[backwards].copy()[backwards].T

    got, want = results(tree, name, each(view, arrays)), results(tree, name, each(to, arrays))
    for a, b in zip(leaves(got), leaves(want), strict=True):
        assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@BOTH
@pytest.mark.parametrize("name", sorted(ALL.keys() - UNSEEN))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_is_not_lost(tensor, rng, tree, name):
    to = np.asarray if tree == "reference" else tensor
    arrays = drawn(ALL[name][0], rng)
    leaves(arrays)[0].flat[0] = np.nan
    out, *_ = results(tree, name, each(to, arrays))
    assert any(np.isnan(a).any() for a in leaves(out))
