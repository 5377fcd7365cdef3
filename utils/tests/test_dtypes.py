"""float32 in, float32 out: every public function of utils.reference that computes with floats."""

import inspect
from functools import partial
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules

import numpy as np
import pytest

import utils.reference as R

RNG = np.random.default_rng(0)


def f(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def pair(name, *inputs, **options):
    """A call of xxx_forward, and of xxx_backward with what came out."""

    def call():
        module, function = name.split(".")
        module = getattr(R, module)
        out, cache = getattr(module, f"{function}_forward")(*inputs, **options)
        dout = tuple(map(np.ones_like, out)) if isinstance(out, tuple) else np.ones_like(out)
        if function == "autoencoder":
            dout = dout[0]
        return out, getattr(module, f"{function}_backward")(dout, cache)

    return call


def layers(*sizes):
    return [(f(*shape), f(shape[1])) for shape in pairwise(sizes)]


def through(model, x):
    """Scores of a model, and the gradient by its input."""
    scores, backward = model(x)
    return scores, backward(scores)


def of_image(images):
    """A model of images, for the explanations that only ask for scores."""
    return R.cnn.cnn_forward(images, CNN)[0]


def both_steps(step):
    """The first step, from no state, and the second, from what the first left."""

    def call():
        w, state = step(f(3), f(3), None)
        return w, state, step(w, f(3), state)

    return call


X, X2, IMAGES = f(5, 4), f(3, 4), f(2, 4, 6, 6)
P = R.activations.softmax(X)
LABELS, SIGNS = np.array([0, 1, 2, 3, 0]), np.array([1, -1, 1, -1, 1])
SEQUENCE, FILTERS = f(2, 5, 4), f(4, 4, 3, 3)
RNN, LSTM = (f(2, 3), f(4, 3), f(3, 3), f(3)), (f(2, 3), f(2, 3), f(4, 12), f(3, 12), f(12))
GRU = (f(2, 3), f(4, 9), f(3, 9), f(9), f(9))
G, D = layers(2, 3, 4), layers(4, 3, 1)
MODEL, CODER = R.pca.pca_fit(X, 2), {"encoder": layers(4, 2), "decoder": layers(2, 4)}
CNN = {k: v.astype(np.float32) for k, v in R.cnn.cnn_init((4, 6, 6), 3, RNG).items()}
MLP, CLASSES = R.mlp.mlp_model(layers(4, 3, 4)), np.array([0, 1])
GPT = {k: v.astype(np.float32) for k, v in R.gpt.gpt_init(7, 5, 4, 1, RNG).items()}
BLOCK = {k.removeprefix("block0."): v for k, v in GPT.items() if k.startswith("block0.")}
TOKENS, TARGETS = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2, 3, 4], [5, 6, 0]])
SEGMENTS, MASKS = np.arange(36).reshape(6, 6) // 6, np.tri(6, dtype=bool)

