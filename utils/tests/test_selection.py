import numpy as np
import pytest
import torch
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.linear_model import LinearRegression

from utils.gpu import selection as gpu
from utils.reference import selection as reference

VALUE = [1.0, 5.0, 3.0, 5.0]  # of each feature alone
BOTH = pytest.mark.parametrize("module", [reference, gpu])


def total(features):
    return sum(VALUE[f] for f in features)


@BOTH
def test_forward_by_hand(module):
    # 1 and 3 tie at 5, the lower first; then 3 (5 + 5), then 2 (+ 3)
    assert module.forward_selection(total, 4, 3) == ([1, 3, 2], [5, 10, 13])


@BOTH
def test_backward_by_hand(module):
    # from 14: without 0 there are 13 left, then without 2 there are 10, then 1 and 3 tie
    assert module.backward_elimination(total, 4, 1) == ([0, 2, 1], [13, 10, 5])
    assert module.backward_elimination(total, 4, 4) == ([], [])


@BOTH
def test_forward_is_blind_to_a_pair_that_helps_only_together(module):
    def xor_of_0_and_1(features):
        return 1.0 if {0, 1} <= set(features) else 0.1 if 2 in features else 0.0

    assert module.forward_selection(xor_of_0_and_1, 3, 2) == ([2, 0], [0.1, 0.1])
    assert module.backward_elimination(xor_of_0_and_1, 3, 2) == ([2], [1.0])


@BOTH
def test_one_feature(module):
    assert module.forward_selection(total, 1, 1) == ([0], [1])


@BOTH
def test_score_sees_lists_it_may_keep(module):
    seen = []

    def score(features):
        seen.append(features)
        return 0.0

    module.forward_selection(score, 3, 2)
    assert seen == [[0], [1], [2], [0, 1], [0, 2]]
    seen.clear()
    module.backward_elimination(score, 3, 1)
    assert seen == [[1, 2], [0, 2], [0, 1], [2], [1]]


def test_scores_may_stay_on_the_device(device):
    value = torch.tensor(VALUE, device=device)
    assert gpu.forward_selection(lambda f: value[f].sum(), 4, 3) == ([1, 3, 2], [5, 10, 13])
    assert gpu.backward_elimination(lambda f: value[f].sum(), 4, 1) == ([0, 2, 1], [13, 10, 5])


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_sklearn_chooses_the_same(rng, direction):
    x = rng.normal(size=(60, 5))
    y = x @ [3.0, 0.0, 2.0, 0.0, 1.0] + rng.normal(size=60)

    def r2(model, x, y):
        return model.fit(x, y).score(x, y)

    def score(features):
        return r2(LinearRegression(), x[:, features], y)

    everything = [(np.arange(60), np.arange(60))]
    peer = SequentialFeatureSelector(
        LinearRegression(), n_features_to_select=2, direction=direction, cv=everything
    ).fit(x, y)
    if direction == "forward":
        kept, _ = reference.forward_selection(score, 5, 2)
    else:
        removed, _ = reference.backward_elimination(score, 5, 2)
        kept = set(range(5)) - set(removed)
    assert sorted(kept) == list(np.flatnonzero(peer.get_support()))


@BOTH
@pytest.mark.parametrize("n", [0, 5])
def test_refuses(module, n):
    with pytest.raises(ValueError, match=rf"n_select must lie in \[1, 4\], got {n}"):
        module.forward_selection(total, 4, n)
    with pytest.raises(ValueError, match=rf"n_keep must lie in \[1, 4\], got {n}"):
        module.backward_elimination(total, 4, n)
