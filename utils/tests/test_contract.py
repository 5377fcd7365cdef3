"""What is promised of every function: inputs left alone, float32 kept, views welcome, nan not lost.

The files beside this one ask each function for its own result; here all are asked the same.
"""

import importlib
import inspect
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import utils.reference as R
from utils.tests.test_mirror import MODULES, public

LABELS, SIGNS = np.array([2, 0, 1, 2]), np.array([1, -1, -1, 1])
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3], [0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
X, IMAGES, SEQUENCES = (4, 3), (2, 4, 5, 5), (2, 3, 4)
STATES, SCORES = (2, 5), (4, 3)
WINDOW = {"kernel": 3, "stride": 2, "padding": 1}
HEADS = [(2, 3, 4), (2, 5, 3), (2, 5, 2), (4, 6), (3, 6), (2, 6), (6, 4), (6,), (6,), (6,), (4,)]
LSTM = (STATES, STATES, (4, 20), (5, 20), (20,))
PARAMETERS = [((3, 5), (5,)), ((5, 2), (2,))]
CNN = {"conv_w": (2, 4, 3, 3), "conv_b": (2,), "dense_w": (8, 3), "dense_b": (3,)}
G, D = [((2, 5), (5,)), ((5, 3), (3,))], [((3, 5), (5,)), ((5, 1), (1,))]
CODER = {"encoder": [((3, 2), (2,))], "decoder": [((2, 3), (3,))]}
PCA = {"mean": (3,), "axes": (3, 2)}
GPT = R.gpt.gpt_shapes(vocabulary=7, context=5, width=4, n_layers=1)
BLOCK = {k.removeprefix("block0."): v for k, v in GPT.items() if k.startswith("block0.")}
TOKENS, TARGETS = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2, 3, 4], [5, 6, 0]])
SEGMENTS, MASKS = np.arange(25).reshape(5, 5) // 5, np.tri(5, dtype=bool)

