from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import sqrtm

from utils.gpu import gan as gpu
from utils.gpu import optimizers as gpu_optimizers
from utils.reference import gan as reference
from utils.reference import optimizers
from utils.reference.activations import ACTIVATIONS
from utils.reference.gradient_check import numeric_gradient
from utils.reference.losses import binary_cross_entropy_with_logits
from utils.reference.mlp import mlp_forward, mlp_init

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
OF_TWO, OF_FAKES = ["game_value", "discriminator_loss"], ["minimax_loss", "non_saturating_loss"]


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def value_of(result):
    """The loss alone, whichever tree it comes from."""
    return float(result[0] if isinstance(result, tuple) else result)


def players(rng, dtype=np.float64):
    """Generator 2 -> 4 -> 3 and discriminator 3 -> 5 -> 1, with biases."""
    return [
        [(w.astype(dtype), rng.normal(size=b.shape).astype(dtype)) for w, b in mlp_init(s, rng)]
        for s in [(2, 4, 3), (3, 5, 1)]
    ]


def flat(layers):
    return [array for pair in layers for array in pair]


def tensors(layers, tensor=torch.tensor):
    return [(tensor(w).requires_grad_(), tensor(b).requires_grad_()) for w, b in layers]


# the losses


@BOTH
def test_numbers_at_the_optimum(twins, tree):
    """Where D = 1/2 of everything, V is -log 4 and the cross-entropy +log 4."""
    module, to = twins[tree]
    r, f = to(np.zeros((3, 1))), to(np.zeros((5, 1)))
    assert_allclose(value_of(module.game_value(r, f)), -np.log(4), rtol=1e-15)
    assert_allclose(value_of(module.discriminator_loss(r, f)), np.log(4), rtol=1e-15)
    assert_allclose(value_of(module.minimax_loss(f)), -np.log(2), rtol=1e-15)
    assert_allclose(value_of(module.non_saturating_loss(f)), np.log(2), rtol=1e-15)


def test_losses_by_hand():
    r, f = np.log([[3.0], [1.0]]), np.log([[1 / 3]])  # D = 3/4, 1/2 and 1/4
    value, dr, df = reference.game_value(r, f)
    assert_allclose(value, (np.log(3 / 4) + np.log(1 / 2)) / 2 + np.log(3 / 4), rtol=1e-15)
    assert_allclose(dr, [[1 / 8], [1 / 4]], rtol=1e-15)  # (1 - D) / 2
    assert_allclose(df, [[-1 / 4]], rtol=1e-15)
    loss, *gradients = reference.discriminator_loss(r, f)
    assert loss == -value
    assert [g.tolist() for g in gradients] == [(-dr).tolist(), (-df).tolist()]
    loss, df = reference.minimax_loss(f)
    assert_allclose([loss, df.item()], [np.log(3 / 4), -1 / 4], rtol=1e-15)
    loss, df = reference.non_saturating_loss(f)
    assert_allclose([loss, df.item()], [-np.log(1 / 4), -3 / 4], rtol=1e-15)


@given(N=st.integers(1, 5), M=st.integers(1, 5), seed=st.integers(0, 99))
def test_gradients_of_the_losses(N, M, seed):
    rng = np.random.default_rng(seed)
    r, f = 5 * rng.normal(size=(N, 1)), 5 * rng.normal(size=(M, 1))
    kept = r.copy(), f.copy()
    calls = [(name, (r, f)) for name in OF_TWO] + [(name, (f,)) for name in OF_FAKES]
    for name, logits in calls:
        function = getattr(reference, name)
        value, *gradients = function(*logits)
        inputs = [torch.tensor(a, requires_grad=True) for a in logits]
        twin = getattr(gpu, name)(*inputs)
        twin.backward()
        assert_allclose(twin.item(), value, rtol=1e-10)
        for place, (gradient, x) in enumerate(zip(gradients, inputs, strict=True)):
            assert_allclose(gradient, x.grad, rtol=1e-9, atol=1e-15)
            numeric = numeric_gradient(
                lambda a, place=place, function=function, logits=logits: function(
                    *logits[:place], a, *logits[place + 1 :]
                )[0],
                logits[place],
            )
            assert_allclose(gradient, numeric, rtol=1e-7, atol=2e-9)
    assert_array_equal(r, kept[0])
    assert_array_equal(f, kept[1])