# "module.function" or, for both of a layer, "module.layer": a call. One that comes with options
# or other inputs once more carries a note in brackets.
CALLS = {
    "activations.prelu": lambda: R.activations.prelu(X, f(4)),
    "activations.prelu [one slope]": lambda: R.activations.prelu(X, 0.1),
    "activations.prelu_backward": lambda: R.activations.prelu_backward(X, X, f(4)),
    "activations.maxout": lambda: R.activations.maxout(X, 2),
    "activations.maxout_backward": lambda: R.activations.maxout_backward(X[:, :2], X, 2),
    "activations.log_sum_exp_backward": lambda: R.activations.log_sum_exp_backward(X[:, 0], X),
    "activations.sigmoid [steep]": lambda: R.activations.sigmoid(X, 2.0),
    "attention.attention": pair("attention.attention", *[SEQUENCE] * 3, causal=True),
    "attention.attention_weights": lambda: R.attention.attention_weights(SEQUENCE, SEQUENCE),
    "attention.multi_head_attention": pair(
        "attention.multi_head_attention",
        *[SEQUENCE] * 3,
        *[f(4, 4) for _ in range(4)],
        *[f(4) for _ in range(4)],
        2,
    ),
    "attention.additive_attention": pair(
        "attention.additive_attention", SEQUENCE, SEQUENCE, f(4, 3), f(4, 3), f(3)
    ),
    "attention.additive_attention_weights": lambda: R.attention.additive_attention_weights(
        SEQUENCE, SEQUENCE, f(4, 3), f(4, 3), f(3)
    ),
    "autoencoder.autoencoder": pair("autoencoder.autoencoder", X, CODER),
    "autoencoder.autoencoder_loss": lambda: R.autoencoder.autoencoder_loss(X, CODER),
    "autoencoder.encode": lambda: R.autoencoder.encode(X, CODER),
    "autoencoder.decode": lambda: R.autoencoder.decode(X[:, :2], CODER),
    "cnn.cnn": pair("cnn.cnn", IMAGES, CNN),
    "cnn.cnn_maps": pair("cnn.cnn_maps", IMAGES, CNN),
    "cnn.cnn_head": pair("cnn.cnn_head", f(2, 8, 6, 6), CNN),
    "cnn.cnn_loss": lambda: R.cnn.cnn_loss(IMAGES, np.array([0, 1]), CNN),
    "convolution.conv2d": pair("convolution.conv2d", IMAGES, FILTERS, f(4), padding=1),
    "convolution.conv2d_loops": pair("convolution.conv2d_loops", IMAGES, FILTERS, f(4)),
    "convolution.conv2d_fft": lambda: R.convolution.conv2d_fft(IMAGES, FILTERS, f(4)),
    "convolution.im2col": lambda: R.convolution.im2col(IMAGES, 3),
    "convolution.col2im": lambda: R.convolution.col2im(R.convolution.im2col(IMAGES, 3), (6, 6), 3),
    "ensembles.boosting_round": lambda: R.ensembles.boosting_round(
        np.full(4, 0.25, np.float32), np.array([True, False, False, False])
    ),
    "ensembles.rejection_curve": lambda: R.ensembles.rejection_curve(P, LABELS),
    "faithfulness.blur": lambda: R.faithfulness.blur(IMAGES[0], 1.0),
    "faithfulness.deletion_curve": lambda: R.faithfulness.deletion_curve(
        of_image, IMAGES[0], 1, f(6, 6), n_steps=3
    )[1],
    "faithfulness.insertion_curve": lambda: R.faithfulness.insertion_curve(
        of_image, IMAGES[0], 1, f(6, 6), n_steps=3
    )[1],
    "gan.game_value": lambda: R.gan.game_value(X, X2),
    "gan.discriminator_loss": lambda: R.gan.discriminator_loss(X, X2),
    "gan.minimax_loss": lambda: R.gan.minimax_loss(X),
    "gan.non_saturating_loss": lambda: R.gan.non_saturating_loss(X),
    "gan.discriminator_mlp_loss": lambda: R.gan.discriminator_mlp_loss(X, f(3, 2), G, D),
    "gan.generator_mlp_loss": lambda: R.gan.generator_mlp_loss(f(3, 2), G, D),
    "gan.gan_step": lambda: R.gan.gan_step([(X, f(3, 2))], f(3, 2), G, D),
    "gan.frechet_distance": lambda: R.gan.frechet_distance(X, X2),
    "gpt.block": pair("gpt.block", f(2, 3, 4), BLOCK, 2),
    "gpt.gpt": pair("gpt.gpt", TOKENS, GPT, 2),
    "gpt.gpt_loss": lambda: R.gpt.gpt_loss(TOKENS, TARGETS, GPT, 2),
    "gpt.gpt_step": lambda: R.gpt.gpt_step(TOKENS, GPT, 2),
    "input_ascent.maximize_activation": lambda: R.input_ascent.maximize_activation(
        MLP, X, LABELS, n_steps=2, l2=0.1
    ),
    "input_ascent.fgsm": lambda: R.input_ascent.fgsm(MLP, P, LABELS, 0.1, clip=(0, 1)),
    "lime.mean_colors": lambda: R.lime.mean_colors(IMAGES[0], SEGMENTS),
    "lime.switch_off": lambda: R.lime.switch_off(IMAGES[0], SEGMENTS, MASKS),
    "lime.proximity": lambda: R.lime.proximity(MASKS.astype(np.float32)),
    "lime.weighted_ridge": lambda: R.lime.weighted_ridge(X, X[:, 0], P[:, 0]),
    "lime.lime_fit": lambda: R.lime.lime_fit(MASKS, f(6), f(6) ** 2, k=2),
    "lime.lime": lambda: R.lime.lime(of_image, IMAGES[0], 1, SEGMENTS, RNG, n_samples=9, k=2),
    "linear.linear_scores": lambda: R.linear.linear_scores(X, f(4, 3), f(3)),
    "linear.perceptron_step": lambda: R.linear.perceptron_step(f(4), 0.0, X[0], SIGNS[1]),
    "linear.train_perceptron": lambda: R.linear.train_perceptron(X, SIGNS, 3),
    "linear.train_linear_classifier": lambda: R.linear.train_linear_classifier(
        X, LABELS, 4, epochs=2, l2=0.1
    ),
    "linear.polynomial_features": lambda: R.linear.polynomial_features(X, 2),
    "linear.rbf_kernel": lambda: R.linear.rbf_kernel(X, X2, 0.5),
    "losses.sequence_cross_entropy": lambda: R.losses.sequence_cross_entropy(
        SEQUENCE, np.zeros((2, 5), int)
    ),
    "mlp.affine": pair("mlp.affine", X, f(4, 3), f(3)),
    "mlp.mlp": pair("mlp.mlp", X, layers(4, 3, 2)),
    "mlp.mlp_model": lambda: through(MLP, X),
    "cnn.cnn_model": lambda: through(R.cnn.cnn_model(CNN), IMAGES),
    "cnn.cnn_head_model": lambda: through(R.cnn.cnn_head_model(CNN), f(2, 8, 6, 6)),
    "mlp.mlp_loss": lambda: R.mlp.mlp_loss(X, LABELS, layers(4, 3, 4)),
    "normalization.batch_norm": pair("normalization.batch_norm", X, f(4), f(4)),
    "normalization.batch_norm [images]": pair("normalization.batch_norm", IMAGES, f(4), f(4)),
    "normalization.batch_norm [inference]": pair(
        "normalization.batch_norm", X, f(4), f(4), f(4), f(4) ** 2, training=False
    ),
    "normalization.layer_norm": pair("normalization.layer_norm", X, f(4), f(4)),
    "normalization.update_running_statistics": (
        lambda: R.normalization.update_running_statistics(f(4), f(4) ** 2, IMAGES)
    ),
    "occlusion.occlude": lambda: R.occlusion.occlude(IMAGES[0], 1, 1, 2),
    "occlusion.occlusion_map": lambda: R.occlusion.occlusion_map(of_image, IMAGES[0], 1, 3),
    "optimizers.clip_by_norm": lambda: R.optimizers.clip_by_norm({"w": X}, 0.1),
    "optimizers.clip_by_value": lambda: R.optimizers.clip_by_value({"w": X}, 0.1),
    "pca.pca_fit": lambda: R.pca.pca_fit(X, 2),
    "pca.pca_project": lambda: R.pca.pca_project(X, MODEL),
    "pca.pca_reconstruct": lambda: R.pca.pca_reconstruct(X[:, :2], MODEL),
    "pca.principal_angles": lambda: R.pca.principal_angles(X[:, :2], X[:, 1:]),
    "pooling.max_pool2d": pair("pooling.max_pool2d", IMAGES, 2),
    "pooling.average_pool2d": pair("pooling.average_pool2d", IMAGES, 2),
    "pooling.l2_pool2d": pair("pooling.l2_pool2d", IMAGES, 2),
    "pooling.global_average_pool": pair("pooling.global_average_pool", IMAGES),
    "pooling.channel_pool": pair("pooling.channel_pool", IMAGES, 2),
    "recurrent.rnn_step": pair("recurrent.rnn_step", SEQUENCE[:, 0], *RNN),
    "recurrent.rnn": pair("recurrent.rnn", SEQUENCE, *RNN),
    "recurrent.lstm_step": pair("recurrent.lstm_step", SEQUENCE[:, 0], *LSTM),
    "recurrent.lstm": pair("recurrent.lstm", SEQUENCE, *LSTM),
    "recurrent.gru_step": pair("recurrent.gru_step", SEQUENCE[:, 0], *GRU),
    "recurrent.gru": pair("recurrent.gru", SEQUENCE, *GRU),
    "recurrent.bidirectional": pair("recurrent.bidirectional", SEQUENCE, LSTM, LSTM),
    "recurrent.stacked": pair("recurrent.stacked", SEQUENCE, [LSTM]),
    "regularization.max_norm": lambda: R.regularization.max_norm(X, 0.1),
    "regularization.dropout": pair("regularization.dropout", X, 0.5, RNG),
    "regularization.shift": lambda: R.regularization.shift(IMAGES, 1, -1),
    "regularization.flip": lambda: R.regularization.flip(IMAGES),
    "regularization.rotate": lambda: R.regularization.rotate(IMAGES),
    "regularization.affine": lambda: R.regularization.affine(IMAGES, 10.0, 1.1, 0.5, -0.5),
    "regularization.add_noise": lambda: R.regularization.add_noise(IMAGES, 0.1, RNG),
    "regularization.augment": lambda: R.regularization.augment(IMAGES, RNG, 1, True, True, 0.1),
    "rollout.attention_rollout": lambda: R.rollout.attention_rollout(
        np.full((2, 1, 1, 3, 3), 1 / 3, np.float32)
    ),
    "saliency.score_and_gradient": lambda: R.saliency.score_and_gradient(MLP, X, LABELS),
    "saliency.saliency": lambda: R.saliency.saliency(MLP, X, LABELS, kind="times_input"),
    "saliency.smooth_grad": lambda: R.saliency.smooth_grad(MLP, X, LABELS, RNG, n_samples=2),
    "saliency.grad_cam": lambda: R.saliency.grad_cam(
        R.cnn.cnn_head_model(CNN),
        IMAGES,
        CLASSES,
        partial(R.cnn.cnn_maps_forward, params=CNN),
        upsampled=True,
        normalized=True,
    ),
    "saliency.upsample": lambda: R.saliency.upsample(IMAGES[0], (9, 9)),
    "sampling.apply_temperature": lambda: R.sampling.apply_temperature(X, 2.0),
    "sampling.keep_top_k": lambda: R.sampling.keep_top_k(X, 2),
    "sampling.keep_top_p": lambda: R.sampling.keep_top_p(X, 0.5),
}


