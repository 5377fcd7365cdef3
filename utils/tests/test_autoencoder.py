import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from utils.gpu import autoencoder as gpu
from utils.reference import autoencoder as reference
from utils.reference.activations import ACTIVATIONS
from utils.reference.gradient_check import numeric_gradient
from utils.reference.mlp import count_parameters
from utils.reference.pca import pca_fit, pca_project, pca_reconstruct, principal_angles

PARTS = ["encoder", "decoder"]


def network(rng, sizes):
    """Parameters whose biases are not 0 either."""
    parameters = reference.autoencoder_init(sizes, rng)
    return {part: [(w, rng.normal(size=b.shape)) for w, b in parameters[part]] for part in PARTS}


def flat(parameters):
    return [array for part in PARTS for pair in parameters[part] for array in pair]


def twin_of(parameters, tensor=torch.tensor):
    return {
        part: [(tensor(w).requires_grad_(), tensor(b).requires_grad_()) for w, b in layers]
        for part, layers in parameters.items()
    }


def linear_of(model):
    """The linear autoencoder that does as PCA does."""
    mean, axes = model["mean"], model["axes"]
    return {"encoder": [(axes, -mean @ axes)], "decoder": [(axes.T, mean)]}


def by_hand():
    """2 -> 1 -> 2, linear: the code is x1 + 2 x2 - 1."""
    return {
        "encoder": [(np.array([[1.0], [2.0]]), np.array([-1.0]))],
        "decoder": [(np.array([[3.0, 1.0]]), np.array([0.0, 0.5]))],
    }