def test_it_is_binary_cross_entropy(rng):
    r, f = rng.normal(size=(6, 1)), rng.normal(size=(4, 1))
    real, _ = binary_cross_entropy_with_logits(r, np.ones_like(r))
    fake, _ = binary_cross_entropy_with_logits(f, np.zeros_like(f))
    assert_allclose(reference.discriminator_loss(r, f)[0], real + fake, rtol=1e-14)
    fooled, dfooled = binary_cross_entropy_with_logits(f, np.ones_like(f))
    loss, df = reference.non_saturating_loss(f)
    assert_allclose(loss, fooled, rtol=1e-14)
    assert_allclose(df, dfooled, rtol=1e-13)
    assert_allclose(reference.minimax_loss(f)[0], -fake, rtol=1e-14)


@BOTH
def test_no_logit_is_too_large(twins, tree):
    module, to = twins[tree]
    for size in [30.0, 1000.0, 1e300]:
        high, low = to(np.array([[size]])), to(np.array([[-size]]))
        assert_allclose(value_of(module.non_saturating_loss(low)), size)
        assert_allclose(value_of(module.minimax_loss(high)), -size)
        # what is left where all is well: the exponential, not 0
        rest = np.exp(-size)
        assert_allclose(value_of(module.discriminator_loss(high, low)), 2 * rest, rtol=1e-12)
        assert_allclose(value_of(module.minimax_loss(low)), -rest, rtol=1e-12)


def test_one_saturates_and_the_other_does_not():
    caught = np.array([[-20.0]])
    _, minimax = reference.minimax_loss(caught)
    _, other = reference.non_saturating_loss(caught)
    assert -1e-8 < minimax.item() < 0
    assert_allclose(other, -1, rtol=1e-8)
    level = np.zeros((1, 1))  # where D = 1/2 they push alike
    assert reference.minimax_loss(level)[1] == reference.non_saturating_loss(level)[1] == -0.5


@BOTH
def test_nan_and_float32_and_any_shape(twins, tree, rng):
    module, to = twins[tree]
    for name in OF_FAKES + OF_TWO:
        logits = rng.normal(size=(2, 3, 2)).astype(np.float32)
        arguments = [to(logits)] * (2 if name in OF_TWO else 1)
        result = getattr(module, name)(*arguments)
        parts = result if isinstance(result, tuple) else (result,)
        assert all("float32" in str(part.dtype) for part in parts)
        assert all(part.shape in [(), (2, 3, 2)] for part in parts)
        logits[0] = np.nan
        assert np.isnan(value_of(getattr(module, name)(*[to(logits)] * len(arguments))))


@BOTH
def test_losses_refuse(twins, tree):
    module, to = twins[tree]
    some, none = to(np.zeros((2, 1))), to(np.zeros((0, 1)))
    for name in OF_TWO:
        for arguments, bad in [((none, some), "real"), ((some, none), "fake")]:
            with pytest.raises(ValueError, match=rf"{bad}_logits must be .*got shape \(0, 1\)"):
                getattr(module, name)(*arguments)
    for name in OF_FAKES:
        with pytest.raises(ValueError, match=r"fake_logits must be .*got shape \(0, 1\)"):
            getattr(module, name)(none)


# the two networks