def put(module, names, *inputs):
    """Functions of a module that take the same inputs."""
    functions = {name: getattr(getattr(R, module), name) for name in names}
    CALLS.update({f"{module}.{name}": partial(fn, *inputs) for name, fn in functions.items()})


put("regularization", ["l1_penalty", "l2_penalty", "elastic_penalty"], X, 0.1)
put("neighbors", [f"l2_distances{form}" for form in ["_two_loops", "_one_loop", ""]], X, X2)
put("neighbors", ["l1_distances_one_loop", "l1_distances"], X, X2)
put("preparation", ["center", "standardize", "min_max", "decorrelate", "whiten"], X, X2)
put("preparation", ["impute_mean", "clip_outliers"], X, X2)
put("preparation", ["equalize_histogram"], P)
put("losses", ["zero_one", "softmax_cross_entropy", "negative_log_likelihood"], X, LABELS)
put("losses", ["multiclass_hinge", "multiclass_hinge_max"], X, LABELS)
put("losses", ["binary_hinge", "binary_logistic"], X[:, 0], SIGNS)
put("losses", ["mse", "mae", "categorical_cross_entropy"], P, P.astype(np.float64))
put("losses", ["binary_cross_entropy"], P, P.astype(np.float64))
put("losses", ["binary_cross_entropy_with_logits"], X, P.astype(np.float64))
for loss in [R.losses.binary_hinge, R.losses.binary_logistic]:
    CALLS[f"losses.{loss.__name__} [signs of float64]"] = partial(loss, X[:, 0], SIGNS * 1.0)