# Arguments by position, a tuple of ints standing for a random array of that shape; options.
# One that comes once more, with others, carries a note in brackets.
LAYERS = {  # pairs xxx_forward and xxx_backward
    "attention.additive_attention": ([(2, 3, 4), (2, 5, 6), (4, 3), (6, 3), (3,)], {}),
    "attention.attention": ([(2, 3, 4), (2, 5, 4), (2, 5, 6)], {}),
    "attention.attention [causal]": ([(2, 3, 4)] * 3, {"causal": True}),
    "attention.multi_head_attention": (HEADS, {"n_heads": 3}),
    "cnn.cnn": ([IMAGES, CNN], {}),
    "cnn.cnn_head": ([(2, 2, 5, 5), CNN], {}),
    "cnn.cnn_maps": ([IMAGES, CNN], {}),
    "convolution.conv2d": ([IMAGES, (6, 2, 3, 2), (6,)], {"padding": 1, "groups": 2}),
    "convolution.conv2d_loops": ([IMAGES, (2, 4, 2, 2), (2,)], {"stride": 2}),
    "gpt.block": ([(2, 3, 4), BLOCK], {"n_heads": 2}),
    "gpt.gpt": ([TOKENS, GPT], {"n_heads": 2}),
    "mlp.affine": ([X, (3, 2), (2,)], {}),
    "mlp.mlp": ([X, PARAMETERS], {"activation": "tanh"}),
    "normalization.batch_norm": ([X, (3,), (3,)], {}),
    "normalization.batch_norm [images]": ([IMAGES, (4,), (4,)], {}),
    "normalization.batch_norm [inference]": (
        [X, (3,), (3,), (3,), np.array([1.0, 2.0, 3.0])],
        {"training": False},
    ),
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
GAMES = ["discriminator_loss", "frechet_distance", "game_value"]
ENTRYWISE = ["elu", "gelu", "identity", "leaky_relu", "relu", "selu", "sigmoid", "softplus", "tanh"]
ACTIVATIONS = {  # xxx and xxx_backward(dout, ...)
    **{f"activations.{name}": ([X], {}) for name in [*ENTRYWISE, "softmax", "log_softmax"]},
    "activations.log_sum_exp": ([X], {}),
    "activations.maxout": ([(4, 6)], {"n_pieces": 3}),
    "activations.prelu": ([X, (3,)], {}),
    "activations.sigmoid [steep]": ([X], {"steepness": 2.0}),
    "activations.step": ([X], {}),
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
    "autoencoder.autoencoder_loss": ([X, CODER], {}),
    "autoencoder.decode": ([(4, 2), CODER], {}),
    "autoencoder.encode": ([X, CODER], {}),
    "cnn.cnn_loss": ([IMAGES, LABELS[:2], CNN], {}),
    "convolution.col2im": ([(2, 16, 16)], {"image_size": (5, 5), "kernel": 2}),
    "convolution.conv2d_fft": ([IMAGES, (3, 4, 2, 2), (3,)], {}),
    "convolution.im2col": ([IMAGES], {"kernel": 2}),
    "ensembles.boosting_round": ([np.full(4, 0.25), LABELS == 0], {}),
    "ensembles.rejection_curve": ([PROBABILITIES, LABELS], {}),
    "faithfulness.blur": ([(4, 5, 5)], {"sigma": 1.0}),
    **{f"gan.{name}": ([X, (5, 3)], {}) for name in GAMES},
    "gan.discriminator_mlp_loss": ([X, (4, 2), G, D], {}),
    "gan.gan_step": ([[(X, (4, 2))], (4, 2), G, D], {}),
    "gan.generator_mlp_loss": ([(4, 2), G, D], {}),
    "gan.minimax_loss": ([X], {}),
    "gan.non_saturating_loss": ([X], {}),
    "gpt.gpt_loss": ([TOKENS, TARGETS, GPT], {"n_heads": 2}),
    "gpt.gpt_step": ([TOKENS, GPT], {"n_heads": 2}),
    "lime.lime_fit": ([MASKS, (5,), np.linspace(0.2, 1, 5)], {"k": 2}),
    "lime.mean_colors": ([(4, 5, 5), SEGMENTS], {}),
    "lime.proximity": ([MASKS.astype(float)], {}),
    "lime.switch_off": ([(4, 5, 5), SEGMENTS, MASKS], {}),
    "lime.weighted_ridge": ([(5, 3), (5,), np.linspace(0.2, 1, 5)], {}),
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
    "losses.zero_one": ([SCORES, LABELS], {}),
    "mlp.mlp_loss": ([X, np.array([1, 0, 1, 1]), PARAMETERS], {}),
    **{f"neighbors.{name}": ([X, (5, 3)], {}) for name in DISTANCES},
    "normalization.update_running_statistics": ([(3,), (3,), X], {}),
    **{f"optimizers.{name}_step": ([X, X, None], {}) for name in OPTIMIZERS},
    "occlusion.occlude": ([(4, 5, 5)], {"top": 1, "left": 1, "patch": 2}),
    "optimizers.clip_by_norm": ([{"w": X, "b": (3,)}], {"max_norm": 0.5}),
    "optimizers.clip_by_value": ([{"w": X, "b": (3,)}], {"limit": 0.5}),
    "pca.pca_fit": ([X], {"n_components": 2}),
    "pca.pca_project": ([X, PCA], {}),
    "pca.pca_reconstruct": ([(4, 2), PCA], {}),
    "pca.principal_angles": ([(4, 2), (4, 2)], {}),
    **{f"preparation.{name}": ([(6, 3), X], {}) for name in [*SCALERS, "impute_mean"]},
    "preparation.equalize_histogram": ([200 * PROBABILITIES], {}),
    "regularization.affine": ([IMAGES], {"degrees": 10.0, "scale": 1.1, "down": 0.5}),
    "regularization.elastic_penalty": ([X], {"strength": 0.1}),
    "regularization.flip": ([IMAGES], {}),
    "regularization.l1_penalty": ([X], {"strength": 0.1}),
    "regularization.l2_penalty": ([X], {"strength": 0.1}),
    "regularization.max_norm": ([X], {"limit": 0.5}),
    "regularization.rotate": ([IMAGES], {}),
    "regularization.shift": ([IMAGES], {"down": 1, "right": 0}),
    "rollout.attention_rollout": ([(2, 2, 2, 3, 3)], {}),
    "saliency.upsample": ([(2, 3, 3)], {"size": (4, 5)}),
    "sampling.apply_temperature": ([SCORES], {"temperature": 0.5}),
    "sampling.keep_top_k": ([SCORES], {"k": 2}),
    "sampling.keep_top_p": ([SCORES], {"p": 0.5}),
}
ALL = LAYERS | ACTIVATIONS | FUNCTIONS
EVERY = pytest.mark.parametrize("name", ALL)
BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
WITHOUT_NAN = {
    # refused
    *("ensembles.boosting_round", "ensembles.rejection_curve", "gan.frechet_distance"),
    *("lime.weighted_ridge", "pca.pca_fit", "pca.principal_angles"),
    "preparation.equalize_histogram",
    # filled
    "preparation.impute_mean",
    # one score among others that are not, and not the one that counts
    *("losses.negative_log_likelihood", "losses.zero_one"),
}


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
    module, name_in_module = name.split(" ")[0].split(".")
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
@pytest.mark.parametrize("name", sorted(ALL.keys() - WITHOUT_NAN))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_is_not_lost(tensor, rng, tree, name):
    to = np.asarray if tree == "reference" else tensor
    arrays = drawn(ALL[name][0], rng)
    leaves(arrays)[0].flat[0] = np.nan
    out, *_ = results(tree, name, each(to, arrays))
    assert any(np.isnan(a).any() for a in leaves(out))


# What takes a model or a generator of random numbers, and inputs of two dtypes: asked of the
# reference alone, and only whether float32 stays.


def f(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def floats32(shapes):
    return each(lambda a: a.astype(np.float32), drawn(shapes, np.random.default_rng(0)))


def layers32(*sizes):
    return floats32([(shape, shape[1:]) for shape in pairwise(sizes)])


def through(model, x):
    """Scores of a model, and the gradient by its input."""
    scores, backward = model(x)
    return scores, backward(scores)


def both_steps(step):
    """The first step, from no state, and the second, from what the first left."""
    w, state = step(f(3), f(3), None)
    return w, state, step(w, f(3), state)


def coded_and_back(x, parameters):
    (out, code), cache = R.autoencoder.autoencoder_forward(x, parameters)
    return out, code, R.autoencoder.autoencoder_backward(out, cache)


def dropped_and_back(x):
    out, cache = R.regularization.dropout_forward(x, 0.5, RNG)
    return out, R.regularization.dropout_backward(out, cache)


RNG = np.random.default_rng(0)
X32, IMAGES32, CNN32 = f(*X), f(*IMAGES), floats32(CNN)
MLP = R.mlp.mlp_model(layers32(3, 5, 3))
P64 = PROBABILITIES
P32, SIGNS64 = P64.astype(np.float32), SIGNS.astype(np.float64)


def of_image(images):
    """A model of images, for the explanations that only ask for scores."""
    return R.cnn.cnn_forward(images, CNN32)[0]


FLOAT32 = {  # "module.function" or, for both of a layer, "module.layer": a call
    "activations.prelu [one slope]": lambda: R.activations.prelu(X32, 0.1),
    "autoencoder.autoencoder": lambda: coded_and_back(X32, floats32(CODER)),
    "cnn.cnn_head_model": lambda: through(R.cnn.cnn_head_model(CNN32), f(2, 2, 5, 5)),
    "cnn.cnn_model": lambda: through(R.cnn.cnn_model(CNN32), IMAGES32),
    "faithfulness.deletion_curve": lambda: R.faithfulness.deletion_curve(
        of_image, IMAGES32[0], 1, f(5, 5), n_steps=3
    ),
    "faithfulness.insertion_curve": lambda: R.faithfulness.insertion_curve(
        of_image, IMAGES32[0], 1, f(5, 5), n_steps=3
    ),
    "input_ascent.fgsm": lambda: R.input_ascent.fgsm(MLP, P32, LABELS, 0.1, clip=(0, 1)),
    "input_ascent.maximize_activation": lambda: R.input_ascent.maximize_activation(
        MLP, X32, LABELS, n_steps=2, l2=0.1
    ),
    "lime.lime": lambda: R.lime.lime(of_image, IMAGES32[0], 1, SEGMENTS, RNG, n_samples=9, k=2),
    "linear.perceptron_step": lambda: R.linear.perceptron_step(f(3), 0.0, X32[0], -1),
    "linear.train_linear_classifier": lambda: R.linear.train_linear_classifier(
        X32, LABELS, 3, epochs=2, l2=0.1
    ),
    "linear.train_perceptron": lambda: R.linear.train_perceptron(X32, SIGNS, 3),
    "mlp.mlp_model": lambda: through(MLP, X32),
    "occlusion.occlusion_map": lambda: R.occlusion.occlusion_map(of_image, IMAGES32[0], 1, 3),
    "regularization.add_noise": lambda: R.regularization.add_noise(IMAGES32, 0.1, RNG),
    "regularization.augment": lambda: R.regularization.augment(IMAGES32, RNG, 1, True, True, 0.1),
    "regularization.dropout": lambda: dropped_and_back(X32),
    "saliency.grad_cam": lambda: R.saliency.grad_cam(
        R.cnn.cnn_head_model(CNN32),
        IMAGES32,
        LABELS[:2],
        partial(R.cnn.cnn_maps_forward, params=CNN32),
        upsampled=True,
        normalized=True,
    ),
    "saliency.saliency": lambda: R.saliency.saliency(MLP, X32, LABELS, kind="times_input"),
    "saliency.score_and_gradient": lambda: R.saliency.score_and_gradient(MLP, X32, LABELS),
    "saliency.smooth_grad": lambda: R.saliency.smooth_grad(MLP, X32, LABELS, RNG, n_samples=2),
}
for name in OPTIMIZERS:
    step = getattr(R.optimizers, f"{name}_step")
    FLOAT32[f"optimizers.{name}_step [twice]"] = partial(both_steps, step)
for name in ["binary_cross_entropy", "categorical_cross_entropy", "mae", "mse"]:
    loss = partial(getattr(R.losses, name), P32, P64)
    FLOAT32[f"losses.{name} [targets of float64]"] = loss
for name in ["binary_hinge", "binary_logistic"]:
    FLOAT32[f"losses.{name} [signs of float64]"] = partial(
        getattr(R.losses, name), X32[:, 0], SIGNS64
    )
FLOAT32["losses.binary_cross_entropy_with_logits [targets of float64]"] = partial(
    R.losses.binary_cross_entropy_with_logits, X32, P64
)


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_stays_with_models_and_random_numbers(name):
    assert {a.dtype for a in leaves(FLOAT32[name]())} == {np.dtype("float32")}


# In neither table: they return no floats, draw or count what has no dtype to follow, or promise
# another dtype in their docstring.
WITHOUT = {
    "attention": {"causal_mask", "positional_encoding", "positional_shift"},
    "autoencoder": {"autoencoder_init"},
    "cnn": {"cnn_init"},
    "convolution": {"output_size", "receptive_field"},
    "ensembles": {"bootstrap_indices", "bootstrap_share", "vote", "predict_or_reject"},
    "faithfulness": {
        *("area_under", "mask_overlap", "pixel_ranks", "pointing_game"),
        *("randomization_check", "rank_correlation"),
    },
    "gpt": {"generate", "gpt_flops_per_token", "gpt_init", "gpt_n_parameters", "gpt_shapes"},
    "lime": {"random_masks"},
    "linear": {"predict"},
    "mlp": {"mlp_init", "count_parameters"},
    "neighbors": {"nearest", "vote", "knn_predict"},
    "sampling": {"sample"},
}
MODULES_WITHOUT = {
    *("gradient_check", "initializers", "schedules", "selection", "training", "validation"),
}


@pytest.mark.parametrize("module", sorted(set(MODULES) - MODULES_WITHOUT))
def test_the_tables_know_every_function(module):
    called = {name.split(" ")[0] for name in ALL | FLOAT32}
    for name, thing in public("reference", module).items():
        if inspect.isfunction(thing):
            layer = name.removesuffix("_forward").removesuffix("_backward")
            listed = {f"{module}.{name}", f"{module}.{layer}"} & called
            assert listed or name in WITHOUT.get(module, ()), name