@given(
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    output=st.sampled_from(["identity", "tanh", "sigmoid"]),
    loss=st.sampled_from(OF_FAKES),
    N=st.integers(1, 4),
    M=st.integers(1, 4),
    seed=st.integers(0, 999),
)
def test_gradients_through_both_networks(activation, output, loss, N, M, seed):
    rng = np.random.default_rng(seed)
    x, z, (G, D) = rng.normal(size=(N, 3)), rng.normal(size=(M, 2)), players(rng)
    kept = [a.copy() for a in (x, z, *flat(G), *flat(D))]
    options = {"activation": activation, "output": output}
    G_twin, D_twin = tensors(G), tensors(D)
    value, gradients = reference.discriminator_mlp_loss(x, z, G, D, **options)
    twin = gpu.discriminator_mlp_loss(torch.tensor(x), torch.tensor(z), G_twin, D_twin, **options)
    twin.backward()
    assert_allclose(twin.item(), value, rtol=1e-10)
    for gradient, p in zip(flat(gradients), flat(D_twin), strict=True):
        assert_allclose(gradient, p.grad, rtol=1e-9, atol=1e-12)
        p.grad = None
    assert all(p.grad is None for p in flat(G_twin))

    value, gradients = reference.generator_mlp_loss(z, G, D, getattr(reference, loss), **options)
    twin = gpu.generator_mlp_loss(torch.tensor(z), G_twin, D_twin, getattr(gpu, loss), **options)
    twin.backward()
    assert_allclose(twin.item(), value, rtol=1e-10)
    for gradient, p in zip(flat(gradients), flat(G_twin), strict=True):
        assert_allclose(gradient, p.grad, rtol=1e-9, atol=1e-12)
    assert all(p.grad is None for p in flat(D_twin))
    for a, was in zip((x, z, *flat(G), *flat(D)), kept, strict=True):
        assert_array_equal(a, was)


@pytest.mark.parametrize("loss", OF_FAKES)
def test_networks_against_differences(rng, loss):
    x, z, (G, D) = rng.normal(size=(4, 3)), rng.normal(size=(5, 2)), players(rng)
    loss = getattr(reference, loss)
    _, by_G = reference.generator_mlp_loss(z, G, D, loss, "tanh", "sigmoid")
    _, by_D = reference.discriminator_mlp_loss(x, z, G, D, "tanh", "sigmoid")
    for layers, gradients in [(G, by_G), (D, by_D)]:
        for layer in range(2):
            for place in range(2):

                def cost(value, layers=layers, layer=layer, place=place):
                    changed = [list(pair) for pair in layers]
                    changed[layer][place] = value
                    if layers is G:
                        return reference.generator_mlp_loss(z, changed, D, loss, "tanh", "sigmoid")[
                            0
                        ]
                    return reference.discriminator_mlp_loss(x, z, G, changed, "tanh", "sigmoid")[0]

                numeric = numeric_gradient(cost, layers[layer][place])
                assert_allclose(gradients[layer][place], numeric, rtol=1e-7, atol=2e-9)


def test_one_round_by_its_parts(rng):
    """k = 2: the second step of D starts where the first ended, and G plays the newest D."""
    G, D = players(rng)
    batches = [(rng.normal(size=(4, 3)), rng.normal(size=(3, 2))) for _ in range(2)]
    z = rng.normal(size=(5, 2))

    def downhill(layers, gradients):
        return [
            (w - 0.1 * dw, b - 0.1 * db) for (w, b), (dw, db) in zip(layers, gradients, strict=True)
        ]

    D_want = D
    for x, noise in batches:
        d_loss, gradients = reference.discriminator_mlp_loss(x, noise, G, D_want)
        D_want = downhill(D_want, gradients)
    g_loss, gradients = reference.generator_mlp_loss(z, G, D_want, reference.minimax_loss)
    G_want = downhill(G, gradients)
    G_got, D_got, _, losses = reference.gan_step(
        batches, z, G, D, step=partial(optimizers.sgd_step, lr=0.1), loss=reference.minimax_loss
    )
    assert losses == (d_loss, g_loss)
    for got, want in zip(flat(G_got) + flat(D_got), flat(G_want) + flat(D_want), strict=True):
        assert_allclose(got, want, rtol=1e-14)