# Not in the table: they return no floats, draw or count what has no dtype to follow, or promise
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
    "autodiff",
    "gradient_check",
    "initializers",
    "schedules",
    "selection",
    "training",
    "validation",
}


def functions(module):
    return {
        name: o
        for name, o in vars(import_module(f"utils.reference.{module}")).items()
        if inspect.isfunction(o)
        and o.__module__ == f"utils.reference.{module}"
        and not name.startswith("_")
    }


for name, function in functions("activations").items():
    if f"activations.{name}" not in CALLS:
        inputs = [X, X] if name.endswith("_backward") else [X]
        CALLS[f"activations.{name}"] = partial(function, *inputs)
for name, function in functions("optimizers").items():
    if name.endswith("_step"):
        CALLS[f"optimizers.{name}"] = both_steps(function)


def floats(result):
    """The dtype of every float array and NumPy float in it."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [dtype for part in result for dtype in floats(part)]
    return [result.dtype] if getattr(result, "dtype", np.dtype(int)).kind == "f" else []


@pytest.mark.parametrize("name", sorted(CALLS))
def test_float32_stays(name):
    dtypes = floats(CALLS[name]())
    assert dtypes
    assert set(dtypes) == {np.dtype(np.float32)}


MODULES = {m.name for m in iter_modules(R.__path__) if not m.name.startswith("_")}


@pytest.mark.parametrize("module", sorted(MODULES - MODULES_WITHOUT))
def test_the_table_knows_every_function(module):
    called = {name.split(" ")[0] for name in CALLS}
    for name in functions(module):
        layer = name.removesuffix("_forward").removesuffix("_backward")
        listed = {f"{module}.{name}", f"{module}.{layer}"} & called
        assert listed or name in WITHOUT.get(module, ()), name
