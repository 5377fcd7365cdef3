import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits

from utils.gpu import cnn as gpu
from utils.reference import cnn as reference
from utils.reference.gradient_check import numeric_gradient, relative_error


@pytest.fixture
def problem(rng):
    """Images of odd size, labels and parameters, biases not 0."""
    params = reference.cnn_init((2, 5, 7), 3, rng, n_filters=4)
    params["conv_b"], params["dense_b"] = rng.normal(size=4), rng.normal(size=3)
    return rng.normal(size=(6, 2, 5, 7)), rng.integers(0, 3, size=6), params


def test_shapes_and_spread_of_the_parameters(rng):
    params = reference.cnn_init((3, 32, 33), 10, rng, n_filters=64, kernel=5)
    shapes = {name: value.shape for name, value in params.items()}
    assert shapes == {
        "conv_w": (64, 3, 5, 5),
        "conv_b": (64,),
        "dense_w": (64 * 16 * 16, 10),
        "dense_b": (10,),
    }
    assert_allclose(params["conv_w"].std(), np.sqrt(2 / 75), rtol=0.05)
    assert_allclose(params["dense_w"].std(), np.sqrt(2 / 16384), rtol=0.05)
    assert not params["conv_b"].any() and not params["dense_b"].any()


def test_by_hand():
    """One filter that doubles, minus 1; relu; the best of four; two templates."""
    params = {
        "conv_w": np.full((1, 1, 1, 1), 2.0),
        "conv_b": np.array([-1.0]),
        "dense_w": np.array([[1.0, -1.0]]),
        "dense_b": np.array([0.0, 10.0]),
    }
    x = np.array([[[[1.0, 3.0], [-4.0, 0.0]]], [[[0.0, 0.25], [-1.0, 0.5]]]])
    scores, cache = reference.cnn_forward(x, params)
    assert scores.tolist() == [[5, 5], [0, 10]]  # 2 * 3 - 1 = 5;  2 * 0.5 - 1 = 0
    dx, dparams = reference.cnn_backward(np.array([[1.0, 0.0], [1.0, 0.0]]), cache)
    assert dx.tolist() == [[[[0, 2], [0, 0]]], [[[0, 0], [0, 0]]]]  # relu is shut in the second
    assert dparams["conv_w"].item() == 3
    assert dparams["conv_b"].tolist() == [1]
    assert dparams["dense_w"].tolist() == [[5, 0]]
    assert dparams["dense_b"].tolist() == [2, 0]


def test_gradients_agree_with_differences(problem):
    x, labels, params = problem
    _, dparams = reference.cnn_loss(x, labels, params)
    assert dparams.keys() == params.keys()
    for name, value in params.items():
        want = numeric_gradient(
            lambda v, name=name: reference.cnn_loss(x, labels, params | {name: v})[0], value, 1e-5
        )
        assert_allclose(dparams[name], want, atol=1e-9, err_msg=name)

    scores, cache = reference.cnn_forward(x, params)
    dscores = np.ones(scores.shape)
    dx, _ = reference.cnn_backward(dscores, cache)
    want = numeric_gradient(lambda x: reference.cnn_forward(x, params)[0].sum(), x, 1e-5)
    assert relative_error(dx + 1, want + 1) < 1e-7  # + 1: many entries are exactly 0


def test_twins_agree(tensor, problem):
    x, labels, params = problem
    loss, dparams = reference.cnn_loss(x, labels, params)
    tensors = {name: tensor(value).requires_grad_() for name, value in params.items()}
    scores, _ = reference.cnn_forward(x, params)
    assert_allclose(gpu.cnn_forward(tensor(x), tensors).detach().cpu(), scores, rtol=1e-10)
    twin = gpu.cnn_loss(tensor(x), tensor(labels), tensors)
    twin.backward()
    assert_allclose(twin.item(), loss, rtol=1e-10)
    for name, want in dparams.items():
        assert_allclose(tensors[name].grad.cpu(), want, rtol=1e-9, atol=1e-13, err_msg=name)


def test_twin_draws_alike(device):
    import torch

    def draw(seed):
        generator = torch.Generator(device).manual_seed(seed)
        return gpu.cnn_init((3, 32, 33), 10, generator, n_filters=64, kernel=5)

    params, again, other = draw(0), draw(0), draw(1)
    want = reference.cnn_init((3, 32, 33), 10, np.random.default_rng(0), n_filters=64, kernel=5)
    for name, value in want.items():
        assert params[name].shape == value.shape
        assert params[name].requires_grad and params[name].device.type == device.type
        assert_allclose(params[name].std().item(), value.std(), rtol=0.1, err_msg=name)
        assert (params[name] == again[name]).all()
    assert (params["conv_w"] != other["conv_w"]).any()