@pytest.mark.parametrize("loss", OF_FAKES)
@pytest.mark.parametrize("rule", ["sgd_step", "adam_step"])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_rounds_of_the_twins_agree(tensor, rng, loss, rule, k):
    G, D = players(rng)
    G_twin, D_twin = tensors(G, tensor), tensors(D, tensor)
    kept, kept_twin = [a.copy() for a in flat(G) + flat(D)], [p.tolist() for p in flat(G_twin)]
    start, start_twin, states, states_twin = G, G_twin, None, None
    for _ in range(4):
        batches = [(rng.normal(size=(4, 3)), rng.normal(size=(3, 2))) for _ in range(k)]
        z = rng.normal(size=(5, 2))
        options = {"activation": "leaky_relu", "output": "tanh"}
        G, D, states, losses = reference.gan_step(
            batches,
            z,
            G,
            D,
            states,
            partial(getattr(optimizers, rule), lr=0.05),
            getattr(reference, loss),
            **options,
        )
        G_twin, D_twin, states_twin, losses_twin = gpu.gan_step(
            [tuple(map(tensor, pair)) for pair in batches],
            tensor(z),
            G_twin,
            D_twin,
            states_twin,
            partial(getattr(gpu_optimizers, rule), lr=0.05),
            getattr(gpu, loss),
            **options,
        )
        assert_allclose([x.item() for x in losses_twin], losses, rtol=1e-10)
        for p, a in zip(flat(G_twin) + flat(D_twin), flat(G) + flat(D), strict=True):
            assert_allclose(p.tolist(), a, rtol=1e-9, atol=1e-10)
    assert np.isnan(losses[0]) == (k == 0)
    assert_array_equal(
        np.concatenate([a.ravel() for a in flat(start)]),
        np.concatenate([a.ravel() for a in kept[: len(flat(start))]]),
    )
    assert [p.tolist() for p in flat(start_twin)] == kept_twin
    assert all(p.grad is None for p in flat(start_twin))


def test_rounds_keep_float32(rng):
    G, D = players(rng, np.float32)
    x, z = (rng.normal(size=shape).astype(np.float32) for shape in [(4, 3), (3, 2)])
    G, D, _, losses = reference.gan_step([(x, z)], z, G, D, step=optimizers.adam_step)
    assert {a.dtype for a in (*flat(G), *flat(D), *losses)} == {np.dtype(np.float32)}


def test_a_generator_learns_a_distribution():
    """A normal one, mean 3: the fakes move there from about 0, and D can tell little at the end."""
    rng = np.random.default_rng(0)
    G, D = mlp_init((1, 8, 1), rng), mlp_init((1, 16, 1), rng)
    z_test, real = rng.normal(size=(500, 1)), 3 + 0.5 * rng.normal(size=(500, 1))
    before = reference.frechet_distance(real, mlp_forward(z_test, G)[0])
    states, step = None, partial(optimizers.adam_step, lr=0.005, beta1=0.5)
    for _ in range(600):
        x = 3 + 0.5 * rng.normal(size=(32, 1))
        batches, z = [(x, rng.normal(size=(32, 1)))], rng.normal(size=(32, 1))
        G, D, states, _ = reference.gan_step(batches, z, G, D, states, step)
    assert reference.frechet_distance(real, mlp_forward(z_test, G)[0]) < 0.1 * before


@BOTH
def test_networks_refuse(twins, tree, rng):
    module, to = twins[tree]
    G, D = ([(to(w), to(b)) for w, b in layers] for layers in players(rng))
    x, z = to(np.zeros((4, 3))), to(np.zeros((4, 2)))
    for bad in [{"x": z}, {"z": x}, {"g_layers": D}, {"d_layers": G}]:
        arguments = {"x": x, "z": z, "g_layers": G, "d_layers": D} | bad
        with pytest.raises(ValueError, match="must chain"):
            module.discriminator_mlp_loss(**arguments)
        if "x" not in bad:
            del arguments["x"]
            with pytest.raises(ValueError, match="must chain"):
                module.generator_mlp_loss(**arguments)
    with pytest.raises(ValueError, match="got 'square'"):
        module.gan_step([(x, z)], z, G, D, activation="square")


# judging samples


