from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from scipy.stats import chisquare

from utils.gpu import sampling as gpu
from utils.reference import sampling as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
INF, NAN = np.inf, np.nan


@pytest.fixture
def twins(tensor, device):
    """{tree: (module, how it takes arrays, how it takes a seed)}"""
    return {
        "reference": (reference, np.asarray, np.random.default_rng),
        "gpu": (gpu, tensor, lambda seed: torch.Generator(device).manual_seed(seed)),
    }


@given(array_shapes(min_dims=1, max_dims=3, max_side=6), st.integers(1, 8), st.integers(0, 99))
def test_the_filters_by_a_loop(shape, k, seed):
    rng = np.random.default_rng(seed)
    scores, p = rng.integers(-3, 4, size=shape) / 2, rng.uniform(0.01, 1)  # ties are frequent
    for module, to in [(reference, np.asarray), (gpu, torch.tensor)]:
        best_k, nucleus = module.keep_top_k(to(scores), k), module.keep_top_p(to(scores), p)
        for i in np.ndindex(shape[:-1]):
            row, probabilities = scores[i], softmax(scores[i])
            ranks = sorted(range(shape[-1]), key=lambda c, row=row: (-row[c], c))
            want = np.full(shape[-1], -INF)
            want[ranks[:k]] = row[ranks[:k]]
            assert_array_equal(best_k[i], want)
            want, total = np.full(shape[-1], -INF), 0.0
            for c in ranks:
                if total >= p:
                    break
                want[c], total = row[c], total + probabilities[c]
            assert_array_equal(nucleus[i], want)


@BOTH
def test_a_nucleus_that_reaches_p_exactly_grows_no_more(twins, tree):
    module, to, _ = twins[tree]
    assert module.keep_top_p(to(np.zeros(2)), 0.5).tolist() == [0, -INF]
    assert module.keep_top_p(to(np.zeros(4)), 0.75).tolist() == [0, 0, 0, -INF]


def test_what_has_no_probability_is_not_drawn_by_a_zero_either():
    rng = SimpleNamespace(random=np.zeros)
    assert reference.sample(np.array([-INF, 0.0, 0.0]), rng) == 1


def test_whole_scores_know_minus_infinity_too():
    got = reference.apply_temperature(np.array([1, 3, 2]), 0)
    assert got.tolist() == [-INF, 0, -INF]


@BOTH
def test_by_hand(twins, tree):
    module, to, _ = twins[tree]
    scores = np.log([0.1, 0.5, 0.15, 0.25])
    rows = to(np.stack([scores, scores[::-1]]))

    def probabilities(kept):
        return softmax(np.asarray(kept.tolist()), axis=-1)[0]

    assert_allclose(probabilities(module.keep_top_k(rows, 1)), [0, 1, 0, 0])
    assert_allclose(probabilities(module.keep_top_k(rows, 2)), [0, 2 / 3, 0, 1 / 3])
    assert_allclose(probabilities(module.keep_top_k(rows, 9)), [0.1, 0.5, 0.15, 0.25])
    assert_allclose(probabilities(module.keep_top_p(rows, 0.4)), [0, 1, 0, 0])
    assert_allclose(probabilities(module.keep_top_p(rows, 0.7)), [0, 2 / 3, 0, 1 / 3])
    assert_allclose(probabilities(module.keep_top_p(rows, 0.8)), [0, 5 / 9, 1.5 / 9, 2.5 / 9])
    assert_allclose(probabilities(module.keep_top_p(rows, 1)), [0.1, 0.5, 0.15, 0.25])
    squares = np.array([0.01, 0.25, 0.0225, 0.0625])
    assert_allclose(probabilities(module.apply_temperature(rows, 0.5)), squares / squares.sum())
    assert module.apply_temperature(rows, 0).tolist() == [
        [-INF, 0, -INF, -INF],
        [-INF, -INF, 0, -INF],
    ]


@BOTH
def test_ties_go_to_the_first(twins, tree):
    module, to, seed = twins[tree]
    scores = to(np.array([1.0, 2.0, 2.0, 2.0]))
    assert module.keep_top_k(scores, 2).tolist() == [-INF, 2, 2, -INF]
    assert module.keep_top_p(scores, 0.1).tolist() == [-INF, 2, -INF, -INF]
    assert module.apply_temperature(scores, 0).tolist() == [-INF, 0, -INF, -INF]
    assert int(module.sample(scores, seed(0), temperature=0)) == 1