def test_the_halves_make_the_whole(tensor, problem):
    """At the maps between them scores may be read off, and gradients by the maps."""
    x, _, params = problem
    maps, maps_cache = reference.cnn_maps_forward(x, params)
    assert maps.shape == (6, 4, 5, 7) and (maps >= 0).all()
    scores, head_cache = reference.cnn_head_forward(maps, params)
    whole, cache = reference.cnn_forward(x, params)
    assert (scores == whole).all()
    dscores = np.random.default_rng(1).normal(size=scores.shape)
    dmaps, of_head = reference.cnn_head_backward(dscores, head_cache)
    dx, of_filters = reference.cnn_maps_backward(dmaps, maps_cache)
    want_dx, want = reference.cnn_backward(dscores, cache)
    assert (dx == want_dx).all()
    assert (of_head | of_filters).keys() == want.keys()
    assert all((value == want[name]).all() for name, value in (of_head | of_filters).items())
    assert (reference.cnn_model(params)(x)[1](dscores) == dx).all()
    assert (reference.cnn_head_model(params)(maps)[1](dscores) == dmaps).all()

    tensors = {name: tensor(value) for name, value in params.items()}
    twin = gpu.cnn_maps_forward(tensor(x), tensors).requires_grad_()
    assert_allclose(twin.detach().cpu(), maps, rtol=1e-10, atol=1e-13)
    twin_scores = gpu.cnn_head_forward(twin, tensors)
    twin_scores.backward(tensor(dscores))
    assert_allclose(twin.grad.cpu(), dmaps, rtol=1e-9, atol=1e-13)
    assert (gpu.cnn_head_model(tensors)(twin) == twin_scores).all()
    assert (gpu.cnn_model(tensors)(tensor(x)) == gpu.cnn_forward(tensor(x), tensors)).all()


def test_an_empty_batch_has_scores_but_no_loss(problem):
    x, labels, params = problem
    scores, cache = reference.cnn_forward(x[:0], params)
    assert scores.shape == (0, 3)
    dx, dparams = reference.cnn_backward(scores, cache)
    assert dx.shape == (0, 2, 5, 7)
    assert not any(gradient.any() for gradient in dparams.values())
    with pytest.raises(ValueError, match="non-empty"):
        reference.cnn_loss(x[:0], labels[:0], params)


def test_learns_digits(rng):
    images, labels = load_digits(return_X_y=True)
    x, order = images.reshape(-1, 1, 8, 8) / 16, rng.permutation(len(images))
    train, test = order[:1000], order[1000:]
    params = reference.cnn_init((1, 8, 8), 10, rng)
    for _ in range(15):
        for batch in np.split(rng.permutation(train), 20):
            _, dparams = reference.cnn_loss(x[batch], labels[batch], params)
            params = {name: value - 0.3 * dparams[name] for name, value in params.items()}
    scores, _ = reference.cnn_forward(x[test], params)
    assert (scores.argmax(axis=1) == labels[test]).mean() > 0.9


def test_the_smallest_network(rng, device):
    import torch

    for module, source in [(reference, rng), (gpu, torch.Generator(device))]:
        params = module.cnn_init((1, 2, 2), 1, source, n_filters=1, kernel=1)
        assert [tuple(w.shape) for w in params.values()] == [(1, 1, 1, 1), (1,), (1, 1), (1,)]
        for small in [(1, 1, 2), (1, 2, 1)]:
            with pytest.raises(ValueError, match="image_shape must be"):
                module.cnn_init(small, 1, source)


def test_refuses(tensor, problem):
    x, _, params = problem
    for module, to in [(reference, np.asarray), (gpu, tensor)]:
        fitted = {name: to(value) for name, value in params.items()}
        with pytest.raises(ValueError, match="the 24 features of dense_w, got 8"):
            module.cnn_forward(to(x[:, :, :3, :4]), fitted)
        with pytest.raises(ValueError, match="x and w must be"):
            module.cnn_forward(to(x[:, :1]), fitted)
        for bad in [((1, 1, 8), 10), ((0, 8, 8), 10), ((1, 8, 8), 0)]:
            with pytest.raises(ValueError, match="image_shape must be"):
                module.cnn_init(*bad, None)
        with pytest.raises(ValueError, match="kernel odd"):
            module.cnn_init((1, 8, 8), 10, None, kernel=4)
    _, cache = reference.cnn_forward(x, params)
    with pytest.raises(ValueError, match=r"dscores must have .*\(6, 3\), got \(6, 2\)"):
        reference.cnn_backward(np.zeros((6, 2)), cache)
    maps, cache = reference.cnn_maps_forward(x, params)
    with pytest.raises(ValueError, match="must have the shape of"):
        reference.cnn_maps_backward(maps[:, :1], cache)
    _, cache = reference.cnn_head_forward(maps, params)
    with pytest.raises(ValueError, match=r"dscores must have .*\(6, 3\), got \(6, 2\)"):
        reference.cnn_head_backward(np.zeros((6, 2)), cache)
