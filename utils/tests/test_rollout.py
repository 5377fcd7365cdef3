import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import rollout as gpu
from utils.reference import attention
from utils.reference import rollout as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def array(result):
    return np.array(result.tolist())


def random_weights(rng, L=3, B=2, H=4, T=5, causal=False):
    """(L, B, H, T, T), rows that sum to 1."""
    queries, keys = rng.normal(size=(2, L, B, H, T, 6))
    return attention.attention_weights(queries, keys, causal=causal)


@given(*(st.integers(1, 4) for _ in "LBHT"), st.booleans(), st.integers(0, 99))
def test_by_loops(L, B, H, T, causal, seed):
    weights = random_weights(np.random.default_rng(seed), L, B, H, T, causal)
    want = np.zeros((B, T, T))
    for b in range(B):
        flow = [[float(i == j) for j in range(T)] for i in range(T)]  # before the first layer
        for layer in range(L):
            mixed = [
                [
                    0.5 * (i == j) + 0.5 * sum(weights[layer, b, h, i, j] for h in range(H)) / H
                    for j in range(T)
                ]
                for i in range(T)
            ]
            flow = [
                [sum(mixed[i][m] * flow[m][j] for m in range(T)) for j in range(T)]
                for i in range(T)
            ]
        want[b] = flow
    for module, to in [(reference, np.asarray), (gpu, torch.tensor)]:
        got = array(module.attention_rollout(to(weights)))
        assert_allclose(got, want, rtol=1e-10, atol=1e-15)
        assert_allclose(got.sum(axis=-1), 1, rtol=1e-12)
        assert (got >= 0).all()
        assert not causal or (got == np.tril(got)).all()


@BOTH
def test_by_hand(twins, tree):
    module, to = twins[tree]
    # the first layer swaps the words, in the second both look at word 0
    swap, first = np.array([[[[0.0, 1.0], [1.0, 0.0]]]]), np.array([[[[1.0, 0.0], [1.0, 0.0]]]])
    # A_1 = [[1/2, 1/2], [1/2, 1/2]], A_2 = [[1, 0], [1/2, 1/2]]
    assert array(module.attention_rollout([to(first)])).tolist() == [[[1, 0], [0.5, 0.5]]]
    got = array(module.attention_rollout([to(first), to(swap)]))
    assert got.tolist() == [[[0.75, 0.25], [0.75, 0.25]]]  # A_swap A_first
    got = array(module.attention_rollout([to(swap), to(first)]))
    assert got.tolist() == [[[0.5, 0.5], [0.5, 0.5]]]
    heads = to(np.concatenate([swap, first], axis=1))  # their mean [[1/2, 1/2], [1, 0]]
    assert array(module.attention_rollout([heads])).tolist() == [[[0.75, 0.25], [0.5, 0.5]]]


@BOTH
def test_a_query_that_may_look_nowhere_stays_itself(twins, tree, rng):
    module, to = twins[tree]
    weights = random_weights(rng)
    weights[:, :, :, 2] = 0
    got = array(module.attention_rollout(to(weights)))
    assert_array_equal(got[:, 2], np.tile([0.0, 0, 1, 0, 0], (2, 1)))
    assert_allclose(got.sum(axis=-1), 1, rtol=1e-12)


@BOTH
def test_who_looks_only_at_itself_stays_itself(twins, tree):
    module, to = twins[tree]
    weights = np.tile(np.eye(3), (7, 1, 2, 1, 1))
    assert array(module.attention_rollout(to(weights))).tolist() == [np.eye(3).tolist()]


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dtype_lists_views_and_no_change(twins, tree, dtype, rng):
    module, to = twins[tree]
    weights = to(random_weights(rng).astype(dtype))
    before = weights.tolist()
    got = module.attention_rollout(weights)
    assert str(got.dtype).endswith(dtype) and got.shape == (2, 5, 5)
    assert_array_equal(array(got), array(module.attention_rollout(list(weights))))
    turned = to(array(weights).swapaxes(-1, -2).astype(dtype).copy()).swapaxes(-1, -2)
    assert_allclose(array(module.attention_rollout(turned)), array(got), rtol=1e-6)
    assert weights.tolist() == before


@BOTH
def test_nan_and_nothing(twins, tree, rng):
    module, to = twins[tree]
    weights = random_weights(rng)
    weights[0, 1, 2, 3, 4] = np.nan
    got = array(module.attention_rollout(to(weights)))
    assert np.isfinite(got[0]).all() and np.isnan(got[1, 3]).any()
    assert module.attention_rollout(to(np.zeros((2, 0, 3, 4, 4)))).shape == (0, 4, 4)
    assert module.attention_rollout(to(np.zeros((2, 1, 3, 0, 0)))).shape == (1, 0, 0)


def test_gradient_flows(device):
    weights = torch.rand(2, 1, 2, 3, 3, dtype=torch.float64, device=device, requires_grad=True)
    assert torch.autograd.gradcheck(gpu.attention_rollout, weights)


@BOTH
def test_refuses(twins, tree):
    module, to = twins[tree]
    for shapes in (
        [],
        [(2, 3, 4, 5)],
        [(3, 4, 4)],
        [(2, 0, 4, 4)],
        [(2, 3, 4, 4), (2, 3, 5, 5)],
        [(2, 3, 4, 4), (3, 4, 4)],
    ):
        layers = [to(np.zeros(shape)) for shape in shapes]
        with pytest.raises(ValueError, match=r"layer of \(B, H, T, T\), .*got \["):
            module.attention_rollout(layers)