def frechet_by_definition(a, b):
    cov_a, cov_b = (np.atleast_2d(np.cov(f, rowvar=False)) for f in (a, b))
    root = sqrtm(cov_a @ cov_b)
    apart = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return apart + np.trace(cov_a + cov_b - 2 * root.real)


@BOTH
@pytest.mark.parametrize("N, M, D", [(30, 40, 5), (10, 10, 1), (200, 50, 20)])
def test_frechet_agrees_with_its_definition(twins, tree, rng, N, M, D):
    module, to = twins[tree]
    a, b = rng.normal(size=(N, D)) @ rng.normal(size=(D, D)), 1 + rng.normal(size=(M, D))
    kept = a.copy(), b.copy()
    got = float(module.frechet_distance(to(a), to(b)))
    assert_allclose(got, frechet_by_definition(a, b), rtol=1e-10)
    assert_allclose(float(module.frechet_distance(to(b), to(a))), got, rtol=1e-10)
    assert_array_equal(a, kept[0])
    assert_array_equal(b, kept[1])


@BOTH
def test_frechet_by_hand(twins, tree):
    module, to = twins[tree]
    # in one dimension: (difference of means)^2 + (difference of deviations)^2
    a, b = np.array([[-1.0], [1.0]]), np.array([[3.0], [9.0]])  # 0 and 6; sqrt 2 and 3 sqrt 2
    assert_allclose(float(module.frechet_distance(to(a), to(b))), 36 + 8, rtol=1e-14)
    # moved only
    x = np.random.default_rng(0).normal(size=(50, 3))
    moved = x[::-1] + np.array([1, 2, 2])
    assert_allclose(float(module.frechet_distance(to(x), to(moved))), 9, rtol=1e-12)


@BOTH
@pytest.mark.parametrize("N, D", [(50, 4), (5, 30), (2, 1), (2, 3)])
def test_frechet_of_equal_sets_and_of_singular_covariances(twins, tree, rng, N, D):
    module, to = twins[tree]
    x = rng.normal(size=(N, D))
    x[:, D // 2 :] = x[:, :1]  # features that repeat each other
    same = float(module.frechet_distance(to(x), to(x[::-1].copy())))
    assert 0 <= same < 1e-12
    # doubled: deviations differ by one deviation along every axis
    want = ((x - x.mean(axis=0)) ** 2).sum() / (N - 1) + (x.mean(axis=0) ** 2).sum()
    assert_allclose(float(module.frechet_distance(to(x), to(2 * x))), want, rtol=1e-10)


@BOTH
def test_frechet_keeps_float32_and_takes_views(twins, tree, rng):
    module, to = twins[tree]
    a, b = rng.normal(size=(2, 40, 6)).astype(np.float32)
    got = module.frechet_distance(to(a), to(b))
    assert "float32" in str(got.dtype)
    assert_allclose(float(got), frechet_by_definition(a.astype(float), b.astype(float)), rtol=1e-4)
    views = module.frechet_distance(to(a)[::2, ::2], to(b)[::2, ::2])
    assert_allclose(
        float(views),
        float(module.frechet_distance(to(a[::2, ::2].copy()), to(b[::2, ::2].copy()))),
        rtol=1e-5,
    )


@BOTH
def test_frechet_refuses(twins, tree):
    module, to = twins[tree]
    good = to(np.zeros((3, 2)))
    for bad in [np.zeros((1, 2)), np.zeros((0, 2)), np.zeros((3, 1)), np.zeros(3)]:
        for pair in [(good, to(bad)), (to(bad), good)]:
            with pytest.raises(ValueError, match=r"must be \(N, D\) and \(M, D\), .* got \("):
                module.frechet_distance(*pair)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_frechet_refuses_what_is_not_finite(bad):
    x, broken = np.zeros((2, 2)), np.array([[0.0, bad], [1.0, 1.0]])
    for pair in [(x, broken), (broken, x)]:
        with pytest.raises(ValueError, match="features must be finite"):
            reference.frechet_distance(*pair)