@BOTH
@pytest.mark.parametrize(
    "options, want",
    [
        ({}, [0.1, 0.5, 0.15, 0.25, 0]),
        ({"top_k": 2}, [0, 2 / 3, 0, 1 / 3, 0]),
        ({"top_p": 0.8}, [0, 5 / 9, 1.5 / 9, 2.5 / 9, 0]),
        # the temperature comes first: squared, 0.25 is 0.72 of the whole; unsquared, only 0.5
        ({"temperature": 0.5, "top_p": 0.7}, [0, 1, 0, 0, 0]),
        # then top_k: of the two left 0.5 is 2/3, of all only half
        ({"top_k": 2, "top_p": 0.6}, [0, 1, 0, 0, 0]),
        ({"temperature": 2.0, "top_k": 2}, [0, 2**0.5 / (1 + 2**0.5), 0, 1 / (1 + 2**0.5), 0]),
        ({"temperature": 0}, [0, 1, 0, 0, 0]),
    ],
)
def test_drawn_as_often_as_likely(twins, tree, options, want):
    module, to, seed = twins[tree]
    scores = np.append(np.log([0.1, 0.5, 0.15, 0.25]), -INF) + 1e4
    drawn = module.sample(to(np.tile(scores, (50, 400, 1))), seed(0), **options)
    assert drawn.shape == (50, 400) and "int64" in str(drawn.dtype)
    counts = np.bincount(np.ravel(drawn.tolist()), minlength=5)
    want = np.array(want)
    assert counts[want == 0].sum() == 0
    statistic = chisquare(counts[want > 0], 20_000 * want[want > 0]).statistic
    assert statistic < 17  # once in 1000, with 3 degrees of freedom


@BOTH
def test_draws_repeat_with_their_seed_and_are_independent(twins, tree):
    module, to, seed = twins[tree]
    scores = to(np.zeros((1000, 2)))
    first = module.sample(scores, seed(1))
    assert first.tolist() == module.sample(scores, seed(1)).tolist()
    assert first.tolist() != module.sample(scores, seed(2)).tolist()
    rows = np.reshape(first.tolist(), (-1, 2))
    assert abs(np.mean(rows[:, 0] == rows[:, 1]) - 0.5) < 0.1


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dtype_stays_and_no_input_changes(twins, tree, dtype, rng):
    module, to, seed = twins[tree]
    scores = to(rng.normal(size=(3, 5)).astype(dtype))
    before = scores.tolist()
    results = [
        *(module.apply_temperature(scores, t) for t in (0, 0.5)),
        *(module.keep_top_k(scores, k) for k in (2, 9)),
        *(module.keep_top_p(scores, p) for p in (0.5, 1)),
    ]
    for result in results:
        assert dtype in str(result.dtype)
        assert result is not scores
    module.sample(scores, seed(0), 0.5, 3, 0.9)
    results[-1][:] = 0
    assert scores.tolist() == before


@BOTH
def test_nan_stays_and_views_are_welcome(twins, tree, rng):
    module, to, _ = twins[tree]
    scores = np.array([[1.0, NAN, 3.0], [1.0, 2.0, 3.0]])
    for kept in [
        module.apply_temperature(to(scores), 0),
        module.apply_temperature(to(scores), 2.0),
        module.keep_top_k(to(scores), 1),
        module.keep_top_p(to(scores), 0.5),
    ]:
        assert np.isnan(kept.tolist()).tolist() == [[False, True, False], [False] * 3]
    scores = to(rng.normal(size=(5, 4)))
    flat = to(np.array(scores.T.tolist()))
    assert module.keep_top_k(scores.T, 2).tolist() == module.keep_top_k(flat, 2).tolist()
    assert module.keep_top_p(scores.T, 0.6).tolist() == module.keep_top_p(flat, 0.6).tolist()


@BOTH
def test_sizes_of_one_and_none(twins, tree):
    module, to, seed = twins[tree]
    assert int(module.sample(to(np.array([-1e300])), seed(0), 0.7, 1, 0.1)) == 0
    assert module.sample(to(np.zeros((0, 4))), seed(0), 0.7, 2, 0.5).shape == (0,)
    huge = to(np.array([[1e300, -1e300, 0.0]]))
    assert module.sample(huge, seed(0), top_p=0.9).tolist() == [0]


@BOTH
def test_refuses(twins, tree):
    module, to, seed = twins[tree]
    scores = to(np.zeros((2, 3)))
    for value in (-1, NAN, INF):
        with pytest.raises(ValueError, match=f"temperature must be .*got {value}"):
            module.apply_temperature(scores, value)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        module.sample(scores, seed(0), top_k=0)
    for value in (0, 1.5, NAN):
        with pytest.raises(ValueError, match=rf"p must lie in \(0, 1\], got {value}"):
            module.sample(scores, seed(0), top_p=value)
    for empty in (to(np.zeros((2, 0))), to(np.array(1.0))):
        for function in (
            lambda s: module.apply_temperature(s, 1),
            lambda s: module.keep_top_k(s, 1),
            lambda s: module.keep_top_p(s, 0.5),
            lambda s: module.sample(s, seed(0)),
        ):
            with pytest.raises(ValueError, match=r"\(\.\.\., C\) with C at least 1, got shape \("):
                function(empty)


@pytest.mark.parametrize("bad", [NAN, -INF, INF])
def test_nothing_to_draw_from(bad, rng):
    scores = np.array([[0.0, 1.0], [bad, bad]])
    with pytest.raises(ValueError, match=f"must be finite, got {bad}"):
        reference.sample(scores, rng)