def test_by_hand():
    x, parameters = np.array([[1.0, 1.0]]), by_hand()
    (out, code), _ = reference.autoencoder_forward(x, parameters)
    assert code.tolist() == [[2]]
    assert out.tolist() == [[6, 2.5]]
    loss, gradients = reference.autoencoder_loss(x, parameters)
    assert loss == (5**2 + 1.5**2) / 2
    # dout = error = (5, 1.5); dcode = 5*3 + 1.5*1 = 16.5
    (dw, db), (dw_code, db_code) = gradients["decoder"][0], gradients["encoder"][0]
    assert (dw.tolist(), db.tolist()) == ([[10, 3]], [5, 1.5])
    assert (dw_code.tolist(), db_code.tolist()) == ([[16.5], [16.5]], [16.5])
    # denoising: x as it is, but another target
    loss, gradients = reference.autoencoder_loss(x, parameters, np.array([[6.0, 0.5]]))
    assert loss == (0**2 + 2**2) / 2
    assert gradients["decoder"][0][1].tolist() == [0, 2]


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    N=st.integers(1, 4),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    output=st.sampled_from(["identity", "sigmoid", "tanh"]),
    denoising=st.booleans(),
    seed=st.integers(0, 999),
)
def test_twins_agree(sizes, N, activation, output, denoising, seed):
    rng = np.random.default_rng(seed)
    x, parameters = rng.normal(size=(N, sizes[0])), network(rng, sizes)
    target = rng.normal(size=x.shape) if denoising else None
    kept = [a.copy() for a in (x, *flat(parameters))]
    options = {"activation": activation, "output": output}
    loss, gradients = reference.autoencoder_loss(x, parameters, target, **options)
    twins = twin_of(parameters)
    twin_target = torch.tensor(target) if denoising else None
    twin = gpu.autoencoder_loss(torch.tensor(x), twins, twin_target, **options)
    twin.backward()
    assert_allclose(twin.item(), loss, rtol=1e-10, atol=1e-13)
    assert list(gradients) == PARTS
    for got, parameter in zip(flat(gradients), flat(twins), strict=True):
        assert got.shape == parameter.shape
        assert_allclose(got, parameter.grad, rtol=1e-9, atol=1e-12)
    for a, was in zip((x, *flat(parameters)), kept, strict=True):
        assert_array_equal(a, was)
    (out, code), _ = reference.autoencoder_forward(x, parameters, **options)
    out_twin, code_twin = gpu.autoencoder_forward(torch.tensor(x), twins, **options)
    assert_allclose(out_twin.detach(), out, rtol=1e-10, atol=1e-13)
    assert_allclose(code_twin.detach(), code, rtol=1e-10, atol=1e-13)
    assert_array_equal(reference.encode(x, parameters, activation), code)
    assert_array_equal(reference.decode(code, parameters, activation, output), out)
    code_twin = gpu.encode(torch.tensor(x), twins, activation)
    out_twin = gpu.decode(code_twin, twins, activation, output)
    assert_allclose(code_twin.detach(), code, rtol=1e-10, atol=1e-13)
    assert_allclose(out_twin.detach(), out, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("denoising", [False, True])
def test_gradients_against_differences(rng, denoising):
    x, parameters = rng.normal(size=(4, 5)), network(rng, (5, 4, 2))
    target = rng.normal(size=x.shape) if denoising else None
    _, gradients = reference.autoencoder_loss(x, parameters, target, "tanh", "sigmoid")
    for part in PARTS:
        for layer in range(2):
            for place in range(2):

                def loss(value, part=part, layer=layer, place=place):
                    changed = {p: [list(pair) for pair in parameters[p]] for p in PARTS}
                    changed[part][layer][place] = value
                    return reference.autoencoder_loss(x, changed, target, "tanh", "sigmoid")[0]

                numeric = numeric_gradient(loss, parameters[part][layer][place])
                assert_allclose(gradients[part][layer][place], numeric, rtol=1e-7, atol=2e-9)


def test_gradient_by_the_input(rng):
    x, parameters, dout = rng.normal(size=(2, 4)), network(rng, (4, 3, 2)), rng.normal(size=(2, 4))
    _, cache = reference.autoencoder_forward(x, parameters, "tanh", "tanh")
    dx, _ = reference.autoencoder_backward(dout, cache)

    def out_along(x):
        (out, _), _ = reference.autoencoder_forward(x, parameters, "tanh", "tanh")
        return (out * dout).sum()

    assert_allclose(dx, numeric_gradient(out_along, x), rtol=1e-7, atol=1e-9)


def test_twins_agree_on_the_device(tensor, rng):
    x, parameters = rng.normal(size=(32, 20)), network(rng, (20, 16, 4))
    loss, gradients = reference.autoencoder_loss(x, parameters)
    twins = twin_of(parameters, tensor)
    twin = gpu.autoencoder_loss(tensor(x), twins)
    twin.backward()
    assert_allclose(twin.item(), loss, rtol=1e-10)
    for got, parameter in zip(flat(gradients), flat(twins), strict=True):
        assert_allclose(got, parameter.grad.cpu(), rtol=1e-9, atol=1e-12)


def test_init(device):
    parameters = reference.autoencoder_init((64, 32, 8), np.random.default_rng(0))
    shapes = [w.shape for part in PARTS for w, _ in parameters[part]]
    assert shapes == [(64, 32), (32, 8), (8, 32), (32, 64)]
    assert sum(count_parameters(parameters[part]) for part in PARTS) == 4744
    assert not any(b.any() for part in PARTS for _, b in parameters[part])
    w_in, w_out = parameters["encoder"][0][0], parameters["decoder"][-1][0]
    assert_allclose([w_in.std(), w_out.std()], np.sqrt([2 / 64, 2 / 32]), rtol=0.05)
    twins = gpu.autoencoder_init((64, 32, 8), torch.Generator(device).manual_seed(0))
    assert [tuple(w.shape) for part in PARTS for w, _ in twins[part]] == shapes
    assert twins["decoder"][0][0].device.type == device.type


def test_float32_stays(tensor, rng):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    parameters = {
        part: [(w.astype(np.float32), b.astype(np.float32)) for w, b in layers]
        for part, layers in network(rng, (4, 3, 2)).items()
    }
    loss, gradients = reference.autoencoder_loss(x, parameters, x.astype(np.float64))
    assert {a.dtype for a in (loss, *flat(gradients))} == {np.dtype(np.float32)}
    twins = twin_of(parameters, tensor)
    assert gpu.autoencoder_loss(tensor(x), twins).dtype == torch.float32
    assert gpu.encode(tensor(x), twins).dtype == torch.float32


# the linear autoencoder and PCA


def correlated(rng):
    """60 points in 6 dimensions, turned and shifted, that vary along 2 axes most."""
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    deviations = [2, 1.5, 0.5, 0.4, 0.3, 0.2]
    return rng.normal(size=(60, 6)) * deviations @ turn + rng.normal(size=6)


@pytest.mark.parametrize("K", [1, 2, 4])
def test_nothing_pulls_a_linear_autoencoder_away_from_pca(rng, K):
    x = correlated(rng)
    model = pca_fit(x, K)
    loss, gradients = reference.autoencoder_loss(x, linear_of(model), activation="identity")
    out = pca_reconstruct(pca_project(x, model), model)
    assert_allclose(loss, ((out - x) ** 2).mean(), rtol=1e-12)
    assert_allclose(loss * 6, pca_fit(x)["variances"][K:].sum(), rtol=1e-12)
    for gradient in flat(gradients):
        assert_allclose(gradient, 0, atol=1e-13)
    # no more does it if code and decoder are turned and stretched by a matrix and its inverse
    turn = rng.normal(size=(K, K))
    (w_in, b_in), (w_out, b_out) = linear_of(model)["encoder"][0], linear_of(model)["decoder"][0]
    turned = {
        "encoder": [(w_in @ turn, b_in @ turn)],
        "decoder": [(np.linalg.inv(turn) @ w_out, b_out)],
    }
    loss_turned, gradients = reference.autoencoder_loss(x, turned, activation="identity")
    assert_allclose(loss_turned, loss, rtol=1e-12)
    for gradient in flat(gradients):
        assert_allclose(gradient, 0, atol=1e-11)


@pytest.mark.parametrize("sizes", [(6, 2), (6, 5, 2)])
def test_trained_from_random_weights_it_finds_the_subspace_of_pca(rng, sizes):
    x, start = correlated(rng), reference.autoencoder_init(sizes, rng)

    def unflat(vector):
        """Parameters from all their entries in a row."""
        bounds = np.cumsum([a.size for a in flat(start)])[:-1]
        pieces = zip(np.split(vector, bounds), flat(start), strict=True)
        arrays = iter([piece.reshape(a.shape) for piece, a in pieces])
        return {p: [(next(arrays), next(arrays)) for _ in start[p]] for p in PARTS}

    def cost(vector):
        loss, gradients = reference.autoencoder_loss(x, unflat(vector), activation="identity")
        return loss, np.concatenate([g.ravel() for g in flat(gradients)])

    vector = np.concatenate([a.ravel() for a in flat(start)])
    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10}
    found = minimize(cost, vector, jac=True, method="L-BFGS-B", options=options)
    parameters = unflat(found.x)
    model = pca_fit(x, 2)
    ends = np.stack([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    origin, one, two = reference.decode(ends, parameters, "identity")
    angles = principal_angles(np.stack([one - origin, two - origin], axis=1), model["axes"])
    assert_allclose(angles, 0, atol=1e-4)
    loss, _ = reference.autoencoder_loss(x, parameters, activation="identity")
    assert_allclose(loss * 6, pca_fit(x)["variances"][2:].sum(), rtol=1e-9)


def test_denoising_learns_to_clean(rng):
    """On a line in the plane: the noise across the line is taken away, for it cannot pass."""
    clean = rng.normal(size=(500, 1)) * [[0.6, 0.8]]
    noisy = clean + 0.3 * rng.normal(size=clean.shape)
    parameters = linear_of(pca_fit(noisy, 1))
    before, _ = reference.autoencoder_loss(noisy, parameters, clean, "identity")
    assert before < ((noisy - clean) ** 2).mean() * 0.7


def test_nan_stays_in_its_row(tensor, rng):
    x, parameters = rng.normal(size=(3, 4)), network(rng, (4, 3, 2))
    x[1, 0] = np.nan
    (out, _), _ = reference.autoencoder_forward(x, parameters, "tanh")
    assert_array_equal(np.isnan(out).all(axis=1), [False, True, False])
    assert np.isnan(reference.autoencoder_loss(x, parameters)[0])
    twin, _ = gpu.autoencoder_forward(tensor(x), twin_of(parameters, tensor), "tanh")
    assert_array_equal(twin.isnan().all(dim=1).cpu(), [False, True, False])


def test_views_and_empty_batches(rng):
    x, parameters = rng.normal(size=(4, 8)), network(rng, (4, 3, 2))
    (out, _), _ = reference.autoencoder_forward(x.T[::2], parameters)
    (want, _), _ = reference.autoencoder_forward(x.T[::2].copy(), parameters)
    assert_allclose(out, want, rtol=1e-14)
    (out, code), _ = reference.autoencoder_forward(np.zeros((0, 4)), parameters)
    assert (out.shape, code.shape) == ((0, 4), (0, 2))


def test_refusals(tensor, rng):
    for module, to, source in [(reference, np.asarray, rng), (gpu, tensor, torch.Generator())]:
        parameters = network(rng, (4, 2))
        if module is gpu:
            parameters = twin_of(parameters, tensor)
        with pytest.raises(ValueError, match="sizes must be two or more"):
            module.autoencoder_init((4,), source)
        for call in [module.encode, module.autoencoder_forward, module.autoencoder_loss]:
            with pytest.raises(ValueError, match=r"must chain, .* got x \(2, 3\)"):
                call(to(np.zeros((2, 3))), parameters)
        with pytest.raises(ValueError, match="got 'square'"):
            module.autoencoder_loss(to(np.zeros((2, 4))), parameters, output="square")
        with pytest.raises(ValueError, match=r"must chain, .* got x \(2, 4\)"):
            module.decode(to(np.zeros((2, 4))), parameters)
        with pytest.raises(ValueError, match=r"targets must be .* \(2, 4\), got shape \(1, 4\)"):
            module.autoencoder_loss(to(np.zeros((2, 4))), parameters, to(np.zeros((1, 4))))
    _, cache = reference.autoencoder_forward(np.zeros((2, 4)), network(rng, (4, 2)))
    with pytest.raises(ValueError, match="dout must"):
        reference.autoencoder_backward(np.zeros((2, 3)), cache)
